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

use base64::{Engine, prelude::BASE64_STANDARD};

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
fn read<'de, D: serde::Deserializer<'de>, T: serde::Deserialize<'de>>(
    deserializer: D,
    one: impl Fn(&mut Parser<'_>) -> Option<T>,
) -> Result<Vec<T>, D::Error> {
    use serde::{Deserialize, de::Error};

    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Stored<T> {
        Text(String),
        Former(Vec<T>),
    }

    let text = match Stored::deserialize(deserializer)? {
        Stored::Text(text) => text,
        Stored::Former(all) => return Ok(all),
    };
    let bytes = BASE64_STANDARD.decode(&text).map_err(D::Error::custom)?;
    let all = Parser::new(&bytes).and_then(|parser| parser.all(one));
    all.ok_or_else(|| D::Error::custom(format!("accounts cannot be read from {text:?}")))
}

#[cfg(test)]
mod tests {
    use serde::{Deserialize, Serialize};

    use super::*;
    use crate::tests::media::TRACKS;

    #[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
    struct Compact {
        #[serde(with = "accounts")]
        accounts: Vec<Account>,
        #[serde(with = "ended")]
        ended: Vec<(usize, Run)>,
    }

    #[derive(Serialize)]
    struct Former<'a> {
        accounts: &'a [Account],
        ended: &'a [(usize, Run)],
    }

    fn example() -> Compact {
        let at = |session: &str, seq| Place { session: format!("20270115-{session:0>32}"), seq };
        let run = Run {
            number: 3,
            first: at("a", 700),
            last: at("b", 17_000),
            start_ms: 1_800_000_000_000,
            end_ms: 1_800_000_900_123,
            end_90khz: 7_650_000_000,
            duration_90khz: 81_000_000,
            slices: 180,
            gaps: 2,
            tracks: TRACKS,
            is_full: true,
        };
        let open = Run { number: 4, first: at("b", 17_001), is_full: false, ..run.clone() };
        let account = |container, file| Account { container, file, gaps: 1, least: 4 };
        let accounts = vec![
            account(Container::M3u8, Some(open.clone())),
            account(Container::Mp4, None),
            account(Container::Flv, Some(open)),
        ];
        Compact { accounts, ended: vec![(0, run.clone()), (2, run)] }
    }

    #[test]
    fn accounts_are_read_as_they_were_written_and_as_json() {
        let example = example();
        let text = serde_json::to_string(&example).unwrap();
        assert_eq!(serde_json::from_str::<Compact>(&text).unwrap(), example);
        let Compact { accounts, ended } = &example;
        let former = serde_json::to_string(&Former { accounts, ended }).unwrap();
        assert_eq!(serde_json::from_str::<Compact>(&former).unwrap(), example);
        assert!(text.len() * 3 < former.len(), "{text}");
        let none = Compact { accounts: Vec::new(), ended: Vec::new() };
        let text = serde_json::to_string(&none).unwrap();
        assert_eq!(serde_json::from_str::<Compact>(&text).unwrap(), none);
    }

    #[test]
    fn accounts_that_are_cut_or_go_on_are_refused() {
        let mut writer = Writer::default();
        writer.put(2);
        for (place, run) in &example().ended {
            writer.put(*place as u64);
            writer.run(run);
        }
        let mut bytes = BASE64_STANDARD.decode(writer.finish()).unwrap();
        let parsed = |bytes: &[u8]| Parser::new(bytes).and_then(|parser| parser.all(Parser::ended));
        assert_eq!(parsed(&bytes), Some(example().ended));
        for end in 0..bytes.len() {
            assert_eq!(parsed(&bytes[..end]), None, "{end}");
        }
        bytes.push(0);
        assert_eq!(parsed(&bytes), None);
    }
}
