//! Types and names of parameters, in words.

use crate::parameter::MAX_VALUE_BYTES;
use crate::{Kind, Outside, Parameter, Text};

/// A type and its limits.
pub(super) fn words(kind: &Kind) -> String {
    match *kind {
        Kind::Text(text) => text_words(text),
        Kind::Integer { min, max, outside: Outside::Refused } => format!("{min} to {max}"),
        Kind::Integer { min, max, outside: Outside::Clamped } => {
            format!("{min} to {max}; a number outside counts as the nearest inside")
        }
        Kind::OneOf(numbers) => {
            numbers.iter().map(|number| format!("`{number}`")).collect::<Vec<_>>().join(", ")
        }
        Kind::Boolean => "`true` or `false`".into(),
        Kind::Time => "UTC, `yyyy-MM-ddTHH:mm:ssZ`".into(),
        Kind::Choice(words) => words.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", "),
        Kind::List { item, max } => format!("up to {max} times: {}", text_words(item)),
        Kind::Objects { max, .. } => format!("up to {max} items"),
    }
}

fn text_words(text: Text) -> String {
    match text {
        Text::Name => {
            "a name of 1 to 255 bytes, without `/`, `\\` and control characters, not `.`, `..` or `*`".into()
        }
        Text::NameOrAny => {
            "a name of 1 to 255 bytes, without `/`, `\\` and control characters, or `*`".into()
        }
        Text::App => {
            "a name of 1 to 255 bytes, of one level or several joined by `/`, each without `\\` and control \
             characters, not `.`, `..` or `*`"
                .into()
        }
        Text::AppOrAny => {
            "a name of 1 to 255 bytes, of one level or several joined by `/`, each without `\\` and control \
             characters, not `.` or `..`; or `*`"
                .into()
        }
        Text::Any(max) => format!("text of at most {max} bytes"),
        Text::Alphanumeric(min, max) => format!("{min} to {max} letters and digits"),
        Text::Template(_) => format!("a template of at most {} bytes", naming::MAX_TEMPLATE_BYTES),
        Text::Bucket => "3 to 63 lower-case letters, digits, hyphens and dots".into(),
        Text::Endpoint => "`host` or `host:port`, with or without `http://` or `https://`".into(),
        Text::Url => format!("an `http` or `https` URL of at most {MAX_VALUE_BYTES} bytes"),
    }
}

/// The name of a parameter of a list, as it is written for its first item.
pub(super) fn list_name(prefix: &str, parameter: &Parameter, item: &str) -> String {
    match parameter.kind {
        Kind::List { .. } | Kind::Objects { .. } => format!("{prefix}{}.{item}", parameter.name),
        _ => format!("{prefix}{}", parameter.name),
    }
}
