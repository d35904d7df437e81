//! Each word of an `inherit_configuration` in `spin.toml` is a capability set: Spin ignores a word that it does not
//! know.

/// The capability sets that a dependency can inherit.
const CAPABILITIES: [&str; 7] = [
    "ai_models",
    "allowed_outbound_hosts",
    "environment",
    "files",
    "key_value_stores",
    "sqlite_databases",
    "variables",
];

/// Checks every list of the manifest.
pub(super) fn check(manifest: &str, faults: &mut Vec<String>) {
    for list in manifest.split("inherit_configuration = [").skip(1) {
        let list = list.split(']').next().unwrap_or_default();
        for word in list.split('"').skip(1).step_by(2).filter(|word| !CAPABILITIES.contains(word)) {
            faults
                .push(format!("spin.toml: inherit_configuration has no {word:?}; it knows {CAPABILITIES:?}"));
        }
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn an_unknown_word_is_found() {
        let manifest = "\"a:b/c@1.0.0\" = { path = \"p\", inherit_configuration = [\"variables\", \"key_value_store\"] }\n\
                        \"a:b/d@1.0.0\" = { path = \"p\" }\n";
        let mut faults = Vec::new();
        super::check(manifest, &mut faults);
        assert_eq!(faults.len(), 1, "{faults:?}");
        assert!(faults[0].contains("\"key_value_store\""), "{faults:?}");
    }
}
