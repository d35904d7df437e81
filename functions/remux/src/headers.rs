//! What the headers of a chunk say.

use std::str::FromStr;

use http::HeaderMap;
use http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use protocol::{
    CHUNK_CONTINUES_HEADER, CHUNK_OFFSET_HEADER, GENERATION_HEADER, Generation, JSON_CONTENT_TYPE,
    PUSH_HEADER,
};
use shared::Refusal;

/// What the headers of a chunk say.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ChunkHeaders {
    /// The body is a [`LostChunk`](protocol::LostChunk) in place of the chunk.
    pub is_lost: bool,
    /// Bytes of the body.
    pub length: Option<u64>,
    /// The gateway's name of the push.
    pub push: Option<String>,
    /// When the chunk's first tag reached the gateway, in milliseconds after the push's begin.
    pub offset_ms: u64,
    /// The offset was told.
    pub is_dated: bool,
    /// What the chunk was cut under.
    pub generation: Generation,
    /// The next chunk begins with an access unit that no player can begin with.
    pub continues: bool,
}

impl ChunkHeaders {
    /// Reads the headers. One that is missing says 0.
    ///
    /// # Errors
    /// 400 for a header that is not what it should be.
    pub fn read(headers: &HeaderMap) -> Result<Self, Refusal> {
        let is_lost = text(headers, CONTENT_TYPE.as_str())
            .is_some_and(|found| found.split(';').next().map(str::trim) == Some(JSON_CONTENT_TYPE));
        let offset_ms = read(headers, CHUNK_OFFSET_HEADER)?;
        Ok(Self {
            is_lost,
            length: read(headers, CONTENT_LENGTH.as_str())?,
            push: text(headers, PUSH_HEADER).map(Into::into),
            offset_ms: offset_ms.unwrap_or_default(),
            is_dated: offset_ms.is_some(),
            generation: read(headers, GENERATION_HEADER)?.unwrap_or_default(),
            continues: text(headers, CHUNK_CONTINUES_HEADER) == Some("1"),
        })
    }
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}

fn read<T: FromStr>(headers: &HeaderMap, name: &str) -> Result<Option<T>, Refusal> {
    let Some(value) = headers.get(name) else { return Ok(None) };
    let parsed = value.to_str().ok().and_then(|text| text.parse().ok());
    let refuse = || Refusal::bad_request("BadHeader", format!("the header {name} is {value:?}"));
    parsed.map(Some).ok_or_else(refuse)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(pairs: &[(&'static str, &str)]) -> Result<ChunkHeaders, Refusal> {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            headers.insert(*name, value.parse().unwrap());
        }
        ChunkHeaders::read(&headers)
    }

    #[test]
    fn headers_that_are_missing_say_nothing() {
        assert_eq!(of(&[]), Ok(ChunkHeaders::default()));
        let told = of(&[(CHUNK_OFFSET_HEADER, "0"), (GENERATION_HEADER, "2.1"), (PUSH_HEADER, "p")]).unwrap();
        assert_eq!((told.offset_ms, told.is_dated, told.push.as_deref()), (0, true, Some("p")));
        assert_eq!(told.generation, Generation { orders: 2, files: 1 });
        assert!(of(&[("content-type", "application/json; charset=utf-8")]).unwrap().is_lost);
        assert!(!of(&[("content-type", protocol::CHUNK_CONTENT_TYPE)]).unwrap().is_lost);
    }

    #[test]
    fn a_header_that_is_not_what_it_should_be_is_named_with_its_value() {
        for (name, value) in
            [(CHUNK_OFFSET_HEADER, "-1"), (GENERATION_HEADER, "1"), ("content-length", "many")]
        {
            let refusal = of(&[(name, value)]).unwrap_err();
            assert_eq!(refusal.problem.message, format!("the header {name} is {value:?}"));
        }
    }
}
