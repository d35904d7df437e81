//! Which package may depend on which: arrows point inwards.

use super::metadata::{Package, Packages, reachable};

/// What a package below a folder must never be built with, at whatever distance.
struct Rule {
    folder: &'static str,
    /// Names of packages; a name that ends in `*` stands for all that begin so.
    refused: &'static [&'static str],
    because: &'static str,
}

const RULES: [Rule; 7] = [
    Rule {
        folder: "crates/",
        refused: &[
            "spin-sdk*",
            "wit-bindgen*",
            "wasmtime*",
            "wasi*",
            "wasip*",
            "tokio*",
            "async-std",
            "smol",
            "hyper*",
            "ureq*",
            "reqwest",
            "redb",
            "recorder-*-component",
            "recorder-*-function",
            "recorder-function-shared",
            "recorder-key-value",
            "recorder-host",
            "recorder-gateway",
            "recorder-bucket-server",
            "live-recorder",
        ],
        because: "the core knows neither WIT nor Spin nor a runtime nor a network",
    },
    Rule {
        folder: "components/",
        refused: &["tokio", "hyper", "wasmtime", "recorder-*-function", "recorder-host", "recorder-gateway"],
        because: "a component adapts the core to one WIT package",
    },
    Rule {
        folder: "functions/",
        refused: &[
            "tokio",
            "hyper",
            "wasmtime",
            "recorder-flv",
            "recorder-mpegts",
            "recorder-remux",
            "recorder-mp4",
            "recorder-media",
            "recorder-codec",
            "recorder-host",
            "recorder-gateway",
        ],
        because: "a function reaches media through components alone",
    },
    Rule {
        folder: "host",
        refused: &[
            "recorder-flv",
            "recorder-mpegts",
            "recorder-remux",
            "recorder-mp4",
            "recorder-hls",
            "recorder-media",
            "recorder-codec",
            "recorder-rtmp",
            "recorder-gateway",
            "recorder-bucket-server",
            "live-recorder",
        ],
        because: "the host knows interfaces and no formats",
    },
    Rule {
        folder: "gateway",
        refused: &[
            "recorder-mpegts",
            "recorder-remux",
            "recorder-mp4",
            "recorder-hls",
            "recorder-host",
            "wasmtime",
            "live-recorder",
        ],
        because: "the gateway writes no container but FLV",
    },
    Rule {
        folder: "http-server",
        refused: &["recorder-*", "wasmtime*", "live-recorder"],
        because: "the HTTP server knows nobody whom it serves",
    },
    Rule {
        folder: "bucket-server",
        refused: &["recorder-host", "recorder-gateway", "wasmtime", "live-recorder"],
        because: "the bucket server stands alone",
    },
];

/// Names every arrow that points outwards.
pub(super) fn check(packages: &Packages, faults: &mut Vec<String>) {
    for (id, package) in packages {
        let Some(folder) = &package.folder else { continue };
        for rule in RULES.iter().filter(|rule| folder.starts_with(rule.folder)) {
            let reached = reachable(packages, id).into_iter().map(|id| &packages[id]);
            for refused in reached.filter(|reached| is_refused(rule, reached)) {
                let name = &refused.name;
                faults.push(format!("{folder} is built with {name}: {}", rule.because));
            }
        }
    }
}

fn is_refused(rule: &Rule, package: &Package) -> bool {
    rule.refused.iter().any(|pattern| matches(pattern, &package.name))
}

/// Whether a name matches a pattern with at most one `*`.
fn matches(pattern: &str, name: &str) -> bool {
    match pattern.split_once('*') {
        None => name == pattern,
        Some((begin, end)) => {
            name.len() >= begin.len() + end.len() && name.starts_with(begin) && name.ends_with(end)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn package(name: &str, folder: Option<&str>, dependencies: &[&str]) -> (String, Package) {
        let package = Package {
            name: name.into(),
            version: "1.0.0".into(),
            licence: None,
            rust_version: None,
            source: None,
            folder: folder.map(str::to_owned),
            dependencies: dependencies.iter().map(|&id| id.into()).collect(),
        };
        (name.into(), package)
    }

    #[test]
    fn an_arrow_outwards_is_found_at_any_distance() {
        let packages = Packages::from([
            package("recorder-flv", Some("crates/flv"), &["helper"]),
            package("helper", None, &["tokio-util"]),
            package("tokio-util", None, &[]),
            package("recorder-gateway", Some("gateway"), &["recorder-flv"]),
        ]);
        let mut faults = Vec::new();
        check(&packages, &mut faults);
        let expected = "crates/flv is built with tokio-util: the core knows neither WIT nor Spin nor a runtime nor a network";
        assert_eq!(faults, [expected]);
    }
}
