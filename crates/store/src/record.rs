//! Values with a type and a version.
//!
//! A record is stored as its version in decimal, a space, and its fields as JSON: `2 {"app":"live"}`.
//! Whoever changes a type that is stored raises its [`Record::VERSION`] and keeps what the versions before it wrote
//! readable: a new field gets `#[serde(default)]`, anything more gets a [`Record::decode`] of its own.
//! A record of a later version than this program knows is not read: this program would drop what it does not know
//! when it writes the record again.

use serde::{Serialize, de::DeserializeOwned};

use crate::{Error, Store, limits};

/// A type whose values are stored.
pub trait Record: Serialize + DeserializeOwned {
    /// The version that this program writes; at least 1, and raised with every change of the type.
    const VERSION: u32;

    /// Reads what a version from 1 to [`VERSION`](Record::VERSION) wrote.
    ///
    /// # Errors
    /// The text is not what that version writes.
    fn decode(version: u32, json: &[u8]) -> Result<Self, serde_json::Error> {
        let _ = version;
        serde_json::from_slice(json)
    }
}

/// Reads the record under a key.
///
/// # Errors
/// The store fails, a backend would refuse the key, or [`Error::Unreadable`].
pub async fn read<T: Record>(store: &impl Store, key: &str) -> Result<Option<T>, Error> {
    limits::check_key(key)?;
    let Some(value) = store.get(key).await? else { return Ok(None) };
    decode(key, &value).map(Some)
}

/// Puts a record under a key.
///
/// # Errors
/// The store fails, a backend would refuse the key or the value, or [`Error::Unwritable`].
pub async fn write<T: Record>(store: &impl Store, key: &str, record: &T) -> Result<(), Error> {
    limits::check_key(key)?;
    let value = encode(key, record)?;
    limits::check_value(key, &value)?;
    store.set(key, &value).await
}

/// A record as it is stored.
///
/// # Errors
/// [`Error::Unwritable`]: the type has no form in JSON.
pub fn encode<T: Record>(key: &str, record: &T) -> Result<Vec<u8>, Error> {
    let mut value = format!("{} ", T::VERSION).into_bytes();
    serde_json::to_writer(&mut value, record).map_err(|error| Error::Unwritable {
        key: key.into(),
        version: T::VERSION,
        reason: error.to_string(),
    })?;
    Ok(value)
}

/// A record from what is stored under a key.
///
/// # Errors
/// [`Error::Unreadable`].
pub fn decode<T: Record>(key: &str, value: &[u8]) -> Result<T, Error> {
    let unreadable = |version, reason| Error::Unreadable { key: key.into(), version, reason };
    let (version, json) =
        split(value).ok_or_else(|| unreadable(None, "it does not begin with a version".into()))?;
    if !(1..=T::VERSION).contains(&version) {
        let reason = format!("this program reads versions 1 to {}", T::VERSION);
        return Err(unreadable(Some(version), reason));
    }
    T::decode(version, json).map_err(|error| unreadable(Some(version), error.to_string()))
}

/// The version at the begin of a value, and what follows it.
fn split(value: &[u8]) -> Option<(u32, &[u8])> {
    let space = value.iter().position(|byte| *byte == b' ')?;
    let version = std::str::from_utf8(&value[..space]).ok()?.parse().ok()?;
    Some((version, &value[space + 1..]))
}

#[cfg(test)]
mod tests;
