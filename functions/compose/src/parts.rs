//! A record file that is uploaded in parts, over as many calls as it takes.
//!
//! Each part follows from the file's chunks, so that two calls at once upload the same. What is noted of an upload is a
//! hint: without it, another upload begins, and the first that is completed makes the object.

use shared::Refusal;
use shared::bucket::{Begun, Created, Error, Location, Part};
use shared::catalog::{RecordFile, Upload};

use crate::made::{Made, Pace};
use crate::world::World;

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

/// Uploads a file under a name, from where an earlier call has left it.
pub(crate) async fn put(
    world: &impl World,
    at: &Location,
    file: &RecordFile,
    object: &str,
    made: &Made,
    size: u64,
    pace: Pace,
) -> Result<(), Failure> {
    let Some(mut upload) = begin(world, at, file, object, made).await? else { return Ok(()) };
    let sizes: Vec<u64> =
        (0..size).step_by(pace.part_size as usize).map(|first| pace.part_size.min(size - first)).collect();
    for (number, size_of_part) in sizes.iter().copied().enumerate().skip(upload.parts.len()) {
        pace.check(world, || format!("{number} of {} parts are there", sizes.len()))?;
        let of = (object, &*upload.id);
        let put = async |body| world.upload_part(at.clone(), of, number as u16 + 1, size_of_part, body).await;
        match made.write(world, number as u64 * pace.part_size, size_of_part, put).await? {
            Ok(etag) => upload.parts.push(etag),
            Err(error) => {
                if error == Error::NoSuchUpload {
                    forget(world, file).await?;
                }
                return Err(error.into());
            }
        }
        note(world, file, upload.clone()).await?;
    }
    let named = upload.parts.iter().zip(&sizes);
    let parts = named.map(|(etag, size)| Part { etag: etag.clone(), size: *size }).collect();
    match world.complete_upload(at.clone(), (object, &upload.id), &made.tag, parts).await {
        Ok(Created::Now) => Ok(()),
        // Another call has made the object of an upload of its own, or this upload is that object.
        Ok(Created::Before) => give_up(world, at, (object, &upload.id)).await,
        // The answer may be lost.
        Err(error @ Error::Unavailable(_)) => Err(error.into()),
        // Another writer has the name, or what was noted is not what the store has.
        Err(error) => {
            give_up(world, at, (object, &upload.id)).await?;
            forget(world, file).await?;
            Err(error.into())
        }
    }
}

/// The upload that an earlier call began under this name, or a new one; `None` where the object is there.
async fn begin(
    world: &impl World,
    at: &Location,
    file: &RecordFile,
    object: &str,
    made: &Made,
) -> Result<Option<Upload>, Failure> {
    let noted = world.get_upload(file.clone()).await.map_err(Refusal::from)?;
    if let Some(upload) =
        noted.filter(|upload| upload.names_taken == file.names_taken && !upload.id.is_empty())
    {
        return Ok(Some(upload));
    }
    match world.begin_upload(at.clone(), object, made.content_type, &made.tag).await? {
        Begun::There(_) => Ok(None),
        Begun::Upload(id) => {
            let upload = Upload { names_taken: file.names_taken, id, parts: Vec::new() };
            note(world, file, upload.clone()).await?;
            Ok(Some(upload))
        }
    }
}

async fn note(world: &impl World, file: &RecordFile, upload: Upload) -> Result<(), Failure> {
    Ok(world.note_upload(file.clone(), upload).await.map_err(Refusal::from)?)
}

/// Gives an upload up, where the key may. What it leaves otherwise is for the bucket's lifecycle.
async fn give_up(world: &impl World, at: &Location, upload: (&str, &str)) -> Result<(), Failure> {
    match world.abort_upload(at.clone(), upload).await {
        Err(Error::Refused(reason)) => {
            eprintln!("upload {} of {:?} cannot be given up: {reason}", upload.1, upload.0);
            Ok(())
        }
        done => Ok(done?),
    }
}

/// Has the file uploaded anew.
async fn forget(world: &impl World, file: &RecordFile) -> Result<(), Failure> {
    let none = Upload { names_taken: file.names_taken, id: String::new(), parts: Vec::new() };
    note(world, file, none).await
}
