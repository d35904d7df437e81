//! What a rule means for a push: pure functions.

use std::collections::BTreeMap;

use protocol::{BeginSession, ChunkPolicy, StreamPath};
use shared::rules::OnDemand;

/// When a rule has a push recorded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Terms {
    /// Which pushes the rule has recorded.
    pub on_demand: OnDemand,
    /// The one-shot window, Unix seconds.
    pub start_time: Option<u64>,
    pub end_time: Option<u64>,
}

impl Terms {
    /// Whether a push that begins now is recorded from its begin.
    #[must_use]
    pub fn record(self, arguments: &BTreeMap<String, String>, now_ms: u64) -> bool {
        let now = now_ms / 1000;
        if self.start_time.is_some_and(|start| now < start) || self.end_time.is_some_and(|end| now >= end) {
            return false;
        }
        match self.on_demand {
            OnDemand::Always => true,
            OnDemand::PushArgument => {
                arguments.get("record_config").is_some_and(|config| need_record(config))
            }
            // The on-demand URL is not asked yet.
            OnDemand::AskUrl | OnDemand::Command => false,
        }
    }
}

/// `record_config={"NeedRecord":true}` in the push URL.
fn need_record(config: &str) -> bool {
    #[derive(serde::Deserialize)]
    struct RecordConfig {
        #[serde(rename = "NeedRecord", default)]
        need_record: bool,
    }
    serde_json::from_str::<RecordConfig>(config).is_ok_and(|config| config.need_record)
}

/// How a push is cut whose slices should last this many seconds; none where no slices are wanted of it.
#[must_use]
pub fn chunk_policy(slice_seconds: Option<u32>) -> ChunkPolicy {
    let Some(slice_seconds) = slice_seconds else { return ChunkPolicy::default() };
    let target_ms = u64::from(slice_seconds) * 1000;
    ChunkPolicy { target_ms, max_ms: 4 * target_ms, ..ChunkPolicy::default() }
}

/// The session of a push: the same push always means the same session.
pub fn session_id(stream: &StreamPath, begin: &BeginSession, random: impl FnOnce() -> [u8; 16]) -> String {
    let id: u128 = if begin.push.is_empty() {
        u128::from_be_bytes(random())
    } else {
        let digest = naming::digest([&stream.to_string(), &begin.gateway, &begin.push]);
        digest.iter().take(16).fold(0, |id, &byte| id << 8 | u128::from(byte))
    };
    format!("{id:032x}")
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALWAYS: Terms = Terms { on_demand: OnDemand::Always, start_time: None, end_time: None };

    fn with_config(config: &str) -> BTreeMap<String, String> {
        BTreeMap::from([("record_config".to_owned(), config.to_owned())])
    }

    #[test]
    fn automatic_rules_record_within_their_window_only() {
        let window = Terms { start_time: Some(100), end_time: Some(200), ..ALWAYS };
        let record = |terms: Terms, now_ms| terms.record(&BTreeMap::new(), now_ms);
        assert!(record(ALWAYS, 0));
        assert_eq!(
            [99_999, 100_000, 199_999, 200_000].map(|now| record(window, now)),
            [false, true, true, false]
        );
    }

    #[test]
    fn a_push_argument_decides_only_where_the_rule_says_so() {
        let by_argument = Terms { on_demand: OnDemand::PushArgument, ..ALWAYS };
        assert!(by_argument.record(&with_config(r#"{"NeedRecord":true}"#), 0));
        for config in [r#"{"NeedRecord":false}"#, "{}", "", "true", r#"{"NeedRecord":"true"}"#] {
            assert!(!by_argument.record(&with_config(config), 0), "{config}");
        }
        assert!(!by_argument.record(&BTreeMap::new(), 0));
        let by_command = Terms { on_demand: OnDemand::Command, ..ALWAYS };
        assert!(!by_command.record(&with_config(r#"{"NeedRecord":true}"#), 0));
    }

    #[test]
    fn one_push_is_one_session() {
        let stream = StreamPath::new("d", "a", "s").unwrap();
        let other = StreamPath::new("d", "a", "t").unwrap();
        let begin = BeginSession { gateway: "g".into(), push: "1".into(), ..BeginSession::default() };
        let never = || unreachable!("a named push needs no randomness");
        let id = session_id(&stream, &begin, never);
        assert_eq!(id.len(), 32);
        assert_eq!(id, session_id(&stream, &begin, never));
        assert_ne!(id, session_id(&other, &begin, never));
        let unnamed = BeginSession::default();
        assert_eq!(session_id(&stream, &unnamed, || [0xab; 16]), "ab".repeat(16));
    }

    #[test]
    fn a_long_gop_is_cut_at_four_times_the_target() {
        assert_eq!((chunk_policy(Some(5)).target_ms, chunk_policy(Some(5)).max_ms), (5_000, 20_000));
        assert_eq!(chunk_policy(None), ChunkPolicy::default());
    }
}
