//! Object stores in memory.

use std::cell::RefCell;
use std::collections::{BTreeMap, VecDeque};

use crate::Bucket;
use crate::bucket::{Created, Error, Location};

use super::World;

/// An object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Object {
    /// What it was created with.
    pub tag: String,
    /// What it was created with.
    pub content_type: String,
    /// What it holds.
    pub bytes: Vec<u8>,
}

/// How a call fails.
#[derive(Clone, Debug)]
pub enum Fault {
    /// It has no effect.
    Refused(Error),
    /// It has its effect, and its answer is lost.
    Lost(Error),
}

/// All object stores, whose buckets are there when they are asked for.
#[derive(Debug, Default)]
pub struct Buckets {
    /// By `endpoint/bucket/key`.
    pub objects: RefCell<BTreeMap<String, Object>>,
    /// How the next calls fail; none for one that succeeds.
    pub faults: RefCell<VecDeque<Option<Fault>>>,
}

impl Buckets {
    /// An object's bytes as text.
    ///
    /// # Panics
    /// Where there is no such object or it is not text.
    #[must_use]
    pub fn text(&self, name: &str) -> String {
        let objects = self.objects.borrow();
        let object =
            objects.get(name).unwrap_or_else(|| panic!("there is no {name} among {:?}", objects.keys()));
        String::from_utf8(object.bytes.clone()).expect("the object should be text")
    }

    /// The names of all objects below a prefix, in order.
    #[must_use]
    pub fn names(&self, prefix: &str) -> Vec<String> {
        self.objects.borrow().keys().filter(|name| name.starts_with(prefix)).cloned().collect()
    }

    fn put(&self, name: String, object: Object) -> Result<Created, Error> {
        let mut objects = self.objects.borrow_mut();
        match objects.get(&name) {
            Some(there) if there.tag == object.tag => Ok(Created::Before),
            Some(_) => Err(Error::Taken),
            None => {
                objects.insert(name, object);
                Ok(Created::Now)
            }
        }
    }
}

impl Bucket for World {
    async fn put_new(
        &self,
        at: Location,
        key: &str,
        content_type: &str,
        tag: &str,
        size: u64,
        body: Vec<u8>,
    ) -> Result<Created, Error> {
        assert_eq!(body.len() as u64, size, "the size of {key} should be told exactly");
        let fault = self.buckets.faults.borrow_mut().pop_front().flatten();
        if let Some(Fault::Refused(error)) = fault {
            return Err(error);
        }
        let object = Object { tag: tag.into(), content_type: content_type.into(), bytes: body };
        let created = self.buckets.put(name(&at, key), object);
        match fault {
            Some(Fault::Lost(error)) => Err(error),
            _ => created,
        }
    }

    async fn get_small(&self, at: Location, key: &str, max_bytes: u32) -> Result<Vec<u8>, Error> {
        if let Some(Fault::Refused(error) | Fault::Lost(error)) =
            self.buckets.faults.borrow_mut().pop_front().flatten()
        {
            return Err(error);
        }
        let objects = self.buckets.objects.borrow();
        let object = objects.get(&name(&at, key)).ok_or(Error::NoSuchObject)?;
        if object.bytes.len() as u64 > u64::from(max_bytes) {
            return Err(Error::TooLarge(max_bytes));
        }
        Ok(object.bytes.clone())
    }
}

fn name(at: &Location, key: &str) -> String {
    format!("{}/{}/{key}", at.endpoint, at.bucket)
}
