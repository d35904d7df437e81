//! The calls themselves, over a transport that the caller gives.

use crate::presign::presigned_get;
use crate::{Bucket, Credentials, Error, Regions, Request, Response, TAG_HEADER, sign};

/// Longest error body that is read; the code stands at its begin.
const MAX_ERROR_BYTES: u32 = 16 << 10;

/// How a request reaches a store.
#[expect(async_fn_in_trait, reason = "components have one thread; no caller needs a Send bound")]
pub trait Transport {
    /// What is sent, exactly as long as the request's `content-length` says.
    type Body;

    /// A body of bytes that are at hand.
    fn body(&self, bytes: Vec<u8>) -> Self::Body;

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
    /// What stores have told of their regions, to this client and to others.
    pub regions: &'a Regions,
    /// Now, in Unix seconds.
    pub now_s: u64,
}

impl<T: Transport> Client<'_, T> {
    /// Whether the bucket exists, and the key is one that its store knows. A key that may only write is.
    ///
    /// # Errors
    /// [`Error::NoSuchBucket`] also where the store cannot be reached: it cannot be used then.
    /// [`Error::Refused`] where the key is no good, [`Error::Unavailable`] where the store fails.
    pub async fn check(&self) -> Result<(), Error> {
        let response = match self.send(Request::head_bucket(&self.bucket)).await {
            Err(Error::Unavailable { reason }) => return Err(Error::NoSuchBucket { reason }),
            other => other?,
        };
        let reason = || format!("HEAD {} answers {}", self.place(""), response.status);
        match response.status {
            200..=299 => Ok(()),
            // The answer to HEAD has no code.
            400 | 403 => {
                let listed = self.send(Request::list_one(&self.bucket)).await?;
                match listed.status {
                    200..=299 => Ok(()),
                    403 if listed.code() == Some("AccessDenied") => Ok(()),
                    _ => Err(self.refused("GET", "", &listed)),
                }
            }
            301 | 307 | 404 => Err(Error::NoSuchBucket { reason: reason() }),
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
        let response = self.send_stream(put, key, body).await?;
        self.created(key, tag, &response).await
    }

    /// Like [`put_new`](Self::put_new), of bytes that are at hand: they are sent again where the store has told
    /// another region.
    pub(crate) async fn put_new_bytes(
        &self,
        key: &str,
        content_type: &str,
        tag: &str,
        bytes: Vec<u8>,
    ) -> Result<Created, Error> {
        let put = Request::put_new(&self.bucket, key, content_type, tag, bytes.len() as u64)?;
        let response = self.send_bytes(put, bytes).await?;
        self.created(key, tag, &response).await
    }

    /// What the answer to a conditional create means.
    async fn created(&self, key: &str, tag: &str, response: &Response) -> Result<Created, Error> {
        match response.status {
            200..=299 => Ok(Created::Now),
            // 412 is S3's answer, 409 OSS's, and S3's while another upload of the same key is under way.
            409 | 412 => {
                let there = self.send(Request::head(&self.bucket, key)?).await?;
                let exists = response.status == 412 || response.code() == Some("FileAlreadyExists");
                match (there.status, there.header(TAG_HEADER)) {
                    (200, Some(found)) if found == tag => Ok(Created::Before),
                    (200, _) => Err(Error::Taken { key: key.into() }),
                    // A key that may not read does not learn whose object it is: it is not taken for ours.
                    (403, _) if exists => Err(Error::Taken { key: key.into() }),
                    _ => Err(self.refused("PUT", key, response)),
                }
            }
            _ => Err(self.refused("PUT", key, response)),
        }
    }

    /// At most `length` bytes of an object, from the byte `first` on; fewer where it ends before, and none where it
    /// has none there.
    ///
    /// # Errors
    /// [`Error::NoSuchObject`] where there is none; [`Error::Refused`] where the store knows no ranges.
    pub async fn get_range(&self, key: &str, first: u64, length: u32) -> Result<Vec<u8>, Error> {
        let Some(last) = length.checked_sub(1).map(|more| first.saturating_add(more.into())) else {
            return Ok(Vec::new());
        };
        let response = self.ask(Request::get_range(&self.bucket, key, first, last)?, length).await?;
        let begins = || {
            let range = response.header("content-range")?.strip_prefix("bytes ")?;
            range.split_once('-')?.0.parse().ok()
        };
        match response.status {
            206 if begins() == Some(first) => Ok(response.body),
            // The object from its begin is what was asked for, however it is called.
            200 if first == 0 => Ok(response.body),
            200 | 206 => {
                let reason = format!("GET {} answers another range than was asked for", self.place(key));
                Err(Error::Refused { reason })
            }
            416 => Ok(Vec::new()),
            404 if response.code() != Some("NoSuchBucket") => Err(Error::NoSuchObject { key: key.into() }),
            _ => Err(self.refused("GET", key, &response)),
        }
    }

    /// A URL by which anybody may read an object, for so many seconds: at most 7 days.
    ///
    /// # Errors
    /// A key that [`Bucket::object_path`] refuses.
    pub fn presigned_get(&self, key: &str, expires_s: u32) -> Result<String, Error> {
        let bucket = self.bucket.in_region(self.region());
        presigned_get(&bucket, key, &self.credentials, self.now_s, expires_s)
    }

    /// The whole of a small object.
    ///
    /// # Errors
    /// [`Error::TooLarge`] for one of more than `max_bytes`, [`Error::NoSuchObject`] where there is none.
    pub async fn get_small(&self, key: &str, max_bytes: u32) -> Result<Vec<u8>, Error> {
        let get = Request::get(&self.bucket, key)?;
        let response = self.ask(get, max_bytes.saturating_add(1)).await?;
        match response.status {
            200 if response.body.len() as u64 > u64::from(max_bytes) => {
                Err(Error::TooLarge { key: key.into(), max_bytes })
            }
            200 => Ok(response.body),
            404 if response.code() != Some("NoSuchBucket") => Err(Error::NoSuchObject { key: key.into() }),
            _ => Err(self.refused("GET", key, &response)),
        }
    }

    async fn send_body(&self, request: Request, body: T::Body) -> Result<Response, Error> {
        self.transport.send(&self.bucket, self.signed(request), Some(body), MAX_ERROR_BYTES).await
    }

    /// Sends a request with bytes that are at hand, once more where the store has told another region.
    pub(crate) async fn send_bytes(&self, request: Request, bytes: Vec<u8>) -> Result<Response, Error> {
        let response = self.send_body(request.clone(), self.transport.body(bytes.clone())).await?;
        if !self.learn(&response) {
            return Ok(response);
        }
        self.send_body(request, self.transport.body(bytes)).await
    }

    /// Sends a request with a body that is there once: where the store tells another region, the caller has to send
    /// it again.
    pub(crate) async fn send_stream(
        &self,
        request: Request,
        key: &str,
        body: T::Body,
    ) -> Result<Response, Error> {
        let response = self.send_body(request, body).await?;
        if self.learn(&response) {
            let reason =
                format!("PUT {}: the bucket's region was another, and is known now", self.place(key));
            return Err(Error::Unavailable { reason });
        }
        Ok(response)
    }

    pub(crate) async fn send(&self, request: Request) -> Result<Response, Error> {
        self.ask(request, MAX_ERROR_BYTES).await
    }

    /// Sends a request without a body, once more where the store has told another region.
    pub(crate) async fn ask(&self, request: Request, max_bytes: u32) -> Result<Response, Error> {
        let signed = self.signed(request.clone());
        let response = self.transport.send(&self.bucket, signed, None, max_bytes).await?;
        if !self.learn(&response) {
            return Ok(response);
        }
        self.transport.send(&self.bucket, self.signed(request), None, max_bytes).await
    }

    /// Remembers the region that an answer names. Answers whether that is news.
    fn learn(&self, response: &Response) -> bool {
        let told = response.region().filter(|region| *region != self.region());
        told.is_some_and(|region| self.regions.learn(self.bucket.authority(), self.bucket.root(), region))
    }

    fn region(&self) -> String {
        let learned = self.regions.get(self.bucket.authority(), self.bucket.root());
        learned.unwrap_or_else(|| self.bucket.region().into())
    }

    fn signed(&self, request: Request) -> Request {
        sign(request, &self.bucket.in_region(self.region()), &self.credentials, self.now_s)
    }

    pub(crate) fn refused(&self, method: &str, key: &str, response: &Response) -> Error {
        let code = response.code().unwrap_or("no code");
        response.refusal(format!("{method} {} answers {} ({code})", self.place(key), response.status))
    }

    /// Where something lies, for people: host, bucket and name, not encoded.
    pub(crate) fn place(&self, key: &str) -> String {
        format!("{}{}{key}", self.bucket.authority(), self.bucket.root())
    }
}

#[cfg(test)]
mod tests;
