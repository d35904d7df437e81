//! Which stream a publish is.

use std::collections::BTreeMap;

use percent_encoding::percent_decode_str;
use protocol::{NameError, StreamPath};
use push_auth::ARGUMENT;
use rtmp::Publish;

/// Most query arguments of a publish that are passed on.
const MAX_ARGUMENTS: usize = 64;

/// A publish, taken apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Identity {
    pub(crate) path: StreamPath,
    /// The ways to write the path of the URL, one of which may be signed: as the encoder wrote it, and decoded.
    pub(crate) uris: Vec<String>,
    /// Query arguments of the URL, decoded; those of the publish name win over those of the application, and of several
    /// values of one the first. Without the signature.
    pub(crate) arguments: BTreeMap<String, String>,
    /// The signature of the URL. It is kept nowhere: who has it may push.
    pub(crate) auth_key: Option<String>,
}

impl Identity {
    /// Takes a publish apart.
    ///
    /// The domain is the argument `vhost` or `domain`, else the host of `tcUrl`, else `default_domain`.
    /// The last segment of application and name together is the stream, those before it are the application,
    /// wherever the encoder divides them. `_definst_`, the instance that Flash Media Server and Wowza run where
    /// none is named, is left out.
    pub(crate) fn of(publish: &Publish, default_domain: &str) -> Result<Self, NameError> {
        let (tc_url, tc_query) = split_query(&publish.tc_url);
        let (app, app_query) = split_query(&publish.app);
        let (name, name_query) = split_query(&publish.name);
        let mut arguments = BTreeMap::new();
        for query in [name_query, app_query, tc_query] {
            add_arguments(query, &mut arguments);
        }
        let (host, tc_path) = split_url(tc_url);
        let named = ["vhost", "domain"].iter().find_map(|&name| arguments.get(name));
        let named = named.map_or(host, String::as_str);
        // `example.com.` is `example.com` (RFC 1034 §3.1).
        let named = named.strip_suffix('.').filter(|named| !named.is_empty()).unwrap_or(named);
        let domain = if named.is_empty() { default_domain } else { named };

        let app = if app.is_empty() { tc_path } else { app };
        let written: Vec<_> = segments(app).chain(segments(name)).collect();
        let mut names: Vec<_> = written.iter().map(|name| decode(name)).collect();
        let stream = if segments(name).next().is_none() { None } else { names.pop() };
        let path = StreamPath::new(domain, names.join("/"), stream.unwrap_or_default())?;
        check_text(&path)?;
        let uris = uris(&written, &path);
        let auth_key = arguments.remove(ARGUMENT);
        Ok(Self { path, uris, arguments, auth_key })
    }
}

/// Whether the names were UTF-8: what was not is replaced by one and the same character, so that the names of several
/// streams would become one.
fn check_text(path: &StreamPath) -> Result<(), NameError> {
    for (what, name) in [("domain", path.domain()), ("app", path.app()), ("stream", path.stream())] {
        if name.contains(char::REPLACEMENT_CHARACTER) {
            return Err(NameError::Encoding { what, segment: name.into() });
        }
    }
    Ok(())
}

/// The ways to write the path of a stream that may be signed.
///
/// A decoded one that has a percent sign is left out: as it stands it is the path of another stream.
fn uris(written: &[&str], path: &StreamPath) -> Vec<String> {
    let decoded = format!("/{}/{}", path.app(), path.stream());
    let mut uris = vec![format!("/{}", written.join("/"))];
    if !decoded.contains('%') && !uris.contains(&decoded) {
        uris.push(decoded);
    }
    uris
}

/// The names in a path.
fn segments(path: &str) -> impl Iterator<Item = &str> {
    path.split('/').filter(|segment| !matches!(*segment, "" | "_definst_"))
}

fn split_query(text: &str) -> (&str, &str) {
    text.split_once('?').unwrap_or((text, ""))
}

/// Host and path of `rtmp://user@host:port/path`; the brackets of an IPv6 address are left out.
fn split_url(url: &str) -> (&str, &str) {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
    let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    let host = match host.strip_prefix('[') {
        Some(literal) => literal.split(']').next(),
        None => host.split(':').next(),
    };
    (host.unwrap_or_default(), path)
}

fn add_arguments(query: &str, arguments: &mut BTreeMap<String, String>) {
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let name = decode(name);
        if arguments.len() < MAX_ARGUMENTS || name == ARGUMENT {
            arguments.entry(name).or_insert_with(|| decode(value));
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
        let publish = Publish { tc_url: tc_url.into(), app: app.into(), name: name.into() };
        Identity::of(&publish, "10.9.8.7")
    }

    #[track_caller]
    fn check(tc_url: &str, app: &str, name: &str, expected: &str) {
        assert_eq!(identity(tc_url, app, name).unwrap().path.to_string(), expected);
    }

    #[test]
    fn the_domain_is_the_argument_or_the_host() {
        check("rtmp://live.example.com/app", "app", "x", "live.example.com/app/x");
        check("rtmp://LIVE.example.com:1935/app", "app", "x", "live.example.com/app/x");
        check("rtmp://user:pass@h:1935/app", "app", "x", "h/app/x");
        check("rtmp://[::1]:1935/app", "app", "x", "::1/app/x");
        check("rtmp://live.example.com.:1935/app", "app", "x", "live.example.com/app/x");
        check("rtmp://10.0.0.1/app?vhost=a.example", "app?vhost=a.example", "x", "a.example/app/x");
        check("rtmp://10.0.0.1/app", "app", "x?domain=b.example&k=v", "b.example/app/x");
        check("rtmp://10.0.0.1/app?vhost=a", "app", "x?vhost=b", "b/app/x");
        check("rtmp://10.0.0.1/app", "app", "x?vhost=a&vhost=b", "a/app/x");
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
    fn the_signature_is_no_argument() {
        for (app, name) in [("a", "x?k=1&auth_key=1-0-0-m"), ("a?auth_key=1-0-0-m", "x?k=1")] {
            let found = identity("rtmp://h/a?auth_key=old", app, name).unwrap();
            assert_eq!(found.auth_key.as_deref(), Some("1-0-0-m"));
            assert_eq!(found.arguments, BTreeMap::from([("k".to_owned(), "1".to_owned())]));
        }
        let many: String = (0..MAX_ARGUMENTS).map(|at| format!("{at}&")).collect();
        let found = identity("rtmp://h/a", "a", &format!("x?{many}auth_key=1-0-0-m")).unwrap();
        assert!(found.auth_key.is_some() && found.arguments.len() == MAX_ARGUMENTS);
        assert_eq!(identity("rtmp://h/a", "a", "x").unwrap().auth_key, None);
    }

    #[test]
    fn the_path_is_signed_as_it_was_written_or_decoded() {
        let uris = |app, name| identity("rtmp://h/", app, name).unwrap().uris;
        assert_eq!(uris("live?k=v", "talk?k=v"), ["/live/talk"]);
        assert_eq!(uris("live/room/", "//talk"), ["/live/room/talk"]);
        assert_eq!(uris("live/_definst_", "talk"), ["/live/talk"]);
        assert_eq!(uris("live", "%E7%9B%B4"), ["/live/%E7%9B%B4", "/live/直"]);
        assert_eq!(uris("live", "x%2541"), ["/live/x%2541"], "/live/x%41 is the path of xA");
    }

    #[test]
    fn a_publisher_that_names_no_domain_gets_the_default_one() {
        check("", "app", "x", "10.9.8.7/app/x");
        check("rtmp:///app", "app", "x", "10.9.8.7/app/x");
        check("/app", "app", "x", "10.9.8.7/app/x");
        check("", "app?vhost=", "x", "10.9.8.7/app/x");
        check("", "app", "x?vhost=d.example", "d.example/app/x");
        check("rtmp://h/app", "", "x", "h/app/x");
    }

    #[test]
    fn applications_of_two_levels_are_one_name_wherever_the_encoder_divides_them() {
        for (app, name) in
            [("live/room", "x"), ("live", "room/x"), ("", "live/room/x"), ("/live//room/", "/x")]
        {
            check(
                "rtmp://h/live",
                app,
                name,
                if app.is_empty() { "h/live/live/room/x" } else { "h/live/room/x" },
            );
        }
        assert_eq!(identity("rtmp://h/", "live/room", "x").unwrap().path.app(), "live/room");
        for (app, name) in [("live/_definst_", "x"), ("live/_definst_/", "x?k=v"), ("live", "_definst_/x")] {
            check("rtmp://h/live/_definst_", app, name, "h/live/x");
        }
        check("rtmp://h/live/_definst_", "", "x", "h/live/x");
    }

    #[test]
    fn names_that_are_not_utf_8_are_refused() {
        // GBK, as it is sent, and in percent signs.
        let sent = String::from_utf8_lossy(b"x\xd6\xd0").into_owned();
        for name in [&sent, "x%D6%D0", "x%ff", "x%E7%9B"] {
            let refused = identity("rtmp://h/app", "app", name).unwrap_err();
            assert!(matches!(refused, NameError::Encoding { what: "stream", .. }), "{name:?}: {refused}");
            assert!(identity("rtmp://h/app", name, "x").is_err(), "{name:?}");
            assert!(identity("rtmp://h/app", "app", &format!("x?vhost={name}")).is_err(), "{name:?}");
        }
        check("rtmp://h/app", "app", "x?k=%D6%D0", "h/app/x");
    }

    #[test]
    fn names_that_leave_their_folder_are_refused() {
        for name in ["..", "", "a/..", "..%2Fx", "a%2Fb", "a%00", "*", "/", "_definst_"] {
            assert!(identity("rtmp://h/app", "app", name).is_err(), "{name:?}");
        }
        for app in ["..", "a/..", "../a", "a/*", ".", "a%2F..", "a%2F"] {
            assert!(identity("rtmp://h/app", app, "x").is_err(), "{app:?}");
        }
        assert!(identity("rtmp://h", "", "x").is_err());
        for domain in [".", "..", "...", "*"] {
            assert!(identity("rtmp://h/app", "app", &format!("x?vhost={domain}")).is_err(), "{domain:?}");
        }
    }
}
