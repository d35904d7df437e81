//! Accounts, and files that ended, as records hold them: some 50 characters for each in place of 350.
//!
//! ```text
//! text = Base64 of: number of sessions, their ids, number of accounts or of files that ended, those
//! id   = its length in bytes, the id
//! ```
//!
//! | of an account | unit |
//! | --- | --- |
//! | container, one byte | see [`code`] |
//! | gaps, least number | |
//! | 1 and the file that is open; or 0 | |
//!
//! | of a file | unit |
//! | --- | --- |
//! | its format's place in the rule, where it has ended | |
//! | number | |
//! | session and number of its first chunk, and of its last one; sessions count from 0 | |
//! | begin; end less begin | Unix ms; ms |
//! | end in its session, duration | 1/90 000 s |
//! | slices, gaps | |
//! | codecs (one byte), width, height, as in a [page](crate::page) | samples |
//! | 1 where nothing more comes into it; or 0 | |
//!
//! All numbers are LEB128 unless a width is named. Earlier builds wrote both as JSON, which is read as well.

use std::fmt::Formatter;

use base64::{Engine, prelude::BASE64_STANDARD};
use serde::de::value::SeqAccessDeserializer;
use serde::de::{Deserialize, Deserializer, Error, SeqAccess, Unexpected, Visitor};

use super::{Account, Place, Run};
use crate::page::{Reader, codecs_code, put, tracks};
use crate::rule::Container;

fn code(container: Container) -> u8 {
    match container {
        Container::M3u8 => 0,
        Container::Mp4 => 1,
        Container::Flv => 2,
    }
}

fn container(code: u8) -> Option<Container> {
    [Container::M3u8, Container::Mp4, Container::Flv].into_iter().find(|known| self::code(*known) == code)
}

/// Bytes that name sessions by their places in a table.
#[derive(Default)]
struct Writer {
    sessions: Vec<String>,
    bytes: Vec<u8>,
}

impl Writer {
    fn put(&mut self, number: u64) {
        put(&mut self.bytes, number);
    }

    fn place(&mut self, place: &Place) {
        let known = self.sessions.iter().position(|session| *session == place.session);
        let session = known.unwrap_or_else(|| {
            self.sessions.push(place.session.clone());
            self.sessions.len() - 1
        });
        self.put(session as u64);
        self.put(place.seq);
    }

    fn run(&mut self, run: &Run) {
        self.put(run.number.into());
        self.place(&run.first);
        self.place(&run.last);
        self.put(run.start_ms);
        self.put(run.end_ms.wrapping_sub(run.start_ms));
        self.put(run.end_90khz);
        self.put(run.duration_90khz);
        self.put(run.slices.into());
        self.put(run.gaps.into());
        self.bytes.push(codecs_code(run.tracks));
        self.put(run.tracks.width.into());
        self.put(run.tracks.height.into());
        self.put(run.is_full.into());
    }

    fn finish(self) -> String {
        let mut bytes = Vec::new();
        put(&mut bytes, self.sessions.len() as u64);
        for session in &self.sessions {
            put(&mut bytes, session.len() as u64);
            bytes.extend(session.as_bytes());
        }
        bytes.extend(self.bytes);
        BASE64_STANDARD.encode(bytes)
    }
}

/// What a [`Writer`] wrote; each is `None` for anything else.
struct Parser<'a> {
    sessions: Vec<&'a str>,
    reader: Reader<'a>,
}

impl<'a> Parser<'a> {
    fn new(bytes: &'a [u8]) -> Option<Self> {
        let mut reader = Reader::new(bytes);
        let mut sessions = Vec::new();
        for _ in 0..reader.number()? {
            let length = reader.number()?;
            sessions.push(std::str::from_utf8(reader.bytes(length)?).ok()?);
        }
        Some(Self { sessions, reader })
    }

    fn number<T: TryFrom<u64>>(&mut self) -> Option<T> {
        self.reader.number()?.try_into().ok()
    }

    fn flag(&mut self) -> Option<bool> {
        match self.reader.number()? {
            0 => Some(false),
            1 => Some(true),
            _ => None,
        }
    }

    fn place(&mut self) -> Option<Place> {
        let session = self.number::<usize>()?;
        Some(Place { session: (*self.sessions.get(session)?).to_owned(), seq: self.reader.number()? })
    }

    fn run(&mut self) -> Option<Run> {
        let number = self.number()?;
        let (first, last) = (self.place()?, self.place()?);
        let start_ms = self.number()?;
        let end_ms = self.reader.number()?.wrapping_add(start_ms);
        let (end_90khz, duration_90khz) = (self.number()?, self.number()?);
        let (slices, gaps) = (self.number()?, self.number()?);
        let codecs = self.reader.byte()?;
        let tracks = tracks(codecs, self.number()?, self.number()?)?;
        let is_full = self.flag()?;
        Some(Run {
            number,
            first,
            last,
            start_ms,
            end_ms,
            end_90khz,
            duration_90khz,
            slices,
            gaps,
            tracks,
            is_full,
        })
    }

    fn account(&mut self) -> Option<Account> {
        let container = container(self.reader.byte()?)?;
        let (gaps, least) = (self.number()?, self.number()?);
        let file = if self.flag()? { Some(self.run()?) } else { None };
        Some(Account { container, file, gaps, least })
    }

    fn ended(&mut self) -> Option<(usize, Run)> {
        Some((self.number()?, self.run()?))
    }

    /// As many as there are to the end of the bytes.
    fn all<T>(mut self, one: impl Fn(&mut Self) -> Option<T>) -> Option<Vec<T>> {
        let mut all = Vec::new();
        for _ in 0..self.reader.number()? {
            all.push(one(&mut self)?);
        }
        self.reader.rest().is_empty().then_some(all)
    }
}

/// A field of accounts.
pub(crate) mod accounts {
    use serde::{Deserializer, Serializer};

    use super::{Account, Writer, code, read};

    pub(crate) fn serialize<S: Serializer>(all: &[Account], serializer: S) -> Result<S::Ok, S::Error> {
        let mut writer = Writer::default();
        writer.put(all.len() as u64);
        for Account { container, file, gaps, least } in all {
            writer.bytes.push(code(*container));
            writer.put((*gaps).into());
            writer.put((*least).into());
            writer.put(file.is_some().into());
            if let Some(run) = file {
                writer.run(run);
            }
        }
        serializer.serialize_str(&writer.finish())
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Account>, D::Error> {
        read(deserializer, |parser| parser.account())
    }
}

/// A field of files that ended, with their formats' places in the rule.
pub(crate) mod ended {
    use serde::{Deserializer, Serializer};

    use super::{Run, Writer, read};

    pub(crate) fn serialize<S: Serializer>(all: &[(usize, Run)], serializer: S) -> Result<S::Ok, S::Error> {
        let mut writer = Writer::default();
        writer.put(all.len() as u64);
        for (place, run) in all {
            writer.put(*place as u64);
            writer.run(run);
        }
        serializer.serialize_str(&writer.finish())
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Vec<(usize, Run)>, D::Error> {
        read(deserializer, |parser| parser.ended())
    }
}

/// Reads a field, also as earlier builds wrote it.
fn read<'de, D: Deserializer<'de>, T: Deserialize<'de>>(
    deserializer: D,
    one: fn(&mut Parser<'_>) -> Option<T>,
) -> Result<Vec<T>, D::Error> {
    deserializer.deserialize_any(Field { one })
}

/// A field of so many of something.
struct Field<T> {
    one: fn(&mut Parser<'_>) -> Option<T>,
}

impl<'de, T: Deserialize<'de>> Visitor<'de> for Field<T> {
    type Value = Vec<T>;

    fn expecting(&self, formatter: &mut Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("accounts or files in Base64, or as a list")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Self::Value, E> {
        let bytes = BASE64_STANDARD.decode(text).map_err(E::custom)?;
        let all = Parser::new(&bytes).and_then(|parser| parser.all(self.one));
        all.ok_or_else(|| E::invalid_value(Unexpected::Str(text), &self))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, list: A) -> Result<Self::Value, A::Error> {
        Vec::deserialize(SeqAccessDeserializer::new(list))
    }
}

#[cfg(test)]
mod tests;
