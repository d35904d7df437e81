//! The tree.

/// One AMF0 value.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// Type 0.
    Number(f64),
    /// Type 1.
    Boolean(bool),
    /// Types 2 and 12; bytes that are not UTF-8 are replaced, as encoders in old locales send them.
    String(String),
    /// Type 3: fields in the order sent, names may repeat.
    Object(Vec<(String, Value)>),
    /// Type 5.
    Null,
    /// Type 6.
    Undefined,
    /// Type 8: named fields too; its count is a hint that is not read.
    EcmaArray(Vec<(String, Value)>),
    /// Type 10.
    StrictArray(Vec<Value>),
    /// Type 11: milliseconds since 1970-01-01 UTC; the time zone is reserved.
    Date(f64),
}

impl Value {
    /// The number, if it is one.
    #[must_use]
    pub fn as_number(&self) -> Option<f64> {
        match self {
            Self::Number(number) => Some(*number),
            _ => None,
        }
    }

    /// The string, if it is one.
    #[must_use]
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Self::String(string) => Some(string),
            _ => None,
        }
    }

    /// The fields, if it is an object or an ECMA array.
    #[must_use]
    pub fn as_fields(&self) -> Option<&[(String, Value)]> {
        match self {
            Self::Object(fields) | Self::EcmaArray(fields) => Some(fields),
            _ => None,
        }
    }

    /// The first field of that name, if it is an object or an ECMA array.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.as_fields()?.iter().find(|(key, _)| key == name).map(|(_, value)| value)
    }
}
