//! How many connections there may be at once, in all and from each address.

use std::{
    collections::HashMap,
    fmt,
    net::{IpAddr, Ipv6Addr},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use crate::operation::ConnectionRefused;

/// Connections at once, where no setting says so.
const CONNECTIONS: usize = 4_096;

/// Those of one address: an origin that forwards its streams has one for each.
const CONNECTIONS_PER_ADDRESS: usize = 1_024;

/// Descriptors that a connection may need: its socket, the chunk that is written, the one that is read, and the call
/// that takes it.
const DESCRIPTORS_PER_CONNECTION: u64 = 4;

/// Descriptors that are left for all else.
const RESERVED_DESCRIPTORS: u64 = 128;

/// The places that connections take.
#[derive(Debug)]
pub(crate) struct Places {
    connections: usize,
    per_address: usize,
    taken: Mutex<Taken>,
}

#[derive(Debug, Default)]
struct Taken {
    connections: usize,
    by_address: HashMap<IpAddr, usize>,
}

/// A connection's place; dropping it frees the place.
#[derive(Debug)]
pub(crate) struct Place {
    places: Arc<Places>,
    /// `None` until it is known whose connection a proxy hands on.
    address: Option<IpAddr>,
}

/// Why there is no place: the limit, and whose.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NoPlace {
    /// There are as many connections as there may be.
    Full(usize),
    /// The address has as many as one may have.
    Address(IpAddr, usize),
}

impl NoPlace {
    /// As it is counted.
    pub(crate) fn counted(self) -> ConnectionRefused {
        match self {
            Self::Full(_) => ConnectionRefused::Full,
            Self::Address(..) => ConnectionRefused::Address,
        }
    }
}

impl fmt::Display for NoPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Full(limit) => write!(f, "there are {limit} connections already"),
            Self::Address(address, limit) => write!(f, "{address} has {limit} connections already"),
        }
    }
}

impl Places {
    /// As the settings say, but no more than so many descriptors suffice for.
    pub(crate) fn new(connections: Option<usize>, per_address: Option<usize>, descriptors: u64) -> Arc<Self> {
        let enough_for = descriptors.saturating_sub(RESERVED_DESCRIPTORS) / DESCRIPTORS_PER_CONNECTION;
        let enough_for = usize::try_from(enough_for).unwrap_or(usize::MAX).max(1);
        let wanted = connections.unwrap_or(CONNECTIONS);
        if enough_for < wanted {
            tracing::warn!(
                "this process may have {descriptors} files open: at most {enough_for} connections are taken, not \
                 {wanted}"
            );
        }
        let connections = wanted.min(enough_for);
        // One address takes no more than a quarter, unless a setting says so.
        let per_address = per_address.unwrap_or((connections / 4).clamp(1, CONNECTIONS_PER_ADDRESS));
        Arc::new(Self { connections, per_address, taken: Mutex::default() })
    }

    /// A place for a connection from this address, or why there is none.
    pub(crate) fn take(self: &Arc<Self>, address: IpAddr) -> Result<Place, NoPlace> {
        let mut place = self.take_unnamed()?;
        place.name(address)?;
        Ok(place)
    }

    /// A place for a connection that a proxy hands on, of which it is not known yet from where.
    pub(crate) fn take_unnamed(self: &Arc<Self>) -> Result<Place, NoPlace> {
        let mut taken = self.taken();
        if taken.connections >= self.connections {
            return Err(NoPlace::Full(self.connections));
        }
        taken.connections += 1;
        Ok(Place { places: Arc::clone(self), address: None })
    }

    /// How many are taken.
    pub(crate) fn taken_now(&self) -> usize {
        self.taken().connections
    }

    fn taken(&self) -> MutexGuard<'_, Taken> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Place {
    /// The connection is from this address; or why it has none.
    pub(crate) fn name(&mut self, address: IpAddr) -> Result<(), NoPlace> {
        let address = network(address);
        let Self { places, address: named } = self;
        let mut taken = places.taken();
        let of_address = taken.by_address.entry(address).or_default();
        if *of_address >= places.per_address {
            return Err(NoPlace::Address(address, places.per_address));
        }
        *of_address += 1;
        *named = Some(address);
        Ok(())
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut taken = self.places.taken();
        taken.connections -= 1;
        let Some(address) = self.address else { return };
        if let Some(of_address) = taken.by_address.get_mut(&address) {
            *of_address -= 1;
            if *of_address == 0 {
                taken.by_address.remove(&address);
            }
        }
    }
}

/// What counts as one address: of IPv6, the network of 64 bits that one customer has at least.
pub(crate) fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(address) => IpAddr::V4(address),
        IpAddr::V6(address) => IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() >> 64 << 64)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_counted_in_all_and_for_each_address() {
        let places = Places::new(Some(3), Some(2), 1 << 20);
        let take = |address: &str| places.take(address.parse().unwrap());
        let first = take("192.0.2.1").unwrap();
        let _second = take("::ffff:192.0.2.1").unwrap();
        assert_eq!(take("192.0.2.1").unwrap_err().to_string(), "192.0.2.1 has 2 connections already");
        let other = take("2001:db8::1").unwrap();
        assert_eq!(take("2001:db8::2").unwrap_err().to_string(), "there are 3 connections already");
        drop(first);
        let _same = take("2001:db8::2").unwrap();
        drop(other);
        let _again = take("2001:db8::3").unwrap();
        assert_eq!(places.taken().by_address.len(), 2);
    }

    #[test]
    fn a_place_is_named_once_its_address_is_known() {
        let places = Places::new(Some(3), Some(1), 1 << 20);
        let address = "192.0.2.1".parse().unwrap();
        let (mut first, mut second) = (places.take_unnamed().unwrap(), places.take_unnamed().unwrap());
        first.name(address).unwrap();
        assert_eq!(second.name(address), Err(NoPlace::Address(address, 1)));
        drop((first, second));
        assert_eq!((places.taken_now(), places.taken().by_address.len()), (0, 0));
    }

    #[test]
    fn there_are_no_more_places_than_descriptors_suffice_for() {
        let few = Places::new(None, None, 1_024);
        assert_eq!((few.connections, few.per_address), (224, 56));
        assert_eq!(Places::new(None, None, 1 << 20).connections, CONNECTIONS);
        assert_eq!(Places::new(Some(7), None, 0).connections, 1);
    }
}
