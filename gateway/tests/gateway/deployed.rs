//! Alerts, dashboard and documentation name metrics that there are, and the documentation names all of them.

use std::{
    collections::BTreeSet,
    fs,
    io::Write,
    path::Path,
    process::{Command, Stdio},
};

use gateway::Control;

use crate::programs::skip;

/// What ends the names of a histogram's samples.
const SUFFIXES: [&str; 3] = ["_bucket", "_sum", "_count"];

fn read(file: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(file)).unwrap()
}

/// The families that are exposed.
fn families(text: &str) -> BTreeSet<&str> {
    text.lines().filter_map(|line| line.strip_prefix("# TYPE ")?.split(' ').next()).collect()
}

/// The names of metrics that a text has, each with what follows it.
fn named(text: &str) -> Vec<(&str, &str)> {
    let is_part = |letter: char| letter.is_ascii_alphanumeric() || letter == '_';
    let starts = text.match_indices("live_recorder_").chain(text.match_indices("process_"));
    let begins = |at: usize| !text[..at].ends_with(is_part);
    starts
        .filter(|(at, _)| begins(*at))
        .map(|(at, _)| {
            let rest = &text[at..];
            rest.split_at(rest.find(|letter| !is_part(letter)).unwrap_or(rest.len()))
        })
        .collect()
}

fn check(file: &str, exposed: &str) -> BTreeSet<String> {
    let text = read(file).replace("\\\"", "\"");
    let families = families(exposed);
    let mut found = BTreeSet::new();
    for (name, rest) in named(&text) {
        let of_histogram = SUFFIXES.iter().find_map(|suffix| name.strip_suffix(suffix));
        let family = [Some(name), of_histogram].into_iter().flatten().find(|name| families.contains(name));
        let family = family.unwrap_or_else(|| panic!("{file} names {name}, which is not exposed"));
        found.insert(family.to_owned());
        // A selector on a label of the gateway's own selects something.
        let selector =
            rest.strip_prefix('{').and_then(|rest| rest.split_once('}')).map(|(selector, _)| selector);
        if let Some(selector) =
            selector.filter(|selector| !selector.starts_with("job=") && selector.contains('='))
        {
            let sample = format!("{name}{{{selector}}}");
            assert!(exposed.contains(&sample), "{file} names {sample}, which is not exposed");
        }
    }
    found
}

#[test]
fn alerts_and_dashboard_name_what_is_exposed() {
    let exposed = Control::default().metrics_text();
    for file in ["deploy/prometheus/gateway-alerts.yml", "deploy/grafana/gateway.json"] {
        assert!(check(file, &exposed).len() > 10, "{file}");
    }
    serde_json::from_str::<serde_json::Value>(&read("deploy/grafana/gateway.json")).unwrap();
}

/// What promtool says of its input, where that is not all right.
fn judge(arguments: &[&str], input: &str) -> Option<String> {
    let mut promtool = Command::new("promtool");
    promtool.args(arguments).current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join(".."));
    let spawned = promtool.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
    let Ok(mut child) = spawned else {
        skip("what promtool says of metrics and alerts", "prometheus");
        return None;
    };
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    let said = [output.stdout, output.stderr].concat();
    (!output.status.success()).then(|| String::from_utf8_lossy(&said).into_owned())
}

#[test]
fn prometheus_takes_the_metrics_and_the_alerts() {
    assert_eq!(judge(&["check", "metrics"], &Control::default().metrics_text()), None);
    for rules in ["gateway-alerts.yml", "functions-alerts.yml"] {
        assert_eq!(judge(&["check", "rules", &format!("deploy/prometheus/{rules}")], ""), None);
    }
    assert_eq!(judge(&["test", "rules", "gateway/tests/gateway/alerts.yml"], ""), None);
}

#[test]
fn the_documentation_names_all_that_is_exposed() {
    let exposed = Control::default().metrics_text();
    let documented = check("docs/operation.md", &exposed);
    let missing: Vec<_> = families(&exposed).into_iter().filter(|name| !documented.contains(*name)).collect();
    assert!(missing.is_empty(), "docs/operation.md does not name {missing:?}");
}

#[test]
fn every_documented_metric_is_looked_at_where_something_moves_it() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/gateway");
    let files = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let others = files.filter(|path| path.extension().is_some_and(|kind| kind == "rs"));
    let others = others.filter(|path| !path.ends_with(Path::new(file!()).file_name().unwrap()));
    let tests: String = others.map(|path| fs::read_to_string(path).unwrap()).collect();
    let looked_at: BTreeSet<_> = named(&tests).into_iter().map(|(name, _)| name).collect();
    let of_histogram =
        |name: &str| SUFFIXES.iter().any(|suffix| looked_at.contains(&*format!("{name}{suffix}")));
    let documented = check("docs/operation.md", &Control::default().metrics_text());
    let others: Vec<_> =
        documented.iter().filter(|name| !looked_at.contains(name.as_str()) && !of_histogram(name)).collect();
    assert!(others.is_empty(), "no test looks at {others:?}");
}
