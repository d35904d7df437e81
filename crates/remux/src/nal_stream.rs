//! A video track of H.264 or HEVC: what a decoder has to know, wherever the push says it.

use codec::nal_video::{Framing, NalCodec, NalConfiguration, ParameterSets, SetChange, SetKind, UnitRole};
use media::{PictureSize, RepairKind, Repairs, VideoCodec, VideoConfig};

use crate::{
    content::Content,
    state::{VideoState, fingerprint, identity},
};

/// What a sequence header is to what was known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum HeaderUse {
    /// It cannot be used: what was known holds on.
    Refused,
    /// It says what was known.
    Repeated,
    /// It says something else.
    Changes,
}

/// What is known of a track of H.264 or HEVC.
///
/// Parameter sets are those of the last usable sequence header, and those that coded frames brought since in place of
/// them or beside them.
#[derive(Clone, Debug)]
pub(crate) struct NalStream<'a> {
    codec: NalCodec,
    sets: ParameterSets<'a>,
    /// Supplemental enhancement information of the sequence header.
    sei: Vec<&'a [u8]>,
    length_size: u8,
    /// How the last message was framed.
    framing: Framing,
    /// Fingerprint of the sequence header in use.
    header: Option<u64>,
    /// The sequence header has every set that a decoder needs.
    is_header_complete: bool,
    /// Fingerprint of the sets that the last change brought: what tells a change from none.
    identity: u64,
    size: Option<PictureSize>,
    /// The configuration last given out does not hold any more.
    is_new: bool,
    /// Sets have changed since, and the configuration holds all the same.
    sets_changed: bool,
}

impl<'a> NalStream<'a> {
    pub(crate) fn new(codec: NalCodec) -> Self {
        Self {
            codec,
            sets: ParameterSets::new(codec),
            sei: Vec::new(),
            length_size: 4,
            framing: Framing::Lengths(4),
            header: None,
            is_header_complete: false,
            identity: 0,
            size: None,
            is_new: true,
            sets_changed: false,
        }
    }

    /// Goes on where the chunk before ended.
    pub(crate) fn resume(codec: NalCodec, state: &VideoState<'a>) -> Self {
        let mut stream = Self::new(codec);
        for unit in &state.headers {
            match codec.role(unit) {
                UnitRole::ParameterSet(kind) => {
                    let _ = stream.sets.insert(kind, unit);
                }
                _ => stream.sei.push(unit),
            }
        }
        stream.length_size = state.length_size;
        stream.framing = Framing::Lengths(state.length_size);
        (stream.header, stream.identity) = (state.header, state.identity);
        stream.size = stream.read_size();
        stream
    }

    /// What the next chunk has to know.
    pub(crate) fn state(&self) -> VideoState<'a> {
        VideoState {
            codec: self.video_codec(),
            length_size: self.length_size,
            header: self.header,
            identity: self.identity,
            headers: self.headers(),
        }
    }

    pub(crate) fn codec(&self) -> NalCodec {
        self.codec
    }

    pub(crate) fn video_codec(&self) -> VideoCodec {
        match self.codec {
            NalCodec::H264 => VideoCodec::H264,
            NalCodec::Hevc => VideoCodec::Hevc,
        }
    }

    /// Takes a sequence header.
    pub(crate) fn configure(&mut self, record: &'a [u8], repairs: &mut Repairs) -> HeaderUse {
        let Some(configuration) = NalConfiguration::parse(self.codec, record) else {
            repairs.count(RepairKind::SequenceHeaderMalformed);
            return HeaderUse::Refused;
        };
        let units = configuration.sets.units().chain(configuration.sei.iter().copied());
        let header = fingerprint(units.flat_map(|unit| [&[0, 0, 1][..], unit]));
        let is_complete = configuration.is_complete();
        if self.header != Some(header) && !is_complete && self.is_complete() {
            repairs.count(RepairKind::SequenceHeaderIncomplete);
            return HeaderUse::Refused;
        }
        if self.length_size != configuration.length_size {
            self.length_size = configuration.length_size;
            self.framing = Framing::Lengths(configuration.length_size);
            self.is_new = true;
        }
        self.is_header_complete = configuration.sets.is_complete();
        let is_known = self.header == Some(header);
        if is_known && (self.is_complete() || !is_complete) {
            return HeaderUse::Repeated;
        }
        self.header = Some(header);
        // A header that says what coded frames have said before changes nothing.
        if self.sets != configuration.sets {
            (self.sets, self.sei) = (configuration.sets, configuration.sei);
            self.size = self.read_size();
            self.is_new = true;
            // Sets that were too long to be kept from chunk to chunk are no others.
            if !is_known {
                self.identity = header;
                return HeaderUse::Changes;
            }
        }
        HeaderUse::Repeated
    }

    /// Takes the parameter sets of a message.
    pub(crate) fn take_sets(&mut self, content: &Content<'a>) {
        self.framing = content.message.framing;
        if content.sets.is_empty() {
            return;
        }
        for unit in content.message.units() {
            let UnitRole::ParameterSet(kind) = self.codec.role(unit) else { continue };
            if self.sets.insert(kind, unit) == SetChange::Taken {
                self.sets_changed = true;
                let size = if kind == SetKind::Sps { self.read_size() } else { self.size };
                self.is_new |= size != self.size;
                self.size = size;
            }
        }
    }

    /// How the next message is framed, in all likelihood.
    pub(crate) fn framing(&self) -> Framing {
        self.framing
    }

    /// Bytes of the lengths before NAL units, as the sequence header says.
    pub(crate) fn length_size(&self) -> u8 {
        self.length_size
    }

    /// Every parameter set that a decoder needs has come.
    pub(crate) fn is_decodable(&self) -> bool {
        self.sets.is_complete()
    }

    fn is_complete(&self) -> bool {
        self.sets.is_complete() && self.size.is_some()
    }

    /// Whether a coded slice belongs to the picture of the one given first, which came in an earlier message.
    pub(crate) fn is_same_picture(&self, first: &[u8], slice: &[u8], are_close: bool) -> Option<bool> {
        let begins = self.codec.begins_picture(slice);
        match self.codec {
            NalCodec::Hevc => Some(!begins),
            NalCodec::H264 => {
                if !begins {
                    return self.sets.is_same_picture(first, slice);
                }
                // Slices in any order: the first one of the picture is not the first to come. Pictures that begin with
                // their first slice stay apart, for those of encoders that number them all the same look alike.
                let in_any_order = are_close
                    && !self.codec.begins_picture(first)
                    && self.sets.is_same_picture(first, slice) == Some(true);
                Some(in_any_order || self.sets.is_redundant_to(first, slice))
            }
        }
    }

    /// A new configuration for the next access unit, or `None` where the last one given out holds.
    ///
    /// `headers_due`: the access unit needs parameter sets before it that it does not bring.
    pub(crate) fn take_change(
        &mut self,
        headers_due: bool,
        repairs: &mut Repairs,
    ) -> Option<VideoConfig<'a>> {
        if !(self.is_new || headers_due && self.sets_changed) {
            return None;
        }
        (self.is_new, self.sets_changed) = (false, false);
        if !self.is_header_complete {
            repairs.count(RepairKind::ParameterSetsInStream);
        }
        Some(VideoConfig {
            codec: self.video_codec(),
            size: self.size,
            length_size: self.length_size,
            headers: self.headers(),
        })
    }

    /// Tells the configuration from others: sets that change with each keyframe are no other, unless the size changes.
    pub(crate) fn identity(&self) -> u64 {
        identity(self.video_codec(), self.identity, self.size)
    }

    fn headers(&self) -> Vec<&'a [u8]> {
        self.sets.units().chain(self.sei.iter().copied()).collect()
    }

    fn read_size(&self) -> Option<PictureSize> {
        self.sets.picture_size().map(|(width, height)| PictureSize { width, height })
    }
}
