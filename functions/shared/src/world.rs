//! What a function asks of its host and of the components.
//!
//! Each function names the traits that it needs. The functions of [`Catalog`], [`Bucket`], [`Media`] and
//! [`Rules`] are those of the WIT interface of the same name, which documents them.

mod catalog;

use std::ops::Range;

use callback::Private;
use http::HeaderMap;
use http::header::AUTHORIZATION;
use naming::Timezone;
use protocol::bearer_token;
use subtle::ConstantTimeEq;

use crate::bucket::{self, Begun, Created, Location, Part, Source};
use crate::catalog::StreamName;
use crate::{Refusal, files, media, rules};

pub use catalog::Catalog;

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

/// Servers that users named, for callbacks.
#[expect(async_fn_in_trait, reason = "functions have one thread; no caller needs a Send bound")]
pub trait Receivers {
    /// Sends a request, whose URI is absolute, and reads the answer's body up to a limit. Where that is 0 the status alone
    /// counts: the body is waited for, since receivers may go on working until it is taken, and may end as it likes. An
    /// answer that is not there after [`CALLBACK_MS`] is none; where its body stalls, that is found out four seconds later
    /// at most. A redirect is an answer like any other.
    ///
    /// # Errors
    /// Why there is no answer.
    async fn call(
        &self,
        request: http::Request<Vec<u8>>,
        max_bytes: usize,
    ) -> Result<http::Response<Vec<u8>>, Unanswered>;

    /// Waits.
    async fn pause(&self, ms: u64);
}

/// What the header User-Agent of callbacks says.
pub const USER_AGENT: &str = concat!("live-recorder/", env!("CARGO_PKG_VERSION"));

/// How long a receiver may take to answer. Unit: ms.
pub const CALLBACK_MS: u64 = 5_000;

/// Why a receiver did not answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unanswered {
    /// In words.
    pub reason: String,
    /// Whether another try would fail the same.
    pub is_final: bool,
}

/// Which rule a push falls under, whether its stream is forbidden, where its domain's callbacks go, and the rules of a lost
/// store.
#[expect(async_fn_in_trait, reason = "functions have one thread; no caller needs a Send bound")]
#[expect(missing_docs, reason = "wit/rules documents each function")]
pub trait Rules {
    async fn find_for_push(&self, stream: StreamName) -> Result<Option<rules::Rule>, rules::Error>;
    async fn get_forbidden(
        &self,
        stream: StreamName,
        now_s: u64,
    ) -> Result<Option<rules::ForbiddenStream>, rules::Error>;
    async fn restore_rules(
        &self,
        after: Option<String>,
        dry_run: bool,
    ) -> Result<rules::Restored, rules::Error>;
    async fn get_notify(&self, domain: &str) -> Result<Option<rules::NotifyConfig>, rules::Error>;
}

/// Bytes that pass between a request, `media` and `bucket` without being held here.
pub trait Streams {
    /// Such bytes.
    type Stream;

    /// A stream of bytes that are at hand.
    fn stream(&self, bytes: Vec<u8>) -> Self::Stream;
}

/// Bytes of an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Piece {
    /// The object.
    pub key: String,
    /// The first byte.
    pub first: u64,
    /// So many.
    pub size: u64,
}

impl Piece {
    /// Most bytes that are read at a time.
    const BLOCK: u64 = 1 << 20;

    /// Its parts that are read at a time, by their first byte and length.
    pub(crate) fn blocks(&self) -> impl Iterator<Item = (u64, u32)> + use<> {
        let end = self.first + self.size;
        let first_of = (self.first..end).step_by(Self::BLOCK as usize);
        first_of.map(move |first| (first, Self::BLOCK.min(end - first) as u32))
    }
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
    async fn put_noted(
        &self,
        at: Location,
        key: &str,
        content_type: &str,
        tag_and_note: (&str, Option<String>),
        size: u64,
        body: Self::Stream,
    ) -> Result<Created, bucket::Error>;
    async fn is_own(&self, at: Location, key: &str, tag: &str) -> Result<bool, bucket::Error>;
    async fn get_small(&self, at: Location, key: &str, max_bytes: u32) -> Result<Vec<u8>, bucket::Error>;
    async fn get_range(
        &self,
        at: Location,
        key: &str,
        first: u64,
        length: u32,
    ) -> Result<Vec<u8>, bucket::Error>;

    /// Hands on bytes that are at hand, then those of several objects, one after the other. Where some cannot be read, the
    /// stream ends there, and the log says why.
    async fn gather<T>(
        &self,
        at: Location,
        head: Vec<u8>,
        pieces: Vec<Piece>,
        reader: impl AsyncFnOnce(Self::Stream) -> T,
    ) -> T;

    async fn begin_upload(
        &self,
        at: Location,
        key: &str,
        content_type: &str,
        tag: &str,
        size: u64,
    ) -> Result<Begun, bucket::Error>;
    async fn upload_part(
        &self,
        at: Location,
        key_and_upload: (&str, &str),
        number: u16,
        size: u64,
        body: Self::Stream,
    ) -> Result<String, bucket::Error>;
    async fn copy_part(
        &self,
        at: Location,
        key_and_upload: (&str, &str),
        number: u16,
        source: Source,
    ) -> Result<String, bucket::Error>;
    async fn complete_upload(
        &self,
        at: Location,
        key_and_upload: (&str, &str),
        tag: &str,
        parts: Vec<Part>,
        copied: bool,
    ) -> Result<Created, bucket::Error>;
    async fn abort_upload(&self, at: Location, key_and_upload: (&str, &str)) -> Result<(), bucket::Error>;
    async fn abort_uploads(&self, at: Location, key: &str) -> Result<u32, bucket::Error>;
    async fn is_replacing(&self, at: Location) -> Result<bool, bucket::Error>;
    async fn look_first(&self, at: Location) -> Result<(), bucket::Error>;

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
        arrival: media::ChunkArrival,
        max_bytes: u64,
    ) -> Result<(media::Slice, Self::Stream), media::Error>;
    /// As [`flv_to_ts`](Self::flv_to_ts), and the chunk's media for record files with its size, to be read after it.
    async fn flv_to_samples(
        &self,
        chunk: Self::Stream,
        state: Vec<u8>,
        arrival: media::ChunkArrival,
        max_bytes: u64,
    ) -> Result<(media::Slice, Self::Stream, u64, Self::Stream), media::Error>;
}

/// Record files of chunks' media.
#[expect(async_fn_in_trait, reason = "functions have one thread; no caller needs a Send bound")]
#[expect(missing_docs, reason = "wit/media documents each function")]
pub trait Files: Streams {
    type RecordFile;

    async fn lay_out(
        &self,
        container: files::Container,
        created_s: u64,
        chunks: Vec<files::Chunk>,
    ) -> Result<(files::Layout, Self::RecordFile), files::Error>;
    async fn media(&self, file: &Self::RecordFile, bytes: Range<u64>) -> Range<u64>;
    async fn write(&self, file: &Self::RecordFile, bytes: Range<u64>, media: Self::Stream) -> Self::Stream;
}

/// Whether callbacks may go to private networks.
///
/// # Errors
/// 503 where the host does not give the variable.
pub async fn private_callbacks(world: &impl Variables) -> Result<Private, Refusal> {
    Ok(match world.variable("private_callbacks").await?.as_str() {
        "true" => Private::Allowed,
        _ => Private::Refused,
    })
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

/// A variable that says `true` or `false`.
///
/// # Errors
/// 503 where it says something else.
pub async fn flag(world: &impl Variables, name: &str) -> Result<bool, Refusal> {
    let text = world.variable(name).await?;
    text.trim().parse().map_err(|_| {
        let message = format!("variable {name} is {text:?}, and has to be true or false");
        Refusal::unavailable("BadVariable", message)
    })
}

/// Where decisions and unfinished work are kept.
///
/// # Errors
/// 503 where the variable does not say `endpoint/bucket`.
pub async fn work_bucket(world: &impl Variables) -> Result<Location, Refusal> {
    let text = world.variable("work_bucket").await?;
    let parts = text.rsplit_once('/').filter(|(endpoint, bucket)| !endpoint.is_empty() && !bucket.is_empty());
    let (endpoint, bucket) = parts.ok_or_else(|| {
        let message = format!("variable work_bucket is {text:?}, and has to be endpoint/bucket");
        Refusal::unavailable("BadVariable", message)
    })?;
    Ok(Location { endpoint: endpoint.into(), bucket: bucket.into() })
}

/// A stream's name for people, `domain/app/stream`.
#[must_use]
pub fn display_name(stream: &StreamName) -> String {
    format!("{}/{}/{}", stream.domain, stream.app, stream.stream)
}

/// Why a push is to end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Denial {
    /// For its publisher.
    pub reason: String,
    /// It is void from then on, or once its stream may be pushed again, Unix milliseconds; `None`: it holds for good.
    pub until_ms: Option<u64>,
}

impl Denial {
    /// Of a stream that is forbidden up to a moment, Unix seconds.
    #[must_use]
    pub fn until(stream: &str, until_s: u64) -> Self {
        let reason = format!("{stream} is forbidden until {}", acs::time::format(until_s));
        Self { reason, until_ms: Some(until_s.saturating_mul(1_000)) }
    }
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
    let Some(token) = bearer_token(header.as_bytes()) else {
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

    /// Bindings copy what is read element by element, and the host holds it as long.
    #[test]
    fn media_is_read_in_lists_of_at_most_a_mebibyte() {
        const MIB: u64 = 1 << 20;
        for size in [0, 1, MIB - 1, MIB, MIB + 1, 32 * MIB, 32 * MIB + 7] {
            let piece = Piece { key: "blocks/x".into(), first: 5, size };
            let mut next = piece.first;
            for (first, length) in piece.blocks() {
                assert_eq!(first, next);
                next += u64::from(length);
                // No more are asked for than it takes.
                assert!(u64::from(length) == MIB || next == piece.first + size, "{length} of {size} bytes");
                assert!(u64::from(length) <= MIB, "{length} of {size} bytes");
            }
            assert_eq!(next, piece.first + size);
        }
    }

    #[test]
    fn only_the_very_token_is_let_in() {
        for scheme in ["Bearer", "bearer", "BEARER"] {
            assert!(check(Some(&format!("{scheme} secret")), "secret"), "{scheme}");
        }
        for header in [None, Some("secret"), Some("Basic secret"), Some("Bearer"), Some("Bearer ")] {
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
