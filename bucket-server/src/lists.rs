//! Lists of buckets and objects.

use std::fs::{self, File};
use std::io::{self, ErrorKind};
use std::path::PathBuf;
use std::sync::Arc;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use s3s::dto::{
    Bucket, CommonPrefix, EncodingType, ListBucketsOutput, ListObjectsInput, ListObjectsOutput,
    ListObjectsV2Input, ListObjectsV2Output, Object, ObjectStorageClass, Timestamp,
};
use s3s::{S3Result, s3_error};

use crate::attributes::Attributes;
use crate::fault::disk;
use crate::name::check_bucket_name;
use crate::page::{Page, Query};
use crate::receive::blocking;
use crate::store::Store;
use crate::walk::{Bound, Keys};

/// The most that a page holds.
const MAX_PAGE: usize = 1000;

/// What stays as it is where a client wants names encoded as in URLs.
const PLAIN: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~').remove(b'/');

/// Encodes names as a client wants them: XML cannot hold all of them as they are.
pub(crate) struct Encoder(Option<EncodingType>);

impl Encoder {
    pub(crate) fn new(wanted: Option<EncodingType>) -> S3Result<Self> {
        match &wanted {
            Some(wanted) if wanted.as_str() != EncodingType::URL => {
                Err(s3_error!(InvalidArgument, "the encoding type is url or none"))
            }
            _ => Ok(Self(wanted)),
        }
    }

    pub(crate) fn encode(&self, text: &str) -> String {
        if self.0.is_some() { utf8_percent_encode(text, PLAIN).to_string() } else { text.into() }
    }

    pub(crate) fn prefixes(&self, prefixes: &[String]) -> Vec<CommonPrefix> {
        prefixes.iter().map(|prefix| CommonPrefix { prefix: Some(self.encode(prefix)) }).collect()
    }

    pub(crate) fn kind(self) -> Option<EncodingType> {
        self.0
    }
}

/// How many entries a page is to have.
pub(crate) fn limit(wanted: Option<i32>) -> S3Result<usize> {
    let wanted = wanted.map_or(Ok(MAX_PAGE), usize::try_from);
    let wanted = wanted.map_err(|_| s3_error!(InvalidArgument, "a page has no negative length"))?;
    Ok(wanted.min(MAX_PAGE))
}

pub(crate) async fn buckets(store: &Arc<Store>) -> S3Result<ListBucketsOutput> {
    let store = store.clone();
    let buckets = blocking(move || read_buckets(&store).map_err(disk)).await?;
    Ok(ListBucketsOutput { buckets: Some(buckets), ..ListBucketsOutput::default() })
}

fn read_buckets(store: &Store) -> io::Result<Vec<Bucket>> {
    let mut buckets = Vec::new();
    for entry in fs::read_dir(store.root())? {
        let entry = entry?;
        let Ok(name) = entry.file_name().into_string() else { continue };
        if entry.path().is_dir() && check_bucket_name(&name).is_ok() {
            let creation_date = entry.metadata()?.modified().ok().map(Timestamp::from);
            buckets.push(Bucket { name: Some(name), creation_date, ..Bucket::default() });
        }
    }
    buckets.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(buckets)
}

pub(crate) async fn version_2(
    store: &Arc<Store>,
    input: ListObjectsV2Input,
) -> S3Result<ListObjectsV2Output> {
    let query = Query {
        prefix: input.prefix.clone().unwrap_or_default(),
        delimiter: input.delimiter.clone().filter(|delimiter| !delimiter.is_empty()),
        limit: limit(input.max_keys)?,
    };
    let malformed = || s3_error!(InvalidArgument, "the continuation token is not one");
    let bound = match &input.continuation_token {
        Some(token) => Bound::of_token(token).ok_or_else(malformed)?,
        None => query.after(input.start_after.as_deref().unwrap_or_default()),
    };
    let encoder = Encoder::new(input.encoding_type)?;
    let (page, query, contents) = read(store, input.bucket.clone(), query, bound, &encoder).await?;
    Ok(ListObjectsV2Output {
        name: Some(input.bucket),
        prefix: Some(encoder.encode(&query.prefix)),
        delimiter: query.delimiter.map(|delimiter| encoder.encode(&delimiter)),
        start_after: input.start_after.map(|start| encoder.encode(&start)),
        max_keys: i32::try_from(query.limit).ok(),
        key_count: i32::try_from(contents.len() + page.prefixes.len()).ok(),
        continuation_token: input.continuation_token,
        is_truncated: Some(page.next.is_some()),
        next_continuation_token: page.next.map(|bound| bound.token()),
        common_prefixes: Some(encoder.prefixes(&page.prefixes)),
        contents: Some(contents),
        encoding_type: encoder.kind(),
        request_charged: None,
    })
}

pub(crate) async fn version_1(store: &Arc<Store>, input: ListObjectsInput) -> S3Result<ListObjectsOutput> {
    let query = Query {
        prefix: input.prefix.clone().unwrap_or_default(),
        delimiter: input.delimiter.clone().filter(|delimiter| !delimiter.is_empty()),
        limit: limit(input.max_keys)?,
    };
    let bound = query.after(input.marker.as_deref().unwrap_or_default());
    let encoder = Encoder::new(input.encoding_type)?;
    let (page, query, contents) = read(store, input.bucket.clone(), query, bound, &encoder).await?;
    Ok(ListObjectsOutput {
        name: Some(input.bucket),
        prefix: Some(encoder.encode(&query.prefix)),
        marker: Some(encoder.encode(&input.marker.unwrap_or_default())),
        delimiter: query.delimiter.map(|delimiter| encoder.encode(&delimiter)),
        max_keys: i32::try_from(query.limit).ok(),
        is_truncated: Some(page.next.is_some()),
        next_marker: page.next.map(|bound| encoder.encode(bound.text())),
        common_prefixes: Some(encoder.prefixes(&page.prefixes)),
        contents: Some(contents),
        encoding_type: encoder.kind(),
        request_charged: None,
    })
}

async fn read(
    store: &Arc<Store>,
    bucket: String,
    query: Query,
    bound: Bound,
    encoder: &Encoder,
) -> S3Result<(Page, Query, Vec<Object>)> {
    let store = store.clone();
    let (page, query, mut objects) = blocking(move || {
        let keys = Keys::new(&store.bucket(&bucket)?, &store.hidden(&bucket), &query.prefix, bound);
        let mut page = Page::read(keys.map_err(disk)?, &query).map_err(disk)?;
        let mut objects = Vec::with_capacity(page.objects.len());
        for (key, path) in std::mem::take(&mut page.objects) {
            objects.extend(describe(&store, key, path).map_err(disk)?);
        }
        Ok((page, query, objects))
    })
    .await?;
    for object in &mut objects {
        object.key = object.key.as_deref().map(|key| encoder.encode(key));
    }
    Ok((page, query, objects))
}

/// An object in a list; nothing where it has been removed meanwhile.
fn describe(store: &Store, key: String, path: PathBuf) -> io::Result<Option<Object>> {
    let file = match File::open(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        file => file?,
    };
    let metadata = file.metadata()?;
    Ok(Some(Object {
        key: Some(key),
        e_tag: Some(Attributes::read(&file, &metadata, &store.companions())?.e_tag()),
        size: i64::try_from(metadata.len()).ok(),
        last_modified: metadata.modified().ok().map(Timestamp::from),
        storage_class: Some(ObjectStorageClass::from_static(ObjectStorageClass::STANDARD)),
        ..Object::default()
    }))
}
