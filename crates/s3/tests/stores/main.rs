//! Stores that misbehave, and keys that may not do all: no object is replaced, none is said to be there that is not,
//! and no bucket is disturbed by another's trouble.
#![expect(clippy::unwrap_used, reason = "the helpers of tests fail as tests do")]

mod fake;

use std::future::Future;

use fake::{Fake, Object, OnComplete, OnConflict, OnCopy, OnStore};
use futures_executor::block_on;
use naming::tag;
use s3::{BucketOptions, Created, Error, Options, Part, Source};

const SESSION: &str = "20260102-000102030405060708090a0b0c0d0e0f";

const CONFLICTS: [OnConflict; 4] = [
    OnConflict::Answers(412, "PreconditionFailed"),
    OnConflict::Answers(409, "FileAlreadyExists"),
    OnConflict::Answers(304, "NotModified"),
    OnConflict::Replaces,
];

fn options(text: &str) -> Options {
    let bucket = s3::Bucket::new("http://127.0.0.1:9000", "bkt").unwrap();
    BucketOptions::parse(&format!("127.0.0.1:9000/*={text}")).unwrap().find(&bucket).unwrap()
}

/// The name of a slice for what has found so many names in use.
fn name(seq: u64, names_taken: u32) -> String {
    let values = naming::Values {
        app: "live",
        stream: "cam",
        sequence: seq,
        start_ms: seq * 5_000,
        end_ms: 0,
        timezone: naming::Timezone::UTC,
    };
    let (kind, template) = (naming::Kind::Slice, naming::DEFAULT_SLICE);
    let name = naming::ObjectName { kind, template, values, extension: ".ts" };
    name.build_for(&tag::slice(SESSION, seq), names_taken).unwrap()
}

/// Records a slice as the functions do: again where it may help, under the next name where one is taken. Answers the
/// name, and how many tries it took.
fn record(store: &Fake, bucket: &str, options: &Options, seq: u64) -> Result<(String, u32), Error> {
    let mut names_taken = 0;
    for tries in 1..10 {
        let name = name(seq, names_taken);
        let client = store.client(bucket, options.clone());
        let body = format!("slice {seq}").into_bytes();
        let size = body.len() as u64;
        match block_on(client.put_new(&name, "video/mp2t", &tag::slice(SESSION, seq), size, body)) {
            Ok(_) => return Ok((name, tries)),
            Err(Error::Taken { .. }) => names_taken += 1,
            Err(Error::Unavailable { .. }) => {}
            Err(error) => return Err(error),
        }
    }
    panic!("slice {seq} finds no end");
}

#[test]
fn no_slice_replaces_an_object_nor_is_said_to_be_there_in_vain() {
    for on_conflict in CONFLICTS {
        for (rights, text) in [
            ((true, true, true), ""),
            ((true, true, false), ""),
            ((true, false, true), ""),
            ((true, false, false), ""),
            ((true, false, false), "write-only"),
            ((true, true, true), "head-first"),
            ((true, false, false), "head-first"),
            ((true, false, false), "write-only;head-first"),
        ] {
            // Nothing but a look tells there, and these are not told to look.
            if on_conflict == OnConflict::Replaces && text.is_empty() {
                continue;
            }
            for lost in [None, Some(0), Some(1), Some(2)] {
                let store = Fake::default();
                store.on_conflict.set(on_conflict);
                store.rights.set(rights);
                let shown = format!("{on_conflict:?} {rights:?} {text:?} {lost:?}");
                store.put_of_another(&format!("bkt/{}", name(1, 0)));
                let mut ours = Vec::new();
                for seq in 0..3 {
                    store.lose_after.set(lost);
                    let (name, tries) = record(&store, "bkt", &options(text), seq).unwrap();
                    assert!(tries <= 4, "{shown}: {tries} tries");
                    ours.push((format!("bkt/{name}"), format!("slice {seq}")));
                }
                let another = store.object(&format!("bkt/{}", name(1, 0))).unwrap();
                assert_eq!(another.tag, "another", "{shown}");
                for (place, body) in &ours {
                    assert_eq!(store.object(place).unwrap().body, body.as_bytes(), "{shown}");
                }
                // Where names are a slice's own from the begin, or may be read, nothing is left beside them.
                let leaves_nothing = rights.1 || text.starts_with("write-only");
                let count = store.objects.borrow().len();
                assert!(!leaves_nothing || count == ours.len() + 1, "{shown}: {:?}", store.objects.borrow());
            }
        }
    }
}

#[test]
fn a_key_without_a_right_is_refused_for_its_bucket_alone() {
    let store = Fake::default();
    store.rights.set((false, true, true));
    let refused = record(&store, "bkt", &Options::default(), 0);
    assert!(matches!(refused, Err(Error::Refused { .. })), "{refused:?}");
    assert!(store.objects.borrow().is_empty());
    store.on_conflict.set(OnConflict::Answers(501, "NotImplemented"));
    store.rights.set((true, true, true));
    let refused = record(&store, "bkt", &Options::default(), 0);
    assert!(matches!(refused, Err(Error::Refused { .. })), "{refused:?}");

    let store = Fake::default();
    store.down.borrow_mut().push("down".into());
    for seq in 0..3 {
        let down = store.client("down", Options::default());
        let put = block_on(down.put_new("a", "video/mp2t", "t", 1, b"x".to_vec()));
        assert!(matches!(put, Err(Error::Unavailable { .. })));
        assert!(matches!(block_on(down.check()), Err(Error::Unreachable { .. })));
        assert_eq!(record(&store, "bkt", &Options::default(), seq).unwrap().1, 1);
    }
}

#[test]
fn a_bucket_that_may_only_be_written_is_there() {
    let store = Fake::default();
    for (rights, is_usable) in [
        ((true, true, true), true),
        ((true, false, false), true),
        ((true, false, true), true),
        ((true, true, false), true),
    ] {
        store.rights.set(rights);
        assert_eq!(
            block_on(store.client("bkt", Options::default()).check()).is_ok(),
            is_usable,
            "{rights:?}"
        );
    }
}

#[test]
fn what_one_bucket_does_is_not_held_against_another() {
    let store = Fake::default();
    store.on_conflict.set(OnConflict::Replaces);
    let file = tag::file(SESSION, "m3u8", 0);
    let put = |bucket| {
        let client = store.client(bucket, Options::default());
        assert_eq!(
            block_on(client.put_small("f.m3u8", "text/plain", &file, b"x".to_vec())),
            Ok(Created::Now)
        );
        client.keeps()
    };
    assert_eq!(put("replaces"), Some(false));
    store.on_conflict.set(CONFLICTS[0]);
    assert_eq!(put("keeps"), Some(true));
    // From now on no other's object is replaced there.
    store.on_conflict.set(OnConflict::Replaces);
    store.put_of_another(&format!("replaces/{}", name(0, 0)));
    record(&store, "replaces", &Options::default(), 0).unwrap();
    assert_eq!(store.object(&format!("replaces/{}", name(0, 0))).unwrap().tag, "another");
}

const AT: &str = "file.mp4";

/// Uploads a file: part 1 is sent, and the second copied of an object beside it, or sent where it is not copied.
fn begin(store: &Fake) -> (String, Vec<Part>) {
    let source = Object { tag: "work".into(), body: b"0123456789".to_vec() };
    store.objects.borrow_mut().insert("bkt/source".into(), source);
    let client = store.client("bkt", Options::default());
    let id = block_on(client.create_upload(AT, "video/mp4", "file")).unwrap();
    let first = block_on(client.upload_part((AT, &id), 1, 5, b"head.".to_vec())).unwrap();
    let source = Source { bucket: &client.bucket, key: "source", first: 2, size: 5 };
    let second = block_on(client.copy_part((AT, &id), 2, source)).or_else(|error| {
        assert!(matches!(error, Error::Refused { .. }), "{error:?}");
        block_on(client.upload_part((AT, &id), 2, 5, b"23456".to_vec()))
    });
    (id, vec![first, second.unwrap()])
}

/// Uploads a record file by a client that knows nothing of the store yet.
fn upload(store: &Fake, tag: &str) -> Result<Created, Error> {
    let client = store.client("bkt", Options::default());
    if let Some(created) = now(client.look_first(AT, tag, Some(5)))? {
        return Ok(created);
    }
    let id = now(client.create_upload(AT, "video/mp4", tag))?;
    let part = now(client.upload_part((AT, &id), 1, 5, b"file.".to_vec()))?;
    now(client.complete_checked((AT, &id), tag, &[part], false))
}

#[test]
fn no_record_file_replaces_an_object_though_nothing_is_known_of_the_store() {
    let files = [0, 1].map(|number| tag::file(SESSION, "mp4", number));
    for on_conflict in CONFLICTS {
        for parts_replace in [true, false] {
            let shown = format!("{on_conflict:?} {parts_replace}");
            for ways in
                ["put put", "put small", "put parts", "parts put", "small put", "parts parts", "parts small"]
            {
                let store = Fake::default();
                store.on_conflict.set(on_conflict);
                store.parts_replace.set(parts_replace);
                let write = |way: &str, tag: &str| match way {
                    "parts" => upload(&store, tag),
                    "small" => now(store.client("bkt", Options::default()).put_small(
                        AT,
                        "video/mp4",
                        tag,
                        b"file.".to_vec(),
                    )),
                    _ => {
                        let client = store.client("bkt", Options::default());
                        now(client.put_new(AT, "video/mp4", tag, 5, b"file.".to_vec()))
                    }
                };
                let (first, second) = ways.split_once(' ').unwrap();
                assert_eq!(write(first, &files[0]), Ok(Created::Now), "{shown} {ways}");
                let taken = write(second, &files[1]);
                assert!(matches!(taken, Err(Error::Taken { .. })), "{shown} {ways}: {taken:?}");
                assert_eq!(write(second, &files[0]), Ok(Created::Before), "{shown} {ways}");
                assert_eq!(store.object("bkt/file.mp4").unwrap().tag, files[0], "{shown} {ways}");
            }
        }
    }
}

#[test]
fn a_record_file_has_its_usual_name_where_the_key_may_not_look() {
    let store = Fake::default();
    store.rights.set((true, false, false));
    assert_eq!(upload(&store, &tag::file(SESSION, "mp4", 0)), Ok(Created::Now));
    assert!(matches!(upload(&store, &tag::file(SESSION, "mp4", 1)), Err(Error::Taken { .. })));
    // Where the store is known to replace objects, only names of its own are left.
    let store = Fake::default();
    store.rights.set((true, false, false));
    store.client("bkt", Options::default()).expect_replacing();
    assert!(matches!(upload(&store, &tag::file(SESSION, "mp4", 0)), Err(Error::Taken { .. })));
}

fn complete(store: &Fake, id: &str, parts: &[Part]) -> Result<Created, Error> {
    now(store.client("bkt", Options::default()).complete_upload((AT, id), "file", parts))
}

fn now<T>(future: impl Future<Output = T>) -> T {
    block_on(future)
}

fn is_whole(store: &Fake) -> bool {
    store.object("bkt/file.mp4") == Some(Object { tag: "file".into(), body: b"head.23456".to_vec() })
}

#[test]
fn a_completion_is_believed_only_where_the_object_is_there() {
    const RESULT: &str = "<CompleteMultipartUploadResult><ETag>x</ETag></CompleteMultipart";
    let error = "          <?xml version=\"1.0\"?><Error><Code>InternalError</Code></Error>";
    for body in [error, "", RESULT, "<html>the proxy is sorry</html>"] {
        for on_complete in [OnComplete::Fails(body), OnComplete::Garbles(body)] {
            let store = Fake::default();
            let (id, parts) = begin(&store);
            store.on_complete.set(on_complete);
            let first = complete(&store, &id, &parts);
            assert!(matches!(first, Err(Error::Unavailable { .. })), "{on_complete:?} {first:?}");
            store.on_complete.set(OnComplete::Whole);
            let was_there = matches!(on_complete, OnComplete::Garbles(_));
            let expected = if was_there { Created::Before } else { Created::Now };
            assert_eq!(complete(&store, &id, &parts), Ok(expected), "{on_complete:?}");
            assert!(is_whole(&store));
        }
    }
}

#[test]
fn a_part_that_is_not_copied_is_sent() {
    for on_copy in [
        OnCopy::Copies,
        OnCopy::StoresNothing,
        OnCopy::StoresNothingAndSaysSo("d41d8cd98f00b204e9800998ecf8427e"),
        OnCopy::Answers(200, "AccessDenied"),
        OnCopy::Answers(403, "AccessDenied"),
        OnCopy::Answers(501, "NotImplemented"),
    ] {
        let store = Fake::default();
        store.on_copy.set(on_copy);
        let (id, parts) = begin(&store);
        assert_eq!(complete(&store, &id, &parts), Ok(Created::Now), "{on_copy:?}");
        assert!(is_whole(&store), "{on_copy:?}");
        assert!(store.object("bkt/source").is_some(), "{on_copy:?}");
    }
}

#[test]
fn a_part_that_is_said_to_be_copied_and_is_not_makes_no_object_that_is_believed_in() {
    for may_look in [true, false] {
        let store = Fake::default();
        store.on_copy.set(OnCopy::StoresNothingAndSaysSo("e2"));
        let (id, parts) = begin(&store);
        store.rights.set((true, may_look, true));
        let client = store.client("bkt", Options::default());
        let refused = now(client.complete_checked((AT, &id), "file", &parts, true));
        assert!(matches!(refused, Err(Error::Refused { .. })), "{refused:?}");
        assert_eq!(store.object("bkt/file.mp4"), None);
    }
}

#[test]
fn an_object_of_copied_parts_has_the_size_of_its_parts() {
    let store = Fake::default();
    let (id, mut parts) = begin(&store);
    let client = store.client("bkt", Options::default());
    assert_eq!(now(client.complete_checked((AT, &id), "file", &parts, true)), Ok(Created::Now));
    assert!(is_whole(&store));
    // The answer was lost: the upload is gone.
    assert_eq!(now(client.complete_checked((AT, &id), "file", &parts, true)), Ok(Created::Before));
    // An object of another size, which this upload has become.
    let store = Fake::default();
    let (id, told) = begin(&store);
    parts.clone_from(&told);
    parts[1].size += 1;
    let client = store.client("bkt", Options::default());
    let refused = now(client.complete_checked((AT, &id), "file", &parts, true));
    assert!(matches!(refused, Err(Error::Refused { .. })), "{refused:?}");
    // A completion that is answered as one, and leaves nothing.
    store.on_complete.set(OnComplete::Fails(
        "<CompleteMultipartUploadResult><ETag>e</ETag></CompleteMultipartUploadResult>",
    ));
    let nothing = now(client.complete_checked((AT, &id), "file", &told, true));
    assert!(matches!(nothing, Err(Error::Unavailable { .. })), "{nothing:?}");
}

#[test]
fn what_is_stored_cut_off_is_not_believed_in_where_the_key_may_look() {
    let tag = tag::file(SESSION, "mp4", 0);
    for rights in [(true, true, true), (true, true, false), (true, false, false)] {
        let may_read = rights.1;
        for on_store in [OnStore::CutsOff, OnStore::Drops] {
            let store = Fake::default();
            store.rights.set(rights);
            store.on_store.set(on_store);
            let put = || {
                let client = store.client("bkt", Options::default());
                now(client.put_new(AT, "video/mp4", &tag, 5, b"file.".to_vec()))
            };
            let first = put();
            match on_store {
                _ if !may_read => assert_eq!(first, Ok(Created::Now)),
                OnStore::Drops => {
                    assert!(matches!(first, Err(Error::Unavailable { .. })), "{first:?}");
                    assert!(matches!(put(), Err(Error::Unavailable { .. })));
                    store.on_store.set(OnStore::Stores);
                    assert_eq!(put(), Ok(Created::Now));
                }
                _ => {
                    assert!(matches!(first, Err(Error::Refused { .. })), "{first:?}");
                    // What is there is for nobody to change.
                    assert!(matches!(put(), Err(Error::Taken { .. })));
                }
            }
            // A part is as good as lost: no object is made of it.
            let store = Fake::default();
            store.rights.set(rights);
            store.on_store.set(OnStore::CutsOff);
            let uploaded = upload(&store, &tag);
            assert_eq!(matches!(uploaded, Err(Error::Refused { .. })), may_read, "{uploaded:?}");
            assert_eq!(store.object("bkt/file.mp4").is_none(), may_read);
        }
    }
    // Where only writing is allowed nothing is asked for, and the answer counts.
    let store = Fake::default();
    store.rights.set((true, false, false));
    let client = store.client("bkt", options("write-only"));
    let id = now(client.create_upload(AT, "video/mp4", "file")).unwrap();
    let part = now(client.upload_part((AT, &id), 1, 5, b"file.".to_vec())).unwrap();
    store.asked.borrow_mut().clear();
    assert_eq!(now(client.complete_checked((AT, &id), "file", &[part], false)), Ok(Created::Now));
    assert_eq!(*store.asked.borrow(), ["POST"]);
}

#[test]
fn an_object_of_parts_that_has_lost_its_tag_is_believed_in_by_who_made_it_alone() {
    let tag = tag::file(SESSION, "mp4", 0);
    for rights in [(true, true, true), (true, false, false)] {
        let store = Fake::default();
        store.drops_tags_of_parts.set(true);
        store.rights.set(rights);
        assert_eq!(upload(&store, &tag), Ok(Created::Now));
        let whole = Object { tag: String::new(), body: b"file.".to_vec() };
        assert_eq!(store.object("bkt/file.mp4"), Some(whole));
    }
    // Nobody else knows whose it is.
    let store = Fake::default();
    store.drops_tags_of_parts.set(true);
    upload(&store, &tag).unwrap();
    assert!(matches!(upload(&store, &tag), Err(Error::Taken { .. })));
}

#[test]
fn all_uploads_of_a_name_are_given_up_and_no_others() {
    let store = Fake::default();
    let client = store.client("bkt", Options::default());
    for key in [AT, "file.mp4.part", "file.mp", AT, "other.mp4"] {
        now(client.create_upload(key, "video/mp4", "t")).unwrap();
    }
    // Nothing is asked for where only writing is allowed.
    assert_eq!(now(store.client("bkt", options("write-only")).abort_uploads(AT)), Ok(0));
    store.rights.set((true, true, false));
    assert!(matches!(now(client.abort_uploads(AT)), Err(Error::Refused { .. })));
    store.rights.set((true, true, true));
    assert_eq!(now(client.abort_uploads(AT)), Ok(2));
    assert_eq!(now(client.abort_uploads(AT)), Ok(0));
    let left = now(client.list_uploads("", None)).unwrap().uploads;
    let mut left: Vec<_> = left.into_iter().map(|upload| upload.key).collect();
    left.sort();
    assert_eq!(left, ["file.mp", "file.mp4.part", "other.mp4"]);
}

#[test]
fn parts_of_unequal_size_are_refused_for_good_where_the_store_refuses_them() {
    let store = Fake::default();
    store.equal_parts.set(true);
    let (id, parts) = begin(&store);
    assert_eq!(complete(&store, &id, &parts), Ok(Created::Now));
    let client = store.client("bkt", Options::default());
    let id = now(client.create_upload("other.mp4", "video/mp4", "file")).unwrap();
    let at = ("other.mp4", id.as_str());
    let small = now(client.upload_part(at, 1, 1, b"x".to_vec())).unwrap();
    let large = now(client.upload_part(at, 2, 2, b"xy".to_vec())).unwrap();
    let refused = now(client.complete_upload(at, "file", &[small, large]));
    assert!(matches!(refused, Err(Error::Refused { .. })), "{refused:?}");
    assert_eq!(store.object("bkt/other.mp4"), None);
}

#[test]
fn an_upload_that_is_gone_succeeded_only_where_it_became_the_object() {
    // The completion was done, and its answer lost.
    let store = Fake::default();
    let (id, parts) = begin(&store);
    store.lose_after.set(Some(0));
    assert!(matches!(complete(&store, &id, &parts), Err(Error::Unavailable { .. })));
    assert_eq!(complete(&store, &id, &parts), Ok(Created::Before));
    assert!(is_whole(&store));
    // It was aborted, and an older object is there.
    let store = Fake::default();
    let (id, parts) = begin(&store);
    store.abort_all();
    store.put_of_another("bkt/file.mp4");
    assert!(matches!(complete(&store, &id, &parts), Err(Error::Taken { .. })));
    // It was aborted, and nothing is there.
    store.objects.borrow_mut().remove("bkt/file.mp4");
    assert!(matches!(complete(&store, &id, &parts), Err(Error::NoSuchUpload { .. })));
}

#[test]
fn no_upload_replaces_an_object() {
    for on_conflict in CONFLICTS {
        let store = Fake::default();
        let (id, parts) = begin(&store);
        store.on_conflict.set(on_conflict);
        store.put_of_another("bkt/file.mp4");
        let head_first = if on_conflict == OnConflict::Replaces { "head-first" } else { "" };
        let client = store.client("bkt", options(head_first));
        let taken = now(client.complete_upload((AT, &id), "file", &parts));
        assert!(matches!(taken, Err(Error::Taken { .. })), "{on_conflict:?} {taken:?}");
        assert_eq!(store.object("bkt/file.mp4").unwrap().tag, "another", "{on_conflict:?}");
    }
    let store = Fake::default();
    let (id, parts) = begin(&store);
    store.on_conflict.set(OnConflict::Answers(501, "NotImplemented"));
    assert!(matches!(complete(&store, &id, &parts), Err(Error::Refused { .. })));
    assert_eq!(store.object("bkt/file.mp4"), None);
}
