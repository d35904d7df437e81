//! Which triples of a domain have an entry, a rule for one, without listing keys.
//!
//! An entry takes a slot before it is committed, names the slot in its own record, and gives the slot back after it was
//! removed; slots are numbered by a counter and never reused. A slot only says where to look: the entry counts if its
//! own record names this very slot. So whatever happens in between, a slot can lead nowhere, but no committed entry is
//! without its slot.
//!
//! A page counts those of its slots that may be in use: it is raised before and lowered after, so it never counts
//! fewer than are. Listing skips the pages that removed entries have left empty.
//!
//! Cost: a domain keeps one counter for each 64 entries ever added.

use serde::{Deserialize, Serialize};
use store::{Record, Store, counter, record};

use crate::{Error, Triple, key};

/// Slots a page.
const PAGE: u64 = 64;

/// A directory of one domain.
#[derive(Clone, Debug)]
pub struct Directory<'a, S> {
    store: &'a S,
    domain: String,
    key: String,
}

/// What a slot holds: the entry's triple without its domain.
#[derive(Serialize, Deserialize)]
struct Entry {
    app: String,
    stream: String,
}

impl Record for Entry {
    const VERSION: u32 = 1;
}

impl<'a, S: Store> Directory<'a, S> {
    /// The directory of a domain's rules.
    pub fn of_rules(store: &'a S, domain: &str) -> Self {
        Self { store, domain: domain.into(), key: key::directory(domain) }
    }

    /// The directory of a domain's forbidden streams.
    pub fn of_forbidden(store: &'a S, domain: &str) -> Self {
        Self { store, domain: domain.into(), key: key::forbidden_directory(domain) }
    }

    /// Takes a new slot for a triple.
    ///
    /// # Errors
    /// The store fails.
    pub async fn take(&self, triple: &Triple) -> Result<u64, Error> {
        let slot = counter::add(self.store, &self.slots(), 1).await?;
        counter::add(self.store, &self.page(slot / PAGE), 1).await?;
        let entry = Entry { app: triple.app.clone(), stream: triple.stream.clone() };
        record::write(self.store, &self.slot(slot), &entry).await?;
        Ok(slot)
    }

    /// Gives a slot back. To be called at most once a slot, by whoever removed its entry.
    ///
    /// # Errors
    /// The store fails; then the slot leads nowhere and stays.
    pub async fn give_back(&self, slot: u64) -> Result<(), Error> {
        self.store.delete(&self.slot(slot)).await?;
        counter::add(self.store, &self.page(slot / PAGE), -1).await?;
        Ok(())
    }

    /// Every slot in use and the triple to look at, in the order in which the slots were taken.
    ///
    /// # Errors
    /// The store fails.
    pub async fn slots_in_use(&self) -> Result<Vec<(u64, Triple)>, Error> {
        let last = self.last().await?;
        let mut found = Vec::new();
        while let Some((slot, triple)) = self.after(found.last().map_or(0, |(slot, _)| *slot), last).await? {
            found.push((slot, triple));
        }
        Ok(found)
    }

    /// The last slot that was taken; 0 where none ever was.
    ///
    /// # Errors
    /// The store fails.
    pub async fn last(&self) -> Result<u64, Error> {
        Ok(counter::value(self.store, &self.slots()).await?)
    }

    /// The first slot in use past one and up to the last one, and the triple to look at. Pages of which nothing is in
    /// use cost one operation each.
    ///
    /// # Errors
    /// The store fails.
    pub async fn after(&self, slot: u64, last: u64) -> Result<Option<(u64, Triple)>, Error> {
        let mut at = slot + 1;
        while at <= last {
            let begins_page = at == 1 || at.is_multiple_of(PAGE);
            if begins_page && counter::value(self.store, &self.page(at / PAGE)).await? == 0 {
                at = (at / PAGE + 1) * PAGE;
                continue;
            }
            let entry: Option<Entry> = record::read(self.store, &self.slot(at)).await?;
            if let Some(Entry { app, stream }) = entry {
                return Ok(Some((at, Triple { domain: self.domain.clone(), app, stream })));
            }
            at += 1;
        }
        Ok(None)
    }

    fn slots(&self) -> String {
        format!("{}.slots", self.key)
    }

    fn page(&self, page: u64) -> String {
        format!("{}.page.{page}", self.key)
    }

    fn slot(&self, slot: u64) -> String {
        format!("{}.slot.{slot}", self.key)
    }
}
