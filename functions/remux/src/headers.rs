//! What the headers of a chunk say.

use std::str::FromStr;

use http::HeaderMap;
use http::header::CONTENT_LENGTH;
use protocol::{CHUNK_OFFSET_HEADER, CHUNK_TIME_HEADER};
use shared::Refusal;

/// What the headers of a chunk say.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ChunkHeaders {
    /// Bytes of the body.
    pub length: Option<u64>,
    /// When the chunk's first tag reached the gateway, Unix milliseconds.
    pub reached_ms: Option<u64>,
    /// The same, in milliseconds after the push's begin. A gateway leaves it out of the first chunk after a time
    /// that was not recorded.
    pub arrival_ms: Option<u64>,
}

impl ChunkHeaders {
    /// Reads the headers. A time that is none counts as left out.
    ///
    /// # Errors
    /// 400 for a length that is not a number.
    pub fn read(headers: &HeaderMap) -> Result<Self, Refusal> {
        let length = match headers.get(CONTENT_LENGTH) {
            None => None,
            Some(_) => Some(number(headers, CONTENT_LENGTH.as_str()).ok_or_else(|| {
                Refusal::bad_request("BadLength", "the header Content-Length is not a number")
            })?),
        };
        let reached_ms = number(headers, CHUNK_TIME_HEADER).filter(|&at_ms: &u64| at_ms > 0);
        Ok(Self { length, reached_ms, arrival_ms: number(headers, CHUNK_OFFSET_HEADER) })
    }
}

fn number<T: FromStr>(headers: &HeaderMap, name: &str) -> Option<T> {
    headers.get(name)?.to_str().ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(pairs: &[(&'static str, &str)]) -> ChunkHeaders {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            headers.insert(*name, value.parse().unwrap());
        }
        ChunkHeaders::read(&headers).unwrap()
    }

    #[test]
    fn a_time_that_is_none_counts_as_left_out() {
        assert_eq!(read(&[]), ChunkHeaders::default());
        for time in ["yesterday", "", "-1", "0"] {
            assert_eq!(read(&[(CHUNK_TIME_HEADER, time)]).reached_ms, None, "{time}");
        }
        let told = read(&[(CHUNK_TIME_HEADER, "1700000000123"), (CHUNK_OFFSET_HEADER, "0")]);
        assert_eq!((told.reached_ms, told.arrival_ms), (Some(1_700_000_000_123), Some(0)));
    }
}
