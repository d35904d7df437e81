//! Requests as real clients sent them: each verifies as it is, and no longer once anything in it has changed.
#![expect(clippy::unwrap_used, reason = "a helper of tests may panic")]

use acs::{Claim, Error, Keys, decode_parameters, v1, v3};

/// A request read from a capture; chunked bodies are put together, as an HTTP server does before us.
#[derive(Clone)]
struct Captured {
    method: String,
    query: String,
    headers: Vec<(String, String)>,
    body: String,
}

impl Captured {
    fn read(text: &str) -> Self {
        let (head, body) = text.split_once("\n\n").unwrap();
        let mut lines = head.lines();
        let mut request_line = lines.next().unwrap().split(' ');
        let method = request_line.next().unwrap().to_owned();
        let query =
            request_line.next().unwrap().strip_prefix("/").unwrap().trim_start_matches('?').to_owned();
        let headers: Vec<_> = lines
            .map(|line| line.split_once(": ").unwrap())
            .map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()))
            .collect();
        let chunked = headers.iter().any(|(name, _)| name == "transfer-encoding");
        let body = if chunked { unchunk(body) } else { body.to_owned() };
        Self { method, query, headers, body }
    }

    fn claim(&self) -> Result<Claim, Error> {
        let mut query = decode_parameters(&self.query)?;
        if self.headers.iter().any(|(name, _)| name == "authorization") {
            return v3::claim(&v3::Request {
                method: &self.method,
                path: "/",
                query: &query,
                headers: &self.headers,
                body: self.body.as_bytes(),
            });
        }
        query.extend(decode_parameters(&self.body)?);
        v1::claim(&self.method, &query)
    }

    fn verify(&self, keys: &str) -> Result<(), Error> {
        let claim = self.claim()?;
        claim.verify(Keys::parse(keys)?.find(claim.key_id())?)
    }
}

fn unchunk(body: &str) -> String {
    let mut lines = body.lines();
    let mut whole = String::new();
    while let Some(size) =
        lines.next().map(|size| usize::from_str_radix(size, 16).unwrap()).filter(|&s| s > 0)
    {
        let chunk = lines.next().unwrap();
        assert_eq!(chunk.len(), size);
        whole.push_str(chunk);
    }
    whole
}

macro_rules! captures {
    ($($name:ident)*) => {
        const ALL: &[(&str, &str)] =
            &[$((stringify!($name), include_str!(concat!("../testdata/", stringify!($name), ".http")))),*];
    };
}

captures! {
    sdk3_v3_add_rule sdk3_v3_describe_rules sdk3_v3_add_notify sdk3_v1_add_rule sdk3_v1_describe_rules
    core_v1_add_rule core_v1_describe_rules core_v1_query_and_form sdk1_v1_form pop_v1_post_body noa_v3_chunked
}

#[test]
fn every_captured_request_verifies() {
    for (name, text) in ALL {
        assert_eq!(Captured::read(text).verify("testid:testsecret"), Ok(()), "{name}");
    }
}

#[test]
fn no_captured_request_verifies_under_another_secret() {
    for (name, text) in ALL {
        let error = Captured::read(text).verify("testid:testsecreT").unwrap_err();
        assert!(matches!(error, Error::SignatureMismatch { .. }), "{name}: {error}");
    }
}

#[test]
fn a_changed_byte_of_query_body_or_method_is_noticed() {
    for (name, text) in ALL {
        let request = Captured::read(text);
        let changed = |change: fn(&mut Captured)| {
            let mut request = request.clone();
            change(&mut request);
            request.verify("testid:testsecret").is_err()
        };
        assert!(changed(|r| r.method = "PUT".into()), "{name}");
        assert!(changed(|r| r.query += "&X=1"), "{name}");
        assert!(changed(|r| r.body += "&X=1"), "{name}");
        assert!(
            changed(|r| r.query = r.query.replace("live.example.com", "live.example.org")
                + if r.query.contains("live.example.com") { "" } else { "&x" }),
            "{name}"
        );
    }
}

#[test]
fn a_changed_signed_header_is_noticed() {
    for (name, text) in ALL.iter().filter(|(name, _)| name.contains("_v3_")) {
        for header in ["host", "x-acs-action", "x-acs-version", "x-acs-date", "x-acs-signature-nonce"] {
            let mut request = Captured::read(text);
            let value = &mut request.headers.iter_mut().find(|(name, _)| name == header).unwrap().1;
            *value = value.replace(['0', 'L'], "1");
            assert!(request.verify("testid:testsecret").is_err(), "{name} {header}");
        }
    }
}

#[test]
fn the_order_of_parameters_on_the_wire_does_not_matter() {
    for (name, text) in ALL {
        let mut request = Captured::read(text);
        let mut pairs: Vec<_> = request.query.split('&').collect();
        pairs.reverse();
        request.query = pairs.join("&");
        assert_eq!(request.verify("testid:testsecret"), Ok(()), "{name}");
    }
}
