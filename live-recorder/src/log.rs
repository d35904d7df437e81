//! What is logged to standard error, and how.

mod repeats;

use std::io::IsTerminal;
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::anyhow;
use clap::ValueEnum;
use gateway::admin::LogFilter;
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{Layer, Registry, fmt, reload};

use repeats::Repeats;

const VARIABLE: &str = "LIVE_RECORDER_LOG";

/// How a message is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum LogFormat {
    /// A line for people. So is a variable that is set to nothing.
    #[default]
    #[value(alias = "")]
    Text,
    /// A JSON object a line: timestamp, level, message, target.
    Json,
}

/// What is logged, which can be changed while the program runs.
#[derive(Clone)]
pub(crate) struct Log {
    handle: reload::Handle<Targets, Registry>,
    now: Arc<Mutex<String>>,
}

impl Log {
    /// Logs what `LIVE_RECORDER_LOG` asks for, such as `info,gateway=debug`; `default` without it, or
    /// where it is set to nothing.
    ///
    /// # Errors
    ///
    /// The variable is no filter.
    pub(crate) fn start(default: LevelFilter, format: LogFormat) -> anyhow::Result<Self> {
        // A variable that is set to nothing sets none.
        let wanted = std::env::var(VARIABLE).ok().filter(|filter| !filter.is_empty());
        let wanted = wanted.unwrap_or_else(|| default.to_string());
        let filter = parse(&wanted).map_err(|error| anyhow!("{VARIABLE}: {error}"))?;
        let (filter, handle) = reload::Layer::new(filter);
        let lines = fmt::layer().with_writer(std::io::stderr);
        let lines = match format {
            LogFormat::Text => lines.with_ansi(std::io::stderr().is_terminal()).boxed(),
            LogFormat::Json => {
                lines.json().flatten_event(true).with_current_span(false).with_span_list(false).boxed()
            }
        };
        let repeats = Arc::new(Repeats::default());
        tracing_subscriber::registry().with(filter).with(Arc::clone(&repeats).layer()).with(lines).init();
        repeats.report_in_background();
        Ok(Self { handle, now: Arc::new(Mutex::new(wanted)) })
    }
}

/// A word alone has to be a level: a misspelt one would be taken for a part of the program, and nothing else be logged.
fn parse(filter: &str) -> Result<Targets, String> {
    let is_part = |part: &str| part.contains('=') || part.parse::<LevelFilter>().is_ok();
    if let Some(part) = filter.split(',').map(str::trim).find(|part| part.is_empty() || !is_part(part)) {
        return Err(format!(
            "{filter:?} is no filter: {part:?} is neither a level (off, error, warn, info, debug, trace) nor part=level"
        ));
    }
    filter.parse().map_err(|error| format!("{filter:?} is no filter: {error}"))
}

impl LogFilter for Log {
    fn get(&self) -> String {
        self.now.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn set(&self, filter: &str) -> Result<(), String> {
        let targets = parse(filter)?;
        self.handle.reload(targets).map_err(|error| error.to_string())?;
        *self.now.lock().unwrap_or_else(PoisonError::into_inner) = filter.to_owned();
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn a_filter_names_levels() {
        for filter in ["info", "WARN", "info,gateway=debug", "gateway=debug, host=off", "off"] {
            assert!(parse(filter).is_ok(), "{filter}");
        }
        for filter in ["", " ", "wran", "info,", "info,gateway", "gateway=loud"] {
            let error = parse(filter).unwrap_err();
            assert!(error.starts_with(&format!("{filter:?} is no filter")), "{error}");
        }
    }
}
