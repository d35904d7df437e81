//! A transport that answers by script.

use std::cell::RefCell;

use crate::request::Header;
use crate::{Bucket, Client, Conditions, Credentials, Error, Options, Regions, Request, Response, Transport};

/// Answers one response after the other, and keeps what was asked.
#[derive(Default)]
pub(crate) struct Script {
    pub(crate) responses: RefCell<Vec<Result<Response, Error>>>,
    /// Method, path, and the most bytes of the body that are wanted.
    pub(crate) asked: RefCell<Vec<(&'static str, String, u32)>>,
    /// The bodies that came with requests that have one.
    pub(crate) sent: RefCell<Vec<Vec<u8>>>,
    /// The headers of each request.
    pub(crate) headers: RefCell<Vec<Vec<Header>>>,
    /// The regions that requests were signed for.
    pub(crate) regions: RefCell<Vec<String>>,
    pub(crate) learned: Regions,
    pub(crate) conditions: Conditions,
}

impl Transport for Script {
    type Body = Vec<u8>;

    fn body(&self, bytes: Vec<u8>) -> Vec<u8> {
        bytes
    }

    async fn read(&self, body: Vec<u8>, max_bytes: u64) -> Vec<u8> {
        body.into_iter().take(max_bytes as usize).collect()
    }

    async fn send(
        &self,
        _: &Bucket,
        request: Request,
        body: Option<Vec<u8>>,
        max_bytes: u32,
    ) -> Result<Response, Error> {
        let value = |name| {
            let found = request.headers.iter().find(|header| header.name == name);
            found.map(|header| header.value.as_str())
        };
        let scope = value("authorization").unwrap().split('/').nth(2).unwrap();
        self.regions.borrow_mut().push(scope.into());
        let length = value("content-length").map(|length| length.parse::<usize>().unwrap());
        let is_none = body.is_none() && length == Some(0);
        assert!(is_none || body.as_ref().map(Vec::len) == length, "a body is as long as its header says");
        self.sent.borrow_mut().extend(body);
        self.asked.borrow_mut().push((request.method, request.target(), max_bytes));
        self.headers.borrow_mut().push(request.headers);
        let mut response = self.responses.borrow_mut().remove(0)?;
        response.body.truncate(max_bytes as usize);
        Ok(response)
    }
}

impl Script {
    /// The method and the target of each request.
    pub(crate) fn requests(&self) -> Vec<String> {
        let asked = self.asked.borrow();
        asked.iter().map(|(method, target, _)| format!("{method} {target}")).collect()
    }
}

pub(crate) fn script(responses: impl IntoIterator<Item = Response>) -> Script {
    Script { responses: RefCell::new(responses.into_iter().map(Ok).collect()), ..Script::default() }
}

pub(crate) fn status(status: u16) -> Response {
    Response { status, ..Response::default() }
}

pub(crate) fn answer(status: u16, body: &str) -> Response {
    Response { body: body.into(), ..self::status(status) }
}

pub(crate) fn problem(status: u16, code: &str) -> Response {
    answer(status, &format!("<Error><Code>{code}</Code></Error>"))
}

pub(crate) fn tagged(tag: &str) -> Response {
    Response { headers: vec![("X-Amz-Meta-Recorder".into(), tag.into())], ..status(200) }
}

pub(crate) fn client(transport: &Script) -> Client<'_, Script> {
    Client {
        transport,
        bucket: Bucket::new("127.0.0.1:9000", "bkt").unwrap(),
        credentials: Credentials { id: "id".into(), secret: "secret".into(), token: None },
        options: Options::default(),
        regions: &transport.learned,
        conditions: &transport.conditions,
        now_s: 1_700_000_000,
    }
}

pub(crate) fn unavailable(reason: &str) -> Error {
    Error::Unavailable { reason: reason.into() }
}

pub(crate) fn no_such_bucket(reason: &str) -> Error {
    Error::NoSuchBucket { reason: reason.into() }
}
