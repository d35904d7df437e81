//! The capability sets that a dependency can inherit, by Spin's names.

use std::str::FromStr;

use anyhow::{Result, bail};

/// A set of host interfaces that `inherit_configuration` grants together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Capability {
    /// Inferencing; no interface of it exists in this host.
    AiModels,
    /// Outbound HTTP and sockets.
    AllowedOutboundHosts,
    /// Environment variables and arguments.
    Environment,
    /// Preopened directories.
    Files,
    /// Key-value stores and their atomic operations.
    KeyValueStores,
    /// SQLite; no interface of it exists in this host.
    SqliteDatabases,
    /// Variables of the component.
    Variables,
}

const NAMES: [(&str, Capability); 7] = [
    ("ai_models", Capability::AiModels),
    ("allowed_outbound_hosts", Capability::AllowedOutboundHosts),
    ("environment", Capability::Environment),
    ("files", Capability::Files),
    ("key_value_stores", Capability::KeyValueStores),
    ("sqlite_databases", Capability::SqliteDatabases),
    ("variables", Capability::Variables),
];

/// Interfaces without their version, and the set that grants each.
const INTERFACES: [(&str, Capability); 14] = [
    ("wasi:http/client", Capability::AllowedOutboundHosts),
    ("wasi:http/outgoing-handler", Capability::AllowedOutboundHosts),
    ("wasi:sockets/ip-name-lookup", Capability::AllowedOutboundHosts),
    ("wasi:sockets/tcp", Capability::AllowedOutboundHosts),
    ("wasi:sockets/tcp-create-socket", Capability::AllowedOutboundHosts),
    ("wasi:sockets/udp", Capability::AllowedOutboundHosts),
    ("wasi:sockets/udp-create-socket", Capability::AllowedOutboundHosts),
    ("wasi:cli/environment", Capability::Environment),
    ("wasi:filesystem/preopens", Capability::Files),
    ("spin:key-value/key-value", Capability::KeyValueStores),
    ("wasi:keyvalue/store", Capability::KeyValueStores),
    ("wasi:keyvalue/atomics", Capability::KeyValueStores),
    ("wasi:keyvalue/batch", Capability::KeyValueStores),
    ("spin:variables/variables", Capability::Variables),
];

impl FromStr for Capability {
    type Err = anyhow::Error;

    fn from_str(name: &str) -> Result<Self> {
        match NAMES.iter().find(|(known, _)| *known == name) {
            Some((_, capability)) => Ok(*capability),
            None => {
                let known = NAMES.map(|(known, _)| known).join(", ");
                bail!("unknown capability set {name:?}, expected one of {known}")
            }
        }
    }
}

/// What a dependency inherits of the component that depends on it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Inherit {
    /// Every capability.
    All,
    /// These alone.
    Some(Vec<Capability>),
}

impl Inherit {
    /// Nothing: every interface of a capability set refuses.
    #[must_use]
    pub fn none() -> Self {
        Self::Some(Vec::new())
    }

    /// Whether a dependency may use `interface` (`package:name/interface@version`) of the host.
    ///
    /// An interface of no capability set, such as a clock, is always allowed.
    #[must_use]
    pub fn allows(&self, interface: &str) -> bool {
        let Self::Some(granted) = self else { return true };
        let name = interface.split('@').next().unwrap_or(interface);
        match INTERFACES.iter().find(|(known, _)| *known == name) {
            Some((_, needed)) => granted.contains(needed),
            None => true,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unknown_set_is_refused_and_the_known_ones_are_listed() {
        let error = "key_values".parse::<Capability>().unwrap_err().to_string();
        assert!(error.contains("key_values") && error.contains("key_value_stores"), "{error}");
    }

    #[test]
    fn a_dependency_without_grants_keeps_clocks_and_loses_the_network() {
        let inherit = Inherit::none();
        assert!(inherit.allows("wasi:clocks/monotonic-clock@0.3.0"));
        assert!(!inherit.allows("wasi:http/client@0.3.0"));
        assert!(!inherit.allows("wasi:sockets/tcp@0.2.6"));
    }

    #[test]
    fn a_grant_covers_every_interface_of_its_set_and_no_other() {
        let inherit = Inherit::Some(vec![Capability::KeyValueStores]);
        assert!(inherit.allows("spin:key-value/key-value@3.0.0"));
        assert!(inherit.allows("wasi:keyvalue/atomics@0.2.0-draft2"));
        assert!(!inherit.allows("spin:variables/variables@3.0.0"));
    }
}
