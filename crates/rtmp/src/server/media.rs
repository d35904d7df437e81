//! Which messages are media, and what of them an FLV tag holds.

use amf0::Value;
use flv::TagKind;

use crate::{Media, Message, Skipped, message};

/// The AMF0 types whose values may be as long as the message (AMF0 §2.1).
const OBJECT: u8 = 3;
const ECMA_ARRAY: u8 = 8;
const STRICT_ARRAY: u8 = 10;
const LONG_STRING: u8 = 12;

/// The media of a message; `None` for what carries none, such as the empty messages that Flash sends to keep a
/// connection alive.
pub(super) fn media<'a>(message: &Message<'a>) -> Result<Option<Media<'a>>, Skipped> {
    let (kind, body) = match message.type_id {
        message::AUDIO => (TagKind::Audio, message.payload),
        message::VIDEO => (TagKind::Video, message.payload),
        // Encoders that announce AMF3 put a zero before AMF0.
        message::DATA_AMF3 => {
            (TagKind::Script, script(message.payload.strip_prefix(&[0]).unwrap_or(message.payload))?)
        }
        message::DATA_AMF0 => (TagKind::Script, script(message.payload)?),
        _ => return Ok(None),
    };
    let media = Media { kind, timestamp_ms: message.timestamp_ms, body };
    Ok((!body.is_empty()).then_some(media))
}

/// The data message without what only tells the server to keep it.
fn script(payload: &[u8]) -> Result<&[u8], Skipped> {
    let mut rest = payload;
    match payload.first() {
        None => return Ok(payload),
        // No name, and too much to be read as one.
        Some(&(OBJECT | ECMA_ARRAY | STRICT_ARRAY | LONG_STRING)) => return Ok(&[]),
        Some(_) => {}
    }
    let name = Value::decode(&mut rest).map_err(Skipped::Data)?;
    Ok(match name.as_str() {
        Some("@setDataFrame") => rest,
        Some("@clearDataFrame") | None => &[],
        Some(_) => payload,
    })
}
