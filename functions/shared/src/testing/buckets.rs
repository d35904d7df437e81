//! Object stores in memory.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, VecDeque};
use std::fmt;

use naming::tag;
use store::memory::{Outcome, Scheduler};

use crate::bucket::{Begun, Created, Error, Location, Part, Source};
use crate::{Bucket, Piece};

use super::World;
use super::upload::{OnComplete, OnCopy, Upload};

/// What a call says that the scheduler has fail.
pub(super) const FAILED: &str = "the store cannot be reached";

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

/// What is wrong with a bucket for a while.
#[derive(Clone, Debug)]
pub enum Trouble {
    /// Each call fails so, without effect.
    Refuses(Error),
    /// Calls are not answered until the trouble is over.
    Hangs,
}

/// What went through the functions: bytes that they read of objects, bytes that they wrote, and how often a store was
/// asked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Moved {
    /// Bytes read.
    pub read: u64,
    /// Bytes written.
    pub written: u64,
    /// Requests.
    pub requests: u64,
}

/// What is kept in place of an object's bytes, by its name, if not all of them.
pub type Kept = fn(&str, &Object) -> Option<Vec<u8>>;

/// Decides how each call of an object ends, by its name and whether it may create it.
type Plan = Box<dyn FnMut(&str, bool) -> Outcome>;

/// All object stores, whose buckets are there when they are asked for. Each call is a point at which another actor of
/// the scheduler may go first, the caller may die, or the call may fail.
#[derive(Default)]
pub struct Buckets {
    scheduler: Scheduler,
    plan: RefCell<Option<Plan>>,
    /// By `endpoint/bucket/key`.
    pub objects: RefCell<BTreeMap<String, Object>>,
    /// The notes that objects were created with, by `endpoint/bucket/key`.
    pub notes: RefCell<BTreeMap<String, String>>,
    /// Why users' buckets may not be listed, and that they may be.
    pub unlisted: RefCell<Option<String>>,
    /// Uploads in parts that are neither completed nor given up, by id: the object's name, the object so far but for its
    /// bytes, and the parts by number.
    pub uploads: RefCell<BTreeMap<String, Upload>>,
    begun_uploads: Cell<u64>,
    /// How the next calls fail; none for one that succeeds.
    pub faults: RefCell<VecDeque<Option<Fault>>>,
    /// Buckets, as `endpoint/bucket`, in trouble.
    pub troubles: RefCell<BTreeMap<String, Trouble>>,
    /// They replace objects that are there, as some stores do whatever a create asks for. An instance finds that out by
    /// record files that are small enough to be held, and by nothing else.
    pub replaces: Cell<bool>,
    /// Record files of more bytes are too large for that.
    pub probe_bytes: Cell<u64>,
    /// What they do that are asked to copy a part.
    pub on_copy: RefCell<OnCopy>,
    /// What they do one after the other that are asked to make an object of parts; none for as they should.
    pub on_complete: RefCell<VecDeque<OnComplete>>,
    /// Every part but the last has to have the size of the first.
    pub equal_parts: Cell<bool>,
    /// The least that a part has, but the last one.
    pub least_part: Cell<u64>,
    /// What an object is created with is lost where it is made of parts.
    pub drops_tags_of_parts: Cell<bool>,
    /// A part is called something else each time that it is sent or copied, as where the store encrypts each by a key of
    /// its own.
    pub names_parts_anew: Cell<bool>,
    named_parts: Cell<u64>,
    /// What parts are called, by upload and number.
    pub(super) part_names: RefCell<BTreeMap<(String, u16), String>>,
    /// Uploads may not be listed.
    pub keeps_uploads_to_itself: Cell<bool>,
    /// What went through the functions since a test set it.
    pub moved: Cell<Moved>,
    /// They may only be written: slices and record files need names that are their own.
    pub write_only: Cell<bool>,
    /// What a test keeps in place of some objects' bytes.
    pub keeps: Cell<Option<Kept>>,
}

impl fmt::Debug for Buckets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Buckets").field("objects", &self.objects.borrow().keys()).finish_non_exhaustive()
    }
}

impl Buckets {
    /// Empty buckets, whose calls are scheduled together with those of whatever else the scheduler knows.
    #[must_use]
    pub fn new(scheduler: Scheduler) -> Self {
        Self { scheduler, probe_bytes: Cell::new(1 << 20), ..Self::default() }
    }

    /// Makes a call, as the scheduler has it end.
    ///
    /// # Errors
    /// What the effect fails with, or `failed` where the call is refused or its answer is lost.
    pub async fn call<T, E>(
        &self,
        name: &str,
        writes: bool,
        effect: impl FnOnce() -> Result<T, E>,
        failed: E,
    ) -> Result<T, E> {
        let moved = self.moved.get();
        self.moved.set(Moved { requests: moved.requests + 1, ..moved });
        while let Some(Trouble::Hangs) = self.trouble(name) {
            self.scheduler.wait().await;
        }
        let scheduled = self.scheduler.point().await;
        let planned = self.plan.borrow_mut().as_mut().map(|plan| plan(name, writes));
        let outcome = match scheduled {
            Outcome::Applied => planned.unwrap_or_default(),
            fault => fault,
        };
        self.scheduler.see(writes, name, outcome);
        match outcome {
            Outcome::Applied => effect(),
            Outcome::Refused => Err(failed),
            Outcome::ReplyLost => effect().and(Err(failed)),
        }
    }

    pub(super) fn move_bytes(&self, read: usize, written: usize) {
        let moved = self.moved.get();
        let (read, written) = (moved.read + read as u64, moved.written + written as u64);
        self.moved.set(Moved { read, written, ..moved });
    }

    /// What is wrong with the bucket of an object.
    #[must_use]
    pub fn trouble(&self, name: &str) -> Option<Trouble> {
        let troubles = self.troubles.borrow();
        let of = |bucket: &str| name.strip_prefix(bucket).is_some_and(|key| key.starts_with('/'));
        troubles.iter().find(|(bucket, _)| of(bucket)).map(|(_, trouble)| trouble.clone())
    }

    /// The id of another upload: none is used again.
    #[must_use]
    pub fn next_upload(&self) -> String {
        let begun = self.begun_uploads.get();
        self.begun_uploads.set(begun + 1);
        format!("upload-{begun}")
    }

    /// What a part is called from now on.
    pub(super) fn name_part(&self, upload: &str, number: u16, size: u64) -> String {
        let mut etag = format!("\"{number}-{size}\"");
        if self.names_parts_anew.get() {
            let named = self.named_parts.get();
            self.named_parts.set(named + 1);
            etag = format!("\"{number}-{size}-{named}\"");
        }
        self.part_names.borrow_mut().insert((upload.into(), number), etag.clone());
        etag
    }

    /// Lets `plan` decide how each call ends from now on. A fault that the scheduler chose for the same call comes first.
    pub fn fail(&self, plan: impl FnMut(&str, bool) -> Outcome + 'static) {
        *self.plan.borrow_mut() = Some(Box::new(plan));
    }

    /// Lets every call succeed again.
    pub fn mend(&self) {
        *self.plan.borrow_mut() = None;
    }

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

    /// Creates an object where there is none, and answers what is there then.
    pub(super) async fn create_or_read(&self, name: String, body: &[u8]) -> Result<Vec<u8>, String> {
        let create = || {
            let mut objects = self.objects.borrow_mut();
            let object = objects.entry(name.clone()).or_insert_with(|| Object {
                tag: String::new(),
                content_type: "application/json".into(),
                bytes: body.into(),
            });
            Ok(object.bytes.clone())
        };
        self.call(&name, true, create, FAILED.into()).await
    }

    /// An object's bytes, if there is one.
    pub(super) async fn read(&self, name: &str) -> Result<Option<Vec<u8>>, String> {
        let read = || Ok(self.objects.borrow().get(name).map(|object| object.bytes.clone()));
        self.call(name, false, read, FAILED.into()).await
    }

    /// Deletes an object, if there is one.
    pub(super) async fn delete(&self, name: &str) -> Result<(), String> {
        let delete = || {
            self.objects.borrow_mut().remove(name);
            Ok(())
        };
        self.call(name, true, delete, FAILED.into()).await
    }

    /// The first names in a bucket that begin with a prefix and come after a name.
    pub(super) async fn list(
        &self,
        bucket: &str,
        (prefix, after): (&str, &str),
        most: u32,
    ) -> Result<Vec<String>, String> {
        let begin = format!("{bucket}{prefix}");
        let list = || {
            let objects = self.objects.borrow();
            let names = objects.range(begin.clone()..).map(|(name, _)| name);
            let names = names.take_while(|name| name.starts_with(&begin));
            let found = names.filter_map(|name| name.strip_prefix(bucket)).filter(|name| *name > after);
            Ok(found.take(most as usize).map(str::to_owned).collect())
        };
        self.call(&begin, false, list, FAILED.into()).await
    }

    pub(super) fn put(&self, name: String, object: Object, looks_first: bool) -> Result<Created, Error> {
        let mut objects = self.objects.borrow_mut();
        match objects.get(&name) {
            Some(there) if there.tag == object.tag => {
                // What is tried again is the same, or the first try would have left something else.
                let kept = || self.keeps.get()?(&name, &object);
                let is_same = *there == object || kept().is_some_and(|kept| there.bytes == kept);
                assert!(is_same, "{name} is put again, and is another object");
                Ok(Created::Before)
            }
            Some(_) if looks_first || !self.replaces.get() => Err(Error::Taken),
            _ => {
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
        assert!(body.len() as u64 <= size, "the size of {key} should be told exactly");
        if (body.len() as u64) < size {
            return Err(Error::Unavailable(format!("the body of {key} ended too early")));
        }
        let fault = self.buckets.faults.borrow_mut().pop_front().flatten();
        if let Some(Fault::Refused(error)) = fault {
            return Err(error);
        }
        if self.buckets.write_only.get() && tag::is_of_recording(tag) && !tag::is_own(key, tag) {
            return Err(Error::Taken);
        }
        self.buckets.move_bytes(0, body.len());
        let object = Object { tag: tag.into(), content_type: content_type.into(), bytes: body };
        let name = name(&at, key);
        if let Some(Trouble::Refuses(error)) = self.buckets.trouble(&name) {
            return Err(error);
        }
        let looks = tag::is_of_file(tag) || self.replacing.borrow().contains(&bucket_name(&at));
        let put = || self.buckets.put(name.clone(), object, looks);
        let created = self.buckets.call(&name, true, put, Error::Unavailable(FAILED.into())).await;
        // As the component does, by creating it twice.
        let is_probe = tag::is_of_file(tag) && size <= self.buckets.probe_bytes.get();
        if is_probe && created == Ok(Created::Now) && self.buckets.replaces.get() {
            self.replacing.borrow_mut().insert(bucket_name(&at));
        }
        match fault {
            Some(Fault::Lost(error)) => Err(error),
            _ => created,
        }
    }

    async fn put_noted(
        &self,
        at: Location,
        key: &str,
        content_type: &str,
        (tag, note): (&str, Option<String>),
        size: u64,
        body: Vec<u8>,
    ) -> Result<Created, Error> {
        let name = name(&at, key);
        let is_new = !self.buckets.objects.borrow().contains_key(&name);
        let created = self.put_new(at, key, content_type, tag, size, body).await;
        if is_new
            && self.buckets.objects.borrow().contains_key(&name)
            && let Some(note) = note
        {
            self.buckets.notes.borrow_mut().insert(name, note);
        }
        created
    }

    async fn is_own(&self, at: Location, key: &str, tag: &str) -> Result<bool, Error> {
        let objects = self.buckets.objects.borrow();
        Ok(objects.get(&name(&at, key)).is_some_and(|object| object.tag == tag))
    }

    async fn is_replacing(&self, at: Location) -> Result<bool, Error> {
        Ok(self.replacing.borrow().contains(&bucket_name(&at)))
    }

    async fn look_first(&self, at: Location) -> Result<(), Error> {
        self.replacing.borrow_mut().insert(bucket_name(&at));
        Ok(())
    }

    async fn get_small(&self, at: Location, key: &str, max_bytes: u32) -> Result<Vec<u8>, Error> {
        let bytes = self.read_object(&at, key).await?;
        if bytes.len() as u64 > u64::from(max_bytes) { Err(Error::TooLarge(max_bytes)) } else { Ok(bytes) }
    }

    async fn get_range(&self, at: Location, key: &str, first: u64, length: u32) -> Result<Vec<u8>, Error> {
        let bytes = self.read_object(&at, key).await?;
        let place = |at: u64| usize::try_from(at).unwrap_or(usize::MAX).min(bytes.len());
        let bytes = bytes[place(first)..place(first + u64::from(length))].to_vec();
        self.buckets.move_bytes(bytes.len(), 0);
        Ok(bytes)
    }

    async fn gather<T>(
        &self,
        at: Location,
        head: Vec<u8>,
        pieces: Vec<Piece>,
        reader: impl AsyncFnOnce(Vec<u8>) -> T,
    ) -> T {
        let mut gathered = head;
        for piece in pieces {
            match self.read_piece(&at, &piece).await {
                Ok(bytes) => gathered.extend(bytes),
                Err(_) => break,
            }
        }
        reader(gathered).await
    }

    async fn begin_upload(
        &self,
        at: Location,
        key: &str,
        content_type: &str,
        tag: &str,
        size: u64,
    ) -> Result<Begun, Error> {
        if self.buckets.write_only.get() && tag::is_of_recording(tag) && !tag::is_own(key, tag) {
            return Err(Error::Taken);
        }
        let name = name(&at, key);
        let begin = || self.buckets.begin_upload(&name, content_type, tag, size);
        self.change(&name, begin).await
    }

    async fn upload_part(
        &self,
        at: Location,
        (key, upload): (&str, &str),
        number: u16,
        size: u64,
        body: Vec<u8>,
    ) -> Result<String, Error> {
        assert!(body.len() as u64 <= size, "the size of a part of {key} should be told exactly");
        if (body.len() as u64) < size {
            return Err(Error::Unavailable(format!("the part of {key} ended too early")));
        }
        let part = || self.buckets.upload_part(upload, number, body);
        self.change(&name(&at, key), part).await
    }

    async fn copy_part(
        &self,
        at: Location,
        (key, upload): (&str, &str),
        number: u16,
        source: Source,
    ) -> Result<String, Error> {
        let part = || self.buckets.copy_part(upload, number, &source);
        self.change(&name(&at, key), part).await
    }

    async fn complete_upload(
        &self,
        at: Location,
        (key, id): (&str, &str),
        tag: &str,
        parts: Vec<Part>,
        copied: bool,
    ) -> Result<Created, Error> {
        let name = name(&at, key);
        let complete = || self.buckets.complete_upload((&name, id), tag, &parts, copied);
        self.change(&name, complete).await
    }

    async fn abort_upload(&self, at: Location, (key, upload): (&str, &str)) -> Result<(), Error> {
        let abort = || {
            self.buckets.uploads.borrow_mut().remove(upload);
            Ok(())
        };
        self.change(&name(&at, key), abort).await
    }

    async fn abort_uploads(&self, at: Location, key: &str) -> Result<u32, Error> {
        let name = name(&at, key);
        let abort = || self.buckets.abort_uploads(&name);
        self.change(&name, abort).await
    }
}

fn bucket_name(at: &Location) -> String {
    format!("{}/{}", at.endpoint, at.bucket)
}

pub(super) fn name(at: &Location, key: &str) -> String {
    format!("{}/{key}", bucket_name(at))
}
