//! The work bucket, the one bucket in which objects are also deleted.

use crate::request::Request;
use crate::{Client, Created, Error, Options, Transport};

/// The work bucket, by one key, at one time.
///
/// What a user's bucket is reached by, [`Client`], has nothing that changes or deletes an object. Whoever makes this
/// out of one says that the bucket is the recorder's own.
#[derive(Clone)]
pub struct WorkClient<'a, T>(Client<'a, T>);

impl<'a, T: Transport> WorkClient<'a, T> {
    /// Takes a bucket for the work bucket, which has to be one that keeps objects and may be read.
    #[must_use]
    pub fn new(client: Client<'a, T>) -> Self {
        let options = Options { write_only: false, head_first: false, ..client.options };
        Self(Client { options, ..client })
    }

    /// Creates an object, never replacing one. `tag` names the one thing that it holds, and is stored beside it.
    ///
    /// # Errors
    /// As [`Client::put_new`].
    pub async fn create(
        &self,
        key: &str,
        content_type: &str,
        tag: &str,
        bytes: Vec<u8>,
    ) -> Result<Created, Error> {
        self.0.put_new_bytes(key, content_type, tag, bytes).await
    }

    /// The whole of a small object.
    ///
    /// # Errors
    /// As [`Client::get_small`].
    pub async fn get_small(&self, key: &str, max_bytes: u32) -> Result<Vec<u8>, Error> {
        self.0.get_small(key, max_bytes).await
    }

    /// The whole of a small object; `None` where there is none.
    ///
    /// # Errors
    /// As [`Client::get_small`].
    pub async fn find_small(&self, key: &str, max_bytes: u32) -> Result<Option<Vec<u8>>, Error> {
        match self.get_small(key, max_bytes).await {
            Ok(bytes) => Ok(Some(bytes)),
            Err(Error::NoSuchObject { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Deletes an object. One that is not there is deleted.
    ///
    /// # Errors
    /// What the store refuses. After [`Error::Unavailable`] the object may be gone all the same.
    pub async fn delete(&self, key: &str) -> Result<(), Error> {
        let response = self.0.send(Request::delete(&self.0.bucket, key)?).await?;
        match response.status {
            200..=299 => Ok(()),
            404 if response.code() == Some("NoSuchKey") => Ok(()),
            _ => Err(self.0.refused("DELETE", key, &response)),
        }
    }

    /// The first names that begin with a prefix and come after a name, in the order of their bytes: at most `most` of
    /// them, up to 1,000, and none where there are no more.
    ///
    /// # Errors
    /// What the store refuses; [`Error::Unavailable`] for an answer that is no list, or cut off.
    pub async fn list(&self, prefix: &str, after: &str, most: u32) -> Result<Vec<String>, Error> {
        self.0.list(prefix, after, most).await
    }
}

#[cfg(test)]
mod tests;
