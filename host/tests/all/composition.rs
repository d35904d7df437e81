//! Dependencies: what they satisfy, what they inherit, and how fast a body passes through them.

use anyhow::Result;
use bytes::Bytes;
use host::Host;

use crate::support::{Served, builder, get, manifest, pattern, probe, receiver, send};

/// `relay` with `transform` and with `sink` inheriting `inherit`, and the grants in `component`.
fn relay(inherit: &str, component: &str) -> Result<Host> {
    let dependencies = format!(
        "source = \"relay.wasm\"\n{component}\n[component.guest.dependencies]\n\
         \"conformance:transform/transform@0.1.0\" = {{ path = \"transform.wasm\" }}\n\
         \"conformance:sink/sink@0.1.0\" = {{ path = \"sink.wasm\"{inherit} }}\n"
    );
    builder(manifest(&dependencies)).build()
}

const EVERYTHING: &str = "key_value_stores = [\"default\"]\n\
                          variables = { greeting = \"hello\" }\n\
                          allowed_outbound_hosts = [\"http://*:*\"]";

#[tokio::test]
async fn a_dependency_uses_what_it_inherits() {
    let inherit = ", inherit_configuration = [\"key_value_stores\", \"variables\"]";
    let host = relay(inherit, EVERYTHING).unwrap();
    assert_eq!(get(&host, "/attempt/key-value").await.granted(), "written");
    assert_eq!(get(&host, "/attempt/variables").await.granted(), "hello");
    let host = relay(", inherit_configuration = true", EVERYTHING).unwrap();
    assert_eq!(get(&host, "/attempt/key-value").await.granted(), "written");
}

#[tokio::test]
async fn errors_when_a_dependency_does_not_inherit() {
    let host = relay("", EVERYTHING).unwrap();
    let receiver = receiver().await;
    assert_eq!(get(&host, "/attempt/key-value").await.refused(), "Error::AccessDenied");
    assert_eq!(get(&host, "/attempt/variables").await.refused(), "Error::Undefined(\"greeting\")");
    let target = format!("/put?authority={receiver}&path=/x");
    let refused = send(&host, "POST", &target, Bytes::from_static(b"abc")).await.refused();
    assert!(refused.contains("is not permitted"), "{refused}");
    // What needs no grant works, and is empty.
    assert_eq!(get(&host, "/attempt/environment").await.granted(), "0 variables");
    assert_eq!(get(&host, "/attempt/files").await.granted(), "no files");
}

#[tokio::test]
async fn a_dependency_inherits_what_the_component_has_and_not_more() {
    let host = relay(", inherit_configuration = true", "").unwrap();
    assert_eq!(get(&host, "/attempt/key-value").await.refused(), "Error::AccessDenied");
    let refused = send(&host, "POST", "/put?authority=127.0.0.1:1&path=/x", Bytes::new()).await.refused();
    assert_eq!(refused, "ErrorCode::HttpRequestDenied");
}

/// The path of every chunk: the request's body through a dependency into another one's request.
#[tokio::test(flavor = "multi_thread")]
async fn a_body_streams_through_dependencies_into_a_request() {
    let host = relay(", inherit_configuration = [\"allowed_outbound_hosts\"]", EVERYTHING).unwrap();
    let receiver = receiver().await;
    let target = format!("/put?authority={receiver}&path=/x");
    for length in [0, 1, 2_500_000, 16 << 20] {
        assert_eq!(send(&host, "POST", &target, pattern(length)).await.granted(), "201", "{length} bytes");
    }
}

/// As a bucket does when the object exists already: the answer comes before the body was read.
#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_comes_early_is_not_lost() {
    let host = relay(", inherit_configuration = [\"allowed_outbound_hosts\"]", EVERYTHING).unwrap();
    let refusing = Served::new(probe("")).await;
    let target = format!("/put?authority={}&path=/unknown", refusing.address);
    for _ in 0..10 {
        assert_eq!(send(&host, "POST", &target, pattern(4 << 20)).await.granted(), "500");
    }
}

#[tokio::test]
async fn a_dependency_that_counts_needs_the_store() {
    let counter = |inherit: &str| {
        builder(manifest(&format!(
            "source = \"relay.wasm\"\nkey_value_stores = [\"default\"]\n[component.guest.dependencies]\n\
             \"conformance:sink/sink@0.1.0\" = {{ path = \"counter.wasm\"{inherit} }}\n"
        )))
        .build()
        .err()
        .unwrap()
    };
    let error = format!("{:#}", counter(""));
    assert!(error.contains("key_value_stores") && error.contains("wasi:keyvalue/atomics"), "{error}");
    let error = format!("{:#}", counter(", inherit_configuration = [\"key_value_stores\"]"));
    assert!(error.contains("does not export \"conformance:sink/sink@0.1.0\""), "{error}");
}

#[tokio::test]
async fn a_dependency_that_nobody_imports_is_named() {
    let error = builder(manifest(
        "source = \"probe.wasm\"\n[component.guest.dependencies]\n\"a:b/c@0.1.0\" = { path = \"transform.wasm\" }",
    ))
    .build()
    .err()
    .unwrap();
    assert!(format!("{error:#}").contains("\"a:b/c@0.1.0\" matches no import"), "{error:#}");
}

#[tokio::test]
async fn an_import_without_a_dependency_is_named() {
    let error = builder(manifest("source = \"relay.wasm\"")).build().err().unwrap();
    assert!(format!("{error:#}").contains("conformance:"), "{error:#}");
}
