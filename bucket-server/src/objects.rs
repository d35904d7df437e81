//! Objects: put, got, copied, removed.

use std::fs::File;
use std::io::{self, Seek as _, SeekFrom};
use std::sync::Arc;

use http::StatusCode;
use s3s::crypto::{Checksum as _, Md5};
use s3s::dto::{
    Checksum, CopyObjectInput, CopyObjectOutput, CopyObjectResult, CopySource, DeleteObjectsInput,
    DeleteObjectsOutput, DeletedObject, ETagCondition, GetObjectInput, GetObjectOutput, HeadObjectOutput,
    MetadataDirective, PutObjectInput, PutObjectOutput, Range, StreamingBlob, Timestamp,
};
use s3s::{S3Result, TrailingHeaders, s3_error};
use tokio::io::AsyncReadExt as _;
use tokio_util::io::ReaderStream;

use crate::attributes::Attributes;
use crate::fault::disk;
use crate::place::hex;
use crate::receive::{Received, blocking, fields, receive};
use crate::request::{attributes, declared, headers};
use crate::room::Promise;
use crate::store::{Condition, Found, Store};

/// How much of an object is read in one go.
const READ_BYTES: usize = 256 << 10;

/// How much is copied in one go.
const COPY_BYTES: u64 = 16 << 20;

pub(crate) async fn put(
    store: &Arc<Store>,
    mut input: PutObjectInput,
    trailers: Option<TrailingHeaders>,
) -> S3Result<PutObjectOutput> {
    let condition = Condition::new(input.if_match.take(), input.if_none_match.take())?;
    let (bucket, key) = (input.bucket.clone(), input.key.clone());
    // Where nothing would come of it, the body is not received.
    let early = store.clone();
    let condition = blocking(move || {
        if matches!(condition, Condition::Always) {
            early.bucket(&bucket)?;
        } else {
            condition.check(early.find(&bucket, &key)?.as_ref())?;
        }
        Ok(condition)
    })
    .await?;
    let mut attributes = attributes!(input);
    let received = receive(store, input.body.take(), declared!(input, trailers)).await?;
    attributes.e_tag.clone_from(&received.md5);
    let checksum = received.checksum.clone();
    for (_, name, value) in fields(&mut checksum.clone()) {
        attributes.checksum.extend(value.take().map(|value| (name.to_owned(), value)));
    }
    let e_tag = attributes.e_tag();
    publish(store, received, attributes, (input.bucket, input.key), condition).await?;
    Ok(PutObjectOutput {
        e_tag: Some(e_tag),
        checksum_crc32: checksum.checksum_crc32,
        checksum_crc32c: checksum.checksum_crc32c,
        checksum_crc64nvme: checksum.checksum_crc64nvme,
        checksum_sha1: checksum.checksum_sha1,
        checksum_sha256: checksum.checksum_sha256,
        ..PutObjectOutput::default()
    })
}

/// Makes what was received an object.
async fn publish(
    store: &Arc<Store>,
    received: Received,
    attributes: Attributes,
    (bucket, key): (String, String),
    condition: Condition,
) -> S3Result<()> {
    let sealer = store.clone();
    let received = blocking(move || received.seal(&sealer, &attributes).map(|()| received)).await?;
    let lock = store.objects.lock(format!("{bucket}/{key}")).await;
    let store = store.clone();
    // The lock goes with the work: a client that hangs up does not end it.
    blocking(move || {
        let _lock = lock;
        store.publish(&received.temporary, &bucket, &key, &condition)
    })
    .await
}

/// The object, as a request asks for it.
async fn open(store: &Arc<Store>, bucket: String, key: String) -> S3Result<Found> {
    let store = store.clone();
    blocking(move || store.find(&bucket, &key)?.ok_or_else(|| s3_error!(NoSuchKey))).await
}

pub(crate) async fn get(
    store: &Arc<Store>,
    input: GetObjectInput,
) -> S3Result<(StatusCode, GetObjectOutput)> {
    let Found { mut file, metadata, attributes, .. } = open(store, input.bucket, input.key).await?;
    check_read(&attributes, input.if_match.as_ref(), input.if_none_match.as_ref())?;
    let size = metadata.len();
    let range = input.range.map(|range: Range| range.check(size)).transpose()?;
    let (start, length) = range.as_ref().map_or((0, size), |range| (range.start, range.end - range.start));
    file.seek(SeekFrom::Start(start)).map_err(disk)?;
    let body = tokio::fs::File::from_std(file).take(length);
    let head = head_output(&attributes, metadata.modified().ok().map(Timestamp::from), size, range.is_none());
    let status = if range.is_some() { StatusCode::PARTIAL_CONTENT } else { StatusCode::OK };
    let output = GetObjectOutput {
        accept_ranges: head.accept_ranges,
        body: Some(StreamingBlob::wrap(ReaderStream::with_capacity(body, READ_BYTES))),
        cache_control: head.cache_control,
        checksum_crc32: head.checksum_crc32,
        checksum_crc32c: head.checksum_crc32c,
        checksum_crc64nvme: head.checksum_crc64nvme,
        checksum_sha1: head.checksum_sha1,
        checksum_sha256: head.checksum_sha256,
        content_disposition: input.response_content_disposition.or(head.content_disposition),
        content_encoding: head.content_encoding,
        content_language: head.content_language,
        content_length: i64::try_from(length).ok(),
        content_range: range.map(|range| format!("bytes {}-{}/{size}", range.start, range.end - 1)),
        content_type: input.response_content_type.or(head.content_type),
        e_tag: head.e_tag,
        last_modified: head.last_modified,
        metadata: head.metadata,
        ..GetObjectOutput::default()
    };
    Ok((status, output))
}

pub(crate) async fn head(
    store: &Arc<Store>,
    (bucket, key): (String, String),
    (if_match, if_none_match): (Option<ETagCondition>, Option<ETagCondition>),
) -> S3Result<HeadObjectOutput> {
    let Found { metadata, attributes, .. } = open(store, bucket, key).await?;
    check_read(&attributes, if_match.as_ref(), if_none_match.as_ref())?;
    let modified = metadata.modified().ok().map(Timestamp::from);
    Ok(head_output(&attributes, modified, metadata.len(), true))
}

fn head_output(
    attributes: &Attributes,
    modified: Option<Timestamp>,
    size: u64,
    whole: bool,
) -> HeadObjectOutput {
    let mut output = HeadObjectOutput {
        accept_ranges: Some("bytes".into()),
        content_length: i64::try_from(size).ok(),
        e_tag: Some(attributes.e_tag()),
        last_modified: modified,
        metadata: Some(attributes.metadata.clone().into_iter().collect()),
        ..HeadObjectOutput::default()
    };
    for (name, value) in headers!(output) {
        *value = attributes.headers.get(name).cloned();
    }
    let mut checksum = Checksum::default();
    for (_, name, value) in fields(&mut checksum) {
        *value = attributes.checksum.get(name).filter(|_| whole).cloned();
    }
    output.checksum_crc32 = checksum.checksum_crc32;
    output.checksum_crc32c = checksum.checksum_crc32c;
    output.checksum_crc64nvme = checksum.checksum_crc64nvme;
    output.checksum_sha1 = checksum.checksum_sha1;
    output.checksum_sha256 = checksum.checksum_sha256;
    output
}

/// The conditions of a read.
fn check_read(
    attributes: &Attributes,
    if_match: Option<&ETagCondition>,
    if_none_match: Option<&ETagCondition>,
) -> S3Result<()> {
    let matches = |condition: &ETagCondition| match condition {
        ETagCondition::Any => true,
        ETagCondition::ETag(tag) => tag.weak_cmp(&attributes.e_tag()),
    };
    if if_match.is_some_and(|condition| !matches(condition)) {
        return Err(s3_error!(PreconditionFailed));
    }
    if if_none_match.is_some_and(matches) {
        return Err(s3_error!(NotModified));
    }
    Ok(())
}

/// The source of a copy, which has the tag that the client asks for.
pub(crate) async fn source(
    store: &Arc<Store>,
    source: &CopySource,
    if_match: Option<&ETagCondition>,
    if_none_match: Option<&ETagCondition>,
) -> S3Result<Found> {
    let CopySource::Bucket { bucket, key, .. } = source else {
        return Err(s3_error!(NotImplemented, "a copy's source is a bucket and a key"));
    };
    let found = open(store, bucket.to_string(), key.to_string()).await?;
    check_read(&found.attributes, if_match, if_none_match)
        .map_err(|_| s3_error!(PreconditionFailed, "the source has another tag"))?;
    Ok(found)
}

/// A file with a run of another's bytes, copied by the system, and a tag that follows from where they come from.
pub(crate) fn copied(store: &Store, from: &Found, range: std::ops::Range<u64>) -> S3Result<Received> {
    let mut promise = store.room.promise(Some(range.end - range.start))?;
    let temporary = store.temporary();
    let mut file = File::create_new(&temporary.0).map_err(disk)?;
    append(&from.file, range.clone(), &mut file, &mut promise).map_err(disk)?;
    let mut md5 = Md5::new();
    md5.update(format!("{} {}-{}", from.attributes.e_tag, range.start, range.end).as_bytes());
    Ok(Received { temporary, file, md5: hex(&md5.finalize()), checksum: Checksum::default() })
}

/// Appends a run of a file's bytes to another, without reading them here where the system can.
pub(crate) fn append(
    from: &File,
    range: std::ops::Range<u64>,
    to: &mut File,
    promise: &mut Promise,
) -> io::Result<()> {
    use std::io::Read as _;
    let mut from = from;
    from.seek(SeekFrom::Start(range.start))?;
    let mut left = range.end - range.start;
    // In steps, so that what is copied of a large object is soon promised no more.
    while left > 0 {
        match io::copy(&mut from.take(left.min(COPY_BYTES)), to)? {
            0 => return Err(io::ErrorKind::UnexpectedEof.into()),
            copied => {
                promise.spend(copied);
                left -= copied;
            }
        }
    }
    Ok(())
}

pub(crate) async fn copy(store: &Arc<Store>, mut input: CopyObjectInput) -> S3Result<CopyObjectOutput> {
    let if_match = input.copy_source_if_match.as_ref();
    let from = source(store, &input.copy_source, if_match, input.copy_source_if_none_match.as_ref()).await?;
    let replaces =
        input.metadata_directive.as_ref().is_some_and(|it| it.as_str() == MetadataDirective::REPLACE);
    let mut attributes = from.attributes.clone();
    if replaces {
        attributes =
            Attributes { e_tag: attributes.e_tag, checksum: attributes.checksum, ..attributes!(input) };
    }
    let copier = store.clone();
    let bucket = input.bucket.clone();
    let received = blocking(move || {
        copier.bucket(&bucket)?;
        copied(&copier, &from, 0..from.metadata.len())
    })
    .await?;
    let e_tag = attributes.e_tag();
    publish(store, received, attributes, (input.bucket, input.key), Condition::Always).await?;
    let result = CopyObjectResult {
        e_tag: Some(e_tag),
        last_modified: Some(std::time::SystemTime::now().into()),
        ..CopyObjectResult::default()
    };
    Ok(CopyObjectOutput { copy_object_result: Some(result), ..CopyObjectOutput::default() })
}

pub(crate) async fn remove(store: &Arc<Store>, bucket: String, key: String) -> S3Result<()> {
    let lock = store.objects.lock(format!("{bucket}/{key}")).await;
    let store = store.clone();
    blocking(move || {
        let _lock = lock;
        store.remove(&bucket, &key)
    })
    .await
}

pub(crate) async fn remove_all(
    store: &Arc<Store>,
    input: DeleteObjectsInput,
) -> S3Result<DeleteObjectsOutput> {
    let mut deleted = Vec::new();
    for object in input.delete.objects {
        remove(store, input.bucket.clone(), object.key.clone()).await?;
        deleted.push(DeletedObject { key: Some(object.key), ..DeletedObject::default() });
    }
    let quiet = input.delete.quiet.unwrap_or(false);
    Ok(DeleteObjectsOutput { deleted: (!quiet).then_some(deleted), ..DeleteObjectsOutput::default() })
}
