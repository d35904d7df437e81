//! Calls of object stores, as faults and troubles have them end.

use crate::bucket::{Error, Location};
use crate::{Bucket, Piece};

use super::World;
use super::buckets::{FAILED, Fault, Trouble, name};

impl World {
    /// Makes a call that changes something, as faults and troubles have it end.
    pub(super) async fn change<T>(
        &self,
        name: &str,
        effect: impl FnOnce() -> Result<T, Error>,
    ) -> Result<T, Error> {
        let fault = self.buckets.faults.borrow_mut().pop_front().flatten();
        if let Some(Fault::Refused(error)) = fault {
            return Err(error);
        }
        if let Some(Trouble::Refuses(error)) = self.buckets.trouble(name) {
            return Err(error);
        }
        let done = self.buckets.call(name, true, effect, Error::Unavailable(FAILED.into())).await;
        match fault {
            Some(Fault::Lost(error)) => Err(error),
            _ => done,
        }
    }

    /// All of an object.
    pub(super) async fn read_object(&self, at: &Location, key: &str) -> Result<Vec<u8>, Error> {
        if let Some(Fault::Refused(error) | Fault::Lost(error)) =
            self.buckets.faults.borrow_mut().pop_front().flatten()
        {
            return Err(error);
        }
        let name = name(at, key);
        if let Some(Trouble::Refuses(error)) = self.buckets.trouble(&name) {
            return Err(error);
        }
        let get = || {
            let objects = self.buckets.objects.borrow();
            objects.get(&name).map(|object| object.bytes.clone()).ok_or(Error::NoSuchObject)
        };
        self.buckets.call(&name, false, get, Error::Unavailable(FAILED.into())).await
    }

    /// What a piece says, once all of it is there.
    pub(super) async fn read_piece(&self, at: &Location, piece: &Piece) -> Result<Vec<u8>, Error> {
        let mut bytes = Vec::new();
        for (first, length) in piece.blocks() {
            bytes.extend(self.get_range(at.clone(), &piece.key, first, length).await?);
        }
        Ok(bytes)
    }
}
