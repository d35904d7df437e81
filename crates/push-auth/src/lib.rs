//! Signed push URLs: who holds a key of a domain decides who may push there, and until when.
//!
//! This is Alibaba Cloud's URL signing of type A, as a server verifies it.
//! ApsaraVideo Live documents it for push URLs ("Signed ingest and streaming URLs"), Alibaba Cloud CDN the same with an
//! example ("Type A signing"): SPECIFICATIONS.md names both.
//!
//! A signed URL has the argument [`ARGUMENT`], whose value is `{time}-{rand}-{uid}-{md5}`:
//!
//! | part | is |
//! | --- | --- |
//! | `time` | Unix seconds in decimal; the URL holds until the [validity](PushKeys::new) after that time has passed |
//! | `rand`, `uid` | anything without a hyphen; both are usually `0` |
//! | `md5` | MD5 in hexadecimal of `{uri}-{time}-{rand}-{uid}-{key}` |
//!
//! The `uri` is the path of the URL, `/{app}/{stream}`. The domain is not signed, so each should have keys of its own.
//!
//! ```
//! use push_auth::{PushKeys, sign};
//!
//! let mut keys = PushKeys::new(1800);
//! keys.add("live.example.com", "first-key")?;
//! let auth_key = sign("/live/talk", 1_767_225_600, "first-key");
//! let check = |now_s| keys.check("live.example.com", &["/live/talk"], Some(&auth_key), now_s);
//! assert_eq!(check(1_767_225_600), Ok(()));
//! assert!(check(1_767_225_600 + 1801).is_err());
//! # Ok::<(), push_auth::Error>(())
//! ```
//!
//! No clock: the caller gives the time. No error and no `Debug` says anything of a key or a signature.
#![deny(missing_docs)]

mod auth_key;
mod error;
mod keys;

pub use auth_key::{ARGUMENT, sign};
pub use error::Error;
pub use keys::{ANY_DOMAIN, PushKeys};
