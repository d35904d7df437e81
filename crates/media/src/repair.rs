//! What a push did wrong and the recording sets right: named and counted.

use exposition::Label as _;

exposition::label! {
    /// A kind of repair. It is written the same in logs, in the header of an answer and in metrics.
    pub enum RepairKind as "kind" {
        /// The 32-bit millisecond timestamp passed its end and was continued.
        TimestampWrap = "timestamp-wrap",
        /// The track's clock stepped ahead, further than a pause explains; media goes on at its pace.
        TimestampJumpForward = "timestamp-jump-forward",
        /// The track's clock stepped back; media goes on at its pace.
        TimestampJumpBackward = "timestamp-jump-backward",
        /// A timestamp lay before what was already written; the frame follows closely after the one before it.
        TimestampStepBackward = "timestamp-step-backward",
        /// One timestamp lay apart from those around it; the frame goes between its neighbours.
        TimestampOutlier = "timestamp-outlier",
        /// Two access units of a track had one timestamp; the second follows a frame after, or between its neighbours
        /// where the format does not say how long a frame lasts.
        TimestampEqual = "timestamp-equal",
        /// A picture was stamped with the time at which it is shown; its decoding time is made from those of others.
        PresentationTimestamp = "presentation-timestamp",
        /// A track began on a clock of its own; it begins beside the other track as they arrived.
        TrackClockAligned = "track-clock-aligned",
        /// A frame whose decoding time the clock had passed when the slice before ended: its track comes later than the
        /// slice before could tell, or than the clock waits for; kept in its place.
        TrackBehindClock = "track-behind-clock",
        /// Composition offsets below zero: decoding times are earlier by what they need.
        CompositionOffsetNegative = "composition-offset-negative",
        /// A composition offset that no reordering explains; the frame is shown when decoded or at the limit.
        CompositionOffsetOutOfRange = "composition-offset-out-of-range",
        /// A coded message before its sequence header; dropped.
        SequenceHeaderMissing = "sequence-header-missing",
        /// A sequence header that cannot be read; the one before stays in use.
        SequenceHeaderMalformed = "sequence-header-malformed",
        /// A sequence header without parameter sets that a decoder can begin with; those in use stay.
        SequenceHeaderIncomplete = "sequence-header-incomplete",
        /// No sequence header brought parameter sets; those that the coded frames bring are used.
        ParameterSetsInStream = "parameter-sets-in-stream",
        /// Parameter sets or the audio configuration changed.
        ConfigurationChanged = "configuration-changed",
        /// A message of delimiters, parameter sets or SEI alone; it belongs to the picture after it.
        MessageWithoutFrame = "message-without-frame",
        /// Messages without a frame at the end of a chunk were too long to be kept for the next one; dropped.
        LeadingUnitsLost = "leading-units-lost",
        /// Coded slices of one picture in several messages; joined.
        PictureInPieces = "picture-in-pieces",
        /// A message whose NAL units stand behind start codes in place of lengths.
        StartCodesForLengths = "start-codes-for-lengths",
        /// A message whose NAL units stand behind lengths of another size than the sequence header says.
        LengthSizeWrong = "length-size-wrong",
        /// Bytes after the last NAL unit of a message; left out.
        StrayBytes = "stray-bytes",
        /// A message of AAC whose frames stand behind ADTS headers of their own; these are taken off, unless several frames
        /// share one.
        AdtsHeader = "adts-header",
        /// An ADTS header says another configuration than the sequence header, or no sequence header came.
        ConfigurationFromAdts = "configuration-from-adts",
        /// An ADTS frame that ends before its header says; dropped.
        AdtsFrameCut = "adts-frame-cut",
        /// A message whose header, NAL unit lengths or frame header are wrong; dropped.
        MessageMalformed = "message-malformed",
    }
}

impl RepairKind {
    /// A stable name.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.as_str()
    }
}

/// How often each kind was applied.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Repairs {
    counts: [u32; RepairKind::ALL.len()],
}

impl Repairs {
    /// Counts one.
    pub fn count(&mut self, kind: RepairKind) {
        let count = &mut self.counts[kind as usize];
        *count = count.saturating_add(1);
    }

    /// The kinds applied at least once, in a fixed order.
    pub fn iter(&self) -> impl Iterator<Item = (RepairKind, u32)> {
        RepairKind::ALL.iter().map(|&kind| (kind, self.counts[kind as usize])).filter(|&(_, count)| count > 0)
    }

    /// How often `kind` was applied.
    #[must_use]
    pub fn of(&self, kind: RepairKind) -> u32 {
        self.counts[kind as usize]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn repairs_are_told_by_name_in_a_fixed_order() {
        let mut repairs = Repairs::default();
        for kind in [RepairKind::StrayBytes, RepairKind::TimestampWrap, RepairKind::StrayBytes] {
            repairs.count(kind);
        }
        let told: Vec<_> = repairs.iter().map(|(kind, count)| (kind.name(), count)).collect();
        assert_eq!(told, [("timestamp-wrap", 1), ("stray-bytes", 2)]);
    }
}
