//! The rebuild of a lost store, step by step: the functions do the work.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Result, bail};
use protocol::Rebuild;
use tokio::time::{Instant, sleep};

use crate::CALL_MAX;
use crate::functions::{CallError, Functions};
use crate::settings::{Current, Settings};

pub use protocol::RebuildAnswer;

/// How often a step is made again that fails, before the rebuild is given up. It can be begun again at any time.
const TRIES: u32 = 10;

/// Wait before a step is made again.
const PAUSE: Duration = Duration::from_secs(3);

/// What to rebuild, and whether.
#[derive(Clone, Debug)]
pub struct Options {
    /// Base URLs of the functions.
    pub functions: Vec<String>,
    /// Authorizes the calls.
    pub ingest_token: String,
    /// Certificates in PEM by which `https://` is trusted beside those that the web trusts.
    pub ca_file: Option<PathBuf>,
    /// Only reads and counts.
    pub dry_run: bool,
    /// Users' buckets, as `endpoint/bucket`, of which nothing is asked.
    pub without: Vec<String>,
}

/// Has the functions fill a lost store anew; hands on what was found so far after each step, and answers all of it.
///
/// # Errors
///
/// When the functions refuse, or cannot be reached again and again. What was done so far stays, and is not done again.
pub async fn rebuild(options: Options, mut progress: impl FnMut(&RebuildAnswer)) -> Result<RebuildAnswer> {
    let settings = Settings { ingest_token: options.ingest_token, ..Settings::default() };
    let functions = Functions::new(&options.functions, Current::new(settings)?, options.ca_file.as_deref())?;
    let mut all = RebuildAnswer::default();
    let mut tries = 0;
    loop {
        let began = Instant::now();
        let step =
            Rebuild { at: all.next.clone(), dry_run: options.dry_run, without: options.without.clone() };
        match functions.call((), &step).await {
            Ok(made) => {
                tries = 0;
                all = sum(&all, made);
                progress(&all);
                if all.next.is_none() {
                    return Ok(all);
                }
            }
            Err(error) => {
                tries += 1;
                let is_final = error.is_refusal() || is_unfit(&error);
                if is_final || tries == TRIES {
                    bail!("{error}");
                }
                tracing::warn!("{error}; trying again");
                // A call that was not answered may still be at work.
                if error.status().is_none() {
                    sleep(CALL_MAX.saturating_sub(began.elapsed())).await;
                }
                sleep(PAUSE).await;
            }
        }
    }
}

/// Whether the store is none that is rebuilt, or somebody has to do something first.
fn is_unfit(error: &CallError) -> bool {
    matches!(error, CallError::Problem(status, problem) if status.is_client_error() || problem.code == "Unfit")
}

fn sum(before: &RebuildAnswer, step: RebuildAnswer) -> RebuildAnswer {
    let mut unlisted = before.unlisted.clone();
    unlisted.extend(step.unlisted.into_iter().filter(|bucket| !before.unlisted.contains(bucket)));
    RebuildAnswer {
        next: step.next,
        rules: before.rules + step.rules,
        parts: before.parts + step.parts,
        slices: before.slices + step.slices,
        files: before.files + step.files,
        sessions: before.sessions + step.sessions,
        restored: before.restored + step.restored,
        tail: before.tail + step.tail,
        unlisted,
    }
}
