//! What a rule means for a push: pure functions.

use std::collections::BTreeMap;

use protocol::ChunkPolicy;
use shared::rules::OnDemand;

/// Whether a push is wanted, where the rule asks the push itself.
#[must_use]
pub fn is_wanted(on_demand: OnDemand, arguments: &BTreeMap<String, String>) -> bool {
    match on_demand {
        OnDemand::PushArgument => arguments.get("record_config").is_some_and(|config| need_record(config)),
        // The URL is asked by itself; the other two ask nobody.
        OnDemand::AskUrl | OnDemand::Always | OnDemand::Command => false,
    }
}

/// `record_config={"NeedRecord":true}` in the push URL. Where that cannot be read, a plus may be a space, as forms write one.
fn need_record(config: &str) -> bool {
    #[derive(serde::Deserialize)]
    struct RecordConfig {
        #[serde(rename = "NeedRecord", default)]
        need_record: bool,
    }
    let read = |text: &str| serde_json::from_str::<RecordConfig>(text).ok();
    read(config).or_else(|| read(&config.replace('+', " "))).is_some_and(|config| config.need_record)
}

/// How a push is cut whose slices should last this many seconds; none where no slices are wanted of it.
#[must_use]
pub fn chunk_policy(slice_seconds: Option<u32>) -> ChunkPolicy {
    let Some(slice_seconds) = slice_seconds else { return ChunkPolicy::default() };
    let target_ms = u64::from(slice_seconds) * 1000;
    ChunkPolicy { target_ms, max_ms: 4 * target_ms, ..ChunkPolicy::default() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with_config(config: &str) -> BTreeMap<String, String> {
        BTreeMap::from([("record_config".to_owned(), config.to_owned())])
    }

    #[test]
    fn a_push_argument_decides_only_where_the_rule_says_so() {
        for config in [r#"{"NeedRecord":true}"#, r#"{"NeedRecord":+true}"#, r#"{"NeedRecord":true,"n":1e+5}"#]
        {
            assert!(is_wanted(OnDemand::PushArgument, &with_config(config)), "{config}");
        }
        for config in [r#"{"NeedRecord":false}"#, "{}", "", "true", r#"{"NeedRecord":"true"}"#] {
            assert!(!is_wanted(OnDemand::PushArgument, &with_config(config)), "{config}");
        }
        assert!(!is_wanted(OnDemand::PushArgument, &BTreeMap::new()));
        assert!(!is_wanted(OnDemand::Command, &with_config(r#"{"NeedRecord":true}"#)));
    }

    #[test]
    fn a_long_gop_is_cut_at_four_times_the_target() {
        assert_eq!((chunk_policy(Some(5)).target_ms, chunk_policy(Some(5)).max_ms), (5_000, 20_000));
        assert_eq!(chunk_policy(None), ChunkPolicy::default());
    }
}
