//! What a guest sees of the machine: what it is given, and nothing else.

use std::sync::Arc;
use std::time::Duration;

use host::{Clock, RandomSource};

use crate::support::{builder, get, manifest, probe};

struct StoppedClock;

impl Clock for StoppedClock {
    fn wall(&self) -> Duration {
        Duration::from_millis(981_173_106_789)
    }

    fn monotonic(&self) -> Duration {
        Duration::from_secs(7)
    }
}

struct Seed(u8);

impl RandomSource for Seed {
    fn seed(&self) -> [u8; 32] {
        [self.0; 32]
    }
}

#[tokio::test]
async fn the_injected_clock_is_what_a_guest_reads() {
    let manifest = manifest("source = \"probe.wasm\"");
    let host = builder(manifest).clock(Arc::new(StoppedClock)).build().unwrap();
    assert_eq!(get(&host, "/clock").await.granted(), "981173106789 0");
}

#[tokio::test]
async fn the_system_clock_is_the_default() {
    let now = || std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_millis();
    let before = now();
    let answer = get(&probe(""), "/clock").await.granted();
    let read: u128 = answer.split(' ').next().unwrap().parse().unwrap();
    assert!((before..=now()).contains(&read), "{read}");
}

#[tokio::test]
async fn equal_seeds_give_equal_randomness_and_others_do_not() {
    let mut seen = Vec::new();
    for seed in [1, 1, 2] {
        let manifest = manifest("source = \"probe.wasm\"");
        let host = builder(manifest).random(Arc::new(Seed(seed))).build().unwrap();
        seen.push(get(&host, "/random").await.granted());
    }
    assert_eq!(seen[0], seen[1]);
    assert_ne!(seen[0], seen[2]);
}

#[tokio::test]
async fn there_is_no_environment_no_file_and_no_socket() {
    get(&probe(""), "/isolation").await.granted();
}

#[tokio::test]
async fn a_guest_can_print() {
    get(&probe(""), "/print").await.granted();
}

#[tokio::test]
async fn a_guest_reads_the_variables_of_its_component_alone() {
    let text = r#"
        spin_manifest_version = 2
        application = { name = "test" }
        variables = { name = { default = "default" }, other = { default = "x" } }
        trigger.http = [{ route = "/...", component = "guest" }]
        component.guest = { source = "probe.wasm", variables = { greeting = "hello {{ name }}" } }
    "#;
    let manifest = host::Manifest::parse(text, crate::guests::GUESTS.clone()).unwrap();
    let given = [("name".to_owned(), "world".to_owned())].into();
    let host = builder(manifest).variables(given).build().unwrap();
    assert_eq!(get(&host, "/variable?greeting").await.granted(), "hello world");
    assert_eq!(get(&host, "/variable?other").await.refused(), "Error::Undefined(\"other\")");
    assert_eq!(get(&host, "/variable?No").await.refused(), "Error::InvalidName(\"No\")");
}
