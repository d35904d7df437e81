//! The header by which a proxy says whose connection it hands on.
//!
//! | name here | standard |
//! | --- | --- |
//! | PROXY protocol | HAProxy, [The PROXY protocol, versions 1 & 2](https://www.haproxy.org/download/3.0/doc/proxy-protocol.txt), 2020/03/05: version 2, the binary format of section 2.2 |
//!
//! [`read`] takes what has come so far. It is strict: what the document does not allow, and what TCP cannot be, is an
//! [`Error`] at the first byte that shows it. Whom to believe is the caller's to know: section 2 asks servers to take
//! the header from configured proxies alone, and to want it from these.
//!
//! ```
//! let header = b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c\xc0\0\x02\x01\xc6\x33\x64\x02\x1f\x90\x07\x8f";
//! let (read, length) = proxy_protocol::read(header)?.expect("the header is whole");
//! let source = read.source.expect("the header names who connected");
//! assert_eq!((source.to_string().as_str(), length), ("192.0.2.1:8080", header.len()));
//! assert_eq!(proxy_protocol::read(&header[..20]), Ok(None), "more bytes are needed");
//! # Ok::<(), proxy_protocol::Error>(())
//! ```
#![deny(missing_docs)]

mod error;
mod header;
mod tlv;

pub use error::{Error, MAX_BYTES};
pub use header::{Header, read};
