//! The protocol of S3 over the object stores of a simulated world: what the recorder asks, and no more.

use http::{Method, Request, Response, StatusCode, Uri};
use percent_encoding::percent_decode_str;
use shared::bucket::Error;
use shared::testing::{Object, Trouble, World};

use super::uploads;

/// The hosts of object stores.
const STORES: [&str; 2] = ["store", "work"];

/// The answer is lost, or the request was.
pub(super) struct Lost;

/// What a store answers.
pub(super) type Answer = Response<Vec<u8>>;

pub(super) fn is_store(uri: &Uri) -> bool {
    uri.host().is_some_and(|host| STORES.contains(&host))
}

/// What is asked: an object or a bucket, and how.
pub(super) struct Asked<'a> {
    request: &'a Request<Vec<u8>>,
    /// `http://host/bucket`.
    pub(super) bucket: String,
    /// `http://host/bucket/key`.
    pub(super) name: String,
    parameters: Vec<(String, String)>,
}

impl<'a> Asked<'a> {
    fn of(request: &'a Request<Vec<u8>>) -> Self {
        let decode = |text: &str| percent_decode_str(text).decode_utf8_lossy().into_owned();
        let path = decode(request.uri().path());
        let host = request.uri().host().unwrap_or_default();
        let bucket = path.trim_start_matches('/').split('/').next().unwrap_or_default();
        let pairs = request.uri().query().unwrap_or_default().split('&');
        let pair = |pair: &str| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            (decode(name), decode(value))
        };
        Self {
            request,
            bucket: format!("http://{host}/{bucket}"),
            name: format!("http://{host}{path}"),
            parameters: pairs.map(pair).collect(),
        }
    }

    pub(super) fn body(&self) -> &[u8] {
        self.request.body()
    }

    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.request.headers().get(name)?.to_str().ok()
    }

    pub(super) fn parameter(&self, name: &str) -> Option<&str> {
        let found = self.parameters.iter().find(|(found, _)| found == name);
        found.map(|(_, value)| value.as_str())
    }

    /// The first byte and the one behind the last, as a header says.
    pub(super) fn range(&self, header: &str) -> Option<(usize, usize)> {
        let (first, last) = self.header(header)?.strip_prefix("bytes=")?.split_once('-')?;
        Some((first.parse().ok()?, last.parse::<usize>().ok()? + 1))
    }

    /// What an object is created with, but for its bytes.
    pub(super) fn object(&self, bytes: Vec<u8>) -> Object {
        let header = |name| self.header(name).unwrap_or_default().to_owned();
        Object { tag: header(s3::TAG_HEADER), content_type: header("content-type"), bytes }
    }
}

/// Answers a request as the world has it end.
pub(super) async fn answer(world: &World, request: &Request<Vec<u8>>) -> Result<Answer, Lost> {
    let asked = Asked::of(request);
    let prefix = asked.parameter("prefix").filter(|_| asked.name == asked.bucket);
    let name = prefix.map_or(asked.name.clone(), |prefix| format!("{}/{prefix}", asked.bucket));
    match world.buckets.trouble(&name) {
        Some(Trouble::Refuses(Error::NoSuchBucket(_))) => return Ok(problem(404, "NoSuchBucket")),
        Some(Trouble::Refuses(_)) => return Ok(problem(403, "AccessDenied")),
        Some(Trouble::Hangs) | None => {}
    }
    let writes = ![Method::GET, Method::HEAD].contains(request.method());
    world.buckets.call(&name, writes, || Ok(effect(world, &asked)), Lost).await
}

fn effect(world: &World, asked: &Asked<'_>) -> Answer {
    let has = |name| asked.parameter(name).is_some();
    match *asked.request.method() {
        Method::HEAD => look(world, asked),
        Method::GET if has("list-type") => list(world, asked),
        Method::GET if has("uploads") => uploads::list(world, asked),
        Method::GET if has("uploadId") => uploads::parts(world, asked),
        Method::GET => get(world, asked),
        Method::PUT if has("uploadId") => uploads::part(world, asked),
        Method::PUT => put(world, asked),
        Method::POST if has("uploads") => uploads::begin(world, asked),
        Method::POST => uploads::complete(world, asked),
        Method::DELETE if has("uploadId") => uploads::abort(world, asked),
        Method::DELETE => {
            world.buckets.objects.borrow_mut().remove(&asked.name);
            status(204)
        }
        _ => problem(405, "MethodNotAllowed"),
    }
}

fn look(world: &World, asked: &Asked<'_>) -> Answer {
    if asked.name == asked.bucket {
        return status(200);
    }
    match world.buckets.objects.borrow().get(&asked.name) {
        Some(object) => {
            let headers =
                [(s3::TAG_HEADER, &*object.tag), ("content-length", &object.bytes.len().to_string())];
            with(status(200), &headers)
        }
        None => status(404),
    }
}

fn get(world: &World, asked: &Asked<'_>) -> Answer {
    let objects = world.buckets.objects.borrow();
    let Some(object) = objects.get(&asked.name) else { return problem(404, "NoSuchKey") };
    let Some((first, end)) = asked.range("range") else {
        return Response::new(object.bytes.clone());
    };
    match object.bytes.get(first..end.min(object.bytes.len())).filter(|bytes| !bytes.is_empty()) {
        Some(bytes) => {
            let range = format!("bytes {first}-{}/{}", first + bytes.len() - 1, object.bytes.len());
            let part = with(status(206), &[("content-range", &range)]);
            part.map(|_| bytes.to_vec())
        }
        None => problem(416, "InvalidRange"),
    }
}

fn put(world: &World, asked: &Asked<'_>) -> Answer {
    if !create(world, asked, asked.object(asked.body().to_vec())) {
        return problem(412, "PreconditionFailed");
    }
    if let Some(note) = asked.header(s3::NOTE_HEADER) {
        world.buckets.notes.borrow_mut().insert(asked.name.clone(), note.into());
    }
    with(status(200), &[("etag", "\"1\"")])
}

/// Creates an object where there is none. What is tried again is the same, or the first try would have left something else.
pub(super) fn create(world: &World, asked: &Asked<'_>, object: Object) -> bool {
    assert_eq!(asked.header("if-none-match"), Some("*"), "{} may replace one", asked.name);
    let mut objects = world.buckets.objects.borrow_mut();
    if let Some(there) = objects.get(&asked.name) {
        let is_same = there.tag != object.tag || object.tag.is_empty() || *there == object;
        assert!(is_same, "{} is put again, and is another object", asked.name);
        return false;
    }
    objects.insert(asked.name.clone(), object);
    true
}

fn list(world: &World, asked: &Asked<'_>) -> Answer {
    let bucket = format!("{}/", asked.bucket);
    let (prefix, after) = (asked.parameter("prefix"), asked.parameter("start-after"));
    let most = asked.parameter("max-keys").and_then(|most| most.parse().ok()).unwrap_or(1_000);
    let objects = world.buckets.objects.borrow();
    let keys = objects.keys().filter_map(|name| name.strip_prefix(&bucket));
    let keys =
        keys.filter(|key| key.starts_with(prefix.unwrap_or_default()) && *key > after.unwrap_or_default());
    let listed = keys.take(most).map(|key| format!("<Contents><Key>{}</Key></Contents>", escape(key)));
    xml("ListBucketResult", &listed.collect::<String>())
}

pub(super) fn status(status: u16) -> Answer {
    let mut answer = Response::new(Vec::new());
    *answer.status_mut() = StatusCode::from_u16(status).unwrap();
    answer
}

pub(super) fn with(mut answer: Answer, headers: &[(&'static str, &str)]) -> Answer {
    for (name, value) in headers {
        answer.headers_mut().insert(*name, value.parse().unwrap());
    }
    answer
}

pub(super) fn problem(code: u16, word: &str) -> Answer {
    status(code).map(|_| format!("<Error><Code>{word}</Code></Error>").into())
}

pub(super) fn xml(element: &str, content: &str) -> Answer {
    Response::new(format!("<{element}>{content}</{element}>").into())
}

pub(super) fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
