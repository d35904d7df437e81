//! Whom a callback goes to.

use std::fmt;

use http::Uri;
use http::uri::{Authority, PathAndQuery, Scheme};

use crate::Error;

/// Whether receivers may be on private networks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Private {
    /// They may: for local use.
    Allowed,
    /// They may not.
    Refused,
}

/// A server that a user named.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Receiver {
    /// Whether TLS is spoken.
    pub https: bool,
    /// Host and port, without a user.
    pub authority: Authority,
    /// Path and query, as they were set.
    pub target: PathAndQuery,
}

impl Receiver {
    /// Takes a URL apart. What its host resolves to is judged by whoever connects.
    ///
    /// # Errors
    /// [`Error::Url`], [`Error::Private`].
    pub fn of(url: &str, private: Private) -> Result<Self, Error> {
        let malformed = || Error::url(url);
        let uri: Uri = url.parse().map_err(|_| malformed())?;
        let https = match uri.scheme_str() {
            Some("https") => true,
            Some("http") => false,
            _ => return Err(malformed()),
        };
        let authority = uri.authority().map(Authority::as_str).unwrap_or_default();
        // What stands before an at sign is a user, and no part of the address.
        let authority = authority.rsplit('@').next().unwrap_or_default();
        if !address::is_authority(authority) {
            return Err(malformed());
        }
        let authority: Authority = authority.parse().map_err(|_| malformed())?;
        let host = authority.host();
        if private == Private::Refused && address::is_private_host(host) {
            return Err(Error::Private { host: host.into() });
        }
        let target = uri.path_and_query().cloned().unwrap_or_else(|| PathAndQuery::from_static("/"));
        Ok(Self { https, authority, target })
    }

    /// Its address with another path and query.
    ///
    /// # Panics
    /// Never: the parts were those of a URI.
    #[must_use]
    pub fn uri(&self, target: PathAndQuery) -> Uri {
        let mut parts = http::uri::Parts::default();
        parts.scheme = Some(if self.https { Scheme::HTTPS } else { Scheme::HTTP });
        parts.authority = Some(self.authority.clone());
        parts.path_and_query = Some(target);
        Uri::from_parts(parts).expect("a scheme, an authority and a path should make a URI")
    }

    /// The host alone, as signatures have it.
    #[must_use]
    pub fn host(&self) -> &str {
        self.authority.host()
    }
}

impl fmt::Display for Receiver {
    /// Without its query, which may hold a secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = if self.https { "https" } else { "http" };
        write!(f, "{scheme}://{}{}", self.authority, self.target.path())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(url: &str) -> Result<(bool, String, String), Error> {
        let receiver = Receiver::of(url, Private::Refused)?;
        Ok((receiver.https, receiver.authority.to_string(), receiver.target.to_string()))
    }

    #[test]
    fn a_url_is_called_as_it_is_set() {
        let parts = |https, authority: &str, target: &str| Ok((https, authority.into(), target.into()));
        assert_eq!(of("http://cb.test.com"), parts(false, "cb.test.com", "/"));
        assert_eq!(of("https://cb.test.com:8443/a%20b?c=d#e"), parts(true, "cb.test.com:8443", "/a%20b?c=d"));
        assert_eq!(of("http://user:word@cb.test.com/"), parts(false, "cb.test.com", "/"));
        assert_eq!(of("http://cb.test.com?c=d"), parts(false, "cb.test.com", "/?c=d"));
    }

    #[test]
    fn another_path_at_the_same_receiver_keeps_scheme_host_and_port() {
        for (url, host, other) in [
            ("http://cb.test.com/a?b", "cb.test.com", "http://cb.test.com/x?y=z"),
            ("https://cb.test.com:8443", "cb.test.com", "https://cb.test.com:8443/x?y=z"),
        ] {
            let receiver = Receiver::of(url, Private::Refused).unwrap();
            assert_eq!(receiver.host(), host);
            assert_eq!(receiver.uri(PathAndQuery::from_static("/x?y=z")), other);
        }
    }

    #[test]
    fn what_is_not_a_url_is_refused() {
        let of_another_form =
            ["", "cb.test.com", "/a", "ftp://cb.test.com/", "http://", "http:///a", "http://a b/"];
        let of_no_port = ["http://a:99999/", "http://a:0/", "http://a:/", "http://a:b/"];
        for url in [&of_another_form[..], &of_no_port].concat() {
            assert_eq!(of(url), Err(Error::Url { url: url.into() }), "{url}");
        }
    }

    #[test]
    fn a_private_host_is_called_where_that_is_allowed_alone() {
        for url in ["http://localhost:1/", "http://a@127.0.0.1/", "http://[::1]/", "http://8.8.8.8@10.0.0.1/"]
        {
            assert!(matches!(of(url), Err(Error::Private { .. })), "{url}");
            assert!(Receiver::of(url, Private::Allowed).is_ok(), "{url}");
        }
    }

    #[test]
    fn a_query_is_not_shown() {
        let receiver = Receiver::of("http://cb.test.com/a?token=secret", Private::Refused).unwrap();
        assert_eq!(receiver.to_string(), "http://cb.test.com/a");
    }

    #[test]
    fn what_is_wrong_is_said_without_what_may_be_secret() {
        for (url, shown) in [
            ("cb.test.com/a?token=secret", "cb.test.com/a"),
            ("ftp://user:secret@cb.test.com/a@b#secret", "ftp://cb.test.com/a@b"),
            ("user:secret@cb.test.com", "cb.test.com"),
            ("http://user:secret@/a", "http:///a"),
            ("http://@/", "http:///"),
            ("http://secret@secret@a b?secret", "http://a b"),
        ] {
            let error = of(url).unwrap_err();
            assert_eq!(error, Error::Url { url: shown.into() }, "{url}");
            assert!(!error.to_string().contains("secret"), "{error}");
        }
        let long = format!("http://cb.test.com/?secret={}", "x".repeat(u16::MAX.into()));
        let error = of(&long).unwrap_err().to_string();
        assert!(!error.contains("secret"), "{error}");
    }
}
