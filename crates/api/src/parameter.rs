//! What a parameter of an action is: its row in the table.

use crate::Fault;

/// One parameter of an action, or one field of the items of a list parameter.
#[derive(Clone, Copy, Debug)]
pub struct Parameter {
    /// Its name on the wire.
    pub name: &'static str,
    /// Type and limits.
    pub kind: Kind,
    /// Whether it has to be there, and what counts if it is not.
    pub presence: Presence,
    /// What it means.
    pub summary: &'static str,
    /// The error for a wrong value, where it is not the pattern `Invalid….Malformed`.
    pub malformed: Option<Fault>,
    /// The error for an empty value, where that is not the same as none.
    pub empty: Option<Fault>,
}

/// Whether a parameter has to be there. An empty value counts as none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Presence {
    /// Its absence is the error `Missing…`.
    Required,
    /// Its absence means something of its own.
    Optional,
    /// Its absence means this value.
    Default(&'static str),
}

/// Type and limits of a parameter.
#[derive(Clone, Copy, Debug)]
pub enum Kind {
    /// A text.
    Text(Text),
    /// A whole number in a range, both ends included.
    Integer {
        /// The least.
        min: u32,
        /// The greatest.
        max: u32,
        /// What becomes of a number outside.
        outside: Outside,
    },
    /// One of these numbers.
    OneOf(&'static [u32]),
    /// `true` or `false`, in any case.
    Boolean,
    /// UTC, `yyyy-MM-ddTHH:mm:ssZ`; Unix seconds once read.
    Time,
    /// One of these words.
    Choice(&'static [&'static str]),
    /// `Name.1`, `Name.2` …, so many at most.
    List {
        /// What each item is.
        item: Text,
        /// Most items.
        max: usize,
    },
    /// `Name.1.Field`, `Name.2.Field` …, so many at most.
    Objects {
        /// The fields of each item.
        fields: &'static [Parameter],
        /// Most items.
        max: usize,
    },
}

/// What a text has to be.
#[derive(Clone, Copy, Debug)]
pub enum Text {
    /// The name of one domain or stream.
    Name,
    /// Such a name, or `*` for all.
    NameOrAny,
    /// The name of one application, which may have several levels: `live/room`.
    App,
    /// Such a name, or `*` for all.
    AppOrAny,
    /// Any text without control characters, of at most so many bytes.
    Any(usize),
    /// Letters and digits, so many at least and at most.
    Alphanumeric(usize, usize),
    /// An object-name template.
    Template(naming::Kind),
    /// The name of a bucket.
    Bucket,
    /// The endpoint of a bucket.
    Endpoint,
    /// An `http` or `https` URL with a host, a port that something can listen at or none, and no user.
    Url,
}

/// What becomes of a number outside its range.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outside {
    /// It is an error.
    Refused,
    /// The nearest number of the range counts.
    Clamped,
}

/// Longest value of any parameter that has no limit of its own, in bytes.
pub(crate) const MAX_VALUE_BYTES: usize = 1024;

impl Text {
    /// Whether a text is one.
    pub(crate) fn fits(self, text: &str) -> bool {
        match self {
            Self::Name => protocol::check_name("", text).is_ok(),
            Self::NameOrAny => text == rules::Triple::ANY || protocol::check_name("", text).is_ok(),
            Self::App => protocol::check_app(text).is_ok(),
            Self::AppOrAny => text == rules::Triple::ANY || protocol::check_app(text).is_ok(),
            Self::Any(max) => text.len() <= max && !text.chars().any(char::is_control),
            Self::Alphanumeric(min, max) => {
                (min..=max).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_alphanumeric())
            }
            Self::Template(kind) => naming::Template::parse(text, kind).is_ok(),
            Self::Bucket => s3::Bucket::new("localhost", text).is_ok(),
            Self::Endpoint => s3::Bucket::new(text, "bucket").is_ok(),
            Self::Url => is_url(text),
        }
    }
}

/// Whether a text is a URL that can be called as it is.
fn is_url(text: &str) -> bool {
    let Ok(uri) = text.parse::<http::Uri>() else { return false };
    matches!(uri.scheme_str(), Some("http" | "https"))
        && uri.authority().is_some_and(|authority| address::is_authority(authority.as_str()))
        && !text.contains(|character: char| character.is_control() || character.is_whitespace())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_text_is_short_enough_and_has_no_control_characters() {
        let any = Text::Any(3);
        for text in ["", "abc", "直"] {
            assert!(any.fits(text), "{text:?}");
        }
        for text in ["abcd", "直播", "a\n", "\u{7f}"] {
            assert!(!any.fits(text), "{text:?}");
        }
    }
}
