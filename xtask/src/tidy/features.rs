//! The binary alone and the binary beside its tests are built with the same features of what they depend on.
//!
//! Cargo chooses features for all packages of a command together. Where a package of the tests asks for one more, the
//! tests would have the Wasm runtime built a second time, for minutes.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, Result, ensure};

use crate::build::{BINARY, NATIVE, cargo};

/// For each package with its version, the feature sets that it is built with.
type Features = BTreeMap<String, BTreeSet<String>>;

/// Names every package that the tests have with other features than the binary.
pub(super) fn check(faults: &mut Vec<String>) -> Result<()> {
    let alone = features(&[BINARY], "normal,build")?;
    let beside_tests = features(&NATIVE, "normal,build,dev")?;
    faults.extend(differences(&alone, &beside_tests));
    Ok(())
}

fn features(packages: &[&str], edges: &str) -> Result<Features> {
    let mut tree = cargo(&["tree", "--prefix", "none", "--format", "{p};{f}", "--edges", edges]);
    for package in packages {
        tree.args(["--package", package]);
    }
    let output = tree.output().context("cannot start cargo tree")?;
    ensure!(output.status.success(), "cargo tree: {}", String::from_utf8_lossy(&output.stderr));
    parse(&String::from_utf8(output.stdout).context("cargo tree prints what is not UTF-8")?)
}

fn parse(tree: &str) -> Result<Features> {
    let mut features = Features::new();
    for line in tree.lines().filter(|line| !line.is_empty()) {
        let (package, set) = line.split_once(';').with_context(|| format!("cargo tree prints {line:?}"))?;
        // What stands behind name and version, and the mark of a package that was shown before, do not count.
        let package: Vec<&str> = package.split(' ').take(2).collect();
        let set = set.trim_end_matches(" (*)");
        features.entry(package.join(" ")).or_default().insert(set.to_owned());
    }
    Ok(features)
}

fn differences(alone: &Features, beside_tests: &Features) -> Vec<String> {
    let differs = |(package, sets): (&String, &BTreeSet<String>)| {
        let found = beside_tests.get(package).cloned().unwrap_or_default();
        (!sets.is_subset(&found)).then(|| {
            format!(
                "{package} is built with the features {sets:?} for the binary and {found:?} beside the tests: \
                 the runtime would be built twice"
            )
        })
    };
    alone.iter().filter_map(differs).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_feature_that_only_the_tests_ask_for_is_found() {
        let alone = parse("a v1.0.0 (/a);\nb v2.0.0;std\nc v1.0.0 (proc-macro);\n").unwrap();
        let same =
            parse("t v1.0.0 (/t);\na v1.0.0 (/a);\nb v2.0.0;std (*)\nb v2.0.0;\nc v1.0.0 (proc-macro);\n");
        assert!(differences(&alone, &same.unwrap()).is_empty());
        let other = parse("a v1.0.0 (/a);\nb v2.0.0;std,clock\nc v1.0.0 (proc-macro);\n").unwrap();
        let [fault] = &differences(&alone, &other)[..] else { panic!("one fault is expected") };
        assert!(fault.starts_with("b v2.0.0 is built with"), "{fault}");
    }
}
