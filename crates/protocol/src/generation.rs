//! How many orders a gateway has been given.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// How many orders a session's gateway knew of, and how many of them begin a new file.
///
/// Written `{orders}.{files}`; `0.0` is what was cut before any answer. A chunk carries the generation that held when
/// it was cut, but never fewer files than an order that its gateway followed before, and a commit goes by that alone.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Generation {
    /// How many orders.
    pub orders: u32,
    /// How many of them begin a new file.
    pub files: u32,
}

/// A text that is no [`Generation`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("generation {found:?} is not two numbers with a dot between them")]
pub struct GenerationError {
    /// The text.
    pub found: String,
}

impl fmt::Display for Generation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.orders, self.files)
    }
}

impl FromStr for Generation {
    type Err = GenerationError;

    fn from_str(text: &str) -> Result<Self, GenerationError> {
        let number = |text: &str| {
            let is_decimal = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
            text.parse().ok().filter(|_| is_decimal)
        };
        let parts = text.split_once('.').and_then(|(orders, files)| Some((number(orders)?, number(files)?)));
        let (orders, files) = parts.ok_or_else(|| GenerationError { found: text.into() })?;
        Ok(Self { orders, files })
    }
}

impl Serialize for Generation {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Generation {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_generation_is_read_back_from_its_text() {
        let generation = Generation { orders: 12, files: 3 };
        assert_eq!(generation.to_string(), "12.3");
        assert_eq!("12.3".parse(), Ok(generation));
        assert_eq!(serde_json::to_string(&generation).unwrap(), r#""12.3""#);
        assert_eq!(serde_json::from_str::<Generation>(r#""12.3""#).unwrap(), generation);
        for text in ["", "1", "1.", ".1", "+1.0", "1.0.0", "-1.0", "1.4294967296", "a.b"] {
            assert_eq!(text.parse::<Generation>(), Err(GenerationError { found: text.into() }));
            assert!(serde_json::from_value::<Generation>(text.into()).is_err(), "{text}");
        }
    }
}
