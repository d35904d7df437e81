//! Section 2.2: the signature, thirteen bytes of what and whom, and extensions.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use crate::{
    error::{Error, MAX_BYTES},
    tlv,
};

const SIGNATURE: [u8; 12] = *b"\r\n\r\n\0\r\nQUIT\n";

/// Signature, version and command, family and protocol, length.
const FIXED_BYTES: usize = 16;

/// The proxy's own connection, a health check for one.
const LOCAL: u8 = 0;
/// Somebody's connection, handed on.
const PROXY: u8 = 1;

const UNSPECIFIED: u8 = 0x00;
const TCP_OVER_IPV4: u8 = 0x11;
const TCP_OVER_IPV6: u8 = 0x21;

/// Two addresses and two ports.
const IPV4_BYTES: usize = 12;
const IPV6_BYTES: usize = 36;

/// What a header says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// Whether the connection is the proxy's own, a health check for one: it names nobody, and has to be taken.
    pub is_local: bool,
    /// Who connected to the proxy. `None`: the connection is the proxy's own, or of a kind that the proxy does not tell,
    /// and the addresses of the socket are the ones to go by.
    pub source: Option<SocketAddr>,
    /// Which address of the proxy that was.
    pub destination: Option<SocketAddr>,
}

/// Reads the header at the begin of `bytes`; answers it and its length, or `None` where more bytes are needed.
///
/// # Errors
/// What has come cannot be the begin of a header.
pub fn read(bytes: &[u8]) -> Result<Option<(Header, usize)>, Error> {
    let differs = bytes.iter().zip(SIGNATURE).position(|(found, expected)| *found != expected);
    if let Some(at) = differs {
        return Err(Error::Signature { at, found: bytes[at] });
    }
    let version_command = bytes.get(12).copied();
    if let Some(found) = version_command.filter(|found| found >> 4 != 2 || found & 0xf > PROXY) {
        return Err(Error::VersionCommand { found });
    }
    // Of the proxy's own connections, family and all that follows are to be discarded.
    let is_local = version_command.is_some_and(|found| found & 0xf == LOCAL);
    let family = bytes.get(13).map(|family| if is_local { UNSPECIFIED } else { *family });
    let is_known = |family: &u8| matches!(*family, UNSPECIFIED | TCP_OVER_IPV4 | TCP_OVER_IPV6);
    if let Some(found) = family.filter(|family| !is_known(family)) {
        return Err(Error::Family { found });
    }
    let (Some(family), Some(length)) = (family, bytes.get(14..16)) else { return Ok(None) };
    let body_bytes = usize::from(u16::from_be_bytes([length[0], length[1]]));
    let all_bytes = FIXED_BYTES + body_bytes;
    if all_bytes > MAX_BYTES {
        return Err(Error::TooLong { bytes: all_bytes });
    }
    let needed = match family {
        TCP_OVER_IPV4 => IPV4_BYTES,
        TCP_OVER_IPV6 => IPV6_BYTES,
        _ => 0,
    };
    if body_bytes < needed {
        return Err(Error::Addresses { bytes: body_bytes, needed });
    }
    let Some(header) = bytes.get(..all_bytes) else { return Ok(None) };
    // What follows an unspecified family may be anything.
    if family != UNSPECIFIED {
        tlv::check(header, FIXED_BYTES + needed)?;
    }
    let addresses = &header[FIXED_BYTES..FIXED_BYTES + needed];
    let (source, destination) = addresses_of(addresses).unzip();
    Ok(Some((Header { is_local, source, destination }, all_bytes)))
}

/// Source and destination, by how many bytes there are.
fn addresses_of(bytes: &[u8]) -> Option<(SocketAddr, SocketAddr)> {
    let address_bytes = match bytes.len() {
        IPV4_BYTES => 4,
        IPV6_BYTES => 16,
        _ => return None,
    };
    let address = |at: usize| ip(&bytes[at * address_bytes..][..address_bytes]);
    let port = |at: usize| {
        let bytes = &bytes[2 * address_bytes + 2 * at..];
        u16::from_be_bytes([bytes[0], bytes[1]])
    };
    let end = |at| Some(SocketAddr::new(address(at)?, port(at)));
    Some((end(0)?, end(1)?))
}

fn ip(bytes: &[u8]) -> Option<IpAddr> {
    let of_four = <[u8; 4]>::try_from(bytes).map(|bytes| Ipv4Addr::from(bytes).into());
    of_four.or_else(|_| <[u8; 16]>::try_from(bytes).map(|bytes| Ipv6Addr::from(bytes).into())).ok()
}

#[cfg(test)]
mod tests;
