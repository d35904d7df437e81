//! Method and path of each call.
//!
//! A path is taken apart before it is decoded: an encoded slash is part of a name, and only an application's may
//! hold one.

use std::fmt;

use http::Method;

use crate::{NameError, StreamPath, name};

/// Longest id of a session, in bytes.
const MAX_SESSION_BYTES: usize = 64;

/// Longest number of a chunk, in decimal digits.
const MAX_SEQ_DIGITS: usize = 15;

/// A session of a stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionPath {
    /// The stream.
    pub stream: StreamPath,
    /// The session's id, as the functions gave it: letters, digits and hyphens.
    pub session: String,
}

/// A chunk of a session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChunkPath {
    /// The session.
    pub session: SessionPath,
    /// The chunk's number, from 0.
    pub seq: u64,
}

/// Where a call goes: its method and its path, with the names and numbers that the path holds.
///
/// [`Display`](fmt::Display) writes the path, percent-encoded; [`parse`](Self::parse) reads it back.
///
/// ```
/// use http::Method;
/// use protocol::{Route, StreamPath};
///
/// let route = Route::Sessions(StreamPath::new("live.example.com", "live", "a b")?);
/// assert_eq!(route.method(), Method::POST);
/// assert_eq!(route.to_string(), "/streams/live.example.com/live/a%20b/sessions");
/// assert_eq!(Route::parse(&Method::POST, &route.to_string()), Ok(route));
/// # Ok::<(), protocol::NameError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Route {
    /// `POST /streams/{domain}/{app}/{stream}/admission`: may a publisher push?
    Admission(StreamPath),
    /// `POST /streams/{domain}/{app}/{stream}/sessions`: a push begins.
    Sessions(StreamPath),
    /// `PUT …/sessions/{session}/chunks/{seq}`: one chunk of a push.
    Chunk(ChunkPath),
    /// `POST …/sessions/{session}/end`: the push has ended.
    End(SessionPath),
    /// `POST /heartbeat`: a gateway is alive.
    Heartbeat,
    /// `POST /tick`: whatever is due is to be done.
    Tick,
    /// `/compose`
    Compose,
    /// `POST /rebuild`: a lost store is to be filled anew.
    Rebuild,
    /// `POST /deliver`: users' servers are to be told what is due.
    Deliver,
}

/// Why a method and a path are no [`Route`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RouteError {
    /// No call has this path.
    #[error("nothing is at {path:?}")]
    NoSuchRoute {
        /// The path as it came.
        path: String,
    },
    /// The path's call has another method.
    #[error("{found} is not answered at {path:?}; {allowed} is")]
    Method {
        /// The path as it came.
        path: String,
        /// The method as it came.
        found: Method,
        /// The only method that the path has.
        allowed: Method,
    },
    /// The domain, application or stream cannot be recorded under its name.
    #[error(transparent)]
    Name(#[from] NameError),
    /// The session's id is none that the functions give.
    #[error("session {session:?} is not 1 to {MAX_SESSION_BYTES} letters, digits and hyphens")]
    Session {
        /// The segment as it came.
        session: String,
    },
    /// The chunk's number is not a decimal number.
    #[error("chunk number {seq:?} is not 1 to {MAX_SEQ_DIGITS} decimal digits")]
    Sequence {
        /// The segment as it came.
        seq: String,
    },
}

impl Route {
    /// The call's only method.
    #[must_use]
    pub fn method(&self) -> Method {
        match self {
            Self::Chunk(_) => Method::PUT,
            Self::Admission(_)
            | Self::Sessions(_)
            | Self::End(_)
            | Self::Heartbeat
            | Self::Tick
            | Self::Compose
            | Self::Rebuild
            | Self::Deliver => Method::POST,
        }
    }

    /// The call's path with the names of its segments in place of what they hold: the same for all calls of a kind.
    #[must_use]
    pub fn template(&self) -> &'static str {
        match self {
            Self::Admission(_) => "/streams/{domain}/{app}/{stream}/admission",
            Self::Sessions(_) => "/streams/{domain}/{app}/{stream}/sessions",
            Self::Chunk(_) => "/streams/{domain}/{app}/{stream}/sessions/{session}/chunks/{seq}",
            Self::End(_) => "/streams/{domain}/{app}/{stream}/sessions/{session}/end",
            Self::Heartbeat => "/heartbeat",
            Self::Tick => "/tick",
            Self::Compose => "/compose",
            Self::Rebuild => "/rebuild",
            Self::Deliver => "/deliver",
        }
    }

    /// The route of a method and of a path without its query.
    ///
    /// # Errors
    /// [`RouteError::NoSuchRoute`] for a path of another shape, whatever its names and method;
    /// [`RouteError::Method`] for another method; else the first name or number that is not one.
    pub fn parse(method: &Method, path: &str) -> Result<Self, RouteError> {
        let check = |allowed: Method| {
            if *method == allowed {
                return Ok(());
            }
            Err(RouteError::Method { path: path.into(), found: method.clone(), allowed })
        };
        let segments: Vec<&str> = path.strip_prefix('/').unwrap_or_default().split('/').collect();
        match segments[..] {
            ["streams", domain, app, stream, "admission"] => {
                check(Method::POST)?;
                Ok(Self::Admission(StreamPath::from_segments(domain, app, stream)?))
            }
            ["streams", domain, app, stream, "sessions"] => {
                check(Method::POST)?;
                Ok(Self::Sessions(StreamPath::from_segments(domain, app, stream)?))
            }
            ["streams", domain, app, stream, "sessions", session, "chunks", seq] => {
                check(Method::PUT)?;
                let session = session_path(domain, app, stream, session)?;
                Ok(Self::Chunk(ChunkPath { session, seq: sequence(seq)? }))
            }
            ["streams", domain, app, stream, "sessions", session, "end"] => {
                check(Method::POST)?;
                Ok(Self::End(session_path(domain, app, stream, session)?))
            }
            ["heartbeat"] => check(Method::POST).map(|()| Self::Heartbeat),
            ["tick"] => check(Method::POST).map(|()| Self::Tick),
            ["compose"] => check(Method::POST).map(|()| Self::Compose),
            ["rebuild"] => check(Method::POST).map(|()| Self::Rebuild),
            ["deliver"] => check(Method::POST).map(|()| Self::Deliver),
            _ => Err(RouteError::NoSuchRoute { path: path.into() }),
        }
    }
}

impl fmt::Display for Route {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Admission(stream) => write!(f, "{}/admission", stream.url_path()),
            Self::Sessions(stream) => write!(f, "{}/sessions", stream.url_path()),
            Self::Chunk(ChunkPath { session, seq }) => write!(f, "{session}/chunks/{seq}"),
            Self::End(session) => write!(f, "{session}/end"),
            Self::Heartbeat | Self::Tick | Self::Compose | Self::Rebuild | Self::Deliver => {
                f.write_str(self.template())
            }
        }
    }
}

impl fmt::Display for SessionPath {
    /// `/streams/{domain}/{app}/{stream}/sessions/{session}`, percent-encoded.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/sessions/{}", self.stream.url_path(), name::encode(&self.session))
    }
}

fn session_path(domain: &str, app: &str, stream: &str, session: &str) -> Result<SessionPath, RouteError> {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b == b'-';
    if session.is_empty() || session.len() > MAX_SESSION_BYTES || !session.bytes().all(plain) {
        return Err(RouteError::Session { session: session.into() });
    }
    Ok(SessionPath { stream: StreamPath::from_segments(domain, app, stream)?, session: session.into() })
}

fn sequence(seq: &str) -> Result<u64, RouteError> {
    let digits = (1..=MAX_SEQ_DIGITS).contains(&seq.len()) && seq.bytes().all(|b| b.is_ascii_digit());
    let number = seq.parse().ok().filter(|_| digits);
    number.ok_or_else(|| RouteError::Sequence { seq: seq.into() })
}

#[cfg(test)]
mod tests;
