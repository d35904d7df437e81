//! Patterns of endpoint and bucket, and which of two is the more specific.

use std::cmp::{Ordering, Reverse};

use crate::endpoint::{Bucket, is_bucket_name, is_host, split_port};

/// `host[:port]/bucket`, where `*` in the host and in the bucket stands for any characters, or none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Pattern {
    /// The whole of it, the host in lower case: two patterns of one text are one pattern.
    text: String,
    /// Where the slash stands.
    slash: usize,
}

impl Pattern {
    /// Reads a pattern, or says what is wrong with it without showing it.
    pub(crate) fn parse(text: &str) -> Result<Self, &'static str> {
        if text.contains("://") {
            return Err("has a scheme before its host");
        }
        let (host, bucket) = text.split_once('/').ok_or("has no pattern of the form host/bucket")?;
        // One pattern should have one text, by which a second one is found.
        if text.contains("**") {
            return Err("has two * in a row");
        }
        // Only a whole port is one, and a label may be nothing but the `*`.
        let (_, port) = split_port(host);
        if port.is_some_and(|port| port.contains('*')) || !is_host(&host.replace('*', "0")) {
            return Err("has a host that is not of the form host or host:port");
        }
        let in_name = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b"-.*".contains(&b);
        if !(is_bucket_name(bucket) || bucket.contains('*') && bucket.bytes().all(in_name)) {
            return Err("has a bucket that no bucket can be named");
        }
        Ok(Self { text: format!("{}/{bucket}", host.to_ascii_lowercase()), slash: host.len() })
    }

    /// The pattern as people write it.
    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    /// Whether the bucket is one of the pattern's. A port has to be the same, or absent from both.
    pub(crate) fn matches(&self, bucket: &Bucket) -> bool {
        let (pattern_host, pattern_port) = split_port(self.host());
        let (host, port) = split_port(bucket.host());
        pattern_port == port
            && matches(pattern_host, &host.to_ascii_lowercase())
            && matches(self.bucket(), bucket.name())
    }

    fn host(&self) -> &str {
        &self.text[..self.slash]
    }

    fn bucket(&self) -> &str {
        &self.text[self.slash + 1..]
    }
}

/// Some buckets, by patterns of endpoint and bucket: `host[:port]/bucket`, where `*` stands for any characters.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Buckets(Vec<Pattern>);

impl Buckets {
    /// Reads patterns, or says what is wrong with the first one that is none.
    ///
    /// # Errors
    /// What is wrong, as the end of a sentence about the pattern.
    pub fn parse<T: AsRef<str>>(texts: &[T]) -> Result<Self, &'static str> {
        texts.iter().map(|text| Pattern::parse(text.as_ref())).collect::<Result<_, _>>().map(Self)
    }

    /// Whether a bucket is one of them.
    #[must_use]
    pub fn contains(&self, bucket: &Bucket) -> bool {
        self.0.iter().any(|pattern| pattern.matches(bucket))
    }
}

/// The more specific pattern is the greater one; patterns that differ are never equal.
///
/// A bucket itself comes before patterns of buckets, and then a host itself before patterns of hosts. Then come the
/// most characters beside `*` in the bucket, and then in the host; then the fewest `*`, and at last the text that
/// sorts first.
impl Ord for Pattern {
    fn cmp(&self, other: &Self) -> Ordering {
        fn rank(pattern: &Pattern) -> impl Ord {
            let (host, bucket) = (pattern.host(), pattern.bucket());
            let stars = |text: &str| text.matches('*').count();
            let (in_host, in_bucket) = (stars(host), stars(bucket));
            let beside_stars = (bucket.len() - in_bucket, host.len() - in_host);
            (in_bucket == 0, in_host == 0, beside_stars, Reverse(in_bucket + in_host), Reverse(&pattern.text))
        }
        rank(self).cmp(&rank(other))
    }
}

impl PartialOrd for Pattern {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// Whether a text is of a pattern. Each part between two `*` is taken where it stands first: what is left for the
/// parts after it is then the most that it can be.
fn matches(pattern: &str, text: &str) -> bool {
    let Some((begin, rest)) = pattern.split_once('*') else { return pattern == text };
    let (parts, end) = rest.rsplit_once('*').unwrap_or(("", rest));
    let inner = text.strip_prefix(begin).and_then(|text| text.strip_suffix(end));
    let skip = |text: &str, part: &str| text.find(part).map(|at| at + part.len());
    inner.is_some_and(|inner| {
        let mut parts = parts.split('*');
        parts.try_fold(inner, |text, part| skip(text, part).map(|to| &text[to..])).is_some()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pattern(text: &str) -> Pattern {
        Pattern::parse(text).unwrap_or_else(|problem| panic!("{text} {problem}"))
    }

    fn is_of(text: &str, endpoint: &str, name: &str) -> bool {
        pattern(text).matches(&Bucket::new(endpoint, name).unwrap())
    }

    #[test]
    fn a_star_stands_for_any_characters_or_none() {
        for (pattern, text, expected) in [
            ("abc", "abc", true),
            ("abc", "abcd", false),
            ("*", "", true),
            ("a*", "a", true),
            ("*c", "abc", true),
            ("a*a", "a", false),
            ("a*a", "aa", true),
            ("a*b*c", "abc", true),
            ("a*b*c", "axxbxbxc", true),
            ("a*b*c", "acb", false),
            ("*ab*ab*", "ab", false),
            ("*ab*ab*", "abxab", true),
            ("*ab*b", "ab", false),
            ("*ab*b", "abb", true),
        ] {
            assert_eq!(matches(pattern, text), expected, "{pattern} {text}");
        }
    }

    #[test]
    fn a_pattern_is_of_a_host_with_its_port_and_a_bucket() {
        assert!(is_of("oss-cn-shanghai.aliyuncs.com/bkt", "oss-cn-shanghai.aliyuncs.com", "bkt"));
        assert!(is_of("OSS-*.aliyuncs.com/bkt", "https://oss-cn-Shanghai.aliyuncs.com/", "bkt"));
        assert!(is_of("s3.*.amazonaws.com/logs-*", "s3.dualstack.eu-west-1.amazonaws.com", "logs-1.a"));
        assert!(is_of("127.0.0.1:9000/*", "http://127.0.0.1:9000", "bkt"));
        assert!(is_of("*:9000/bkt", "http://127.0.0.1:9000", "bkt"));
        assert!(is_of("[::1]:9000/bkt", "http://[::1]:9000", "bkt"));
        assert!(is_of("*/*", "localhost", "bkt"));
        for (text, endpoint, name) in [
            ("*.example.com/bkt", "example.com", "bkt"),
            ("*.example.com/bkt", "a.example.com", "bkt2"),
            ("*.example.com/bkt", "a.example.com.evil.org", "bkt"),
            ("*.example.com/bkt", "bkt.a-example.com", "bkt"),
            ("s3.example.com/*", "s3.example.com:9000", "bkt"),
            ("s3.example.com:9000/*", "s3.example.com", "bkt"),
            ("*/*", "127.0.0.1:9000", "bkt"),
            ("127.0.0.1:9000/bkt", "127.0.0.1:9001", "bkt"),
        ] {
            assert!(!is_of(text, endpoint, name), "{text} {endpoint} {name}");
        }
    }

    #[test]
    fn what_is_no_pattern_is_refused() {
        for text in [
            "",
            "host",
            "/bucket",
            "host/",
            "https://host/bucket",
            "ho st/bucket",
            "user@host/bucket",
            "host:port/bucket",
            "host:*/bucket",
            "a..b/bucket",
            "[::1/bucket",
            "host/Upper",
            "host/ab",
            "host/a_*",
            "host/bucket/key",
            "**.host/bucket",
            "host/a**",
        ] {
            assert!(Pattern::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn buckets_are_of_any_of_their_patterns() {
        let buckets = Buckets::parse(&["s3.example.com/a-*", "localhost/bkt"]).unwrap();
        let contains = |endpoint, name| buckets.contains(&Bucket::new(endpoint, name).unwrap());
        assert!(contains("s3.example.com", "a-1") && contains("localhost", "bkt"));
        assert!(!contains("localhost", "a-1") && !contains("s3.example.com", "bkt"));
        assert!(!Buckets::default().contains(&Bucket::new("localhost", "bkt").unwrap()));
        assert!(Buckets::parse(&["localhost/bkt", "https://localhost/bkt"]).is_err());
    }

    #[test]
    fn any_two_patterns_have_an_order() {
        // The bucket is of each; each one comes before all after it.
        let ordered = [
            // A bucket itself before patterns of buckets, and then a host itself before patterns of hosts.
            "s3.example.com/logs-eu",
            "s3.*.com/logs-eu",
            "*.com/logs-eu",
            "*/logs-eu",
            // The most characters in the bucket, the fewest stars, the order of the text.
            "s3.example.com/logs-*",
            "s3.example.com/*s-eu",
            "s3.example.com/logs*",
            "s3.example.com/lo*",
            "s3.example.com/l*g*",
            "s3.example.com/*",
            // The same, with the most characters in the host after those in the bucket.
            "s3.example.*/logs-e*",
            "s3.*.com/logs-e*",
            "*.example.com/logs-*",
            "s3.*example.com/*s-eu",
            "s3*example.com/logs*",
            "*e.com/*",
            "*e*com/*",
            "*/*",
        ];
        for (at, text) in ordered.iter().enumerate() {
            assert!(is_of(text, "s3.example.com", "logs-eu"), "{text}");
            for later in &ordered[at + 1..] {
                assert!(pattern(text) > pattern(later), "{text} {later}");
            }
        }
    }
}
