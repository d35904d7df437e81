//! A store in memory that misbehaves as stores have been reported to, each way by a switch.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;

use s3::{Bucket, Client, Conditions, Credentials, Error, Options, Regions, Request, Response, Transport};

/// What a store does about a create of an object that is there.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum OnConflict {
    /// It replaces the object.
    Replaces,
    /// It answers so, with this code.
    Answers(u16, &'static str),
}

/// What becomes of a body that is sent; it is answered as if it were stored.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum OnStore {
    Stores,
    /// Its last byte is lost.
    CutsOff,
    /// There is no object.
    Drops,
}

/// How the completion of an upload is answered.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum OnComplete {
    Whole,
    /// 200 and this body, and there is no object.
    Fails(&'static str),
    /// 200 and this body, and there is an object all the same.
    Garbles(&'static str),
}

/// How a copy of a part is answered.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum OnCopy {
    Copies,
    /// The request is taken for an upload of no bytes.
    StoresNothing,
    /// The same, and the answer is that of a copy.
    StoresNothingAndSaysSo(&'static str),
    Answers(u16, &'static str),
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Object {
    pub(crate) tag: String,
    pub(crate) body: Vec<u8>,
}

#[derive(Debug)]
struct Upload {
    place: String,
    tag: String,
    parts: BTreeMap<u16, Vec<u8>>,
}

pub(crate) struct Fake {
    /// By `bucket/key`.
    pub(crate) objects: RefCell<BTreeMap<String, Object>>,
    uploads: RefCell<BTreeMap<String, Upload>>,
    pub(crate) on_conflict: Cell<OnConflict>,
    /// It asks for no condition where an object is made of parts.
    pub(crate) parts_replace: Cell<bool>,
    pub(crate) on_store: Cell<OnStore>,
    /// What an upload was begun with is lost when it is completed.
    pub(crate) drops_tags_of_parts: Cell<bool>,
    pub(crate) on_complete: Cell<OnComplete>,
    pub(crate) on_copy: Cell<OnCopy>,
    /// Every part but the last has to have the size of the first.
    pub(crate) equal_parts: Cell<bool>,
    /// Whether the key may write, read, and list.
    pub(crate) rights: Cell<(bool, bool, bool)>,
    /// After so many calls from now one has its effect, and its answer is lost.
    pub(crate) lose_after: Cell<Option<u32>>,
    /// The methods of what was asked.
    pub(crate) asked: RefCell<Vec<&'static str>>,
    /// Buckets for which nobody answers.
    pub(crate) down: RefCell<Vec<String>>,
    regions: Regions,
    conditions: Conditions,
}

impl Default for Fake {
    fn default() -> Self {
        Self {
            objects: RefCell::default(),
            uploads: RefCell::default(),
            on_conflict: Cell::new(OnConflict::Answers(412, "PreconditionFailed")),
            parts_replace: Cell::new(false),
            on_store: Cell::new(OnStore::Stores),
            drops_tags_of_parts: Cell::new(false),
            on_complete: Cell::new(OnComplete::Whole),
            on_copy: Cell::new(OnCopy::Copies),
            equal_parts: Cell::new(false),
            rights: Cell::new((true, true, true)),
            lose_after: Cell::new(None),
            asked: RefCell::default(),
            down: RefCell::default(),
            regions: Regions::new(),
            conditions: Conditions::new(),
        }
    }
}

impl Fake {
    pub(crate) fn client(&self, bucket: &str, options: Options) -> Client<'_, Self> {
        Client {
            transport: self,
            bucket: Bucket::new("http://127.0.0.1:9000", bucket).unwrap(),
            credentials: Credentials { id: "id".into(), secret: "secret".into(), token: None },
            options,
            regions: &self.regions,
            conditions: &self.conditions,
            now_s: 1_767_323_045,
        }
    }

    pub(crate) fn put_of_another(&self, place: &str) {
        let other = Object { tag: "another".into(), body: b"another's".to_vec() };
        self.objects.borrow_mut().insert(place.into(), other);
    }

    pub(crate) fn object(&self, place: &str) -> Option<Object> {
        self.objects.borrow().get(place).cloned()
    }

    /// Somebody gives up all uploads.
    pub(crate) fn abort_all(&self) {
        self.uploads.borrow_mut().clear();
    }

    fn answer(&self, request: &Request, body: Option<Vec<u8>>) -> Response {
        let target = request.target();
        let (path, query) = target.split_once('?').unwrap_or((&target, ""));
        let place = path.trim_start_matches('/').to_owned();
        let parameter = |name: &str| {
            query.split('&').filter_map(|pair| pair.split_once('=')).find(|(found, _)| *found == name)
        };
        let upload = parameter("uploadId").map(|(_, id)| id.to_owned());
        let (write, read, list) = self.rights.get();
        let is_allowed = match (request.method, &upload) {
            ("PUT" | "POST" | "DELETE", _) => write,
            ("GET", None) if !place.contains('/') => list,
            ("HEAD", _) if !place.contains('/') => read || list,
            _ => read,
        };
        if !is_allowed {
            return problem(403, "AccessDenied");
        }
        match (request.method, upload) {
            ("GET", None) if query.contains("uploads=") => self.list_uploads(&place),
            ("HEAD" | "GET", None) => self.look(request.method, &place),
            ("PUT", None) => self.put(request, &place, body.unwrap_or_default()),
            ("POST", None) => self.begin(request, &place),
            ("PUT", Some(id)) => {
                let number = parameter("partNumber").unwrap().1.parse().unwrap();
                self.part(request, &id, number, body.unwrap_or_default())
            }
            ("POST", Some(id)) => self.complete(&id),
            ("GET", Some(id)) => self.list_parts(&id),
            ("DELETE", Some(id)) => match self.uploads.borrow_mut().remove(&id) {
                Some(_) => Response { status: 204, ..Response::default() },
                None => problem(404, "NoSuchUpload"),
            },
            (method, _) => panic!("{method} {target} is not known here"),
        }
    }

    fn look(&self, method: &str, place: &str) -> Response {
        if !place.contains('/') {
            return Response { status: 200, ..Response::default() };
        }
        let Some(object) = self.object(place) else { return problem(404, "NoSuchKey") };
        let mut headers = vec![("content-length".to_owned(), object.body.len().to_string().into_bytes())];
        if !object.tag.is_empty() {
            headers.push(("x-amz-meta-recorder".to_owned(), object.tag.into_bytes()));
        }
        let body = if method == "GET" { object.body } else { Vec::new() };
        Response { status: 200, headers, body }
    }

    /// What a store answers to a create under a name that is in use; `None` where it goes on.
    fn conflict(&self, request: Option<&Request>, place: &str) -> Option<Response> {
        let is_conditional = request.is_none_or(|request| header(request, "if-none-match").is_some());
        match self.on_conflict.get() {
            // Whether there is one or not.
            OnConflict::Answers(501, code) if is_conditional => Some(problem(501, code)),
            OnConflict::Answers(status, code) if is_conditional && self.object(place).is_some() => {
                Some(problem(status, code))
            }
            _ => None,
        }
    }

    fn put(&self, request: &Request, place: &str, body: Vec<u8>) -> Response {
        if let Some(conflict) = self.conflict(Some(request), place) {
            return conflict;
        }
        let body = self.stored(body);
        let object = Object { tag: header(request, "x-amz-meta-recorder").unwrap().into(), body };
        if self.on_store.get() != OnStore::Drops {
            self.objects.borrow_mut().insert(place.into(), object);
        }
        Response { status: 200, ..Response::default() }
    }

    fn stored(&self, mut body: Vec<u8>) -> Vec<u8> {
        if self.on_store.get() == OnStore::CutsOff {
            body.pop();
        }
        body
    }

    fn begin(&self, request: &Request, place: &str) -> Response {
        let mut uploads = self.uploads.borrow_mut();
        let id = (0..).map(|number| format!("up{number}")).find(|id| !uploads.contains_key(id)).unwrap();
        let tag = header(request, "x-amz-meta-recorder").unwrap().into();
        uploads.insert(id.clone(), Upload { place: place.into(), tag, parts: BTreeMap::new() });
        let result = format!(
            "<InitiateMultipartUploadResult><UploadId>{id}</UploadId></InitiateMultipartUploadResult>"
        );
        Response { status: 200, body: result.into(), ..Response::default() }
    }

    fn part(&self, request: &Request, id: &str, number: u16, body: Vec<u8>) -> Response {
        let mut uploads = self.uploads.borrow_mut();
        let Some(upload) = uploads.get_mut(id) else { return problem(404, "NoSuchUpload") };
        let etag = ("etag".to_owned(), format!("\"e{number}\"").into_bytes());
        let stored = Response { status: 200, headers: vec![etag], ..Response::default() };
        let Some(source) = header(request, "x-amz-copy-source") else {
            upload.parts.insert(number, self.stored(body));
            return stored;
        };
        match self.on_copy.get() {
            OnCopy::Answers(status, code) => problem(status, code),
            OnCopy::StoresNothing => {
                upload.parts.insert(number, Vec::new());
                stored
            }
            OnCopy::StoresNothingAndSaysSo(etag) => {
                upload.parts.insert(number, Vec::new());
                let result = format!("<CopyPartResult><ETag>&quot;{etag}&quot;</ETag></CopyPartResult>");
                Response { body: result.into(), ..stored }
            }
            OnCopy::Copies => {
                let range =
                    header(request, "x-amz-copy-source-range").unwrap().strip_prefix("bytes=").unwrap();
                let (first, last) = range.split_once('-').unwrap();
                let source = self.object(source.trim_start_matches('/')).unwrap().body;
                let copied = &source[first.parse().unwrap()..=last.parse().unwrap()];
                upload.parts.insert(number, copied.to_vec());
                let result = format!("<CopyPartResult><ETag>&quot;e{number}&quot;</ETag></CopyPartResult>");
                Response { body: result.into(), ..stored }
            }
        }
    }

    /// Whatever the prefix.
    fn list_uploads(&self, bucket: &str) -> Response {
        let uploads = self.uploads.borrow();
        let upload = |(id, upload): (&String, &Upload)| {
            let key = upload.place.strip_prefix(bucket)?.trim_start_matches('/');
            Some(format!("<Upload><Key>{key}</Key><UploadId>{id}</UploadId></Upload>"))
        };
        let uploads: String = uploads.iter().filter_map(upload).collect();
        let result = format!("<ListMultipartUploadsResult>{uploads}</ListMultipartUploadsResult>");
        Response { status: 200, body: result.into(), ..Response::default() }
    }

    fn list_parts(&self, id: &str) -> Response {
        let uploads = self.uploads.borrow();
        let Some(upload) = uploads.get(id) else { return problem(404, "NoSuchUpload") };
        let part = |(number, bytes): (&u16, &Vec<u8>)| {
            let size = bytes.len();
            format!(
                "<Part><PartNumber>{number}</PartNumber><ETag>\"e{number}\"</ETag><Size>{size}</Size></Part>"
            )
        };
        let parts: String = upload.parts.iter().map(part).collect();
        let result = format!("<ListPartsResult>{parts}<IsTruncated>false</IsTruncated></ListPartsResult>");
        Response { status: 200, body: result.into(), ..Response::default() }
    }

    fn complete(&self, id: &str) -> Response {
        let uploads = self.uploads.borrow();
        let Some(upload) = uploads.get(id) else { return problem(404, "NoSuchUpload") };
        let conflict = self.conflict(None, &upload.place).filter(|_| !self.parts_replace.get());
        if let Some(conflict) = conflict {
            return conflict;
        }
        let sizes: Vec<usize> = upload.parts.values().map(Vec::len).collect();
        let (last, others) = sizes.split_last().unwrap();
        if self.equal_parts.get() && others.iter().any(|size| *size != others[0] || size < last) {
            return problem(400, "InvalidPart");
        }
        let says = |body: &str| Response { status: 200, body: body.into(), ..Response::default() };
        let answer = match self.on_complete.get() {
            OnComplete::Fails(body) => return says(body),
            OnComplete::Garbles(body) => says(body),
            OnComplete::Whole => says(
                "<CompleteMultipartUploadResult><ETag>&quot;e&quot;</ETag></CompleteMultipartUploadResult>",
            ),
        };
        let body = upload.parts.values().flatten().copied().collect();
        let tag = if self.drops_tags_of_parts.get() { String::new() } else { upload.tag.clone() };
        self.objects.borrow_mut().insert(upload.place.clone(), Object { tag, body });
        drop(uploads);
        self.uploads.borrow_mut().remove(id);
        answer
    }
}

impl Transport for Fake {
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
        let no_answer = || Error::Unavailable { reason: "no answer".into() };
        if self.down.borrow().iter().any(|down| bucket.path() == format!("/{down}")) {
            return Err(no_answer());
        }
        self.asked.borrow_mut().push(request.method);
        let mut answer = self.answer(&request, body);
        answer.body.truncate(max_bytes as usize);
        if request.method == "HEAD" {
            answer.body.clear();
        }
        match self.lose_after.get() {
            Some(0) => {
                self.lose_after.set(None);
                Err(no_answer())
            }
            after => {
                self.lose_after.set(after.map(|calls| calls - 1));
                Ok(answer)
            }
        }
    }
}

fn header<'a>(request: &'a Request, name: &str) -> Option<&'a str> {
    request.headers.iter().find(|header| header.name == name).map(|header| header.value.as_str())
}

fn problem(status: u16, code: &str) -> Response {
    Response { status, body: format!("<Error><Code>{code}</Code></Error>").into(), ..Response::default() }
}
