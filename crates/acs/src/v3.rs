//! Signature version 3: `ACS3-HMAC-SHA256` over method, path, query, chosen headers and the body's hash.

use hmac::{Hmac, Mac};
use sha2::{Digest, Sha256};

use crate::{Claim, Error, claim::Scheme, encoding::canonical, error::excerpt, time};

/// What an `Authorization` header of this scheme begins with.
pub const SCHEME: &str = "ACS3-HMAC-SHA256";

/// The headers without whose signature a request could be turned into another.
const MUST_BE_SIGNED: [&str; 6] =
    ["host", "x-acs-action", "x-acs-version", "x-acs-date", "x-acs-signature-nonce", "x-acs-content-sha256"];

/// The parts of a request that the scheme signs.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    /// The method, in upper case.
    pub method: &'a str,
    /// The path as it came, without query.
    pub path: &'a str,
    /// The decoded parameters of the query alone.
    pub query: &'a [(String, String)],
    /// Header names in lower case, and their values.
    pub headers: &'a [(String, String)],
    /// The body, without transfer coding.
    pub body: &'a [u8],
}

impl<'a> Request<'a> {
    /// The value of a header, without the white space around it.
    ///
    /// # Errors
    /// [`Error::Missing`] where it is absent or empty, [`Error::Duplicate`] where it comes twice.
    pub fn header(&self, name: &'static str) -> Result<&'a str, Error> {
        let value = self.signed_header(name)?.filter(|value| !value.is_empty());
        value.ok_or(Error::Missing { name })
    }

    fn signed_header(&self, name: &str) -> Result<Option<&'a str>, Error> {
        let mut values = self.headers.iter().filter(|(found, _)| found == name);
        let first = values.next();
        if values.next().is_some() {
            return Err(Error::Duplicate { name: excerpt(name) });
        }
        Ok(first.map(|(_, value)| value.trim_matches([' ', '\t'])))
    }
}

/// Reads the claim of a request.
///
/// # Errors
/// An `Authorization` that is not of the scheme, a header of the scheme that is absent, unsigned or comes twice,
/// a malformed `x-acs-date`, a body that is not the one that was signed.
pub fn claim(request: &Request<'_>) -> Result<Claim, Error> {
    let authorization = Authorization::parse(request.header("authorization")?)?;
    if let Some(name) = MUST_BE_SIGNED.into_iter().find(|name| !authorization.signs(name)) {
        return Err(Error::Missing { name });
    }
    let found = content_sha256(request.body);
    let claimed = request.header("x-acs-content-sha256")?;
    if claimed != found {
        return Err(Error::ContentHash { claimed: excerpt(claimed), found });
    }
    Ok(Claim {
        scheme: Scheme::V3,
        key_id: authorization.credential.into(),
        signed_at_s: time::parse(request.header("x-acs-date")?)?,
        nonce: request.header("x-acs-signature-nonce")?.into(),
        string_to_sign: string_to_sign(request, authorization.signed_headers, &found)?,
        signature: hex::decode(authorization.signature).unwrap_or_default(),
    })
}

/// The value of `x-acs-content-sha256` for a body.
#[must_use]
pub fn content_sha256(body: &[u8]) -> String {
    hex::encode(Sha256::digest(body))
}

/// The value of the `Authorization` header by which a client signs a request with all of its headers.
///
/// # Errors
/// A parameter or a header that comes twice.
pub fn authorization(request: &Request<'_>, key_id: &str, secret: &str) -> Result<String, Error> {
    let mut names: Vec<&str> = request.headers.iter().map(|(name, _)| name.as_str()).collect();
    names.sort_unstable();
    let signed_headers = names.join(";");
    let string_to_sign = string_to_sign(request, &signed_headers, &content_sha256(request.body))?;
    let mut mac =
        Hmac::<Sha256>::new_from_slice(secret.as_bytes()).expect("HMAC should take a key of any length");
    mac.update(string_to_sign.as_bytes());
    let signature = hex::encode(mac.finalize().into_bytes());
    Ok(format!("{SCHEME} Credential={key_id},SignedHeaders={signed_headers},Signature={signature}"))
}

fn string_to_sign(request: &Request<'_>, signed_headers: &str, body_hash: &str) -> Result<String, Error> {
    let mut canonical_headers = String::new();
    for name in signed_headers.split(';') {
        let value = request.signed_header(name)?.unwrap_or_default();
        canonical_headers += &format!("{name}:{value}\n");
    }
    let query = canonical(request.query.iter())?;
    let canonical_request =
        [request.method, request.path, &query, &canonical_headers, signed_headers, body_hash].join("\n");
    Ok(format!("{SCHEME}\n{}", hex::encode(Sha256::digest(canonical_request))))
}

struct Authorization<'a> {
    credential: &'a str,
    signed_headers: &'a str,
    signature: &'a str,
}

impl<'a> Authorization<'a> {
    fn parse(text: &'a str) -> Result<Self, Error> {
        const EXPECTED: &str = "ACS3-HMAC-SHA256 Credential=…,SignedHeaders=…,Signature=…";
        let refuse = || Error::Unexpected { name: "authorization", found: excerpt(text), expected: EXPECTED };
        let fields = text.strip_prefix(SCHEME).and_then(|rest| rest.strip_prefix(' ')).ok_or_else(refuse)?;
        let mut parsed = Self { credential: "", signed_headers: "", signature: "" };
        for field in fields.split(',') {
            let (name, value) = field.trim().split_once('=').ok_or_else(refuse)?;
            match name {
                "Credential" => parsed.credential = value,
                "SignedHeaders" => parsed.signed_headers = value,
                "Signature" => parsed.signature = value,
                _ => return Err(refuse()),
            }
        }
        let complete =
            [parsed.credential, parsed.signed_headers, parsed.signature].iter().all(|v| !v.is_empty());
        complete.then_some(parsed).ok_or_else(refuse)
    }

    fn signs(&self, name: &str) -> bool {
        self.signed_headers.split(';').any(|signed| signed == name)
    }
}
