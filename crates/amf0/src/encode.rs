//! Values to bytes.

use crate::Value;

impl Value {
    /// Appends the value.
    ///
    /// Names longer than 65535 bytes are cut at that length, at a character's start.
    pub fn encode(&self, out: &mut Vec<u8>) {
        match self {
            Self::Number(number) => {
                out.push(0);
                out.extend_from_slice(&number.to_be_bytes());
            }
            Self::Boolean(boolean) => out.extend_from_slice(&[1, u8::from(*boolean)]),
            Self::String(string) => match u16::try_from(string.len()) {
                Ok(_) => {
                    out.push(2);
                    encode_name(string, out);
                }
                Err(_) => {
                    out.push(12);
                    out.extend_from_slice(&(string.len() as u32).to_be_bytes());
                    out.extend_from_slice(string.as_bytes());
                }
            },
            Self::Object(fields) => {
                out.push(3);
                encode_fields(fields, out);
            }
            Self::Null => out.push(5),
            Self::Undefined => out.push(6),
            Self::EcmaArray(fields) => {
                out.push(8);
                out.extend_from_slice(&(fields.len() as u32).to_be_bytes());
                encode_fields(fields, out);
            }
            Self::StrictArray(values) => {
                out.push(10);
                out.extend_from_slice(&(values.len() as u32).to_be_bytes());
                values.iter().for_each(|value| value.encode(out));
            }
            Self::Date(milliseconds) => {
                out.push(11);
                out.extend_from_slice(&milliseconds.to_be_bytes());
                out.extend_from_slice(&[0, 0]);
            }
        }
    }
}

fn encode_fields(fields: &[(String, Value)], out: &mut Vec<u8>) {
    for (name, value) in fields {
        encode_name(name, out);
        value.encode(out);
    }
    out.extend_from_slice(&[0, 0, 9]);
}

fn encode_name(name: &str, out: &mut Vec<u8>) {
    let end = name.floor_char_boundary(usize::from(u16::MAX));
    out.extend_from_slice(&(end as u16).to_be_bytes());
    out.extend_from_slice(&name.as_bytes()[..end]);
}
