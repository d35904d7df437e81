//! Uploads in parts, of the protocol of S3 over a simulated world.

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use percent_encoding::percent_decode_str;
use shared::bucket::Error;
use shared::testing::{OnCopy, Upload, World};

use super::objects::{Answer, Asked, create, escape, problem, status, with, xml};

/// An upload that is none.
fn none() -> Answer {
    problem(404, "NoSuchUpload")
}

fn id<'a>(asked: &'a Asked<'_>) -> &'a str {
    asked.parameter("uploadId").unwrap_or_default()
}

/// Of all that a part holds.
fn etag(part: &[u8]) -> String {
    let mut hasher = DefaultHasher::new();
    part.hash(&mut hasher);
    format!("\"{:016x}\"", hasher.finish())
}

/// The upload that is asked about, which is one of the object's that is named.
fn find<'a>(uploads: &'a BTreeMap<String, Upload>, asked: &Asked<'_>) -> Option<&'a Upload> {
    uploads.get(id(asked)).filter(|upload| upload.name == asked.name)
}

pub(super) fn begin(world: &World, asked: &Asked<'_>) -> Answer {
    let id = world.buckets.next_upload();
    let object = asked.object(Vec::new());
    let (tag, content_type) = (object.tag, object.content_type);
    let upload = Upload { name: asked.name.clone(), tag, content_type, parts: BTreeMap::new() };
    world.buckets.uploads.borrow_mut().insert(id.clone(), upload);
    xml("InitiateMultipartUploadResult", &format!("<UploadId>{id}</UploadId>"))
}

pub(super) fn part(world: &World, asked: &Asked<'_>) -> Answer {
    let Some(number) = asked.parameter("partNumber").and_then(|number| number.parse().ok()) else {
        return problem(400, "InvalidArgument");
    };
    let source = asked.header("x-amz-copy-source");
    let bytes = match source {
        None => asked.body().to_vec(),
        Some(source) => match copied(world, asked, source) {
            Ok(bytes) => bytes,
            Err((status, code)) => return problem(status, code),
        },
    };
    let mut uploads = world.buckets.uploads.borrow_mut();
    let upload = uploads.get_mut(id(asked)).filter(|upload| upload.name == asked.name);
    let Some(upload) = upload else { return none() };
    let etag = etag(&bytes);
    upload.parts.insert(number, bytes);
    if source.is_some() {
        return xml("CopyPartResult", &format!("<ETag>{etag}</ETag>"));
    }
    with(status(200), &[("etag", &etag)])
}

/// A status and a code.
type Refusal = (u16, &'static str);

/// The bytes that a copy has, or why there is none.
fn copied(world: &World, asked: &Asked<'_>, source: &str) -> Result<Vec<u8>, Refusal> {
    match &*world.buckets.on_copy.borrow() {
        OnCopy::Fails(Error::Refused(_)) => return Err((501, "NotImplemented")),
        OnCopy::Fails(_) => return Err((503, "SlowDown")),
        OnCopy::StoresNothing => return Ok(Vec::new()),
        OnCopy::Copies => {}
    }
    let host = asked.bucket.rsplit_once('/').map_or("", |(host, _)| host);
    let from = format!("{host}{}", percent_decode_str(source).decode_utf8_lossy());
    let objects = world.buckets.objects.borrow();
    let object = objects.get(&from).ok_or((404, "NoSuchKey"))?;
    let (first, end) = asked.range("x-amz-copy-source-range").unwrap_or((0, object.bytes.len()));
    object.bytes.get(first..end).map(<[u8]>::to_vec).ok_or((416, "InvalidRange"))
}

pub(super) fn parts(world: &World, asked: &Asked<'_>) -> Answer {
    let uploads = world.buckets.uploads.borrow();
    let Some(upload) = find(&uploads, asked) else { return none() };
    let after = asked.parameter("part-number-marker").and_then(|after| after.parse().ok()).unwrap_or(0);
    let parts = upload.parts.iter().filter(|(number, _)| **number > after).map(|(number, bytes)| {
        let (etag, size) = (etag(bytes), bytes.len());
        format!("<Part><PartNumber>{number}</PartNumber><ETag>{etag}</ETag><Size>{size}</Size></Part>")
    });
    xml("ListPartsResult", &parts.collect::<String>())
}

pub(super) fn complete(world: &World, asked: &Asked<'_>) -> Answer {
    let Some(upload) = find(&world.buckets.uploads.borrow(), asked).cloned() else { return none() };
    let text = String::from_utf8_lossy(asked.body()).replace("&quot;", "\"");
    let named = upload.parts.iter().map(|(number, bytes)| {
        format!("<Part><PartNumber>{number}</PartNumber><ETag>{}</ETag></Part>", etag(bytes))
    });
    let named = named.collect::<String>();
    if named.is_empty() || !text.contains(&format!("{named}</CompleteMultipartUpload>")) {
        return problem(400, "InvalidPart");
    }
    let least = world.buckets.least_part.get() as usize;
    let parts: Vec<&Vec<u8>> = upload.parts.values().collect();
    if parts.split_last().is_some_and(|(_, others)| others.iter().any(|part| part.len() < least)) {
        return problem(400, "EntityTooSmall");
    }
    let bytes = upload.parts.into_values().flatten().collect();
    let mut object = asked.object(bytes);
    (object.tag, object.content_type) = (upload.tag, upload.content_type);
    if !create(world, asked, object) {
        return problem(412, "PreconditionFailed");
    }
    world.buckets.uploads.borrow_mut().remove(id(asked));
    xml("CompleteMultipartUploadResult", "<ETag>\"1\"</ETag>")
}

pub(super) fn abort(world: &World, asked: &Asked<'_>) -> Answer {
    let mut uploads = world.buckets.uploads.borrow_mut();
    if find(&uploads, asked).is_none() {
        return none();
    }
    uploads.remove(id(asked));
    status(204)
}

pub(super) fn list(world: &World, asked: &Asked<'_>) -> Answer {
    let bucket = format!("{}/", asked.bucket);
    let prefix = asked.parameter("prefix").unwrap_or_default();
    let uploads = world.buckets.uploads.borrow();
    let of_prefix = uploads.iter().filter_map(|(id, upload)| {
        let key = upload.name.strip_prefix(&bucket).filter(|key| key.starts_with(prefix))?;
        Some(format!("<Upload><Key>{}</Key><UploadId>{id}</UploadId></Upload>", escape(key)))
    });
    xml("ListMultipartUploadsResult", &of_prefix.collect::<String>())
}
