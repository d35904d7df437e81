//! The way of a request.

use acs::AccessKey;
use api::{Access, Action, ApiError, Call, Incoming, Request, Response, faults, render};

use crate::{actions, backend::Backend, nonces, settings::Settings};

/// A call whose sender is known, and may make it. Only [`authenticate`] makes one.
pub struct Authenticated {
    action: &'static Action,
    call: Call,
}

impl Authenticated {
    /// The call.
    #[must_use]
    pub fn into_call(self) -> Call {
        self.call
    }
}

/// Answers a request, whatever it is.
pub async fn serve(
    backend: &impl Backend,
    settings: &Settings,
    request: &Request,
    request_id: &str,
) -> Response {
    let answer = async {
        let authenticated = authenticate(backend, settings, request).await?;
        let action = authenticated.action;
        Ok((action, actions::perform(backend, settings, authenticated).await?))
    };
    match answer.await {
        Ok((action, value)) => render::success(request.format(), action, request_id, &value),
        Err(error) => refuse(request, request_id, &error),
    }
}

/// The answer to a request that is refused.
#[must_use]
pub fn refuse(request: &Request, request_id: &str, error: &ApiError) -> Response {
    render::error(request.format(), request.host(), request_id, error)
}

/// Lets a request pass if its signature is good, fresh and new, and its key may make the call.
///
/// # Errors
/// The first reason why not.
pub async fn authenticate(
    backend: &impl Backend,
    settings: &Settings,
    request: &Request,
) -> Result<Authenticated, ApiError> {
    let now_s = backend.now_ms() / 1000;
    let incoming = Incoming::read(request)?;
    let key = settings.keys.find(incoming.claim.key_id())?;
    incoming.claim.check_time(now_s)?;
    incoming.claim.verify(key)?;
    let first = nonces::admit(backend.store(), &incoming.claim, now_s)
        .await
        .map_err(|error| actions::unavailable(&error.to_string()))?;
    if !first {
        return Err(faults::SIGNATURE_NONCE_USED.into());
    }
    let action = incoming.action()?;
    authorize(key, action, incoming.parameter("DomainName"))?;
    Ok(Authenticated { action, call: Call::read(action, &incoming)? })
}

/// Whether a key may make a call. A call without a domain is refused later, for that.
fn authorize(key: &AccessKey, action: &Action, domain: Option<&str>) -> Result<(), ApiError> {
    let may_access = action.access == Access::Read || key.may_write();
    let may_use_domain = domain.is_none_or(|domain| key.may_use_domain(domain));
    (may_access && may_use_domain).then_some(()).ok_or_else(|| faults::FORBIDDEN.into())
}
