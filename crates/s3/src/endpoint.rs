//! A bucket and where it is.

use naming::check_object_name;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use crate::Error;
use crate::hosts::{DEFAULT_REGION, Endpoints, Style, known};

/// SigV4, "UriEncode()": unreserved characters stay, and so does the slash in object keys.
const KEY: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~').remove(b'/');

/// A bucket at an endpoint, and how requests address it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bucket {
    https: bool,
    /// The endpoint itself says `https://`.
    says_https: bool,
    /// The `Host` header: the bucket's own host name, or the endpoint's.
    authority: String,
    /// What comes before the key: `/`, or `/bucket/`.
    root: String,
    region: String,
    /// The endpoint's host, with its port where it has one.
    host: String,
    name: String,
}

impl Bucket {
    /// A bucket by its endpoint and name.
    ///
    /// As [`with`](Self::with), without settings.
    ///
    /// # Errors
    /// An endpoint or a name that is not well-formed.
    pub fn new(endpoint: &str, name: &str) -> Result<Self, Error> {
        Self::with(endpoint, name, &Endpoints::default())
    }

    /// A bucket by its endpoint and name, and settings for endpoints.
    ///
    /// Where nothing is set, known stores are addressed as they demand, and all others in path style, which
    /// needs no host name for each bucket. So are buckets whose names have dots, for which no certificate is
    /// good. Without a scheme, IP addresses, `localhost` and endpoints with a port are spoken to by HTTP, all
    /// others by HTTPS.
    ///
    /// # Errors
    /// An endpoint or a name that is not well-formed.
    pub fn with(endpoint: &str, name: &str, settings: &Endpoints) -> Result<Self, Error> {
        let malformed = || Error::Endpoint(endpoint.into());
        let (scheme, host) = match endpoint.split_once("://") {
            Some((scheme @ ("http" | "https"), host)) => (Some(scheme), host),
            Some(_) => return Err(malformed()),
            None => (None, endpoint),
        };
        let host = host.strip_suffix('/').unwrap_or(host);
        if !is_host(host) {
            return Err(malformed());
        }
        if !is_bucket_name(name) {
            return Err(Error::BucketName(name.into()));
        }
        let (bare, port) = split_port(host);
        let local = bare.starts_with('[')
            || port.is_some()
            || bare == "localhost"
            || bare.parse::<std::net::Ipv4Addr>().is_ok();
        let known = known(bare).filter(|_| !local);
        let (region, style) = settings.find(host);
        let by_host = known.map_or(Style::Path, |(style, _)| style);
        let dotted = name.contains('.');
        let path = style.unwrap_or(if dotted { Style::Path } else { by_host }) == Style::Path;
        Ok(Self {
            https: scheme.map_or(!local, |scheme| scheme == "https"),
            says_https: scheme == Some("https"),
            authority: if path { host.into() } else { format!("{name}.{host}") },
            root: if path { format!("/{name}/") } else { "/".into() },
            region: region.or(known.map(|(_, region)| region)).unwrap_or(DEFAULT_REGION).into(),
            host: host.into(),
            name: name.into(),
        })
    }

    /// The same bucket in another region.
    pub(crate) fn in_region(&self, region: String) -> Self {
        Self { region, ..self.clone() }
    }

    /// Whether it is spoken to by HTTPS.
    #[must_use]
    pub fn https(&self) -> bool {
        self.https
    }

    /// Host, and port where the endpoint has one.
    #[must_use]
    pub fn authority(&self) -> &str {
        &self.authority
    }

    /// The region that requests are signed for.
    #[must_use]
    pub fn region(&self) -> &str {
        &self.region
    }

    /// `host/bucket`, as patterns name it.
    #[must_use]
    pub fn display(&self) -> String {
        format!("{}/{}", self.host, self.name)
    }

    /// Whether two address one bucket: the same name at the same host and port, by whatever scheme, or at hosts that
    /// are known for the same store. Hosts that somebody has named anew are not seen through.
    #[must_use]
    pub fn is_same(&self, other: &Self) -> bool {
        let store = |bucket: &Self| {
            let host = bucket.host.to_ascii_lowercase();
            // All endpoints of these stores lead to one space of names.
            let shared =
                ["aliyuncs.com", "amazonaws.com", "amazonaws.com.cn", "wasabisys.com", "myqcloud.com"];
            let found = shared
                .into_iter()
                .find(|domain| host.strip_suffix(domain).is_some_and(|labels| labels.ends_with('.')));
            found.map_or(host.clone(), Into::into)
        };
        self.name == other.name && store(self) == store(other)
    }

    /// The endpoint's host, and port where it has one.
    pub(crate) fn host(&self) -> &str {
        &self.host
    }

    /// The bucket's name.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// The path of the bucket itself.
    #[must_use]
    pub fn path(&self) -> &str {
        self.root.strip_suffix('/').filter(|path| !path.is_empty()).unwrap_or("/")
    }

    /// What comes before an object's name in its path.
    pub(crate) fn root(&self) -> &str {
        &self.root
    }

    /// The path of an object, percent-encoded.
    ///
    /// # Errors
    /// A key that [`check_object_name`] refuses: it would mean different objects to different stores.
    pub fn object_path(&self, key: &str) -> Result<String, Error> {
        check_object_name(key)?;
        Ok(format!("{}{}", self.root, utf8_percent_encode(key, KEY)))
    }

    /// An object of this bucket, as a copy of it is asked for.
    pub(crate) fn copy_source(&self, key: &str) -> Result<String, Error> {
        check_object_name(key)?;
        Ok(format!("/{}/{}", self.name, utf8_percent_encode(key, KEY)))
    }

    /// The URL of an object as it is handed to players, percent-encoded: `http://`, as the recording API does,
    /// unless the endpoint itself says `https://`.
    ///
    /// # Errors
    /// As [`object_path`](Self::object_path).
    pub fn object_url(&self, key: &str) -> Result<String, Error> {
        let scheme = if self.says_https { "https" } else { "http" };
        Ok(format!("{scheme}://{}{}", self.authority, self.object_path(key)?))
    }
}

/// A host without its port, and the port where there is one.
pub(crate) fn split_port(host: &str) -> (&str, Option<&str>) {
    match host.rsplit_once(':') {
        Some((bare, port)) if !port.contains(']') => (bare, Some(port)),
        _ => (host, None),
    }
}

/// Whether a text is a host name or an address, with a port or without.
pub(crate) fn is_host(host: &str) -> bool {
    let (bare, port) = split_port(host);
    let is_label =
        |label: &str| !label.is_empty() && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
    let is_ipv6 = bare
        .strip_prefix('[')
        .and_then(|inner| inner.strip_suffix(']'))
        .is_some_and(|inner| inner.parse::<std::net::Ipv6Addr>().is_ok());
    (bare.split('.').all(is_label) || is_ipv6) && port.is_none_or(is_port)
}

/// Whether a text is the number of a port that something can listen at, in digits alone.
fn is_port(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_digit()) && text.parse::<u16>().is_ok_and(|port| port > 0)
}

pub(crate) fn is_bucket_name(name: &str) -> bool {
    let edge = |byte: Option<&u8>| byte.is_some_and(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
    let bytes = name.as_bytes();
    (3..=63).contains(&bytes.len())
        && bytes.iter().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'-' | b'.'))
        && edge(bytes.first())
        && edge(bytes.last())
        && !name.contains("..")
}

#[cfg(test)]
mod tests;
