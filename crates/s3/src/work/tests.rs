use futures_executor::block_on;

use super::*;
use crate::testing::{Script, answer, client, problem, script, status, tagged};

fn work(script: &Script) -> WorkClient<'_, Script> {
    WorkClient::new(client(script))
}

fn create(script: &Script) -> Result<Created, Error> {
    block_on(work(script).create("log/1", "text/plain", "tag", b"abc".into()))
}

#[test]
fn bytes_are_sent_again_where_the_region_was_another() {
    let told = || answer(400, "<Error><Code>AuthorizationHeaderMalformed</Code><Region>eu</Region></Error>");
    let elsewhere = script([told(), status(200)]);
    assert_eq!(create(&elsewhere), Ok(Created::Now));
    assert_eq!(*elsewhere.regions.borrow(), ["us-east-1", "eu"]);
    assert_eq!(*elsewhere.sent.borrow(), [b"abc", b"abc"]);
    // Once, not for ever.
    assert!(matches!(create(&script([told(), told()])), Err(Error::Refused { .. })));
}

#[test]
fn an_object_is_created_once_for_one_tag() {
    assert_eq!(create(&script([status(412), tagged("tag")])), Ok(Created::Before));
    let taken = Err(Error::Taken { key: "log/1".into() });
    assert_eq!(create(&script([status(412), tagged("other")])), taken);
}

#[test]
fn a_small_object_is_found_or_is_not_there() {
    let get = |response| block_on(work(&script([response])).get_small("log/1", 3));
    let find = |response| block_on(work(&script([response])).find_small("log/1", 3));
    assert_eq!(get(answer(200, "abc")), Ok(b"abc".to_vec()));
    assert_eq!(find(answer(200, "abc")), Ok(Some(b"abc".to_vec())));
    assert_eq!(get(problem(404, "NoSuchKey")), Err(Error::NoSuchObject { key: "log/1".into() }));
    assert_eq!(find(problem(404, "NoSuchKey")), Ok(None));
    // What is there, or may be, is not taken for absent.
    assert_eq!(find(answer(200, "abcd")), Err(Error::TooLarge { key: "log/1".into(), max_bytes: 3 }));
    assert!(matches!(find(status(503)), Err(Error::Unavailable { .. })));
    assert!(matches!(find(problem(404, "NoSuchBucket")), Err(Error::NoSuchBucket { .. })));
}

#[test]
fn an_object_that_is_gone_is_deleted() {
    let delete = |response| block_on(work(&script([response])).delete("log/1"));
    for gone in [status(204), status(200), problem(404, "NoSuchKey")] {
        assert_eq!(delete(gone), Ok(()));
    }
    let refused = delete(problem(403, "AccessDenied"));
    let reason = "DELETE 127.0.0.1:9000/bkt/log/1 answers 403 (AccessDenied)";
    assert_eq!(refused, Err(Error::Refused { reason: reason.into() }));
    assert!(matches!(delete(problem(404, "NoSuchBucket")), Err(Error::NoSuchBucket { .. })));
    // Something on the way answers, not the store.
    assert!(matches!(delete(status(404)), Err(Error::Unavailable { .. })));
    assert!(matches!(delete(status(503)), Err(Error::Unavailable { .. })));

    let asked = script([status(204)]);
    block_on(work(&asked).delete("log/a b/1")).unwrap();
    assert_eq!(asked.requests(), ["DELETE /bkt/log/a%20b/1"]);
}

#[test]
fn a_name_that_leads_elsewhere_is_never_deleted() {
    let nothing = script([]);
    for key in ["", "../a", "a//b", "a/"] {
        assert!(matches!(block_on(work(&nothing).delete(key)), Err(Error::Key(_))));
    }
    assert!(nothing.asked.borrow().is_empty());
}

#[test]
fn names_are_listed_from_one_on() {
    let object = |key: &str| format!("<Contents><Key>{key}</Key><Size>1</Size></Contents>");
    let body = |objects: &[String]| {
        format!(
            "<ListBucketResult xmlns=\"http://s3/\"><Name>bkt</Name>{}</ListBucketResult>",
            objects.concat()
        )
    };
    let asked =
        script([answer(200, &body(&[object("log/a&amp;b/1"), object("log/c/2")])), answer(200, &body(&[]))]);
    let list = |after| block_on(work(&asked).list("log/", after, 1_000));
    assert_eq!(list(""), Ok(vec!["log/a&b/1".to_owned(), "log/c/2".to_owned()]));
    assert_eq!(list("log/c/2"), Ok(vec![]));
    let query = "list-type=2&max-keys=1000&prefix=log%2F";
    let requests = [format!("GET /bkt?{query}"), format!("GET /bkt?{query}&start-after=log%2Fc%2F2")];
    assert_eq!(asked.requests(), requests);
}

#[test]
fn a_list_that_is_none_is_refused() {
    let list = |response| block_on(work(&script([response])).list("log/", "", 2));
    let whole = "<ListBucketResult><Contents><Key>a</Key></Contents></ListBucketResult>";
    assert_eq!(list(answer(200, whole)), Ok(vec!["a".to_owned()]));
    for end in 0..whole.len() {
        assert!(matches!(list(answer(200, &whole[..end])), Err(Error::Unavailable { .. })), "{end}");
    }
    let nameless = "<ListBucketResult><Contents><Size>1</Size></Contents></ListBucketResult>";
    assert!(matches!(list(answer(200, nameless)), Err(Error::Unavailable { .. })));
    assert!(matches!(list(problem(403, "AccessDenied")), Err(Error::Refused { .. })));
}
