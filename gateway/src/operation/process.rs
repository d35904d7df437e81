//! What the system says of this process, where it is Linux.

use std::fs;

use rustix::process::{Resource, getrlimit};

/// Ticks of the system's clock in a second, as Linux tells them to programs.
const TICKS_PER_S: f64 = 100.0;

/// Where a process's numbers begin after its name in `/proc/self/stat`: the third field (proc(5)).
const FIRST_FIELD: usize = 3;
const USER_TICKS: usize = 14;
const SYSTEM_TICKS: usize = 15;
const START_TICKS: usize = 22;

/// What this process uses.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Process {
    pub(super) resident_bytes: Option<u64>,
    pub(super) cpu_seconds: Option<f64>,
    pub(super) open_fds: Option<usize>,
    pub(super) max_fds: Option<u64>,
    /// Unix seconds.
    pub(super) started_s: Option<f64>,
}

impl Process {
    pub(super) fn now() -> Self {
        let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
        let stat = fs::read_to_string("/proc/self/stat").unwrap_or_default();
        let system_stat = fs::read_to_string("/proc/stat").unwrap_or_default();
        Self {
            resident_bytes: resident_bytes(&status),
            cpu_seconds: cpu_seconds(&stat),
            // The one that looks is not counted.
            open_fds: fs::read_dir("/proc/self/fd").ok().map(|entries| entries.count().saturating_sub(1)),
            max_fds: getrlimit(Resource::Nofile).current,
            started_s: started_s(&stat, &system_stat),
        }
    }
}

fn resident_bytes(status: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    line.trim().strip_suffix(" kB")?.trim().parse::<u64>().ok().map(|kib| kib << 10)
}

fn cpu_seconds(stat: &str) -> Option<f64> {
    Some(seconds(stat, USER_TICKS)? + seconds(stat, SYSTEM_TICKS)?)
}

/// The process's numbers count from when the system began, which the system's own tell.
fn started_s(stat: &str, system_stat: &str) -> Option<f64> {
    let began_s = system_stat.lines().find_map(|line| line.strip_prefix("btime "))?;
    Some(began_s.trim().parse::<f64>().ok()? + seconds(stat, START_TICKS)?)
}

/// A field that is told in ticks.
fn seconds(stat: &str, field: usize) -> Option<f64> {
    // The name may hold spaces and brackets.
    let (_, fields) = stat.rsplit_once(") ")?;
    Some(fields.split(' ').nth(field - FIRST_FIELD)?.parse::<f64>().ok()? / TICKS_PER_S)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_system_says_is_read() {
        assert_eq!(resident_bytes("Name:\tx\nVmRSS:\t  2048 kB\n"), Some(2 << 20));
        let stat = "7 (a) b) S 1 7 7 0 -1 4194560 1 0 0 0 150 25 0 0 20 0 1 0 925 0 0";
        assert_eq!(cpu_seconds(stat), Some(1.75));
        assert_eq!(started_s(stat, "cpu  1 2\nbtime 1700000000\nprocesses 9\n"), Some(1_700_000_009.25));
        assert_eq!(started_s(stat, "cpu  1 2\n"), None);
        assert_eq!((resident_bytes(""), cpu_seconds("7 (x) S")), (None, None));
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn this_process_has_memory_and_files() {
        let process = Process::now();
        assert!(process.resident_bytes > Some(1 << 20) && process.open_fds > Some(2), "{process:?}");
        assert!(process.max_fds >= Some(3) && process.started_s > Some(1.7e9), "{process:?}");
    }
}
