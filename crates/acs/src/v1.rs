//! Signature version 1: RPC style, HMAC-SHA1 over every parameter of query and form.

use base64::{Engine as _, prelude::BASE64_STANDARD};

use crate::{
    Claim, Error,
    claim::Scheme,
    encode,
    encoding::{canonical, required},
    error::excerpt,
    time,
};

/// Reads the claim of a request from its method and its decoded parameters, those of the query and of the form
/// together.
///
/// # Errors
/// A parameter of the scheme that is absent or of another value, one that comes twice, a malformed `Timestamp`.
pub fn claim(method: &str, parameters: &[(String, String)]) -> Result<Claim, Error> {
    let signature = required(parameters, "Signature")?;
    let key_id = required(parameters, "AccessKeyId")?;
    let nonce = required(parameters, "SignatureNonce")?;
    let timestamp = required(parameters, "Timestamp")?;
    expect(parameters, "SignatureMethod", "HMAC-SHA1")?;
    expect(parameters, "SignatureVersion", "1.0")?;
    let signed = parameters.iter().filter(|(name, _)| name != "Signature");
    let string_to_sign = format!("{}&%2F&{}", method.to_ascii_uppercase(), encode(&canonical(signed)?));
    if parameters.iter().filter(|(name, _)| name == "Signature").count() > 1 {
        return Err(Error::Duplicate { name: "Signature".into() });
    }
    Ok(Claim {
        scheme: Scheme::V1,
        key_id: key_id.into(),
        signed_at_s: time::parse(timestamp)?,
        nonce: nonce.into(),
        string_to_sign,
        signature: BASE64_STANDARD.decode(signature).unwrap_or_default(),
    })
}

fn expect(parameters: &[(String, String)], name: &'static str, expected: &'static str) -> Result<(), Error> {
    let found = required(parameters, name)?;
    (found == expected).then_some(()).ok_or_else(|| Error::Unexpected {
        name,
        found: excerpt(found),
        expected,
    })
}
