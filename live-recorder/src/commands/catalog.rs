//! `live-recorder catalog`: what is done to the functions' catalog by hand.

use std::io::Write;
use std::path::PathBuf;

use ::gateway::rebuild::{Options, RebuildAnswer, rebuild};
use anyhow::{Context, Result};
use tokio_util::sync::CancellationToken;

#[derive(clap::Args)]
pub(crate) struct CatalogArgs {
    #[command(subcommand)]
    command: CatalogCommand,
}

#[derive(clap::Subcommand)]
enum CatalogCommand {
    /// Fills a key-value store that was lost anew: from the work bucket rules, callback settings, and what was recorded up
    /// to the last seal; what came after it from users' buckets, where they may be listed. Nothing begins to be recorded
    /// until it is through. It can be interrupted and begun again.
    Rebuild(RebuildArgs),
}

#[derive(clap::Args)]
struct RebuildArgs {
    /// Where the functions answer. Several addresses, separated by commas or each with the option again, are called in
    /// turn.
    #[arg(long, value_name = "URL", value_delimiter = ',', default_value = "http://127.0.0.1:3000")]
    functions: Vec<String>,
    /// A file of certificates in PEM that are trusted of functions at https:// beside those that the web trusts.
    #[arg(long, value_name = "FILE")]
    ca_file: Option<PathBuf>,
    /// Authorizes the calls to the functions.
    #[arg(long, env = "SPIN_VARIABLE_INGEST_TOKEN", hide_env_values = true, default_value = "testtoken")]
    ingest_token: String,
    /// Says what the work bucket holds, and which users' buckets cannot be listed; writes nothing.
    #[arg(long)]
    dry_run: bool,
    /// A user's bucket that is not asked for what came after the last seal, as it fails: that is lost then. Several,
    /// separated by commas or each with the option again.
    #[arg(long, value_name = "ENDPOINT/BUCKET", value_delimiter = ',')]
    without: Vec<String>,
}

/// Does what is asked for, unless `stop` is cancelled before it is done.
pub(crate) async fn run(args: CatalogArgs, stop: CancellationToken) -> Result<()> {
    let CatalogCommand::Rebuild(RebuildArgs { functions, ca_file, ingest_token, dry_run, without }) =
        args.command;
    let mut output = std::io::stdout();
    let progress = |all: &RebuildAnswer| {
        let at = all.next.as_deref().unwrap_or("done");
        // A line that cannot be written stops nothing.
        let _ = writeln!(
            output,
            "{} rules, {} parts with {} slices, {} files, {} sessions of which {} put back, {} slices from users' buckets: {at}",
            all.rules, all.parts, all.slices, all.files, all.sessions, all.restored, all.tail
        );
        let _ = output.flush();
    };
    let options = Options { functions, ingest_token, ca_file, dry_run, without };
    let rebuilt = stop.run_until_cancelled(rebuild(options, progress)).await;
    let all = rebuilt.context("interrupted; begun again, it goes on where it was")??;
    for bucket in &all.unlisted {
        println!("{bucket} was not listed: what was recorded into it ends with the last part");
    }
    println!("{}", if dry_run { "nothing was written" } else { "the store is filled anew" });
    Ok(())
}
