//! The store as this component needs it.

use store::Store;

/// A store whose callers can wait for one another.
#[expect(async_fn_in_trait, reason = "used within this component only; no caller needs a Send bound")]
pub trait SharedStore: Store {
    /// Lets others go on for a moment, some 10 ms.
    async fn pause(&self);
}
