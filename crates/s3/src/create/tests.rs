//! What a create comes to, by what the store answers and what the key may do.

use futures_executor::block_on;

use super::*;
use crate::Checksum;
use crate::bucket_options::Options;
use crate::request::Header;
use crate::testing::{Script, client, no_such_bucket, problem, script, status, tagged, unavailable};

/// The tag of a slice, and a name of its own.
const SLICE: &str = "20260102-000102030405060708090a0b0c0d0e0f/7";

fn own_name() -> String {
    format!("a/b{OWN_ENDING}.ts")
}

/// Computed apart from this code with Python's hashlib.
const OWN_ENDING: &str = "-f92abdfb";

/// The tag of a record file.
const FILE: &str = "20260102-000102030405060708090a0b0c0d0e0f/m3u8/7";

const WRITE_ONLY: Options =
    Options { write_only: true, head_first: false, no_notes: false, checksum: None, headers: Vec::new() };

const HEAD_FIRST: Options =
    Options { write_only: false, head_first: true, no_notes: false, checksum: None, headers: Vec::new() };

fn put(script: &Script) -> Result<Created, Error> {
    put_as(script, Options::default(), "a/b.ts", "x/1")
}

fn put_as(script: &Script, options: Options, key: &str, tag: &str) -> Result<Created, Error> {
    let client = Client { options, ..client(script) };
    block_on(client.put_new(key, "video/mp2t", tag, 3, b"abc".into()))
}

fn put_small(script: &Script) -> Result<Created, Error> {
    block_on(client(script).put_small("a/b.m3u8", "text/plain", FILE, b"abc".into()))
}

fn taken(key: &str) -> Result<Created, Error> {
    Err(Error::Taken { key: key.into() })
}

#[test]
fn an_object_is_created_once_for_one_tag() {
    let created = script([status(200)]);
    assert_eq!(put(&created), Ok(Created::Now));
    assert_eq!(created.asked.borrow()[0], ("PUT", "/bkt/a/b.ts".into(), 16 << 10));
    for in_use in [409, 412] {
        let there = script([status(in_use), tagged("x/1")]);
        assert_eq!(put(&there), Ok(Created::Before));
        assert_eq!(there.asked.borrow()[1].0, "HEAD");
        for other in [tagged("x/2"), status(200)] {
            assert_eq!(put(&script([status(in_use), other])), Err(Error::Taken { key: "a/b.ts".into() }));
        }
    }
}

#[test]
fn a_name_in_use_that_then_is_not_may_be_tried_again() {
    // On S3, 409 also says that another upload of the same name is under way.
    let refused = put(&script([problem(409, "ConditionalRequestConflict"), status(404)]));
    let reason = "PUT 127.0.0.1:9000/bkt/a/b.ts answers 409 (ConditionalRequestConflict)";
    assert_eq!(refused, Err(unavailable(reason)));
}

#[test]
fn a_refused_object_says_what_was_answered() {
    let reason = "PUT 127.0.0.1:9000/bkt/a/b.ts answers 404 (NoSuchBucket)";
    assert_eq!(put(&script([problem(404, "NoSuchBucket")])), Err(no_such_bucket(reason)));
    let reason = "PUT 127.0.0.1:9000/bkt/a/b.ts answers 403 (AccessDenied)";
    let refused = Error::Refused { reason: reason.into() };
    assert_eq!(put(&script([problem(403, "AccessDenied")])), Err(refused));
    let reason = "PUT 127.0.0.1:9000/bkt/a/b.ts answers 503 (no code)";
    assert_eq!(put(&script([status(503)])), Err(unavailable(reason)));
}

#[test]
fn a_key_that_may_only_write_takes_the_next_name() {
    let may_not_read = script([status(412), status(403)]);
    assert_eq!(put(&may_not_read), Err(Error::Taken { key: "a/b.ts".into() }));
    let under_way = script([problem(409, "ConditionalRequestConflict"), status(403)]);
    assert!(matches!(put(&under_way), Err(Error::Unavailable { .. })));
}

#[test]
fn a_name_that_was_in_use_and_is_not_any_more_may_be_tried_again() {
    let gone = script([problem(412, "PreconditionFailed"), status(404)]);
    assert!(matches!(put(&gone), Err(Error::Unavailable { .. })));
}

#[test]
fn what_lies_under_a_name_of_its_own_is_ours_though_it_cannot_be_read() {
    for in_use in [status(412), status(304), problem(409, "FileAlreadyExists")] {
        let hidden = script([in_use.clone(), status(403)]);
        assert_eq!(put_as(&hidden, Options::default(), &own_name(), SLICE), Ok(Created::Before));
        // Whoever may read goes by the tag all the same.
        let another = script([in_use, tagged("another")]);
        assert_eq!(put_as(&another, Options::default(), &own_name(), SLICE), taken(&own_name()));
    }
    let under_way = script([problem(409, "ConditionalRequestConflict"), status(403)]);
    let again = put_as(&under_way, Options::default(), &own_name(), SLICE);
    assert!(matches!(again, Err(Error::Unavailable { .. })));
}

#[test]
fn where_only_writing_is_allowed_recordings_go_by_names_of_their_own() {
    // Before anything is sent: an object under this name could not be told from another writer's.
    let nothing = script([]);
    assert_eq!(put_as(&nothing, WRITE_ONLY, "a/b.ts", SLICE), taken("a/b.ts"));
    assert!(nothing.asked.borrow().is_empty());
    // The answer alone counts: nothing is asked for that the key may not.
    for (answer, created) in [(status(200), Created::Now), (status(412), Created::Before)] {
        let once = script([answer]);
        assert_eq!(put_as(&once, WRITE_ONLY, &own_name(), SLICE), Ok(created));
        assert_eq!(once.requests().len(), 1);
    }
    // What somebody named stays named so.
    assert_eq!(put_as(&script([status(200)]), WRITE_ONLY, "index.m3u8", "x/1"), Ok(Created::Now));
    assert_eq!(put_as(&script([status(412)]), WRITE_ONLY, "index.m3u8", "x/1"), taken("index.m3u8"));
    let under_way = script([problem(409, "ConditionalRequestConflict")]);
    assert!(matches!(put_as(&under_way, WRITE_ONLY, &own_name(), SLICE), Err(Error::Unavailable { .. })));
}

#[test]
fn a_store_that_replaces_objects_is_asked_first() {
    let put = |responses: &[Response], key: &str, tag: &str| {
        let script = script(responses.to_vec());
        let created = put_as(&script, HEAD_FIRST, key, tag);
        (created, script.requests().iter().map(|asked| asked[..3].to_owned()).collect::<Vec<_>>().join(" "))
    };
    let head_put = "HEA PUT".to_owned();
    assert_eq!(put(&[status(404), status(200)], "a.ts", "x/1"), (Ok(Created::Now), head_put.clone()));
    assert_eq!(put(&[tagged("x/1")], "a.ts", "x/1"), (Ok(Created::Before), "HEA".into()));
    assert_eq!(put(&[tagged("x/2")], "a.ts", "x/1"), (taken("a.ts"), "HEA".into()));
    assert!(matches!(put(&[status(503)], "a.ts", "x/1").0, Err(Error::Unavailable { .. })));
    // The key may not look: nothing is put where somebody else's object may lie.
    assert_eq!(put(&[status(403)], "a.ts", SLICE), (taken("a.ts"), "HEA".into()));
    assert!(matches!(put(&[status(403)], "a.ts", "x/1").0, Err(Error::Refused { .. })));
    assert_eq!(put(&[status(403), status(200)], &own_name(), SLICE), (Ok(Created::Now), head_put));
    // A name of its own needs no look: what is there is the same.
    let both =
        Options { write_only: true, head_first: true, no_notes: false, checksum: None, headers: Vec::new() };
    let own = script([status(200)]);
    assert_eq!(put_as(&own, both, &own_name(), SLICE), Ok(Created::Now));
    assert_eq!(own.requests().len(), 1);
}

/// Its name is its caller's choice, and whether the store replaces objects may not be known yet.
#[test]
fn an_index_is_asked_for_first_where_the_key_may_look() {
    let tag = "00112233-4455-6677-8899-aabbccddeeff/0011223344556677";
    let put = |responses: &[Response], options: Options| {
        let script = script(responses.to_vec());
        (put_as(&script, options, "i.m3u8", tag), script.requests().len())
    };
    assert_eq!(put(&[tagged("other")], Options::default()), (taken("i.m3u8"), 1));
    assert_eq!(put(&[tagged(tag)], Options::default()), (Ok(Created::Before), 1));
    for looked in [404, 403] {
        assert_eq!(put(&[status(looked), status(200)], Options::default()), (Ok(Created::Now), 2));
    }
    assert_eq!(put(&[status(200)], WRITE_ONLY), (Ok(Created::Now), 1));
}

#[test]
fn a_store_that_replaces_objects_is_found_out_by_our_own() {
    let created = || [status(404), status(200), tagged(FILE)];
    let replaces = script([&created()[..], &[status(200), status(404), status(200)]].concat());
    assert_eq!(put_small(&replaces), Ok(Created::Now));
    assert_eq!(client(&replaces).keeps(), Some(false));
    assert_eq!(replaces.sent.borrow()[0], replaces.sent.borrow()[1]);
    // From then on it is asked first.
    assert_eq!(put(&replaces), Ok(Created::Now));
    assert!(replaces.requests()[4].starts_with("HEAD"));

    for refusal in [status(412), problem(409, "FileAlreadyExists")] {
        let keeps = script([&created()[..], &[refusal], &created()].concat());
        assert_eq!(put_small(&keeps), Ok(Created::Now));
        assert_eq!(client(&keeps).keeps(), Some(true));
        // Once for each bucket.
        assert_eq!(put_small(&keeps), Ok(Created::Now));
        assert_eq!(keeps.requests().len(), 7);
    }
    // What failed is tried again with the next one; it is no failure of the object, which is there.
    let busy = script([&created()[..], &[status(503)]].concat());
    assert_eq!(put_small(&busy), Ok(Created::Now));
    assert_eq!(client(&busy).keeps(), None);
}

#[test]
fn nothing_is_sent_twice_that_may_be_another_writers() {
    // It came after the look: the refusal itself is the proof.
    let came = script([status(404), status(412), tagged(FILE)]);
    assert_eq!(put_small(&came), Ok(Created::Before));
    assert_eq!(client(&came).keeps(), Some(true));
    let another = script([status(404), status(412), tagged("another")]);
    assert_eq!(put_small(&another), taken("a/b.m3u8"));
    assert_eq!(another.sent.borrow().len(), 1);
    // It was there.
    assert_eq!(put_small(&script([tagged(FILE)])), Ok(Created::Before));
    let another = script([tagged("another")]);
    assert_eq!(put_small(&another), taken("a/b.m3u8"));
    assert_eq!(another.sent.borrow().len(), 0);
    // Nor what is no record file, and where a setting has said it.
    let index = script([status(200), status(200)]);
    for tag in ["x/1", SLICE] {
        block_on(client(&index).put_small("i.m3u8", "text/plain", tag, b"abc".into())).unwrap();
    }
    let set = script([status(404), status(200), tagged(FILE)]);
    let set_client = Client { options: HEAD_FIRST, ..client(&set) };
    block_on(set_client.put_small("i.m3u8", "text/plain", FILE, b"abc".into())).unwrap();
    assert_eq!((index.sent.borrow().len(), set.sent.borrow().len()), (2, 1));
}

/// The value of a header of each request, where it has one.
fn sent(script: &Script, name: &str) -> Vec<Option<String>> {
    let headers = script.headers.borrow();
    let value = |of: &Vec<_>| {
        let found = of.iter().find(|header: &&Header| header.name == name);
        found.map(|header| header.value.clone())
    };
    headers.iter().map(value).collect()
}

#[test]
fn bodies_have_a_checksum_where_one_is_wanted() {
    const MD5: &str = "kAFQmDzST7DWlj99KOF/cg==";
    let options = Options { checksum: Some(Checksum::Md5), ..Options::default() };
    let usual = script([status(200)]);
    assert_eq!(put(&usual), Ok(Created::Now));
    assert_eq!(sent(&usual, "content-md5"), [None]);

    let checked = script([status(200)]);
    assert_eq!(put_as(&checked, options.clone(), "a/b.ts", "x/1"), Ok(Created::Now));
    assert_eq!(sent(&checked, "content-md5"), [Some(MD5.into())]);
    assert_eq!(*checked.sent.borrow(), [b"abc"]);
    let authorization = sent(&checked, "authorization").remove(0).unwrap();
    assert!(authorization.contains("SignedHeaders=content-length;content-md5;"), "{authorization}");

    // The probe has it too, and so has what is sent again.
    let moved = Response { headers: vec![("x-amz-bucket-region".into(), b"eu".to_vec())], ..status(301) };
    let small = script([status(404), moved, status(200), tagged(FILE), status(412)]);
    let client = Client { options: options.clone(), ..client(&small) };
    let created = block_on(client.put_small("a/b.m3u8", "text/plain", FILE, b"abc".into()));
    assert_eq!(created, Ok(Created::Now));
    let md5 = || Some(MD5.to_owned());
    assert_eq!(sent(&small, "content-md5"), [None, md5(), md5(), None, md5()]);

    // What does not come whole is not sent.
    for length in [2, 4] {
        let nothing = script([]);
        let client = Client { options: options.clone(), ..self::client(&nothing) };
        let cut = block_on(client.put_new("a/b.ts", "video/mp2t", "x/1", length, b"abc".into()));
        assert!(matches!(cut, Err(Error::Unavailable { .. })), "{length}: {cut:?}");
    }
}

#[test]
fn a_body_that_came_damaged_is_sent_again() {
    let damaged = put(&script([problem(400, "BadDigest")]));
    assert!(matches!(damaged, Err(Error::Unavailable { .. })), "{damaged:?}");
}

#[test]
fn headers_of_a_setting_are_sent_with_what_creates_an_object_and_with_nothing_else() {
    const NAME: &str = "x-amz-storage-class";
    let header = Header::new(NAME, "STANDARD_IA");
    let options = Options { headers: vec![header], head_first: true, ..Options::default() };
    let value = || Some("STANDARD_IA".to_owned());
    let streamed = script([status(404), status(200)]);
    assert_eq!(put_as(&streamed, options.clone(), "a/b.ts", "x/1"), Ok(Created::Now));
    assert_eq!(sent(&streamed, NAME), [None, value()]);
    let begun = crate::testing::answer(
        200,
        "<InitiateMultipartUploadResult><UploadId>up</UploadId></InitiateMultipartUploadResult>",
    );
    let part = Response { headers: vec![("etag".into(), b"e".to_vec())], ..status(200) };
    let parts = script([begun, part]);
    let client = Client { options, ..client(&parts) };
    assert_eq!(block_on(client.create_upload("a.mp4", "video/mp4", "x")), Ok("up".into()));
    block_on(client.upload_part(("a.mp4", "up"), 1, 1, b"x".to_vec())).unwrap();
    assert_eq!(sent(&parts, NAME), [value(), None]);
}

#[test]
fn a_look_learns_the_region_of_a_store_that_tells_it_in_a_body_alone() {
    let malformed = "<Error><Code>AuthorizationHeaderMalformed</Code><Region>garage</Region></Error>";
    let told = || crate::testing::answer(400, malformed);
    let learned = script([status(400), told(), status(403), status(404), status(200)]);
    assert_eq!(put_as(&learned, HEAD_FIRST, "a/b.ts", "x/1"), Ok(Created::Now));
    assert_eq!(*learned.regions.borrow(), ["us-east-1", "us-east-1", "garage", "garage", "garage"]);
    // A store that refuses for another reason is asked once.
    let refused = script([status(400), problem(400, "InvalidRequest")]);
    assert!(matches!(put_as(&refused, HEAD_FIRST, "a/b.ts", "x/1"), Err(Error::Unavailable { .. })));
}
