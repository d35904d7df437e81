//! A record file's id, and what its playlist says.

use hls::{MediaPlaylist, Segment, relative_uri};
use shared::catalog::Entry;

/// The id of a record file, in the form of a UUID: the session that it begins in, and its number.
///
/// The first ten bytes are those of the session's id, the last six the number.
#[must_use]
pub fn id(session: &str, sequence: u64) -> String {
    let mut bytes = [0; 16];
    for (index, byte) in bytes[..10].iter_mut().enumerate() {
        let digits = session.get(2 * index..2 * index + 2).unwrap_or_default();
        *byte = u8::from_str_radix(digits, 16).unwrap_or(0);
    }
    bytes[10..].copy_from_slice(&sequence.to_be_bytes()[2..]);
    naming::uuid(bytes)
}

/// Lets the last slice of a file last until the file's end, so that all durations add up to the file's.
///
/// The list says how far the last slice's tracks reach, the file's record when the slice after it began.
pub fn fit(entries: &mut [Entry], duration_90khz: u64) {
    let Some((last, before)) = entries.split_last_mut() else { return };
    let before: u64 = before.iter().map(|entry| entry.slice.duration90khz).sum();
    last.slice.duration90khz = duration_90khz.saturating_sub(before);
}

/// The playlist of a record file, as it stands under a name.
#[must_use]
pub fn playlist(object: &str, entries: &[Entry]) -> MediaPlaylist {
    let segments = entries.iter().map(|Entry { slice, discontinuity }| Segment {
        uri: relative_uri(object, &slice.object),
        duration_90khz: slice.duration90khz,
        discontinuity: *discontinuity,
        independent: slice.independent,
        program_date_time_ms: Some(slice.start_ms),
    });
    MediaPlaylist { segments: segments.collect() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_file_has_one_id() {
        assert_eq!(id("0123456789abcdef0123456789abcdef", 26), "01234567-89ab-cdef-0123-00000000001a");
        assert_eq!(id("é", 1), "00000000-0000-0000-0000-000000000001");
    }
}
