//! What a video message of NAL units holds, as far as access units are told apart by it.

use codec::nal_video::{Framing, Message, NalCodec, SetKind, UnitRole};

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
        let message = Message::read(codec, payload, expected)?;
        let mut content = Self {
            message,
            units: 0,
            first_slice: None,
            is_entry: false,
            has_prefix: false,
            sets: SetKinds::default(),
        };
        for unit in message.units() {
            content.units += 1;
            if content.units > MAX_NAL_UNITS {
                return None;
            }
            match codec.role(unit) {
                UnitRole::CodedSlice => {
                    content.first_slice.get_or_insert(unit);
                }
                UnitRole::ParameterSet(kind) => {
                    content.has_prefix = true;
                    content.sets.add(kind);
                }
                UnitRole::Delimiter | UnitRole::Sei | UnitRole::Prefix => content.has_prefix = true,
                UnitRole::Suffix => {}
            }
            content.is_entry = content.is_entry || codec.is_entry(unit);
        }
        (content.units > 0).then_some(content)
    }
}
