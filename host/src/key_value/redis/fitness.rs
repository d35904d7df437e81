//! Whether a Redis server keeps what it acknowledges, by what it says of itself.

use std::collections::BTreeMap;

use redis::InfoDict;

/// The server's settings by name.
pub(super) type Settings = BTreeMap<String, String>;

/// The settings that are asked for.
pub(super) const NAMES: [&str; 4] = ["appendonly", "appendfsync", "maxmemory", "maxmemory-policy"];

/// What is to be thought of a server.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Verdict {
    /// Why it cannot be used at all.
    pub(super) unfit: Option<String>,
    /// What to set, so that it loses nothing that it has acknowledged.
    pub(super) to_set: Vec<String>,
    /// Why it could not be asked.
    pub(super) unknown: Option<String>,
}

impl Verdict {
    pub(super) fn unknown(why: String) -> Self {
        Self { unknown: Some(why), ..Self::default() }
    }
}

/// Judges a server by its `INFO` and those of its settings that it shows.
pub(super) fn judge(info: &InfoDict, settings: &Settings) -> Verdict {
    let said = |name: &str| info.get::<String>(name).unwrap_or_default();
    let setting = |name: &str| settings.get(name).map(String::as_str);
    let unfit = if said("role") == "slave" {
        let (host, port) = (said("master_host"), said("master_port"));
        Some(format!("it is a replica of {host}:{port}; give the URL of its primary"))
    } else if said("redis_mode") == "cluster" {
        Some("it is a node of a cluster; give the URL of one primary that has every key".to_owned())
    } else {
        None
    };
    // The policies that evict only what expires concern nothing of the recorder's.
    let evicts = |policy: &&str| policy.starts_with("allkeys") && setting("maxmemory") != Some("0");
    let wrong = [
        ("appendonly yes", setting("appendonly").filter(|value| *value != "yes")),
        ("appendfsync always", setting("appendfsync").filter(|value| *value != "always")),
        ("maxmemory-policy noeviction", setting("maxmemory-policy").filter(evicts)),
    ];
    let to_set = wrong.into_iter().filter_map(|(to_set, found)| {
        Some(format!("set `{to_set}` in its configuration, where {:?} is set", found?))
    });
    Verdict { unfit, to_set: to_set.collect(), unknown: None }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PRIMARY: &str = "redis_mode:standalone\r\nrole:master\r\nconnected_slaves:0\r\n";

    const SAFE: [(&str, &str); 4] = [
        ("appendonly", "yes"),
        ("appendfsync", "always"),
        ("maxmemory", "0"),
        ("maxmemory-policy", "noeviction"),
    ];

    /// The verdict on a primary with safe settings, but for these.
    fn judge_with(changed: &[(&str, &str)]) -> Verdict {
        let settings = SAFE.iter().chain(changed);
        let settings = settings.map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        judge(&InfoDict::new(PRIMARY), &settings.collect())
    }

    #[test]
    fn one_primary_that_syncs_each_write_is_safe() {
        assert_eq!(judge_with(&[]), Verdict::default());
        assert_eq!(
            judge_with(&[("maxmemory", "1000"), ("maxmemory-policy", "volatile-lru")]),
            Verdict::default()
        );
        assert_eq!(judge_with(&[("maxmemory-policy", "allkeys-lru")]), Verdict::default());
    }

    #[test]
    fn each_setting_that_loses_writes_is_named_with_what_to_set() {
        let cases = [
            (&[("appendonly", "no")][..], "`appendonly yes`", "\"no\""),
            (&[("appendfsync", "everysec")], "`appendfsync always`", "\"everysec\""),
            (
                &[("maxmemory", "1000"), ("maxmemory-policy", "allkeys-lru")],
                "`maxmemory-policy noeviction`",
                "\"allkeys-lru\"",
            ),
        ];
        for (changed, to_set, found) in cases {
            let verdict = judge_with(changed);
            let [reason] = &verdict.to_set[..] else { panic!("{verdict:?}") };
            assert!(reason.contains(to_set) && reason.contains(found), "{reason}");
            assert_eq!(verdict.unfit, None);
        }
    }

    #[test]
    fn a_replica_and_a_node_of_a_cluster_are_unfit() {
        let replica = InfoDict::new("role:slave\r\nmaster_host:192.0.2.1\r\nmaster_port:6379\r\n");
        let unfit = judge(&replica, &Settings::default()).unfit.unwrap();
        assert!(unfit.contains("192.0.2.1:6379"), "{unfit}");
        let cluster = InfoDict::new("redis_mode:cluster\r\nrole:master\r\n");
        assert!(judge(&cluster, &Settings::default()).unfit.is_some());
    }
}
