//! `live-recorder spool`: what waits in a gateway's spool, and what was refused.

use std::fmt;
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::Duration;

use ::gateway::upkeep::{self, Action, ChunkId, Entry, State};
use anyhow::{Context, Result, bail, ensure};

const EXAMPLES: &str = "\
Examples:
  live-recorder spool list
  live-recorder spool list --refused --json
  live-recorder spool resend --all
  live-recorder spool resend 1767225600000-0a1b2c3d/7
  live-recorder spool drop 1767225600000-0a1b2c3d
  live-recorder spool drop --waiting 1767225600000-0a1b2c3d

Exit codes: 0 done, 1 nothing is selected or the spool cannot be used, 2 wrong arguments.";

#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct SpoolArgs {
    #[command(subcommand)]
    command: SpoolCommand,
}

#[derive(clap::Subcommand)]
enum SpoolCommand {
    /// Lists the chunks that wait for the functions, and those that the functions refused.
    List(ListArgs),
    /// Brings refused chunks to the functions again. They become recordings of their own, under the rule of their push.
    /// The gateway does it within some seconds, or once the loss of the chunks is told; without one, the next that is
    /// started.
    Resend(ResendArgs),
    /// Deletes chunks that the functions refused, or that wait. What waits is told and recorded as a gap.
    Drop(DropArgs),
}

#[derive(clap::Args)]
struct ListArgs {
    #[command(flatten)]
    data: DataArgs,
    /// Only chunks that the functions refused.
    #[arg(long)]
    refused: bool,
    /// As JSON: an array of objects with push, chunk, stream, state, reason, request, from_ms, to_ms, bytes, age_ms,
    /// session and seq; what is not known is null.
    #[arg(long)]
    json: bool,
}

#[derive(clap::Args)]
struct ResendArgs {
    #[command(flatten)]
    data: DataArgs,
    #[command(flatten)]
    selection: Selection,
}

#[derive(clap::Args)]
struct DropArgs {
    #[command(flatten)]
    data: DataArgs,
    #[command(flatten)]
    selection: Selection,
    /// Also chunks that wait; otherwise only refused ones are dropped.
    #[arg(long)]
    waiting: bool,
}

#[derive(clap::Args)]
struct DataArgs {
    /// The gateway's folder. The gateway may be running.
    #[arg(long, default_value = ".live-recorder")]
    data: PathBuf,
}

/// Which chunks.
#[derive(clap::Args)]
#[group(required = true, multiple = false)]
struct Selection {
    /// All.
    #[arg(long)]
    all: bool,
    /// A push, or a chunk of one.
    #[arg(value_name = "PUSH[/CHUNK]")]
    named: Vec<Name>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Name {
    push: String,
    chunk: Option<u64>,
}

impl FromStr for Name {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (push, chunk) = match text.split_once('/') {
            Some((push, chunk)) => {
                (push, Some(chunk.parse().map_err(|_| format!("{chunk:?} is no number of a chunk"))?))
            }
            None => (text, None),
        };
        let is_name = |letter: char| letter.is_ascii_alphanumeric() || letter == '-';
        if push.is_empty() || !push.chars().all(is_name) {
            return Err(format!("{push:?} is no push, such as 1767225600000-0a1b2c3d"));
        }
        Ok(Self { push: push.to_owned(), chunk })
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.chunk {
            Some(chunk) => write!(f, "{}/{chunk}", self.push),
            None => f.write_str(&self.push),
        }
    }
}

impl Name {
    fn is_of(&self, id: &ChunkId) -> bool {
        self.push == id.push && self.chunk.is_none_or(|chunk| chunk == id.chunk)
    }
}

/// Does what is asked for.
pub(crate) fn run(args: SpoolArgs) -> Result<()> {
    let mut output = std::io::stdout().lock();
    match args.command {
        SpoolCommand::List(ListArgs { data, refused, json }) => {
            let mut entries = list(&data.spool()?)?;
            entries.retain(|entry| !refused || matches!(entry.state, State::Refused(_)));
            output.write_all(if json { to_json(&entries) } else { to_table(&entries) }.as_bytes())?;
        }
        SpoolCommand::Resend(ResendArgs { data, selection }) => {
            let spool = data.spool()?;
            let chunks = select(&list(&spool)?, &selection, false)?;
            writeln!(output, "{} refused chunks will be resent by the spool's gateway", chunks.len())?;
            ask(&spool, Action::Resend, chunks)?;
        }
        SpoolCommand::Drop(DropArgs { data, selection, waiting }) => {
            let spool = data.spool()?;
            let chunks = select(&list(&spool)?, &selection, waiting)?;
            writeln!(output, "{} chunks are dropped; those that wait, by the spool's gateway", chunks.len())?;
            ask(&spool, Action::Drop, chunks)?;
        }
    }
    Ok(())
}

impl DataArgs {
    fn spool(&self) -> Result<PathBuf> {
        crate::data::check(&self.data)?;
        Ok(self.data.join("spool"))
    }
}

fn list(spool: &Path) -> Result<Vec<Entry>> {
    upkeep::list(spool).map_err(|error| match error.kind() {
        ErrorKind::NotFound => anyhow::anyhow!("{} is no spool: name its gateway's --data", spool.display()),
        _ => anyhow::Error::from(error).context(format!("while reading the spool {}", spool.display())),
    })
}

fn ask(spool: &Path, action: Action, chunks: Vec<ChunkId>) -> Result<()> {
    upkeep::ask(spool, action, chunks)
        .with_context(|| format!("while writing to the spool {}", spool.display()))
}

/// The chunks that are meant, of the refused ones, and where `waiting`, of those that wait.
fn select(entries: &[Entry], selection: &Selection, waiting: bool) -> Result<Vec<ChunkId>> {
    let can_be = |entry: &&Entry| match entry.state {
        State::Refused(_) => true,
        State::Waiting => waiting,
        State::Open | State::Lost(_) => false,
    };
    for name in &selection.named {
        let mut found = entries.iter().filter(|entry| name.is_of(&entry.id)).peekable();
        let Some(first) = found.peek() else { bail!("there is no {name} in the spool") };
        let state = state(first);
        ensure!(
            found.any(|entry| can_be(&entry)),
            "{name} is {state}: that cannot be done to it{}",
            hint(waiting)
        );
    }
    let is_meant = |entry: &&Entry| selection.all || selection.named.iter().any(|name| name.is_of(&entry.id));
    let chunks: Vec<_> =
        entries.iter().filter(can_be).filter(is_meant).map(|entry| entry.id.clone()).collect();
    ensure!(!chunks.is_empty(), "there is none in the spool");
    Ok(chunks)
}

fn hint(waiting: bool) -> &'static str {
    if waiting { "" } else { " (what waits is dropped with `drop --waiting`)" }
}

fn state(entry: &Entry) -> &'static str {
    match &entry.state {
        State::Open => "open",
        State::Waiting => "waiting",
        State::Lost(_) => "lost",
        State::Refused(_) => "refused",
    }
}

fn reason(entry: &Entry) -> Option<String> {
    match &entry.state {
        State::Open | State::Waiting => None,
        State::Lost(reason) => Some(format!("{reason:?}").to_lowercase()),
        State::Refused(reason) => Some(reason.clone()),
    }
}

fn request(action: Action) -> &'static str {
    match action {
        Action::Resend => "resend",
        Action::Drop => "drop",
    }
}

fn to_json(entries: &[Entry]) -> String {
    let entry = |entry: &Entry| {
        let (session, seq) = entry.session.clone().unzip();
        serde_json::json!({
            "push": entry.id.push,
            "chunk": entry.id.chunk,
            "stream": entry.stream,
            "state": state(entry),
            "reason": reason(entry),
            "request": entry.request.map(request),
            "from_ms": entry.from_ms,
            "to_ms": entry.to_ms,
            "bytes": entry.bytes,
            "age_ms": u64::try_from(entry.age.as_millis()).unwrap_or(u64::MAX),
            "session": session,
            "seq": seq,
        })
    };
    format!("{:#}\n", serde_json::Value::from_iter(entries.iter().map(entry)))
}

/// A line for each chunk, and one for all.
fn to_table(entries: &[Entry]) -> String {
    let head = ["PUSH", "STREAM", "CHUNK", "MS", "BYTES", "AGE", "STATE", "REASON"].map(str::to_owned);
    let rows: Vec<_> = std::iter::once(head).chain(entries.iter().map(row)).collect();
    let width = |at: usize| rows.iter().map(|row| row[at].chars().count()).max().unwrap_or(0);
    let widths: Vec<_> = (0..7).map(width).collect();
    let mut table = String::new();
    for row in &rows {
        let cells = row.iter().enumerate().map(|(at, cell)| match widths.get(at) {
            // Numbers end below one another.
            Some(width) if (2..=5).contains(&at) => format!("{cell:>width$}"),
            Some(width) => format!("{cell:<width$}"),
            None => cell.clone(),
        });
        table += cells.collect::<Vec<_>>().join("  ").trim_end();
        table.push('\n');
    }
    let bytes: u64 = entries.iter().map(|entry| entry.bytes).sum();
    table.push_str(&format!("{} chunks, {bytes} bytes\n", entries.len()));
    table
}

fn row(entry: &Entry) -> [String; 8] {
    let asked = entry.request.map_or(String::new(), |action| format!(", to {}", request(action)));
    [
        entry.id.push.clone(),
        entry.stream.clone(),
        entry.id.chunk.to_string(),
        entry.to_ms.map_or("-".into(), |to_ms| to_ms.saturating_sub(entry.from_ms).to_string()),
        entry.bytes.to_string(),
        age(entry.age),
        format!("{}{asked}", state(entry)),
        // It may come from anywhere.
        reason(entry).unwrap_or_default().replace(char::is_control, " "),
    ]
}

/// In the largest unit of which there is one.
fn age(age: Duration) -> String {
    match age.as_secs() {
        seconds @ ..60 => format!("{seconds}s"),
        seconds @ ..3_600 => format!("{}m", seconds / 60),
        seconds @ ..86_400 => format!("{}h", seconds / 3_600),
        seconds => format!("{}d", seconds / 86_400),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(chunk: u64, state: State) -> Entry {
        Entry {
            id: ChunkId { push: "1767225600000-0a1b2c3d".into(), chunk },
            stream: "live.example.com/live/talk".into(),
            state,
            request: None,
            from_ms: 5_000 * chunk,
            to_ms: Some(5_000 * chunk + 4_960),
            bytes: 2_500_000,
            age: Duration::from_secs(90),
            session: Some(("s".into(), chunk)),
        }
    }

    fn entries() -> Vec<Entry> {
        let mut refused = entry(0, State::Refused("422: NotFlv: tag\n99".into()));
        refused.request = Some(Action::Resend);
        let open = Entry { to_ms: None, ..entry(2, State::Open) };
        vec![refused, entry(1, State::Waiting), open]
    }

    fn selected(named: &[&str], waiting: bool) -> Result<Vec<u64>, String> {
        let named: Vec<Name> = named.iter().map(|name| name.parse().unwrap()).collect();
        let chunks = select(&entries(), &Selection { all: named.is_empty(), named }, waiting);
        let chunks = chunks.map_err(|error| error.to_string())?;
        Ok(chunks.into_iter().map(|id| id.chunk).collect())
    }

    #[test]
    fn a_table_has_a_line_for_each_chunk() {
        let expected = "\
PUSH                    STREAM                      CHUNK    MS    BYTES  AGE  STATE               REASON
1767225600000-0a1b2c3d  live.example.com/live/talk      0  4960  2500000   1m  refused, to resend  422: NotFlv: tag 99
1767225600000-0a1b2c3d  live.example.com/live/talk      1  4960  2500000   1m  waiting
1767225600000-0a1b2c3d  live.example.com/live/talk      2     -  2500000   1m  open
3 chunks, 7500000 bytes
";
        assert_eq!(to_table(&entries()), expected);
        assert_eq!(to_table(&[]).lines().last(), Some("0 chunks, 0 bytes"));
    }

    #[test]
    fn json_has_all_of_it() {
        let json: serde_json::Value = serde_json::from_str(&to_json(&entries())).unwrap();
        let expected = serde_json::json!({
            "push": "1767225600000-0a1b2c3d", "chunk": 0, "stream": "live.example.com/live/talk",
            "state": "refused", "reason": "422: NotFlv: tag\n99", "request": "resend", "from_ms": 0,
            "to_ms": 4_960, "bytes": 2_500_000, "age_ms": 90_000, "session": "s", "seq": 0,
        });
        assert_eq!(json[0], expected);
        assert_eq!((json[2]["to_ms"].is_null(), json[1]["reason"].is_null()), (true, true));
    }

    #[test]
    fn refused_chunks_are_selected_and_those_that_wait_where_asked_for() {
        let push = "1767225600000-0a1b2c3d";
        assert_eq!(selected(&[], false), Ok(vec![0]));
        assert_eq!(selected(&[], true), Ok(vec![0, 1]));
        assert_eq!(selected(&[push], false), Ok(vec![0]));
        assert_eq!(selected(&[&format!("{push}/1")], true), Ok(vec![1]));
        let error = selected(&[&format!("{push}/1")], false).unwrap_err();
        assert!(error.starts_with("1767225600000-0a1b2c3d/1 is waiting: that cannot be done"), "{error}");
        assert!(selected(&[&format!("{push}/2")], true).is_err(), "it is being written");
        assert_eq!(selected(&["other"], true), Err("there is no other in the spool".into()));
        assert_eq!(selected(&[push, "other"], true), Err("there is no other in the spool".into()));
    }

    #[test]
    fn names_are_pushes_and_chunks() {
        let name = "1767225600000-0a1b2c3d/7".parse::<Name>().unwrap();
        assert_eq!((name.chunk, name.to_string().as_str()), (Some(7), "1767225600000-0a1b2c3d/7"));
        for wrong in ["", "/1", "a/b", "../x", "a/"] {
            assert!(wrong.parse::<Name>().is_err(), "{wrong}");
        }
    }
}
