//! Alibaba Cloud request signatures: verified as a server does, and made as a client does.
//!
//! Not a client and not a server: no clock, no network, no store. [`v1`] and [`v3`] read from a request what its
//! sender claims ([`Claim`]); a [`Keys`] configuration says whose secret that takes and what the key may do. [`v3::authorization`] signs.
//!
//! | short name | scheme | used by |
//! | --- | --- | --- |
//! | v1 | RPC style, `HMAC-SHA1`, parameters in query and form | `aliyun-python-sdk-core`, `@alicloud/pop-core`, newer SDKs on request |
//! | v3 | `ACS3-HMAC-SHA256`, headers | current SDKs |
//!
//! ```
//! let query = acs::decode_parameters("Action=DescribeRegions&Format=XML&AccessKeyId=testid\
//!     &SignatureMethod=HMAC-SHA1&SignatureVersion=1.0&Version=2014-05-26\
//!     &SignatureNonce=3ee8c1b8-83d3-44af-a94f-4e0ad82fd6cf&Timestamp=2016-02-23T12:46:24Z\
//!     &Signature=OLeaidS1JvxuMvnyHOwuJ%2BuX5qY%3D")?;
//! let claim = acs::v1::claim("GET", &query)?;
//! let keys = acs::Keys::parse("testid:testsecret")?;
//! let key = keys.find(claim.key_id())?;
//! claim.verify(key)?;
//! # Ok::<(), acs::Error>(())
//! ```
#![deny(missing_docs)]

mod claim;
mod encoding;
mod error;
mod keys;
mod limits;
pub mod time;
pub mod v1;
pub mod v3;

pub use claim::Claim;
pub use encoding::{decode_parameters, encode};
pub use error::Error;
pub use keys::{AccessKey, Keys};
pub use limits::{MAX_PARAMETERS, WINDOW_S};
