//! Which stream a publish is.

use std::collections::BTreeMap;

use percent_encoding::percent_decode_str;
use protocol::{NameError, StreamPath};
use rtmp::Publish;

/// Most query arguments of a publish that are passed on.
const MAX_ARGUMENTS: usize = 64;

/// A publish, taken apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Identity {
    pub(crate) path: StreamPath,
    /// Query arguments of the URL, decoded; those of the publish name win over those of the application.
    pub(crate) arguments: BTreeMap<String, String>,
}

impl Identity {
    /// The domain is the argument `vhost` or `domain`, else the host of `tcUrl`.
    pub(crate) fn of(publish: &Publish) -> Result<Self, NameError> {
        let (tc_url, tc_query) = split_query(&publish.tc_url);
        let (app, app_query) = split_query(&publish.app);
        let (name, name_query) = split_query(&publish.name);
        let mut arguments = BTreeMap::new();
        for query in [tc_query, app_query, name_query] {
            add_arguments(query, &mut arguments);
        }
        let named = ["vhost", "domain"].iter().find_map(|&name| arguments.get(name));
        let domain = named.map_or_else(|| host(tc_url), String::as_str).to_ascii_lowercase();
        let app = app.trim_matches('/');
        let path = StreamPath::new(domain, decode(app), decode(name))?;
        Ok(Self { path, arguments })
    }
}

fn split_query(text: &str) -> (&str, &str) {
    text.split_once('?').unwrap_or((text, ""))
}

/// The host of `rtmp://user@host:port/app`, without the brackets of an IPv6 address.
fn host(url: &str) -> &str {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let authority = rest.split('/').next().unwrap_or_default();
    let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    match host.strip_prefix('[') {
        Some(literal) => literal.split(']').next().unwrap_or_default(),
        None => host.split(':').next().unwrap_or_default(),
    }
}

fn add_arguments(query: &str, arguments: &mut BTreeMap<String, String>) {
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let name = decode(name);
        if arguments.len() < MAX_ARGUMENTS || arguments.contains_key(&name) {
            arguments.insert(name, decode(value));
        }
    }
}

/// Percent-decoded; a plus stays one, as URLs in callbacks carry them.
fn decode(text: &str) -> String {
    percent_decode_str(text).decode_utf8_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn identity(tc_url: &str, app: &str, name: &str) -> Result<Identity, NameError> {
        Identity::of(&Publish { tc_url: tc_url.into(), app: app.into(), name: name.into() })
    }

    fn check(tc_url: &str, app: &str, name: &str, expected: &str) {
        assert_eq!(identity(tc_url, app, name).unwrap().path.to_string(), expected);
    }

    #[test]
    fn the_domain_is_the_argument_or_the_host() {
        check("rtmp://live.example.com/app", "app", "x", "live.example.com/app/x");
        check("rtmp://LIVE.example.com:1935/app", "app", "x", "live.example.com/app/x");
        check("rtmp://user:pass@h:1935/app", "app", "x", "h/app/x");
        check("rtmp://[::1]:1935/app", "app", "x", "::1/app/x");
        check("rtmp://10.0.0.1/app?vhost=a.example", "app?vhost=a.example", "x", "a.example/app/x");
        check("rtmp://10.0.0.1/app", "app", "x?domain=b.example&k=v", "b.example/app/x");
        check("rtmp://10.0.0.1/app?vhost=a", "app", "x?vhost=b", "b/app/x");
        check("rtmp://h/app/", "app/", "%E7%9B%B4", "h/app/直");
    }

    #[test]
    fn arguments_are_decoded() {
        let found =
            identity("rtmp://h/a?one=1", "a?one=1", "x?callback_url=http%3A%2F%2Fc%2F%3Fa&empty=&flag&one=2");
        let expected = [("callback_url", "http://c/?a"), ("empty", ""), ("flag", ""), ("one", "2")];
        let expected = expected.map(|(name, value)| (name.to_owned(), value.to_owned()));
        assert_eq!(found.unwrap().arguments, BTreeMap::from(expected));
    }

    #[test]
    fn names_that_leave_their_folder_are_refused() {
        for name in ["..", "", "a/b", "..%2Fx", "a%00", "*"] {
            assert!(identity("rtmp://h/app", "app", name).is_err(), "{name:?}");
        }
        assert!(identity("", "app", "x").is_err());
        assert!(identity("rtmp://h/a/b", "a/b", "x").is_err());
    }
}
