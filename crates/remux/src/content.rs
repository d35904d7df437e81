//! What a video message of NAL units holds, as far as access units are told apart by it.

use codec::{
    nal::NalUnits,
    nal_video::{Framing, Message, NalCodec, SetKind, UnitRole},
};

/// NAL units of an access unit. No encoder comes near; a chunk of empty ones would be costly to hold.
pub(crate) const MAX_NAL_UNITS: usize = 8_192;

/// What one message of NAL units holds.
#[derive(Clone, Debug)]
pub(crate) struct Content<'a> {
    pub(crate) message: Message<'a>,
    /// NAL units, 1 to [`MAX_NAL_UNITS`].
    pub(crate) units: usize,
    pub(crate) first_slice: Option<&'a [u8]>,
    /// A coded slice of a picture that decoding can begin with, or a recovery point.
    pub(crate) is_entry: bool,
    /// A NAL unit that begins an access unit or stands before its first coded slice.
    pub(crate) has_prefix: bool,
    /// The kinds of parameter set among them.
    pub(crate) sets: SetKinds,
}

/// Kinds of parameter set, as bits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct SetKinds(u8);

impl SetKinds {
    pub(crate) fn add(&mut self, kind: SetKind) {
        self.0 |= 1 << kind as u8;
    }

    pub(crate) fn is_empty(self) -> bool {
        self.0 == 0
    }

    pub(crate) fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Whether these are all that a decoder needs.
    pub(crate) fn is_complete(self, codec: NalCodec) -> bool {
        codec.needed_sets().iter().all(|&kind| self.0 & 1 << kind as u8 != 0)
    }
}

impl<'a> Content<'a> {
    /// What a message holds, or `None` when no framing explains it, or it holds nothing or too much.
    pub(crate) fn read(codec: NalCodec, payload: &'a [u8], expected: Framing) -> Option<Self> {
        if let Framing::Lengths(size) = expected
            && let Some(content) = Self::read_plain(codec, payload, size)
        {
            return Some(content);
        }
        let mut content = Self::new(Message::read(codec, payload, expected)?);
        for unit in content.message.units() {
            content.add(codec, unit);
            if content.units > MAX_NAL_UNITS {
                return None;
            }
        }
        (content.units > 0).then_some(content)
    }

    /// The same for nearly all messages, read once: they are framed as expected. `None` where this one may not be.
    fn read_plain(codec: NalCodec, payload: &'a [u8], length_size: u8) -> Option<Self> {
        let framing = Framing::Lengths(length_size);
        let mut content = Self::new(Message { framing, framed: payload, stray: &[] });
        for unit in NalUnits::new(payload, length_size) {
            let unit = unit.ok().filter(|unit| codec.is_plausible(unit))?;
            content.add(codec, unit);
        }
        (1..=MAX_NAL_UNITS).contains(&content.units).then_some(content)
    }

    fn new(message: Message<'a>) -> Self {
        let sets = SetKinds::default();
        Self { message, units: 0, first_slice: None, is_entry: false, has_prefix: false, sets }
    }

    fn add(&mut self, codec: NalCodec, unit: &'a [u8]) {
        self.units += 1;
        match codec.role(unit) {
            UnitRole::CodedSlice => {
                self.first_slice.get_or_insert(unit);
            }
            UnitRole::ParameterSet(kind) => {
                self.has_prefix = true;
                self.sets.add(kind);
            }
            UnitRole::Delimiter | UnitRole::Sei | UnitRole::Prefix => self.has_prefix = true,
            UnitRole::Suffix => {}
        }
        self.is_entry = self.is_entry || codec.is_entry(unit);
    }
}
