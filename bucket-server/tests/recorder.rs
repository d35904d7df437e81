//! The recorder's own client, over real HTTP.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use http_body_util::Full;
use s3::{
    Bucket, Checksum, Client, Conditions, Created, Credentials, Error, Options, Part, Regions, Request,
    Response, Source, Transport, Upload, Uploads, WorkClient,
};

use crate::client::{ID, SECRET, answer, pattern, serve};

/// Sends what the client has signed, by one connection each.
struct Http {
    at: SocketAddr,
    regions: Regions,
    conditions: Conditions,
    /// Whether a bit of each body changes on the way.
    damages: AtomicBool,
}

impl Transport for Http {
    type Body = Vec<u8>;

    fn body(&self, bytes: Vec<u8>) -> Vec<u8> {
        bytes
    }

    async fn read(&self, body: Vec<u8>, max_bytes: u64) -> Vec<u8> {
        body.into_iter().take(max_bytes as usize).collect()
    }

    async fn send(
        &self,
        bucket: &Bucket,
        request: Request,
        body: Option<Vec<u8>>,
        max_bytes: u32,
    ) -> Result<Response, Error> {
        let mut builder = http::Request::builder().method(request.method).uri(request.target());
        for header in &request.headers {
            builder = builder.header(header.name, &header.value);
        }
        let builder = builder.header("host", bucket.authority());
        let mut body = body.unwrap_or_default();
        if let Some(byte) = body.first_mut().filter(|_| self.damages.load(Ordering::Relaxed)) {
            *byte ^= 1;
        }
        let request = builder.body(Full::new(Bytes::from(body))).unwrap();
        let answer = answer(self.at, request).await.map_err(|error| unavailable(&error.to_string()))?;
        let headers =
            answer.headers().iter().map(|(name, value)| (name.to_string(), value.as_bytes().to_vec()));
        let body = answer.body().iter().take(max_bytes as usize).copied().collect();
        Ok(Response { status: answer.status().as_u16(), headers: headers.collect(), body })
    }
}

fn unavailable(reason: &str) -> Error {
    Error::Unavailable { reason: reason.into() }
}

impl Http {
    async fn serve(directory: &tempfile::TempDir) -> Self {
        let at = serve(directory.path()).await;
        Self { at, regions: Regions::new(), conditions: Conditions::new(), damages: AtomicBool::new(false) }
    }

    fn client(&self) -> Client<'_, Self> {
        self.at("bucket", SECRET)
    }

    fn at(&self, bucket: &str, secret: &str) -> Client<'_, Self> {
        Client {
            transport: self,
            bucket: Bucket::new(&self.at.to_string(), bucket).unwrap(),
            credentials: Credentials { id: ID.into(), secret: secret.into(), token: None },
            options: Options::default(),
            regions: &self.regions,
            conditions: &self.conditions,
            now_s: SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs(),
        }
    }
}

#[tokio::test]
async fn what_the_work_bucket_holds_is_created_once_read_and_deleted() {
    let folder = tempfile::tempdir().unwrap();
    let http = Http::serve(&folder).await;
    let work = WorkClient::new(http.client());
    let key = "log/直 播/2026-01-02/1";
    let create = |tag, body: &[u8]| work.create(key, "application/octet-stream", tag, body.to_vec());
    assert_eq!(create("one", b"first").await, Ok(Created::Now));
    assert_eq!(create("one", b"first").await, Ok(Created::Before));
    assert_eq!(create("two", b"second").await, Err(Error::Taken { key: key.into() }));
    assert_eq!(work.get_small(key, 9).await, Ok(b"first".to_vec()));
    for _ in 0..2 {
        assert_eq!(work.delete(key).await, Ok(()));
        assert_eq!(work.get_small(key, 9).await, Err(Error::NoSuchObject { key: key.into() }));
    }
    assert_eq!(create("two", b"second").await, Ok(Created::Now));

    let nowhere = WorkClient::new(http.at("absent", SECRET));
    assert!(matches!(nowhere.delete(key).await, Err(Error::NoSuchBucket { .. })));
    let unknown = WorkClient::new(http.at("bucket", "another"));
    assert!(matches!(unknown.delete(key).await, Err(Error::Refused { .. })));
    assert_eq!(work.get_small(key, 9).await, Ok(b"second".to_vec()));
}

#[tokio::test]
async fn ranges_are_read_up_to_an_objects_end() {
    let folder = tempfile::tempdir().unwrap();
    let http = Http::serve(&folder).await;
    let client = http.client();
    client.put_new("a+b/直.ts", "video/mp2t", "t", 10, b"0123456789".to_vec()).await.unwrap();
    for (first, length, expected) in
        [(0, 10, "0123456789"), (0, 3, "012"), (4, 3, "456"), (8, 9, "89"), (10, 1, ""), (99, 9, "")]
    {
        let got = client.get_range("a+b/直.ts", first, length).await;
        assert_eq!(got, Ok(expected.into()), "{first} {length}");
    }
    let absent = client.get_range("absent", 0, 1).await;
    assert_eq!(absent, Err(Error::NoSuchObject { key: "absent".into() }));
}

#[tokio::test]
async fn a_presigned_url_is_good_for_its_object_alone() {
    let folder = tempfile::tempdir().unwrap();
    let http = Http::serve(&folder).await;
    let client = http.client();
    for key in ["a+b/直 ?.ts", "other"] {
        client.put_new(key, "video/mp2t", "t", 3, b"abc".to_vec()).await.unwrap();
    }
    let get = async |url: &str| {
        let (_, target) = url.split_once("://").unwrap().1.split_once('/').unwrap();
        let request = http::Request::get(format!("/{target}")).header("host", http.at.to_string());
        answer(http.at, request.body(Full::new(Bytes::new())).unwrap()).await.unwrap()
    };
    let url = client.presigned_get("a+b/直 ?.ts", 60).unwrap();
    let got = get(&url).await;
    assert_eq!((got.status().as_u16(), &got.body()[..]), (200, &b"abc"[..]));
    let (_, query) = url.split_once('?').unwrap();
    assert_eq!(get(&format!("http://{}/bucket/other?{query}", http.at)).await.status(), 403);
}

const MIB: usize = 1 << 20;

#[tokio::test]
async fn an_object_is_made_of_parts_that_are_sent_and_copied() {
    let folder = tempfile::tempdir().unwrap();
    let http = Http::serve(&folder).await;
    let client = http.client();
    let (source_key, key) = ("work/a+b %?/直", "out/a+b &/直.mp4");
    let media = pattern(13 * MIB);
    client.put_new(source_key, "video/mp4", "s", media.len() as u64, media.to_vec()).await.unwrap();

    let upload = client.create_upload(key, "video/mp4", "file").await.unwrap();
    let at = (key, upload.as_str());
    let head = pattern(5 * MIB);
    let first = client.upload_part(at, 1, head.len() as u64, head.to_vec()).await.unwrap();
    let copied = async |number, first: usize, size: usize| {
        let source =
            Source { bucket: &client.bucket, key: source_key, first: first as u64, size: size as u64 };
        client.copy_part(at, number, source).await.unwrap()
    };
    let parts = vec![first, copied(2, 3, 5 * MIB).await, copied(3, 3 + 5 * MIB, MIB).await];
    assert_eq!(client.list_parts(at).await.as_ref(), Ok(&parts));
    let under_way = Uploads { uploads: vec![Upload { key: key.into(), id: upload.clone() }], next: None };
    assert_eq!(client.list_uploads("out/", None).await, Ok(under_way));
    assert_eq!(client.list_uploads("other/", None).await, Ok(Uploads::default()));

    assert_eq!(client.complete_upload(at, "file", &parts).await, Ok(Created::Now));
    assert_eq!(client.complete_upload(at, "file", &parts).await, Ok(Created::Before));
    let whole = client.get_small(key, 64 << 20).await.unwrap();
    let expected = [&head[..], &media[3..3 + 6 * MIB]].concat();
    assert!(whole == expected, "{} of {} bytes", whole.len(), expected.len());
    assert_eq!(client.list_uploads("", None).await, Ok(Uploads::default()));
}

#[tokio::test]
async fn an_upload_never_replaces_an_object_and_leaves_nothing_when_aborted() {
    let folder = tempfile::tempdir().unwrap();
    let http = Http::serve(&folder).await;
    let client = http.client();
    client.put_new("a.mp4", "video/mp4", "other", 3, b"abc".to_vec()).await.unwrap();
    let upload = client.create_upload("a.mp4", "video/mp4", "file").await.unwrap();
    let at = ("a.mp4", upload.as_str());
    let part = client.upload_part(at, 1, 2, b"xy".to_vec()).await.unwrap();
    let parts: [Part; 1] = [part];
    let taken = Err(Error::Taken { key: "a.mp4".into() });
    assert_eq!(client.complete_upload(at, "file", &parts).await, taken);
    for _ in 0..2 {
        assert_eq!(client.abort_upload(at).await, Ok(()));
    }
    assert_eq!(client.complete_upload(at, "file", &parts).await, taken);
    assert_eq!(client.get_small("a.mp4", 9).await, Ok(b"abc".to_vec()));
    let gone = Error::NoSuchUpload { key: "a.mp4".into(), upload: upload.clone() };
    assert_eq!(client.list_parts(at).await, Err(gone.clone()));
    assert_eq!(client.upload_part(at, 1, 2, b"xy".to_vec()).await, Err(gone));
    let absent = http.at("absent", SECRET).create_upload("a", "video/mp4", "file").await;
    assert!(matches!(absent, Err(Error::NoSuchBucket { .. })));
}

#[tokio::test]
async fn what_comes_damaged_is_not_stored_where_it_has_a_checksum() {
    let folder = tempfile::tempdir().unwrap();
    let http = Http::serve(&folder).await;
    let body = || pattern(MIB).to_vec();
    let put = async |client: &Client<'_, Http>, key: &str| {
        client.put_new(key, "video/mp2t", key, MIB as u64, body()).await
    };
    for checksum in [Checksum::Crc32c, Checksum::Md5, Checksum::Sha256] {
        let mut client = http.client();
        client.options.checksum = Some(checksum);
        let key = format!("{checksum:?}.ts");
        http.damages.store(true, Ordering::Relaxed);
        let damaged = put(&client, &key).await;
        assert!(
            matches!(&damaged, Err(Error::Unavailable { reason }) if reason.contains("BadDigest")),
            "{damaged:?}"
        );
        let upload = client.create_upload("parts", "video/mp4", "t").await.unwrap();
        let part = client.upload_part(("parts", &upload), 1, MIB as u64, body()).await;
        assert!(
            matches!(&part, Err(Error::Unavailable { reason }) if reason.contains("BadDigest")),
            "{part:?}"
        );

        http.damages.store(false, Ordering::Relaxed);
        assert_eq!(put(&client, &key).await, Ok(Created::Now));
        assert_eq!(client.get_small(&key, MIB as u32).await, Ok(body()));
        assert!(client.upload_part(("parts", &upload), 1, MIB as u64, body()).await.is_ok());
        client.abort_upload(("parts", &upload)).await.unwrap();
    }
    // Without one, nobody sees it.
    http.damages.store(true, Ordering::Relaxed);
    assert_eq!(put(&http.client(), "unseen.ts").await, Ok(Created::Now));
    assert_ne!(http.client().get_small("unseen.ts", MIB as u32).await, Ok(body()));
}
