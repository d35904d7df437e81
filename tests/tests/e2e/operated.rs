//! What an operator sees of the bundle, and of the functions alone.

use std::io::Write;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::Result;
use harness::functions::Functions;
use harness::server::Server;

/// Asks an operator's address: the status and the body.
fn ask(method: &str, url: &str) -> Result<(u16, String)> {
    let agent = harness::http_agent();
    let request = http::Request::builder().method(method).uri(url).body(())?;
    let mut answer = agent.run(request)?;
    Ok((answer.status().as_u16(), answer.body_mut().read_to_string()?))
}

/// The value of a sample, which is there once.
fn value(metrics: &str, sample: &str) -> f64 {
    let mut lines = metrics.lines().filter_map(|line| line.strip_prefix(sample)?.strip_prefix(' '));
    let (first, second) = (lines.next(), lines.next());
    assert_eq!(second, None, "{sample}");
    first.unwrap_or_else(|| panic!("{sample} is not in {metrics}")).parse().unwrap()
}

/// Prometheus's own judge.
fn check(metrics: &str) -> Result<()> {
    let mut promtool = Command::new("promtool");
    promtool.args(["check", "metrics"]).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let Ok(mut child) = promtool.spawn() else {
        eprintln!("NOT TESTED: promtool is missing (Debian's package prometheus)");
        return Ok(());
    };
    child.stdin.take().unwrap().write_all(metrics.as_bytes())?;
    let output = child.wait_with_output()?;
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    Ok(())
}

#[test]
fn a_bundle_shows_its_gateway_and_its_functions_at_one_address() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let server = Server::start(folder.path())?;
    let (status, health) = ask("GET", &format!("{}/healthz", server.admin))?;
    assert!(status == 200 && health.contains("\"ok\""), "{status} {health}");
    let (_, before) = ask("GET", &format!("{}/metrics", server.admin))?;
    ask("POST", &format!("{}/tick", server.functions))?;
    let (_, metrics) = ask("GET", &format!("{}/metrics", server.admin))?;
    check(&metrics)?;
    // Without the token.
    let refused = "live_recorder_function_requests_total{function=\"index\",status=\"401\"}";
    assert_eq!(value(&metrics, refused) - value(&before, refused), 1.0);
    let version = format!("live_recorder_build_info{{version=\"{}\"}}", env!("CARGO_PKG_VERSION"));
    assert_eq!(value(&metrics, &version), 1.0);
    // The gateway calls the functions each second.
    let moving = [
        "live_recorder_function_requests_total{function=\"on-demand\",status=\"2xx\"}",
        "live_recorder_key_value_operations_total{operation=\"get\",outcome=\"ok\"}",
        "live_recorder_sent_requests_total{function=\"index\",to=\"store\",outcome=\"2xx\"}",
        "live_recorder_heartbeats_total",
        "live_recorder_healthy",
        "live_recorder_ready",
    ];
    let begun = Instant::now();
    loop {
        let (_, metrics) = ask("GET", &format!("{}/metrics", server.admin))?;
        if moving.iter().all(|sample| value(&metrics, sample) > 0.0) {
            return Ok(());
        }
        assert!(begun.elapsed() < Duration::from_secs(30), "{metrics}");
        std::thread::sleep(Duration::from_millis(200));
    }
}

#[test]
fn functions_alone_have_metrics_and_health_and_nobody_to_kick() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let functions = Functions::start_alone(folder.path(), "http://127.0.0.1:1", &[])?;
    for path in ["healthz", "readyz"] {
        assert_eq!(ask("GET", &format!("{}/{path}", functions.admin))?.0, 200, "{path}");
    }
    let (_, metrics) = ask("GET", &format!("{}/metrics", functions.admin))?;
    check(&metrics)?;
    assert_eq!(value(&metrics, "live_recorder_healthy"), 1.0);
    assert!(!metrics.contains("live_recorder_publishers") && metrics.contains("process_start_time_seconds"));
    for (method, path) in [("GET", "publishers"), ("POST", "kick"), ("POST", "drain")] {
        assert_eq!(ask(method, &format!("{}/{path}", functions.admin))?.0, 404, "{path}");
    }
    assert_eq!(ask("GET", &format!("{}/log-level", functions.admin))?.0, 200);
    Ok(())
}
