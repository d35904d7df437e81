//! Notify configs: what a request makes of one, and which URLs are safe to call.

use rules::NotifyConfig;

use crate::actions::notify::{AddLiveRecordNotifyConfig, UpdateLiveRecordNotifyConfig};
use crate::{ApiError, Fault, faults};

/// Whether callbacks may go to private networks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PrivateCallbacks {
    /// They may: for local use.
    Allowed,
    /// A URL that names an address of a private network is refused.
    Refused,
}

/// The config that a request adds.
///
/// # Errors
/// Neither URL given, one that is not safe, or a signature without a key.
pub fn added(call: AddLiveRecordNotifyConfig, private: PrivateCallbacks) -> Result<NotifyConfig, ApiError> {
    checked(
        NotifyConfig {
            domain: call.domain_name,
            notify_url: call.notify_url,
            on_demand_url: call.on_demand_url,
            need_status_notify: call.need_status_notify,
            notify_req_auth: call.notify_req_auth,
            notify_auth_key: call.notify_auth_key,
        },
        private,
    )
}

/// A config as an update leaves it; what the update does not say stays.
///
/// # Errors
/// A URL that is not safe, or a signature without a key.
pub fn updated(
    config: NotifyConfig,
    call: UpdateLiveRecordNotifyConfig,
    private: PrivateCallbacks,
) -> Result<NotifyConfig, ApiError> {
    checked(
        NotifyConfig {
            domain: config.domain,
            notify_url: call.notify_url.or(config.notify_url),
            on_demand_url: call.on_demand_url.or(config.on_demand_url),
            need_status_notify: call.need_status_notify.unwrap_or(config.need_status_notify),
            notify_req_auth: call.notify_req_auth.unwrap_or(config.notify_req_auth),
            notify_auth_key: call.notify_auth_key.or(config.notify_auth_key),
        },
        private,
    )
}

fn checked(config: NotifyConfig, private: PrivateCallbacks) -> Result<NotifyConfig, ApiError> {
    if config.notify_url.is_none() && config.on_demand_url.is_none() {
        return Err(faults::MISSING_NOTIFY_URL.into());
    }
    if config.notify_req_auth && config.notify_auth_key.is_none() {
        return Err(faults::MISSING_NOTIFY_AUTH_KEY.into());
    }
    let check = |url: &Option<String>, fault: Fault| match url {
        Some(url) if private == PrivateCallbacks::Refused && is_private(url) => Err(ApiError::from(fault)),
        _ => Ok(()),
    };
    check(&config.notify_url, faults::INVALID_NOTIFY_URL_UNSAFE)?;
    check(&config.on_demand_url, faults::INVALID_ON_DEMAND_URL_UNSAFE)?;
    Ok(config)
}

/// Whether a URL names an address that is not on the public internet.
///
/// A name is only judged by itself: what it resolves to is known when it is called, not now.
fn is_private(url: &str) -> bool {
    let uri = url.parse::<http::Uri>().ok();
    uri.as_ref().and_then(http::Uri::host).is_none_or(address::is_private_host)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_host_of_a_url_is_judged() {
        for url in
            ["http://127.0.0.1:8080/x", "https://[64:ff9b::1]/", "http://user@localhost/?a", "http:///x"]
        {
            assert!(is_private(url), "{url}");
        }
        for url in ["http://cb.test.com", "https://cb.test.com:8443/a?b=127.0.0.1", "http://[2400:3200::1]/"]
        {
            assert!(!is_private(url), "{url}");
        }
    }
}
