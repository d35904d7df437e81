//! What is stored, byte by byte, and how the next version of a type reads it.

use serde::{Deserialize, Serialize};
use store::memory::{MemoryStore, run};
use store::{Record, Store, record};

use super::{config, rule, triple};
use crate::register::{Register, State};
use crate::rule::Entered;
use crate::{Forbidden, Format, NotifyConfig, OnDemand, SliceFormat, key, notify, rule as rules};

fn stored(store: &MemoryStore, key: &str) -> String {
    String::from_utf8(run(store.get(key)).unwrap().unwrap()).unwrap()
}

/// Who changes a stored type changes these texts, and with them raises the type's version.
#[test]
fn version_1_is_written_as_ever() {
    let store = MemoryStore::default();
    run(rules::add(&store, rule("live", "*", "bkt"))).unwrap();
    run(notify::add(&store, config("http://a"))).unwrap();
    let key = key::rule(&triple("live", "*"));
    assert_eq!(
        stored(&store, &format!("{key}.1")),
        r#"1 {"mark":"Committed","value":{"rule":{"triple":{"domain":"live.example.com","app":"live","#
            .to_owned()
            + r#""stream":"*"},"oss_endpoint":"localhost","oss_bucket":"bkt","on_demand":"always","delay_s":180,"#
            + r#""start_s":null,"end_s":null,"formats":[{"container":"m3u8","cycle_s":21600,"object_prefix":"f","#
            + r#""slices":{"length_s":30,"object_prefix":"s"}}],"transcode_formats":[],"transcode_templates":[],"#
            + r#""created_s":1},"slot":1}}"#
    );
    let forbidden = Forbidden { stream: triple("live", "x"), since_s: 1, until_s: 2 };
    run(crate::forbidden::add(&store, forbidden)).unwrap();
    assert_eq!(
        stored(&store, &format!("{}.1", key::forbidden(&triple("live", "x")))),
        r#"1 {"mark":"Committed","value":{"forbidden":{"stream":{"domain":"live.example.com","app":"live","#
            .to_owned()
            + r#""stream":"x"},"since_s":1,"until_s":2},"slot":1}}"#
    );
    let directory = key::directory("live.example.com");
    assert_eq!(stored(&store, &format!("{directory}.slot.1")), r#"1 {"app":"live","stream":"*"}"#);
    assert_eq!(
        stored(&store, &format!("{}.1", key::notify("live.example.com"))),
        r#"1 {"mark":"Committed","value":{"domain":"live.example.com","notify_url":"http://a","on_demand_url":null,"#
            .to_owned()
            + r#""need_status_notify":false,"notify_req_auth":false,"notify_auth_key":null}}"#
    );
}

/// A notify config as a later version may have it, with one field more.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct NextConfig {
    #[serde(flatten)]
    config: NotifyConfig,
    #[serde(default)]
    retries: u32,
}

impl Record for NextConfig {
    const VERSION: u32 = NotifyConfig::VERSION + 1;
}

#[test]
fn a_register_of_the_version_before_is_read_and_changed_after_a_field_was_added() {
    let store = MemoryStore::default();
    run(notify::add(&store, config("http://a"))).unwrap();
    let register = Register::new(&store, key::notify("live.example.com"));
    let state: State<NextConfig> = run(register.read()).unwrap();
    assert_eq!(state.value, Some(NextConfig { config: config("http://a"), retries: 0 }));
    let retries = |before: &State<NextConfig>| {
        Ok(before.value.clone().map(|config| NextConfig { retries: 3, ..config }))
    };
    run(register.change(retries)).unwrap();
    let state: State<NextConfig> = run(register.read()).unwrap();
    assert_eq!(state.value.map(|config| config.retries), Some(3));
    // And a program of the version before says what it cannot read.
    let key = key::notify("live.example.com");
    assert_eq!(
        run(notify::get(&store, "live.example.com")).unwrap_err().to_string(),
        format!("record \"{key}.2\" of version 2 cannot be read: this program reads versions 1 to 1")
    );
}

#[test]
fn a_rule_that_cannot_be_read_names_its_key_and_version() {
    let store = MemoryStore::default();
    run(rules::add(&store, rule("live", "*", "bkt"))).unwrap();
    let key = format!("{}.1", key::rule(&triple("live", "*")));
    run(store.set(&key, br#"1 {"mark":"Committed","value":{"rule":{},"slot":1}}"#)).unwrap();
    assert_eq!(
        run(rules::get(&store, &triple("live", "*"))).unwrap_err().to_string(),
        format!("record \"{key}\" of version 1 cannot be read: missing field `triple` at line 1 column 10")
    );
}

/// The widest rule that the API takes: every list full, every text as long as it may be.
#[test]
fn the_largest_rule_fits_a_value() {
    let long = || "直".repeat(85);
    let format = |container| Format {
        container,
        cycle_s: 21_600,
        object_prefix: long(),
        slices: Some(SliceFormat { length_s: 30, object_prefix: long() }),
    };
    let formats = || vec![format(crate::Container::M3u8); 3];
    let mut rule = rule(&long(), &long(), "b");
    rule.triple.domain = long();
    rule.on_demand = OnDemand::PushArgument;
    (rule.start_s, rule.end_s) = (Some(u64::MAX), Some(u64::MAX));
    (rule.formats, rule.transcode_formats) = (formats(), formats());
    rule.transcode_templates = vec![long(); 100];
    let size = record::encode("k", &Entered { rule, slot: u64::MAX }).unwrap().len();
    assert!(size < store::limits::VALUE_BYTES / 4, "{size}");
}
