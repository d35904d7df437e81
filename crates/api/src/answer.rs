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

#[cfg(test)]
#[expect(unreachable_pub, reason = "the macro defines what others use")]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::words::Order;

    answers! {
        /// An answer.
        Sample {
            /// First.
            total_num: u64,
            /// A choice, said
            /// in two lines.
            order: Order,
            /// A moment.
            start_time: Option<Time>,
            /// A list.
            items: Vec<Item>,
        }

        /// An item of it.
        Item {
            /// A word of Rust.
            r#type: &'static str,
        }
    }

    #[test]
    fn an_answer_is_written_in_order_and_without_what_is_none() {
        let sample = |start_time| Sample {
            total_num: 1,
            order: Order::Descending,
            start_time,
            items: vec![Item { r#type: "push" }],
        };
        let written = Value::Object(sample(Some(Time(0))).into_fields()).to_string();
        let expected =
            r#"{"TotalNum":1,"Order":"desc","StartTime":"1970-01-01T00:00:00Z","Items":[{"Type":"push"}]}"#;
        assert_eq!(written, expected);
        let written = Value::Object(sample(None).into_fields());
        assert_eq!(written, json!({"TotalNum": 1, "Order": "desc", "Items": [{"Type": "push"}]}));
    }

    #[test]
    fn the_documents_say_what_the_fields_say() {
        let said: Vec<_> = Sample::FIELDS.iter().map(|field| (field.name, field.summary)).collect();
        assert_eq!(
            said,
            [
                ("TotalNum", "First."),
                ("Order", "A choice, said in two lines."),
                ("StartTime", "A moment."),
                ("Items", "A list."),
            ]
        );
        assert!(matches!(Sample::FIELDS[2].shape, Shape::Time));
        let Shape::List(Shape::Object([item])) = Sample::FIELDS[3].shape else {
            panic!("no list of objects")
        };
        assert!(item.name == "Type" && matches!(item.shape, Shape::Text));
    }
}
