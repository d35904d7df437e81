//! Objects that are uploaded in parts. They too are only created: an upload that is aborted was never an object.

mod requests;

use percent_encoding::percent_decode_str;

use crate::create::{Created, There};
use crate::xml::{element, elements, unescape};
use crate::{Bucket, Checksum, Client, Error, Response, Transport};

/// Most bytes of a page of parts or uploads: a thousand, each with the longest key.
const MAX_PAGE_BYTES: u32 = 4 << 20;

/// Most pages of parts. S3 takes 10,000 parts, a thousand a page.
const MAX_PAGES: usize = 11;

/// What stores call a part without bytes: its MD5.
const EMPTY: &str = "d41d8cd98f00b204e9800998ecf8427e";

/// A part that the store has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// Its number, from 1 to 10,000: its place in the object.
    pub number: u16,
    /// What the store calls its bytes.
    pub etag: String,
    /// How many bytes it has.
    pub size: u64,
}

/// What a part is copied of: bytes of an object at the same store.
#[derive(Clone, Copy, Debug)]
pub struct Source<'a> {
    /// The object's bucket.
    pub bucket: &'a Bucket,
    /// The object's name.
    pub key: &'a str,
    /// The first byte.
    pub first: u64,
    /// How many bytes, at least one.
    pub size: u64,
}

/// An upload that is neither completed nor aborted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Upload {
    /// The name of the object that it will be.
    pub key: String,
    /// Its id.
    pub id: String,
}

/// Some of a bucket's uploads.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Uploads {
    /// In the order of their keys.
    pub uploads: Vec<Upload>,
    /// After which the next page begins, where there is one.
    pub next: Option<Upload>,
}

impl<T: Transport> Client<'_, T> {
    /// Begins an upload in parts, and answers its id. `tag` names the one thing that the object will hold.
    ///
    /// # Errors
    /// What the store refuses.
    pub async fn create_upload(&self, key: &str, content_type: &str, tag: &str) -> Result<String, Error> {
        let request = requests::create(&self.bucket, key, content_type, tag)?.with(&self.options.headers);
        let response = self.send_bytes(request, Vec::new()).await?;
        let id =
            response.result("InitiateMultipartUploadResult").and_then(|result| element(result, "UploadId"));
        match id {
            Some(id) if !id.is_empty() => Ok(unescape(id).into_owned()),
            _ => Err(self.no_result("POST", key, &response)),
        }
    }

    /// Uploads a part of `size` bytes; one of this number that is there already is replaced.
    ///
    /// # Errors
    /// [`Error::NoSuchUpload`]; what the store refuses.
    pub async fn upload_part(
        &self,
        (key, upload): (&str, &str),
        number: u16,
        size: u64,
        body: T::Body,
    ) -> Result<Part, Error> {
        let request = requests::part(&self.bucket, (key, upload), number, size)?;
        // Another checksum of a part would have to be announced when the upload begins and repeated when it is
        // completed, which stores do each in a way of its own; all of them know this one.
        let checksum = self.options.checksum.map(|_| Checksum::Md5);
        let response = self.send_checked(request, key, (size, body), checksum).await?;
        match (response.status, response.header("etag")) {
            (200..=299, Some(etag)) => Ok(Part { number, etag: etag.into(), size }),
            _ => Err(self.no_part("PUT", (key, upload), &response)),
        }
    }

    /// Lets the store copy bytes of an object of its own as a part.
    ///
    /// # Errors
    /// [`Error::Refused`] where the store does not copy, also where it takes the request for an upload of no bytes;
    /// [`Error::NoSuchObject`] where the source is not there; [`Error::NoSuchUpload`].
    pub async fn copy_part(
        &self,
        (key, upload): (&str, &str),
        number: u16,
        source: Source<'_>,
    ) -> Result<Part, Error> {
        if source.bucket.host() != self.bucket.host() || source.bucket.region() != self.bucket.region() {
            let reason = format!("{} cannot copy of {}", self.bucket.authority(), source.bucket.authority());
            return Err(Error::Refused { reason });
        }
        let response = self.send(requests::copy(&self.bucket, (key, upload), number, source)?).await?;
        let etag = response.result("CopyPartResult").and_then(|result| element(result, "ETag"));
        let is_empty = |etag: &str| etag.trim_matches('"') == EMPTY;
        match etag.map(unescape) {
            Some(etag) if !etag.is_empty() && !is_empty(&etag) => {
                Ok(Part { number, etag: etag.into_owned(), size: source.size })
            }
            Some(_) => self.copies_nothing(key, &response),
            None if (200..=299).contains(&response.status) && response.text().trim().is_empty() => {
                self.copies_nothing(key, &response)
            }
            None if response.code() == Some("NoSuchKey") => {
                Err(Error::NoSuchObject { key: source.key.into() })
            }
            _ if response.is_full() => Err(self.no_room("PUT", key, &response)),
            _ => Err(self.no_part("PUT", (key, upload), &response)),
        }
    }

    fn copies_nothing(&self, key: &str, response: &Response) -> Result<Part, Error> {
        let reason = format!("PUT {} answers {} and copies nothing", self.place(key), response.status);
        Err(Error::Refused { reason })
    }

    /// The parts that the store has, by number, with the sizes that it has of them.
    ///
    /// # Errors
    /// [`Error::NoSuchUpload`]; what the store refuses.
    pub async fn list_parts(&self, (key, upload): (&str, &str)) -> Result<Vec<Part>, Error> {
        let mut parts = Vec::new();
        for _ in 0..MAX_PAGES {
            let after = parts.last().map_or(0, |part: &Part| part.number);
            let request = requests::list_parts(&self.bucket, (key, upload), after)?;
            let response = self.ask(request, MAX_PAGE_BYTES).await?;
            let Some(page) = response.result("ListPartsResult") else {
                return Err(self.no_part("GET", (key, upload), &response));
            };
            let before = parts.len();
            for text in elements(page, "Part") {
                let part = read_part(text).ok_or_else(|| self.no_result("GET", key, &response))?;
                if part.number <= parts.last().map_or(0, |last| last.number) {
                    return Err(self.no_result("GET", key, &response));
                }
                parts.push(part);
            }
            if element(page, "IsTruncated") != Some("true") || parts.len() == before {
                return Ok(parts);
            }
        }
        Err(Error::Unavailable { reason: format!("{}: the list of parts does not end", self.place(key)) })
    }

    /// Like [`complete_upload`](Self::complete_upload), with a look at the sizes of the parts before, and at that of the
    /// object after, where the key may. A store may say that it has copied what it has not, so parts that are `copied` have
    /// to be seen.
    ///
    /// # Errors
    /// [`Error::Refused`] where a size is another than was asked for, or the key may not list parts that are copied.
    pub async fn complete_checked(
        &self,
        (key, upload): (&str, &str),
        tag: &str,
        parts: &[Part],
        copied: bool,
    ) -> Result<Created, Error> {
        if copied || !self.options.write_only {
            match self.list_parts((key, upload)).await {
                Ok(found) => self.check_parts(key, parts, &found, copied)?,
                // The answer to an earlier completion may have been lost.
                Err(Error::NoSuchUpload { .. }) => {}
                Err(error) if copied => return Err(error),
                Err(_) => {}
            }
        }
        let created = self.complete_upload((key, upload), tag, parts).await?;
        if created == Created::Now {
            let size = parts.iter().map(|part| part.size).sum();
            self.check_created("POST", (key, tag), size).await?;
        }
        Ok(created)
    }

    /// Whether the store has parts as they were told. One that it does not list was not `copied`; it says by itself what it
    /// lacks of those that were sent.
    fn check_parts(&self, key: &str, parts: &[Part], found: &[Part], copied: bool) -> Result<(), Error> {
        for Part { number, size: told, .. } in parts {
            let there = found.iter().find(|there| there.number == *number);
            let size = there.map_or(if copied { 0 } else { *told }, |there| there.size);
            if size != *told {
                let place = self.place(key);
                let reason = format!("part {number} of {place} has {size} bytes, and should have {told}");
                return Err(Error::Refused { reason });
            }
        }
        Ok(())
    }

    /// Makes one object of the parts, in their order, never replacing one. `tag` is the one that the upload was begun
    /// with.
    ///
    /// # Errors
    /// [`Error::Taken`] where the name is in use for an object without this tag, or of another size;
    /// [`Error::NoSuchUpload`] where neither the upload nor the object is there. After [`Error::Unavailable`] the
    /// object may be there all the same: call again.
    pub async fn complete_upload(
        &self,
        (key, upload): (&str, &str),
        tag: &str,
        parts: &[Part],
    ) -> Result<Created, Error> {
        let size = Some(parts.iter().map(|part| part.size).sum());
        if let Some(created) = self.look_first(key, tag, size).await? {
            return Ok(created);
        }
        let (request, body) = requests::complete(&self.bucket, (key, upload), parts)?;
        let response = self.send_bytes(request, body).await?;
        let done = response.result("CompleteMultipartUploadResult");
        if done.is_some_and(|result| element(result, "ETag").is_some()) {
            return Ok(Created::Now);
        }
        let created = match (response.code(), response.status) {
            // The answer to an earlier call may have been lost.
            (Some("NoSuchUpload"), _) => match self.there(key, tag, size).await? {
                There::Own => Some(Created::Before),
                There::Another | There::Untagged => return Err(Error::Taken { key: key.into() }),
                There::Hidden | There::Absent => return Err(no_such_upload(key, upload)),
                There::Unknown => None,
            },
            (_, 304 | 409 | 412) => self.whose(key, tag, size, &response).await?,
            _ if response.is_full() => return Err(self.no_room("POST", key, &response)),
            _ => None,
        };
        created.ok_or_else(|| self.no_result("POST", key, &response))
    }

    /// Gives an upload up, and its parts with it. One that is not there is given up.
    ///
    /// # Errors
    /// What the store refuses.
    pub async fn abort_upload(&self, (key, upload): (&str, &str)) -> Result<(), Error> {
        let response = self.send(requests::abort(&self.bucket, (key, upload))?).await?;
        match response.status {
            200..=299 => Ok(()),
            _ if response.code() == Some("NoSuchUpload") => Ok(()),
            _ => Err(self.refused("DELETE", key, &response)),
        }
    }

    /// Gives up all uploads of an object's name; answers how many. Where only writing is allowed, nothing is asked for.
    ///
    /// # Errors
    /// What the store refuses; some may be given up all the same.
    pub async fn abort_uploads(&self, key: &str) -> Result<u32, Error> {
        let (mut aborted, mut after) = (0, None);
        let pages = if self.options.write_only { 0 } else { MAX_PAGES };
        for _ in 0..pages {
            let page = self.list_uploads(key, after.as_ref()).await?;
            for upload in page.uploads.iter().filter(|upload| upload.key == key) {
                self.abort_upload((key, &upload.id)).await?;
                aborted += 1;
            }
            // The name itself comes before all others that begin with it.
            after = page.next.filter(|next| next.key == key);
            if after.is_none() {
                break;
            }
        }
        Ok(aborted)
    }

    /// The uploads of objects whose names begin with `prefix`, from the one after `after` on: a page of them.
    ///
    /// # Errors
    /// What the store refuses.
    pub async fn list_uploads(&self, prefix: &str, after: Option<&Upload>) -> Result<Uploads, Error> {
        let response = self.ask(requests::list(&self.bucket, prefix, after), MAX_PAGE_BYTES).await?;
        let page = response.result("ListMultipartUploadsResult");
        let page = page.ok_or_else(|| self.no_result("GET", "", &response))?;
        let is_encoded = element(page, "EncodingType") == Some("url");
        let key = |text: &str| {
            let text = unescape(text);
            let decoded = || percent_decode_str(&text).decode_utf8_lossy().into_owned();
            if is_encoded { decoded() } else { text.clone().into_owned() }
        };
        let upload = |text, key_name, id_name| {
            let id = unescape(element(text, id_name)?).into_owned();
            Some(Upload { key: key(element(text, key_name)?), id })
        };
        let uploads = elements(page, "Upload").filter_map(|text| upload(text, "Key", "UploadId")).collect();
        let next = upload(page, "NextKeyMarker", "NextUploadIdMarker");
        Ok(Uploads { uploads, next: next.filter(|_| element(page, "IsTruncated") == Some("true")) })
    }

    /// What an answer to a call for parts means that is not the one expected.
    fn no_part(&self, method: &str, (key, upload): (&str, &str), response: &Response) -> Error {
        match response.code() {
            Some("NoSuchUpload") => no_such_upload(key, upload),
            _ => self.no_result(method, key, response),
        }
    }

    /// What a full store says to a copy or a completion. A refusal of these means that the store does not do such a thing:
    /// it would be remembered, or end the upload, which has to be there when there is room again.
    fn no_room(&self, method: &str, key: &str, response: &Response) -> Error {
        let (place, code) = (self.place(key), response.code().unwrap_or_default());
        Error::Unavailable { reason: format!("{method} {place} answers {} ({code})", response.status) }
    }

    /// What an answer means that is not the one expected, also one that begins as a success and says no result.
    fn no_result(&self, method: &str, key: &str, response: &Response) -> Error {
        if (200..=299).contains(&response.status) && response.code().is_none() {
            let reason = format!("{method} {} answers {} without a result", self.place(key), response.status);
            return Error::Unavailable { reason };
        }
        self.refused(method, key, response)
    }
}

fn no_such_upload(key: &str, upload: &str) -> Error {
    Error::NoSuchUpload { key: key.into(), upload: upload.into() }
}

fn read_part(text: &str) -> Option<Part> {
    Some(Part {
        number: element(text, "PartNumber")?.parse().ok()?,
        etag: unescape(element(text, "ETag")?).into_owned(),
        size: element(text, "Size")?.parse().ok()?,
    })
}

#[cfg(test)]
mod tests;
