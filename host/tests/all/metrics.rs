//! What the host counts: each metric moves where it should, and the documentation names them all.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use exposition::Exposition;
use host::{Host, HostBuilder, InstanceLimits, Manifest};

use crate::guests::GUESTS;
use crate::key_value::Failing;
use crate::support::{Served, builder, get, manifest, receiver};

fn text(host: &Host) -> String {
    let mut text = Exposition::default();
    host.write_metrics(&mut text);
    text.finish()
}

/// The value of a sample, which is there.
pub(crate) fn value(host: &Host, sample: &str) -> f64 {
    let text = text(host);
    let line = text.lines().find_map(|line| line.strip_prefix(sample)?.strip_prefix(' '));
    line.unwrap_or_else(|| panic!("{sample} is not in {text}")).parse().unwrap()
}

/// The one function, and what may be counted of it.
fn of(name: &str, labels: &str) -> String {
    format!("live_recorder_{name}{{function=\"guest\"{labels}}}")
}

fn open(grant: &str) -> HostBuilder {
    builder(manifest(&format!("source = \"probe.wasm\"\n{grant}")))
}

#[tokio::test]
async fn requests_and_instances_are_counted() {
    let limits = InstanceLimits {
        memory_bytes: 64 << 20,
        idle: Duration::from_millis(50),
        request: Duration::from_millis(500),
        ..InstanceLimits::default()
    };
    let host = open("").limits(limits).build().unwrap();
    let requests = |status| value(&host, &of("function_requests_total", &format!(",status=\"{status}\"")));
    assert_eq!(value(&host, &of("function_instances", "")), 0.0);
    get(&host, "/allocate?32").await.granted();
    assert_eq!(value(&host, &of("function_instances", "")), 1.0);
    assert!(value(&host, &of("function_memory_bytes", "")) > f64::from(32 << 20));
    assert_eq!((requests("2xx"), requests("5xx"), requests("trap")), (1.0, 0.0, 0.0));

    get(&host, "/allocate?128").await.refused();
    assert!(value(&host, &of("function_memory_refused_total", "")) > 0.0);
    assert_eq!(requests("5xx"), 1.0);

    get(&host, "/trap").await;
    assert_eq!(requests("trap"), 1.0);
    assert_eq!(value(&host, &of("function_instances_failed_total", "")), 1.0);
    get(&host, "/wait?60000").await;
    assert_eq!(requests("trap"), 2.0);
    assert!(value(&host, &of("function_instances_started_total", "")) >= 2.0);
    assert!(value(&host, &of("function_instance_start_seconds_count", "")) >= 2.0);
    assert_eq!(value(&host, &of("function_request_duration_seconds_count", "")), 4.0);
    assert_eq!(value(&host, "live_recorder_function_memory_limit_bytes"), f64::from(64 << 20));

    // Whoever asks leaves.
    {
        let mut asks = std::pin::pin!(get(&host, "/wait?60000"));
        tokio::select! {
            answer = &mut asks => panic!("{answer:?}"),
            () = tokio::time::sleep(Duration::from_millis(100)) => {}
        }
        assert_eq!(value(&host, &of("function_requests_running", "")), 1.0);
    }
    assert_eq!(requests("gone"), 1.0);
    assert_eq!(value(&host, &of("function_requests_running", "")), 0.0);

    // Instances that idle are given up, with their memory.
    let begun = Instant::now();
    while value(&host, &of("function_instances", "")) > 0.0 {
        assert!(begun.elapsed() < Duration::from_secs(20), "{}", text(&host));
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(value(&host, &of("function_memory_bytes", "")), 0.0);
}

#[tokio::test]
async fn requests_of_functions_are_counted_by_where_they_go() {
    let receiver = receiver().await;
    let text = r#"
        spin_manifest_version = 2
        application = { name = "test" }
        variables = { stores = { required = true }, anywhere = { default = "*://*:*" }, private = { default = "true" } }
        trigger.http = [{ route = "/...", component = "guest" }]
        [component.guest]
        source = "probe.wasm"
        allowed_outbound_hosts = ["http://{{ stores }}", "{{ anywhere }}", "http://self"]
    "#;
    let manifest = Manifest::parse(text, GUESTS.clone()).unwrap();
    let given = [("stores".to_owned(), receiver.to_string())].into();
    let host = builder(manifest).variables(given).public_only("anywhere", "private").build().unwrap();
    let sent = |to, outcome: &str| {
        value(&host, &of("sent_requests_total", &format!(",to=\"{to}\",outcome=\"{outcome}\"")))
    };
    get(&host, &format!("/fetch?http://{receiver}/x")).await.granted();
    assert_eq!((sent("store", "2xx"), sent("receiver", "2xx")), (1.0, 0.0));
    get(&host, &format!("/fetch?http://localhost:{}/x", receiver.port())).await.granted();
    assert_eq!((sent("store", "2xx"), sent("receiver", "2xx")), (1.0, 1.0));
    get(&host, "/fetch?http://127.0.0.1:1/x").await.refused();
    assert_eq!(sent("receiver", "unreachable"), 1.0);
    for to in ["store", "receiver"] {
        let count = value(&host, &of("sent_request_duration_seconds_count", &format!(",to=\"{to}\"")));
        assert_eq!(count, if to == "store" { 1.0 } else { 2.0 });
        assert_eq!(value(&host, &of("sent_requests_running", &format!(",to=\"{to}\""))), 0.0);
    }
    // Where the host does not listen, it cannot be reached.
    get(&host, "/fetch?http://self.alt/random").await.refused();
    assert_eq!(sent("self", "broken"), 1.0);
}

#[tokio::test]
async fn operations_of_the_store_are_counted_and_so_is_that_it_fails() {
    let grant = "key_value_stores = [\"default\"]";
    let host = open(grant).build().unwrap();
    let done = |host: &Host, operation, outcome| {
        let name = "live_recorder_key_value_operations_total";
        value(host, &format!("{name}{{operation=\"{operation}\",outcome=\"{outcome}\"}}"))
    };
    get(&host, "/increment?a").await.granted();
    get(&host, "/keys").await.granted();
    assert_eq!((done(&host, "increment", "ok"), done(&host, "keys", "ok")), (1.0, 1.0));
    let duration = "live_recorder_key_value_operation_duration_seconds_count{operation=\"increment\"}";
    assert_eq!(value(&host, duration), 1.0);
    assert_eq!(value(&host, "live_recorder_key_value_operations_running{operation=\"increment\"}"), 0.0);
    assert_eq!(value(&host, "live_recorder_key_value_failing"), 0.0);
    get(&host, "/key-value").await.granted();
    for operation in ["get", "set", "delete", "exists"] {
        assert!(done(&host, operation, "ok") > 0.0, "{operation}");
    }

    let host = open(grant).key_value(Arc::new(Failing)).build().unwrap();
    get(&host, "/increment?a").await.refused();
    assert_eq!(done(&host, "increment", "failed"), 1.0);
    assert_eq!(value(&host, "live_recorder_key_value_failing"), 1.0);
}

#[tokio::test]
async fn a_function_that_asks_its_own_application_is_counted_as_such() {
    let host = Arc::new(open("allowed_outbound_hosts = [\"http://self\"]").build().unwrap());
    let served = Served::of(host.clone()).await;
    get(&host, "/fetch?http://self.alt/random").await.granted();
    assert_eq!(value(&host, &of("sent_requests_total", ",to=\"self\",outcome=\"2xx\"")), 1.0);
    served.stop().await;
}

#[test]
fn documentation_and_alerts_name_what_is_exposed() {
    let host = open("").build().unwrap();
    let text = text(&host);
    let exposed: BTreeSet<&str> =
        text.lines().filter_map(|line| line.strip_prefix("# TYPE ")?.split(' ').next()).collect();
    for (file, is_complete) in
        [("docs/host-metrics.md", true), ("deploy/prometheus/functions-alerts.yml", false)]
    {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(file);
        let document = std::fs::read_to_string(path).unwrap();
        let is_part = |letter: char| letter.is_ascii_alphanumeric() || letter == '_';
        let named = document.split(|letter: char| !is_part(letter));
        let named: BTreeSet<&str> = named
            .filter(|word| word.starts_with("live_recorder_"))
            .map(|word| word.strip_suffix("_bucket").unwrap_or(word))
            .collect();
        assert!(named.is_subset(&exposed), "{file}: {:?}", named.difference(&exposed));
        assert!(
            !named.is_empty() && (!is_complete || named == exposed),
            "{file}: {:?}",
            exposed.difference(&named)
        );
    }
}
