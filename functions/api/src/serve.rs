//! The way of a request.

use api::{ApiError, Request, Response, render};

use crate::{actions, authenticate::authenticate, backend::Backend, settings::Settings};

/// Answers a request, whatever it is.
pub async fn serve(
    backend: &impl Backend,
    settings: &Settings,
    request: &Request,
    request_id: &str,
) -> Response {
    let answer = async {
        let authenticated = authenticate(backend, settings, request).await?;
        let action = authenticated.action();
        Ok((action, actions::perform(backend, settings, authenticated).await?))
    };
    match answer.await {
        Ok((action, value)) => render::success(request.format(), action, request_id, &value),
        Err(error) => refuse(request, request_id, &error),
    }
}

/// The answer to a request that is refused. What failed is written to the log.
#[must_use]
pub fn refuse(request: &Request, request_id: &str, error: &ApiError) -> Response {
    if let Some(cause) = &error.cause {
        eprintln!("{request_id} {}: {cause}", error.code);
    }
    render::error(request.format(), request.host(), request_id, error)
}
