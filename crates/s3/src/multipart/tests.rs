//! What each answer to an upload in parts means, the odd ones of stores among them.

mod lists;

use futures_executor::block_on;

use super::*;
use crate::bucket_options::Options;
use crate::testing::{Script, answer, client, problem, script, status, tagged};

const AT: (&str, &str) = ("a/b.mp4", "up");

const DONE: &str =
    "<CompleteMultipartUploadResult><ETag>&quot;x-2&quot;</ETag></CompleteMultipartUploadResult>";

fn parts() -> Vec<Part> {
    [(1, 5), (2, 3)].map(|(number, size)| Part { number, etag: format!("e{number}"), size }).into()
}

fn complete(responses: impl IntoIterator<Item = Response>) -> Result<Created, Error> {
    complete_at(&script(responses))
}

fn complete_at(script: &Script) -> Result<Created, Error> {
    block_on(client(script).complete_upload(AT, "tag", &parts()))
}

fn copy(response: Response) -> Result<Part, Error> {
    let transport = script([response]);
    let client = client(&transport);
    let source = Source { bucket: &client.bucket, key: "source", first: 0, size: 5 };
    block_on(client.copy_part(AT, 1, source))
}

fn sized(tag: &str, size: u64) -> Response {
    let mut response = tagged(tag);
    response.headers.push(("Content-Length".into(), size.to_string().into()));
    response
}

fn no_upload() -> Error {
    Error::NoSuchUpload { key: AT.0.into(), upload: AT.1.into() }
}

fn taken() -> Result<Created, Error> {
    Err(Error::Taken { key: AT.0.into() })
}

#[test]
fn an_upload_is_completed_only_by_a_whole_result() {
    assert_eq!(complete([answer(200, DONE)]), Ok(Created::Now));
    let late = format!("{}<?xml version=\"1.0\"?>\n{DONE}", " ".repeat(20));
    assert_eq!(complete([answer(200, &late)]), Ok(Created::Now));
    let error = |code| answer(200, &format!("    <?xml?><Error><Code>{code}</Code></Error>"));
    let cut = &DONE[..DONE.len() - 5];
    for failed in [
        error("InternalError"),
        error("SlowDown"),
        status(200),
        answer(200, "   "),
        answer(200, cut),
        answer(200, "<html>ok</html>"),
        answer(200, "<CompleteMultipartUploadResult></CompleteMultipartUploadResult>"),
        problem(500, "InternalError"),
        // The upload waits for room.
        problem(507, "InsufficientStorage"),
        error("QuotaExceeded"),
    ] {
        let shown = format!("{failed:?}");
        assert!(matches!(complete([failed]), Err(Error::Unavailable { .. })), "{shown}");
    }
    assert!(matches!(complete([error("EntityTooSmall")]), Err(Error::Refused { .. })));
    assert!(matches!(complete([problem(501, "NotImplemented")]), Err(Error::Refused { .. })));
}

#[test]
fn an_object_that_is_there_is_ours_by_tag_and_size() {
    for in_use in [status(304), problem(409, "FileAlreadyExists"), problem(412, "PreconditionFailed")] {
        assert_eq!(complete([in_use.clone(), sized("tag", 8)]), Ok(Created::Before));
        assert_eq!(complete([in_use.clone(), tagged("tag")]), Ok(Created::Before));
        for other in [sized("tag", 7), sized("other", 8), status(200)] {
            assert_eq!(complete([in_use.clone(), other]), taken());
        }
        assert_eq!(complete([in_use, status(403)]), taken());
    }
    let under_way = || problem(409, "ConditionalRequestConflict");
    for there in [status(403), status(404)] {
        assert!(matches!(complete([under_way(), there]), Err(Error::Unavailable { .. })));
    }
}

#[test]
fn an_upload_that_is_gone_may_have_become_the_object() {
    for gone in [problem(404, "NoSuchUpload"), problem(200, "NoSuchUpload")] {
        // The answer to an earlier call was lost.
        assert_eq!(complete([gone.clone(), sized("tag", 8)]), Ok(Created::Before));
        // Somebody aborted it, and an older object is there.
        assert_eq!(complete([gone.clone(), sized("other", 8)]), taken());
        // Somebody aborted it.
        assert_eq!(complete([gone.clone(), status(404)]), Err(no_upload()));
        assert_eq!(complete([gone.clone(), status(403)]), Err(no_upload()));
        // A key that may only write is not asked for what is there.
        let transport = script([gone]);
        let options = Options { write_only: true, ..Options::default() };
        let writer = Client { options, ..client(&transport) };
        assert_eq!(block_on(writer.complete_upload(AT, "tag", &parts())), Err(no_upload()));
        assert_eq!(transport.asked.borrow().len(), 1);
    }
}

#[test]
fn bytes_that_are_at_hand_are_sent_again_to_another_region() {
    let told = Response { headers: vec![("x-amz-bucket-region".into(), b"eu".to_vec())], ..status(400) };
    let elsewhere = script([told, answer(200, DONE)]);
    assert_eq!(complete_at(&elsewhere), Ok(Created::Now));
    assert_eq!(*elsewhere.regions.borrow(), ["us-east-1", "eu"]);
    let sent = elsewhere.sent.borrow();
    assert!(sent[0] == sent[1] && !sent[0].is_empty());
}

#[test]
fn a_part_is_copied_only_where_the_store_says_so() {
    let result = "<CopyPartResult><ETag>&quot;e&quot;</ETag></CopyPartResult>";
    assert_eq!(copy(answer(200, result)), Ok(Part { number: 1, etag: "\"e\"".into(), size: 5 }));
    // These will not copy: the bytes have to be sent.
    for refused in [
        // What was asked for is stored as a part without bytes.
        Response { headers: vec![("etag".into(), b"e".to_vec())], ..status(200) },
        problem(200, "AccessDenied"),
        problem(403, "AccessDenied"),
        problem(501, "NotImplemented"),
        problem(400, "InvalidRequest"),
    ] {
        let shown = format!("{refused:?}");
        assert!(matches!(copy(refused), Err(Error::Refused { .. })), "{shown}");
    }
    for failed in [
        problem(200, "InternalError"),
        problem(503, "SlowDown"),
        // It copies when there is room again.
        problem(507, "InsufficientStorage"),
        problem(403, "QuotaExceeded"),
        answer(200, &result[..30]),
        answer(200, "<html></html>"),
        answer(200, "<CopyPartResult></CopyPartResult>"),
    ] {
        let shown = format!("{failed:?}");
        assert!(matches!(copy(failed), Err(Error::Unavailable { .. })), "{shown}");
    }
    assert_eq!(copy(problem(404, "NoSuchUpload")), Err(no_upload()));
    assert_eq!(copy(problem(404, "NoSuchKey")), Err(Error::NoSuchObject { key: "source".into() }));
}

#[test]
fn an_object_of_parts_is_measured_where_its_tag_is_gone() {
    let complete = |there: Response| {
        let page = "<ListPartsResult></ListPartsResult>";
        let script = script([answer(200, page), answer(200, DONE), there]);
        block_on(client(&script).complete_checked(AT, "tag", &parts(), false))
    };
    let untagged = |size: u64| {
        let headers = vec![("Content-Length".into(), size.to_string().into())];
        Response { headers, ..status(200) }
    };
    assert_eq!(complete(untagged(8)), Ok(Created::Now));
    assert_eq!(complete(status(200)), Ok(Created::Now));
    assert_eq!(complete(sized("tag", 8)), Ok(Created::Now));
    for wrong in [untagged(7), sized("tag", 7), sized("other", 8)] {
        assert!(matches!(complete(wrong.clone()), Err(Error::Refused { .. })), "{wrong:?}");
    }
    assert!(matches!(complete(status(404)), Err(Error::Unavailable { .. })));
}

#[test]
fn a_part_is_never_copied_from_another_store() {
    let transport = script([]);
    for (endpoint, style) in [("127.0.0.1:9001", "bkt"), ("s3.example.com", "bkt")] {
        let bucket = Bucket::new(endpoint, style).unwrap();
        let source = Source { bucket: &bucket, key: "source", first: 0, size: 5 };
        let refused = block_on(client(&transport).copy_part(AT, 1, source));
        assert!(matches!(refused, Err(Error::Refused { .. })));
    }
    assert!(transport.asked.borrow().is_empty());
}

#[test]
fn a_part_is_what_the_store_calls_it() {
    let put = |response| block_on(client(&script([response])).upload_part(AT, 3, 3, b"abc".to_vec()));
    let etag = Response { headers: vec![("ETag".into(), b"\"e\"".to_vec())], ..status(200) };
    assert_eq!(put(etag), Ok(Part { number: 3, etag: "\"e\"".into(), size: 3 }));
    assert!(matches!(put(status(200)), Err(Error::Unavailable { .. })));
    assert_eq!(put(problem(404, "NoSuchUpload")), Err(no_upload()));
}

#[test]
fn an_upload_is_begun_only_with_an_id() {
    let create = |response| block_on(client(&script([response])).create_upload("a", "video/mp4", "tag"));
    let begun = |id| {
        answer(
            200,
            &format!(
                "<InitiateMultipartUploadResult><UploadId>{id}</UploadId></InitiateMultipartUploadResult>"
            ),
        )
    };
    assert_eq!(create(begun("a&amp;b")), Ok("a&b".into()));
    assert!(matches!(create(begun("")), Err(Error::Unavailable { .. })));
    assert!(matches!(create(status(200)), Err(Error::Unavailable { .. })));
    assert!(matches!(create(problem(404, "NoSuchBucket")), Err(Error::NoSuchBucket { .. })));
}

#[test]
fn parts_have_their_md5_whichever_checksum_is_wanted() {
    for checksum in [Checksum::Crc32c, Checksum::Md5, Checksum::Sha256] {
        let stored = Response { headers: vec![("etag".into(), b"e".to_vec())], ..status(200) };
        let transport = script([stored]);
        let mut client = client(&transport);
        client.options.checksum = Some(checksum);
        assert!(block_on(client.upload_part(AT, 3, 3, b"abc".to_vec())).is_ok());
        let headers = &transport.headers.borrow()[0];
        let md5 = headers.iter().find(|header| header.name == "content-md5").unwrap();
        assert_eq!(md5.value, "kAFQmDzST7DWlj99KOF/cg==");
        assert!(headers.iter().all(|header| !header.name.starts_with("x-amz-checksum")));
    }
}
