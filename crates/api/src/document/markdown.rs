//! Markdown for people.

use std::fmt::Write as _;

use super::errors::{COMMON, errors};
use super::prose::{list_name, words};
use crate::{ACTIONS, Access, Action, ApiError, Field, Kind, Parameter, Presence, Shape};

const PREFACE: &str = "\
This page is generated from the definitions of the actions in `crates/api`; a test fails where it is out of date.
The same in machine-readable form is `openapi.json`.

The API is that of Alibaba Cloud Live, version 2016-11-01: its official SDKs work unchanged once their endpoint is \
set to this server.
Everything is at the path `/`, by GET or POST, with parameters in the query, in a form body, or in both.
A request is signed in one of two ways: version 3, `ACS3-HMAC-SHA256`, names the action in the header \
`x-acs-action`; version 1, `HMAC-SHA1`, in the parameter `Action`.
A request is good for 15 minutes and is answered once.
Version 3 is answered in JSON; version 1 in JSON if `Format` is `JSON`, else in XML.

Names of parameters that end in `.N` are lists: `RecordFormat.1.Format`, `RecordFormat.2.Format`, and so on.
An empty value counts as none.
Other parameters than those listed are ignored.
Every answer has a `RequestId`; an error has `RequestId`, `HostId`, `Code` and `Message`.
";

/// The documentation of every action.
#[must_use]
pub fn markdown() -> String {
    let mut page = String::from("# The recording API\n\n");
    page.push_str(PREFACE);
    page.push_str("\n## Actions\n\n| action | does |\n| --- | --- |\n");
    for action in ACTIONS {
        let first = action.summary.split_inclusive(". ").next().unwrap_or_default().trim();
        line(&mut page, format_args!("| [{0}](#{1}) | {first} |", action.name, action.name.to_lowercase()));
    }
    page.push_str("\n## Errors of every action\n\n");
    errors_table(COMMON.iter().map(|fault| ApiError::from(*fault)), &mut page);
    for action in ACTIONS {
        section(action, &mut page);
    }
    page
}

fn line(page: &mut String, text: std::fmt::Arguments<'_>) {
    page.write_fmt(text).expect("writing into a string should not fail");
    page.push('\n');
}

fn section(action: &Action, page: &mut String) {
    line(page, format_args!("\n## {}\n", action.name));
    for sentence in action.summary.split_inclusive(". ") {
        line(page, format_args!("{}", sentence.trim_end()));
    }
    if action.access == Access::Write {
        page.push_str("Not for access keys that may only read.\n");
    }
    page.push_str("\n| parameter | required | value | meaning |\n| --- | --- | --- | --- |\n");
    rows(action.parameters, "", page);
    if !action.answer.is_empty() {
        page.push_str("\n| answer | type | meaning |\n| --- | --- | --- |\n");
        fields(action.answer, "", page);
    }
    page.push_str("\nErrors beside those of every action:\n\n");
    errors_table(errors(action).into_iter(), page);
}

fn rows(parameters: &[Parameter], prefix: &str, page: &mut String) {
    for parameter in parameters {
        let name = list_name(prefix, parameter, "N");
        let required = match parameter.presence {
            Presence::Required => "yes".into(),
            Presence::Optional => "no".into(),
            Presence::Default(value) => format!("no; `{value}`"),
        };
        let (value, summary) = (cell(&words(&parameter.kind)), cell(parameter.summary));
        line(page, format_args!("| {name} | {required} | {value} | {summary} |"));
        if let Kind::Objects { fields, .. } = parameter.kind {
            rows(fields, &format!("{name}."), page);
        }
    }
}

fn fields(list: &[Field], prefix: &str, page: &mut String) {
    for field in list {
        let name = format!("{prefix}{}", field.name);
        let kind = match field.shape {
            Shape::Text => "text",
            Shape::Time => "time",
            Shape::Integer => "integer",
            Shape::Number => "number",
            Shape::Boolean => "boolean",
            Shape::Object(_) => "object",
            Shape::List(_) => "list",
        };
        line(page, format_args!("| {name} | {kind} | {} |", cell(field.summary)));
        match field.shape {
            Shape::Object(inner) => fields(inner, &format!("{name}."), page),
            Shape::List(Shape::Object(inner)) => fields(inner, &format!("{name}[]."), page),
            _ => {}
        }
    }
}

fn errors_table(errors: impl Iterator<Item = ApiError>, page: &mut String) {
    page.push_str("| HTTP | code | message |\n| --- | --- | --- |\n");
    for error in errors {
        line(page, format_args!("| {} | {} | {} |", error.status, error.code, cell(&error.message)));
    }
}

fn cell(text: &str) -> String {
    text.replace('|', "\\|")
}
