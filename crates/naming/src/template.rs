//! Parsing and expanding a template.

use std::fmt::Write as _;

use chrono::NaiveDateTime;

use crate::{Error, MAX_TEMPLATE_BYTES, Timezone, check_object_name};

/// Template of record files where a rule names none.
pub const DEFAULT_RECORD_FILE: &str =
    "record/{AppName}/{StreamName}/{Sequence}_{EscapedStartTime}_{EscapedEndTime}";

/// Template of slices where a rule names none.
pub const DEFAULT_SLICE: &str = "record/{AppName}/{StreamName}/{UnixTimestamp}_{Sequence}";

/// What a template names; decides which variables it may and must have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// An M3U8, MP4 or FLV record file (`OssObjectPrefix`), without extension.
    RecordFile,
    /// A transport stream slice (`SliceOssObjectPrefix`), without extension.
    Slice,
    /// An index file made on request (`OssObject`), extension included.
    IndexFile,
}

/// A variable of a template, as it is written between braces.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Variable {
    /// Name of the application.
    AppName,
    /// Name of the stream.
    StreamName,
    /// Running number.
    Sequence,
    /// Start in the layout `2006-01-02-15:04:05`.
    StartTime,
    /// End in the layout `2006-01-02-15:04:05`.
    EndTime,
    /// Start in the layout `2006-01-02-15-04-05`.
    EscapedStartTime,
    /// End in the layout `2006-01-02-15-04-05`.
    EscapedEndTime,
    /// Start in Unix seconds.
    UnixTimestamp,
    /// Day of the start in the layout `2006-01-02`.
    Date,
    /// Hour of the start, two digits.
    Hour,
    /// Minute of the start, two digits.
    Minute,
    /// Second of the start, two digits.
    Second,
}

impl Variable {
    fn from_name(name: &str) -> Option<Self> {
        Some(match name {
            "AppName" => Self::AppName,
            "StreamName" => Self::StreamName,
            "Sequence" => Self::Sequence,
            "StartTime" => Self::StartTime,
            "EndTime" => Self::EndTime,
            "EscapedStartTime" => Self::EscapedStartTime,
            "EscapedEndTime" => Self::EscapedEndTime,
            "UnixTimestamp" => Self::UnixTimestamp,
            "Date" => Self::Date,
            "Hour" => Self::Hour,
            "Minute" => Self::Minute,
            "Second" => Self::Second,
            _ => return None,
        })
    }

    fn belongs_to(self, kind: Kind) -> bool {
        match self {
            Self::AppName | Self::StreamName | Self::Date | Self::Hour | Self::Minute | Self::Second => true,
            Self::Sequence => kind != Kind::IndexFile,
            Self::StartTime | Self::EndTime | Self::EscapedStartTime | Self::EscapedEndTime => {
                kind == Kind::RecordFile
            }
            Self::UnixTimestamp => kind == Kind::Slice,
        }
    }
}

/// What the variables of a template stand for.
#[derive(Clone, Copy, Debug)]
pub struct Values<'a> {
    /// Name of the application.
    pub app: &'a str,
    /// Name of the stream.
    pub stream: &'a str,
    /// Running number of the slice or record file.
    pub sequence: u64,
    /// Start, Unix milliseconds.
    pub start_ms: u64,
    /// End, Unix milliseconds.
    pub end_ms: u64,
    /// The zone that times are written in.
    pub timezone: Timezone,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    Literal(String),
    Variable(Variable),
}

impl Part {
    /// What it stands for.
    pub(crate) fn expand(&self, values: &Values<'_>) -> String {
        let (start, end) = (values.timezone.local(values.start_ms), values.timezone.local(values.end_ms));
        let mut text = String::new();
        match self {
            Self::Literal(literal) => text.push_str(literal),
            Self::Variable(variable) => expand(*variable, values, start, end, &mut text),
        }
        text
    }
}

/// A checked template.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Template {
    pub(crate) parts: Vec<Part>,
}

impl Template {
    /// Checks a template.
    ///
    /// # Errors
    /// The first rule of its kind that the text breaks; also where the text itself, whatever its variables
    /// stand for, would make a name that [`check_object_name`] refuses.
    pub fn parse(text: &str, kind: Kind) -> Result<Self, Error> {
        if text.is_empty() {
            return Err(Error::Empty);
        }
        if text.len() > MAX_TEMPLATE_BYTES {
            return Err(Error::TemplateTooLong { bytes: text.len() });
        }
        let template = Self { parts: parts(text, kind)? };
        template.check_required(kind)?;
        // A variable never expands to nothing, so a name that is bad with these plain values is bad with any.
        let plain = Values {
            app: "a",
            stream: "s",
            sequence: 0,
            start_ms: 0,
            end_ms: 0,
            timezone: Timezone::default(),
        };
        check_object_name(&template.expand(&plain))?;
        Ok(template)
    }

    fn check_required(&self, kind: Kind) -> Result<(), Error> {
        let has = |variable| self.parts.contains(&Part::Variable(variable));
        let require = |there: bool, variable| there.then_some(()).ok_or(Error::MissingVariable { variable });
        match kind {
            Kind::RecordFile => {
                require(
                    has(Variable::StartTime) || has(Variable::EscapedStartTime),
                    "{StartTime} or {EscapedStartTime}",
                )?;
                require(
                    has(Variable::EndTime) || has(Variable::EscapedEndTime),
                    "{EndTime} or {EscapedEndTime}",
                )
            }
            Kind::Slice => {
                require(has(Variable::UnixTimestamp), "{UnixTimestamp}")?;
                require(has(Variable::Sequence), "{Sequence}")
            }
            Kind::IndexFile => Ok(()),
        }
    }

    /// Puts values in, without any check of the outcome: see [`Template::object_name`].
    #[must_use]
    pub fn expand(&self, values: &Values<'_>) -> String {
        let start = values.timezone.local(values.start_ms);
        let end = values.timezone.local(values.end_ms);
        let mut name = String::new();
        for part in &self.parts {
            match part {
                Part::Literal(text) => name.push_str(text),
                Part::Variable(variable) => expand(*variable, values, start, end, &mut name),
            }
        }
        name
    }

    /// Puts values in, appends an extension, and checks that the name stays where the template puts it.
    ///
    /// # Errors
    /// A name of a stream that holds `/` or of either that holds `\`, or an outcome that [`check_object_name`]
    /// refuses. An application of several levels, such as `live/room`, makes a folder of each.
    pub fn object_name(&self, values: &Values<'_>, extension: &str) -> Result<String, Error> {
        for (name, separators) in [(values.app, &['\\'][..]), (values.stream, &['/', '\\'])] {
            if name.contains(separators) {
                return Err(Error::Separator { name: name.into() });
            }
        }
        let name = self.expand(values) + extension;
        check_object_name(&name)?;
        Ok(name)
    }
}

fn parts(text: &str, kind: Kind) -> Result<Vec<Part>, Error> {
    let mut parts = Vec::new();
    let (mut rest, mut at) = (text, 0);
    while let Some(brace) = rest.find(['{', '}']) {
        let after = &rest[brace + 1..];
        let length = after
            .find(['{', '}'])
            .filter(|&end| rest.as_bytes()[brace] == b'{' && after.as_bytes()[end] == b'}');
        let length = length.ok_or(Error::UnmatchedBrace { at: at + brace })?;
        let name = &after[..length];
        let variable = Variable::from_name(name)
            .filter(|variable| variable.belongs_to(kind))
            .ok_or_else(|| Error::UnknownVariable { name: name.into(), at: at + brace })?;
        if brace > 0 {
            parts.push(Part::Literal(rest[..brace].into()));
        }
        parts.push(Part::Variable(variable));
        let consumed = brace + 1 + length + 1;
        (rest, at) = (&rest[consumed..], at + consumed);
    }
    if !rest.is_empty() {
        parts.push(Part::Literal(rest.into()));
    }
    Ok(parts)
}

fn expand(
    variable: Variable,
    values: &Values<'_>,
    start: NaiveDateTime,
    end: NaiveDateTime,
    name: &mut String,
) {
    let written = match variable {
        Variable::AppName => write!(name, "{}", values.app),
        Variable::StreamName => write!(name, "{}", values.stream),
        Variable::Sequence => write!(name, "{}", values.sequence),
        Variable::StartTime => write!(name, "{}", start.format("%Y-%m-%d-%H:%M:%S")),
        Variable::EndTime => write!(name, "{}", end.format("%Y-%m-%d-%H:%M:%S")),
        Variable::EscapedStartTime => write!(name, "{}", start.format("%Y-%m-%d-%H-%M-%S")),
        Variable::EscapedEndTime => write!(name, "{}", end.format("%Y-%m-%d-%H-%M-%S")),
        Variable::UnixTimestamp => write!(name, "{}", values.start_ms / 1000),
        Variable::Date => write!(name, "{}", start.format("%Y-%m-%d")),
        Variable::Hour => write!(name, "{}", start.format("%H")),
        Variable::Minute => write!(name, "{}", start.format("%M")),
        Variable::Second => write!(name, "{}", start.format("%S")),
    };
    written.expect("writing into a string should not fail");
}

#[cfg(test)]
mod tests;
