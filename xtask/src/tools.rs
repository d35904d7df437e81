//! The programs that tests need beside Rust: which, why, and how they get onto the machine.

use std::process::{Command, Stdio};

use anyhow::{Result, bail, ensure};

use crate::print;

/// A program that tests need.
struct Tool {
    /// A command that succeeds where the program is installed.
    probe: &'static [&'static str],
    /// Debian's package that has it.
    package: &'static str,
    why: &'static str,
}

const TOOLS: [Tool; 13] = [
    Tool { probe: &["c++", "--version"], package: "g++", why: "compiles libFuzzer, for the fuzz targets" },
    Tool {
        probe: &["chromium", "--version"],
        package: "chromium",
        why: "plays recordings with hls.js, as viewers do",
    },
    Tool {
        probe: &["ffmpeg", "-version"],
        package: "ffmpeg",
        why: "encodes test media, pushes it by RTMP, and decodes recordings",
    },
    Tool { probe: &["gst-inspect-1.0", "--version"], package: "gstreamer1.0-tools", why: "pushes by RTMP" },
    Tool {
        probe: &["gst-inspect-1.0", "--exists", "flvmux"],
        package: "gstreamer1.0-plugins-good",
        why: "has GStreamer read and write FLV",
    },
    Tool {
        probe: &["gst-inspect-1.0", "--exists", "rtmp2sink"],
        package: "gstreamer1.0-plugins-bad",
        why: "has GStreamer speak RTMP",
    },
    Tool { probe: &["/usr/sbin/haproxy", "-v"], package: "haproxy", why: "stands in front of the gateway" },
    Tool {
        probe: &["test", "-e", "/usr/lib/nginx/modules/ngx_rtmp_module.so"],
        package: "libnginx-mod-rtmp",
        why: "has nginx relay a push to the gateway",
    },
    Tool { probe: &["promtool", "--version"], package: "prometheus", why: "judges metrics and alert rules" },
    Tool {
        probe: &["redis-server", "--version"],
        package: "redis-server",
        why: "is the store that several hosts of the functions share",
    },
    Tool { probe: &["tsreport", "-h"], package: "tstools", why: "judges transport streams" },
    Tool {
        probe: &["python3", "-c", "import venv, ensurepip"],
        package: "python3-venv",
        why: "runs the official Python clients of the recording API, and a store that we did not write",
    },
    Tool {
        probe: &["npm", "--version"],
        package: "npm",
        why: "installs the official Node.js clients of the recording API, and hls.js",
    },
];

impl Tool {
    fn is_there(&self) -> bool {
        let mut probe = Command::new(self.probe[0]);
        probe.args(&self.probe[1..]).stdout(Stdio::null()).stderr(Stdio::null());
        probe.status().is_ok_and(|status| status.success())
    }
}

/// Installs what the tests need and the machine lacks.
pub(crate) fn install() -> Result<()> {
    install_for("test", |_| true)
}

/// Sees to it that the programs of some packages are there, before anything is built.
pub(crate) fn need(command: &str, packages: &[&str], installs: bool) -> Result<()> {
    let is_needed = |tool: &Tool| packages.contains(&tool.package);
    if installs {
        return install_for(command, is_needed);
    }
    let missing: Vec<_> = missing(is_needed).iter().map(|tool| tool.package).collect();
    ensure!(missing.is_empty(), "{command} needs programs of these packages: {}", missing.join(", "));
    Ok(())
}

/// Installs what is missing, one package after the other, so that a package which cannot be installed keeps out no
/// other one. Says beforehand what is installed, and why.
fn install_for(command: &str, is_needed: impl Fn(&Tool) -> bool) -> Result<()> {
    let missing = self::missing(&is_needed);
    if missing.is_empty() {
        return Ok(());
    }
    print(&format!("`cargo xtask {command}` needs programs that this machine does not have."));
    print(
        "apt-get installs these packages now; with --no-install it does not, and tests that need them are skipped:",
    );
    list(&missing);
    let apt_get = |arguments: &[&str]| {
        let mut apt_get = Command::new("apt-get");
        apt_get.args(arguments).env("DEBIAN_FRONTEND", "noninteractive").stdin(Stdio::null());
        apt_get.status()
    };
    ensure!(apt_get(&["update", "-q"]).is_ok(), "there is no apt-get here; install these packages by hand");
    for tool in &missing {
        print(&format!("installing {}", tool.package));
        // Whether it is there afterwards is what counts.
        let _ = apt_get(&["install", "-y", "-q", "--no-install-recommends", tool.package]);
    }
    let missing = self::missing(is_needed);
    if missing.is_empty() {
        return Ok(());
    }
    print("These packages could not be installed:");
    list(&missing);
    bail!("install them by hand (as root)")
}

/// Installs nothing: says what is missing, and answers the packages that have it.
pub(crate) fn go_without() -> Vec<&'static str> {
    let missing = missing(|_| true);
    if !missing.is_empty() {
        print("Nothing is installed. What needs one of these programs is skipped:");
        list(&missing);
    }
    missing.into_iter().map(|tool| tool.package).collect()
}

fn missing(is_needed: impl Fn(&Tool) -> bool) -> Vec<&'static Tool> {
    TOOLS.iter().filter(|tool| is_needed(tool) && !tool.is_there()).collect()
}

fn list(tools: &[&Tool]) {
    for tool in tools {
        print(&format!("  {:<25} {}", tool.package, tool.why));
    }
}
