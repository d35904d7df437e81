//! Key-value as guests see it, and the store on disk beneath it.

use std::collections::BTreeSet;
use std::sync::Arc;

use async_trait::async_trait;
use futures::future::join_all;
use host::key_value::disk::DiskStore;
use host::key_value::{KeyValue, KeyValueError};
use http::StatusCode;

use crate::support::{builder, get, manifest, probe};

const GRANT: &str = "key_value_stores = [\"default\"]";

#[tokio::test]
async fn what_is_set_is_got_through_every_handle() {
    get(&probe(GRANT), "/key-value").await.granted();
}

#[tokio::test]
async fn errors_when_the_store_is_not_granted() {
    let host = probe("");
    assert_eq!(get(&host, "/key-value").await.refused(), "Error::AccessDenied");
    assert_eq!(get(&host, "/increment?a").await.refused(), "Error::AccessDenied");
}

#[tokio::test]
async fn errors_when_the_label_is_another() {
    assert_eq!(get(&probe(GRANT), "/other-store").await.refused(), "Error::AccessDenied");
}

#[tokio::test]
async fn compare_and_swap_is_refused_in_words() {
    let refused = get(&probe(GRANT), "/compare-and-swap").await.refused();
    assert!(refused.contains("compare-and-swap is not supported"), "{refused}");
}

#[tokio::test]
async fn every_key_is_listed() {
    let host = probe(GRANT);
    for key in ["b", "a", "c"] {
        get(&host, &format!("/increment?{key}")).await.granted();
    }
    assert_eq!(get(&host, "/keys").await.granted(), "a b c");
}

#[tokio::test]
async fn concurrent_increments_are_all_distinct() {
    let host = probe(GRANT);
    let answers = join_all((0..300).map(|_| get(&host, "/increment?counter"))).await;
    let seen: BTreeSet<u32> = answers.into_iter().map(|answer| answer.granted().parse().unwrap()).collect();
    assert_eq!(seen, (1..=300).collect());
}

#[tokio::test]
async fn the_store_on_disk_keeps_what_was_acknowledged() {
    let directory = tempfile::tempdir().unwrap();
    {
        let store = DiskStore::open(directory.path()).unwrap();
        store.set("a".into(), b"1".to_vec()).await.unwrap();
        store.set("b".into(), Vec::new()).await.unwrap();
        store.delete("a".into()).await.unwrap();
        store.delete("absent".into()).await.unwrap();
        assert_eq!(store.increment("n".into(), 5).await.unwrap(), 5);
    }
    let store = DiskStore::open(directory.path()).unwrap();
    assert_eq!(store.get("a").await.unwrap(), None);
    assert!(!store.exists("a").await.unwrap());
    assert_eq!(store.get("b").await.unwrap(), Some(Vec::new()));
    assert_eq!(store.increment("n".into(), -7).await.unwrap(), -2);
    assert_eq!(store.keys().await.unwrap(), ["b", "n"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn concurrent_writers_lose_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let store = Arc::new(DiskStore::open(directory.path()).unwrap());
    let writers = (0..16).map(|writer| {
        let store = store.clone();
        tokio::spawn(async move {
            for round in 0..20 {
                store.set(format!("{writer}/{round}"), vec![writer; round]).await.unwrap();
                assert_eq!(store.get(&format!("{writer}/{round}")).await.unwrap(), Some(vec![writer; round]));
                store.increment("sum".into(), 1).await.unwrap();
            }
        })
    });
    for writer in join_all(writers).await {
        writer.unwrap();
    }
    assert_eq!(store.increment("sum".into(), 0).await.unwrap(), 320);
    assert_eq!(store.keys().await.unwrap().len(), 321);
}

#[tokio::test]
async fn an_increment_that_cannot_be_changes_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let store = DiskStore::open(directory.path()).unwrap();
    store.set("text".into(), b"abc".to_vec()).await.unwrap();
    let error = store.increment("text".into(), 1).await.unwrap_err();
    assert!(matches!(error, KeyValueError::NotACounter { length: 3, .. }), "{error}");
    assert_eq!(store.get("text").await.unwrap().as_deref(), Some(&b"abc"[..]));
    store.increment("n".into(), i64::MAX).await.unwrap();
    let error = store.increment("n".into(), 1).await.unwrap_err();
    assert!(matches!(error, KeyValueError::CounterOverflow { value: i64::MAX, .. }), "{error}");
    assert_eq!(store.increment("n".into(), 0).await.unwrap(), i64::MAX);
}

#[tokio::test]
async fn a_store_that_was_larger_gives_the_disk_back_what_it_does_not_need() {
    let directory = tempfile::tempdir().unwrap();
    let size = || std::fs::metadata(directory.path().join("store.redb")).unwrap().len();
    {
        let store = DiskStore::open(directory.path()).unwrap();
        let set = |number: usize| store.set(format!("{number}"), vec![7; 256 << 10]);
        join_all((0..400).map(set)).await.into_iter().collect::<Result<(), _>>().unwrap();
        // What is left lies all over the file, also at its end.
        let deleted = (0..400).filter(|number| number % 40 != 39);
        let delete = |number: usize| store.delete(format!("{number}"));
        join_all(deleted.map(delete)).await.into_iter().collect::<Result<(), _>>().unwrap();
    }
    assert!(size() > 48 << 20, "{}", size());
    let store = DiskStore::open(directory.path()).unwrap();
    assert!(size() < 16 << 20, "{}", size());
    assert_eq!(store.get("399").await.unwrap().unwrap().len(), 256 << 10);
    assert_eq!(store.get("1").await.unwrap(), None);
}

#[test]
fn a_store_that_is_open_elsewhere_is_named() {
    let directory = tempfile::tempdir().unwrap();
    let _open = DiskStore::open(directory.path()).unwrap();
    let error = format!("{:#}", DiskStore::open(directory.path()).err().unwrap());
    assert!(error.contains("store.redb"), "{error}");
}

#[test]
fn a_database_of_spin_is_not_taken_for_a_store_and_stays_as_it_is() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("sqlite_key_value.db");
    let bytes = [b"SQLite format 3\0".as_slice(), &[7; 4_080]].concat();
    std::fs::write(&path, &bytes).unwrap();
    let error = DiskStore::open_file(&path).err().unwrap().to_string();
    assert!(error.contains("SQLite") && error.contains("sqlite_key_value.db"), "{error}");
    assert_eq!(std::fs::read(&path).unwrap(), bytes);
}

/// A store whose last write failed.
pub(crate) struct Failing;

fn failed() -> KeyValueError {
    KeyValueError::Store("the disk is full".into())
}

#[async_trait]
impl KeyValue for Failing {
    async fn get(&self, _: &str) -> Result<Option<Vec<u8>>, KeyValueError> {
        Err(failed())
    }

    async fn set(&self, _: String, _: Vec<u8>) -> Result<(), KeyValueError> {
        Err(failed())
    }

    async fn delete(&self, _: String) -> Result<(), KeyValueError> {
        Err(failed())
    }

    async fn exists(&self, _: &str) -> Result<bool, KeyValueError> {
        Err(failed())
    }

    async fn increment(&self, _: String, _: i64) -> Result<i64, KeyValueError> {
        Err(failed())
    }

    async fn keys(&self) -> Result<Vec<String>, KeyValueError> {
        Err(failed())
    }

    fn health(&self) -> Result<(), KeyValueError> {
        Err(failed())
    }
}

#[tokio::test]
async fn a_host_whose_store_fails_is_not_well() {
    let host = builder(manifest("source = \"probe.wasm\"")).key_value(Arc::new(Failing)).build().unwrap();
    let answer = get(&host, "/.well-known/spin/health").await;
    assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(answer.body, "the key-value store fails");
}
