//! One value that many callers change at once, each change decided upon the value before it.
//!
//! The store has no compare-and-swap; what it has is an atomic increment. This is how that suffices:
//!
//! - Each attempt to change the value draws a ticket from a counter. Tickets order the attempts.
//! - The holder of a ticket first settles every ticket below, from the highest down to the first one that was
//!   committed: it waits up to 3 s for an attempt that is under way, and then refuses it for good. What it finds
//!   there is the value before.
//! - It decides, writes the value it proposes under its own ticket, and then commits.
//! - The fate of an attempt is a counter of its own. Committing adds `COMMIT`, refusing adds `REFUSE`: whoever comes
//!   first sees exactly its own number come back, and only then has it won. Odd means committed, even refused.
//!   Whoever comes second takes its number back.
//! - What was settled is marked in the proposal, so that everybody else only reads.
//! - The value is the one under the highest committed ticket; whoever commits removes the one before.
//!
//! **Two changes are never decided on one value.** Let an attempt be committed with ticket e upon the value of ticket
//! c. Each ticket between the two was refused before e was committed, so none of them is ever committed. A later
//! ticket either found e committed, and built on it, or refused e first, and then e was not committed. So the committed
//! attempts form a chain in which each one was decided upon the value of the one before it: of two adds without a
//! delete in between, the second saw the first.
//!
//! **A success is never lost.** A caller is told of success only after its fate answered `COMMIT`. From then on no
//! other attempt commits without having found it.
//!
//! **A crash harms nobody.** A caller that dies before it commits leaves an attempt that the next one refuses; one
//! that dies afterwards leaves a committed value and a caller who was not answered. How long anybody waits matters for
//! speed alone: a caller that stalls for an hour is refused. What the dead leave behind is a few bytes each, never a
//! wrong value.
//!
//! **One thing is settled by patience.** Between refusing an attempt and marking it, the attempt's owner can still add
//! its number, and a third caller that gives up waiting right then finds an odd fate and takes the attempt for
//! committed. If the owner died there, nobody was told otherwise. If it lives and was only that slow, it tries again
//! upon a value that contains its own change: an add may then be told that the value exists already, although what is
//! stored is its own. No success is lost and no two adds succeed even then.
//!
//! **Reading** goes down from the highest ticket to the first committed one and refuses nobody, unless it finds
//! nothing while something was under way; so a value that is being changed is never seen absent. Reading what was
//! never set creates no key. A value at rest keeps three small keys.

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use store::{Record, SharedStore, counter, record};

use crate::Error;

/// Added to an attempt's fate by its owner.
const COMMIT: i64 = 1;

/// Added to an attempt's fate by the holder of a later ticket.
const REFUSE: i64 = 2;

/// How often a change is attempted while others refuse it; more than once only where callers stall or die.
pub(crate) const ATTEMPTS: u32 = 64;

/// How often an attempt under way is looked at before it is refused: some 3 s, where an attempt takes
/// milliseconds.
const PATIENCE: u32 = 300;

/// A state of the register.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct State<T> {
    /// The ticket that it was committed with; 0 where nothing ever was.
    pub ticket: u64,
    /// The value; none where it was removed or never set.
    pub value: Option<T>,
}

/// How one attempt to change the register ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Attempt<T, E> {
    /// The value was changed; this is the one before.
    Committed(State<T>),
    /// The value before did not allow it, and the register is as it was.
    Declined(E),
    /// Another change came between; the register is as that one left it.
    Lost,
}

/// One value in the store, under a key of its own.
#[derive(Clone, Debug)]
pub struct Register<'a, S> {
    store: &'a S,
    key: String,
    patience: u32,
}

/// What lies under a ticket.
#[derive(Serialize, Deserialize)]
struct Proposal<T> {
    mark: Mark,
    value: Option<T>,
}

/// The version is that of the value: the mark is the same in all of them.
impl<T: Record> Record for Proposal<T> {
    const VERSION: u32 = T::VERSION;

    fn decode(version: u32, json: &[u8]) -> Result<Self, serde_json::Error> {
        #[derive(Deserialize)]
        struct Undecoded<'a> {
            mark: Mark,
            #[serde(borrow)]
            value: Option<&'a RawValue>,
        }
        let Undecoded { mark, value } = serde_json::from_slice(json)?;
        let value = value.map(|json| T::decode(version, json.get().as_bytes())).transpose()?;
        Ok(Self { mark, value })
    }
}

/// What is known of a proposal without asking its fate.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
enum Mark {
    Proposed,
    Committed,
    Refused,
}

enum Found<T> {
    Committed(State<T>),
    /// No ticket up to this one was committed, or only such as nobody will ask for any more.
    Nothing {
        /// An attempt on the way down could still be committed.
        undecided: bool,
    },
    /// A committed ticket whose value is gone: a later ticket was committed meanwhile, and its owner removed the value.
    Superseded,
}

enum Settled<T> {
    Committed(Option<T>),
    Refused,
    Undecided,
    Superseded,
}

impl<'a, S: SharedStore> Register<'a, S> {
    /// The register under a key.
    pub fn new(store: &'a S, key: String) -> Self {
        Self { store, key, patience: PATIENCE }
    }

    /// The current state.
    ///
    /// # Errors
    /// The store fails, or other callers change the register again and again.
    pub async fn read<T: Record>(&self) -> Result<State<T>, Error> {
        for attempt in 0..ATTEMPTS {
            let last = counter::value(self.store, &self.tickets()).await?;
            if last == 0 {
                return Ok(State { ticket: 0, value: None });
            }
            // Finding nothing is final only if nothing was undecided on the way and no ticket was drawn since:
            // else a value committed, and the one before it cleared away, behind our back could be missed.
            match self.walk(last, attempt > 0).await? {
                Found::Committed(version) => return Ok(version),
                Found::Nothing { undecided: false }
                    if counter::value(self.store, &self.tickets()).await? == last =>
                {
                    return Ok(State { ticket: 0, value: None });
                }
                Found::Nothing { .. } | Found::Superseded => {}
            }
        }
        Err(self.contended())
    }

    /// Attempts one change: `decide` sees the value before and answers the one after.
    ///
    /// # Errors
    /// The store fails; then the change may have been made or not.
    pub async fn attempt<T: Record, E>(
        &self,
        decide: impl FnOnce(&State<T>) -> Result<Option<T>, E>,
    ) -> Result<Attempt<T, E>, Error> {
        let ticket = counter::add(self.store, &self.tickets(), 1).await?;
        let before = match self.walk(ticket - 1, true).await? {
            Found::Committed(version) => version,
            Found::Nothing { .. } => State { ticket: 0, value: None },
            Found::Superseded => return Ok(Attempt::Lost),
        };
        let after = match decide(&before) {
            Ok(after) => after,
            Err(reason) => {
                self.mark::<T>(ticket, Mark::Refused, None).await?;
                return Ok(Attempt::Declined(reason));
            }
        };
        let after = self.mark(ticket, Mark::Proposed, after).await?;
        if self.add(ticket, COMMIT).await? != COMMIT {
            self.add(ticket, -COMMIT).await?;
            self.mark::<T>(ticket, Mark::Refused, None).await?;
            return Ok(Attempt::Lost);
        }
        self.mark(ticket, Mark::Committed, after).await?;
        // Nobody goes further down than this ticket now. The fates of refused attempts stay, for their owners.
        for below in before.ticket.max(1)..ticket {
            self.store.delete(&self.proposal(below)).await?;
        }
        if before.ticket > 0 {
            self.store.delete(&self.fate(before.ticket)).await?;
        }
        Ok(Attempt::Committed(before))
    }

    /// Changes the value, again and again while others come between.
    ///
    /// # Errors
    /// What `decide` declines with; the store fails; or every attempt is lost.
    pub async fn change<T: Record>(
        &self,
        decide: impl Fn(&State<T>) -> Result<Option<T>, Error>,
    ) -> Result<State<T>, Error> {
        for _ in 0..ATTEMPTS {
            // What is declined anyway draws no ticket.
            decide(&self.read().await?)?;
            match self.attempt(&decide).await? {
                Attempt::Committed(before) => return Ok(before),
                Attempt::Declined(error) => return Err(error),
                Attempt::Lost => {}
            }
        }
        Err(self.contended())
    }

    /// Goes down from a ticket to the first committed one; with `refuse` it leaves none undecided.
    async fn walk<T: Record>(&self, from: u64, refuse: bool) -> Result<Found<T>, Error> {
        let mut undecided = false;
        for ticket in (1..=from).rev() {
            match self.settle(ticket, refuse).await? {
                Settled::Committed(value) => {
                    return Ok(Found::Committed(State { ticket, value }));
                }
                Settled::Refused => {}
                Settled::Undecided => undecided = true,
                Settled::Superseded => return Ok(Found::Superseded),
            }
        }
        Ok(Found::Nothing { undecided })
    }

    /// What became of a ticket.
    async fn settle<T: Record>(&self, ticket: u64, refuse: bool) -> Result<Settled<T>, Error> {
        for look in 0..=self.patience {
            match self.proposed(ticket).await? {
                Some(Proposal { mark: Mark::Committed, value }) => return Ok(Settled::Committed(value)),
                Some(Proposal { mark: Mark::Refused, .. }) => return Ok(Settled::Refused),
                Some(_) if look == 0 && self.store.counter(&self.fate(ticket)).await? == COMMIT => {
                    return self.find_committed(ticket).await;
                }
                _ if !refuse => return Ok(Settled::Undecided),
                _ if look < self.patience => self.store.pause().await,
                _ => {}
            }
        }
        if self.add(ticket, REFUSE).await? % 2 == 0 {
            self.mark::<T>(ticket, Mark::Refused, None).await?;
            return Ok(Settled::Refused);
        }
        self.add(ticket, -REFUSE).await?;
        self.find_committed(ticket).await
    }

    /// A ticket that is committed, and that its owner has not marked yet, or did not live to mark: that is ours
    /// to do then, for later readers.
    async fn find_committed<T: Record>(&self, ticket: u64) -> Result<Settled<T>, Error> {
        match self.proposed(ticket).await? {
            Some(Proposal { mark: Mark::Refused, .. }) => Ok(Settled::Refused),
            Some(Proposal { mark: Mark::Committed, value }) => Ok(Settled::Committed(value)),
            Some(Proposal { mark: Mark::Proposed, value }) => {
                self.mark(ticket, Mark::Committed, value).await.map(Settled::Committed)
            }
            None => Ok(Settled::Superseded),
        }
    }

    async fn proposed<T: Record>(&self, ticket: u64) -> Result<Option<Proposal<T>>, Error> {
        Ok(record::read(self.store, &self.proposal(ticket)).await?)
    }

    /// Writes a proposal, and gives its value back.
    async fn mark<T: Record>(&self, ticket: u64, mark: Mark, value: Option<T>) -> Result<Option<T>, Error> {
        let proposal = Proposal { mark, value };
        record::write(self.store, &self.proposal(ticket), &proposal).await?;
        Ok(proposal.value)
    }

    /// Adds to the fate of an attempt, and answers what it is now: less than 0 where the fate was removed with its
    /// superseded value before everybody had taken back a number.
    async fn add(&self, ticket: u64, number: i64) -> Result<i64, Error> {
        Ok(self.store.increment(&self.fate(ticket), number).await?)
    }

    /// The same register for a caller of less patience.
    #[cfg(test)]
    pub(crate) fn with_patience(self, patience: u32) -> Self {
        Self { patience, ..self }
    }

    /// What to answer when [`ATTEMPTS`] did not suffice.
    pub(crate) fn contended(&self) -> Error {
        Error::Contended { key: self.key.clone(), attempts: ATTEMPTS }
    }

    fn tickets(&self) -> String {
        format!("{}.tickets", self.key)
    }

    fn proposal(&self, ticket: u64) -> String {
        format!("{}.{ticket}", self.key)
    }

    fn fate(&self, ticket: u64) -> String {
        format!("{}.{ticket}.fate", self.key)
    }
}
