//! The documents in `docs/` are what the table says.
//!
//! After a change of the table: `UPDATE_DOCUMENTS=1 cargo test -p recorder-api --test documents`.
#![expect(clippy::unwrap_used, reason = "a helper of tests may panic")]

use std::path::Path;

use serde_json::Value;

fn check(name: &str, generated: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs").join(name);
    if std::env::var_os("UPDATE_DOCUMENTS").is_some() {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, generated).unwrap();
    }
    let written = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(written == generated, "docs/{name} is out of date; the first lines of this test say what to do");
}

#[test]
fn the_markdown_is_up_to_date() {
    check("api.md", &api::document::markdown());
}

#[test]
fn the_openapi_description_is_up_to_date() {
    check("openapi.json", &(serde_json::to_string_pretty(&api::document::openapi()).unwrap() + "\n"));
}

/// Its parameters share their texts with those of what is added, which has defaults.
#[test]
fn what_an_update_is_not_given_is_said_to_have_no_default() {
    let page = api::document::markdown();
    let updates: Vec<_> = page.split("\n## ").filter(|section| section.starts_with("Update")).collect();
    assert_eq!(updates.len(), 2);
    for row in updates.iter().flat_map(|section| section.lines()).filter(|line| line.starts_with("| ")) {
        assert!(!row.contains("Without it"), "{row}");
    }
}

#[test]
fn every_action_is_described_with_every_parameter() {
    let openapi = api::document::openapi();
    let paths = openapi["paths"].as_object().unwrap();
    assert_eq!(paths.len(), api::ACTIONS.len());
    for (action, path) in api::ACTIONS.iter().zip(paths.values()) {
        assert_eq!(path["post"]["operationId"], action.name);
        let names: Vec<_> = path["post"]["parameters"]
            .as_array()
            .unwrap()
            .iter()
            .map(|p| p["name"].as_str().unwrap())
            .collect();
        for parameter in action.parameters {
            assert!(
                names.iter().any(|name| name.split('.').next() == Some(parameter.name)),
                "{}",
                parameter.name
            );
        }
    }
}

#[test]
fn every_default_is_a_value_of_its_type() {
    for path in api::document::openapi()["paths"].as_object().unwrap().values() {
        for parameter in path["post"]["parameters"].as_array().unwrap() {
            let fits = match (&parameter["schema"]["default"], parameter["schema"]["type"].as_str().unwrap())
            {
                (Value::Null, _) => true,
                (default, "integer") => default.is_i64(),
                (default, "boolean") => default.is_boolean(),
                (default, _) => default.is_string(),
            };
            assert!(fits, "{parameter}");
        }
    }
}

#[test]
fn no_code_has_two_messages_in_one_action() {
    for path in api::document::openapi()["paths"].as_object().unwrap().values() {
        let mut codes: Vec<_> = path["post"]["responses"]
            .as_object()
            .unwrap()
            .values()
            .flat_map(|response| response["x-codes"].as_array().into_iter().flatten())
            .map(|code| code["Code"].as_str().unwrap())
            .collect();
        let all = codes.len();
        codes.sort_unstable();
        codes.dedup();
        assert_eq!(codes.len(), all, "{codes:?}");
    }
}
