//! tstools as the judge of the multiplex: clock references, continuity, times beside the clock.

use std::{path::Path, process::Command};

/// Checks a whole session's stream.
pub(crate) fn reports_no_error(path: &Path) {
    let output = Command::new("tsreport").arg("-b").arg(path).output().unwrap();
    let report = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
    let complaint = report.lines().find(|line| line.starts_with("###") || line.starts_with("!!!"));
    assert!(output.status.success() && complaint.is_none(), "{}: {complaint:?}", path.display());
    assert!(report.contains("Bad (>.1s) gaps: 0,"), "{}: clock references too far apart", path.display());
    let leads: Vec<i64> = report.lines().filter_map(smallest_lead).collect();
    assert!(!leads.is_empty() && leads.iter().all(|&lead| lead > 0), "{}: {leads:?}", path.display());
    let counters = report.lines().filter(|line| line.trim_start().starts_with("CC:"));
    for line in counters {
        assert!(line.ends_with("duplicate packets: 0"), "{}: {line}", path.display());
    }
}

/// The number in `Minimum difference was  8490t at DTS …`: how long before its time something came at least.
fn smallest_lead(line: &str) -> Option<i64> {
    let rest = line.trim_start().strip_prefix("Minimum difference was")?;
    rest.trim_start().split_once('t')?.0.parse().ok()
}
