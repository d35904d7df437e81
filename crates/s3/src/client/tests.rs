//! What each answer of a store means, over a transport that answers by script.

use std::cell::RefCell;

use futures_executor::block_on;

use super::*;
use crate::create::Created;
use crate::testing::{Script, client, problem, script, status, unavailable};

fn put(script: &Script) -> Result<Created, Error> {
    block_on(client(script).put_new("a/b.ts", "video/mp2t", "x/1", 3, b"abc".into()))
}

#[test]
fn a_bucket_is_usable_where_it_can_be_asked_for() {
    let check = |responses: &[Response]| block_on(client(&script(responses.to_vec())).check());
    assert_eq!(check(&[status(200)]), Ok(()));
    for refused in [301, 307, 404] {
        let reason = format!("HEAD 127.0.0.1:9000/bkt/ answers {refused}");
        assert_eq!(check(&[status(refused)]), Err(Error::NoSuchBucket { reason }));
    }
    assert!(matches!(check(&[status(500)]), Err(Error::Unavailable { .. })));
    // The key may write, or list, and nothing else.
    assert_eq!(check(&[status(403), problem(403, "AccessDenied")]), Ok(()));
    assert_eq!(check(&[status(403), status(200)]), Ok(()));
    let reason = "GET 127.0.0.1:9000/bkt/ answers 403 (InvalidAccessKeyId)";
    let unknown = check(&[status(403), problem(403, "InvalidAccessKeyId")]);
    assert_eq!(unknown, Err(Error::Refused { reason: reason.into() }));
    let absent = check(&[status(403), problem(404, "NoSuchBucket")]);
    assert!(matches!(absent, Err(Error::NoSuchBucket { .. })));
}

#[test]
fn a_region_that_a_store_tells_is_used_from_then_on() {
    let told = Response { headers: vec![("x-amz-bucket-region".into(), b"garage".to_vec())], ..status(400) };
    let garage = script([told.clone(), status(200), status(200)]);
    assert_eq!(block_on(client(&garage).check()), Ok(()));
    assert_eq!(put(&garage), Ok(Created::Now));
    assert_eq!(*garage.regions.borrow(), ["us-east-1", "garage", "garage"]);

    // What was streamed cannot be sent again here: the caller does.
    let malformed = "<Error><Code>AuthorizationHeaderMalformed</Code><Region>eu</Region></Error>";
    let told = Response { body: malformed.into(), ..status(400) };
    let elsewhere = script([told.clone(), status(200)]);
    assert!(matches!(put(&elsewhere), Err(Error::Unavailable { .. })));
    assert_eq!(put(&elsewhere), Ok(Created::Now));
    assert_eq!(*elsewhere.regions.borrow(), ["us-east-1", "eu"]);

    // A store that goes on refusing the region that it names is asked once more, not for ever.
    let stubborn = script([told.clone(), told.clone(), told]);
    assert!(matches!(put(&stubborn), Err(Error::Unavailable { .. })));
    assert!(matches!(put(&stubborn), Err(Error::Refused { .. })));
}

#[test]
fn a_bucket_that_cannot_be_reached_cannot_be_used() {
    let transport =
        Script { responses: RefCell::new(vec![Err(unavailable("refused"))]), ..Script::default() };
    let unreachable = Error::Unreachable { reason: "refused".into() };
    assert_eq!(block_on(client(&transport).check()), Err(unreachable));
}

#[test]
fn a_small_object_is_read_whole_or_not_at_all() {
    let get = |response| block_on(client(&script([response])).get_small("a", 3));
    let body = |bytes: &[u8]| Response { body: bytes.into(), ..status(200) };
    assert_eq!(get(body(b"abc")), Ok(b"abc".to_vec()));
    assert_eq!(get(body(b"")), Ok(Vec::new()));
    assert_eq!(get(body(b"abcd")), Err(Error::TooLarge { key: "a".into(), max_bytes: 3 }));
    assert_eq!(get(problem(404, "NoSuchKey")), Err(Error::NoSuchObject { key: "a".into() }));
    assert_eq!(get(status(404)), Err(Error::NoSuchObject { key: "a".into() }));
    assert!(matches!(get(problem(404, "NoSuchBucket")), Err(Error::NoSuchBucket { .. })));
    assert!(matches!(get(problem(403, "AccessDenied")), Err(Error::Refused { .. })));
    assert!(matches!(get(status(403)), Err(Error::Unavailable { .. })));
    let asked = script([body(b"abc")]);
    block_on(client(&asked).get_small("a", u32::MAX)).unwrap();
    assert_eq!(asked.asked.borrow()[0].2, u32::MAX);
}

#[test]
fn a_range_is_the_one_that_was_asked_for() {
    let get = |first, response| block_on(client(&script([response])).get_range("a", first, 3));
    let ranged = |range: &str| Response {
        headers: vec![("Content-Range".into(), range.into())],
        body: b"abc".to_vec(),
        ..status(206)
    };
    assert_eq!(get(5, ranged("bytes 5-7/9")), Ok(b"abc".to_vec()));
    for wrong in ["bytes 4-6/9", "bytes 0-2/9", "", "items 5-7/9"] {
        assert!(matches!(get(5, ranged(wrong)), Err(Error::Refused { .. })), "{wrong}");
    }
    let whole = || Response { body: b"abc".to_vec(), ..status(200) };
    assert_eq!(get(0, whole()), Ok(b"abc".to_vec()));
    assert!(matches!(get(5, whole()), Err(Error::Refused { .. })));
    // A store that answers with more gives what was asked for.
    let longer = |response| Response { body: b"abcdef".to_vec(), ..response };
    for (first, response) in [(5, ranged("bytes 5-10/99")), (0, whole())] {
        assert_eq!(get(first, longer(response)), Ok(b"abc".to_vec()));
    }
    assert_eq!(get(9, problem(416, "InvalidRange")), Ok(Vec::new()));
    assert_eq!(get(0, problem(404, "NoSuchKey")), Err(Error::NoSuchObject { key: "a".into() }));
    assert!(matches!(get(0, problem(503, "SlowDown")), Err(Error::Unavailable { .. })));
    let absent = get(0, problem(404, "NoSuchBucket"));
    assert!(matches!(absent, Err(Error::NoSuchBucket { .. })), "{absent:?}");
    let asked = script([ranged("bytes 5-7/9")]);
    block_on(client(&asked).get_range("a", 5, 3)).unwrap();
    // A problem would be read whole.
    assert_eq!(asked.asked.borrow()[0].2, MAX_ERROR_BYTES);
    let headers = &asked.headers.borrow()[0];
    let range = headers.iter().find(|header| header.name == "range").unwrap();
    assert_eq!(range.value, "bytes=5-7");
    assert_eq!(block_on(client(&script([])).get_range("a", 5, 0)), Ok(Vec::new()));
}

#[test]
fn a_url_for_others_is_signed_for_the_region_that_the_store_told() {
    let told = Response { headers: vec![("x-amz-bucket-region".into(), b"garage".to_vec())], ..status(400) };
    let garage = script([told, status(200)]);
    let client = client(&garage);
    let region = || {
        let url = client.presigned_get("a/b.ts", 60).unwrap();
        assert!(url.starts_with("http://127.0.0.1:9000/bkt/a/b.ts?"), "{url}");
        assert!(url.contains("&X-Amz-Expires=60&"), "{url}");
        url.split("%2F").nth(2).map(str::to_owned)
    };
    assert_eq!(region().as_deref(), Some("us-east-1"));
    block_on(client.check()).unwrap();
    assert_eq!(region().as_deref(), Some("garage"));
    assert!(matches!(client.presigned_get("../a", 60), Err(Error::Key(_))));
}

#[test]
fn a_name_that_leads_elsewhere_is_never_asked_for() {
    let nothing = script([]);
    let client = client(&nothing);
    for key in ["", "../a", "a//b", "a\nb"] {
        assert!(matches!(block_on(client.get_small(key, 1)), Err(Error::Key(_))));
        assert!(matches!(block_on(client.put_new(key, "", "", 0, Vec::new())), Err(Error::Key(_))));
    }
    assert!(nothing.asked.borrow().is_empty());
}
