//! Networks of addresses, as lists name who is who.

use std::{fmt, net::IpAddr, str::FromStr};

use anyhow::Context;
use ipnet::IpNet;

/// Addresses that begin with the same bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Network(IpNet);

impl Network {
    /// Whether an address is in it. An IPv4 address counts as one also where a socket for both families shows it as one of
    /// IPv6.
    #[must_use]
    pub fn contains(&self, address: IpAddr) -> bool {
        self.0.contains(&address.to_canonical())
    }
}

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_network_holds_what_begins_as_it_does() {
        for (network, address, is_in) in [
            ("192.0.2.0/24", "192.0.2.0", true),
            ("192.0.2.0/24", "192.0.2.255", true),
            ("192.0.2.0/24", "192.0.3.0", false),
            ("192.0.2.0/24", "::ffff:192.0.2.9", true),
            ("192.0.2.0/24", "::ffff:192.0.3.9", false),
            // What stands behind the prefix does not count.
            ("192.0.2.77/24", "192.0.2.1", true),
            ("198.51.100.7", "198.51.100.7", true),
            ("198.51.100.7", "198.51.100.8", false),
            ("2001:db8::/32", "2001:db8:ffff::1", true),
            ("2001:db8::/32", "2001:db9::1", false),
            ("::1", "::1", true),
            // One family says nothing of the other.
            ("0.0.0.0/0", "2001:db8::1", false),
            ("::/0", "::ffff:192.0.2.1", false),
        ] {
            let parsed: Network = network.parse().unwrap();
            assert_eq!(parsed.contains(address.parse().unwrap()), is_in, "{network} {address}");
        }
    }

    #[test]
    fn what_is_no_network_is_named() {
        for text in ["", "192.0.2.0/33", "192.0.2/24", "2001:db8::/129", "encoder.example.com", "10.0.0.0/8 "]
        {
            let error = text.parse::<Network>().unwrap_err().to_string();
            assert!(error.starts_with(&format!("{text:?} is neither")), "{error}");
        }
        for (text, written) in
            [("2001:db8::/32", "2001:db8::/32"), ("192.0.2.1", "192.0.2.1/32"), ("::1", "::1/128")]
        {
            assert_eq!(text.parse::<Network>().unwrap().to_string(), written);
        }
    }
}
