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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_gives_what_it_is_and_nothing_else() {
        let fields = vec![
            ("app".into(), Value::String("live".into())),
            ("fps".into(), Value::Number(29.97)),
            ("app".into(), Value::Null),
        ];
        for value in [Value::Object(fields.clone()), Value::EcmaArray(fields.clone())] {
            assert_eq!(
                (value.as_fields(), value.as_str(), value.as_number()),
                (Some(&fields[..]), None, None)
            );
            // Names may repeat: the first one counts.
            assert_eq!(value.get("app").and_then(Value::as_str), Some("live"));
            assert_eq!(value.get("fps").and_then(Value::as_number), Some(29.97));
            assert_eq!(value.get("none"), None);
        }
        for value in
            [Value::Null, Value::Boolean(true), Value::Date(1.0), Value::StrictArray(vec![Value::Null])]
        {
            assert_eq!((value.as_fields(), value.as_str(), value.as_number()), (None, None, None));
            assert_eq!(value.get("app"), None);
        }
        assert_eq!((fields[0].1.as_number(), fields[1].1.as_str()), (None, None));
    }
}
