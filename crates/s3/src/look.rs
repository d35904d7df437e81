//! What is in a bucket: names, and what the store says of an object beside its bytes.

use crate::request::{NOTE_HEADER, Request, TAG_HEADER};
use crate::xml::{element, elements, unescape};
use crate::{Client, Error, Transport};

/// A list says some 600 bytes of an object, and its name twice at most. Unit: bytes.
const LISTED_BYTES: u32 = 2_048;

/// What the store says of an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen {
    /// What it was created with; `None` for another writer's.
    pub tag: Option<String>,
    /// The note that it was created with, if it was.
    pub note: Option<String>,
    /// Its bytes, where the store says how many.
    pub size: Option<u64>,
}

impl<T: Transport> Client<'_, T> {
    /// The first names that begin with a prefix and come after a name, in the order of their bytes: at most `most` of
    /// them, up to 1,000, and none where there are no more.
    ///
    /// # Errors
    /// What the store refuses; [`Error::Refused`] where the key may only write; [`Error::Unavailable`] for an answer that is
    /// no list, or cut off.
    pub async fn list(&self, prefix: &str, after: &str, most: u32) -> Result<Vec<String>, Error> {
        self.check_may_look("")?;
        let request = Request::list(&self.bucket, prefix, after, most);
        let response = self.ask(request, LISTED_BYTES.saturating_mul(most.max(8))).await?;
        let body = String::from_utf8_lossy(&response.body);
        let unlike = |what: &str| {
            let reason = format!("GET {} answers {what}", self.place(""));
            Error::Unavailable { reason }
        };
        match response.status {
            200 if !body.contains("</ListBucketResult>") => Err(unlike("no whole list")),
            200 => {
                let keys = elements(&body, "Contents").map(|object| element(object, "Key"));
                let names = keys.map(|key| key.map(|key| unescape(key).into_owned()));
                names.collect::<Option<_>>().ok_or_else(|| unlike("a list without names"))
            }
            _ => Err(self.refused("GET", "", &response)),
        }
    }

    /// What the store says of an object; `None` where there is none.
    ///
    /// # Errors
    /// [`Error::Refused`] where the key may not look; [`Error::Unavailable`] where the store says nothing.
    pub async fn look(&self, key: &str) -> Result<Option<Seen>, Error> {
        self.check_may_look(key)?;
        let mut there = self.send(Request::head(&self.bucket, key)?).await?;
        if there.status == 400 && self.asks_for_region().await? {
            there = self.send(Request::head(&self.bucket, key)?).await?;
        }
        let header = |name| there.header(name).map(str::to_owned);
        match there.status {
            200 => Ok(Some(Seen {
                tag: header(TAG_HEADER),
                note: header(NOTE_HEADER),
                size: header("content-length").and_then(|length| length.parse().ok()),
            })),
            404 => Ok(None),
            401 | 403 | 405 => {
                let reason = format!("HEAD {} answers {}", self.place(key), there.status);
                Err(Error::Refused { reason })
            }
            _ => Err(Error::Unavailable { reason: format!("HEAD {} says nothing", self.place(key)) }),
        }
    }

    fn check_may_look(&self, key: &str) -> Result<(), Error> {
        if self.options.write_only {
            let reason = format!("the key of {} may only write", self.place(key));
            return Err(Error::Refused { reason });
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use futures_executor::block_on;

    use super::*;
    use crate::testing::{client, problem, script, status};
    use crate::{Bucket, Created, Options, Response};

    fn put(script: &crate::testing::Script, note: Option<&str>) -> Result<Created, Error> {
        block_on(client(script).put_noted("a.ts", "video/mp2t", ("s/1", note), 3, b"abc".into()))
    }

    fn notes(script: &crate::testing::Script) -> Vec<Option<String>> {
        let headers = script.headers.borrow();
        let note = |name: &&crate::Header| name.name == NOTE_HEADER;
        headers.iter().map(|all| all.iter().find(note).map(|header| header.value.clone())).collect()
    }

    #[test]
    fn a_note_is_sent_and_signed_and_seen() {
        let asked = script([status(200), status(200)]);
        assert_eq!((put(&asked, Some("note")), put(&asked, None)), (Ok(Created::Now), Ok(Created::Now)));
        assert_eq!(notes(&asked), [Some("note".into()), None]);
        let headers = asked.headers.borrow();
        let signed = &headers[0].iter().find(|header| header.name == "authorization").unwrap().value;
        assert!(signed.contains(";x-amz-meta-recorder;x-amz-meta-recorder-chunk;"), "{signed}");
        let said =
            [("x-amz-meta-recorder", "s/1"), ("X-Amz-Meta-Recorder-Chunk", "note"), ("content-length", "3")];
        let headers = said.map(|(name, value)| (name.into(), value.into())).to_vec();
        let there = script([Response { headers, ..status(200) }, status(404)]);
        let look = || block_on(client(&there).look("a.ts"));
        let seen = Seen { tag: Some("s/1".into()), note: Some("note".into()), size: Some(3) };
        assert_eq!((look(), look()), (Ok(Some(seen)), Ok(None)));
    }

    #[test]
    fn a_store_that_refuses_notes_is_given_none() {
        for refusal in [
            problem(400, "MetadataTooLarge"),
            problem(400, "InvalidArgument"),
            status(431),
            // A proxy's answer has no code.
            status(413),
            problem(413, "RequestHeaderSectionTooLarge"),
        ] {
            let asked = script([refusal, status(200), status(200)]);
            assert!(matches!(put(&asked, Some("note")), Err(Error::Unavailable { .. })));
            assert_eq!(
                (put(&asked, Some("note")), put(&asked, Some("note"))),
                (Ok(Created::Now), Ok(Created::Now))
            );
            assert_eq!(notes(&asked), [Some("note".into()), None, None]);
        }
        // What is too large itself is sent with its note again.
        let asked = script([problem(413, "EntityTooLarge"), status(200)]);
        assert!(matches!(put(&asked, Some("note")), Err(Error::Refused { .. })));
        assert_eq!(put(&asked, Some("note")), Ok(Created::Now));
        assert_eq!(notes(&asked), [Some("note".into()), Some("note".into())]);
        // What refuses without a note refuses.
        let asked = script([problem(400, "InvalidArgument")]);
        assert!(matches!(put(&asked, None), Err(Error::Refused { .. })));
        let asked = script([status(200)]);
        let options = Options { no_notes: true, ..Options::default() };
        let client = Client { options, ..client(&asked) };
        block_on(client.put_noted("a.ts", "video/mp2t", ("s/1", Some("note")), 3, b"abc".into())).unwrap();
        assert_eq!(notes(&asked), [None]);
    }

    #[test]
    fn a_bucket_that_refuses_notes_keeps_none_from_another() {
        let asked = script([status(431), status(200), status(200)]);
        let put = |name| {
            let bucket = Bucket::new("127.0.0.1:9000", name).unwrap();
            let client = Client { bucket, ..client(&asked) };
            block_on(client.put_noted("a.ts", "video/mp2t", ("s/1", Some("note")), 3, b"abc".into()))
        };
        assert!(matches!(put("one"), Err(Error::Unavailable { .. })));
        assert_eq!((put("two"), put("one")), (Ok(Created::Now), Ok(Created::Now)));
        assert_eq!(notes(&asked), [Some("note".into()), Some("note".into()), None]);
    }

    #[test]
    fn nothing_is_asked_by_a_key_that_may_only_write() {
        let asked = script([]);
        let options = Options { write_only: true, ..Options::default() };
        let client = Client { options, ..client(&asked) };
        assert!(matches!(block_on(client.look("a")), Err(Error::Refused { .. })));
        assert!(matches!(block_on(client.list("a", "", 2)), Err(Error::Refused { .. })));
    }

    #[test]
    fn a_look_that_is_refused_is_told_from_one_that_fails() {
        let look = |response| block_on(client(&script([response])).look("a"));
        for refusal in [401, 403, 405] {
            assert!(matches!(look(status(refusal)), Err(Error::Refused { .. })), "{refusal}");
        }
        for failure in [500, 503, 301] {
            assert!(matches!(look(status(failure)), Err(Error::Unavailable { .. })), "{failure}");
        }
    }
}
