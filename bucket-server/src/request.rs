//! What several requests have in common: the same fields in types of their own.

/// The headers that are stored and answered as they came, by the fields of a request or an answer.
macro_rules! headers {
    ($of:expr) => {
        [
            ("cache-control", &mut $of.cache_control),
            ("content-disposition", &mut $of.content_disposition),
            ("content-encoding", &mut $of.content_encoding),
            ("content-language", &mut $of.content_language),
            ("content-type", &mut $of.content_type),
        ]
    };
}

/// The attributes that a request gives an object.
macro_rules! attributes {
    ($input:expr) => {{
        let headers = crate::request::headers!($input)
            .into_iter()
            .filter_map(|(name, value)| Some((name.into(), value.take()?)));
        crate::attributes::Attributes {
            headers: headers.collect(),
            metadata: $input.metadata.take().unwrap_or_default().into_iter().collect(),
            ..Default::default()
        }
    }};
}

/// What a request says of its body.
macro_rules! declared {
    ($input:expr, $trailers:expr) => {
        crate::receive::Declared {
            length: $input.content_length,
            md5: $input.content_md5.take(),
            checksum: s3s::dto::Checksum {
                checksum_crc32: $input.checksum_crc32.take(),
                checksum_crc32c: $input.checksum_crc32c.take(),
                checksum_crc64nvme: $input.checksum_crc64nvme.take(),
                checksum_sha1: $input.checksum_sha1.take(),
                checksum_sha256: $input.checksum_sha256.take(),
                checksum_type: None,
            },
            algorithm: $input.checksum_algorithm.take(),
            trailers: $trailers,
        }
    };
}
pub(crate) use {attributes, declared, headers};
