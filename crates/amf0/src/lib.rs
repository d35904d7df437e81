//! AMF0 values: what RTMP commands and FLV script data are made of.
//!
//! Not a serde format: media servers read a handful of fields out of what anybody may send, so values are
//! a plain tree that keeps order and unknown fields.
//!
//! | name here | standard |
//! | --- | --- |
//! | AMF0 | Adobe Action Message Format AMF 0, 2007 |
//!
//! ```
//! # use recorder_amf0 as amf0;
//! use amf0::Value;
//! let mut bytes = Vec::new();
//! Value::String("connect".into()).encode(&mut bytes);
//! Value::Object(vec![("app".into(), Value::String("live".into()))]).encode(&mut bytes);
//!
//! let mut rest = bytes.as_slice();
//! assert_eq!(Value::decode(&mut rest)?.as_str(), Some("connect"));
//! assert_eq!(Value::decode(&mut rest)?.get("app").and_then(Value::as_str), Some("live"));
//! # Ok::<(), amf0::Error>(())
//! ```
//!
//! Limits: values nest [`MAX_DEPTH`] deep; references, typed objects and the types that AMF0 reserves are
//! refused. A decoded tree takes at most 96 times the bytes it was read from.
#![deny(missing_docs)]

mod decode;
mod encode;
mod value;

pub use decode::{Error, MAX_DEPTH};
pub use value::Value;
