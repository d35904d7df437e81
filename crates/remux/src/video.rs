//! Video messages to access units.

use codec::{
    h264::AvcDecoderConfigurationRecord,
    h265::HevcDecoderConfigurationRecord,
    mpeg4::{self, Framing, VideoObjectLayer},
    nal_video::{NalCodec, SetKind, UnitRole},
};
use flv::{FrameType, VideoPacket, VideoTagHeader};
use media::{AccessUnit, Data, RepairKind, Repairs, Track, VideoCodec, VideoConfig};

use crate::{
    clock::Clock,
    content::{Content, MAX_NAL_UNITS},
    state::{MAX_COMPANIONS_SIZE, video_fingerprint},
};

/// The video track of a chunk as it is put together.
#[derive(Debug, Default)]
pub(crate) struct VideoAssembler<'a> {
    pub(crate) track: Track<'a, VideoConfig<'a>>,
    /// Bytes of the lengths before NAL units, by the last configuration.
    length_size: u8,
    /// Messages without a frame, which go before the next one, and their NAL units.
    pending: Vec<&'a [u8]>,
    pending_units: usize,
    /// Such messages at the end of the chunk before, and the configuration that they belong to.
    carried: Vec<&'a [u8]>,
    carried_for: Option<u64>,
    /// NAL units of the last access unit.
    last_units: usize,
    /// The timestamp of the last access unit.
    last_timestamp_ms: u32,
    /// The framing of the last MPEG-4 part 2 frame.
    mpeg4_framing: Option<Framing>,
    /// An MPEG-4 part 2 stream has had its headers, in this chunk or before.
    pub(crate) has_mpeg4_headers: bool,
}

impl<'a> VideoAssembler<'a> {
    /// Takes what the chunk before left.
    pub(crate) fn carry(&mut self, companions: Vec<&'a [u8]>, config: Option<u64>) {
        (self.carried, self.carried_for) = (companions, config);
    }

    /// What this chunk leaves to the next one.
    pub(crate) fn take_companions(&mut self, repairs: &mut Repairs) -> Vec<&'a [u8]> {
        let mut companions = std::mem::take(&mut self.carried);
        companions.append(&mut self.pending);
        let size: usize = companions.iter().map(|message| 2 + message.len()).sum();
        if size > MAX_COMPANIONS_SIZE {
            repairs.count(RepairKind::CompanionLost);
            companions.clear();
        }
        companions
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
            VideoPacket::Frame => self.push_frame(codec, timestamp_ms, message, clock),
            _ => {}
        }
    }

    fn configure(&mut self, codec: VideoCodec, record: &'a [u8], repairs: &mut Repairs) {
        if self.track.configs.last().is_some_and(|last| (last.codec, last.record) == (codec, record)) {
            return;
        }
        let Some((length_size, width, height)) = read_record(codec, record) else {
            repairs.count(RepairKind::SequenceHeaderMalformed);
            return;
        };
        self.set(VideoConfig { codec, width, height, record });
        self.length_size = length_size;
        self.has_mpeg4_headers |= codec == VideoCodec::Mpeg4 && width > 0;
        self.pending.clear();
        self.pending_units = 0;
    }

    fn set(&mut self, config: VideoConfig<'a>) {
        // A configuration that no frame used leaves no trace.
        let used = self.track.units.last().map_or(0, |unit| unit.config as usize + 1);
        self.track.configs.truncate(used);
        self.track.configs.push(config);
    }

    /// Takes the picture size that a keyframe itself brings, which may not be that of the sequence header.
    fn set_size(&mut self, width: u32, height: u32) {
        if let Some(&last) = self.track.configs.last()
            && (last.width, last.height) != (width, height)
        {
            self.set(VideoConfig { width, height, ..last });
        }
    }

    fn push_frame(
        &mut self,
        codec: VideoCodec,
        timestamp_ms: u32,
        message: &VideoTagHeader<'a>,
        clock: &mut Clock<'_, 'a>,
    ) {
        if self.track.configs.last().is_none_or(|config| config.codec != codec) {
            clock.repairs.count(RepairKind::SequenceHeaderMissing);
            return;
        }
        let nal_codec = match codec {
            VideoCodec::H264 => NalCodec::H264,
            VideoCodec::Hevc => NalCodec::Hevc,
            VideoCodec::Mpeg4 => {
                self.push_mpeg4(timestamp_ms, message, clock);
                return;
            }
        };
        let Some(content) = Content::read(nal_codec, message.payload, self.length_size) else {
            clock.repairs.count(RepairKind::MessageMalformed);
            return;
        };
        if let Some((width, height)) = content.size {
            self.set_size(width, height);
        }
        if !content.has_slice {
            if self.pending_units + content.units > MAX_NAL_UNITS {
                clock.repairs.count(RepairKind::MessageMalformed);
                return;
            }
            clock.repairs.count(RepairKind::MessageWithoutFrame);
            // An end of sequence alone would come before the delimiter of a picture it does not belong to.
            if content.has_companions {
                self.pending_units += content.units;
                self.pending.push(message.payload);
            }
            return;
        }
        let random_access = content.random_access || message.frame_type == FrameType::Key;
        if !content.starts_picture
            && self.pending.is_empty()
            && let Some(unit) = self.track.units.last_mut()
            && unit.config as usize + 1 == self.track.configs.len()
            && self.last_timestamp_ms == timestamp_ms
        {
            self.last_units += content.units;
            if self.last_units > MAX_NAL_UNITS {
                clock.repairs.count(RepairKind::MessageMalformed);
            } else {
                clock.repairs.count(RepairKind::PictureInPieces);
                unit.data.append(message.payload);
            }
            return;
        }
        self.last_units = std::mem::take(&mut self.pending_units) + content.units;
        let mut pieces = std::mem::take(&mut self.carried);
        if self.carried_for != self.track.configs.last().map(video_fingerprint) {
            pieces.clear();
        }
        pieces.append(&mut self.pending);
        let data = if pieces.is_empty() {
            Data::Whole(message.payload)
        } else {
            pieces.push(message.payload);
            Data::Pieces(pieces)
        };
        self.add(timestamp_ms, message, random_access, data, clock);
    }

    fn push_mpeg4(&mut self, timestamp_ms: u32, message: &VideoTagHeader<'a>, clock: &mut Clock<'_, 'a>) {
        let framing = Framing::of(message.payload, self.mpeg4_framing);
        self.mpeg4_framing = framing.or(self.mpeg4_framing);
        let data = match framing {
            None => {
                clock.repairs.count(RepairKind::MessageMalformed);
                return;
            }
            Some(Framing::StartCodes) => Data::Whole(message.payload),
            Some(Framing::Lengths) => {
                let parts = mpeg4::split_lengths(message.payload).unwrap_or_default();
                Data::Pieces(parts.into_iter().flat_map(|part| [mpeg4::START_CODE_PREFIX, part]).collect())
            }
        };
        let layer = match &data {
            Data::Whole(frame) => VideoObjectLayer::find(frame).ok().flatten(),
            Data::Pieces(pieces) => {
                let layer =
                    pieces.iter().find(|part| mpeg4::is_video_object_layer(part[0]) && part.len() > 3);
                layer.and_then(|layer| VideoObjectLayer::parse(&layer[1..]).ok())
            }
        };
        if let Some(layer) = layer {
            self.set_size(layer.width, layer.height);
            self.has_mpeg4_headers = true;
        }
        if !self.has_mpeg4_headers {
            clock.repairs.count(RepairKind::SequenceHeaderMissing);
            return;
        }
        let random_access = message.frame_type == FrameType::Key;
        self.add(timestamp_ms, message, random_access, data, clock);
    }

    fn add(
        &mut self,
        timestamp_ms: u32,
        message: &VideoTagHeader<'a>,
        random_access: bool,
        data: Data<'a>,
        clock: &mut Clock<'_, 'a>,
    ) {
        let (dts_90khz, pts_90khz) = clock.video(timestamp_ms, message.composition_time_ms, random_access);
        let config = self.track.configs.len() as u32 - 1;
        self.last_timestamp_ms = timestamp_ms;
        self.track.units.push(AccessUnit { dts_90khz, pts_90khz, random_access, config, data });
    }
}

/// Length size, width and height of a configuration record, or `None` when it cannot be used.
///
/// A picture size that cannot be read does not keep a stream from being recorded.
fn read_record(codec: VideoCodec, record: &[u8]) -> Option<(u8, u32, u32)> {
    let (length_size, nal_codec, sps) = match codec {
        VideoCodec::H264 => {
            let record = AvcDecoderConfigurationRecord::parse(record).ok()?;
            let _ = record.pps.first()?;
            (record.length_size, NalCodec::H264, *record.sps.first()?)
        }
        VideoCodec::Hevc => {
            let record = HevcDecoderConfigurationRecord::parse(record).ok()?;
            let find = |kind| {
                record.units.iter().find(|unit| NalCodec::Hevc.role(unit) == UnitRole::ParameterSet(kind))
            };
            let _ = (find(SetKind::Vps)?, find(SetKind::Pps)?);
            (record.length_size, NalCodec::Hevc, *find(SetKind::Sps)?)
        }
        VideoCodec::Mpeg4 => {
            let layer = VideoObjectLayer::find(record).ok()?;
            let (width, height) = layer.map_or((0, 0), |layer| (layer.width, layer.height));
            return Some((4, width, height));
        }
    };
    let (width, height) = nal_codec.picture_size(sps).unwrap_or_default();
    Some((length_size, width, height))
}
