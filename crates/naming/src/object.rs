//! An object's name, as it is made of a template.

use crate::{Error, Kind, MAX_OBJECT_NAME_BYTES, Template, Values, check_object_name, tag};

/// What an object of a recording is called.
#[derive(Clone, Copy, Debug)]
pub struct ObjectName<'a> {
    /// What the template names.
    pub kind: Kind,
    /// The template, as the rule or the request says it.
    pub template: &'a str,
    /// What its variables stand for.
    pub values: Values<'a>,
    /// With its dot; empty where the template itself says it.
    pub extension: &'a str,
}

impl ObjectName<'_> {
    /// The name.
    ///
    /// # Errors
    /// A template that [`Template::parse`] refuses, or a name that [`Template::object_name`] does.
    pub fn build(&self) -> Result<String, Error> {
        self.build_with("")
    }

    /// The name for what has found as many of its names to hold another writer's object: from the first one on, what
    /// is the tag's own goes before the extension.
    ///
    /// A record file's name that would be longer than [`MAX_OBJECT_NAME_BYTES`] is cut, and what is the tag's own goes
    /// behind the cut: the file's media has been acknowledged, so it is too late to refuse the name.
    ///
    /// # Errors
    /// As [`build`](Self::build); the name of a record file is not too long.
    pub fn build_for(&self, tag: &str, names_taken: u32) -> Result<String, Error> {
        let built = match names_taken {
            0 => self.build_with(""),
            taken => self.build_with(&tag::own_ending(tag, taken)),
        };
        match built {
            Err(Error::NameTooLong { .. }) if self.kind == Kind::RecordFile => {
                self.cut(&tag::own_ending(tag, names_taken + 1))
            }
            built => built,
        }
    }

    fn cut(&self, suffix: &str) -> Result<String, Error> {
        let whole = Template::parse(self.template, self.kind)?.expand(&self.values);
        let room = MAX_OBJECT_NAME_BYTES.saturating_sub(suffix.len() + self.extension.len());
        let name = format!("{}{suffix}{}", &whole[..whole.floor_char_boundary(room)], self.extension);
        check_object_name(&name)?;
        Ok(name)
    }

    fn build_with(&self, suffix: &str) -> Result<String, Error> {
        let template = Template::parse(self.template, self.kind)?;
        template.object_name(&self.values, &format!("{suffix}{}", self.extension))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Timezone;

    #[test]
    fn what_finds_its_name_taken_goes_by_its_tag() {
        let name = ObjectName {
            kind: Kind::RecordFile,
            template: "record/{AppName}/{StreamName}/{Sequence}_{EscapedStartTime}_{EscapedEndTime}",
            values: Values {
                app: "live",
                stream: "直播",
                sequence: 3,
                start_ms: 1_488_985_786_999,
                end_ms: 1_488_985_840_000,
                timezone: Timezone::default(),
            },
            extension: ".m3u8",
        };
        let begin = "record/live/直播/3_2017-03-08-23-09-46_2017-03-08-23-10-40";
        assert_eq!(name.build().unwrap(), format!("{begin}.m3u8"));
        // The hash is computed apart from this code with Python's hashlib.
        for (names_taken, end) in [(0, ".m3u8"), (1, "-4ad13f6a.m3u8"), (2, "-4ad13f6a-2.m3u8")] {
            let built = name.build_for("x/m3u8/3", names_taken).unwrap();
            assert_eq!(built, format!("{begin}{end}"));
            assert_eq!(tag::is_own(&built, "x/m3u8/3"), names_taken > 0, "{built}");
            assert!(!tag::is_own(&built, "x/m3u8/4"), "{built}");
        }
    }

    #[test]
    fn the_name_of_a_record_file_that_would_be_too_long_is_cut_and_its_own() {
        let stream = "直".repeat(85);
        let values = Values {
            app: "live",
            stream: &stream,
            sequence: 3,
            start_ms: 1_488_985_786_999,
            end_ms: 1_488_985_840_000,
            timezone: Timezone::default(),
        };
        let long = "{StreamName}/".repeat(4) + "{StartTime}_{EndTime}";
        for filler in 1..7 {
            let template = "x".repeat(filler) + "/" + &long;
            let kind = Kind::RecordFile;
            let name = ObjectName { kind, template: &template, values, extension: ".mp4" };
            let names = [0, 1, 2].map(|taken| name.build_for("s/mp4/3", taken).unwrap());
            for name in &names {
                assert!((1_021..=1_023).contains(&name.len()), "{} bytes", name.len());
                assert!(name.starts_with(&format!("{}/{stream}/", "x".repeat(filler))), "{name}");
                assert!(tag::is_own(name, "s/mp4/3") && !tag::is_own(name, "s/mp4/4"), "{name}");
            }
            assert!(names[0] != names[1] && names[1] != names[2]);
        }
        // A slice is refused before it is acknowledged, and its name is read backwards.
        let template = "{StreamName}/".repeat(4) + "{UnixTimestamp}_{Sequence}";
        let name = ObjectName { kind: Kind::Slice, template: &template, values, extension: ".ts" };
        assert!(matches!(name.build_for("s/3", 0), Err(Error::NameTooLong { .. })));
    }

    #[test]
    fn a_template_of_another_kind_is_refused() {
        let values =
            Values { app: "live", stream: "s", sequence: 0, start_ms: 0, end_ms: 0, timezone: Timezone::UTC };
        let template = crate::DEFAULT_RECORD_FILE;
        let name = ObjectName { kind: Kind::Slice, template, values, extension: ".ts" };
        assert!(matches!(name.build(), Err(Error::UnknownVariable { .. })));
    }
}
