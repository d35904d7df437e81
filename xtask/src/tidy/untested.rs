//! What a manifest says has no tests (`test = false`, which saves building it once more) has none.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use serde_json::Value;

use super::metadata;
use crate::build::root;

/// Names every file with tests that nothing would run.
pub(super) fn check(files: &[PathBuf], faults: &mut Vec<String>) -> Result<()> {
    let places = untested(&metadata::ask(".", &["--no-deps"])?).context("cargo metadata lacks a field")?;
    for file in files {
        let path = root().join(file);
        let is_in = |place: &PathBuf| path.starts_with(place) && !path.starts_with(place.join("bin"));
        if places.iter().any(is_in) && has_tests(&std::fs::read_to_string(file)?) {
            faults.push(format!("{} has tests, and its Cargo.toml says `test = false`", file.display()));
        }
    }
    Ok(())
}

/// Files and folders of targets without tests. What lies in their folder `bin` are other targets.
fn untested(metadata: &Value) -> Option<Vec<PathBuf>> {
    let mut places = Vec::new();
    for package in metadata["packages"].as_array()? {
        for target in package["targets"].as_array()? {
            let source = Path::new(target["src_path"].as_str()?);
            let is_own_folder = matches!(source.file_name()?.to_str()?, "lib.rs" | "main.rs");
            let place = if is_own_folder { source.parent()? } else { source };
            let is_built_by_tests = !target["kind"].as_array()?.iter().any(|kind| kind == "custom-build");
            if is_built_by_tests && target["test"] == false {
                places.push(place.to_owned());
            }
        }
    }
    Some(places)
}

fn has_tests(source: &str) -> bool {
    let is_test = |line: &str| line.starts_with("#[test]") || line.starts_with("#[tokio::test");
    source.lines().any(|line| is_test(line.trim()))
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use serde_json::json;

    #[test]
    fn targets_without_tests_are_found_by_folder_or_file() {
        let target = |kind, path, test| json!({ "kind": [kind], "src_path": path, "test": test });
        let targets = [
            target("lib", "/p/src/lib.rs", false),
            target("bin", "/p/src/bin/one.rs", false),
            target("bin", "/p/src/bin/two/main.rs", true),
            target("custom-build", "/p/build.rs", false),
        ];
        let metadata = json!({ "packages": [{ "targets": targets }] });
        assert_eq!(super::untested(&metadata).unwrap(), ["/p/src", "/p/src/bin/one.rs"].map(PathBuf::from));
    }

    #[test]
    fn a_test_is_found_by_its_attribute() {
        assert!(super::has_tests("mod tests {\n    #[test]\n    fn it() {}\n}\n"));
        assert!(!super::has_tests("/// Not a `#[test]`.\nfn it() {}\n"));
    }
}
