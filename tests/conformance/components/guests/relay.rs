//! Hands a request's body through its dependencies: `POST /put?authority=…&path=…`, and asks them for
//! capabilities: `GET /attempt/<capability>`.

use bindings::conformance::{sink::sink, transform::transform};
use spin_sdk::wasip3::http::types::{ErrorCode, Request, Response};
use spin_sdk::wasip3::{wit_future, wit_stream};

mod bindings {
    spin_sdk::wit_bindgen::generate!({
        world: "relay", path: "wit", runtime_path: "spin_sdk::wit_bindgen::rt", generate_all,
    });
}

struct Relay;

impl spin_sdk::wasip3::exports::http::handler::Guest for Relay {
    async fn handle(request: Request) -> Result<Response, ErrorCode> {
        let target = request.get_path_with_query().unwrap_or_default();
        let (path, query) = target.split_once('?').unwrap_or((&target, ""));
        let parameter = |name: &str| {
            query.split('&').find_map(|pair| pair.strip_prefix(name)?.strip_prefix('=')).unwrap_or_default()
        };
        let outcome = if let Some(capability) = path.strip_prefix("/attempt/") {
            sink::attempt(capability.to_owned()).await
        } else {
            let (_, received) = wit_future::new(|| Ok(()));
            let (body, _trailers) = Request::consume_body(request, received);
            let passed = transform::pass(body).await;
            let (authority, path) = (parameter("authority").to_owned(), parameter("path").to_owned());
            sink::put(authority, path, passed).await.map(|status| status.to_string())
        };
        let (status, text) = match outcome {
            Ok(text) => (200, text),
            Err(text) => (500, text),
        };
        let (mut writer, body) = wit_stream::new();
        let (_, no_trailers) = wit_future::new(|| Ok(None));
        let (response, _sent) =
            Response::new(spin_sdk::wasip3::http::types::Fields::new(), Some(body), no_trailers);
        response.set_status_code(status).map_err(|()| ErrorCode::InternalError(None))?;
        spin_sdk::wasip3::spawn(async move {
            writer.write_all(text.into_bytes()).await;
        });
        Ok(response)
    }
}

spin_sdk::wasip3::http::service::export!(Relay);
