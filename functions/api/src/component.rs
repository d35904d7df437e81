//! The function itself: HTTP in, HTTP out, the components behind.

use std::time::{SystemTime, UNIX_EPOCH};

use api::{ApiError, Request, Response, faults};
use http_body_util::{BodyExt, Limited};
use key_value::SpinStore;
use spin_sdk::http::Request as HttpRequest;
use spin_sdk::http_service;
use spin_sdk::variables;
use spin_sdk::wasip3::random::random::get_random_bytes;
use spin_sdk::wit_bindgen;
use store::Store;

use crate::backend::Backend;
use crate::bindings::recorder::bucket::objects::{self, Created, Location};
use crate::bindings::recorder::catalog::catalog::{
    self, Command, IndexFile, LocatedEntry, RecordedSpan, Session, StreamName,
};
use crate::bindings::recorder::rules::rules::{
    self, NotifyConfig, Rule, Triple, VersionedNotifyConfig, VersionedRule,
};
use crate::bindings::wit_stream;
use crate::serve::{refuse, serve};
use crate::settings::Settings;

/// Longest body in bytes; what clients put into one fits a query as well.
const MAX_BODY_BYTES: usize = 256 << 10;

/// Longest query in bytes.
const MAX_QUERY_BYTES: usize = 256 << 10;

#[http_service]
async fn handle(request: HttpRequest) -> http::Response<String> {
    let request_id = request_id();
    let (parts, body) = request.into_parts();
    let mut request = Request {
        method: parts.method.to_string(),
        path: parts.uri.path().into(),
        query: parts.uri.query().unwrap_or_default().into(),
        headers: parts
            .headers
            .iter()
            .map(|(name, value)| {
                (name.as_str().into(), String::from_utf8_lossy(value.as_bytes()).into_owned())
            })
            .collect(),
        body: Vec::new(),
    };
    if !parts.headers.contains_key("host")
        && let Some(authority) = parts.uri.authority()
    {
        request.headers.push(("host".into(), authority.as_str().into()));
    }
    let response = match Limited::new(body, MAX_BODY_BYTES).collect().await {
        Ok(_) if request.query.len() > MAX_QUERY_BYTES => {
            refuse(&request, &request_id, &faults::REQUEST_TOO_LARGE.into())
        }
        Ok(body) => {
            request.body = body.to_bytes().to_vec();
            answer(&request, &request_id).await
        }
        Err(_) => refuse(&request, &request_id, &faults::REQUEST_TOO_LARGE.into()),
    };
    written(response)
}

async fn answer(request: &Request, request_id: &str) -> Response {
    let ready = async {
        let settings = settings().await?;
        let store = SpinStore::open().await.map_err(|error| error.to_string())?;
        Ok::<_, String>((settings, Components { store }))
    };
    match ready.await {
        Ok((settings, backend)) => serve(&backend, &settings, request, request_id).await,
        Err(reason) => {
            eprintln!("{reason}");
            refuse(request, request_id, &ApiError::from(faults::SERVICE_UNAVAILABLE))
        }
    }
}

async fn settings() -> Result<Settings, String> {
    let variable =
        async |name: &str| variables::get(name).await.map_err(|error| format!("variable {name}: {error}"));
    Settings::parse(
        &variable("access_keys").await?,
        &variable("private_callbacks").await?,
        &variable("name_timezone").await?,
    )
}

fn written(response: Response) -> http::Response<String> {
    let mut answer = http::Response::new(response.body);
    *answer.status_mut() =
        http::StatusCode::from_u16(response.status).unwrap_or(http::StatusCode::INTERNAL_SERVER_ERROR);
    answer
        .headers_mut()
        .insert(http::header::CONTENT_TYPE, http::HeaderValue::from_static(response.content_type));
    answer
}

/// A random UUID (RFC 9562 §5.4), in upper case as the original writes it.
fn request_id() -> String {
    let mut bytes: [u8; 16] = get_random_bytes(16).try_into().unwrap_or_default();
    bytes[6] = bytes[6] & 0x0f | 0x40;
    bytes[8] = bytes[8] & 0x3f | 0x80;
    let hex = hex::encode_upper(bytes);
    format!("{}-{}-{}-{}-{}", &hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..])
}

/// The components, the store and the clock.
struct Components {
    store: SpinStore,
}

impl Backend for Components {
    fn store(&self) -> &impl Store {
        &self.store
    }

    fn now_ms(&self) -> u64 {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
    }

    async fn add_rule(&self, rule: Rule) -> Result<(), rules::Error> {
        rules::add(rule).await
    }

    async fn update_rule(&self, rule: Rule, version: u64) -> Result<(), rules::Error> {
        rules::update(rule, version).await
    }

    async fn delete_rule(&self, triple: Triple) -> Result<(), rules::Error> {
        rules::delete(triple).await
    }

    async fn get_rule(&self, triple: Triple) -> Result<Option<VersionedRule>, rules::Error> {
        rules::get(triple).await
    }

    async fn list_rules(&self, domain: &str) -> Result<Vec<Rule>, rules::Error> {
        rules::list_domain(domain.into()).await
    }

    async fn add_notify(&self, config: NotifyConfig) -> Result<(), rules::Error> {
        rules::add_notify(config).await
    }

    async fn update_notify(&self, config: NotifyConfig, version: u64) -> Result<(), rules::Error> {
        rules::update_notify(config, version).await
    }

    async fn delete_notify(&self, domain: &str) -> Result<(), rules::Error> {
        rules::delete_notify(domain.into()).await
    }

    async fn get_notify(&self, domain: &str) -> Result<Option<VersionedNotifyConfig>, rules::Error> {
        rules::get_notify(domain.into()).await
    }

    async fn give_command(&self, stream: StreamName, what: Command) -> Result<(), catalog::Error> {
        catalog::give_command(stream, what, self.now_ms()).await
    }

    async fn known_stream(&self, stream: StreamName) -> Result<bool, catalog::Error> {
        catalog::is_known_stream(stream).await
    }

    async fn live_session(&self, stream: StreamName) -> Result<Option<Session>, catalog::Error> {
        catalog::get_live_session(stream).await
    }

    async fn live_sessions(&self, domain: &str) -> Result<Vec<Session>, catalog::Error> {
        catalog::list_live_sessions(domain.into()).await
    }

    async fn recorded_spans(
        &self,
        stream: StreamName,
        (from, to): (u64, u64),
    ) -> Result<Vec<RecordedSpan>, catalog::Error> {
        catalog::list_recorded_spans(stream, from, to).await
    }

    async fn slices_between(
        &self,
        stream: StreamName,
        (from, to): (u64, u64),
        one_more: bool,
    ) -> Result<Vec<LocatedEntry>, catalog::Error> {
        catalog::list_slices(stream, from, to, one_more).await
    }

    async fn add_index_file(&self, index: IndexFile) -> Result<(), catalog::Error> {
        catalog::add_index_file(index).await
    }

    async fn get_index_file(
        &self,
        stream: StreamName,
        id: &str,
    ) -> Result<Option<IndexFile>, catalog::Error> {
        catalog::get_index_file(stream, id.into()).await
    }

    async fn list_index_files(
        &self,
        stream: StreamName,
        (from, to): (u64, u64),
    ) -> Result<Vec<IndexFile>, catalog::Error> {
        catalog::list_index_files(stream, from, to).await
    }

    async fn delete_index_file(&self, stream: StreamName, id: &str) -> Result<bool, catalog::Error> {
        catalog::delete_index_file(stream, id.into()).await
    }

    async fn check_bucket(&self, at: Location) -> Result<(), objects::Error> {
        objects::check(at).await
    }

    async fn put_new(
        &self,
        at: Location,
        key: &str,
        content_type: &str,
        tag: &str,
        body: Vec<u8>,
    ) -> Result<Created, objects::Error> {
        let size = body.len() as u64;
        let (mut writer, reader) = wit_stream::new();
        wit_bindgen::spawn(async move {
            writer.write_all(body).await;
        });
        objects::put_new(at, key.into(), content_type.into(), tag.into(), size, reader).await
    }
}
