//! Objects: every key, ranges, headers, conditions, buckets that are not there.

use http::StatusCode;

use crate::client::{SECRET, call, elements, encoded, get, pattern, put, serve, signed};

/// Keys that stores have tripped over.
pub(crate) fn odd_keys() -> Vec<String> {
    let mut keys: Vec<String> = [
        "a",
        "a/",
        "a/b",
        "a//b",
        "a/b/",
        "/a",
        "//",
        ".",
        "..",
        "a/../b",
        "./a",
        "a+b",
        "a b",
        "a%2Fb",
        "100%",
        "a&b<c>\"'",
        "直播/房间.ts",
        "😀",
        "tab\there",
        "line\nbreak",
        "back\\slash",
        "a?b#c",
        "~",
        "a=b;c",
        ".hidden",
        ".bucket-server",
        ".bucket-server/lock",
    ]
    .map(str::to_owned)
    .into();
    keys.extend([255, 256, 1000].map(|length| "k".repeat(length)));
    keys.push(format!("{}/{}", "直".repeat(100), "d/".repeat(350)));
    keys.push("é".repeat(512));
    keys
}

#[tokio::test]
async fn every_legal_key_holds_its_own_bytes() {
    let directory = tempfile::tempdir().unwrap();
    let address = serve(directory.path()).await;
    let keys = odd_keys();
    // In both orders: what lies in the way of the other comes first once, and second once.
    for (bucket, backwards) in [("bucket", false), ("other", true)] {
        call(address, "PUT", &format!("/{bucket}"), &[], "").await;
        let mut order: Vec<&String> = keys.iter().collect();
        if backwards {
            order.reverse();
        }
        for key in &order {
            put(address, &format!("/{bucket}/{}", encoded(key)), key.to_string()).await;
        }
        for key in &order {
            let path = format!("/{bucket}/{}", encoded(key));
            assert_eq!(get(address, &path).await, (StatusCode::OK, key.to_string().into()), "{key:?}");
        }
        for key in &order {
            let path = format!("/{bucket}/{}", encoded(key));
            assert_eq!(call(address, "DELETE", &path, &[], "").await.status(), StatusCode::NO_CONTENT);
            assert_eq!(get(address, &path).await.0, StatusCode::NOT_FOUND, "{key:?}");
        }
        let removed = call(address, "DELETE", &format!("/{bucket}"), &[], "").await;
        assert_eq!(removed.status(), StatusCode::NO_CONTENT, "{removed:?}");
    }
    let too_long = format!("/bucket/{}", "k".repeat(1025));
    assert_eq!(call(address, "PUT", &too_long, &[], "").await.status(), StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn people_find_objects_by_name_and_put_files_there() {
    let directory = tempfile::tempdir().unwrap();
    let address = serve(directory.path()).await;
    put(address, "/bucket/live/room/1.ts", "slice").await;
    let file = directory.path().join("bucket/live/room/1.ts");
    assert_eq!(std::fs::read(file).unwrap(), b"slice");
    std::fs::create_dir(directory.path().join("bucket/by-hand")).unwrap();
    std::fs::write(directory.path().join("bucket/by-hand/a.txt"), "hello").unwrap();
    assert_eq!(get(address, "/bucket/by-hand/a.txt").await, (StatusCode::OK, "hello".into()));
    let list = call(address, "GET", "/bucket?list-type=2", &[], "").await;
    assert_eq!(elements(&list, "Key"), ["by-hand/a.txt", "live/room/1.ts"]);
}

/// The server leaves names to the file system. So this test asks that first what it makes of them: most tell the cases
/// apart, and those that do not have one file, which the last key has written.
#[tokio::test]
async fn the_file_system_decides_whether_keys_that_differ_in_case_are_one_object() {
    let directory = tempfile::tempdir().unwrap();
    let probe = directory.path().join("probe");
    std::fs::write(&probe, "").unwrap();
    let is_one = directory.path().join("PROBE").exists();
    std::fs::remove_file(probe).unwrap();
    let address = serve(directory.path()).await;
    let keys = ["live/room/a.ts", "live/room/A.ts", "live/Room/a.ts"];
    for key in keys {
        put(address, &format!("/bucket/{key}"), key).await;
    }
    let expected = if is_one { [keys[2]; 3] } else { keys };
    for (key, expected) in keys.iter().zip(expected) {
        let found = get(address, &format!("/bucket/{key}")).await;
        assert_eq!(found, (StatusCode::OK, expected.into()), "{key}, where cases are one: {is_one}");
    }
    let list = call(address, "GET", "/bucket?list-type=2", &[], "").await;
    let listed = elements(&list, "Key").len();
    assert_eq!(listed, if is_one { 1 } else { 3 }, "where cases are one: {is_one}");
}

#[tokio::test]
async fn a_bucket_that_is_absent_stays_absent() {
    let directory = tempfile::tempdir().unwrap();
    let address = serve(directory.path()).await;
    for (method, target) in [
        ("PUT", "/absent/a"),
        ("GET", "/absent/a"),
        ("DELETE", "/absent/a"),
        ("POST", "/absent/a?uploads="),
        ("GET", "/absent?list-type=2"),
        ("GET", "/absent?uploads="),
        ("DELETE", "/absent"),
    ] {
        let answer = call(address, method, target, &[], "").await;
        assert_eq!(answer.status(), StatusCode::NOT_FOUND, "{method} {target}");
        assert_eq!(elements(&answer, "Code"), ["NoSuchBucket"], "{method} {target}");
    }
    let create_only = call(address, "PUT", "/absent/a", &[("if-none-match", "*")], "x").await;
    assert_eq!(elements(&create_only, "Code"), ["NoSuchBucket"]);
    assert!(!directory.path().join("absent").exists());
}

#[tokio::test]
async fn a_bucket_goes_only_when_it_is_empty() {
    let directory = tempfile::tempdir().unwrap();
    let address = serve(directory.path()).await;
    for key in ["a/b", "a//b"] {
        let path = format!("/bucket/{key}");
        put(address, &path, "x").await;
        let refused = call(address, "DELETE", "/bucket", &[], "").await;
        assert_eq!(elements(&refused, "Code"), ["BucketNotEmpty"]);
        assert_eq!(call(address, "DELETE", &path, &[], "").await.status(), StatusCode::NO_CONTENT);
    }
    assert_eq!(call(address, "DELETE", "/bucket", &[], "").await.status(), StatusCode::NO_CONTENT);
    assert_eq!(call(address, "HEAD", "/bucket", &[], "").await.status(), StatusCode::NOT_FOUND);
    assert_eq!(call(address, "PUT", "/bucket", &[], "").await.status(), StatusCode::OK);
    let again = call(address, "PUT", "/bucket", &[], "").await;
    assert_eq!(elements(&again, "Code"), ["BucketAlreadyOwnedByYou"]);
}

#[tokio::test]
async fn ranges_are_parts_of_the_object() {
    let directory = tempfile::tempdir().unwrap();
    let address = serve(directory.path()).await;
    let body = pattern(700_000);
    put(address, "/bucket/a", body.clone()).await;
    for (range, start, end) in [
        ("bytes=0-0", 0, 1),
        ("bytes=5-", 5, 700_000),
        ("bytes=300000-400000", 300_000, 400_001),
        ("bytes=-7", 699_993, 700_000),
        ("bytes=699999-900000", 699_999, 700_000),
    ] {
        let answer = call(address, "GET", "/bucket/a", &[("range", range)], "").await;
        assert_eq!(answer.status(), StatusCode::PARTIAL_CONTENT, "{range}");
        assert_eq!(answer.headers()["content-range"], format!("bytes {start}-{}/700000", end - 1), "{range}");
        assert_eq!(*answer.body(), body.slice(start..end), "{range}");
    }
    let beyond = call(address, "GET", "/bucket/a", &[("range", "bytes=700000-")], "").await;
    assert_eq!(beyond.status(), StatusCode::RANGE_NOT_SATISFIABLE);
}

#[tokio::test]
async fn what_is_said_of_an_object_is_answered_with_it() {
    let directory = tempfile::tempdir().unwrap();
    let address = serve(directory.path()).await;
    let long = "x".repeat(3500);
    let said = [
        ("content-type", "video/mp2t"),
        ("cache-control", "no-store"),
        ("x-amz-meta-recorder", "session/1"),
        // More than an extended attribute takes.
        ("x-amz-meta-long", long.as_str()),
    ];
    let answer = call(address, "PUT", "/bucket/a", &said, "hello").await;
    // Python: hashlib.md5(b"hello").hexdigest()
    assert_eq!(answer.headers()["etag"], "\"5d41402abc4b2a76b9719d911017c592\"");
    for method in ["HEAD", "GET"] {
        let answer = call(address, method, "/bucket/a", &[], "").await;
        for (name, value) in said {
            assert_eq!(answer.headers()[name], value, "{method} {name}");
        }
        assert_eq!(answer.headers()["content-length"], "5");
        assert_eq!(answer.headers()["etag"], "\"5d41402abc4b2a76b9719d911017c592\"");
    }
    put(address, "/bucket/a", "other").await;
    assert!(!call(address, "HEAD", "/bucket/a", &[], "").await.headers().contains_key("cache-control"));
}

#[tokio::test]
async fn conditions_hold_or_nothing_happens() {
    let directory = tempfile::tempdir().unwrap();
    let address = serve(directory.path()).await;
    let put_if = async |name, value: &str, body: &'static str| {
        call(address, "PUT", "/bucket/a", &[(name, value)], body).await.status()
    };
    assert_eq!(put_if("if-match", "*", "one").await, StatusCode::NOT_FOUND);
    assert_eq!(put_if("if-none-match", "*", "one").await, StatusCode::OK);
    assert_eq!(put_if("if-none-match", "*", "two").await, StatusCode::PRECONDITION_FAILED);
    assert_eq!(put_if("if-match", "\"other\"", "two").await, StatusCode::PRECONDITION_FAILED);
    let answer = call(address, "GET", "/bucket/a", &[], "").await;
    assert_eq!(*answer.body(), "one");
    let e_tag = answer.headers()["etag"].to_str().unwrap().to_owned();
    let fresh = call(address, "GET", "/bucket/a", &[("if-none-match", &e_tag)], "").await;
    assert_eq!(fresh.status(), StatusCode::NOT_MODIFIED);
    assert_eq!(put_if("if-match", &e_tag, "two").await, StatusCode::OK);
    assert_eq!(get(address, "/bucket/a").await.1, "two");
}

#[tokio::test]
async fn a_body_with_another_digest_is_no_object() {
    let directory = tempfile::tempdir().unwrap();
    let address = serve(directory.path()).await;
    // Python: base64 of zlib.crc32(b"hello"), of hashlib.md5(b"hello").
    for (name, right) in [("x-amz-checksum-crc32", "NhCmhg=="), ("content-md5", "XUFAKrxLKna5cZ2REBfFkg==")] {
        let wrong = call(address, "PUT", "/bucket/a", &[(name, right)], "Hello").await;
        assert_eq!(elements(&wrong, "Code"), ["BadDigest"], "{name}");
        assert_eq!(get(address, "/bucket/a").await.0, StatusCode::NOT_FOUND);
    }
    for (name, right) in [("x-amz-checksum-crc32", "NhCmhg=="), ("content-md5", "XUFAKrxLKna5cZ2REBfFkg==")] {
        assert_eq!(
            call(address, "PUT", "/bucket/a", &[(name, right)], "hello").await.status(),
            StatusCode::OK
        );
    }
}

#[tokio::test]
async fn a_copy_has_the_bytes_and_the_headers_of_its_source() {
    let directory = tempfile::tempdir().unwrap();
    let address = serve(directory.path()).await;
    let body = pattern(300_000);
    let said = [("x-amz-meta-recorder", "session/1"), ("content-type", "video/mp4")];
    call(address, "PUT", "/bucket/a%20+b", &said, body.clone()).await;
    for source in ["bucket/a%20%2Bb", "/bucket/a%20%2Bb"] {
        let copied = call(address, "PUT", "/bucket/copy", &[("x-amz-copy-source", source)], "").await;
        assert_eq!(copied.status(), StatusCode::OK, "{copied:?}");
        let answer = call(address, "GET", "/bucket/copy", &[], "").await;
        assert_eq!(*answer.body(), body);
        assert_eq!(answer.headers()["x-amz-meta-recorder"], "session/1");
    }
    let absent = call(address, "PUT", "/bucket/copy", &[("x-amz-copy-source", "bucket/absent")], "").await;
    assert_eq!(elements(&absent, "Code"), ["NoSuchKey"]);
}

#[tokio::test]
async fn a_folder_has_one_server() {
    let directory = tempfile::tempdir().unwrap();
    let address = serve(directory.path()).await;
    let request = signed("HEAD", address, "/bucket", SECRET, http_body_util::Empty::new());
    assert_eq!(crate::client::exchange(address, request).await.unwrap().0, StatusCode::OK);
    let second = bucket_server::BucketServer::open(&bucket_server::BucketConfig {
        directory: directory.path().into(),
        access_key_id: "an-id".into(),
        access_key_secret: "a-secret".into(),
        buckets: Vec::new(),
        public_read: false,
        keep_free: bucket_server::KeepFree::NOTHING,
    });
    assert!(second.err().unwrap().to_string().contains("another bucket server"));
}
