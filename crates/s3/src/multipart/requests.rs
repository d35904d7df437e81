//! The requests of uploads in parts.

use super::{Part, Source, Upload};
use crate::request::{Header, query};
use crate::xml::escape;
use crate::{Bucket, Error, Request, TAG_HEADER};

/// Begins an upload. OSS asks here already whether the object may replace one.
pub(super) fn create(bucket: &Bucket, key: &str, content_type: &str, tag: &str) -> Result<Request, Error> {
    let headers = vec![
        Header::new("content-length", "0"),
        Header::new("content-type", content_type),
        Header::new(TAG_HEADER, tag),
        Header::new("x-oss-forbid-overwrite", "true"),
    ];
    Ok(Request { method: "POST", path: bucket.object_path(key)?, query: query(&[("uploads", "")]), headers })
}

pub(super) fn part(
    bucket: &Bucket,
    (key, upload): (&str, &str),
    number: u16,
    size: u64,
) -> Result<Request, Error> {
    let headers = vec![Header::new("content-length", &size.to_string())];
    let query = query(&[("partNumber", &number.to_string()), ("uploadId", upload)]);
    Ok(Request { method: "PUT", path: bucket.object_path(key)?, query, headers })
}

/// The source's key is encoded like one in a path, but for the slashes between its folders: stores decode it, and some
/// take a plus sign for a space.
pub(super) fn copy(
    bucket: &Bucket,
    (key, upload): (&str, &str),
    number: u16,
    source: Source<'_>,
) -> Result<Request, Error> {
    let last = source.first.saturating_add(source.size.saturating_sub(1));
    let mut request = part(bucket, (key, upload), number, 0)?;
    request.headers.push(Header::new("x-amz-copy-source", &source.bucket.copy_source(source.key)?));
    let range = format!("bytes={}-{last}", source.first);
    request.headers.push(Header::new("x-amz-copy-source-range", &range));
    Ok(request)
}

pub(super) fn list_parts(bucket: &Bucket, (key, upload): (&str, &str), after: u16) -> Result<Request, Error> {
    let marker = after.to_string();
    let query = query(&[("max-parts", "1000"), ("part-number-marker", &marker), ("uploadId", upload)]);
    Ok(Request { query, ..Request::get(bucket, key)? })
}

/// Makes an object of parts, and fails where there is one.
pub(super) fn complete(
    bucket: &Bucket,
    (key, upload): (&str, &str),
    parts: &[Part],
) -> Result<(Request, Vec<u8>), Error> {
    let mut body = "<CompleteMultipartUpload xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">".to_owned();
    for Part { number, etag, .. } in parts {
        let etag = escape(etag);
        body += &format!("<Part><PartNumber>{number}</PartNumber><ETag>{etag}</ETag></Part>");
    }
    body += "</CompleteMultipartUpload>";
    let headers = vec![
        Header::new("content-length", &body.len().to_string()),
        Header::new("content-type", "application/xml"),
        Header::new("if-none-match", "*"),
        Header::new("x-oss-forbid-overwrite", "true"),
    ];
    let query = query(&[("uploadId", upload)]);
    Ok((Request { method: "POST", path: bucket.object_path(key)?, query, headers }, body.into()))
}

pub(super) fn abort(bucket: &Bucket, (key, upload): (&str, &str)) -> Result<Request, Error> {
    let query = query(&[("uploadId", upload)]);
    Ok(Request { method: "DELETE", query, ..Request::get(bucket, key)? })
}

pub(super) fn list(bucket: &Bucket, prefix: &str, after: Option<&Upload>) -> Request {
    let mut parameters = vec![("encoding-type", "url")];
    parameters.extend(after.map(|after| ("key-marker", after.key.as_str())));
    parameters.extend([("max-uploads", "1000"), ("prefix", prefix)]);
    parameters.extend(after.map(|after| ("upload-id-marker", after.id.as_str())));
    parameters.push(("uploads", ""));
    Request { method: "GET", path: bucket.path().into(), query: query(&parameters), headers: Vec::new() }
}

/// Signatures computed apart from this code with Python's standard library, from the steps of the SigV4 document.
#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Credentials, sign};

    #[track_caller]
    fn check(request: Request, target: &str, signed: &str) {
        assert_eq!(request.target(), target);
        let bucket = self::bucket();
        let key = Credentials { id: "testid".into(), secret: "testsecret".into(), token: None };
        let request = sign(request, &bucket, &key, 1_767_323_045);
        let header = request.headers.iter().find(|header| header.name == "authorization").unwrap();
        let (_, found) = header.value.split_once("SignedHeaders=").unwrap();
        assert_eq!(found, signed);
    }

    fn bucket() -> Bucket {
        Bucket::new("http://127.0.0.1:9000", "recordings").unwrap()
    }

    const AT: (&str, &str) = ("a b/直.mp4", "up/load+id==");

    #[test]
    fn an_upload_is_begun() {
        check(
            create(&bucket(), AT.0, "video/mp4", "s/1").unwrap(),
            "/recordings/a%20b/%E7%9B%B4.mp4?uploads=",
            "content-length;content-type;host;x-amz-content-sha256;x-amz-date;x-amz-meta-recorder;x-oss-forbid-overwrite,\
             Signature=9e18ae4aa2791981bb3c529054f76c9d9fab35855639d07c0a951fd69aacf836",
        );
    }

    #[test]
    fn a_part_is_copied_of_an_object_whose_name_is_encoded() {
        let work = Bucket::new("http://127.0.0.1:9000", "work").unwrap();
        let source = Source { bucket: &work, key: "a+b %/直?.mp4", first: 5, size: 10 };
        let request = copy(&bucket(), AT, 7, source).unwrap();
        let value = |name| &request.headers.iter().find(|header| header.name == name).unwrap().value;
        assert_eq!(value("x-amz-copy-source"), "/work/a%2Bb%20%25/%E7%9B%B4%3F.mp4");
        assert_eq!(value("x-amz-copy-source-range"), "bytes=5-14");
        check(
            request,
            "/recordings/a%20b/%E7%9B%B4.mp4?partNumber=7&uploadId=up%2Fload%2Bid%3D%3D",
            "content-length;host;x-amz-content-sha256;x-amz-copy-source;x-amz-copy-source-range;x-amz-date,\
             Signature=44b3674c564f91b7ee9b9c6f818938530e2febe1e370bea835c4a6ff3f48e835",
        );
    }

    #[test]
    fn an_upload_is_completed_on_condition() {
        let parts = [1, 2].map(|number| Part { number, etag: format!("\"e&{number}\""), size: 5 });
        let (request, body) = complete(&bucket(), AT, &parts).unwrap();
        assert_eq!(
            String::from_utf8(body).unwrap(),
            "<CompleteMultipartUpload xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">\
             <Part><PartNumber>1</PartNumber><ETag>\"e&amp;1\"</ETag></Part>\
             <Part><PartNumber>2</PartNumber><ETag>\"e&amp;2\"</ETag></Part></CompleteMultipartUpload>"
        );
        check(
            request,
            "/recordings/a%20b/%E7%9B%B4.mp4?uploadId=up%2Fload%2Bid%3D%3D",
            "content-length;content-type;host;if-none-match;x-amz-content-sha256;x-amz-date;x-oss-forbid-overwrite,\
             Signature=5f17c0b5519ae2705a393e5f11906528a9351f3c58338c78e073e0e3b0e05fa0",
        );
    }

    #[test]
    fn lists_go_on_after_what_was_listed() {
        check(
            list_parts(&bucket(), AT, 1000).unwrap(),
            "/recordings/a%20b/%E7%9B%B4.mp4?max-parts=1000&part-number-marker=1000&uploadId=up%2Fload%2Bid%3D%3D",
            "host;x-amz-content-sha256;x-amz-date,\
             Signature=2786ce68ec7f3d05a48f3d35536adef7aa15389b68521031b1979f4977fb08f4",
        );
        let first = list(&bucket(), "a/", None).target();
        assert_eq!(first, "/recordings?encoding-type=url&max-uploads=1000&prefix=a%2F&uploads=");
        let after = Upload { key: "a/直".into(), id: "x/y".into() };
        check(
            list(&bucket(), "a/", Some(&after)),
            "/recordings?encoding-type=url&key-marker=a%2F%E7%9B%B4&max-uploads=1000&prefix=a%2F\
             &upload-id-marker=x%2Fy&uploads=",
            "host;x-amz-content-sha256;x-amz-date,\
             Signature=0675e13b8e2b3ea966fd4e5549eecfbf486719ffe664140331b220ef15249880",
        );
    }
}
