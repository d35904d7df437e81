//! Counters that are never negative, under keys that every backend takes.

use crate::{Error, Store, limits};

/// Adds to a counter and answers its new value.
///
/// # Errors
/// The store fails, a backend would refuse the key, or the counter is negative now.
pub async fn add(store: &impl Store, key: &str, delta: i64) -> Result<u64, Error> {
    limits::check_key(key)?;
    unsigned(key, store.increment(key, delta).await?)
}

/// The value of a counter, without creating it.
///
/// # Errors
/// The store fails, a backend would refuse the key, or the counter is negative.
pub async fn value(store: &impl Store, key: &str) -> Result<u64, Error> {
    limits::check_key(key)?;
    unsigned(key, store.counter(key).await?)
}

fn unsigned(key: &str, value: i64) -> Result<u64, Error> {
    u64::try_from(value).map_err(|_| Error::NegativeCounter { key: key.into(), value })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::memory::{MemoryStore, run};

    #[test]
    fn a_counter_that_becomes_negative_is_told_with_its_key() {
        let store = MemoryStore::default();
        assert_eq!(run(value(&store, "c")), Ok(0));
        assert_eq!(store.keys(), [] as [&str; 0]);
        assert_eq!(run(add(&store, "c", 3)), Ok(3));
        assert_eq!(run(add(&store, "c", -1)), Ok(2));
        assert_eq!(run(value(&store, "c")), Ok(2));
        let error = run(add(&store, "c", -3)).unwrap_err();
        assert_eq!(error.to_string(), "counter \"c\" is -1, and must not be negative");
        assert!(matches!(run(add(&store, "a/b", 1)), Err(Error::Key { .. })));
    }
}
