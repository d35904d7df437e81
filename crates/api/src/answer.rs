//! Answers, typed: what each field is, for the documents, and how an answer is written, once.

use serde_json::{Map, Value};

use crate::words::Words;

/// One field of an answer.
#[derive(Clone, Copy, Debug)]
pub struct Field {
    /// Its name.
    pub name: &'static str,
    /// Its type.
    pub shape: Shape,
    /// What it says.
    pub summary: &'static str,
}

/// Type of a field of an answer.
#[derive(Clone, Copy, Debug)]
pub enum Shape {
    /// Text.
    Text,
    /// UTC, `yyyy-MM-ddTHH:mm:ssZ`.
    Time,
    /// A whole number.
    Integer,
    /// A number that may have a fraction.
    Number,
    /// `true` or `false`.
    Boolean,
    /// Fields.
    Object(&'static [Field]),
    /// Any number of these, one after the other.
    List(&'static Shape),
}

/// What an action answers besides `RequestId`.
pub trait Answer {
    /// The fields, in the order in which they are written.
    const FIELDS: &'static [Field];

    /// The fields as JSON; what is none is left out.
    fn into_fields(self) -> Map<String, Value>;
}

/// An action that has nothing to tell.
impl Answer for () {
    const FIELDS: &'static [Field] = &[];

    fn into_fields(self) -> Map<String, Value> {
        Map::new()
    }
}

/// What a field of an answer can be.
pub(crate) trait Shaped {
    /// What it is on the wire.
    const SHAPE: Shape;

    /// What is written; nothing for a field that is left out.
    fn into_value(self) -> Option<Value>;
}

macro_rules! shaped {
    ($($type:ty: $shape:ident),*) => {
        $(impl Shaped for $type {
            const SHAPE: Shape = Shape::$shape;

            fn into_value(self) -> Option<Value> {
                Some(self.into())
            }
        })*
    };
}

shaped!(String: Text, &'static str: Text, u16: Integer, u32: Integer, u64: Integer, f64: Number, bool: Boolean);

/// Seconds since 1970, written as `yyyy-MM-ddTHH:mm:ssZ`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Time(pub u64);

impl Shaped for Time {
    const SHAPE: Shape = Shape::Time;

    fn into_value(self) -> Option<Value> {
        Some(acs::time::format(self.0).into())
    }
}

impl<T: Words> Shaped for T {
    const SHAPE: Shape = Shape::Text;

    fn into_value(self) -> Option<Value> {
        Some(self.word().into())
    }
}

impl<T: Shaped> Shaped for Option<T> {
    const SHAPE: Shape = T::SHAPE;

    fn into_value(self) -> Option<Value> {
        self.and_then(T::into_value)
    }
}

impl<T: Shaped> Shaped for Vec<T> {
    const SHAPE: Shape = Shape::List(&T::SHAPE);

    fn into_value(self) -> Option<Value> {
        Some(self.into_iter().filter_map(T::into_value).collect())
    }
}

/// Defines answers and the objects in them. The documentation of a field is what the documents say of it, and its name
/// on the wire follows from its name.
macro_rules! answers {
    ($($(#[$doc:meta])* $name:ident { $($(#[doc = $summary:literal])+ $field:ident: $type:ty,)* })*) => {
        $(
            $(#[$doc])*
            #[derive(Clone, Debug, PartialEq)]
            pub struct $name {
                $($(#[doc = $summary])+ pub $field: $type,)*
            }

            impl $crate::answer::Answer for $name {
                const FIELDS: &'static [$crate::Field] = &[$($crate::Field {
                    name: $crate::wire_name::of!($field),
                    shape: <$type as $crate::answer::Shaped>::SHAPE,
                    summary: concat!($($summary),+).trim_ascii(),
                }),*];

                fn into_fields(self) -> serde_json::Map<String, serde_json::Value> {
                    let mut fields = serde_json::Map::new();
                    $(if let Some(value) = $crate::answer::Shaped::into_value(self.$field) {
                        fields.insert($crate::wire_name::of!($field).into(), value);
                    })*
                    fields
                }
            }

            impl $crate::answer::Shaped for $name {
                const SHAPE: $crate::Shape = $crate::Shape::Object(<Self as $crate::answer::Answer>::FIELDS);

                fn into_value(self) -> Option<serde_json::Value> {
                    Some(serde_json::Value::Object($crate::answer::Answer::into_fields(self)))
                }
            }
        )*
    };
}
pub(crate) use answers;
