//! What the table of actions is made of.

use crate::Fault;

/// One action of the API.
#[derive(Clone, Copy, Debug)]
pub struct Action {
    /// Its name on the wire.
    pub name: &'static str,
    /// What it does, in a sentence or a few.
    pub summary: &'static str,
    /// What a key needs to call it.
    pub access: Access,
    /// What it takes. Any other parameter is ignored.
    pub parameters: &'static [Parameter],
    /// What it answers besides `RequestId`.
    pub answer: &'static [Field],
    /// What can go wrong besides what the parameters and the signature can.
    pub faults: &'static [Fault],
}

/// What a key needs to call an action.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Reading alone.
    Read,
    /// Changing what is configured or recorded.
    Write,
}

/// One parameter of an action, or one field of the items of a list parameter.
#[derive(Clone, Copy, Debug)]
pub struct Parameter {
    /// Its name on the wire.
    pub name: &'static str,
    /// Type and limits.
    pub kind: Kind,
    /// Whether it has to be there, and what counts if it is not.
    pub presence: Presence,
    /// What it means.
    pub summary: &'static str,
    /// The error for a wrong value, where it is not the pattern `Invalid…​.Malformed`.
    pub malformed: Option<Fault>,
    /// The error for an empty value, where that is not the same as none.
    pub empty: Option<Fault>,
}

impl Parameter {
    /// A parameter that has to be there.
    pub(crate) const fn required(name: &'static str, kind: Kind, summary: &'static str) -> Self {
        Self { name, kind, presence: Presence::Required, summary, malformed: None, empty: None }
    }

    /// A parameter that may be absent.
    pub(crate) const fn optional(name: &'static str, kind: Kind, summary: &'static str) -> Self {
        Self { presence: Presence::Optional, ..Self::required(name, kind, summary) }
    }

    /// A parameter with a default, as it would be written on the wire.
    pub(crate) const fn with_default(
        name: &'static str,
        kind: Kind,
        default: &'static str,
        summary: &'static str,
    ) -> Self {
        Self { presence: Presence::Default(default), ..Self::required(name, kind, summary) }
    }

    /// The same, with an error of its own for a wrong value.
    pub(crate) const fn or(self, malformed: Fault) -> Self {
        Self { malformed: Some(malformed), ..self }
    }

    /// The same, with an error of its own for an empty value.
    pub(crate) const fn or_if_empty(self, empty: Fault) -> Self {
        Self { empty: Some(empty), ..self }
    }
}

/// Whether a parameter has to be there. An empty value counts as none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Presence {
    /// Its absence is the error `Missing…`.
    Required,
    /// Its absence means something of its own.
    Optional,
    /// Its absence means this value.
    Default(&'static str),
}

/// Type and limits of a parameter.
#[derive(Clone, Copy, Debug)]
pub enum Kind {
    /// The name of one domain, application or stream.
    Name,
    /// Such a name, or `*` for all.
    NameOrAny,
    /// Any text without control characters, of at most so many bytes.
    Text(usize),
    /// Letters and digits, so many at least and at most.
    Alphanumeric(usize, usize),
    /// A whole number in a range, both ends included.
    Integer {
        /// The least.
        min: i64,
        /// The greatest.
        max: i64,
        /// What becomes of a number outside.
        outside: Outside,
    },
    /// One of these numbers.
    OneOf(&'static [i64]),
    /// `true` or `false`, in any case.
    Boolean,
    /// UTC, `yyyy-MM-ddTHH:mm:ssZ`; Unix seconds once read.
    Time,
    /// One of these words.
    Choice(&'static [&'static str]),
    /// An object-name template.
    Template(naming::Kind),
    /// The name of a bucket.
    Bucket,
    /// The endpoint of a bucket.
    Endpoint,
    /// An `http` or `https` URL.
    Url,
    /// `Name.1`, `Name.2` …, so many at most.
    List {
        /// What each item is.
        item: &'static Kind,
        /// Most items.
        max: usize,
    },
    /// `Name.1.Field`, `Name.2.Field` …, so many at most.
    Objects {
        /// The fields of each item.
        fields: &'static [Parameter],
        /// Most items.
        max: usize,
    },
}

/// What becomes of a number outside its range.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outside {
    /// It is an error.
    Refused,
    /// The nearest number of the range counts.
    Clamped,
}

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

impl Field {
    pub(crate) const fn new(name: &'static str, shape: Shape, summary: &'static str) -> Self {
        Self { name, shape, summary }
    }
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
