//! What a function asks of its host and of the components.
//!
//! Each function names the traits that it needs. The functions of [`Catalog`], [`Bucket`], [`Media`] and
//! [`Rules`] are those of the WIT interface of the same name, which documents them.

use http::HeaderMap;
use http::header::AUTHORIZATION;
use naming::Timezone;
use subtle::ConstantTimeEq;

use crate::bucket::{self, Created, Location};
use crate::catalog::{
    self, ChunkStatus, Container, DueStreams, Entry, IndexFile, NextFile, PendingOrders, RecordFile, Session,
    Slice, SliceRange, StreamName,
};
use crate::{Refusal, media, rules};

/// The time.
pub trait Clock {
    /// Now, in Unix milliseconds.
    fn now_ms(&self) -> u64;
}

/// Randomness.
pub trait Random {
    /// Sixteen bytes that nobody can foresee.
    fn random(&self) -> [u8; 16];
}

/// The variables of the application.
#[expect(async_fn_in_trait, reason = "functions have one thread; no caller needs a Send bound")]
pub trait Variables {
    /// A variable's value.
    ///
    /// # Errors
    /// 503 where the host does not give it.
    async fn variable(&self, name: &str) -> Result<String, Refusal>;
}

/// Which rule a push falls under.
#[expect(async_fn_in_trait, reason = "functions have one thread; no caller needs a Send bound")]
#[expect(missing_docs, reason = "wit/rules documents each function")]
pub trait Rules {
    async fn find_for_push(&self, stream: StreamName) -> Result<Option<rules::Rule>, rules::Error>;
}

/// What was pushed and recorded, and what is due.
#[expect(async_fn_in_trait, reason = "functions have one thread; no caller needs a Send bound")]
#[expect(missing_docs, reason = "wit/catalog documents each function")]
pub trait Catalog {
    async fn begin(&self, session: Session) -> Result<Session, catalog::Error>;
    async fn get_session(&self, id: &str) -> Result<Session, catalog::Error>;
    async fn end(&self, id: &str, at_ms: u64) -> Result<u64, catalog::Error>;
    async fn heartbeat(&self, gateway: &str, since: u64, at_ms: u64)
    -> Result<PendingOrders, catalog::Error>;

    async fn get_chunk_status(&self, session: &str, seq: u64) -> Result<ChunkStatus, catalog::Error>;
    async fn commit_chunk(
        &self,
        session: &str,
        seq: u64,
        slice: Option<Slice>,
        remux_state: Vec<u8>,
        anchor_ms: u64,
        now_ms: u64,
    ) -> Result<ChunkStatus, catalog::Error>;
    async fn set_names_taken(&self, session: &str, count: u32) -> Result<(), catalog::Error>;

    async fn list_due(&self, now_ms: u64) -> Result<DueStreams, catalog::Error>;
    async fn clear_due(&self, mark: u64) -> Result<(), catalog::Error>;
    async fn set_due(&self, stream: &StreamName, at_ms: u64) -> Result<(), catalog::Error>;
    async fn advance_files(
        &self,
        stream: &StreamName,
        container: Container,
        now_ms: u64,
    ) -> Result<NextFile, catalog::Error>;
    async fn list_entries(
        &self,
        stream: &StreamName,
        slices: SliceRange,
    ) -> Result<Vec<Entry>, catalog::Error>;
    async fn commit_file(&self, stream: &StreamName, file: RecordFile) -> Result<(), catalog::Error>;
    async fn add_index_file(&self, file: IndexFile) -> Result<(), catalog::Error>;
}

/// Bytes that pass between a request, `media` and `bucket` without being held here.
pub trait Streams {
    /// Such bytes.
    type Stream;

    /// A stream of bytes that are at hand.
    fn stream(&self, bytes: Vec<u8>) -> Self::Stream;
}

/// Objects in the users' buckets.
#[expect(async_fn_in_trait, reason = "functions have one thread; no caller needs a Send bound")]
#[expect(missing_docs, reason = "wit/bucket documents each function")]
pub trait Bucket: Streams {
    async fn put_new(
        &self,
        at: Location,
        key: &str,
        content_type: &str,
        tag: &str,
        size: u64,
        body: Self::Stream,
    ) -> Result<Created, bucket::Error>;
    async fn get_small(&self, at: Location, key: &str, max_bytes: u32) -> Result<Vec<u8>, bucket::Error>;

    /// Like [`put_new`](Self::put_new), from bytes that are at hand.
    async fn put_bytes(
        &self,
        at: Location,
        key: &str,
        content_type: &str,
        tag: &str,
        bytes: Vec<u8>,
    ) -> Result<Created, bucket::Error> {
        let size = bytes.len() as u64;
        self.put_new(at, key, content_type, tag, size, self.stream(bytes)).await
    }
}

/// FLV chunks in, transport stream slices out.
#[expect(async_fn_in_trait, reason = "functions have one thread; no caller needs a Send bound")]
#[expect(missing_docs, reason = "wit/media documents each function")]
pub trait Media: Streams {
    async fn flv_to_ts(
        &self,
        chunk: Self::Stream,
        state: Vec<u8>,
        arrival_ms: Option<u64>,
        max_bytes: u64,
    ) -> Result<(media::Slice, Self::Stream), media::Error>;
}

/// The time zone of object names.
///
/// # Errors
/// 503 where the variable is not one.
pub async fn timezone(world: &impl Variables) -> Result<Timezone, Refusal> {
    let text = world.variable("name_timezone").await?;
    text.parse().map_err(|error: naming::Error| {
        Refusal::unavailable("BadVariable", error.to_string()).while_doing("variable name_timezone")
    })
}

/// A stream's name for people, `domain/app/stream`.
#[must_use]
pub fn display_name(stream: &StreamName) -> String {
    format!("{}/{}/{}", stream.domain, stream.app, stream.stream)
}

/// Whether a call carries the ingest token. An empty token lets nobody in.
///
/// # Errors
/// 401 where it does not.
pub async fn authorize(world: &impl Variables, headers: &HeaderMap) -> Result<(), Refusal> {
    compare(headers, &world.variable("ingest_token").await?)
}

fn compare(headers: &HeaderMap, ingest_token: &str) -> Result<(), Refusal> {
    let refuse = |message: &str| Err(Refusal::new(http::StatusCode::UNAUTHORIZED, "Unauthorized", message));
    if ingest_token.is_empty() {
        return refuse("the variable ingest_token is not set, so that no gateway can be let in");
    }
    let Some(header) = headers.get(AUTHORIZATION) else {
        return refuse("the header Authorization is missing; it should be `Bearer <ingest_token>`");
    };
    let Some(token) = header.as_bytes().strip_prefix(b"Bearer ") else {
        return refuse("the header Authorization is not of the form `Bearer <ingest_token>`");
    };
    if bool::from(token.ct_eq(ingest_token.as_bytes())) {
        Ok(())
    } else {
        refuse("the token in the header Authorization is not the ingest token")
    }
}

#[cfg(test)]
mod tests {
    use http::StatusCode;

    use super::*;

    fn check(header: Option<&str>, token: &str) -> bool {
        let mut headers = HeaderMap::new();
        if let Some(header) = header {
            headers.insert(AUTHORIZATION, header.parse().unwrap());
        }
        match compare(&headers, token) {
            Ok(()) => true,
            Err(refusal) => {
                assert_eq!(refusal.status, StatusCode::UNAUTHORIZED);
                false
            }
        }
    }

    #[test]
    fn only_the_very_token_is_let_in() {
        assert!(check(Some("Bearer secret"), "secret"));
        for header in [None, Some("secret"), Some("bearer secret"), Some("Bearer"), Some("Bearer ")] {
            assert!(!check(header, "secret"), "{header:?}");
        }
        for header in ["Bearer secre", "Bearer secrets", "Bearer Secret", "Bearer  secret"] {
            assert!(!check(Some(header), "secret"), "{header:?}");
        }
    }

    #[test]
    fn an_empty_token_lets_nobody_in() {
        assert!(!check(Some("Bearer "), ""));
        assert!(!check(None, ""));
    }
}
