//! The calls themselves, over a transport that the caller gives.

use crate::presign::presigned_get;
use crate::{Bucket, Checksum, Conditions, Credentials, Error, Options, Regions, Request, Response, sign};

/// Longest error body that is read; the code stands at its begin.
const MAX_ERROR_BYTES: u32 = 16 << 10;

/// How a request reaches a store.
#[expect(async_fn_in_trait, reason = "components have one thread; no caller needs a Send bound")]
pub trait Transport {
    /// What is sent, exactly as long as the request's `content-length` says.
    type Body;

    /// A body of bytes that are at hand.
    fn body(&self, bytes: Vec<u8>) -> Self::Body;

    /// The bytes of a body, at most so many.
    async fn read(&self, body: Self::Body, max_bytes: u64) -> Vec<u8>;

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

/// One bucket, by one key, at one time.
#[derive(Clone)]
pub struct Client<'a, T> {
    /// How it is reached.
    pub transport: &'a T,
    /// The bucket.
    pub bucket: Bucket,
    /// The access key that requests are signed with.
    pub credentials: Credentials,
    /// How objects are created.
    pub options: Options,
    /// What stores have told of their regions, to this client and to others.
    pub regions: &'a Regions,
    /// Which buckets keep objects, as far as this client and others know.
    pub conditions: &'a Conditions,
    /// Now, in Unix seconds.
    pub now_s: u64,
}

impl<T: Transport> Client<'_, T> {
    /// Whether the bucket exists, and the key is one that its store knows. A key that may only write is.
    ///
    /// # Errors
    /// [`Error::NoSuchBucket`] where it is absent, [`Error::Refused`] where the key may not use it,
    /// [`Error::Unreachable`] where there is no answer, [`Error::Unavailable`] where the store fails.
    pub async fn check(&self) -> Result<(), Error> {
        let response = match self.send(Request::head_bucket(&self.bucket)).await {
            Err(Error::Unavailable { reason }) => return Err(Error::Unreachable { reason }),
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
            206 if begins() == Some(first) => Ok(up_to(length, response.body)),
            // The object from its begin is what was asked for, however it is called.
            200 if first == 0 => Ok(up_to(length, response.body)),
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

    /// Sends a request with a body, as it comes; where the store is to compare it, with what the header says of the
    /// bytes, which are held for that.
    pub(crate) async fn send_checked(
        &self,
        request: Request,
        key: &str,
        (size, body): (u64, T::Body),
        checksum: Option<Checksum>,
    ) -> Result<Response, Error> {
        let Some(checksum) = checksum else { return self.send_stream(request, key, body).await };
        let bytes = self.transport.read(body, size.saturating_add(1)).await;
        if bytes.len() as u64 != size {
            let reason = format!("{} bytes of {size} came for {}", bytes.len(), self.place(key));
            return Err(Error::Unavailable { reason });
        }
        self.send_bytes(request.with(&[checksum.header(&bytes)]), bytes).await
    }

    pub(crate) async fn send(&self, request: Request) -> Result<Response, Error> {
        self.ask(request, MAX_ERROR_BYTES).await
    }

    /// Sends a request without a body, once more where the store has told another region.
    /// Sends a request without a body. Of the answer so many bytes are read, or more: a problem is read whole, however little
    /// was asked for.
    pub(crate) async fn ask(&self, request: Request, max_bytes: u32) -> Result<Response, Error> {
        let max_bytes = max_bytes.max(MAX_ERROR_BYTES);
        let signed = self.signed(request.clone());
        let response = self.transport.send(&self.bucket, signed, None, max_bytes).await?;
        if !self.learn(&response) {
            return Ok(response);
        }
        self.transport.send(&self.bucket, self.signed(request), None, max_bytes).await
    }

    /// Learns the region of a store that says it in the body of an answer alone, which a HEAD does not have. Answers
    /// whether it is news.
    pub(crate) async fn asks_for_region(&self) -> Result<bool, Error> {
        let before = self.region();
        self.send(Request::list_one(&self.bucket)).await?;
        Ok(self.region() != before)
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

fn up_to(length: u32, mut body: Vec<u8>) -> Vec<u8> {
    body.truncate(length as usize);
    body
}

#[cfg(test)]
mod tests;
