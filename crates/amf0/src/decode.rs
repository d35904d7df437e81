//! Bytes to values.

use crate::Value;

/// How deep values may nest.
pub const MAX_DEPTH: usize = 16;

/// Bytes that are not AMF0, or that nest too deep.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The bytes end inside a value.
    #[error("value ends early: {needed} bytes are needed, {available} are left")]
    Truncated {
        /// Bytes of the next field.
        needed: usize,
        /// Bytes that are there.
        available: usize,
    },
    /// A type that has no value here: references, typed objects, movie clips, AMF3 …
    #[error("expected a type of 0 to 3, 5, 6, 8, 10, 11 or 12, found {found}")]
    Type {
        /// The type marker.
        found: u8,
    },
    /// An object ends with an empty name that no end marker follows.
    #[error("expected the object end marker 9 after an empty name, found {found}")]
    ObjectEnd {
        /// The marker found.
        found: u8,
    },
    /// Values nest deeper than [`MAX_DEPTH`].
    #[error("values nest deeper than {MAX_DEPTH}")]
    TooDeep,
}

impl Value {
    /// Takes one value from the front of `bytes`.
    ///
    /// # Errors
    /// See [`Error`]; `bytes` is then left anywhere inside the value.
    pub fn decode(bytes: &mut &[u8]) -> Result<Self, Error> {
        decode_value(bytes, MAX_DEPTH)
    }

    /// All values of `bytes`, such as the name and data of a script tag or the parts of an RTMP command.
    ///
    /// # Errors
    /// See [`Error`].
    pub fn decode_all(mut bytes: &[u8]) -> Result<Vec<Self>, Error> {
        let mut values = Vec::new();
        while !bytes.is_empty() {
            values.push(Self::decode(&mut bytes)?);
        }
        Ok(values)
    }
}

fn decode_value(bytes: &mut &[u8], depth: usize) -> Result<Value, Error> {
    let depth = depth.checked_sub(1).ok_or(Error::TooDeep)?;
    let [marker] = take_array(bytes)?;
    Ok(match marker {
        0 => Value::Number(f64::from_be_bytes(take_array(bytes)?)),
        1 => Value::Boolean(take_array::<1>(bytes)? != [0]),
        2 => Value::String(take_name(bytes)?),
        3 => Value::Object(take_fields(bytes, depth)?),
        5 => Value::Null,
        6 => Value::Undefined,
        8 => {
            // Encoders leave this count zero or wrong: the end marker is what ends the array.
            take_array::<4>(bytes)?;
            Value::EcmaArray(take_fields(bytes, depth)?)
        }
        10 => {
            let count = u32::from_be_bytes(take_array(bytes)?);
            let mut values = Vec::new();
            for _ in 0..count {
                values.push(decode_value(bytes, depth)?);
            }
            Value::StrictArray(values)
        }
        11 => {
            let milliseconds = f64::from_be_bytes(take_array(bytes)?);
            take_array::<2>(bytes)?;
            Value::Date(milliseconds)
        }
        12 => {
            let size = u32::from_be_bytes(take_array(bytes)?);
            Value::String(take_string(bytes, size as usize)?)
        }
        found => return Err(Error::Type { found }),
    })
}

fn take_fields(bytes: &mut &[u8], depth: usize) -> Result<Vec<(String, Value)>, Error> {
    let mut fields = Vec::new();
    loop {
        let name = take_name(bytes)?;
        if name.is_empty() {
            return match take_array(bytes)? {
                [9] => Ok(fields),
                [found] => Err(Error::ObjectEnd { found }),
            };
        }
        fields.push((name, decode_value(bytes, depth)?));
    }
}

fn take_name(bytes: &mut &[u8]) -> Result<String, Error> {
    let size = u16::from_be_bytes(take_array(bytes)?);
    take_string(bytes, usize::from(size))
}

fn take_string(bytes: &mut &[u8], size: usize) -> Result<String, Error> {
    let (taken, rest) =
        bytes.split_at_checked(size).ok_or(Error::Truncated { needed: size, available: bytes.len() })?;
    *bytes = rest;
    Ok(String::from_utf8_lossy(taken).into_owned())
}

fn take_array<const N: usize>(bytes: &mut &[u8]) -> Result<[u8; N], Error> {
    let (taken, rest) =
        bytes.split_first_chunk::<N>().ok_or(Error::Truncated { needed: N, available: bytes.len() })?;
    *bytes = rest;
    Ok(*taken)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> Value {
        Value::EcmaArray(vec![
            ("duration".into(), Value::Number(0.0)),
            ("stereo".into(), Value::Boolean(true)),
            ("encoder".into(), Value::String("Lavf59".into())),
            (
                "keyframes".into(),
                Value::Object(vec![("times".into(), Value::StrictArray(vec![Value::Null]))]),
            ),
            ("when".into(), Value::Date(1e12)),
            ("nothing".into(), Value::Undefined),
        ])
    }

    #[test]
    fn decoding_gives_back_what_was_encoded() {
        let long = Value::String("x".repeat(70_000));
        let mut bytes = Vec::new();
        sample().encode(&mut bytes);
        long.encode(&mut bytes);
        assert_eq!(Value::decode_all(&bytes), Ok(vec![sample(), long]));
    }

    #[test]
    fn every_cut_is_an_error() {
        let mut bytes = Vec::new();
        sample().encode(&mut bytes);
        for cut in 0..bytes.len() {
            let outcome = Value::decode(&mut &bytes[..cut]);
            assert!(matches!(outcome, Err(Error::Truncated { .. })), "cut at {cut}: {outcome:?}");
        }
    }

    #[test]
    fn a_count_of_four_billion_allocates_nothing() {
        let outcome = Value::decode(&mut &[10, 0xff, 0xff, 0xff, 0xff, 5][..]);
        assert_eq!(outcome, Err(Error::Truncated { needed: 1, available: 0 }));
    }

    #[test]
    fn nesting_is_bounded() {
        let nested = [10, 0, 0, 0, 1].repeat(MAX_DEPTH - 1);
        assert!(Value::decode(&mut &[nested.as_slice(), &[5]].concat()[..]).is_ok());
        let deeper = [10, 0, 0, 0, 1].repeat(MAX_DEPTH);
        assert_eq!(Value::decode(&mut &[deeper.as_slice(), &[5]].concat()[..]), Err(Error::TooDeep));
    }

    #[test]
    fn types_without_a_value_are_refused() {
        for found in [4_u8, 7, 9, 13, 15, 16, 17, 0xff] {
            assert_eq!(Value::decode(&mut &[found, 0, 0, 0, 0][..]), Err(Error::Type { found }));
        }
        assert_eq!(Value::decode(&mut &[3, 0, 0, 7][..]), Err(Error::ObjectEnd { found: 7 }));
    }
}
