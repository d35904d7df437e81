//! Names of domains, applications and streams, and the paths made of them.

use std::fmt;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

/// Unreserved characters of RFC 3986 §2.3 stay as they are.
const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// Longest name, in bytes of UTF-8.
pub const MAX_NAME_BYTES: usize = 255;

/// Why a name cannot be recorded under.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NameError {
    /// The name is empty.
    #[error("{what} name is empty")]
    Empty {
        /// `domain`, `app` or `stream`.
        what: &'static str,
    },
    /// The name is longer than [`MAX_NAME_BYTES`].
    #[error("{what} name has {bytes} bytes, at most {MAX_NAME_BYTES} are allowed")]
    TooLong {
        /// `domain`, `app` or `stream`.
        what: &'static str,
        /// Length found.
        bytes: usize,
    },
    /// The name is `.` or `..`, which would leave its folder.
    #[error("{what} name is {name:?}, which names a folder")]
    Dots {
        /// `domain`, `app` or `stream`.
        what: &'static str,
        /// The name.
        name: String,
    },
    /// The name is `*`, which only a rule may say.
    #[error("{what} name is `*`, which stands for every name")]
    Wildcard {
        /// `domain`, `app` or `stream`.
        what: &'static str,
    },
    /// The name holds `/`, `\` or a control character.
    #[error("{what} name {name:?} holds {found:?} at byte {at}, which is not allowed in a name")]
    Forbidden {
        /// `domain`, `app` or `stream`.
        what: &'static str,
        /// The name.
        name: String,
        /// The character.
        found: char,
        /// Its place.
        at: usize,
    },
    /// A path segment is not percent-encoded UTF-8.
    #[error("{what} name {segment:?} is not percent-encoded UTF-8")]
    Encoding {
        /// `domain`, `app` or `stream`.
        what: &'static str,
        /// The segment as it came.
        segment: String,
    },
}

/// Whether a name can be part of an object name without ever leaving its prefix.
///
/// Any Unicode text passes but `/`, `\`, control characters, `.`, `..` and `*`.
///
/// # Errors
/// The first rule that the name breaks.
pub fn check_name(what: &'static str, name: &str) -> Result<(), NameError> {
    if name.is_empty() {
        return Err(NameError::Empty { what });
    }
    if name.len() > MAX_NAME_BYTES {
        return Err(NameError::TooLong { what, bytes: name.len() });
    }
    if name == "." || name == ".." {
        return Err(NameError::Dots { what, name: name.into() });
    }
    if name == "*" {
        return Err(NameError::Wildcard { what });
    }
    match name.char_indices().find(|(_, c)| matches!(c, '/' | '\\') || c.is_control()) {
        Some((at, found)) => Err(NameError::Forbidden { what, name: name.into(), found, at }),
        None => Ok(()),
    }
}

/// Whether the name of an application, which may have several levels such as `live/room`, can be part of an
/// object name: [`check_name`] passes each level.
///
/// # Errors
/// The first rule that the name breaks.
pub fn check_app(name: &str) -> Result<(), NameError> {
    if name.len() > MAX_NAME_BYTES {
        return Err(NameError::TooLong { what: "app", bytes: name.len() });
    }
    name.split('/').try_for_each(|level| check_name("app", level))
}

/// A stream: domain, application and name, checked by [`check_name`], the application by [`check_app`].
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StreamPath {
    domain: String,
    app: String,
    stream: String,
}

impl StreamPath {
    /// Checks the three names. The domain is taken in lowercase: names of hosts compare without case.
    ///
    /// # Errors
    /// The first rule that one of them breaks.
    pub fn new(
        domain: impl Into<String>,
        app: impl Into<String>,
        stream: impl Into<String>,
    ) -> Result<Self, NameError> {
        let domain = domain.into().to_ascii_lowercase();
        let path = Self { domain, app: app.into(), stream: stream.into() };
        check_name("domain", &path.domain)?;
        check_app(&path.app)?;
        check_name("stream", &path.stream)?;
        Ok(path)
    }

    /// Decodes three path segments and checks them.
    ///
    /// # Errors
    /// A segment that is not UTF-8 once decoded, or a name that [`check_name`] refuses.
    pub fn from_segments(domain: &str, app: &str, stream: &str) -> Result<Self, NameError> {
        Self::new(decode("domain", domain)?, decode("app", app)?, decode("stream", stream)?)
    }

    /// The streaming domain.
    #[must_use]
    pub fn domain(&self) -> &str {
        &self.domain
    }

    /// The application.
    #[must_use]
    pub fn app(&self) -> &str {
        &self.app
    }

    /// The stream's own name.
    #[must_use]
    pub fn stream(&self) -> &str {
        &self.stream
    }

    /// `/streams/{domain}/{app}/{stream}`, percent-encoded.
    #[must_use]
    pub fn url_path(&self) -> String {
        format!("/streams/{}/{}/{}", encode(&self.domain), encode(&self.app), encode(&self.stream))
    }
}

impl fmt::Display for StreamPath {
    /// `domain/app/stream`: unambiguous, since neither a domain nor a stream holds a slash.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}/{}", self.domain, self.app, self.stream)
    }
}

pub(crate) fn encode(segment: &str) -> impl fmt::Display {
    utf8_percent_encode(segment, SEGMENT)
}

fn decode(what: &'static str, segment: &str) -> Result<String, NameError> {
    percent_decode_str(segment)
        .decode_utf8()
        .map(Into::into)
        .map_err(|_| NameError::Encoding { what, segment: segment.into() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_text_but_separators_and_controls_is_a_name() {
        for name in ["live", "s 1~x", "直播", "a.b", "...", "%2e%2e", "a:b?c#d", "é"] {
            assert_eq!(check_name("stream", name), Ok(()), "{name}");
        }
        for name in ["", ".", "..", "*", "a/b", "..\\x", "a\0", "a\n", &"x".repeat(256)] {
            assert!(check_name("stream", name).is_err(), "{name:?}");
        }
    }

    #[test]
    fn names_have_at_most_255_bytes() {
        let (longest, longer) = ("x".repeat(MAX_NAME_BYTES), "x".repeat(MAX_NAME_BYTES + 1));
        assert_eq!((check_name("stream", &longest), check_app(&longest)), (Ok(()), Ok(())));
        let bytes = MAX_NAME_BYTES + 1;
        assert_eq!(check_name("stream", &longer), Err(NameError::TooLong { what: "stream", bytes }));
        assert_eq!(check_app(&longer), Err(NameError::TooLong { what: "app", bytes }));
    }

    #[test]
    fn an_encoded_slash_does_not_split_a_name_unseen() {
        let error = StreamPath::from_segments("d", "a", "..%2F..%2Fx").unwrap_err();
        assert_eq!(
            error.to_string(),
            r#"stream name "../../x" holds '/' at byte 2, which is not allowed in a name"#
        );
    }

    #[test]
    fn applications_may_have_several_levels() {
        for app in ["live/room", "a/b/c", "live/_definst_", "直/播"] {
            assert_eq!(check_app(app), Ok(()), "{app}");
            let path = StreamPath::new("d", app, "s").unwrap();
            let url = path.url_path();
            let segments: Vec<_> = url.split('/').collect();
            assert_eq!(segments.len(), 5, "{url}");
            assert_eq!(StreamPath::from_segments(segments[2], segments[3], segments[4]), Ok(path));
        }
        for app in ["", "/", "/a", "a/", "a//b", "a/..", "../a", "./a", "a/*", "a/b\\c", "a/\n"] {
            assert!(check_app(app).is_err(), "{app:?}");
        }
        assert!(check_app(&"a/".repeat(127)).is_err() && check_app(&"a/b".repeat(86)).is_err());
    }

    #[test]
    fn a_path_tells_its_names() {
        let path = StreamPath::new("Live.example.com", "live/room", "cam").unwrap();
        assert_eq!((path.domain(), path.app(), path.stream()), ("live.example.com", "live/room", "cam"));
        assert_eq!(path.to_string(), "live.example.com/live/room/cam");
    }

    #[test]
    fn domains_compare_without_case() {
        assert_eq!(
            StreamPath::new("Live.Example.COM", "A", "S"),
            StreamPath::new("live.example.com", "A", "S")
        );
        assert_ne!(StreamPath::new("d", "A", "s"), StreamPath::new("d", "a", "s"));
    }

    #[test]
    fn paths_come_back_from_their_encoding() {
        let path = StreamPath::new("live.example.com", "a b", "直播%").unwrap();
        assert_eq!(path.url_path(), "/streams/live.example.com/a%20b/%E7%9B%B4%E6%92%AD%25");
        let segments: Vec<_> = path.url_path().split('/').map(str::to_owned).collect();
        assert_eq!(StreamPath::from_segments(&segments[2], &segments[3], &segments[4]), Ok(path));
    }
}
