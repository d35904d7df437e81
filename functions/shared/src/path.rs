//! The paths that name a session or a chunk.
//!
//! The path is taken apart before it is decoded: an encoded slash is part of a name, and refused there.

use protocol::StreamPath;

use crate::Refusal;

/// `/streams/{domain}/{app}/{stream}/sessions/{session}/…`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionPath {
    /// The stream.
    pub stream: StreamPath,
    /// The session's id.
    pub session: String,
}

/// `/streams/{domain}/{app}/{stream}/sessions/{session}/chunks/{seq}`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChunkPath {
    /// The session.
    pub session: SessionPath,
    /// The chunk's number.
    pub seq: u64,
}

/// The stream of `/streams/{domain}/{app}/{stream}/sessions`.
///
/// # Errors
/// 400 for a name that cannot be recorded under, 404 for another path.
pub fn sessions_path(path: &str) -> Result<StreamPath, Refusal> {
    match split(path)[..] {
        ["streams", domain, app, stream, "sessions"] => stream_path(domain, app, stream),
        _ => Err(not_found(path)),
    }
}

impl SessionPath {
    /// Reads `…/sessions/{session}/{action}`.
    ///
    /// # Errors
    /// 400 for a name that cannot be recorded under, 404 for another path.
    pub fn parse(path: &str, action: &str) -> Result<Self, Refusal> {
        match split(path)[..] {
            ["streams", domain, app, stream, "sessions", session, last] if last == action => {
                Self::new(domain, app, stream, session)
            }
            _ => Err(not_found(path)),
        }
    }

    fn new(domain: &str, app: &str, stream: &str, session: &str) -> Result<Self, Refusal> {
        let plain = |b: u8| b.is_ascii_alphanumeric() || b == b'-';
        if session.is_empty() || session.len() > 64 || !session.bytes().all(plain) {
            return Err(Refusal::no_such_session(session));
        }
        Ok(Self { stream: stream_path(domain, app, stream)?, session: session.into() })
    }
}

impl ChunkPath {
    /// Reads the path.
    ///
    /// # Errors
    /// 400 for a name that cannot be recorded under or a number that is not one, 404 for another path.
    pub fn parse(path: &str) -> Result<Self, Refusal> {
        match split(path)[..] {
            ["streams", domain, app, stream, "sessions", session, "chunks", seq] => {
                let session = SessionPath::new(domain, app, stream, session)?;
                let digits = !seq.is_empty() && seq.len() <= 15 && seq.bytes().all(|b| b.is_ascii_digit());
                let number = seq.parse().ok().filter(|_| digits);
                let seq = number.ok_or_else(|| {
                    Refusal::bad_request(
                        "InvalidSequence",
                        format!("chunk number {seq:?} is not 1 to 15 decimal digits"),
                    )
                })?;
                Ok(Self { session, seq })
            }
            _ => Err(not_found(path)),
        }
    }
}

fn split(path: &str) -> Vec<&str> {
    path.strip_prefix('/').unwrap_or(path).split('/').collect()
}

fn stream_path(domain: &str, app: &str, stream: &str) -> Result<StreamPath, Refusal> {
    StreamPath::from_segments(domain, app, stream)
        .map_err(|error| Refusal::bad_request("InvalidName", error.to_string()))
}

fn not_found(path: &str) -> Refusal {
    Refusal::new(http::StatusCode::NOT_FOUND, "NoSuchRoute", format!("nothing is at {path:?}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(result: Result<ChunkPath, Refusal>) -> String {
        result.expect_err("the path should be refused").problem.code
    }

    #[test]
    fn a_chunk_is_named_by_stream_session_and_number() {
        let path =
            ChunkPath::parse("/streams/live.example.com/a%20b/%E7%9B%B4/sessions/0af3-1/chunks/12").unwrap();
        assert_eq!(path.session.stream.to_string(), "live.example.com/a b/直");
        assert_eq!((path.session.session.as_str(), path.seq), ("0af3-1", 12));
    }

    #[test]
    fn names_that_would_leave_their_folder_are_refused() {
        for name in ["..", ".", "%2e%2e", "a%2Fb", "a%5Cb", "%00", "", "%FF", "*"] {
            assert_eq!(
                code(ChunkPath::parse(&format!("/streams/d/a/{name}/sessions/s/chunks/0"))),
                "InvalidName",
                "{name}"
            );
        }
        assert_eq!(code(ChunkPath::parse("/streams/d/a/b/c/sessions/s/chunks/0")), "NoSuchRoute");
        assert_eq!(code(ChunkPath::parse("/streams/d/a/s/sessions/..%2Fx/chunks/0")), "NoSuchSession");
    }

    #[test]
    fn numbers_are_plain_decimal() {
        for seq in ["", "-1", "+1", "1e3", "0x1", "1.0", "9999999999999999", "a"] {
            assert_eq!(
                code(ChunkPath::parse(&format!("/streams/d/a/s/sessions/s/chunks/{seq}"))),
                "InvalidSequence",
                "{seq}"
            );
        }
    }
}
