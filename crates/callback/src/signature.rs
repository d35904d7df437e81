//! Signatures of callbacks, made anew for each try.

use hmac::{Hmac, Mac};
use md5::{Digest, Md5};
use sha2::Sha256;

/// When a call was signed. Unix seconds.
pub const TIMESTAMP_HEADER: &str = "ali-live-timestamp";

/// The original's signature: over host, time and key. It does not cover the body.
pub const SIGNATURE_HEADER: &str = "ali-live-signature";

/// Ours: over time, event id and body.
pub const BODY_SIGNATURE_HEADER: &str = "x-recorder-signature";

/// Lower-case hex of MD5 of `{host}|{timestamp}|{key}`.
#[must_use]
pub fn original(host: &str, timestamp_s: u64, key: &str) -> String {
    hex(&Md5::digest(format!("{host}|{timestamp_s}|{key}")))
}

/// Lower-case hex of HMAC-SHA256 with the key, of `{timestamp}.{event id}.{body}`.
#[must_use]
pub fn of_body(timestamp_s: u64, event_id: &str, body: &[u8], key: &str) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(key.as_bytes()).expect("a key may have any length");
    mac.update(format!("{timestamp_s}.{event_id}.").as_bytes());
    mac.update(body);
    hex(&mac.finalize().into_bytes())
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_originals_signature_is_that_of_its_example() {
        let signature = original("learn.aliyundoc.com", 1_519_375_990, "yourkey");
        assert_eq!(signature, "9e226fc2c250be266e3657e156f68c12");
    }

    #[test]
    fn ours_covers_time_id_and_body() {
        // `printf '1519375990.id.{}' | openssl dgst -sha256 -hmac yourkey`
        let signature = of_body(1_519_375_990, "id", b"{}", "yourkey");
        assert_eq!(signature, "1b1d72a61fc33981b53b18551c5b2a43a79c1dfb29e82b237e48d6b56f9a713d");
        assert_ne!(signature, of_body(1_519_375_991, "id", b"{}", "yourkey"));
        assert_ne!(signature, of_body(1_519_375_990, "ie", b"{}", "yourkey"));
        assert_ne!(signature, of_body(1_519_375_990, "id", b"{ }", "yourkey"));
        assert_ne!(signature, of_body(1_519_375_990, "id", b"{}", "yourkez"));
    }
}
