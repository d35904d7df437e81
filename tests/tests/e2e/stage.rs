//! One running bundle for all cases: every push is made at once, then all record files are waited for once.

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, LazyLock};
use std::time::{Duration, Instant};

use anyhow::Result;
use chrono::TimeDelta;
use harness::api;
use harness::bucket::{self, Recording};
use harness::server::Server;
use serde_json::Value;

use crate::cases;
use crate::flv_tags::Tag;
use crate::publisher::Publisher;
use crate::source::{self, Clip, Recipe};

/// Streaming domain and application of every case.
const DOMAIN: &str = "cases.example.com";
pub(crate) const APP: &str = "cases";

/// An application of two levels.
pub(crate) const INNER_APP: &str = "cases/two-levels";

/// Streaming domain of a publisher that names none: the address that it connected to.
const DEFAULT_DOMAIN: &str = "127.0.0.1";

/// Length of the slices that the rule asks for, in seconds.
const SLICE_S: &str = "5";

/// Silence after which a record file closes, in seconds: the shortest that a rule can say.
const DELAY_S: u64 = 15;

/// How long after that delay the last record file may take to appear.
const SLACK: Duration = Duration::from_secs(30);

/// How many times as fast as the show a push is sent.
const SPEED: f64 = 6.0;

/// A push that other recorders were reported to get wrong, rebuilt.
pub(crate) struct Case {
    /// Name of the stream.
    pub(crate) name: &'static str,
    /// What is bent.
    pub(crate) clip: Recipe,
    pub(crate) push: fn(&Push<'_>) -> Result<()>,
}

/// What a case pushes with.
pub(crate) struct Push<'a> {
    server: &'a Server,
    pub(crate) stream: &'a str,
    pub(crate) clip: &'a Clip,
}

impl Push<'_> {
    /// Pushes tags over a connection of their own, faster than the show.
    pub(crate) fn tags(&self, tags: &[Tag]) -> Result<()> {
        self.paced(tags, SPEED)
    }

    /// Pushes tags over a connection of their own, as fast as the show: where a break follows whose length counts.
    pub(crate) fn in_real_time(&self, tags: &[Tag]) -> Result<()> {
        self.paced(tags, 1.0)
    }

    fn paced(&self, tags: &[Tag], speed: f64) -> Result<()> {
        let mut publisher = self.open()?;
        publisher.send_paced(tags, speed)?;
        publisher.finish(self.stream)
    }

    /// Pushes what is made of each tag of the clip.
    pub(crate) fn bent(&self, bend: impl FnMut(&Tag) -> Vec<Tag>) -> Result<()> {
        let bent: Vec<Tag> = self.clip.tags.iter().flat_map(bend).collect();
        self.tags(&bent)
    }

    /// Pushes the clip; `send` sends each tag, and is told how many tags came before.
    pub(crate) fn by_hand(&self, send: impl FnMut(&mut Publisher, usize, &Tag) -> Result<()>) -> Result<()> {
        self.opened_by(|publisher| self.publish(publisher, APP, self.stream), send)
    }

    /// The same over a connection on which `open` begins to publish.
    pub(crate) fn opened_by(
        &self,
        open: impl FnOnce(&mut Publisher) -> Result<()>,
        mut send: impl FnMut(&mut Publisher, usize, &Tag) -> Result<()>,
    ) -> Result<()> {
        let mut publisher = Publisher::connect(&self.server.rtmp)?;
        open(&mut publisher)?;
        let begun = Instant::now();
        for (at, tag) in self.clip.tags.iter().enumerate() {
            let due = Duration::from_secs_f64(tag.sent_ms as f64 / 1_000.0 / SPEED);
            std::thread::sleep(due.saturating_sub(begun.elapsed()));
            send(&mut publisher, at, tag)?;
        }
        publisher.finish(self.stream)
    }

    fn open(&self) -> Result<Publisher> {
        let mut publisher = Publisher::connect(&self.server.rtmp)?;
        self.publish(&mut publisher, APP, self.stream)?;
        Ok(publisher)
    }

    /// Begins to publish a stream of the cases' domain.
    pub(crate) fn publish(&self, publisher: &mut Publisher, app: &str, stream: &str) -> Result<()> {
        let tc_url = format!("rtmp://{}/{app}", self.server.rtmp);
        publisher.publish(app, &format!("{stream}?vhost={DOMAIN}"), Some(&tc_url))
    }
}

/// What became of a case.
pub(crate) struct Recorded {
    pub(crate) name: &'static str,
    pub(crate) clip: Arc<Clip>,
    /// Its record files, in order of time.
    pub(crate) files: Vec<Recording>,
    pushed: Result<()>,
}

struct Stage {
    server: Server,
    /// Ends the server when this process ends, however it ends: statics are not dropped.
    _watch: Child,
    recorded: Vec<Recorded>,
}

/// The bundle that recorded the cases, while it still runs.
pub(crate) fn server() -> &'static Server {
    &stage().server
}

impl Recorded {
    /// What became of a push that was made without trouble.
    pub(crate) fn of(name: &'static str, clip: Arc<Clip>, files: Vec<Recording>) -> Self {
        Self { name, clip, files, pushed: Ok(()) }
    }

    /// Calls an action of the API on the stream, in a range of seconds after its recording began.
    pub(crate) fn call(&self, action: &str, range_s: (i64, i64), more: &[(&str, &str)]) -> Value {
        let begin = self.files[0].playlist.segments[0].program_date_time.unwrap().to_utc();
        let time = |seconds| (begin + TimeDelta::seconds(seconds)).format("%Y-%m-%dT%H:%M:%SZ").to_string();
        let (from, to) = (time(range_s.0), time(range_s.1));
        let stream = [("DomainName", DOMAIN), ("AppName", APP), ("StreamName", self.name)];
        let parameters = [&stream[..], &[("StartTime", &from), ("EndTime", &to)], more].concat();
        let (status, answer) = api::call(server(), action, &parameters).unwrap();
        assert_eq!(status, 200, "{}: {answer}", self.name);
        answer
    }
}

/// What became of every case that was pushed without trouble.
pub(crate) fn all_recorded() -> impl Iterator<Item = &'static Recorded> {
    stage().recorded.iter().filter(|recorded| recorded.pushed.is_ok())
}

/// What became of the case of that name, which was pushed without trouble.
pub(crate) fn recorded(name: &str) -> &'static Recorded {
    let found = stage().recorded.iter().find(|recorded| recorded.name == name);
    let recorded = found.unwrap_or_else(|| panic!("there is no case {name}"));
    if let Err(error) = &recorded.pushed {
        panic!("{name}: the push broke off: {error:#}");
    }
    recorded
}

fn stage() -> &'static Stage {
    // Where this fails for one test, it fails for all of them at once.
    static STAGE: LazyLock<Stage> = LazyLock::new(perform);
    &STAGE
}

/// Pushes every case, and waits until all that was pushed is in record files.
fn perform() -> Stage {
    // What was recorded stays there for a look until the next run.
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("cases");
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder).unwrap();
    let server = Server::start(&folder).unwrap();
    let watch = watch(&server);
    for (domain, app) in [(DOMAIN, APP), (DOMAIN, INNER_APP), (DEFAULT_DOMAIN, APP)] {
        api::add_rule_of_all_formats(&server, domain, app, SLICE_S, &DELAY_S.to_string()).unwrap();
    }

    let all = cases::all();
    let pushed: Vec<(Arc<Clip>, Result<()>)> = std::thread::scope(|scope| {
        let pushing = all.iter().map(|case| {
            let server = &server;
            scope.spawn(move || {
                let clip = source::clip(case.clip);
                let pushed = (case.push)(&Push { server, stream: case.name, clip: &clip });
                (clip, pushed)
            })
        });
        let pushing: Vec<_> = pushing.collect();
        pushing.into_iter().map(|push| push.join().unwrap()).collect()
    });

    let ended = Instant::now();
    let recorded = all.iter().zip(pushed).map(|(case, (clip, pushed))| {
        let patience = (Duration::from_secs(DELAY_S) + SLACK).saturating_sub(ended.elapsed());
        let files = if pushed.is_ok() { wait_for(&server, case.name, patience) } else { Vec::new() };
        Recorded { name: case.name, clip, files, pushed }
    });
    let recorded = recorded.collect();
    Stage { server, _watch: watch, recorded }
}

/// The record files of a stream, once every slice of it is in one; or those that there are when patience ends.
fn wait_for(server: &Server, stream: &str, patience: Duration) -> Vec<Recording> {
    let prefix = format!("record/{APP}/{stream}/");
    let begun = Instant::now();
    loop {
        let slices = bucket::objects(server, "recordings", &prefix).unwrap();
        let slices = slices.iter().filter(|object| object.ends_with(".ts")).count();
        let mut files = bucket::recordings(server, "recordings", &prefix).unwrap();
        let filed: usize = files.iter().map(|file| file.playlist.segments.len()).sum();
        if slices > 0 && filed >= slices || begun.elapsed() >= patience {
            files.sort_by_key(|file| file.playlist.segments[0].program_date_time);
            return files;
        }
        std::thread::sleep(Duration::from_millis(200));
    }
}

/// A process that ends the server's processes as soon as its input ends, that is, with this process.
fn watch(server: &Server) -> Child {
    let mut watch = Command::new("sh");
    watch.args(["-c", "read _; kill \"$@\"", "watch"]).args(server.ids().iter().map(u32::to_string));
    watch.stdin(Stdio::piped()).spawn().unwrap()
}
