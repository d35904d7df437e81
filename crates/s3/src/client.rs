//! The calls themselves, over a transport that the caller gives.

use crate::{Bucket, Credentials, Error, Request, TAG_HEADER, error_code, sign};

/// Longest error body that is read; the code stands at its begin.
const MAX_ERROR_BYTES: u32 = 16 << 10;

/// What a store answered.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Response {
    /// The HTTP status.
    pub status: u16,
    /// The headers, names in any case.
    pub headers: Vec<(String, Vec<u8>)>,
    /// The begin of the body, up to the limit given.
    pub body: Vec<u8>,
}

impl Response {
    fn header(&self, name: &str) -> Option<&str> {
        let (_, value) = self.headers.iter().find(|(found, _)| found.eq_ignore_ascii_case(name))?;
        std::str::from_utf8(value).ok()
    }

    fn code(&self) -> Option<&str> {
        std::str::from_utf8(&self.body).ok().and_then(error_code)
    }
}

/// How a request reaches a store.
#[expect(async_fn_in_trait, reason = "components have one thread; no caller needs a Send bound")]
pub trait Transport {
    /// What is sent, exactly as long as the request's `content-length` says.
    type Body;

    /// Sends a signed request to [`Bucket::authority`], and reads the answer with at most `max_bytes` of its
    /// body. An answer of any status is one.
    ///
    /// # Errors
    /// [`Error::Unavailable`] where there is no answer.
    async fn send(
        &self,
        bucket: &Bucket,
        request: Request,
        body: Option<Self::Body>,
        max_bytes: u32,
    ) -> Result<Response, Error>;
}

/// Whether a call to [`Client::put_new`] has created the object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Created {
    /// It has.
    Now,
    /// An earlier call with the same tag had.
    Before,
}

/// One bucket, by one key, at one time.
#[derive(Clone)]
pub struct Client<'a, T> {
    /// How it is reached.
    pub transport: &'a T,
    /// The bucket.
    pub bucket: Bucket,
    /// The access key that requests are signed with.
    pub credentials: Credentials,
    /// Now, in Unix seconds.
    pub now_s: u64,
}

impl<T: Transport> Client<'_, T> {
    /// Whether the bucket exists and may be used.
    ///
    /// # Errors
    /// [`Error::NoSuchBucket`] also where the store cannot be reached: it cannot be used then.
    /// [`Error::Unavailable`] where it fails.
    pub async fn check(&self) -> Result<(), Error> {
        let response = match self.send(Request::head_bucket(&self.bucket), None).await {
            Err(Error::Unavailable { reason }) => return Err(Error::NoSuchBucket { reason }),
            other => other?,
        };
        let reason = || format!("HEAD {} answers {}", self.place(""), response.status);
        match response.status {
            200..=299 => Ok(()),
            301 | 307 | 400 | 403 | 404 => Err(Error::NoSuchBucket { reason: reason() }),
            _ => Err(Error::Unavailable { reason: reason() }),
        }
    }

    /// Creates an object of `size` bytes, never replacing one. `tag` names the one thing that it holds, and is
    /// stored beside it.
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
        let put = Request::put_new(&self.bucket, key, content_type, tag, size)?;
        let response = self.send(put, Some(body)).await?;
        match response.status {
            200..=299 => Ok(Created::Now),
            // 412 is S3's answer, 409 OSS's, and S3's while another upload of the same key is under way.
            409 | 412 => {
                let there = self.send(Request::head(&self.bucket, key)?, None).await?;
                match (there.status, there.header(TAG_HEADER)) {
                    (200, Some(found)) if found == tag => Ok(Created::Before),
                    (200, _) => Err(Error::Taken { key: key.into() }),
                    _ => Err(self.refused("PUT", key, &response)),
                }
            }
            _ => Err(self.refused("PUT", key, &response)),
        }
    }

    /// The whole of a small object.
    ///
    /// # Errors
    /// [`Error::TooLarge`] for one of more than `max_bytes`, [`Error::NoSuchObject`] where there is none.
    pub async fn get_small(&self, key: &str, max_bytes: u32) -> Result<Vec<u8>, Error> {
        let get = self.signed(Request::get(&self.bucket, key)?);
        let limit = max_bytes.saturating_add(1);
        let response = self.transport.send(&self.bucket, get, None, limit).await?;
        match response.status {
            200 if response.body.len() as u64 > u64::from(max_bytes) => {
                Err(Error::TooLarge { key: key.into(), max_bytes })
            }
            200 => Ok(response.body),
            404 if response.code() != Some("NoSuchBucket") => Err(Error::NoSuchObject { key: key.into() }),
            _ => Err(self.refused("GET", key, &response)),
        }
    }

    async fn send(&self, request: Request, body: Option<T::Body>) -> Result<Response, Error> {
        self.transport.send(&self.bucket, self.signed(request), body, MAX_ERROR_BYTES).await
    }

    fn signed(&self, request: Request) -> Request {
        sign(request, &self.bucket, &self.credentials, self.now_s)
    }

    fn refused(&self, method: &str, key: &str, response: &Response) -> Error {
        let code = response.code().unwrap_or("no code");
        let reason = format!("{method} {} answers {} ({code})", self.place(key), response.status);
        match response.code() {
            Some("NoSuchBucket") => Error::NoSuchBucket { reason },
            _ => Error::Unavailable { reason },
        }
    }

    /// Where something lies, for people: host, bucket and name, not encoded.
    fn place(&self, key: &str) -> String {
        format!("{}{}{key}", self.bucket.authority(), self.bucket.root())
    }
}

#[cfg(test)]
mod tests;
