//! The answers of the actions. The names are the wire's, the original's slips included.

mod content;
mod notify;
mod rules;
mod streams;

pub use content::*;
pub use notify::*;
pub use rules::*;
pub use streams::*;
