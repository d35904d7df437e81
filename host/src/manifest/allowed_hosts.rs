//! `allowed_outbound_hosts`: where a component may send requests, by Spin's patterns.
//!
//! `scheme://host:port`, where the scheme may be `*`, the host `*`, `*.domain` or `self`, and the port `*`
//! or a range `first..end` without its end; a port that is left out is the scheme's own.

use std::ops::Range;

use anyhow::{Context, Result, bail, ensure};
use url::{Host, Url};

/// The places that a component may send requests to.
#[derive(Clone, Debug, Default)]
pub struct AllowedHosts(Vec<(Pattern, Reach)>);

/// How far an allowed request goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reach {
    /// To addresses of the public internet alone, whatever a name resolves to.
    Public,
    /// Anywhere.
    Any,
}

#[derive(Clone, Debug)]
struct Pattern {
    /// `None`: any.
    scheme: Option<String>,
    host: HostPattern,
    port: PortPattern,
}

#[derive(Clone, Debug)]
enum HostPattern {
    Any,
    /// With its leading dot.
    AnySubdomain(String),
    /// The application itself.
    ToSelf,
    Literal(Host),
}

#[derive(Clone, Debug)]
enum PortPattern {
    Any,
    One(u16),
    Range(Range<u16>),
}

impl AllowedHosts {
    /// Parses patterns whose templates have been replaced; what they allow goes anywhere.
    ///
    /// A pattern that a template left empty (`""`, `http://`, `https://`) allows nothing.
    ///
    /// # Errors
    ///
    /// When a pattern is not of the form above.
    pub fn parse<S: AsRef<str>>(patterns: impl IntoIterator<Item = S>) -> Result<Self> {
        Self::parse_with_reach(patterns.into_iter().map(|pattern| (pattern, Reach::Any)))
    }

    /// The same, each with how far what it allows goes.
    ///
    /// # Errors
    ///
    /// As [`parse`](Self::parse).
    pub fn parse_with_reach<S: AsRef<str>>(patterns: impl IntoIterator<Item = (S, Reach)>) -> Result<Self> {
        let mut parsed = Vec::new();
        for (pattern, reach) in patterns {
            let pattern = pattern.as_ref().trim();
            if matches!(pattern, "" | "http://" | "https://") {
                continue;
            }
            let context = || format!("in the allowed outbound host {pattern:?}");
            parsed.push((Pattern::parse(pattern).with_context(context)?, reach));
        }
        Ok(Self(parsed))
    }

    /// Whether a request to `url`, absolute, is allowed.
    #[must_use]
    pub fn allows(&self, url: &str) -> bool {
        self.reach(url).is_some()
    }

    /// How far a request to `url`, absolute, may go, by the pattern that lets it go furthest; `None`: it is not allowed.
    #[must_use]
    pub fn reach(&self, url: &str) -> Option<Reach> {
        // Parsed as a browser would, so that another spelling of an address does not slip through.
        let url = Url::parse(url).ok()?;
        let host = url.host()?.to_owned();
        let allows = |pattern: &Pattern| {
            pattern.allows_scheme(url.scheme())
                && pattern.host.allows(&host)
                && pattern.port.allows(url.port_or_known_default())
        };
        self.0.iter().filter(|(pattern, _)| allows(pattern)).map(|(_, reach)| *reach).max()
    }

    /// Whether the application may send requests to itself.
    #[must_use]
    pub fn allows_self(&self) -> bool {
        // A function that may send to public addresses alone does not reach its own application.
        self.0.iter().filter(|(_, reach)| *reach == Reach::Any).any(|(pattern, _)| {
            (pattern.allows_scheme("http") || pattern.allows_scheme("https"))
                && matches!(pattern.host, HostPattern::Any | HostPattern::ToSelf)
        })
    }
}

impl Pattern {
    fn parse(pattern: &str) -> Result<Self> {
        let (scheme, rest) = pattern
            .split_once("://")
            .context("expected scheme://host[:port], where each may be a wildcard")?;
        ensure!(
            scheme == "*" || (!scheme.is_empty() && scheme.chars().all(char::is_alphabetic)),
            "the scheme {scheme:?} is neither alphabetic nor *"
        );
        let rest = rest.strip_suffix('/').unwrap_or(rest);
        ensure!(!rest.contains('/'), "a path is not allowed");
        let (host, port) = match rest.rsplit_once(':') {
            // The colons of an IPv6 address stand in brackets.
            Some((host, port)) if !port.ends_with(']') => (host, port),
            _ => (rest, ""),
        };
        Ok(Self {
            scheme: (scheme != "*").then(|| scheme.to_ascii_lowercase()),
            host: HostPattern::parse(host)?,
            port: PortPattern::parse(port, scheme)?,
        })
    }

    fn allows_scheme(&self, scheme: &str) -> bool {
        self.scheme.as_deref().is_none_or(|allowed| allowed == scheme)
    }
}

impl HostPattern {
    fn parse(host: &str) -> Result<Self> {
        match host {
            "*" => return Ok(Self::Any),
            "self" | "self.alt" => return Ok(Self::ToSelf),
            _ => {}
        }
        if let Some(domain) = host.strip_prefix("*.") {
            let Host::Domain(domain) = Host::parse(domain)? else {
                bail!("*. stands before a domain, not before an address");
            };
            ensure!(!domain.contains('*'), "a host has at most one wildcard, at its beginning");
            return Ok(Self::AnySubdomain(format!(".{domain}")));
        }
        ensure!(!host.contains('*'), "the wildcard of a host is * or *. before a domain");
        ensure!(!host.starts_with('{'), "lists of hosts are not supported");
        Ok(Self::Literal(Host::parse(host)?))
    }

    fn allows(&self, host: &Host) -> bool {
        match (self, host) {
            (Self::Any, _) => true,
            (Self::AnySubdomain(suffix), Host::Domain(domain)) => domain.ends_with(suffix.as_str()),
            (Self::Literal(literal), host) => literal == host,
            (Self::AnySubdomain(_), _) | (Self::ToSelf, _) => false,
        }
    }
}

impl PortPattern {
    fn parse(port: &str, scheme: &str) -> Result<Self> {
        if port == "*" {
            return Ok(Self::Any);
        }
        if port.is_empty() {
            return match scheme {
                "http" => Ok(Self::One(80)),
                "https" => Ok(Self::One(443)),
                _ => bail!("no port was given and the scheme {scheme:?} has no default of its own here"),
            };
        }
        let number = |text: &str| {
            text.parse::<u16>().with_context(|| format!("the port {port:?} is not a number or a range"))
        };
        match port.split_once("..") {
            Some((first, end)) => Ok(Self::Range(number(first)?..number(end)?)),
            None => Ok(Self::One(number(port)?)),
        }
    }

    fn allows(&self, port: Option<u16>) -> bool {
        match (self, port) {
            (Self::Any, _) => true,
            (Self::One(allowed), Some(port)) => *allowed == port,
            (Self::Range(allowed), Some(port)) => allowed.contains(&port),
            (_, None) => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(pattern: &str, url: &str, expected: bool) {
        let allowed = AllowedHosts::parse([pattern]).unwrap();
        assert_eq!(allowed.allows(url), expected, "{url} by {pattern}");
    }

    #[test]
    fn nothing_is_allowed_by_default() {
        assert!(!AllowedHosts::default().allows("http://example.com/"));
        assert!(!AllowedHosts::default().allows_self());
    }

    #[test]
    fn scheme_host_and_port_must_all_fit() {
        check("http://example.com", "http://example.com/a?b", true);
        check("http://example.com", "http://example.com:80/", true);
        check("http://example.com", "http://example.com:8080/", false);
        check("http://example.com", "https://example.com/", false);
        check("http://example.com", "http://a.example.com/", false);
        check("https://example.com:8443/", "https://EXAMPLE.com:8443/x", true);
        check("http://127.0.0.1:9000", "http://127.0.0.1:9000/recordings", true);
        check("http://[::1]:9000", "http://[::1]:9000/", true);
        check("http://[::1]", "http://[::1]/", true);
    }

    #[test]
    fn wildcards_stand_for_scheme_subdomain_and_port() {
        check("*://*:*", "https://anything.example:12345/", true);
        check("*://example.com:80", "http://example.com/", true);
        check("https://*.example.com", "https://a.b.example.com/", true);
        check("https://*.example.com", "https://example.com/", false);
        check("https://*.example.com", "https://evilexample.com/", false);
        check("http://example.com:*", "http://example.com:1/", true);
    }

    #[test]
    fn a_port_range_is_without_its_end() {
        check("http://example.com:8000..9000", "http://example.com:8000/", true);
        check("http://example.com:8000..9000", "http://example.com:8999/", true);
        check("http://example.com:8000..9000", "http://example.com:9000/", false);
    }

    #[test]
    fn another_spelling_of_an_address_is_the_same_address() {
        check("http://127.0.0.1", "http://0x7f.1/", true);
        check("http://example.com", "http://0x7f.1/", false);
        check("http://example.com", "http://example.com@127.0.0.1/", false);
    }

    #[test]
    fn self_allows_the_application_and_nothing_else() {
        let allowed = AllowedHosts::parse(["http://self"]).unwrap();
        assert!(allowed.allows_self());
        assert!(!allowed.allows("http://example.com/"));
    }

    #[test]
    fn the_pattern_that_lets_a_request_go_furthest_counts() {
        let patterns = [("*://*:*", Reach::Public), ("http://127.0.0.1:9000", Reach::Any)];
        let allowed = AllowedHosts::parse_with_reach(patterns).unwrap();
        assert_eq!(allowed.reach("http://127.0.0.1:9000/recordings"), Some(Reach::Any));
        assert_eq!(allowed.reach("http://127.0.0.1:9001/"), Some(Reach::Public));
        assert_eq!(allowed.reach("http://example.com/"), Some(Reach::Public));
        assert!(!allowed.allows_self(), "the application itself is not public");
    }

    #[test]
    fn a_template_that_came_out_empty_allows_nothing() {
        let allowed = AllowedHosts::parse(["", "http://", "https://"]).unwrap();
        assert!(!allowed.allows("http://example.com/"));
    }

    #[test]
    fn a_value_that_names_two_hosts_reaches_neither() {
        let stores = ["https://s3.example.com/bucket", "https://cos.example.org/bucket"];
        for value in [
            "https://s3.example.com,https://cos.example.org",
            "https://s3.example.com https://cos.example.org",
            "https://s3.example.com cos.example.org",
            "https://{s3.example.com,cos.example.org}",
        ] {
            assert!(AllowedHosts::parse([value]).is_err(), "{value}");
        }
        // A comma may stand in a name, so this is one host.
        for store in stores {
            check("https://s3.example.com,cos.example.org", store, false);
        }
        // A wider pattern reaches both, and so does one pattern for each.
        for patterns in [&["https://*"][..], &["https://s3.example.com", "https://cos.example.org"]] {
            let allowed = AllowedHosts::parse(patterns).unwrap();
            assert!(stores.iter().all(|store| allowed.allows(store)), "{patterns:?}");
        }
    }

    #[test]
    fn malformed_patterns_are_refused() {
        for pattern in [
            "*",
            "example.com",
            "http://a/b",
            "http://a*b",
            "http://*.*.com",
            "http://a:b",
            "ht-tp://a",
            "http://{a,b}",
            "*://example.com",
            "http://*.127.0.0.1",
        ] {
            assert!(AllowedHosts::parse([pattern]).is_err(), "{pattern}");
        }
    }
}
