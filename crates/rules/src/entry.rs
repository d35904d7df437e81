//! Entries of a directory: a value in a register of its own, with its slot.

use store::{Record, SharedStore};

use crate::directory::Directory;
use crate::register::{ATTEMPTS, Attempt, Register, State};
use crate::{Error, Triple};

/// A value that names its slot.
pub(crate) trait Entry: Record {
    /// The slot that the directory has it in.
    fn slot(&self) -> u64;
}

/// Enters a value, unless the one before does not allow it. Of concurrent calls that allow none beside theirs exactly one
/// succeeds. `entry` makes the value for a slot.
pub(crate) async fn enter<T: Entry, S: SharedStore>(
    register: &Register<'_, S>,
    directory: &Directory<'_, S>,
    triple: &Triple,
    check: impl Fn(&State<T>) -> Result<(), Error>,
    entry: impl Fn(u64) -> T,
) -> Result<(), Error> {
    for _ in 0..ATTEMPTS {
        check(&register.read().await?)?;
        let slot = directory.take(triple).await?;
        let attempt = register.attempt(|before| {
            check(before)?;
            Ok(Some(entry(slot)))
        });
        match attempt.await? {
            Attempt::Committed(State { value: Some(before), .. }) => {
                return directory.give_back(before.slot()).await;
            }
            Attempt::Committed(_) => return Ok(()),
            Attempt::Declined(error) => {
                directory.give_back(slot).await?;
                return Err(error);
            }
            // Others may have seen the proposal with this slot for a moment: the slot stays taken.
            Attempt::Lost => {}
        }
    }
    Err(register.contended())
}

/// Removes a value, if the check allows it.
pub(crate) async fn remove<T: Entry, S: SharedStore>(
    register: &Register<'_, S>,
    directory: &Directory<'_, S>,
    check: impl Fn(&State<T>) -> Result<(), Error>,
) -> Result<(), Error> {
    let before = register.change(|before| check(before).map(|()| None)).await?;
    match before.value {
        Some(before) => directory.give_back(before.slot()).await,
        None => Ok(()),
    }
}
