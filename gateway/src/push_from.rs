//! From where may be pushed.

use std::{
    fmt,
    net::{IpAddr, SocketAddr},
    str::FromStr,
    sync::{Mutex, PoisonError},
};

use anyhow::Context;
use ipnet::IpNet;

use crate::clock::LogLimit;

/// Addresses that begin with the same bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Network(IpNet);

impl FromStr for Network {
    type Err = anyhow::Error;

    /// Reads `192.0.2.0/24`, `2001:db8::/32`, or an address alone.
    fn from_str(text: &str) -> anyhow::Result<Self> {
        let network = match text.parse::<IpAddr>() {
            Ok(address) => IpNet::from(address),
            Err(_) => text.parse().with_context(|| {
                format!("{text:?} is neither an address nor a network such as 192.0.2.0/24")
            })?,
        };
        Ok(Self(network))
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The networks from which may be pushed, and how many connections came from elsewhere.
#[derive(Debug)]
pub(crate) struct PushFrom {
    /// None: any.
    networks: Vec<Network>,
    refused: Mutex<Refused>,
}

#[derive(Debug, Default)]
struct Refused {
    connections: u64,
    log_limit: LogLimit,
}

impl PushFrom {
    pub(crate) fn new(networks: Vec<Network>) -> Self {
        Self { networks, refused: Mutex::default() }
    }

    /// Whether a publisher may connect. One that may not is counted, and now and then logged: anybody can connect without
    /// end.
    pub(crate) fn admits(&self, peer: SocketAddr) -> bool {
        // A socket for both families shows an IPv4 address as one of IPv6.
        let address = peer.ip().to_canonical();
        let admits = self.networks.is_empty()
            || self.networks.iter().any(|Network(network)| network.contains(&address));
        if !admits {
            let mut refused = self.refused.lock().unwrap_or_else(PoisonError::into_inner);
            refused.connections += 1;
            if refused.log_limit.permits() {
                tracing::warn!(
                    "{peer} is sent away: nobody may push from {address}; connections that were sent away so: {}",
                    refused.connections
                );
            }
        }
        admits
    }

    /// How many connections were sent away since the start.
    #[cfg(test)]
    pub(crate) fn refused(&self) -> u64 {
        self.refused.lock().unwrap_or_else(PoisonError::into_inner).connections
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn from(networks: &[&str]) -> PushFrom {
        PushFrom::new(networks.iter().map(|network| network.parse().unwrap()).collect())
    }

    #[test]
    fn an_address_is_admitted_by_any_network_that_holds_it() {
        let of_both = from(&["192.0.2.0/24", "198.51.100.7", "2001:db8::/32", "::1"]);
        for (address, admits) in [
            ("192.0.2.0", true),
            ("192.0.2.255", true),
            ("192.0.3.0", false),
            ("198.51.100.7", true),
            ("198.51.100.8", false),
            ("::ffff:192.0.2.9", true),
            ("::ffff:192.0.3.9", false),
            ("2001:db8:ffff::1", true),
            ("2001:db9::1", false),
            ("::1", true),
            ("127.0.0.1", false),
        ] {
            assert_eq!(of_both.admits(SocketAddr::new(address.parse().unwrap(), 1)), admits, "{address}");
        }
        assert_eq!(of_both.refused(), 5);
        // What stands behind the prefix does not count, and one family says nothing of the other.
        assert!(from(&["192.0.2.77/24"]).admits("192.0.2.1:1".parse().unwrap()));
        assert!(!from(&["0.0.0.0/0"]).admits("[2001:db8::1]:1".parse().unwrap()));
        assert!(!from(&["::/0"]).admits("[::ffff:192.0.2.1]:1".parse().unwrap()));
    }

    #[test]
    fn any_may_push_where_none_is_named() {
        let any = from(&[]);
        assert!(any.admits("192.0.2.1:1".parse().unwrap()) && any.admits("[2001:db8::1]:1".parse().unwrap()));
        assert_eq!(any.refused(), 0);
    }

    #[test]
    fn what_is_no_network_is_named() {
        for text in ["", "192.0.2.0/33", "192.0.2/24", "2001:db8::/129", "encoder.example.com", "10.0.0.0/8 "]
        {
            let error = text.parse::<Network>().unwrap_err().to_string();
            assert!(error.starts_with(&format!("{text:?} is neither")), "{error}");
        }
        let network: Network = "2001:db8::/32".parse().unwrap();
        assert_eq!(network.to_string(), "2001:db8::/32");
    }
}
