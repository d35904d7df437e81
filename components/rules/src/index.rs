//! Which triples of a domain have a rule, without listing keys.
//!
//! A rule takes a slot before it is committed and gives it back after it was removed; slots are numbered by a
//! counter and never reused. A slot only says where to look: the rule counts if its own record names the slot.
//! So a caller that dies in between leaves a slot that leads nowhere, and never hides a rule.
//!
//! A page counts those of its slots that may be in use, never fewer than are, so that listing skips the pages
//! that removed rules have left empty.

use serde::{Deserialize, Serialize};

use crate::{error::Error, key, types::Triple};
use store::SharedStore;

/// Slots a page.
const PAGE: i64 = 64;

/// The index of one domain.
#[derive(Clone, Debug)]
pub struct Index<'a, S> {
    store: &'a S,
    domain: String,
    key: String,
}

#[derive(Serialize, Deserialize)]
struct Entry {
    app: String,
    stream: String,
}

impl<'a, S: SharedStore> Index<'a, S> {
    /// The index of a domain.
    pub fn new(store: &'a S, domain: &str) -> Self {
        Self { store, domain: domain.into(), key: key::index(domain) }
    }

    /// Takes a new slot for a triple.
    ///
    /// # Errors
    /// The store fails.
    pub async fn take(&self, triple: &Triple) -> Result<i64, Error> {
        let slot = self.store.increment(&self.slots(), 1).await?;
        self.store.increment(&self.page(slot / PAGE), 1).await?;
        let entry = Entry { app: triple.app.clone(), stream: triple.stream.clone() };
        let record = serde_json::to_vec(&entry)
            .map_err(|error| Error::Record { key: self.slot(slot), reason: error.to_string() })?;
        self.store.set(&self.slot(slot), &record).await?;
        Ok(slot)
    }

    /// Gives a slot back. To be called at most once a slot, by whoever removed its rule.
    ///
    /// # Errors
    /// The store fails; then the slot leads nowhere and stays.
    pub async fn give_back(&self, slot: i64) -> Result<(), Error> {
        self.store.delete(&self.slot(slot)).await?;
        self.store.increment(&self.page(slot / PAGE), -1).await?;
        Ok(())
    }

    /// Every slot in use and the triple to look at, in the order in which they were taken.
    ///
    /// # Errors
    /// The store fails.
    pub async fn slots_in_use(&self) -> Result<Vec<(i64, Triple)>, Error> {
        let last = self.store.counter(&self.slots()).await?;
        let mut found = Vec::new();
        for page in 0..=last / PAGE {
            if self.store.counter(&self.page(page)).await? == 0 {
                continue;
            }
            for slot in (page * PAGE).max(1)..((page + 1) * PAGE).min(last + 1) {
                let key = self.slot(slot);
                let Some(record) = self.store.get(&key).await? else { continue };
                let Entry { app, stream } = serde_json::from_slice(&record)
                    .map_err(|error| Error::Record { key, reason: error.to_string() })?;
                found.push((slot, Triple { domain: self.domain.clone(), app, stream }));
            }
        }
        Ok(found)
    }

    fn slots(&self) -> String {
        format!("{}/slots", self.key)
    }

    fn page(&self, page: i64) -> String {
        format!("{}/page/{page}", self.key)
    }

    fn slot(&self, slot: i64) -> String {
        format!("{}/slot/{slot}", self.key)
    }
}
