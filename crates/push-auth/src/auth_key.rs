//! The signed argument of a push URL.

use md5::{Digest, Md5};
use subtle::{Choice, ConstantTimeEq};

use crate::Error;

/// The argument of a URL that carries the signature.
pub const ARGUMENT: &str = "auth_key";

/// Bytes of an MD5.
const MD5_BYTES: usize = 16;

/// The value of [`ARGUMENT`] for a URL of this path that holds until `time_s` and the server's validity after it.
///
/// `uri` is the path as it stands in the URL, beginning with a slash and without arguments; `time_s` are Unix seconds.
#[must_use]
pub fn sign(uri: &str, time_s: u64, key: &str) -> String {
    let claim = format!("{time_s}-0-0");
    let signature = hex::encode(signature(uri, &claim, key));
    format!("{claim}-{signature}")
}

fn signature(uri: &str, claim: &str, key: &str) -> [u8; MD5_BYTES] {
    let mut md5 = Md5::new();
    for part in [uri, "-", claim, "-", key] {
        md5.update(part);
    }
    md5.finalize().into()
}

/// The argument, taken apart and not verified yet.
#[derive(Clone, Copy)]
pub(crate) struct AuthKey<'a> {
    /// `{time}-{rand}-{uid}`.
    claim: &'a str,
    /// Unix seconds.
    pub(crate) time_s: u64,
    signature: [u8; MD5_BYTES],
}

impl<'a> AuthKey<'a> {
    /// Takes the argument apart.
    pub(crate) fn parse(value: &'a str) -> Result<Self, Error> {
        let (claim, digest) = value.rsplit_once('-').ok_or(Error::Malformed)?;
        let mut parts = claim.split('-');
        let (Some(time), Some(_rand), Some(_uid), None) =
            (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err(Error::Malformed);
        };
        // `parse` alone would take a sign.
        if !time.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(Error::Malformed);
        }
        let time_s = time.parse().map_err(|_| Error::Malformed)?;
        let mut signature = [0; MD5_BYTES];
        hex::decode_to_slice(digest, &mut signature).map_err(|_| Error::Malformed)?;
        Ok(Self { claim, time_s, signature })
    }

    /// Whether it was made with that key for that path. Compares in constant time.
    pub(crate) fn is_of(&self, uri: &str, key: &str) -> Choice {
        self.signature.ct_eq(&signature(uri, self.claim, key))
    }
}
