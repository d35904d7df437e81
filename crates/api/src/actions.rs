//! The table of actions.

mod content;
mod notify;
mod rules;
mod streams;

use crate::{Action, Kind, Outside, Parameter, Shape, faults, table::Field};

/// Every action, in the order in which the documents show them.
pub const ACTIONS: &[Action] = &[
    rules::ADD,
    rules::UPDATE,
    rules::DELETE,
    rules::DESCRIBE,
    notify::ADD,
    notify::UPDATE,
    notify::DELETE,
    notify::DESCRIBE,
    notify::RECORDS,
    streams::COMMAND,
    streams::ONLINE_LIST,
    streams::STATE,
    content::CONTENT,
    content::CREATE_INDEX,
    content::INDEXES,
    content::INDEX,
    content::DELETE_INDEXES,
];

/// The action of a name.
#[must_use]
pub fn action(name: &str) -> Option<&'static Action> {
    ACTIONS.iter().find(|action| action.name == name)
}

const DOMAIN: Parameter = Parameter::required("DomainName", Kind::Name, "The streaming domain.");
const APP: Parameter = Parameter::required("AppName", Kind::Name, "The application.");
const STREAM: Parameter = Parameter::required("StreamName", Kind::Name, "The stream.");
const APP_OR_ANY: Parameter =
    Parameter::required("AppName", Kind::NameOrAny, "The application; `*` stands for all.");
const STREAM_OR_ANY: Parameter =
    Parameter::with_default("StreamName", Kind::NameOrAny, "*", "The stream; `*` stands for all.");

const START_TIME: Parameter =
    Parameter::required("StartTime", Kind::Time, "Begin of the range.").or(faults::INVALID_START_TIME);
const END_TIME: Parameter = Parameter::required(
    "EndTime",
    Kind::Time,
    "End of the range: after StartTime, and at most 4 days later.",
)
.or(faults::INVALID_END_TIME);

const PAGE_NUM: Parameter = Parameter::with_default(
    "PageNum",
    Kind::Integer { min: 1, max: i32::MAX as i64, outside: Outside::Clamped },
    "1",
    "Number of the page, from 1.",
);
const PAGE_SIZE: Parameter = Parameter::with_default(
    "PageSize",
    Kind::Integer { min: 5, max: 30, outside: Outside::Clamped },
    "10",
    "Entries a page.",
);
const ORDER: Parameter = Parameter::with_default(
    "Order",
    Kind::Choice(&["asc", "desc"]),
    "asc",
    "By time of creation: `asc`, oldest first, or `desc`.",
);

const fn text(name: &'static str, summary: &'static str) -> Field {
    Field::new(name, Shape::Text, summary)
}

const fn integer(name: &'static str, summary: &'static str) -> Field {
    Field::new(name, Shape::Integer, summary)
}

const fn time(name: &'static str, summary: &'static str) -> Field {
    Field::new(name, Shape::Time, summary)
}
