use super::*;

fn check(endpoint: &str, url: &str, region: &str) {
    let bucket = Bucket::new(endpoint, "bkt").unwrap();
    assert_eq!((bucket.object_url("a/b.ts").unwrap().as_str(), bucket.region()), (url, region));
}

#[test]
fn endpoints_are_addressed_as_their_store_expects() {
    check("oss-cn-shanghai.aliyuncs.com", "http://bkt.oss-cn-shanghai.aliyuncs.com/a/b.ts", "cn-shanghai");
    check(
        "oss-cn-beijing-internal.aliyuncs.com",
        "http://bkt.oss-cn-beijing-internal.aliyuncs.com/a/b.ts",
        "cn-beijing",
    );
    check("https://s3.us-west-2.amazonaws.com", "https://bkt.s3.us-west-2.amazonaws.com/a/b.ts", "us-west-2");
    check("s3.amazonaws.com", "http://bkt.s3.amazonaws.com/a/b.ts", "us-east-1");
    check("http://127.0.0.1:9000", "http://127.0.0.1:9000/bkt/a/b.ts", "us-east-1");
    check("127.0.0.1:9000/", "http://127.0.0.1:9000/bkt/a/b.ts", "us-east-1");
    check("localhost", "http://localhost/bkt/a/b.ts", "us-east-1");
    check("http://[::1]:9000", "http://[::1]:9000/bkt/a/b.ts", "us-east-1");
    check("minio.example.com", "http://minio.example.com/bkt/a/b.ts", "us-east-1");
    check("https://minio.example.com:9000", "https://minio.example.com:9000/bkt/a/b.ts", "us-east-1");
}

#[test]
fn without_a_scheme_what_is_no_name_on_the_internet_is_spoken_to_by_http() {
    for (endpoint, https) in [
        ("[::1]", false),
        ("[::1]:9000", false),
        ("127.0.0.1", false),
        ("localhost", false),
        ("s3.example.com:9000", false),
        ("s3.example.com", true),
        ("https://127.0.0.1", true),
        ("http://s3.example.com", false),
    ] {
        let bucket = Bucket::new(endpoint, "bkt").unwrap();
        assert_eq!(bucket.https(), https, "{endpoint}");
        let host = endpoint.rsplit('/').next().unwrap();
        assert_eq!((bucket.authority(), bucket.display()), (host, format!("{host}/bkt")));
    }
    let named = Bucket::new("https://s3.us-west-2.amazonaws.com/", "bkt").unwrap();
    assert_eq!(named.display(), "s3.us-west-2.amazonaws.com/bkt");
}

#[test]
fn settings_come_before_what_is_known() {
    let settings = Endpoints::parse("*.example.com=garage/virtual-hosted,127.0.0.1:9000=eu").unwrap();
    let at = |endpoint, name| Bucket::with(endpoint, name, &settings).unwrap();
    let garage = at("s3.example.com", "bkt");
    assert_eq!((garage.authority(), garage.path(), garage.region()), ("bkt.s3.example.com", "/", "garage"));
    let local = at("http://127.0.0.1:9000", "bkt");
    assert_eq!((local.authority(), local.path(), local.region()), ("127.0.0.1:9000", "/bkt", "eu"));
    let dotted = at("s3.amazonaws.com", "a.b");
    assert_eq!((dotted.authority(), dotted.path()), ("s3.amazonaws.com", "/a.b"));
}

#[test]
fn a_bucket_is_the_same_however_its_endpoint_is_written() {
    let at = |endpoint, name| Bucket::new(endpoint, name).unwrap();
    let bucket = at("s3.example.com", "bkt");
    for endpoint in ["https://S3.example.com/", "http://s3.example.com"] {
        assert!(bucket.is_same(&at(endpoint, "bkt")), "{endpoint}");
    }
    let work = at("oss-cn-beijing.aliyuncs.com", "work");
    assert!(work.is_same(&at("oss-cn-beijing-internal.aliyuncs.com", "work")));
    assert!(!work.is_same(&at("s3.amazonaws.com", "work")));
    for (endpoint, name) in
        [("s3.example.com", "other"), ("s3.example.com:9000", "bkt"), ("a.example.com", "bkt")]
    {
        assert!(!bucket.is_same(&at(endpoint, name)), "{endpoint} {name}");
    }
}

#[test]
fn malformed_endpoints_and_names_are_refused() {
    for endpoint in [
        "",
        "ftp://x",
        "http://",
        "a b",
        "x:port",
        "x:0",
        "x:65536",
        "x:+80",
        "http://user@host",
        "host/path",
        "..",
        "[::1",
    ] {
        assert_eq!(Bucket::new(endpoint, "bkt"), Err(Error::Endpoint(endpoint.into())), "{endpoint}");
    }
    for name in ["", "ab", "Upper", "-ab", "ab-", "a..b", "a_b", "../x", &"x".repeat(64)] {
        assert_eq!(Bucket::new("localhost", name), Err(Error::BucketName(name.into())), "{name}");
    }
}

#[test]
fn keys_never_leave_their_folder_and_are_encoded() {
    let bucket = Bucket::new("localhost", "bkt").unwrap();
    for key in ["", "/a", "a/", "a//b", "../b", "a/../b", "a/.", "a\nb", "a\\b", &"x".repeat(1024)] {
        assert!(bucket.object_path(key).is_err(), "{key:?}");
    }
    assert_eq!(
        bucket.object_path("直 播/a:b+c%?#.ts").unwrap(),
        "/bkt/%E7%9B%B4%20%E6%92%AD/a%3Ab%2Bc%25%3F%23.ts"
    );
}
