//! From where may be pushed.

use std::{
    net::SocketAddr,
    sync::{Mutex, PoisonError},
};

use crate::{
    clock::LogLimit,
    network::Network,
    operation::{ConnectionRefused, Metrics},
};

/// The networks from which may be pushed.
#[derive(Debug)]
pub(crate) struct PushFrom {
    /// None: any.
    networks: Vec<Network>,
    log_limit: Mutex<LogLimit>,
}

impl PushFrom {
    pub(crate) fn new(networks: Vec<Network>) -> Self {
        Self { networks, log_limit: Mutex::default() }
    }

    /// Whether a publisher may connect. One that may not is counted, and now and then logged: anybody can connect without
    /// end.
    pub(crate) fn admits(&self, peer: SocketAddr, metrics: &Metrics) -> bool {
        let address = peer.ip().to_canonical();
        if self.networks.is_empty() || self.networks.iter().any(|network| network.contains(address)) {
            return true;
        }
        let refused = metrics.connections_refused.of(ConnectionRefused::Elsewhere);
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

    #[test]
    fn any_of_the_networks_admits_and_each_refusal_is_counted() {
        let metrics = Metrics::default();
        let networks =
            ["192.0.2.0/24", "198.51.100.7", "2001:db8::/32"].map(|network| network.parse().unwrap());
        let of_both = PushFrom::new(networks.to_vec());
        for (peer, admits) in [
            ("192.0.2.255:1", true),
            ("198.51.100.7:1", true),
            ("[::ffff:192.0.2.9]:1", true),
            ("[2001:db8::1]:1", true),
            ("192.0.3.0:1", false),
            ("[2001:db9::1]:1", false),
        ] {
            assert_eq!(of_both.admits(peer.parse().unwrap(), &metrics), admits, "{peer}");
        }
        assert_eq!(metrics.connections_refused.of(ConnectionRefused::Elsewhere).get(), 2);
    }

    #[test]
    fn any_may_push_where_none_is_named() {
        let (any, metrics) = (PushFrom::new(Vec::new()), Metrics::default());
        for peer in ["192.0.2.1:1", "[2001:db8::1]:1"] {
            assert!(any.admits(peer.parse().unwrap(), &metrics));
        }
        assert_eq!(metrics.connections_refused.of(ConnectionRefused::Elsewhere).get(), 0);
    }
}
