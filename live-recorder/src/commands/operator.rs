//! `live-recorder publishers`, `kick`, `drain`, `log-level`, `reload` and `backup`: what an operator asks of what runs.

mod client;

use std::io::Write;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use ::gateway::DrainState;
use ::gateway::admin::{BackedUp, Reloaded};
use anyhow::{Context, Result, bail, ensure};
use http::Method;
use serde_json::{Value, json};

use client::Client;

/// How often a gateway that drains is asked what it still has.
const ASK_EVERY: Duration = Duration::from_secs(1);

/// How much longer than it said a gateway may take to end.
const GRACE: Duration = Duration::from_secs(30);

/// How long a copy of all state may take: a store of some gigabytes is written anew.
const BACKUP_TIME: Duration = Duration::from_secs(3_600);

/// Which gateway, and who asks.
#[derive(clap::Args)]
pub(crate) struct OperatorArgs {
    /// The operator's address of the gateway, which is its option --admin.
    #[arg(long, value_name = "HOST:PORT", env = "LIVE_RECORDER_ADMIN")]
    admin: String,
    /// The operator's token, where the gateway has one.
    #[arg(long, value_name = "TOKEN", env = "LIVE_RECORDER_ADMIN_TOKEN", hide_env_values = true)]
    admin_token: Option<String>,
}

#[derive(clap::Args)]
pub(crate) struct PublishersArgs {
    #[command(flatten)]
    operator: OperatorArgs,
    /// As JSON: an array of objects, one a publisher.
    #[arg(long)]
    json: bool,
}

#[derive(clap::Args)]
pub(crate) struct KickArgs {
    #[command(flatten)]
    operator: OperatorArgs,
    /// A stream as domain/app/stream, or a push.
    name: String,
}

#[derive(clap::Args)]
pub(crate) struct DrainArgs {
    #[command(flatten)]
    operator: OperatorArgs,
    /// How long live pushes may go on before their connections are ended.
    #[arg(long, value_name = "SECONDS", default_value_t = 300)]
    wait: u64,
    /// How long what waits on disk may take to be brought to the functions after that.
    #[arg(long, value_name = "SECONDS", default_value_t = 60)]
    upload: u64,
    /// Return at once, while the gateway drains.
    #[arg(long)]
    no_wait: bool,
}

#[derive(clap::Args)]
pub(crate) struct LogLevelArgs {
    #[command(flatten)]
    operator: OperatorArgs,
    /// What is logged from now on, such as debug or info,gateway=debug; without it, what is logged is printed.
    filter: Option<String>,
}

#[derive(clap::Args)]
pub(crate) struct ReloadArgs {
    #[command(flatten)]
    operator: OperatorArgs,
}

#[derive(clap::Args)]
pub(crate) struct BackupArgs {
    #[command(flatten)]
    operator: OperatorArgs,
    /// The folder to make, on the file system of the data folder, whose files it shares. What asks and what makes it run
    /// on one machine. `up --data` starts on it.
    folder: PathBuf,
}

impl OperatorArgs {
    fn client(&self) -> Result<Client> {
        Client::new(&self.admin, self.admin_token.as_deref().filter(|token| !token.is_empty()))
    }
}

/// Lists who publishes.
pub(crate) async fn publishers(args: PublishersArgs) -> Result<()> {
    let answer = args.operator.client()?.ask(Method::GET, "/publishers", None).await?;
    let publishers = answer["publishers"].as_array().context("the answer has no publishers")?;
    let mut output = std::io::stdout().lock();
    if args.json {
        writeln!(output, "{:#}", answer["publishers"])?;
    } else {
        output.write_all(to_table(publishers).as_bytes())?;
    }
    Ok(())
}

/// Ends the connections of a stream's publishers.
pub(crate) async fn kick(args: KickArgs) -> Result<()> {
    let answer =
        args.operator.client()?.ask(Method::POST, "/kick", Some(json!({ "name": args.name }))).await?;
    println!("{} connections are ended; their publishers may come again", answer["kicked"]);
    Ok(())
}

/// Has the gateway end, and waits for that.
pub(crate) async fn drain(args: DrainArgs) -> Result<()> {
    let client = args.operator.client()?;
    let plan = json!({ "wait_s": args.wait, "upload_s": args.upload });
    client.ask(Method::POST, "/drain", Some(plan)).await?;
    if args.no_wait {
        return Ok(());
    }
    let due = Instant::now() + Duration::from_secs(args.wait + args.upload) + GRACE;
    let mut shown = None;
    loop {
        let state = match client.ask(Method::GET, "/drain", None).await {
            Ok(state) => serde_json::from_value::<DrainState>(state).context("while reading the answer")?,
            // It answers until it has ended.
            Err(error) if client::is_gone(&error) => break,
            Err(error) if client::is_cut(&error) && Instant::now() < due => {
                tokio::time::sleep(ASK_EVERY).await;
                continue;
            }
            Err(error) => return Err(error),
        };
        ensure!(Instant::now() < due, "the gateway has not ended in time: {}", describe(&state));
        if shown.replace(state) != Some(state) {
            println!("{}", describe(&state));
        }
        tokio::time::sleep(ASK_EVERY).await;
    }
    match shown {
        // What has come since is for the gateway's own exit status to say.
        Some(state) if state.waiting_chunks > 0 => {
            println!("the gateway has ended; a moment before, {}", describe(&state));
        }
        _ => println!("the gateway has ended"),
    }
    Ok(())
}

/// Prints what is logged, or changes it.
pub(crate) async fn log_level(args: LogLevelArgs) -> Result<()> {
    let client = args.operator.client()?;
    let answer = match args.filter {
        Some(filter) => client.ask(Method::PUT, "/log-level", Some(json!({ "filter": filter }))).await?,
        None => client.ask(Method::GET, "/log-level", None).await?,
    };
    match answer["filter"].as_str() {
        Some(filter) => println!("{filter}"),
        None => bail!("the answer has no filter"),
    }
    Ok(())
}

/// Has settings read anew, and says which have changed.
pub(crate) async fn reload(args: ReloadArgs) -> Result<()> {
    let answer = args.operator.client()?.ask(Method::POST, "/reload", Some(json!({}))).await?;
    let reloaded: Reloaded = serde_json::from_value(answer).context("while reading the answer")?;
    println!("{reloaded}");
    Ok(())
}

/// Has a copy of all state made.
pub(crate) async fn backup(args: BackupArgs) -> Result<()> {
    // Who makes it may run in another folder.
    let folder = std::path::absolute(&args.folder)?;
    let client = args.operator.client()?.patient(BACKUP_TIME);
    let answer = client.ask(Method::POST, "/backup", Some(json!({ "folder": folder }))).await?;
    let BackedUp { objects } = serde_json::from_value(answer).context("while reading the answer")?;
    println!("{} holds the key-value store and {objects} objects", folder.display());
    Ok(())
}

fn describe(state: &DrainState) -> String {
    format!("{} publishers, {} chunks wait", state.publishers, state.waiting_chunks)
}

/// A line for each publisher, and one for all.
fn to_table(publishers: &[Value]) -> String {
    let head = ["STREAM", "CLIENT", "AGE", "VIDEO", "AUDIO", "KBIT/S", "FPS", "LAG", "STATE"];
    let rows: Vec<[String; 9]> =
        std::iter::once(head.map(str::to_owned)).chain(publishers.iter().map(row)).collect();
    let width = |at: usize| rows.iter().map(|row| row[at].chars().count()).max().unwrap_or(0);
    let widths: Vec<_> = (0..head.len()).map(width).collect();
    let mut table = String::new();
    for row in &rows {
        let cells: Vec<_> = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}")).collect();
        table += cells.join("  ").trim_end();
        table.push('\n');
    }
    table += &format!("{} publishers\n", publishers.len());
    table
}

fn row(publisher: &Value) -> [String; 9] {
    let text = |name: &str| publisher[name].as_str().unwrap_or_default().replace(char::is_control, " ");
    let number = |name: &str| publisher[name].as_f64().unwrap_or_default();
    let state = match (publisher["unrecorded"].as_str(), publisher["recorded"].as_bool()) {
        (Some(reason), _) => format!("not recorded: {reason}"),
        (None, Some(true)) => "recorded".to_owned(),
        _ => "not to be recorded".to_owned(),
    };
    [
        text("stream"),
        text("client"),
        format!("{:.0}s", number("age_s")),
        text("video_codec"),
        text("audio_codec"),
        format!("{:.0}", number("bits_per_second") / 1e3),
        format!("{:.1}", number("frames_per_second")),
        format!("{:.1}s", number("lag_s")),
        state,
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_has_a_line_for_each_publisher() {
        let publisher = json!({
            "stream": "live.example.com/live/talk", "client": "192.0.2.1:5", "age_s": 61.4, "video_codec": "h264",
            "audio_codec": "aac", "bits_per_second": 4_000_400.0, "frames_per_second": 25.0, "lag_s": 0.25,
            "recorded": true, "unrecorded": null,
        });
        let mut other = publisher.clone();
        other["unrecorded"] = "bucket".into();
        let expected = "\
STREAM                      CLIENT       AGE  VIDEO  AUDIO  KBIT/S  FPS   LAG   STATE
live.example.com/live/talk  192.0.2.1:5  61s  h264   aac    4000    25.0  0.2s  recorded
live.example.com/live/talk  192.0.2.1:5  61s  h264   aac    4000    25.0  0.2s  not recorded: bucket
2 publishers
";
        assert_eq!(to_table(&[publisher, other]), expected);
    }
}
