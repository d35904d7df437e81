//! What a slice is called, and when it was.

use naming::{Kind, ObjectName, Timezone, Values};
use shared::catalog::Session;

/// Media type of a transport stream (RFC 3555 §4.2.6).
pub const CONTENT_TYPE: &str = "video/mp2t";

/// Ticks of the clock of slices in a millisecond.
const TICKS_PER_MS: u64 = 90;

/// What a slice of a session is called.
#[must_use]
pub fn name<'a>(
    session: &'a Session,
    template: &'a str,
    seq: u64,
    start_ms: u64,
    timezone: Timezone,
) -> ObjectName<'a> {
    let Session { stream, .. } = session;
    let values = Values {
        app: &stream.app,
        stream: &stream.stream,
        sequence: seq,
        start_ms,
        end_ms: start_ms,
        timezone,
    };
    ObjectName { kind: Kind::Slice, template, values, extension: ".ts" }
}

/// How much later than its media time says a chunk may reach the gateway before that counts as a gap in the
/// recording, in milliseconds. Lines stall for seconds; a recording that was stopped stays away for longer.
const GAP_MS: u64 = 10_000;

/// Wall-clock time of media time zero, Unix milliseconds, and whether it had to be moved.
///
/// `reached_ms` is when the chunk reached the gateway, `known_ms` the anchor so far, `media_90khz` where the chunk
/// begins in media time. The first chunk sets the anchor, by when it reached the gateway. It then stays, for the media clock is the better
/// one, until a chunk comes much later than its media time says: the push was not recorded in between, and
/// its media time does not count that.
#[must_use]
pub fn anchor(
    reached_ms: Option<u64>,
    known_ms: Option<u64>,
    began_ms: u64,
    media_90khz: u64,
) -> (u64, bool) {
    match (known_ms, reached_ms) {
        (None, reached_ms) => (reached_ms.unwrap_or(began_ms), false),
        (Some(known_ms), Some(reached_ms)) if reached_ms > wall_ms(known_ms, media_90khz) + GAP_MS => {
            (reached_ms - media_90khz / TICKS_PER_MS, true)
        }
        (Some(known_ms), _) => (known_ms, false),
    }
}

/// Wall-clock time of a moment of media time, Unix milliseconds.
#[must_use]
pub fn wall_ms(anchor_ms: u64, media_90khz: u64) -> u64 {
    anchor_ms.saturating_add(media_90khz / TICKS_PER_MS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_chunk_says_when_the_recording_began() {
        assert_eq!(anchor(None, None, 5, 0), (5, false));
        assert_eq!(anchor(Some(1_700_000_000_123), None, 5, 0), (1_700_000_000_123, false));
        assert_eq!(wall_ms(1_000, 90_000), 2_000);
    }

    #[test]
    fn a_gap_moves_the_clock_and_a_stall_does_not() {
        let minute = 60 * 1_000 * TICKS_PER_MS;
        let reached = |at_ms: u64| anchor(Some(at_ms), Some(100_000), 1, minute);
        assert_eq!(reached(160_000), (100_000, false));
        assert_eq!(reached(170_000), (100_000, false));
        assert_eq!(reached(110_000), (100_000, false));
        assert_eq!(reached(200_000), (140_000, true));
    }
}
