//! Who a request is from, and whether it may make its call.

use acs::AccessKey;
use api::{Access, Action, ApiError, Call, HttpRequest, Incoming, faults};
use rules::nonces::Nonce;

use crate::{backend::World, settings::Settings};

/// A call whose sender is known, and may make it. Only [`authenticate`] makes one.
pub struct Authenticated {
    action: &'static Action,
    call: Call,
    key: AccessKey,
}

impl Authenticated {
    /// The action that is called.
    #[must_use]
    pub fn action(&self) -> &'static Action {
        self.action
    }

    /// The key that signed the call, and the call.
    #[must_use]
    pub fn into_parts(self) -> (AccessKey, Call) {
        (self.key, self.call)
    }
}

/// Lets a request pass if its signature is good, fresh and new, and its key may make the call.
///
/// # Errors
/// The first reason why not.
pub async fn authenticate(
    world: &impl World,
    settings: &Settings,
    request: &HttpRequest,
) -> Result<Authenticated, ApiError> {
    let now_s = world.now_ms() / 1000;
    let incoming = Incoming::read(request)?;
    let key = settings.keys.find(incoming.claim.key_id())?;
    incoming.claim.check_time(now_s)?;
    incoming.claim.verify(key)?;
    let nonce = Nonce {
        key_id: incoming.claim.key_id(),
        nonce: incoming.claim.nonce(),
        expires_s: incoming.claim.nonce_expires_s(),
    };
    let first = world.admit(nonce, now_s).await.map_err(ApiError::unavailable)?;
    if !first {
        return Err(faults::SIGNATURE_NONCE_USED.into());
    }
    let action = incoming.action()?;
    authorize(key, action, incoming.parameter("DomainName"))?;
    Ok(Authenticated { action, call: Call::read(action.name, &incoming.given())?, key: key.clone() })
}

/// Whether a key may make a call. A call without a domain is refused later, for that.
fn authorize(key: &AccessKey, action: &Action, domain: Option<&str>) -> Result<(), ApiError> {
    let may_access = action.access == Access::Read || key.may_write();
    let may_use_domain = domain.is_none_or(|domain| key.may_use_domain(domain));
    (may_access && may_use_domain).then_some(()).ok_or_else(|| faults::FORBIDDEN.into())
}
