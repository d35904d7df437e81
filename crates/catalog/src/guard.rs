//! Whether the store is one of this layout, and store and work bucket were found fit.

use serde::{Deserialize, Serialize};
use store::record::{read, write};
use store::{Operation, Record, Store};

use crate::decision::WorkBucket;
use crate::error::Error;

const LAYOUT: &str = "m.layout";
const BUCKET: &str = "m.work";

/// What was done about a store that was empty beside a work bucket that was not.
const BEGUN: &str = "m.begun";

/// How far the store is filled anew.
const REBUILD: &str = "m.rebuild";

/// What names of objects begin with that are there once anything is recorded.
const RECORDED: [&str; 3] = ["session/", "log/", "files/"];

/// Counts probes of the store; each has a key of its own behind it, which no other one touches.
const PROBE: &str = "m.probe";

/// What the versions before this layout always left, once a tick had come.
const EARLIER: &str = "due/open";

/// The store holds this layout.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct Layout {}

impl Record for Layout {
    const VERSION: u32 = 1;
}

/// The work bucket that was found fit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Probed {
    endpoint: String,
    bucket: String,
}

impl Record for Probed {
    const VERSION: u32 = 1;
}

/// An empty store may be used though the work bucket is not empty.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct Begun {
    /// When it was filled anew, Unix milliseconds; `None`: somebody said that what was recorded is given up.
    rebuilt_ms: Option<u64>,
}

impl Record for Begun {
    const VERSION: u32 = 1;
}

/// The store is being filled anew.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Rebuild {
    /// Where the next step begins; `None` before the first one.
    pub(crate) at: Option<String>,
    /// Users' buckets that cannot be listed, as `endpoint/bucket`: they are not asked again.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) unseen: Vec<String>,
}

impl Record for Rebuild {
    const VERSION: u32 = 1;
}

/// Checks that the store is empty or holds this layout.
async fn check_layout(store: &impl Store) -> Result<(), Error> {
    if read::<Layout>(store, LAYOUT).await?.is_some() {
        return Ok(());
    }
    // A store that refuses such a key was never one of an earlier version.
    if store.exists(EARLIER).await.unwrap_or(false) {
        return Err(Error::EarlierVersion);
    }
    Ok(write(store, LAYOUT, &Layout {}).await?)
}

/// Whether the work bucket was found fit for decisions; checks the store, too.
///
/// # Errors
/// [`Error::EarlierVersion`]; [`Error::StoreLost`] or [`Error::Rebuilding`]; the store or the work bucket failed.
pub async fn is_probed(
    store: &impl Store,
    work: &impl WorkBucket,
    endpoint: &str,
    bucket: &str,
) -> Result<bool, Error> {
    check_layout(store).await?;
    let probed: Option<Probed> = read(store, BUCKET).await?;
    match probed {
        Some(Probed { endpoint: known, bucket: name }) => {
            Ok((known.as_str(), name.as_str()) == (endpoint, bucket))
        }
        None => check_not_lost(store, work).await.map(|()| false),
    }
}

/// Checks that a store that no work bucket was found fit for is the first one of this work bucket.
async fn check_not_lost(store: &impl Store, work: &impl WorkBucket) -> Result<(), Error> {
    if store.exists(BEGUN).await? {
        return Ok(());
    }
    if store.exists(REBUILD).await? {
        return Err(Error::Rebuilding);
    }
    for prefix in RECORDED {
        if !work.list(prefix, "", 1).await.map_err(Error::WorkBucket)?.is_empty() {
            return Err(Error::StoreLost);
        }
    }
    Ok(())
}

/// Checks that the store may say of a session that there is none: it was not lost, and is not being filled anew.
///
/// # Errors
/// [`Error::StoreLost`] or [`Error::Rebuilding`]; the store or the work bucket failed.
pub async fn check_whole(store: &impl Store, work: &impl WorkBucket) -> Result<(), Error> {
    if store.exists(BUCKET).await? { Ok(()) } else { check_not_lost(store, work).await }
}

/// Has an empty store be used, though the work bucket holds what was recorded before. Changes nothing where the store is
/// in use, or is being filled anew.
///
/// # Errors
/// [`Error::EarlierVersion`]; the store failed.
pub async fn begin_anew(store: &impl Store) -> Result<(), Error> {
    check_layout(store).await?;
    if store.exists(BUCKET).await? || store.exists(REBUILD).await? || store.exists(BEGUN).await? {
        return Ok(());
    }
    Ok(write(store, BEGUN, &Begun { rebuilt_ms: None }).await?)
}

/// Whether the store is being filled anew: what it does not hold may still come.
pub(crate) async fn is_rebuilding(store: &impl Store) -> Result<bool, Error> {
    Ok(store.exists(REBUILD).await?)
}

/// Whether chunks may be lost of a session that began then: the store was filled anew since, or is being.
///
/// # Errors
/// The store failed.
pub async fn may_lack(store: &impl Store, began_ms: u64) -> Result<bool, Error> {
    match read::<Begun>(store, BEGUN).await? {
        Some(begun) => Ok(begun.rebuilt_ms.is_some_and(|rebuilt_ms| began_ms <= rebuilt_ms)),
        None => is_rebuilding(store).await,
    }
}

/// How far the store is filled anew.
pub(crate) enum Rebuilt {
    /// So far.
    To(Rebuild),
    /// As a whole.
    Whole,
}

/// How far the store is filled anew, where it is one that may be.
pub(crate) async fn rebuilt(store: &impl Store) -> Result<Rebuilt, Error> {
    check_layout(store).await?;
    let begun: Option<Begun> = read(store, BEGUN).await?;
    match begun {
        Some(Begun { rebuilt_ms: Some(_) }) => return Ok(Rebuilt::Whole),
        Some(Begun { rebuilt_ms: None }) => return Err(Error::StoreInUse),
        None => {}
    }
    if store.exists(BUCKET).await? {
        return Err(Error::StoreInUse);
    }
    let rebuild: Option<Rebuild> = read(store, REBUILD).await?;
    Ok(Rebuilt::To(rebuild.unwrap_or_default()))
}

/// Notes how far the store is filled anew.
pub(crate) async fn note_rebuilt(store: &impl Store, rebuild: &Rebuild) -> Result<(), Error> {
    Ok(write(store, REBUILD, rebuild).await?)
}

/// Notes that the store is filled anew as a whole.
pub(crate) async fn note_whole(store: &impl Store, now_ms: u64) -> Result<(), Error> {
    write(store, BEGUN, &Begun { rebuilt_ms: Some(now_ms) }).await?;
    Ok(store.delete(REBUILD).await?)
}

/// Notes that the work bucket was found fit for decisions, once the store is found fit, too.
///
/// # Errors
/// The store failed, or it is none that the catalog can rely on.
pub async fn note_probed(store: &impl Store, endpoint: &str, bucket: &str) -> Result<(), Error> {
    probe(store).await?;
    let probed = Probed { endpoint: endpoint.into(), bucket: bucket.into() };
    Ok(write(store, BUCKET, &probed).await?)
}

/// Finds out whether reads see what was written before, and increments give each number once.
///
/// What a store does only now and then goes past this: it finds the ones whose reads are stale as a rule, or that keep
/// counters in a way of their own.
async fn probe(store: &impl Store) -> Result<(), Error> {
    let number = store.increment(PROBE, 1).await?;
    let next = store.increment(PROBE, 1).await?;
    let key = &format!("{PROBE}.{number}");
    let unfit = |operation, reason: String| {
        Err(store::Error::Backend {
            operation,
            key: key.clone(),
            reason: format!("unfit for recording: {reason}"),
        }
        .into())
    };
    if next <= number {
        return unfit(
            Operation::Increment,
            format!("a counter was {number}, and {next} after one was added"),
        );
    }
    for value in [&b"first"[..], b"second"] {
        store.set(key, value).await?;
        let found = store.get(key).await?;
        if found.as_deref() != Some(value) {
            return unfit(Operation::Get, "a value is not what was written before".to_owned());
        }
        if !store.exists(key).await? {
            return unfit(Operation::Exists, "a key is absent that was written before".to_owned());
        }
    }
    store.delete(key).await?;
    if store.exists(key).await? || store.get(key).await?.is_some() {
        return unfit(Operation::Delete, "a key is there that was deleted before".to_owned());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use store::memory::{Actor, MemoryStore, Random, run};

    use super::*;
    use crate::tests::world::MemoryBucket;

    #[test]
    fn an_empty_store_beside_what_was_recorded_is_not_used_until_somebody_says_so() {
        for name in ["session/20260101-a", "log/s/2026-01-01/0000", "files/s/2026-01-01/0000"] {
            let (store, work) = (MemoryStore::with_any_key(), MemoryBucket::default());
            run(work.create_or_read("probe/conditional-create", b"first")).unwrap();
            assert!(!run(is_probed(&store, &work, "e", "b")).unwrap());
            run(work.create_or_read(name, b"")).unwrap();
            for _ in 0..2 {
                let lost = run(is_probed(&store, &work, "e", "b"));
                assert!(matches!(lost, Err(Error::StoreLost)), "{name}: {lost:?}");
            }
            // Nor is a session unknown that it does not hold.
            assert!(matches!(run(check_whole(&store, &work)), Err(Error::StoreLost)), "{name}");
            run(begin_anew(&store)).unwrap();
            assert!(!run(is_probed(&store, &work, "e", "b")).unwrap());
            run(check_whole(&store, &work)).unwrap();
            run(note_probed(&store, "e", "b")).unwrap();
            assert!(run(is_probed(&store, &work, "e", "b")).unwrap());
            run(check_whole(&store, &work)).unwrap();
            assert!(matches!(run(rebuilt(&store)), Err(Error::StoreInUse)));
        }
    }

    #[test]
    fn a_store_that_is_in_use_stays_so_whatever_the_work_bucket_holds() {
        let (store, work) = (MemoryStore::with_any_key(), MemoryBucket::default());
        run(note_probed(&store, "e", "b")).unwrap();
        run(work.create_or_read("session/20260101-a", b"")).unwrap();
        assert!(run(is_probed(&store, &work, "e", "b")).unwrap());
        // Another name of the same bucket.
        assert!(!run(is_probed(&store, &work, "e:1", "b")).unwrap());
        run(begin_anew(&store)).unwrap();
        assert!(!store.keys().contains(&BEGUN.to_owned()));
        assert!(matches!(run(rebuilt(&store)), Err(Error::StoreInUse)));
    }

    #[test]
    fn a_store_that_is_being_filled_is_not_used_and_cannot_be_given_up() {
        let (store, work) = (MemoryStore::with_any_key(), MemoryBucket::default());
        let rebuild = Rebuild { at: Some("log x".into()), ..Rebuild::default() };
        run(note_rebuilt(&store, &rebuild)).unwrap();
        run(begin_anew(&store)).unwrap();
        assert!(matches!(run(is_probed(&store, &work, "e", "b")), Err(Error::Rebuilding)));
        assert!(matches!(run(check_whole(&store, &work)), Err(Error::Rebuilding)));
        assert!(matches!(run(rebuilt(&store)), Ok(Rebuilt::To(found)) if found == rebuild));
        run(note_whole(&store, 7)).unwrap();
        assert!(!run(is_probed(&store, &work, "e", "b")).unwrap());
        assert!(matches!(run(rebuilt(&store)), Ok(Rebuilt::Whole)));
        // What began before may have had chunks that are lost.
        let may_lack = [6, 7, 8].map(|began_ms| run(may_lack(&store, began_ms)).unwrap());
        assert_eq!(may_lack, [true, true, false]);
    }

    #[test]
    fn a_store_of_an_earlier_version_is_refused_with_what_to_do() {
        let store = MemoryStore::with_any_key();
        run(store.increment(EARLIER, 1)).unwrap();
        let error = run(is_probed(&store, &MemoryBucket::default(), "e", "b")).unwrap_err();
        assert!(error.to_string().contains("empty store"), "{error}");
        assert_eq!(store.keys(), [EARLIER]);
    }

    #[test]
    fn a_work_bucket_is_fit_once_it_was_probed_and_no_other_one_is() {
        let store = MemoryStore::with_any_key();
        assert!(!run(is_probed(&store, &MemoryBucket::default(), "e", "b")).unwrap());
        run(note_probed(&store, "e", "b")).unwrap();
        assert!(run(is_probed(&store, &MemoryBucket::default(), "e", "b")).unwrap());
        assert!(!run(is_probed(&store, &MemoryBucket::default(), "e", "other")).unwrap());
    }
    /// What an unfit store gets wrong.
    #[derive(Clone, Copy, Debug, PartialEq)]
    enum Wrong {
        Nothing,
        ReadsAreStale,
        KeysComeLate,
        DeletesComeLate,
        NumbersComeTwice,
        ValuesOutliveTheirKeys,
    }

    /// A store that is wrong in one way.
    struct Unfit {
        store: MemoryStore,
        wrong: Wrong,
        sets: Cell<u32>,
    }

    impl Store for Unfit {
        async fn get(&self, key: &str) -> Result<Option<Vec<u8>>, store::Error> {
            match self.store.get(key).await? {
                None if self.wrong == Wrong::ValuesOutliveTheirKeys => Ok(Some(b"second".into())),
                Some(_) if self.wrong == Wrong::ReadsAreStale && self.sets.get() > 1 => {
                    Ok(Some(b"first".into()))
                }
                value => Ok(value),
            }
        }

        async fn set(&self, key: &str, value: &[u8]) -> Result<(), store::Error> {
            self.sets.set(self.sets.get() + 1);
            self.store.set(key, value).await
        }

        async fn delete(&self, key: &str) -> Result<(), store::Error> {
            if self.wrong == Wrong::DeletesComeLate { Ok(()) } else { self.store.delete(key).await }
        }

        async fn exists(&self, key: &str) -> Result<bool, store::Error> {
            Ok(self.wrong != Wrong::KeysComeLate && self.store.exists(key).await?)
        }

        async fn increment(&self, key: &str, delta: i64) -> Result<i64, store::Error> {
            let value = self.store.increment(key, delta).await?;
            Ok(if self.wrong == Wrong::NumbersComeTwice { 1 } else { value })
        }
    }

    #[test]
    fn a_store_that_gets_one_operation_wrong_is_unfit() {
        let cases = [
            (Wrong::Nothing, None),
            (Wrong::ReadsAreStale, Some("get")),
            (Wrong::KeysComeLate, Some("exists")),
            (Wrong::DeletesComeLate, Some("delete")),
            (Wrong::NumbersComeTwice, Some("increment")),
            (Wrong::ValuesOutliveTheirKeys, Some("delete")),
        ];
        for (wrong, named) in cases {
            let store = Unfit { store: MemoryStore::default(), wrong, sets: Cell::new(0) };
            let noted = run(note_probed(&store, "e", "b"));
            match (&noted, named) {
                (Ok(()), None) => assert_eq!(store.store.keys(), [PROBE, BUCKET]),
                (Err(error), Some(named)) => {
                    let error = error.to_string();
                    assert!(error.contains(&format!("{named} of \"m.probe.1\"")), "{wrong:?}: {error}");
                    assert!(!store.store.keys().contains(&BUCKET.to_owned()), "{wrong:?}");
                }
                _ => panic!("{wrong:?}: {noted:?}"),
            }
        }
    }

    #[test]
    fn probes_at_once_do_not_disturb_each_other() {
        for seed in 0..500 {
            let store = MemoryStore::default();
            let probes: Vec<Actor<'_, Result<(), Error>>> =
                (0..3).map(|_| Box::pin(probe(&store)) as Actor<'_, _>).collect();
            for probed in store.scheduler().run(probes, Random::new(seed).fair()) {
                probed.unwrap().unwrap();
            }
            assert_eq!(store.keys(), [PROBE], "seed {seed}");
        }
    }
}
