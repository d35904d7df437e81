//! Notify configs: what a request makes of one, and which URLs are safe to call.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

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
    let Some(host) = uri.as_ref().and_then(http::Uri::host) else { return true };
    let host = host.trim_start_matches('[').trim_end_matches([']', '.']).to_ascii_lowercase();
    match host.parse::<IpAddr>() {
        Ok(IpAddr::V4(address)) => is_private_v4(address),
        Ok(IpAddr::V6(address)) => is_private_v6(address),
        // A last label that is a number makes it an IPv4 address in one of its other spellings (`0x7f.1`,
        // `2130706433`), which no server on the internet has as a name.
        Err(_) => {
            let last = host.rsplit('.').next().unwrap_or_default();
            last == "localhost"
                || last == "local"
                || last == "internal"
                || last.starts_with("0x")
                || last.bytes().all(|b| b.is_ascii_digit())
        }
    }
}

fn is_private_v4(address: Ipv4Addr) -> bool {
    let [a, b, ..] = address.octets();
    a == 0
        || address.is_loopback()
        || address.is_private()
        || address.is_link_local()
        || address.is_multicast()
        || address.is_broadcast()
        // 100.64.0.0/10, shared address space (RFC 6598).
        || (a == 100 && (64..128).contains(&b))
}

fn is_private_v6(address: Ipv6Addr) -> bool {
    address.is_loopback()
        || address.is_unspecified()
        || address.is_multicast()
        || address.is_unique_local()
        || address.is_unicast_link_local()
        || address.to_ipv4().is_some_and(is_private_v4)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_of_private_networks_are_recognised_in_every_spelling() {
        for host in [
            "localhost",
            "LOCALHOST.",
            "a.localhost",
            "db.internal",
            "127.0.0.1",
            "10.1.2.3",
            "192.168.0.1",
            "172.16.0.1",
            "169.254.169.254",
            "100.100.100.200",
            "0.0.0.0",
            "224.0.0.1",
            "[::1]",
            "[::]",
            "[fe80::1]",
            "[fd00::1]",
            "[::ffff:10.0.0.1]",
            "2130706433",
            "0x7f000001",
            "127.1",
            "10.0x1",
        ] {
            assert!(is_private(&format!("http://{host}:8080/x")), "{host}");
        }
        for host in ["cb.test.com", "8.8.8.8", "172.32.0.1", "[2001:4860:4860::8888]", "10.example.com"] {
            assert!(!is_private(&format!("http://{host}/")), "{host}");
        }
    }
}
