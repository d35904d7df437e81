//! What the rules answer, as their component tells it: for worlds in memory.

use crate::bindings::recorder::rules::rules;

/// An answer of the rules, as their component tells it.
pub(crate) fn told<T>(answer: Result<T, ::rules::Error>) -> Result<T, rules::Error> {
    answer.map_err(|error| match error {
        ::rules::Error::AlreadyExists { .. } => rules::Error::AlreadyExists,
        ::rules::Error::NotFound { .. } => rules::Error::NotFound,
        ::rules::Error::Changed { .. } => rules::Error::Changed,
        other => rules::Error::Store(other.to_string()),
    })
}
