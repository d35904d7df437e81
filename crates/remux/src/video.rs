//! Video messages to access units.

use codec::{
    nal::NalUnits,
    nal_video::{Framing, Message, NalCodec, UnitRole},
};
use flv::{FrameType, VideoPacket, VideoTagHeader};
use media::{AccessUnit, Data, RepairKind, Repairs, Track, VideoCodec, VideoConfig};

use crate::{
    clock::Clock,
    content::{Content, MAX_NAL_UNITS, SetKinds},
    mpeg4_stream::Mpeg4Stream,
    nal_stream::{HeaderUse, NalStream},
    state::{MAX_LEADING_SIZE, VideoState, size_of},
};

/// Coded slices of one picture have stamps at most this far apart, where nothing but their headers joins them.
const MAX_SAME_PICTURE_MS: u32 = 1;

/// Configurations of a track in one chunk. A chunk with more is hostile: each is held until the chunk is written.
const MAX_CONFIGS: usize = 256;

/// What is known of the video track, by its codec.
#[derive(Clone, Debug)]
enum Stream<'a> {
    Nal(NalStream<'a>),
    Mpeg4(Mpeg4Stream<'a>),
}

/// The video track of a chunk as it is put together.
#[derive(Debug, Default)]
pub(crate) struct VideoAssembler<'a> {
    pub(crate) track: Track<'a, VideoConfig<'a>>,
    /// What tells each configuration of the track from others.
    pub(crate) identities: Vec<u64>,
    stream: Option<Stream<'a>>,
    /// NAL units that ended the chunk before without a picture.
    carried: Vec<&'a [u8]>,
    /// Messages without a coded slice since: they go before the next picture, as the carried units do.
    leading: Vec<Message<'a>>,
    /// NAL units of both.
    leading_units: usize,
    /// One of them says that decoding can begin with the next picture.
    leading_is_entry: bool,
    /// The kinds of parameter set among them.
    leading_sets: SetKinds,
    last: Option<LastPicture<'a>>,
}

/// The last access unit, where another message may bring more of it.
#[derive(Clone, Copy, Debug)]
struct LastPicture<'a> {
    first_slice: &'a [u8],
    timestamp_ms: u32,
    units: usize,
}

impl<'a> VideoAssembler<'a> {
    /// Goes on where the chunk before ended.
    pub(crate) fn resume(state: Option<&VideoState<'a>>, leading_units: Vec<&'a [u8]>) -> Self {
        let stream = state.map(|state| match state.codec {
            VideoCodec::H264 => Stream::Nal(NalStream::resume(NalCodec::H264, state)),
            VideoCodec::Hevc => Stream::Nal(NalStream::resume(NalCodec::Hevc, state)),
            VideoCodec::Mpeg4 => Stream::Mpeg4(Mpeg4Stream::resume(state)),
        });
        let mut assembler = Self { leading_units: leading_units.len(), ..Self::default() };
        if let Some(Stream::Nal(stream)) = &stream {
            let codec = stream.codec();
            assembler.leading_is_entry = leading_units.iter().any(|unit| codec.is_entry(unit));
            for unit in &leading_units {
                if let UnitRole::ParameterSet(kind) = codec.role(unit) {
                    assembler.leading_sets.add(kind);
                }
            }
        }
        (assembler.stream, assembler.carried) = (stream, leading_units);
        assembler
    }

    /// What the next chunk has to know of the track, and the NAL units that go before its first picture.
    pub(crate) fn state(&mut self, repairs: &mut Repairs) -> (Option<VideoState<'a>>, Vec<&'a [u8]>) {
        let mut units = std::mem::take(&mut self.carried);
        units.extend(self.leading.drain(..).flat_map(|message| message.units()));
        if size_of(&units) > MAX_LEADING_SIZE {
            repairs.count(RepairKind::LeadingUnitsLost);
            units.clear();
        }
        let state = match &self.stream {
            None => None,
            Some(Stream::Nal(stream)) => Some(stream.state()),
            Some(Stream::Mpeg4(stream)) => stream.state(),
        };
        (state, units)
    }

    /// Whether what is known of the track is enough for its frames.
    pub(crate) fn is_decodable(&self) -> bool {
        match &self.stream {
            None => false,
            Some(Stream::Nal(stream)) => stream.is_decodable(),
            Some(Stream::Mpeg4(stream)) => stream.is_decodable(),
        }
    }

    /// Takes a message of a codec that is recorded.
    pub(crate) fn push(
        &mut self,
        codec: VideoCodec,
        timestamp_ms: u32,
        message: &VideoTagHeader<'a>,
        clock: &mut Clock<'_, 'a>,
    ) {
        match message.packet {
            VideoPacket::SequenceHeader => self.configure(codec, message.payload, clock.repairs),
            VideoPacket::Frame => match codec {
                VideoCodec::H264 => self.push_nal(NalCodec::H264, timestamp_ms, message, clock),
                VideoCodec::Hevc => self.push_nal(NalCodec::Hevc, timestamp_ms, message, clock),
                VideoCodec::Mpeg4 => self.push_mpeg4(timestamp_ms, message, clock),
            },
            VideoPacket::SequenceEnd
            | VideoPacket::Metadata
            | VideoPacket::Command
            | VideoPacket::Other(_) => {}
        }
    }

    /// Takes a sequence header. One that cannot be used changes nothing, also where it is of another codec.
    fn configure(&mut self, codec: VideoCodec, record: &'a [u8], repairs: &mut Repairs) {
        let nal_codec = match codec {
            VideoCodec::H264 => NalCodec::H264,
            VideoCodec::Hevc => NalCodec::Hevc,
            VideoCodec::Mpeg4 => {
                if let Some(Stream::Mpeg4(stream)) = &mut self.stream {
                    stream.configure(record, repairs);
                    return;
                }
                let mut stream = Mpeg4Stream::new();
                if stream.configure(record, repairs) {
                    self.begin(Stream::Mpeg4(stream));
                }
                return;
            }
        };
        match &mut self.stream {
            Some(Stream::Nal(stream)) if stream.codec() == nal_codec => {
                // What stands before a picture of other parameter sets is of no use.
                if stream.configure(record, repairs) == HeaderUse::Changes {
                    self.clear_leading();
                }
            }
            _ => {
                let mut stream = NalStream::new(nal_codec);
                if stream.configure(record, repairs) != HeaderUse::Refused {
                    self.begin(Stream::Nal(stream));
                }
            }
        }
    }

    /// Begins with another codec, or with the first one.
    fn begin(&mut self, stream: Stream<'a>) {
        self.stream = Some(stream);
        self.last = None;
        self.clear_leading();
    }

    fn clear_leading(&mut self) {
        self.carried.clear();
        self.leading.clear();
        (self.leading_units, self.leading_is_entry) = (0, false);
        self.leading_sets = SetKinds::default();
    }

    fn push_nal(
        &mut self,
        codec: NalCodec,
        timestamp_ms: u32,
        message: &VideoTagHeader<'a>,
        clock: &mut Clock<'_, 'a>,
    ) {
        let framing = match &self.stream {
            Some(Stream::Nal(stream)) if stream.codec() == codec => stream.framing(),
            _ => Framing::Lengths(4),
        };
        let Some(content) = Content::read(codec, message.payload, framing) else {
            clock.repairs.count(RepairKind::MessageMalformed);
            return;
        };
        let Some(stream) = self.take_sets(codec, &content) else {
            clock.repairs.count(RepairKind::SequenceHeaderMissing);
            return;
        };
        count_framing(&content.message, stream.length_size(), clock.repairs);
        let is_decodable = stream.is_decodable();
        let Some(slice) = content.first_slice else {
            self.push_without_slice(content, clock.repairs);
            return;
        };
        if !is_decodable {
            self.clear_leading();
            clock.repairs.count(RepairKind::SequenceHeaderMissing);
            return;
        }
        if self.joins_last(slice, timestamp_ms) {
            self.join(&content, clock.repairs);
            return;
        }
        let is_entry = content.is_entry || self.leading_is_entry || message.frame_type == FrameType::Key;
        let brings_sets = content.sets.union(self.leading_sets).is_complete(codec);
        let headers_due = (is_entry || self.track.units.is_empty()) && !brings_sets;
        let Some((config, length_size)) = self.config(headers_due, clock.repairs) else {
            clock.repairs.count(RepairKind::MessageMalformed);
            return;
        };
        let units = self.leading_units + content.units;
        let data = self.data(&content.message, length_size);
        self.clear_leading();
        self.last = Some(LastPicture { first_slice: slice, timestamp_ms, units });
        self.add(timestamp_ms, message, is_entry, config, data, clock);
    }

    /// Takes the parameter sets of a message into the track's stream; `None` where the track is of another codec and the
    /// message does not bring what is needed to begin with this one.
    fn take_sets(&mut self, codec: NalCodec, content: &Content<'a>) -> Option<&NalStream<'a>> {
        let is_other = match &self.stream {
            Some(Stream::Nal(stream)) => stream.codec() != codec,
            Some(Stream::Mpeg4(_)) => true,
            None => false,
        };
        if is_other && !content.sets.is_complete(codec) {
            return None;
        }
        if is_other || self.stream.is_none() {
            self.begin(Stream::Nal(NalStream::new(codec)));
        }
        match &mut self.stream {
            Some(Stream::Nal(stream)) => {
                stream.take_sets(content);
                Some(stream)
            }
            _ => None,
        }
    }

    /// Takes a message without a coded slice: it stands before the next picture, or after the last one.
    fn push_without_slice(&mut self, content: Content<'a>, repairs: &mut Repairs) {
        if content.has_prefix {
            if self.leading_units + content.units > MAX_NAL_UNITS {
                repairs.count(RepairKind::MessageMalformed);
                return;
            }
            self.leading_units += content.units;
            self.leading_is_entry |= content.is_entry;
            self.leading_sets = self.leading_sets.union(content.sets);
            self.leading.push(content.message);
        } else if self.leading_units == 0 {
            // Filler data, the end of a sequence: part of the picture before, which in another chunk is out of reach.
            self.append(&content, repairs);
        }
        repairs.count(RepairKind::MessageWithoutFrame);
    }

    /// Whether a coded slice goes on with the picture of the last access unit.
    fn joins_last(&self, slice: &[u8], timestamp_ms: u32) -> bool {
        let (Some(Stream::Nal(stream)), Some(last)) = (&self.stream, &self.last) else { return false };
        let apart_ms = timestamp_ms.wrapping_sub(last.timestamp_ms).cast_signed().unsigned_abs();
        match stream.is_same_picture(last.first_slice, slice, apart_ms <= MAX_SAME_PICTURE_MS) {
            Some(is_same) => is_same && (self.leading_units == 0 || !stream.codec().begins_picture(slice)),
            // A delimiter or the like in between is all that tells.
            None => self.leading_units == 0,
        }
    }

    /// Adds a message to the last access unit, with those that came in between.
    fn join(&mut self, content: &Content<'a>, repairs: &mut Repairs) {
        let between = std::mem::take(&mut self.leading);
        let units = self.leading_units;
        self.clear_leading();
        let Some(last) = &mut self.last else { return };
        if last.units + units + content.units > MAX_NAL_UNITS {
            repairs.count(RepairKind::MessageMalformed);
            return;
        }
        repairs.count(RepairKind::PictureInPieces);
        last.units += units;
        if let Some(unit) = self.track.units.last_mut() {
            let length_size = self.track.configs[unit.config as usize].length_size;
            unit.random_access |= content.is_entry;
            between.iter().for_each(|message| append(&mut unit.data, message, length_size));
        }
        self.append(content, repairs);
    }

    fn append(&mut self, content: &Content<'a>, repairs: &mut Repairs) {
        let (Some(unit), Some(last)) = (self.track.units.last_mut(), &mut self.last) else { return };
        if last.units + content.units > MAX_NAL_UNITS {
            repairs.count(RepairKind::MessageMalformed);
            return;
        }
        last.units += content.units;
        append(&mut unit.data, &content.message, self.track.configs[unit.config as usize].length_size);
    }

    /// The configuration of the next access unit, and the size of its lengths.
    fn config(&mut self, headers_due: bool, repairs: &mut Repairs) -> Option<(u32, u8)> {
        let stream = self.stream.as_mut()?;
        let (change, codec) = match stream {
            Stream::Nal(stream) => (stream.take_change(headers_due, repairs), stream.video_codec()),
            Stream::Mpeg4(stream) => (stream.take_change(headers_due), VideoCodec::Mpeg4),
        };
        if let Some(config) = change
            && self.track.configs.len() < MAX_CONFIGS
        {
            self.track.configs.push(config);
            self.identities.push(match stream {
                Stream::Nal(stream) => stream.identity(),
                Stream::Mpeg4(stream) => stream.identity(),
            });
        }
        let last = self.track.configs.last().filter(|config| config.codec == codec)?;
        Some((self.track.configs.len() as u32 - 1, last.length_size))
    }

    /// The data of an access unit: what stands before the message, and the message.
    fn data(&self, message: &Message<'a>, length_size: u8) -> Data<'a> {
        let framing = Framing::Lengths(length_size);
        let messages = self.leading.iter().chain([message]);
        if self.carried.is_empty() && messages.clone().all(|message| message.framing == framing) {
            return match self.leading.as_slice() {
                [] => Data::Lengths(message.framed),
                _ => Data::LengthsInPieces(messages.map(|message| message.framed).collect()),
            };
        }
        let count =
            self.carried.len() + messages.clone().map(|message| message.units().count()).sum::<usize>();
        let mut units = Vec::with_capacity(count);
        units.extend_from_slice(&self.carried);
        messages.for_each(|message| units.extend(message.units()));
        Data::NalUnits(units)
    }

    fn push_mpeg4(&mut self, timestamp_ms: u32, message: &VideoTagHeader<'a>, clock: &mut Clock<'_, 'a>) {
        if self.stream.is_none() {
            self.begin(Stream::Mpeg4(Mpeg4Stream::new()));
        }
        let Some(Stream::Mpeg4(stream)) = &mut self.stream else {
            clock.repairs.count(RepairKind::SequenceHeaderMissing);
            return;
        };
        let Some((data, brings_headers)) = stream.read(message.payload) else {
            clock.repairs.count(RepairKind::MessageMalformed);
            return;
        };
        if !stream.is_decodable() {
            clock.repairs.count(RepairKind::SequenceHeaderMissing);
            return;
        }
        let is_entry = message.frame_type == FrameType::Key;
        let headers_due = (is_entry || self.track.units.is_empty()) && !brings_headers;
        let Some((config, _)) = self.config(headers_due, clock.repairs) else {
            clock.repairs.count(RepairKind::MessageMalformed);
            return;
        };
        self.add(timestamp_ms, message, is_entry, config, data, clock);
    }

    fn add(
        &mut self,
        timestamp_ms: u32,
        message: &VideoTagHeader<'a>,
        random_access: bool,
        config: u32,
        data: Data<'a>,
        clock: &mut Clock<'_, 'a>,
    ) {
        let (dts_90khz, pts_90khz) = clock.video(timestamp_ms, message.composition_time_ms, random_access);
        self.track.units.push(AccessUnit { dts_90khz, pts_90khz, random_access, config, data });
    }
}

/// Adds a message to the data of an access unit.
fn append<'a>(data: &mut Data<'a>, message: &Message<'a>, length_size: u8) {
    let is_framed_alike = message.framing == Framing::Lengths(length_size);
    match data {
        Data::Lengths(first) if is_framed_alike => {
            *data = Data::LengthsInPieces(vec![*first, message.framed])
        }
        Data::LengthsInPieces(pieces) if is_framed_alike => pieces.push(message.framed),
        Data::NalUnits(units) => units.extend(message.units()),
        _ => {
            let pieces = data.pieces().iter();
            let units = pieces.flat_map(|piece| NalUnits::new(piece, length_size).map_while(Result::ok));
            *data = Data::NalUnits(units.chain(message.units()).collect());
        }
    }
}

/// Counts what is odd about how a message is framed.
fn count_framing(message: &Message<'_>, length_size: u8, repairs: &mut Repairs) {
    match message.framing {
        Framing::Lengths(size) if size == length_size => {}
        Framing::Lengths(_) => repairs.count(RepairKind::LengthSizeWrong),
        Framing::StartCodes | Framing::StartCodesInLengths(_) => {
            repairs.count(RepairKind::StartCodesForLengths);
        }
    }
    if !message.stray.is_empty() {
        repairs.count(RepairKind::StrayBytes);
    }
}
