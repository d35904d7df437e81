//! RTMP publishing, both ends, as state machines over byte slices.
//!
//! Not a media server: nothing can be played, and audio and video messages are never looked into, so
//! Enhanced RTMP passes through untouched. No sockets and no clock: the caller moves the bytes.
//!
//! | name here | standard |
//! | --- | --- |
//! | RTMP 1.0 | Adobe's Real Time Messaging Protocol, 2012 |
//! | E-RTMP v2 | Enhanced RTMP, version 2 (Veovera) |
//!
//! [`ServerSession`] takes what a publisher sent and gives [`ServerEvent`]s that borrow from it;
//! [`ClientSession`] publishes. Both collect what they have to say in an output buffer.
//!
//! ```
//! use rtmp::{ClientSession, ServerEvent, ServerSession};
//! let mut client = ClientSession::new("rtmp://localhost/live", "live", "talk?key=1");
//! let mut server = ServerSession::new();
//! let publish = loop {
//!     let sent = std::mem::take(client.output());
//!     let mut rest = sent.as_slice();
//!     if let Some(ServerEvent::Publish(publish)) = server.read(&mut rest)? {
//!         break publish;
//!     }
//!     let answered = std::mem::take(server.output());
//!     client.read(&mut answered.as_slice())?;
//! };
//! assert_eq!((publish.app.as_str(), publish.name.as_str()), ("live", "talk?key=1"));
//! # Ok::<(), rtmp::Error>(())
//! ```
//!
//! What cannot be read or has no meaning here is passed over and told as [`Skipped`]; an [`Error`] is what makes
//! the byte stream itself unreadable.
//!
//! Limits against hostile peers: [`MAX_CHUNK_STREAMS`], [`MAX_EARLY_BYTES`], [`MAX_PARTIAL_BYTES`],
//! [`MAX_COMMAND_BYTES`].
#![deny(missing_docs)]

mod chunk;
mod client;
mod command;
mod error;
mod handshake;
mod message;
mod server;

pub use chunk::{ChunkReader, ChunkWriter, MAX_CHUNK_STREAMS, MAX_EARLY_BYTES, MAX_PARTIAL_BYTES};
pub use client::{ClientSession, ClientState};
pub use command::MAX_COMMAND_BYTES;
pub use error::{Error, Skipped};
pub use message::{Media, Message};
pub use server::{Publish, ServerEvent, ServerSession};
