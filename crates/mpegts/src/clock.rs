//! The stream's clock: where a session begins on it, and what of it is written.

/// The time on the stream's clock of the session's first access unit. Unit: 1/90 000 s.
///
/// Three seconds: room for a track that begins up to one second earlier, for decoding times moved up to one
/// second earlier by negative composition offsets, for [`PCR_LEAD_90KHZ`], and for [`MAX_LAG_90KHZ`].
pub const PTS_BASE_90KHZ: i64 = 3 * 90_000;

/// How far the program clock reference runs before decoding times, at least. Unit: 1/90 000 s.
///
/// An eighth of a second: longer than clock references are apart, so that a frame whose last byte comes with the
/// next one is there when it is decoded; and so short that audio waits in the small buffer that a decoder has
/// for it (13818-1 §2.4.2).
pub const PCR_LEAD_90KHZ: i64 = 11_250;

/// The longest lag of a track that the clock waits for. Unit: 1/90 000 s.
///
/// Three quarters of a second: with [`PCR_LEAD_90KHZ`], and as much time as passes between clock references, an
/// access unit stays in a decoder for a second at most (13818-1 §2.4.2).
pub const MAX_LAG_90KHZ: i64 = 67_500;

/// Reduces a time to the 33 bits that a stream carries.
pub(crate) fn wire_time(time_90khz: i64) -> u64 {
    time_90khz.cast_unsigned() & ((1 << 33) - 1)
}
