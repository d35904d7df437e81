//! What a store compares a body with.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;

use crate::request::Header;

/// By what a store makes sure that an object's bytes came as they were sent. A store that keeps objects by a lock wants
/// one of these.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Checksum {
    /// `x-amz-checksum-crc32c`, the cheapest by far; S3, R2 and MinIO know it.
    Crc32c,
    /// `content-md5` (RFC 1864), which nearly every store knows, OSS and COS among them.
    Md5,
    /// `x-amz-checksum-sha256`; S3, R2 and MinIO know it.
    Sha256,
}

impl Checksum {
    /// A checksum by its name in a setting.
    pub(crate) fn parse(name: &str) -> Option<Self> {
        match name {
            "crc32c" => Some(Self::Crc32c),
            "md5" => Some(Self::Md5),
            "sha256" => Some(Self::Sha256),
            _ => None,
        }
    }

    /// The header that says it of a body.
    pub(crate) fn header(self, body: &[u8]) -> Header {
        let (name, value) = match self {
            Self::Crc32c => {
                ("x-amz-checksum-crc32c", BASE64_STANDARD.encode(crc32c::crc32c(body).to_be_bytes()))
            }
            Self::Md5 => {
                use md5::Digest as _;
                ("content-md5", BASE64_STANDARD.encode(md5::Md5::digest(body)))
            }
            Self::Sha256 => {
                use sha2::Digest as _;
                ("x-amz-checksum-sha256", BASE64_STANDARD.encode(sha2::Sha256::digest(body)))
            }
        };
        Header::new(name, &value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 3720 B.4 for CRC-32C, RFC 1321 A.5 for MD5, and FIPS 180-2 B.1 for SHA-256; and what is computed apart from
    /// this code with Python's hashlib.
    #[test]
    fn checksums_are_those_of_the_standards() {
        let hex = |text: &str| {
            let bytes = text.as_bytes().chunks(2);
            let bytes = bytes.map(|pair| u8::from_str_radix(str::from_utf8(pair).unwrap(), 16).unwrap());
            BASE64_STANDARD.encode(bytes.collect::<Vec<_>>())
        };
        let ascending: Vec<u8> = (0..32).collect();
        for (checksum, body, expected) in [
            (Checksum::Crc32c, &[0; 32][..], hex("8a9136aa")),
            (Checksum::Crc32c, &[0xff; 32], hex("62a8ab43")),
            (Checksum::Crc32c, &ascending, hex("46dd794e")),
            (Checksum::Crc32c, b"123456789", "4waSgw==".into()),
            (Checksum::Md5, b"", hex("d41d8cd98f00b204e9800998ecf8427e")),
            (Checksum::Md5, b"message digest", hex("f96b697d7cb7938d525a2f31aaf161d0")),
            (Checksum::Md5, b"123456789", "JfnnlDI7RTiF9RgfG2JNCw==".into()),
            (
                Checksum::Sha256,
                b"abc",
                hex("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
            ),
            (Checksum::Sha256, b"123456789", "FeKw08M4keuw8e9gnsQZQgwg4yDOlMZfvIwzEkSOsiU=".into()),
        ] {
            assert_eq!(checksum.header(body).value, expected, "{checksum:?}");
        }
    }
}
