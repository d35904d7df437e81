//! Documents generated from the table: Markdown for people, OpenAPI for programs.
//!
//! Both lie in `docs/`; a test fails where they differ from what the table says, and writes them anew if asked.

mod markdown;
mod openapi;

pub use markdown::markdown;
pub use openapi::openapi;

use crate::{Action, ApiError, Fault, Kind, Outside, Parameter, faults, values::MAX_VALUE_BYTES};

/// The errors that any action can have.
const COMMON: &[Fault] = &[
    faults::SIGNATURE_DOES_NOT_MATCH,
    faults::INCOMPLETE_SIGNATURE,
    faults::INVALID_ACCESS_KEY_ID_NOT_FOUND,
    faults::INVALID_ACCESS_KEY_ID_INACTIVE,
    faults::SIGNATURE_NONCE_USED,
    faults::INVALID_TIME_STAMP_FORMAT,
    faults::INVALID_TIME_STAMP_EXPIRED,
    faults::FORBIDDEN,
    faults::MISSING_ACTION,
    faults::INVALID_ACTION_NOT_FOUND,
    faults::MISSING_VERSION,
    faults::INVALID_VERSION,
    faults::UNSUPPORTED_METHOD,
    faults::UNSUPPORTED_CONTENT_TYPE,
    faults::REQUEST_TOO_LARGE,
    faults::INVALID_ENCODING,
    faults::DUPLICATE_PARAMETER,
    faults::TOO_MANY_PARAMETERS,
    faults::SERVICE_UNAVAILABLE,
    faults::INTERNAL_ERROR,
];

/// The errors of an action: those of its parameters, in their order, and its own.
fn errors(action: &Action) -> Vec<ApiError> {
    let mut errors = Vec::new();
    parameter_errors(action.parameters, &mut errors);
    for fault in action.faults {
        let error = ApiError::from(*fault);
        if !errors.contains(&error) {
            errors.push(error);
        }
    }
    errors
}

fn parameter_errors(parameters: &[Parameter], errors: &mut Vec<ApiError>) {
    for parameter in parameters {
        let missing =
            (parameter.presence == crate::Presence::Required).then(|| ApiError::missing(parameter.name));
        let empty = parameter.empty.map(ApiError::from);
        let malformed = match (parameter.malformed, parameter.kind) {
            (Some(fault), _) => ApiError::from(fault),
            (None, _) => ApiError::malformed(parameter.name),
        };
        for error in missing.into_iter().chain(empty).chain([malformed]) {
            if !errors.contains(&error) {
                errors.push(error);
            }
        }
        if let Kind::Objects { fields, .. } = parameter.kind {
            parameter_errors(fields, errors);
        }
    }
}

/// A type and its limits, in words.
fn words(kind: &Kind) -> String {
    match *kind {
        Kind::Name => {
            "a name of 1 to 255 bytes, without `/`, `\\` and control characters, not `.`, `..` or `*`".into()
        }
        Kind::NameOrAny => {
            "a name of 1 to 255 bytes, without `/`, `\\` and control characters, or `*`".into()
        }
        Kind::Text(max) => format!("text of at most {max} bytes"),
        Kind::Alphanumeric(min, max) => format!("{min} to {max} letters and digits"),
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
        Kind::Template(_) => format!("a template of at most {} bytes", naming::MAX_TEMPLATE_BYTES),
        Kind::Bucket => "3 to 63 lower-case letters, digits, hyphens and dots".into(),
        Kind::Endpoint => "`host` or `host:port`, with or without `http://` or `https://`".into(),
        Kind::Url => format!("an `http` or `https` URL of at most {MAX_VALUE_BYTES} bytes"),
        Kind::List { item, max } => format!("up to {max} times: {}", words(item)),
        Kind::Objects { max, .. } => format!("up to {max} items"),
    }
}

/// The name of a parameter of a list, as it is written for its first item.
fn list_name(prefix: &str, parameter: &Parameter, item: &str) -> String {
    match parameter.kind {
        Kind::List { .. } | Kind::Objects { .. } => format!("{prefix}{}.{item}", parameter.name),
        _ => format!("{prefix}{}", parameter.name),
    }
}
