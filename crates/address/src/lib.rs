//! Which addresses can be called, and which are on the public internet.
//!
//! Whoever may set a URL that we call must not reach what only we can reach. An address is judged by the blocks that IANA
//! registers as not globally reachable (RFC 6890 and its registries), and by those that carry another address in
//! them: what stands behind such a one is not seen here, so none of them is public.
//!
//! ```
//! assert!(address::is_public("93.184.215.14".parse()?));
//! assert!(!address::is_public("169.254.169.254".parse()?));
//! assert!(!address::is_public("64:ff9b::7f00:1".parse()?));
//! # Ok::<(), std::net::AddrParseError>(())
//! ```
#![deny(missing_docs)]

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Whether an address is on the public internet.
#[must_use]
pub fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_public_v4(address),
        // A socket for `::ffff:a.b.c.d` connects to `a.b.c.d`.
        IpAddr::V6(address) => address.to_ipv4_mapped().map_or_else(|| is_public_v6(address), is_public_v4),
    }
}

/// IPv4 blocks that are not globally reachable: first address and length of the prefix.
const NOT_PUBLIC_V4: [(Ipv4Addr, u32); 16] = [
    // This network (RFC 791 §3.2).
    (Ipv4Addr::new(0, 0, 0, 0), 8),
    // Private use (RFC 1918).
    (Ipv4Addr::new(10, 0, 0, 0), 8),
    (Ipv4Addr::new(172, 16, 0, 0), 12),
    (Ipv4Addr::new(192, 168, 0, 0), 16),
    // Shared address space (RFC 6598).
    (Ipv4Addr::new(100, 64, 0, 0), 10),
    // Loopback (RFC 1122 §3.2.1.3).
    (Ipv4Addr::new(127, 0, 0, 0), 8),
    // Link local (RFC 3927): the metadata services of clouds.
    (Ipv4Addr::new(169, 254, 0, 0), 16),
    // A service of Azure that only its virtual machines reach, in no register of IANA.
    (Ipv4Addr::new(168, 63, 129, 16), 32),
    // IETF protocol assignments (RFC 6890 §2.1).
    (Ipv4Addr::new(192, 0, 0, 0), 24),
    // Documentation (RFC 5737).
    (Ipv4Addr::new(192, 0, 2, 0), 24),
    (Ipv4Addr::new(198, 51, 100, 0), 24),
    (Ipv4Addr::new(203, 0, 113, 0), 24),
    // Relays of 6to4 (RFC 7526).
    (Ipv4Addr::new(192, 88, 99, 0), 24),
    // Benchmarks (RFC 2544).
    (Ipv4Addr::new(198, 18, 0, 0), 15),
    // Multicast (RFC 5771).
    (Ipv4Addr::new(224, 0, 0, 0), 4),
    // Reserved (RFC 1112 §4), broadcast included.
    (Ipv4Addr::new(240, 0, 0, 0), 4),
];

/// Blocks within the global unicast space of IPv6 that are not globally reachable, or hold an IPv4 address.
const NOT_PUBLIC_V6: [(Ipv6Addr, u32); 4] = [
    // IETF protocol assignments (RFC 2928): Teredo, benchmarks, ORCHID.
    (Ipv6Addr::new(0x2001, 0, 0, 0, 0, 0, 0, 0), 23),
    // Documentation (RFC 3849, RFC 9637).
    (Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 0), 32),
    (Ipv6Addr::new(0x3fff, 0, 0, 0, 0, 0, 0, 0), 20),
    // 6to4 (RFC 3056).
    (Ipv6Addr::new(0x2002, 0, 0, 0, 0, 0, 0, 0), 16),
];

fn is_public_v4(address: Ipv4Addr) -> bool {
    let is_in =
        |(first, length): &(Ipv4Addr, u32)| (address.to_bits() ^ first.to_bits()) >> (32 - length) == 0;
    !NOT_PUBLIC_V4.iter().any(is_in)
}

fn is_public_v6(address: Ipv6Addr) -> bool {
    let is_in =
        |(first, length): &(Ipv6Addr, u32)| (address.to_bits() ^ first.to_bits()) >> (128 - length) == 0;
    // Global unicast (RFC 4291 §2.4 as IANA assigns it) is 2000::/3. Outside lie loopback, link-local, unique local and
    // multicast addresses, and those of NAT64 (RFC 6052, RFC 8215).
    address.segments()[0] >> 13 == 1 && !NOT_PUBLIC_V6.iter().any(is_in)
}

/// Whether a host, as a URL names it, is for certain not on the public internet. What a name resolves to is to be
/// judged when it is connected to.
#[must_use]
pub fn is_private_host(host: &str) -> bool {
    let host = host.trim_start_matches('[').trim_end_matches([']', '.']).to_ascii_lowercase();
    if let Ok(address) = host.parse() {
        return !is_public(address);
    }
    // `alt` is no name of the internet's (RFC 9476): Spin calls itself by `self.alt`.
    // A last label that is a number makes it an IPv4 address in one of its other spellings (`0x7f.1`, `2130706433`), which
    // no server on the internet has as a name.
    let last = host.rsplit('.').next().unwrap_or_default();
    matches!(last, "localhost" | "local" | "internal" | "alt")
        || last.starts_with("0x")
        || last.bytes().all(|byte| byte.is_ascii_digit())
}

/// Whether a text, as a URL has it between its scheme and its path, is a host that can be called: a name or an address, an
/// IPv6 one in brackets, and a port from 1 to 65535 or none. A user before the host is not taken.
#[must_use]
pub fn is_authority(text: &str) -> bool {
    let (host, port) = match text.rsplit_once(':') {
        Some((host, port)) if !port.ends_with(']') => (host, Some(port)),
        _ => (text, None),
    };
    // Names of containers may have underscores.
    let is_label = |label: &str| {
        !label.is_empty()
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
    };
    let is_host = match host.strip_prefix('[').and_then(|host| host.strip_suffix(']')) {
        Some(address) => address.parse::<Ipv6Addr>().is_ok(),
        None => host.strip_suffix('.').unwrap_or(host).split('.').all(is_label),
    };
    is_host && port.is_none_or(is_port)
}

/// Whether a text is the number of a port that something can listen at, in digits alone.
#[must_use]
pub fn is_port(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_digit()) && text.parse::<u16>().is_ok_and(|port| port > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_authority_can_be_called() {
        for text in ["a", "a.", "a-b.c_d:1", "1.2.3.4:65535", "[::1]", "[2001:db8::1]:080"] {
            assert!(is_authority(text), "{text}");
        }
        for text in
            ["", ".", "a..b", ":1", "a:", "a:0", "a:65536", "a:+1", "a:b", "a:1:2", "u@a", "a b", "a/b", "é"]
        {
            assert!(!is_authority(text), "{text}");
        }
        for text in
            ["::1", "[]", "[::g]", "[1.2.3.4]", "[::1", "[::1]a", "[::1]:", "[::1]:0", "[::1%1]", "a%62"]
        {
            assert!(!is_authority(text), "{text}");
        }
    }

    fn check(addresses: &[&str], expected: bool) {
        for text in addresses {
            assert_eq!(is_public(text.parse().unwrap()), expected, "{text}");
        }
    }

    #[test]
    fn each_block_ends_where_the_registry_says() {
        check(&["1.0.0.0", "9.255.255.255", "11.0.0.0", "100.63.255.255", "100.128.0.0"], true);
        check(&["0.255.255.255", "10.0.0.0", "10.255.255.255", "100.64.0.0", "100.127.255.255"], false);
        check(&["172.15.255.255", "172.32.0.0", "192.167.255.255", "192.169.0.0", "192.0.1.0"], true);
        check(&["172.16.0.0", "172.31.255.255", "192.168.0.0", "192.168.255.255", "192.0.0.255"], false);
        check(&["198.17.255.255", "198.20.0.0", "223.255.255.255", "192.88.98.255", "8.8.8.8"], true);
        check(&["198.18.0.0", "198.19.255.255", "224.0.0.0", "255.255.255.255", "192.88.99.1"], false);
        check(
            &["127.0.0.1", "127.255.255.255", "169.254.169.254", "168.63.129.16", "203.0.113.9", "240.0.0.1"],
            false,
        );
    }

    #[test]
    fn no_address_of_ipv6_hides_another() {
        check(&["2001:4860:4860::8888", "2400:3200::1", "2001:200::1", "::ffff:8.8.8.8"], true);
        check(&["::", "::1", "fe80::1", "fd00::1", "fc00::1", "ff02::1", "fec0::1", "100::1"], false);
        check(&["::ffff:169.254.169.254", "::ffff:10.0.0.1", "::127.0.0.1", "::8.8.8.8"], false);
        check(&["64:ff9b::8.8.8.8", "64:ff9b:1::1", "2002:7f00:1::", "2001::1", "2001:2::1"], false);
        check(&["2001:db8::1", "3fff::1", "5f00::1", "4000::1"], false);
    }

    #[test]
    fn hosts_are_judged_in_every_spelling() {
        for host in [
            "localhost",
            "LOCALHOST.",
            "a.localhost",
            "self.alt",
            "db.internal",
            "127.0.0.1",
            "100.100.100.200",
            "0.0.0.0",
            "[::1]",
            "[fd00::1]",
            "[::ffff:10.0.0.1]",
            "2130706433",
            "0x7f000001",
            "127.1",
            "10.0x1",
            "",
        ] {
            assert!(is_private_host(host), "{host}");
        }
        for host in ["cb.test.com", "8.8.8.8", "172.32.0.1", "[2001:4860:4860::8888]", "10.example.com"] {
            assert!(!is_private_host(host), "{host}");
        }
    }
}
