//! Objects are created under names that are free, by stores that see to it and by stores that do not.

use naming::tag;

use crate::request::{Header, NOTE_HEADER};
use crate::{Client, Error, Request, Response, TAG_HEADER, Transport};

/// Whether a call has created the object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Created {
    /// It has.
    Now,
    /// An earlier call with the same tag had.
    Before,
}

/// What is under a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum There {
    /// What the tag names.
    Own,
    /// Another object.
    Another,
    /// An object of the right size that has no tag at all.
    Untagged,
    /// The key may not read: what is there, if there is anything, stays hidden.
    Hidden,
    /// Nothing.
    Absent,
    /// The store did not say.
    Unknown,
}

impl<T: Transport> Client<'_, T> {
    /// Creates an object of `size` bytes, never replacing one. `tag` names the one thing that it holds, and is
    /// stored beside it.
    ///
    /// A bucket that may only be written takes what recordings leave under [names that are the tag's
    /// own](tag::is_own) alone: any other name is taken. Of a record file the size is looked at where the key may.
    ///
    /// # Errors
    /// [`Error::Taken`] where the name is in use for an object without this tag. After
    /// [`Error::Unavailable`] the object may be there all the same: call again with the same tag.
    pub async fn put_new(
        &self,
        key: &str,
        content_type: &str,
        tag: &str,
        size: u64,
        body: T::Body,
    ) -> Result<Created, Error> {
        self.put_noted(key, content_type, (tag, None), size, body).await
    }

    /// Like [`put_new`](Self::put_new), with a note that is stored beside the object as well: what the object is one of. It
    /// counts for nothing where an object is there already.
    ///
    /// A store that refuses notes is not given any more, as long as these `conditions` are known.
    ///
    /// # Errors
    /// As [`put_new`](Self::put_new).
    pub async fn put_noted(
        &self,
        key: &str,
        content_type: &str,
        (tag, note): (&str, Option<&str>),
        size: u64,
        body: T::Body,
    ) -> Result<Created, Error> {
        let size_of_file = tag::is_of_file(tag).then_some(size);
        if let Some(created) = self.look_first(key, tag, size_of_file).await? {
            return Ok(created);
        }
        let note = note.filter(|_| self.takes_notes()).map(|note| Header::new(NOTE_HEADER, note));
        let put = Request::put_new(&self.bucket, key, content_type, tag, size)?;
        let put = put.with(note.as_slice()).with(&self.options.headers);
        let response = self.send_checked(put, key, (size, body), self.options.checksum).await?;
        if note.is_some() && refuses_metadata(&response) {
            // The body is gone.
            self.conditions.learn(self.notes(), false);
            let reason = format!("PUT {}: the store refuses metadata, and is given none", self.place(key));
            return Err(Error::Unavailable { reason });
        }
        self.created((key, tag), size_of_file, &response).await
    }

    fn takes_notes(&self) -> bool {
        !self.options.no_notes && self.conditions.get(&self.notes()) != Some(false)
    }

    /// Under which it is remembered whether a bucket takes notes.
    fn notes(&self) -> String {
        format!("notes {}", self.place(""))
    }

    /// Like [`put_new`](Self::put_new), of a few bytes that are at hand.
    ///
    /// Where it is not known whether the bucket keeps objects, a record file is created a second time, with the same
    /// bytes: a store that does not refuse that replaces objects, and has changed nothing. Nothing is created for the
    /// probe, and nothing of another writer is touched where the key may look, since that has found the name free.
    ///
    /// # Errors
    /// As [`put_new`](Self::put_new).
    pub async fn put_small(
        &self,
        key: &str,
        content_type: &str,
        tag: &str,
        bytes: Vec<u8>,
    ) -> Result<Created, Error> {
        let is_probe = self.is_probe(tag);
        let size_of_file = tag::is_of_file(tag).then_some(bytes.len() as u64);
        if let Some(created) = self.look_first(key, tag, size_of_file).await? {
            return Ok(created);
        }
        let created = self.put_new_bytes(key, content_type, tag, bytes.clone()).await?;
        if created == Created::Now && is_probe {
            let put = self.put_of(key, content_type, tag, &bytes)?;
            match self.send_bytes(put, bytes).await {
                Ok(again) if (200..=299).contains(&again.status) => self.learn_of_conditions(false),
                Ok(again) if is_in_use(&again) => self.learn_of_conditions(true),
                // It is asked again with the next one.
                _ => {}
            }
        }
        Ok(created)
    }

    /// Whether what this tag names is used to find out whether the bucket keeps objects: a record file, which comes
    /// once in a cycle, not a slice.
    #[must_use]
    pub fn is_probe(&self, tag: &str) -> bool {
        !self.options.head_first && self.keeps().is_none() && tag::is_of_file(tag)
    }

    /// Creates an object of bytes that are at hand: they are sent again where the store has told another region.
    pub(crate) async fn put_new_bytes(
        &self,
        key: &str,
        content_type: &str,
        tag: &str,
        bytes: Vec<u8>,
    ) -> Result<Created, Error> {
        let put = self.put_of(key, content_type, tag, &bytes)?;
        let size_of_file = tag::is_of_file(tag).then_some(bytes.len() as u64);
        let response = self.send_bytes(put, bytes).await?;
        self.created((key, tag), size_of_file, &response).await
    }

    /// The request that creates an object of these bytes.
    fn put_of(&self, key: &str, content_type: &str, tag: &str, bytes: &[u8]) -> Result<Request, Error> {
        let put = Request::put_new(&self.bucket, key, content_type, tag, bytes.len() as u64)?;
        let checksum = self.options.checksum.map(|checksum| checksum.header(bytes));
        Ok(put.with(&self.options.headers).with(checksum.as_slice()))
    }

    /// Whether the bucket is known to keep objects against a second create.
    #[must_use]
    pub fn keeps(&self) -> Option<bool> {
        self.conditions.get(&self.place(""))
    }

    /// Takes the bucket for one that replaces objects, as somebody else has found out.
    pub fn expect_replacing(&self) {
        self.learn_of_conditions(false);
    }

    fn learn_of_conditions(&self, keeps: bool) {
        self.conditions.learn(self.place(""), keeps);
    }

    /// What has to be known before an object is created: for slices nothing, unless the store is known to replace
    /// objects; for record files, and for indexes, whose names somebody has asked for, always whether one is there. A store may see to it that none is replaced, and not do so
    /// for uploads in parts, and a large file is not created twice to find that out.
    ///
    /// Between the look and the create another writer may come: a store that replaces objects leaves nothing better. A
    /// name that is the tag's own needs no look where the key may not: if it is there, it is the same object.
    ///
    /// # Errors
    /// [`Error::Taken`]; [`Error::Refused`] where the key may not look.
    pub async fn look_first(
        &self,
        key: &str,
        tag: &str,
        size: Option<u64>,
    ) -> Result<Option<Created>, Error> {
        let is_own = tag::is_own(key, tag);
        if self.options.write_only && !is_own && tag::is_of_recording(tag) {
            return Err(Error::Taken { key: key.into() });
        }
        let replaces = self.options.head_first || self.keeps() == Some(false);
        let is_index = tag::is_of_index(tag) && !self.options.write_only;
        let is_asked = replaces || tag::is_of_file(tag) || is_index;
        if !is_asked || self.options.write_only && is_own {
            return Ok(None);
        }
        match self.there(key, tag, size).await? {
            There::Absent => Ok(None),
            There::Own => Ok(Some(Created::Before)),
            There::Another | There::Untagged => Err(Error::Taken { key: key.into() }),
            There::Hidden if is_own || !replaces => Ok(None),
            There::Hidden if tag::is_of_recording(tag) => Err(Error::Taken { key: key.into() }),
            There::Hidden => {
                let what = "the store replaces objects, and the key may not look whether there is one";
                Err(Error::Refused { reason: format!("{}: {what}", self.place(key)) })
            }
            There::Unknown => {
                Err(Error::Unavailable { reason: format!("HEAD {} says nothing", self.place(key)) })
            }
        }
    }

    /// What the answer to a conditional create means, of an object of this size where one is given.
    async fn created(
        &self,
        (key, tag): (&str, &str),
        size: Option<u64>,
        response: &Response,
    ) -> Result<Created, Error> {
        match response.status {
            200..=299 => {
                if let Some(size) = size {
                    self.check_created("PUT", (key, tag), size).await?;
                }
                Ok(Created::Now)
            }
            304 | 409 | 412 => {
                self.whose(key, tag, size, response).await?.ok_or_else(|| self.refused("PUT", key, response))
            }
            _ => Err(self.refused("PUT", key, response)),
        }
    }

    /// Makes sure that what a store says it has created is there and whole, where the key may look: what a record file is
    /// made of is deleted once the file is there. A store may have dropped the tag, as it may of what is made of parts.
    ///
    /// # Errors
    /// [`Error::Unavailable`] where nothing is there; [`Error::Refused`] where it is another object, or of another size.
    pub(crate) async fn check_created(
        &self,
        method: &str,
        (key, tag): (&str, &str),
        size: u64,
    ) -> Result<(), Error> {
        match self.there(key, tag, Some(size)).await? {
            There::Own | There::Untagged | There::Hidden => Ok(()),
            There::Unknown => {
                let reason = format!("HEAD {} says nothing of what was created", self.place(key));
                Err(Error::Unavailable { reason })
            }
            There::Absent => {
                let reason = format!("{method} {} answers a success, and nothing is there", self.place(key));
                Err(Error::Unavailable { reason })
            }
            There::Another => {
                let reason = format!("{} has not the {size} bytes that were sent", self.place(key));
                Err(Error::Refused { reason })
            }
        }
    }

    /// Whose object is in the way of a create, as far as that can be said; `None` where none is.
    pub(crate) async fn whose(
        &self,
        key: &str,
        tag: &str,
        size: Option<u64>,
        response: &Response,
    ) -> Result<Option<Created>, Error> {
        if is_in_use(response) {
            self.learn_of_conditions(true);
        }
        match self.there(key, tag, size).await? {
            There::Own => Ok(Some(Created::Before)),
            There::Another | There::Untagged => Err(Error::Taken { key: key.into() }),
            // A key that may not read does not learn whose object it is, unless no other thing has such a name.
            There::Hidden if !is_in_use(response) => Ok(None),
            There::Hidden if tag::is_own(key, tag) => Ok(Some(Created::Before)),
            There::Hidden => Err(Error::Taken { key: key.into() }),
            There::Absent | There::Unknown => Ok(None),
        }
    }

    /// What is under a name, of this size where one is given. A key that may only write is not asked for it.
    pub(crate) async fn there(&self, key: &str, tag: &str, size: Option<u64>) -> Result<There, Error> {
        if self.options.write_only {
            return Ok(There::Hidden);
        }
        let mut there = self.send(Request::head(&self.bucket, key)?).await?;
        if there.status == 400 && self.asks_for_region().await? {
            there = self.send(Request::head(&self.bucket, key)?).await?;
        }
        let length = there.header("content-length").and_then(|length| length.parse::<u64>().ok());
        let has_size = size.is_none() || length.is_none() || length == size;
        Ok(match (there.status, there.header(TAG_HEADER)) {
            (200, Some(found)) if found == tag && has_size => There::Own,
            (200, None) if has_size => There::Untagged,
            (200, _) => There::Another,
            // Some stores answer a HEAD that they do not take by another code.
            (401 | 403 | 405, _) => There::Hidden,
            (404, _) => There::Absent,
            _ => There::Unknown,
        })
    }
}

/// Whether an answer says that an object has metadata that the store does not take.
fn refuses_metadata(response: &Response) -> bool {
    const CODES: [&str; 4] =
        ["InvalidArgument", "InvalidRequest", "MetadataTooLarge", "RequestHeaderSectionTooLarge"];
    match response.status {
        // A proxy's answer has no code.
        400 => response.code().is_none_or(|code| CODES.contains(&code)),
        413 => response.code() != Some("EntityTooLarge"),
        431 | 494 => true,
        _ => false,
    }
}

/// Whether an answer says that there is an object. 412 is S3's, 409 OSS's, and S3's too while another upload of the
/// same key is under way; 304 was MinIO's.
fn is_in_use(response: &Response) -> bool {
    match response.status {
        304 | 412 => true,
        409 => response.code() == Some("FileAlreadyExists"),
        _ => false,
    }
}

#[cfg(test)]
mod tests;
