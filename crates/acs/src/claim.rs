//! What the sender of a request claims, once read; verified against a secret, a clock and the nonces seen.

use hmac::{Hmac, Mac};
use sha1::Sha1;
use sha2::Sha256;

use crate::{AccessKey, Error, WINDOW_S};

/// The two schemes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scheme {
    V1,
    V3,
}

/// What the sender of a request claims: which key, when, and a signature over a text.
///
/// Nothing in it may be believed before [`Claim::verify`] has succeeded.
#[derive(Clone, Debug)]
pub struct Claim {
    pub(crate) scheme: Scheme,
    pub(crate) key_id: String,
    pub(crate) signed_at_s: u64,
    pub(crate) nonce: String,
    pub(crate) string_to_sign: String,
    /// Decoded; empty where the text was not decodable, which no signature is.
    pub(crate) signature: Vec<u8>,
}

impl Claim {
    /// The access key that is claimed.
    #[must_use]
    pub fn key_id(&self) -> &str {
        &self.key_id
    }

    /// When the request was signed by the sender's clock, Unix seconds.
    #[must_use]
    pub fn signed_at_s(&self) -> u64 {
        self.signed_at_s
    }

    /// Whether the signature was made with the key's secret. Compares in constant time.
    ///
    /// # Errors
    /// [`Error::SignatureMismatch`].
    pub fn verify(&self, key: &AccessKey) -> Result<(), Error> {
        let matches = match self.scheme {
            Scheme::V1 => self.matches::<Hmac<Sha1>>(&format!("{}&", key.secret())),
            Scheme::V3 => self.matches::<Hmac<Sha256>>(key.secret()),
        };
        matches
            .then_some(())
            .ok_or_else(|| Error::SignatureMismatch { string_to_sign: self.string_to_sign.clone() })
    }

    fn matches<M: Mac + hmac::digest::KeyInit>(&self, secret: &str) -> bool {
        let mut mac =
            <M as Mac>::new_from_slice(secret.as_bytes()).expect("HMAC should take a key of any length");
        mac.update(self.string_to_sign.as_bytes());
        mac.verify_slice(&self.signature).is_ok()
    }

    /// Whether the request is of our time, give or take [`WINDOW_S`].
    ///
    /// # Errors
    /// [`Error::Expired`].
    pub fn check_time(&self, now_s: u64) -> Result<(), Error> {
        let distance_s = now_s.abs_diff(self.signed_at_s);
        let direction = if now_s > self.signed_at_s { "ago" } else { "ahead" };
        (distance_s <= WINDOW_S).then_some(()).ok_or(Error::Expired { distance_s, direction })
    }

    /// What makes the request one of its own among those of its access key.
    #[must_use]
    pub fn nonce(&self) -> &str {
        &self.nonce
    }

    /// The moment, Unix seconds, after which the nonce may be forgotten by a server whose clock is right.
    #[must_use]
    pub fn nonce_expires_s(&self) -> u64 {
        self.signed_at_s.saturating_add(WINDOW_S)
    }
}
