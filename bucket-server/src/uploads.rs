//! Uploads in parts.

use std::fs::{self, File};
use std::sync::Arc;

use s3s::crypto::{Checksum as _, Md5};
use s3s::dto::{
    AbortMultipartUploadInput, CompleteMultipartUploadInput, CompleteMultipartUploadOutput, CompletedPart,
    CopyPartResult, CreateMultipartUploadInput, CreateMultipartUploadOutput, ETag, ListMultipartUploadsInput,
    ListMultipartUploadsOutput, ListPartsInput, ListPartsOutput, MultipartUpload, Part, Range, Timestamp,
    UploadPartCopyInput, UploadPartCopyOutput, UploadPartInput, UploadPartOutput,
};
use s3s::{S3Result, TrailingHeaders, s3_error};

use crate::attributes::Attributes;
use crate::fault::disk;
use crate::lists::{Encoder, limit};
use crate::objects::{append, copied, source};
use crate::page::Query;
use crate::parts::{self, Upload};
use crate::place::{hex, unhex};
use crate::receive::{Received, blocking, receive};
use crate::request::{attributes, declared};
use crate::store::{Condition, Store};
use crate::walk::Bound;

/// The least that a part has, but the last one.
const MIN_PART_BYTES: u64 = 5 << 20;

/// The highest number of a part.
const MAX_PART: i32 = 10_000;

/// An upload as requests name it.
struct Named {
    bucket: String,
    key: String,
    id: String,
}

impl Named {
    async fn lock(&self, store: &Store) -> tokio::sync::OwnedMutexGuard<()> {
        // No key's lock is named so: a bucket's name stands before the first slash.
        store.objects.lock(format!("/{}", self.id)).await
    }
}

/// What of a request names its upload.
macro_rules! named {
    ($input:expr) => {
        Named { bucket: $input.bucket.clone(), key: $input.key.clone(), id: $input.upload_id.clone() }
    };
}

pub(crate) async fn create(
    store: &Arc<Store>,
    mut input: CreateMultipartUploadInput,
) -> S3Result<CreateMultipartUploadOutput> {
    let upload = Upload { key: input.key.clone(), attributes: attributes!(input) };
    let (store, bucket) = (store.clone(), input.bucket.clone());
    let id = blocking(move || parts::begin(&store, &bucket, &upload)).await?;
    Ok(CreateMultipartUploadOutput {
        bucket: Some(input.bucket),
        key: Some(input.key),
        upload_id: Some(id),
        ..CreateMultipartUploadOutput::default()
    })
}

pub(crate) async fn put_part(
    store: &Arc<Store>,
    mut input: UploadPartInput,
    trailers: Option<TrailingHeaders>,
) -> S3Result<UploadPartOutput> {
    let upload = check(store, named!(input), input.part_number).await?;
    let received = receive(store, input.body.take(), declared!(input, trailers)).await?;
    let checksum = received.checksum.clone();
    let e_tag = keep(store, upload, input.part_number, received).await?;
    Ok(UploadPartOutput {
        e_tag: Some(e_tag),
        checksum_crc32: checksum.checksum_crc32,
        checksum_crc32c: checksum.checksum_crc32c,
        checksum_crc64nvme: checksum.checksum_crc64nvme,
        checksum_sha1: checksum.checksum_sha1,
        checksum_sha256: checksum.checksum_sha256,
        ..UploadPartOutput::default()
    })
}

pub(crate) async fn copy_part(
    store: &Arc<Store>,
    input: UploadPartCopyInput,
) -> S3Result<UploadPartCopyOutput> {
    let upload = check(store, named!(input), input.part_number).await?;
    let if_match = input.copy_source_if_match.as_ref();
    let from = source(store, &input.copy_source, if_match, input.copy_source_if_none_match.as_ref()).await?;
    let size = from.metadata.len();
    let range = match &input.copy_source_range {
        None => 0..size,
        Some(range) => match Range::parse(range) {
            Ok(Range::Int { first, last: Some(last) }) if first <= last && last < size => first..last + 1,
            _ => {
                return Err(s3_error!(InvalidArgument, "{range:?} is no range of a source of {size} bytes"));
            }
        },
    };
    let copier = store.clone();
    let received = blocking(move || copied(&copier, &from, range)).await?;
    let e_tag = keep(store, upload, input.part_number, received).await?;
    let result = CopyPartResult {
        e_tag: Some(e_tag),
        last_modified: Some(std::time::SystemTime::now().into()),
        ..CopyPartResult::default()
    };
    Ok(UploadPartCopyOutput { copy_part_result: Some(result), ..UploadPartCopyOutput::default() })
}

/// Refuses a part of no upload before its body is received.
async fn check(store: &Arc<Store>, upload: Named, number: i32) -> S3Result<Named> {
    if !(1..=MAX_PART).contains(&number) {
        return Err(s3_error!(InvalidArgument, "a part's number is 1 to {MAX_PART}"));
    }
    let store = store.clone();
    blocking(move || parts::find(&store, &upload.bucket, &upload.key, &upload.id).map(|_| upload)).await
}

/// Makes what was received a part.
async fn keep(store: &Arc<Store>, upload: Named, number: i32, received: Received) -> S3Result<ETag> {
    let received = blocking(move || {
        received.file.sync_all().map_err(disk)?;
        Ok(received)
    })
    .await?;
    let lock = upload.lock(store).await;
    let store = store.clone();
    blocking(move || {
        let _lock = lock;
        let (folder, _) = parts::find(&store, &upload.bucket, &upload.key, &upload.id)?;
        let before = parts::parts(&folder).map_err(disk)?;
        let path = folder.join(parts::file_name(number, &received.md5));
        store.move_in(&received.temporary, &path).map_err(disk)?;
        for old in before.iter().filter(|part| part.number == number && part.path != path) {
            fs::remove_file(&old.path).map_err(disk)?;
        }
        Ok(ETag::Strong(received.md5.clone()))
    })
    .await
}

pub(crate) async fn complete(
    store: &Arc<Store>,
    input: CompleteMultipartUploadInput,
) -> S3Result<CompleteMultipartUploadOutput> {
    let upload = named!(input);
    let wanted = input.multipart_upload.and_then(|upload| upload.parts).unwrap_or_default();
    let condition = Condition::new(input.if_match, input.if_none_match)?;
    let ends = upload.lock(store).await;
    let assembler = store.clone();
    let (upload, condition, received, e_tag) = blocking(move || {
        let (folder, begun) = parts::find(&assembler, &upload.bucket, &upload.key, &upload.id)?;
        condition.check(assembler.find(&upload.bucket, &upload.key)?.as_ref())?;
        let chosen = choose(&wanted, parts::parts(&folder).map_err(disk)?)?;
        let (received, e_tag) = assemble(&assembler, &chosen, begun.attributes)?;
        Ok((upload, condition, received, e_tag))
    })
    .await?;
    let lock = store.objects.lock(format!("{}/{}", upload.bucket, upload.key)).await;
    let store = store.clone();
    blocking(move || {
        let _locks = (ends, lock);
        store.publish(&received.temporary, &upload.bucket, &upload.key, &condition)?;
        // The object is there, whatever becomes of the parts.
        if let Err(error) = parts::end(&store, &store.uploads(&upload.bucket).join(&upload.id)) {
            tracing::warn!("the parts of a finished upload stay: {error}");
        }
        Ok(())
    })
    .await?;
    Ok(CompleteMultipartUploadOutput {
        location: Some(format!("/{}/{}", input.bucket, input.key)),
        bucket: Some(input.bucket),
        key: Some(input.key),
        e_tag: Some(e_tag),
        ..CompleteMultipartUploadOutput::default()
    })
}

/// The parts that a client names, of those that are there.
fn choose(wanted: &[CompletedPart], there: Vec<parts::Part>) -> S3Result<Vec<parts::Part>> {
    if wanted.is_empty() {
        return Err(s3_error!(MalformedXML, "an upload has at least one part"));
    }
    if !wanted.is_sorted_by(|a, b| a.part_number < b.part_number) {
        return Err(s3_error!(InvalidPartOrder));
    }
    let mut there = there.into_iter();
    let mut chosen = Vec::with_capacity(wanted.len());
    for wanted in wanted {
        let part = there.find(|part| Some(part.number) == wanted.part_number);
        let part = part.filter(|part| wanted.e_tag.as_ref().is_none_or(|tag| tag.value() == part.e_tag));
        chosen.push(part.ok_or_else(|| s3_error!(InvalidPart))?);
    }
    match chosen.split_last() {
        Some((_, others)) if others.iter().any(|part| part.size < MIN_PART_BYTES) => {
            Err(s3_error!(EntityTooSmall, "a part but the last has at least {MIN_PART_BYTES} bytes"))
        }
        _ => Ok(chosen),
    }
}

/// The parts in one synced file, and its tag: the MD5 of the parts' tags, and how many there are.
fn assemble(store: &Store, parts: &[parts::Part], mut attributes: Attributes) -> S3Result<(Received, ETag)> {
    // The parts go only when the object is there.
    let mut promise = store.room.promise(Some(parts.iter().map(|part| part.size).sum()))?;
    let temporary = store.temporary();
    let mut file = File::create_new(&temporary.0).map_err(disk)?;
    let mut md5 = Md5::new();
    for part in parts {
        let from = File::open(&part.path).map_err(disk)?;
        append(&from, 0..part.size, &mut file, &mut promise).map_err(disk)?;
        md5.update(&unhex(&part.e_tag).unwrap_or_default());
    }
    attributes.e_tag = format!("{}-{}", hex(&md5.finalize()), parts.len());
    let received = Received { temporary, file, md5: String::new(), checksum: Default::default() };
    received.seal(store, &attributes)?;
    Ok((received, attributes.e_tag()))
}

pub(crate) async fn abort(store: &Arc<Store>, input: AbortMultipartUploadInput) -> S3Result<()> {
    let upload = named!(input);
    let lock = upload.lock(store).await;
    let store = store.clone();
    blocking(move || {
        let _lock = lock;
        let (folder, _) = parts::find(&store, &upload.bucket, &upload.key, &upload.id)?;
        parts::end(&store, &folder).map_err(disk)
    })
    .await
}

pub(crate) async fn list_parts(store: &Arc<Store>, input: ListPartsInput) -> S3Result<ListPartsOutput> {
    let (upload, limit) = (named!(input), limit(input.max_parts)?);
    let marker = input.part_number_marker.unwrap_or(0);
    let store = store.clone();
    let found = blocking(move || {
        let (folder, _) = parts::find(&store, &upload.bucket, &upload.key, &upload.id)?;
        parts::parts(&folder).map_err(disk)
    })
    .await?;
    let mut left = found.into_iter().filter(|part| part.number > marker).peekable();
    let page: Vec<Part> = left
        .by_ref()
        .take(limit)
        .map(|part| Part {
            part_number: Some(part.number),
            e_tag: Some(ETag::Strong(part.e_tag)),
            size: i64::try_from(part.size).ok(),
            last_modified: Some(part.modified.into()),
            ..Part::default()
        })
        .collect();
    Ok(ListPartsOutput {
        bucket: Some(input.bucket),
        key: Some(input.key),
        upload_id: Some(input.upload_id),
        max_parts: i32::try_from(limit).ok(),
        part_number_marker: Some(marker),
        next_part_number_marker: page.last().and_then(|part| part.part_number),
        is_truncated: Some(limit > 0 && left.peek().is_some()),
        parts: Some(page),
        ..ListPartsOutput::default()
    })
}

pub(crate) async fn list(
    store: &Arc<Store>,
    input: ListMultipartUploadsInput,
) -> S3Result<ListMultipartUploadsOutput> {
    let query = Query {
        prefix: input.prefix.clone().unwrap_or_default(),
        delimiter: input.delimiter.clone().filter(|delimiter| !delimiter.is_empty()),
        limit: limit(input.max_uploads)?,
    };
    let encoder = Encoder::new(input.encoding_type.clone())?;
    let (store, bucket) = (store.clone(), input.bucket.clone());
    let found = blocking(move || {
        store.bucket(&bucket)?;
        parts::all(&store, &bucket).map_err(disk)
    })
    .await?;
    let marker = input.key_marker.clone().unwrap_or_default();
    let mut bound = query.after(&marker);
    let after_id = input.upload_id_marker.clone().filter(|_| !marker.is_empty());
    let mut output = ListMultipartUploadsOutput {
        delimiter: input.delimiter.map(|delimiter| encoder.encode(&delimiter)),
        key_marker: Some(encoder.encode(&marker)),
        max_uploads: i32::try_from(query.limit).ok(),
        prefix: Some(encoder.encode(&query.prefix)),
        is_truncated: Some(false),
        ..ListMultipartUploadsOutput::default()
    };
    let (mut uploads, mut prefixes) = (Vec::new(), Vec::new());
    for (key, id, begun) in found {
        let same = after_id.as_ref().is_some_and(|after| key == marker && id > *after);
        if !key.starts_with(&query.prefix) || !(same || bound.admits(&key)) {
            continue;
        }
        if uploads.len() + prefixes.len() == query.limit {
            output.is_truncated = Some(query.limit > 0);
            break;
        }
        if let Some(prefix) = query.common_prefix(&key) {
            (output.next_key_marker, output.next_upload_id_marker) = (Some(encoder.encode(prefix)), None);
            bound = Bound::Past(prefix.into());
            prefixes.push(prefix.to_owned());
            continue;
        }
        (output.next_key_marker, output.next_upload_id_marker) =
            (Some(encoder.encode(&key)), Some(id.clone()));
        uploads.push(MultipartUpload {
            key: Some(encoder.encode(&key)),
            upload_id: Some(id),
            initiated: Some(Timestamp::from(begun)),
            ..MultipartUpload::default()
        });
    }
    output.common_prefixes = Some(encoder.prefixes(&prefixes));
    output.uploads = Some(uploads);
    output.bucket = Some(input.bucket);
    output.upload_id_marker = input.upload_id_marker;
    output.encoding_type = encoder.kind();
    Ok(output)
}
