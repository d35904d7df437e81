//! The policies that are handed out: whether they can be read, and allow no more than the documentation says.
#![expect(clippy::unwrap_used, reason = "the helpers of tests fail as tests do")]

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;

use serde_json::Value;

fn root() -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."))
}

fn text(name: &str) -> String {
    fs::read_to_string(root().join("deploy/policies").join(name)).unwrap()
}

/// What a policy allows, without the name of the service, and on what.
fn allowed(name: &str, service: &str) -> (BTreeSet<String>, BTreeSet<String>) {
    let policy: Value = serde_json::from_str(&text(name)).unwrap();
    let (mut actions, mut resources) = (BTreeSet::new(), BTreeSet::new());
    for statement in policy["Statement"].as_array().unwrap() {
        assert_eq!(statement["Effect"], "Allow", "{name}");
        let strings = |field: &str| {
            let list = statement[field].as_array().unwrap().clone();
            list.into_iter().map(|value| value.as_str().unwrap().to_owned())
        };
        for action in strings("Action") {
            let (of, action) = action.split_once(':').unwrap();
            assert_eq!(of, service, "{name}");
            actions.insert(action.to_owned());
        }
        resources.extend(strings("Resource"));
    }
    (actions, resources)
}

fn set(texts: &[&str]) -> BTreeSet<String> {
    texts.iter().map(|&text| text.to_owned()).collect()
}

#[test]
fn a_policy_for_writing_allows_nothing_else() {
    for (name, service, version, resource) in [
        ("s3-write-only.json", "s3", "2012-10-17", "arn:aws:s3:::recordings/*"),
        ("minio-write-only.json", "s3", "2012-10-17", "arn:aws:s3:::recordings/*"),
        ("oss-write-only.json", "oss", "1", "acs:oss:*:*:recordings/*"),
    ] {
        let (actions, resources) = allowed(name, service);
        assert_eq!(actions, set(&["PutObject", "AbortMultipartUpload"]), "{name}");
        assert_eq!(resources, set(&[resource]), "{name}");
        let policy: Value = serde_json::from_str(&text(name)).unwrap();
        assert_eq!(policy["Version"], version, "{name}");
    }
}

#[test]
fn objects_are_deleted_in_the_work_bucket_alone() {
    let (actions, resources) = allowed("s3-work-bucket.json", "s3");
    assert!(actions.contains("DeleteObject") && actions.contains("GetObject"));
    assert!(actions.iter().all(|action| !action.contains('*')), "{actions:?}");
    assert!(resources.iter().all(|on| on.starts_with("arn:aws:s3:::live-recorder-work")), "{resources:?}");
}

#[test]
fn the_documentation_shows_each_policy_as_it_is() {
    let documentation = fs::read_to_string(root().join("docs/buckets.md")).unwrap();
    let mut count = 0;
    for entry in fs::read_dir(root().join("deploy/policies")).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        assert!(documentation.contains(&format!("deploy/policies/{name}")), "{name}");
        assert!(documentation.contains(&text(&name)), "{name}");
        count += 1;
    }
    assert_eq!(count, 4);
}
