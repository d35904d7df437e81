//! Unfinished uploads on the disk: a folder for each, with what was said at its begin and a file for each part.

use std::fs::{self, File};
use std::io::{self, ErrorKind, Write as _};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use s3s::{S3Result, s3_error};
use serde::{Deserialize, Serialize};

use crate::attributes::Attributes;
use crate::fault::disk;
use crate::store::{Store, sync};

/// The file that says what an upload is to become.
const RECORD: &str = "upload.json";

/// What an upload is to become.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Upload {
    pub(crate) key: String,
    pub(crate) attributes: Attributes,
}

/// A part that is there.
#[derive(Debug)]
pub(crate) struct Part {
    pub(crate) number: i32,
    pub(crate) e_tag: String,
    pub(crate) path: PathBuf,
    pub(crate) size: u64,
    pub(crate) modified: SystemTime,
}

/// Begins an upload; answers its id.
pub(crate) fn begin(store: &Store, bucket: &str, upload: &Upload) -> S3Result<String> {
    store.bucket(bucket)?;
    let id = format!("{:032x}", rand::random::<u128>());
    let record = serde_json::to_vec(upload).map_err(|error| disk(error.into()))?;
    let _promise = store.room.promise(Some(record.len() as u64))?;
    let temporary = store.temporary();
    let write = || {
        fs::create_dir(&temporary.0)?;
        let mut file = File::create_new(temporary.0.join(RECORD))?;
        file.write_all(&record)?;
        file.sync_all()?;
        sync(&temporary.0)?;
        store.move_in(&temporary, &store.uploads(bucket).join(&id))
    };
    write().map_err(disk)?;
    Ok(id)
}

/// The folder of an upload of this key, and what it is to become.
pub(crate) fn find(store: &Store, bucket: &str, key: &str, id: &str) -> S3Result<(PathBuf, Upload)> {
    store.bucket(bucket)?;
    let is_id = id.len() == 32 && id.bytes().all(|byte| byte.is_ascii_hexdigit());
    let folder = store.uploads(bucket).join(id);
    let upload = if is_id { read(&folder).map_err(disk)? } else { None };
    let upload = upload.filter(|upload| upload.key == key).ok_or_else(|| s3_error!(NoSuchUpload))?;
    Ok((folder, upload))
}

fn read(folder: &Path) -> io::Result<Option<Upload>> {
    match fs::read(folder.join(RECORD)) {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        record => Ok(Some(serde_json::from_slice(&record?)?)),
    }
}

/// What a part's file is named.
pub(crate) fn file_name(number: i32, e_tag: &str) -> String {
    format!("{number:05}.{e_tag}")
}

/// The parts that are there, by number. Of a part that was sent again, the newest counts.
pub(crate) fn parts(folder: &Path) -> io::Result<Vec<Part>> {
    let mut parts = Vec::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name();
        let Some((number, e_tag)) = name.to_str().and_then(|name| name.split_once('.')) else { continue };
        let Ok(number) = number.parse() else { continue };
        let metadata = entry.metadata()?;
        parts.push(Part {
            number,
            e_tag: e_tag.to_owned(),
            path: entry.path(),
            size: metadata.len(),
            modified: metadata.modified()?,
        });
    }
    parts.sort_by(|a, b| (a.number, b.modified).cmp(&(b.number, a.modified)));
    parts.dedup_by_key(|part| part.number);
    Ok(parts)
}

/// Ends an upload, with all its parts, in one step.
pub(crate) fn end(store: &Store, folder: &Path) -> io::Result<()> {
    let removed = store.temporary();
    fs::rename(folder, &removed.0)?;
    folder.parent().map_or(Ok(()), sync)
}

/// The bucket's uploads, by key and id.
pub(crate) fn all(store: &Store, bucket: &str) -> io::Result<Vec<(String, String, SystemTime)>> {
    let entries = match fs::read_dir(store.uploads(bucket)) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries?,
    };
    let mut uploads = Vec::new();
    for entry in entries {
        let entry = entry?;
        let Ok(id) = entry.file_name().into_string() else { continue };
        if let Some(upload) = read(&entry.path())? {
            let begun = fs::metadata(entry.path().join(RECORD))?.modified()?;
            uploads.push((upload.key, id, begun));
        }
    }
    uploads.sort();
    Ok(uploads)
}
