//! What can be wrong with a template or with the name that it expands to.

use crate::{MAX_OBJECT_NAME_BYTES, MAX_TEMPLATE_BYTES};

/// Why a template, a time zone or an object name is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The template is empty.
    #[error("template is empty")]
    Empty,
    /// The template is longer than [`MAX_TEMPLATE_BYTES`].
    #[error("template has {bytes} bytes, at most {MAX_TEMPLATE_BYTES} are allowed")]
    TemplateTooLong {
        /// Length found.
        bytes: usize,
    },
    /// A brace opens and never closes, or closes without having opened.
    #[error("template has an unmatched brace at byte {at}")]
    UnmatchedBrace {
        /// Place of the brace.
        at: usize,
    },
    /// A variable that templates of this kind do not have.
    #[error("template has no variable {{{name}}}, found at byte {at}")]
    UnknownVariable {
        /// The name between the braces.
        name: String,
        /// Place of the opening brace.
        at: usize,
    },
    /// A variable without which two objects would share a name.
    #[error("template lacks {variable}")]
    MissingVariable {
        /// The variable, or the alternatives.
        variable: &'static str,
    },
    /// The time zone is not of the form `+08:00`.
    #[error("time zone {found:?} is not of the form +08:00, within 14 hours of UTC")]
    Timezone {
        /// The text found.
        found: String,
    },
    /// The object name is longer than [`MAX_OBJECT_NAME_BYTES`].
    #[error("object name has {bytes} bytes, at most {MAX_OBJECT_NAME_BYTES} are allowed")]
    NameTooLong {
        /// Length found.
        bytes: usize,
    },
    /// The object name has an empty, `.` or `..` segment.
    #[error("object name {name:?} has the segment {segment:?} at byte {at}")]
    Segment {
        /// The object name.
        name: String,
        /// The segment.
        segment: String,
        /// Its place.
        at: usize,
    },
    /// The object name holds a control character or a backslash.
    #[error("object name {name:?} holds {found:?} at byte {at}")]
    Character {
        /// The object name.
        name: String,
        /// The character.
        found: char,
        /// Its place.
        at: usize,
    },
    /// A name put into the template holds a separator, so that it would choose its own folder.
    #[error("name {name:?} holds a separator, which a template must not receive")]
    Separator {
        /// The application's or the stream's name.
        name: String,
    },
}
