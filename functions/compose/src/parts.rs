//! A record file that is uploaded in parts, over as many calls as it takes.
//!
//! Each part follows from the file's chunks, so that two calls at once upload the same, whether they send it or have the
//! store copy it. Which upload is the file's is a decision, and so is which comes after one that was given up, or that the
//! store knows no more. Whoever began another one gives that up. How far an upload is, is a hint: without it, the parts are
//! uploaded once more. Once the object is there, all uploads under its name are given up, also those that nobody was told of.

use futures_util::future::join_all;
use shared::bucket::{Begun, Created, Error, Location, Part, Source};
use shared::catalog::{RecordFile, Upload};
use shared::{Piece, Refusal, files};

use crate::gather::is_one_store;
use crate::made::{Made, Pace};
use crate::plan::{self, Media};
use crate::world::World;

/// So many parts are copied at once.
const COPIES_AT_ONCE: usize = 16;

/// Why a file is not there.
pub(crate) enum Failure {
    /// The bucket failed.
    Bucket(Error),
    /// Something else did, or time is up.
    Other(Refusal),
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Bucket(error)
    }
}

impl From<Refusal> for Failure {
    fn from(refusal: Refusal) -> Self {
        Self::Other(refusal)
    }
}

impl From<Failure> for Refusal {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Bucket(error) => error.into(),
            Failure::Other(refusal) => refusal,
        }
    }
}

/// What became of parts that were to be copied.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Copied {
    /// The first of them, or all.
    Some,
    /// Not the first; another try may go otherwise.
    None,
    /// The store does not copy.
    Never,
}

/// A file that is uploaded under a name.
pub(crate) struct Uploading<'a, W: World> {
    pub(crate) world: &'a W,
    pub(crate) at: &'a Location,
    pub(crate) file: &'a RecordFile,
    pub(crate) object: &'a str,
    pub(crate) made: &'a Made<W>,
    pub(crate) pace: Pace,
}

impl<W: World> Uploading<'_, W> {
    /// Uploads a file of a size, from where an earlier call has left it.
    pub(crate) async fn put(&self, size: u64) -> Result<(), Failure> {
        match self.put_by(size, self.may_copy().await?).await {
            // Another call may have made the object, or given this upload up since the store does not copy.
            Err(Failure::Bucket(Error::NoSuchUpload)) => self.put_by(size, self.may_copy().await?).await?,
            done => done?,
        }
        self.give_up_others().await;
        Ok(())
    }

    async fn put_by(&self, size: u64, may_copy: bool) -> Result<(), Failure> {
        let media = Media::new(size, &self.made.media);
        let planned = if may_copy { media.parts(self.pace.sizes) } else { None };
        let mut copies = planned.is_some();
        let equal = plan::equal(size, self.pace.sizes.sent(size));
        let sizes = planned.unwrap_or_else(|| equal.clone());
        let Some((mut upload, is_new)) = self.begin(sizes).await? else { return Ok(()) };
        let found = upload.parts.len();
        while upload.parts.len() < upload.sizes.len() {
            let before = upload.parts.len();
            let all = upload.sizes.len();
            let left = || format!("{before} of {all} parts are there");
            if before > found || is_new {
                self.pace.check(self.world, left)?;
            } else {
                self.pace.check_first(self.world, left)?;
            }
            let sources = if copies { self.sources(&media, &upload) } else { Vec::new() };
            let copied =
                if sources.is_empty() { Copied::None } else { self.copy(&mut upload, sources).await? };
            copies &= copied != Copied::Never;
            // What the store does not copy is sent.
            if copied == Copied::None {
                self.send(&mut upload).await?;
            }
            if upload.sizes != equal && self.is_in_vain(&upload).await? {
                self.give_up(&upload.id).await;
                self.forget(&upload.id).await?;
                return Box::pin(self.put_by(size, false)).await;
            }
            self.note(upload.clone()).await?;
        }
        self.complete(upload).await
    }

    /// Whether an upload was cut into parts that are not to be: nothing of it is copied, so that fewer do, or there are
    /// too many to be noted.
    async fn is_in_vain(&self, upload: &Upload) -> Result<bool, Failure> {
        let is_noted = upload.parts.first().is_none_or(|etag| plan::can_be_noted(upload.sizes.len(), etag));
        Ok(!is_noted || !upload.copied && !self.may_copy().await?)
    }

    async fn may_copy(&self) -> Result<bool, Failure> {
        let may_copy = self.made.container == files::Container::Mp4
            && is_one_store(&self.made.work, self.at)
            && self.world.may_copy(self.at, self.world.now_ms()).await.map_err(Refusal::from)?;
        Ok(may_copy)
    }

    /// The upload that is known under this name, or one that is decided on just now, in parts of some sizes if it is this call's,
    /// and whether it was just now; `None` where the object is there.
    async fn begin(&self, sizes: Vec<u64>) -> Result<Option<(Upload, bool)>, Failure> {
        let known = self.world.get_upload(self.file.clone()).await.map_err(Refusal::from)?;
        let size: u64 = sizes.iter().sum();
        let after = match known {
            Some(upload) if upload.id.is_empty() => upload.after,
            Some(upload) if upload.sizes.iter().sum::<u64>() == size => {
                return Ok(Some((upload, false)));
            }
            // Another build made another file of it.
            Some(upload) => {
                self.give_up(&upload.id).await;
                upload.id
            }
            None => String::new(),
        };
        let Made { content_type, tag, .. } = self.made;
        let id = match self.world.begin_upload(self.at.clone(), self.object, content_type, tag, size).await? {
            Begun::There(_) => return Ok(None),
            Begun::Upload(id) => id,
        };
        let begun = Upload { id: id.clone(), sizes, ..self.no_upload(after) };
        let decided = match self.world.decide_upload(self.file.clone(), begun.clone()).await {
            Ok(decided) => decided,
            Err(error) => {
                eprintln!("which upload of {:?} is the file's is not decided: {error:?}", self.object);
                self.undecided(begun).await?
            }
        };
        if decided.id != id {
            self.give_up(&id).await;
        }
        if decided.sizes.iter().sum::<u64>() != size {
            self.give_up(&decided.id).await;
            self.forget(&decided.id).await?;
            return Err(Error::NoSuchUpload.into());
        }
        Ok(Some((decided, true)))
    }

    /// The upload to go on with where a decision was not answered: one that is known, or the one that has just begun. A work
    /// bucket that is full has room again only once files are written; the object decides then.
    async fn undecided(&self, begun: Upload) -> Result<Upload, Failure> {
        let known = self.world.get_upload(self.file.clone()).await.ok().flatten();
        if let Some(known) = known.filter(|upload| !upload.id.is_empty()) {
            return Ok(known);
        }
        let noted = self.note(begun.clone()).await;
        if noted.is_err() {
            self.give_up(&begun.id).await;
        }
        noted.map(|()| begun)
    }

    /// What the next parts can be copied of, as many as are copied at once.
    fn sources(&self, media: &Media<'_>, upload: &Upload) -> Vec<Piece> {
        let done = upload.parts.len();
        let mut first: u64 = upload.sizes.iter().take(done).sum();
        let next = upload.sizes.iter().skip(done).take(COPIES_AT_ONCE);
        let sources = next.map_while(|size| {
            let source = media.source(first, *size, self.pace.sizes.least);
            first += size;
            source
        });
        sources.collect()
    }

    /// Has the store copy the next parts, up to the first that it does not copy. Answers how far that went.
    async fn copy(&self, upload: &mut Upload, sources: Vec<Piece>) -> Result<Copied, Failure> {
        let (id, numbers) = (upload.id.clone(), upload.parts.len() as u16 + 1..);
        let copies = numbers.zip(sources).map(async |(number, Piece { key, first, size })| {
            let source = Source { at: self.made.work.clone(), key, first, size };
            self.world.copy_part(self.at.clone(), (self.object, &id), number, source).await
        });
        let mut outcome = Copied::None;
        for copied in join_all(copies).await {
            let error = match copied {
                Ok(etag) => {
                    upload.parts.push(etag);
                    upload.copied = true;
                    outcome = Copied::Some;
                    continue;
                }
                Err(error) => error,
            };
            if error == Error::NoSuchUpload {
                self.forget(&id).await?;
                return Err(error.into());
            }
            eprintln!("a part of {:?} is not copied, and sent instead: {error:?}", self.object);
            // The upload has begun, so a bucket that is not there is the one to copy from.
            if matches!(error, Error::Refused(_) | Error::Invalid(_) | Error::NoSuchBucket(_)) {
                self.note_uncopied().await?;
                return Ok(Copied::Never);
            }
            break;
        }
        Ok(outcome)
    }

    /// Sends the next part.
    async fn send(&self, upload: &mut Upload) -> Result<(), Failure> {
        let done = upload.parts.len();
        let (first, size) = (upload.sizes.iter().take(done).sum(), upload.sizes[done]);
        let of = (self.object, &*upload.id);
        let put = async |body| self.world.upload_part(self.at.clone(), of, done as u16 + 1, size, body).await;
        match self.made.write(self.world, first, size, put).await {
            Ok(etag) => upload.parts.push(etag),
            Err(error) => {
                if error == Error::NoSuchUpload {
                    self.forget(&upload.id).await?;
                }
                return Err(error.into());
            }
        }
        Ok(())
    }

    /// Makes the object of all parts.
    async fn complete(&self, upload: Upload) -> Result<(), Failure> {
        let Upload { id, sizes, parts, copied, .. } = upload;
        // Some stores want all parts but the last of one size, and say so only now.
        let is_equal = sizes.split_last().is_none_or(|(_, sizes)| sizes.iter().all(|size| *size == sizes[0]));
        let parts = parts.into_iter().zip(sizes).map(|(etag, size)| Part { etag, size }).collect();
        let of = (self.object, &*id);
        match self.world.complete_upload(self.at.clone(), of, &self.made.tag, parts, copied).await {
            Ok(Created::Now) => Ok(()),
            // Another call may have made the object of an upload of its own.
            Ok(Created::Before) => {
                self.give_up(&id).await;
                Ok(())
            }
            // The answer may be lost.
            Err(error @ Error::Unavailable(_)) => Err(error.into()),
            // Another writer has the name, or what was noted is not what the store has, or takes.
            Err(error) => {
                let is_final = matches!(error, Error::Refused(_) | Error::Invalid(_));
                if (copied || !is_equal) && is_final {
                    self.note_uncopied().await?;
                }
                self.give_up(&id).await;
                self.forget(&id).await?;
                Err(error.into())
            }
        }
    }

    async fn note(&self, upload: Upload) -> Result<(), Failure> {
        Ok(self.world.note_upload(self.file.clone(), upload).await.map_err(Refusal::from)?)
    }

    async fn note_uncopied(&self) -> Result<(), Failure> {
        Ok(self.world.note_uncopied(self.at, self.world.now_ms()).await.map_err(Refusal::from)?)
    }

    /// Gives an upload up, where that can be done. What it leaves otherwise is for the bucket's lifecycle: a file does not
    /// wait for that.
    async fn give_up(&self, id: &str) {
        if let Err(error) = self.world.abort_upload(self.at.clone(), (self.object, id)).await {
            eprintln!("upload {id} of {:?} cannot be given up: {error:?}", self.object);
        }
    }

    /// Gives up what else was begun under the name of the object that is there now, before the file counts as written. Where
    /// that cannot be done, it is for the bucket's lifecycle.
    async fn give_up_others(&self) {
        match self.world.abort_uploads(self.at.clone(), self.object).await {
            // The key may not list them.
            Ok(_) | Err(Error::Refused(_)) => {}
            Err(error) => eprintln!("uploads of {:?} cannot be given up: {error:?}", self.object),
        }
    }

    /// Has the file uploaded anew, since an upload is given up.
    async fn forget(&self, id: &str) -> Result<(), Failure> {
        self.note(self.no_upload(id.into())).await
    }

    fn no_upload(&self, after: String) -> Upload {
        Upload {
            names_taken: self.file.names_taken,
            id: String::new(),
            after,
            sizes: Vec::new(),
            parts: Vec::new(),
            copied: false,
        }
    }
}
