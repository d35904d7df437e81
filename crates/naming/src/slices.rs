//! Names of slices, read backwards: where those of a stream lie in a bucket, and which slice a name may be of.

use crate::template::{Part, Template, Variable};
use crate::{Error, Kind, Timezone, Values};

/// Extension of slices.
const EXTENSION: &str = ".ts";

/// Digits of a time in Unix seconds, from the year 2001 to 2286.
const TIMESTAMP_DIGITS: usize = 10;

/// The names of a stream's slices under a template.
#[derive(Clone, Debug)]
pub struct SliceNames<'a> {
    template: Template,
    app: &'a str,
    stream: &'a str,
    timezone: Timezone,
}

/// What the name of a slice says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct NamedSlice {
    /// Its number in its session.
    pub sequence: u64,
    /// When it begins, Unix seconds.
    pub start_s: u64,
}

/// Where the names begin of the slices from a moment on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NamesFrom {
    /// All names of the stream's slices begin so.
    pub prefix: String,
    /// Those of the moment and later come after this in the order of their bytes.
    pub after: String,
    /// The names are in the order of time, to the second.
    pub is_ordered: bool,
}

/// How much of a time a name has said.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Said {
    Nothing,
    Day,
    Hour,
    Minute,
    Second,
}

impl<'a> SliceNames<'a> {
    /// Those of a stream.
    ///
    /// # Errors
    /// As [`Template::parse`].
    pub fn new(template: &str, app: &'a str, stream: &'a str, timezone: Timezone) -> Result<Self, Error> {
        Ok(Self { template: Template::parse(template, Kind::Slice)?, app, stream, timezone })
    }

    /// Where the names begin of the slices that begin at a moment or later, Unix milliseconds.
    #[must_use]
    pub fn from(&self, start_ms: u64) -> NamesFrom {
        let values = Values {
            app: self.app,
            stream: self.stream,
            sequence: 0,
            start_ms,
            end_ms: start_ms,
            timezone: self.timezone,
        };
        let (mut prefix, mut after, mut said) = (String::new(), String::new(), Said::Nothing);
        for part in &self.template.parts {
            let Some(then) = said_after(said, part) else { break };
            let text = part.expand(&values);
            if then == Said::Nothing {
                prefix += &text;
            }
            after += &text;
            said = then;
        }
        NamesFrom { prefix, after, is_ordered: said == Said::Second }
    }

    /// Which slice a name is of, if it may be one's. What a name ends in that has given way to another writer's is passed
    /// over.
    #[must_use]
    pub fn read(&self, name: &str) -> Option<NamedSlice> {
        let stem = name.strip_suffix(EXTENSION)?;
        let own = without_ending(stem);
        let numbered = stem.rsplit_once('-').and_then(|(stem, _)| without_ending(stem));
        std::iter::once(stem).chain(own).chain(numbered).find_map(|stem| self.read_stem(stem))
    }

    fn read_stem(&self, stem: &str) -> Option<NamedSlice> {
        let parts = &self.template.parts;
        let is_sequence = |part: &&Part| matches!(part, Part::Variable(Variable::Sequence));
        // Only the number has no width of its own.
        let sequences = parts.iter().filter(is_sequence).count();
        let fixed: usize = parts.iter().map(|part| self.width(part)).sum();
        let digits = stem.len().checked_sub(fixed)?;
        let width = digits.checked_div(sequences).filter(|width| width * sequences == digits)?;
        let (mut rest, mut sequence, mut start_s) = (stem, None, None);
        for part in parts {
            let is_number = is_sequence(&part);
            let (text, after) = rest.split_at_checked(if is_number { width } else { self.width(part) })?;
            rest = after;
            match part {
                Part::Literal(literal) if text != literal => return None,
                Part::Variable(Variable::AppName) if text != self.app => return None,
                Part::Variable(Variable::StreamName) if text != self.stream => return None,
                Part::Variable(Variable::Sequence) => sequence = Some(number(text)?),
                Part::Variable(Variable::UnixTimestamp) => start_s = Some(number(text)?),
                _ => {}
            }
        }
        Some(NamedSlice { sequence: sequence?, start_s: start_s? })
    }

    /// How many bytes a part takes; those of the number are not counted.
    fn width(&self, part: &Part) -> usize {
        match part {
            Part::Literal(text) => text.len(),
            Part::Variable(variable) => match variable {
                Variable::AppName => self.app.len(),
                Variable::StreamName => self.stream.len(),
                Variable::UnixTimestamp | Variable::Date => TIMESTAMP_DIGITS,
                Variable::Hour | Variable::Minute | Variable::Second => 2,
                // A slice has no others.
                _ => 0,
            },
        }
    }
}

/// How much of a time a name has said after a part, as long as names are in the order of what they have said.
fn said_after(said: Said, part: &Part) -> Option<Said> {
    let Part::Variable(variable) = part else { return Some(said) };
    let (before, then) = match variable {
        Variable::AppName | Variable::StreamName => return Some(said),
        Variable::UnixTimestamp => return Some(Said::Second),
        Variable::Date => (Said::Nothing, Said::Day),
        Variable::Hour => (Said::Day, Said::Hour),
        Variable::Minute => (Said::Hour, Said::Minute),
        Variable::Second => (Said::Minute, Said::Second),
        _ => return None,
    };
    (said >= before).then_some(said.max(then))
}

/// A stem without the hash that it ends in.
fn without_ending(stem: &str) -> Option<&str> {
    let (stem, hash) = stem.rsplit_once('-')?;
    let is_hash = hash.len() == 8 && hash.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    is_hash.then_some(stem)
}

/// A number as names have it: of digits, without any in front that say nothing.
fn number(text: &str) -> Option<u64> {
    let is_plain = text == "0" || !text.starts_with('0');
    (is_plain && text.bytes().all(|byte| byte.is_ascii_digit())).then(|| text.parse().ok())?
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{ObjectName, tag};

    const START_MS: u64 = 1_767_323_045_250;

    fn names(template: &str) -> SliceNames<'static> {
        SliceNames::new(template, "live", "直播", Timezone::default()).unwrap()
    }

    fn name(template: &str, sequence: u64, start_ms: u64, names_taken: u32) -> String {
        let timezone = Timezone::default();
        let values = Values { app: "live", stream: "直播", sequence, start_ms, end_ms: start_ms, timezone };
        let name = ObjectName { kind: Kind::Slice, template, values, extension: ".ts" };
        name.build_for(&tag::slice("s", sequence), names_taken).unwrap()
    }

    #[test]
    fn every_name_is_read_back() {
        for template in [
            crate::DEFAULT_SLICE,
            "{Sequence}{UnixTimestamp}",
            "{UnixTimestamp}{Sequence}",
            "a/{Sequence}/{Date}-{Hour}/{StreamName}-{UnixTimestamp}-{Sequence}",
            "{AppName}/{Date}/{Hour}{Minute}{Second}/{UnixTimestamp}-{Sequence}-x",
        ] {
            for (sequence, names_taken) in [(0, 0), (7, 1), (10, 2), (12_345_678, 0), (1_500_000, 12)] {
                let name = name(template, sequence, START_MS, names_taken);
                let said = NamedSlice { sequence, start_s: START_MS / 1_000 };
                assert_eq!(names(template).read(&name), Some(said), "{name}");
                for other in
                    [&name[1..], &name[..name.len() - 1], &format!("{name}x"), &name.replace("17", "1x")]
                {
                    assert_ne!(names(template).read(other), Some(said), "{other}");
                }
            }
        }
        for other in ["", ".ts", "record/live/直播/1767323045_01.ts", "record/live/直/1767323045_1.ts"] {
            assert_eq!(names(crate::DEFAULT_SLICE).read(other), None, "{other}");
        }
        // Of another folder, application or stream, though the names are as long.
        for other in ["recorx/live/直播", "record/livx/直播", "record/live/直捕", "record/live_直播"]
        {
            let name = format!("{other}/1767323045_1.ts");
            assert_eq!(names(crate::DEFAULT_SLICE).read(&name), None, "{name}");
        }
        // What ends in no hash of a tag is no name of this recorder.
        for ending in ["ab", "0123456", "012345678", "notahash", "0123456Z", "ABCDEF01", ""] {
            let other = format!("record/live/直播/1767323045_1-{ending}.ts");
            assert_eq!(names(crate::DEFAULT_SLICE).read(&other), None, "{other}");
        }
    }

    #[test]
    fn names_from_a_moment_on_come_after_it() {
        for (template, prefix, after, is_ordered) in [
            (crate::DEFAULT_SLICE, "record/live/直播/", "record/live/直播/1767323045_", true),
            ("{Date}/{Hour}/{Sequence}_{UnixTimestamp}", "", "2026-01-02/11/", false),
            ("x/{Date}{Hour}{Minute}{Second}{Sequence}{UnixTimestamp}", "x/", "x/2026-01-02110405", true),
            ("{Hour}/{UnixTimestamp}_{Sequence}", "", "", false),
            ("{StreamName}/{Sequence}_{UnixTimestamp}", "直播/", "直播/", false),
        ] {
            let from = names(template).from(START_MS);
            assert_eq!((&*from.prefix, &*from.after, from.is_ordered), (prefix, after, is_ordered));
            for later_ms in [0, 1, 1_000, 59_000, 3_600_000, 86_400_000, 40 * 86_400_000] {
                let name = name(template, 9, START_MS + later_ms, 0);
                assert!(name.starts_with(&from.prefix) && name > from.after, "{name}");
            }
        }
    }

    #[test]
    fn bytes_that_are_no_name_never_panic() {
        let names = names("{StreamName}{UnixTimestamp}{Sequence}");
        let good = name("{StreamName}{UnixTimestamp}{Sequence}", 3, START_MS, 0);
        for end in 0..good.len() {
            if let Some(cut) = good.get(..end) {
                let _ = names.read(cut);
                let _ = names.read(&format!("{cut}é.ts"));
            }
        }
    }
}
