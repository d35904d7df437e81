//! What a record file is called, and what its playlist says.

use hls::{MediaPlaylist, Segment, relative_uri};
use naming::{Kind, ObjectName, Timezone, Values};

/// What a record file's name is made of.
pub struct Name<'a> {
    /// The rule's `OssObjectPrefix`.
    pub template: &'a str,
    /// Names of the stream.
    pub app: &'a str,
    pub stream: &'a str,
    /// The file's number.
    pub sequence: u64,
    /// Wall-clock time at its begin and end, Unix milliseconds.
    pub start_ms: u64,
    pub end_ms: u64,
    /// Zone of the calendar parts.
    pub timezone: Timezone,
    /// Id of the session that it begins in.
    pub session: &'a str,
}

impl Name<'_> {
    /// The object name; a file whose name somebody else has taken carries the id of its session.
    ///
    /// # Errors
    /// A template that is not one, or a name that would leave its prefix, as a sentence.
    pub fn object(&self, names_taken: u32) -> Result<String, String> {
        let values = Values {
            app: self.app,
            stream: self.stream,
            sequence: self.sequence,
            start_ms: self.start_ms,
            end_ms: self.end_ms,
            timezone: self.timezone,
        };
        let kind = Kind::RecordFile;
        let name = ObjectName { kind, template: self.template, values, extension: ".m3u8" };
        name.build_for(self.session, names_taken).map_err(|error| error.to_string())
    }
}

/// The id of a record file, in the form of a UUID: the session that it begins in, and its number.
pub fn id(session: &str, sequence: u64) -> String {
    let part = |from, to| session.get(from..to).unwrap_or("0000");
    format!("{}-{}-{}-{}-{sequence:012x}", part(0, 8), part(8, 12), part(12, 16), part(16, 20))
}

/// A slice as a playlist sees it.
pub struct Slice {
    pub object: String,
    pub start_ms: u64,
    pub duration_90khz: u64,
    pub independent: bool,
    /// It does not continue the slice before it.
    pub discontinuity: bool,
}

/// The playlist of a record file, as it stands under a name.
pub fn playlist(object: &str, slices: &[Slice]) -> MediaPlaylist {
    let segments = slices.iter().map(|slice| Segment {
        uri: relative_uri(object, &slice.object),
        duration_90khz: slice.duration_90khz,
        discontinuity: slice.discontinuity,
        independent: slice.independent,
        program_date_time_ms: Some(slice.start_ms),
    });
    MediaPlaylist { segments: segments.collect() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(names_taken: u32) -> String {
        Name {
            template: "record/{AppName}/{StreamName}/{Sequence}_{EscapedStartTime}_{EscapedEndTime}",
            app: "live",
            stream: "x",
            sequence: 3,
            start_ms: 1_488_985_786_000,
            end_ms: 1_488_985_840_000,
            timezone: "+08:00".parse().unwrap(),
            session: "0123456789abcdef",
        }
        .object(names_taken)
        .unwrap()
    }

    #[test]
    fn a_record_file_is_named_by_its_time_in_the_zone_given() {
        assert_eq!(name(0), "record/live/x/3_2017-03-08-23-09-46_2017-03-08-23-10-40.m3u8");
        assert_eq!(name(1), "record/live/x/3_2017-03-08-23-09-46_2017-03-08-23-10-40-01234567.m3u8");
    }

    #[test]
    fn a_record_file_has_one_id() {
        assert_eq!(id("0123456789abcdef0123456789abcdef", 26), "01234567-89ab-cdef-0123-00000000001a");
    }

    #[test]
    fn segments_are_named_from_where_the_playlist_stands() {
        let slice = Slice {
            object: "record/live/x/1488985786_0.ts".into(),
            start_ms: 1_488_985_786_000,
            duration_90khz: 90_000,
            independent: true,
            discontinuity: false,
        };
        assert_eq!(playlist("record/live/x/0.m3u8", &[slice]).segments[0].uri, "1488985786_0.ts");
    }
}
