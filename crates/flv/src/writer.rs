//! Writing the file header and tags.

use crate::{Error, TagKind, tag::TAG_HEADER_SIZE};

/// Appends the file header and the first `PreviousTagSize`, zero (FLV 10.1 §E.2, §E.3).
pub fn write_header(out: &mut Vec<u8>, has_audio: bool, has_video: bool) {
    let flags = u8::from(has_audio) << 2 | u8::from(has_video);
    out.extend_from_slice(&[b'F', b'L', b'V', 1, flags, 0, 0, 0, 9, 0, 0, 0, 0]);
}

/// Appends the header of a tag; the body of `body_size` bytes and [`write_previous_tag_size`] must follow.
///
/// # Errors
/// [`Error::BodyTooLong`] from 2^24 bytes on; nothing is written then.
pub fn write_tag_header(
    out: &mut Vec<u8>,
    kind: TagKind,
    body_size: usize,
    timestamp_ms: u32,
) -> Result<(), Error> {
    let too_long = Error::BodyTooLong { found: body_size as u64 };
    let size = u32::try_from(body_size).map_err(|_| too_long)?;
    if size >= 1 << 24 {
        return Err(too_long);
    }
    let [_, s1, s2, s3] = size.to_be_bytes();
    // The upper eight bits of the time come last (FLV 10.1 §E.4.1, TimestampExtended).
    let [t0, t1, t2, t3] = timestamp_ms.to_be_bytes();
    out.extend_from_slice(&[kind.wire(), s1, s2, s3, t1, t2, t3, t0, 0, 0, 0]);
    Ok(())
}

/// Appends the length that follows a tag whose body has `body_size` bytes.
pub fn write_previous_tag_size(out: &mut Vec<u8>, body_size: usize) {
    let size = (TAG_HEADER_SIZE + body_size) as u32;
    out.extend_from_slice(&size.to_be_bytes());
}

/// Appends a whole tag: header, body and the length after it.
///
/// # Errors
/// [`Error::BodyTooLong`] from 2^24 bytes on; nothing is written then.
pub fn write_tag(out: &mut Vec<u8>, kind: TagKind, timestamp_ms: u32, body: &[u8]) -> Result<(), Error> {
    write_tag_header(out, kind, body.len(), timestamp_ms)?;
    out.extend_from_slice(body);
    write_previous_tag_size(out, body.len());
    Ok(())
}
