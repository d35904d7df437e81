//! From the request over HTTP to its answer.

use api::{ApiError, HttpRequest, Response, faults, render};
use http::header::CONTENT_TYPE;
use http::{HeaderValue, StatusCode, request};
use shared::{Answer, Body, BodyError};

use crate::actions::Performer;
use crate::authenticate::authenticate;
use crate::backend::World;
use crate::settings::Settings;

/// Longest body in bytes. A query needs no limit here: a URI has at most 64 KiB.
const MAX_BODY_BYTES: usize = 256 << 10;

/// Answers a request over HTTP.
pub async fn handle(world: &impl World, request: http::Request<impl Body>) -> Answer {
    let request_id = request_id(world.random());
    let (parts, body) = request.into_parts();
    let mut request = gather(&parts);
    let ready = async {
        request.body = body.read(MAX_BODY_BYTES).await.map_err(|error| match error {
            BodyError::TooLarge { .. } => ApiError::from(faults::REQUEST_TOO_LARGE),
            BodyError::CutOff => ApiError::unavailable("the request's body was cut off"),
            stalled @ BodyError::Stalled { .. } => {
                ApiError::from(faults::REQUEST_TIMEOUT).with_detail(format_args!("Found: {stalled}."))
            }
        })?;
        Settings::read(world).await.map_err(ApiError::unavailable)
    };
    written(match ready.await {
        Ok(settings) => serve(world, &settings, &request, &request_id).await,
        Err(error) => refuse(&request, &request_id, &error),
    })
}

/// Answers a request, whatever it is.
pub async fn serve(
    world: &impl World,
    settings: &Settings,
    request: &HttpRequest,
    request_id: &str,
) -> Response {
    let answer = async {
        let authenticated = authenticate(world, settings, request).await?;
        let action = authenticated.action();
        let (key, call) = authenticated.into_parts();
        let answer = call.perform(&Performer { world, settings, key: &key }).await?;
        Ok((action, answer))
    };
    match answer.await {
        Ok((action, answer)) => render::success(request.format(), action, request_id, answer),
        Err(error) => refuse(request, request_id, &error),
    }
}

/// The answer to a request that is refused. What failed is written to the log.
fn refuse(request: &HttpRequest, request_id: &str, error: &ApiError) -> Response {
    if let Some(cause) = &error.cause {
        eprintln!("{request_id} {}: {cause}", error.code);
    }
    render::error(request.format(), request.host(), request_id, error)
}

/// All of a request but its body.
fn gather(parts: &request::Parts) -> HttpRequest {
    let text = |value: &HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    let mut headers: Vec<(String, String)> =
        parts.headers.iter().map(|(name, value)| (name.as_str().into(), text(value))).collect();
    if !parts.headers.contains_key("host")
        && let Some(authority) = parts.uri.authority()
    {
        headers.push(("host".into(), authority.as_str().into()));
    }
    HttpRequest {
        method: parts.method.to_string(),
        path: parts.uri.path().into(),
        query: parts.uri.query().unwrap_or_default().into(),
        headers,
        body: Vec::new(),
    }
}

fn written(response: Response) -> Answer {
    let mut answer = Answer::new(response.body);
    *answer.status_mut() = StatusCode::from_u16(response.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    answer.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(response.content_type));
    answer
}

/// A random UUID (RFC 9562 §5.4), in upper case as the original writes it.
fn request_id(mut random: [u8; 16]) -> String {
    random[6] = random[6] & 0x0f | 0x40;
    random[8] = random[8] & 0x3f | 0x80;
    naming::uuid(random).to_uppercase()
}
