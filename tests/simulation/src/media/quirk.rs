//! Habits of encoders, which a recorder has to see through.

/// What an encoder does unlike others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Quirk {
    /// NAL units stand behind start codes, though their configuration speaks of lengths.
    StartCodes,
    /// The configuration has no parameter sets: keyframes have them.
    SetsInStream,
    /// Two bytes stand behind the last NAL unit.
    StrayBytes,
    /// Empty configurations come before later keyframes.
    EmptyHeaders,
    /// Frames of AAC have headers of their own, and no configuration comes.
    Adts,
}

impl Quirk {
    const ALL: [Self; 5] =
        [Self::StartCodes, Self::SetsInStream, Self::StrayBytes, Self::EmptyHeaders, Self::Adts];

    /// What some bits say.
    pub(super) fn of(bits: u32) -> Self {
        Self::ALL[bits as usize % Self::ALL.len()]
    }

    /// What it is.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::StartCodes => "NAL units behind start codes",
            Self::SetsInStream => "parameter sets in the stream alone",
            Self::StrayBytes => "bytes behind the last NAL unit",
            Self::EmptyHeaders => "empty configurations",
            Self::Adts => "sound with ADTS headers",
        }
    }
}
