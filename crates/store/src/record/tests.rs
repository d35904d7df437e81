//! Records across versions of their type.

use serde::Deserialize;

use super::*;
use crate::memory::{MemoryStore, run};

/// A type as it was first.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct First {
    app: String,
}

impl Record for First {
    const VERSION: u32 = 1;
}

/// The same type after a field was added to it.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Second {
    app: String,
    #[serde(default)]
    delay_s: u32,
}

impl Record for Second {
    const VERSION: u32 = 2;
}

/// The same type after a field got another unit, so that the version decides how the field is read.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Third {
    app: String,
    delay_ms: u32,
}

impl Record for Third {
    const VERSION: u32 = 3;

    fn decode(version: u32, json: &[u8]) -> Result<Self, serde_json::Error> {
        if version == 3 {
            return serde_json::from_slice(json);
        }
        let Second { app, delay_s } = serde_json::from_slice(json)?;
        Ok(Self { app, delay_ms: delay_s * 1000 })
    }
}

#[test]
fn a_record_of_the_version_before_is_read_after_a_field_was_added() {
    let store = MemoryStore::default();
    run(write(&store, "k", &First { app: "live".into() })).unwrap();
    assert_eq!(run(store.get("k")).unwrap().unwrap(), b"1 {\"app\":\"live\"}");
    assert_eq!(run(read(&store, "k")), Ok(Some(Second { app: "live".into(), delay_s: 0 })));
    // Written again it is of the new version.
    run(write(&store, "k", &Second { app: "live".into(), delay_s: 15 })).unwrap();
    assert_eq!(run(store.get("k")).unwrap().unwrap(), b"2 {\"app\":\"live\",\"delay_s\":15}");
}

#[test]
fn a_version_decides_how_its_fields_are_read() {
    for (value, delay_ms) in [
        (&b"1 {\"app\":\"live\"}"[..], 0),
        (b"2 {\"app\":\"live\",\"delay_s\":15}", 15_000),
        (b"3 {\"app\":\"live\",\"delay_ms\":15}", 15),
    ] {
        assert_eq!(decode("k", value), Ok(Third { app: "live".into(), delay_ms }));
    }
}

#[test]
fn a_record_that_cannot_be_read_names_its_key_and_version() {
    let told = |value: &[u8]| decode::<Second>("k", value).unwrap_err().to_string();
    assert_eq!(
        told(b"1 {\"stream\":\"s\"}"),
        "record \"k\" of version 1 cannot be read: missing field `app` at line 1 column 14"
    );
    assert_eq!(told(b"2 x"), "record \"k\" of version 2 cannot be read: expected value at line 1 column 1");
    for version in [0, 3] {
        assert_eq!(
            told(format!("{version} {{\"app\":\"live\"}}").as_bytes()),
            format!("record \"k\" of version {version} cannot be read: this program reads versions 1 to 2")
        );
    }
    for value in [&b""[..], b"2", b"{\"app\":\"live\"}", b"\xff 1", b"99999999999 {}"] {
        assert_eq!(told(value), "record \"k\" cannot be read: it does not begin with a version");
    }
}

#[test]
fn what_a_backend_would_refuse_is_not_written() {
    let store = MemoryStore::default();
    let record = First { app: "x".repeat(limits::VALUE_BYTES) };
    assert!(matches!(run(write(&store, "k", &record)), Err(Error::ValueTooLarge { .. })));
    let record = First { app: "live".into() };
    assert!(matches!(run(write(&store, "a/b", &record)), Err(Error::Key { .. })));
    assert!(matches!(run(read::<First>(&store, "a/b")), Err(Error::Key { .. })));
    assert_eq!(store.operations(), 0);
}
