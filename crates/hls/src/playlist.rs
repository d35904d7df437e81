//! The playlist itself.

use std::fmt;

use chrono::{DateTime, SecondsFormat};

/// A media segment (RFC 8216 §3).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Segment {
    /// Where it is: a URI reference, percent-encoded; see [`relative_uri`](crate::relative_uri).
    pub uri: String,
    /// Unit: 1/90 000 s.
    pub duration_90khz: u64,
    /// Timestamps or tracks do not continue those of the segment before (RFC 8216 §4.3.2.3).
    pub discontinuity: bool,
    /// It can be decoded without the segments before it.
    pub independent: bool,
    /// Wall-clock time of its first sample, Unix milliseconds (RFC 8216 §4.3.2.6).
    pub program_date_time_ms: Option<u64>,
}

/// The playlist of a finished recording.
///
/// `Display` writes it: type VOD, media sequence 0, `EXT-X-ENDLIST`, version 3 for decimal durations
/// (RFC 8216 §7). Durations are written in milliseconds such that their sum is the true one to the millisecond,
/// however many they are. None passes the target duration once rounded to seconds (§4.3.3.1).
/// `EXT-X-INDEPENDENT-SEGMENTS` is written where it is true of every segment (§4.3.5.1), and the date of a
/// segment at the begin and after each discontinuity.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MediaPlaylist {
    /// In order.
    pub segments: Vec<Segment>,
}

impl MediaPlaylist {
    /// The target duration in seconds: at least 1, and at least each segment's duration rounded.
    #[must_use]
    pub fn target_duration_s(&self) -> u64 {
        let longest_ms = self.durations_ms().max().unwrap_or(0);
        longest_ms.saturating_add(500).div_euclid(1000).max(1)
    }

    /// How long each segment lasts: from its begin to its end since the first one's begin, both in whole
    /// milliseconds.
    fn durations_ms(&self) -> impl Iterator<Item = u64> {
        let mut end_90khz: u64 = 0;
        let mut end_ms = 0;
        self.segments.iter().map(move |segment| {
            let begin_ms = end_ms;
            end_90khz = end_90khz.saturating_add(segment.duration_90khz);
            end_ms = crate::milliseconds(end_90khz);
            end_ms - begin_ms
        })
    }
}

impl fmt::Display for MediaPlaylist {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "#EXTM3U")?;
        writeln!(f, "#EXT-X-VERSION:3")?;
        writeln!(f, "#EXT-X-TARGETDURATION:{}", self.target_duration_s())?;
        writeln!(f, "#EXT-X-MEDIA-SEQUENCE:0")?;
        writeln!(f, "#EXT-X-PLAYLIST-TYPE:VOD")?;
        if self.segments.iter().all(|segment| segment.independent) {
            writeln!(f, "#EXT-X-INDEPENDENT-SEGMENTS")?;
        }
        for (index, (segment, duration_ms)) in self.segments.iter().zip(self.durations_ms()).enumerate() {
            if segment.discontinuity && index > 0 {
                writeln!(f, "#EXT-X-DISCONTINUITY")?;
            }
            if (segment.discontinuity || index == 0)
                && let Some(date) = segment.program_date_time_ms.and_then(date)
            {
                writeln!(f, "#EXT-X-PROGRAM-DATE-TIME:{date}")?;
            }
            writeln!(f, "#EXTINF:{}.{:03},", duration_ms / 1000, duration_ms % 1000)?;
            writeln!(f, "{}", segment.uri)?;
        }
        writeln!(f, "#EXT-X-ENDLIST")
    }
}

fn date(unix_ms: u64) -> Option<String> {
    let time = DateTime::from_timestamp_millis(i64::try_from(unix_ms).ok()?)?;
    Some(time.to_rfc3339_opts(SecondsFormat::Millis, true))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn segment(uri: &str, duration_90khz: u64, discontinuity: bool, at: u64) -> Segment {
        Segment {
            uri: uri.into(),
            duration_90khz,
            discontinuity,
            independent: true,
            program_date_time_ms: Some(at),
        }
    }

    #[test]
    fn a_recording_with_a_break_is_written_in_full() {
        let playlist = MediaPlaylist {
            segments: vec![
                segment("a.ts", 540_000, true, 1_700_000_000_000),
                segment("b.ts", 495_045, false, 1_700_000_006_000),
                segment("c.ts", 90, true, 1_700_000_100_250),
            ],
        };
        let expected = "#EXTM3U\n\
            #EXT-X-VERSION:3\n\
            #EXT-X-TARGETDURATION:6\n\
            #EXT-X-MEDIA-SEQUENCE:0\n\
            #EXT-X-PLAYLIST-TYPE:VOD\n\
            #EXT-X-INDEPENDENT-SEGMENTS\n\
            #EXT-X-PROGRAM-DATE-TIME:2023-11-14T22:13:20.000Z\n\
            #EXTINF:6.000,\na.ts\n\
            #EXTINF:5.500,\nb.ts\n\
            #EXT-X-DISCONTINUITY\n\
            #EXT-X-PROGRAM-DATE-TIME:2023-11-14T22:15:00.250Z\n\
            #EXTINF:0.001,\nc.ts\n\
            #EXT-X-ENDLIST\n";
        assert_eq!(playlist.to_string(), expected);
    }

    #[test]
    fn no_rounded_duration_passes_the_target_duration() {
        for (ticks, target) in
            [(0, 1), (90_000, 1), (134_999, 1), (135_000, 2), (u64::MAX, u64::MAX / 90_000)]
        {
            let playlist = MediaPlaylist { segments: vec![segment("a.ts", ticks, false, 0)] };
            assert_eq!(playlist.target_duration_s(), target, "{ticks}");
        }
    }

    /// 1,024 frames of 48 kHz sound last 1,920 ticks, or 21.33 ms.
    #[test]
    fn durations_add_up_to_the_millisecond() {
        let segments = vec![segment("a.ts", 1_920, false, 0); 3_000];
        let playlist = MediaPlaylist { segments }.to_string();
        let durations = playlist.lines().filter_map(|line| line.strip_prefix("#EXTINF:"));
        let total_ms: u64 = durations.map(|text| text.replace(['.', ','], "").parse::<u64>().unwrap()).sum();
        assert_eq!(total_ms, 64_000);
        assert!(playlist.contains("#EXTINF:0.021,\n") && playlist.contains("#EXTINF:0.022,\n"));
    }

    #[test]
    fn a_segment_that_needs_another_is_not_called_independent() {
        let mut playlist = MediaPlaylist { segments: vec![segment("a.ts", 1, false, 0)] };
        playlist.segments[0].independent = false;
        assert!(!playlist.to_string().contains("INDEPENDENT"));
    }
}
