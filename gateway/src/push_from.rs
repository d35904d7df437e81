//! From where may be pushed.

use std::{
    net::SocketAddr,
    sync::{Mutex, PoisonError},
};

use crate::{
    clock::LogLimit,
    operation::{ConnectionRefused, Control},
};

/// Sends away who comes from elsewhere.
#[derive(Debug)]
pub(crate) struct PushFrom {
    control: Control,
    log_limit: Mutex<LogLimit>,
}

impl PushFrom {
    pub(crate) fn new(control: Control) -> Self {
        Self { control, log_limit: Mutex::default() }
    }

    /// Whether a publisher may connect. One that may not is counted, and now and then logged: anybody can connect without
    /// end.
    pub(crate) fn admits(&self, peer: SocketAddr) -> bool {
        let address = peer.ip().to_canonical();
        let settings = self.control.settings();
        let networks = &settings.push_from;
        if networks.is_empty() || networks.iter().any(|network| network.contains(address)) {
            return true;
        }
        let refused = self.control.metrics().connections_refused.of(ConnectionRefused::Elsewhere);
        refused.add_one();
        if self.log_limit.lock().unwrap_or_else(PoisonError::into_inner).permits() {
            tracing::warn!(
                "{peer} is sent away: nobody may push from {address}; connections that were sent away so: {}",
                refused.get()
            );
        }
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::Settings;

    fn from(networks: &[&str]) -> PushFrom {
        let push_from = networks.iter().map(|network| network.parse().unwrap()).collect();
        PushFrom::new(Control::new(Settings { push_from, ..Settings::default() }).unwrap())
    }

    fn refused(push_from: &PushFrom) -> u64 {
        push_from.control.metrics().connections_refused.of(ConnectionRefused::Elsewhere).get()
    }

    #[test]
    fn any_of_the_networks_admits_and_each_refusal_is_counted() {
        let of_both = from(&["192.0.2.0/24", "198.51.100.7", "2001:db8::/32"]);
        for (peer, admits) in [
            ("192.0.2.255:1", true),
            ("198.51.100.7:1", true),
            ("[::ffff:192.0.2.9]:1", true),
            ("[2001:db8::1]:1", true),
            ("192.0.3.0:1", false),
            ("[2001:db9::1]:1", false),
        ] {
            assert_eq!(of_both.admits(peer.parse().unwrap()), admits, "{peer}");
        }
        assert_eq!(refused(&of_both), 2);
    }

    #[test]
    fn any_may_push_where_none_is_named() {
        let any = from(&[]);
        for peer in ["192.0.2.1:1", "[2001:db8::1]:1"] {
            assert!(any.admits(peer.parse().unwrap()));
        }
        assert_eq!(refused(&any), 0);
    }
}
