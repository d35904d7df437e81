//! A gateway whose time is given to it.

use std::collections::BTreeMap;
use std::fs;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use gateway::{Config, Control, Entrance, Settings};
use protocol::StreamPath;
use shared::Answer;
use shared::testing::INGEST_TOKEN;
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::runtime::{Builder, Runtime};
use tokio::task::{JoinHandle, yield_now};
use tokio::time::{Instant, advance, sleep_until};
use tokio_util::sync::CancellationToken;

use super::clock::{self, moment, now_ms};
use super::cpu;
use super::dates::{Dates, within};
use super::publisher::Publisher;
use super::wire::Wire;
use crate::gateway::{Asked, Engine, Loss, MARK, Sent};
use crate::history::BEGAN_MS;

/// A folder in memory, where there is one: nothing here asks what a disk has when the power fails.
const MEMORY: &str = "/dev/shm";

/// A picture is sent so long before the end of a second that the gateway has read it then.
const READ_MS: u64 = 60;

/// A call, a handshake or an answer has passed all its sockets after so many looks at them.
const SETTLED: usize = 24;

/// What was read is on disk after this.
const WRITTEN_MS: u64 = 110;

/// Lets what was written to sockets arrive, and what follows from it, while time stands still. A runtime looks at its sockets
/// only when it has nothing else to do, and then time passes up to the next timer, whatever it finds there.
async fn settle() {
    for _ in 0..SETTLED {
        yield_now().await;
    }
}

/// A gateway, its spool and its publishers.
#[derive(Debug)]
pub(crate) struct Process {
    name: String,
    seed: u64,
    starts: u64,
    spool: TempDir,
    dates: Dates,
    run_to_ms: u64,
    /// None only while it is dead.
    running: Option<Running>,
}

#[derive(Debug)]
struct Running {
    runtime: Runtime,
    gateway: JoinHandle<anyhow::Result<()>>,
    address: SocketAddr,
    wire: Wire,
    publishers: BTreeMap<u32, Publisher>,
}

/// A folder by whose name one knows what a run that was killed has left.
fn spool_folder() -> TempDir {
    let mut folder = tempfile::Builder::new();
    folder.prefix("recorder-simulation-");
    folder.tempdir_in(MEMORY).or_else(|_| folder.tempdir()).unwrap()
}

impl Process {
    /// Starts a gateway as a history begins.
    pub(crate) fn start(name: &str, seed: u64) -> Self {
        cpu::stay();
        let spool = spool_folder();
        let dates = Dates::of(spool.path().join("pushes"));
        let (name, run_to_ms) = (name.into(), BEGAN_MS);
        let mut process = Self { name, seed, starts: 0, spool, dates, run_to_ms, running: None };
        clock::hold();
        process.start_at(BEGAN_MS, 0);
        process
    }

    /// Starts a gateway whose calls are numbered from those of the one before on.
    fn start_at(&mut self, at_ms: u64, calls: u64) {
        self.starts += 1;
        fastrand::seed(self.seed << 20 | self.starts << 8 | u64::from(self.name.as_bytes()[1]));
        // What goes to the disk ends in the order in which it began.
        let mut runtime = Builder::new_current_thread();
        runtime.enable_all().start_paused(true).max_blocking_threads(1);
        let runtime = runtime.build().unwrap();
        let wire = Wire::after(calls);
        let (address, gateway) = runtime.block_on(async {
            // By whole milliseconds, as timers go: so what is rounded to them is rounded alike each time.
            let ahead_ms = (moment(at_ms) - Instant::now()).as_millis() as u64 + 1;
            advance(Duration::from_millis(ahead_ms)).await;
            let functions = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let config = self.config(functions.local_addr().unwrap());
            tokio::spawn(wire.clone().serve(functions));
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let address = listener.local_addr().unwrap();
            let gateway = gateway::open(config).await.unwrap();
            (address, tokio::spawn(gateway.run(vec![Entrance::rtmp(listener)], CancellationToken::new())))
        });
        self.running = Some(Running { runtime, gateway, address, wire, publishers: BTreeMap::new() });
    }

    fn config(&self, functions: SocketAddr) -> Config {
        let settings = Settings { ingest_token: INGEST_TOKEN.into(), ..Settings::default() };
        let control = Control::new(settings).unwrap();
        Config {
            name: Some(self.name.clone()),
            spool_limit_bytes: Some(1 << 30),
            ..Config::new(vec![format!("http://{functions}")], self.spool.path().into(), control)
        }
    }

    fn running(&mut self) -> &mut Running {
        self.running.as_mut().unwrap()
    }

    fn lose(&self, loss: &Loss) {
        match loss {
            Loss::Tail | Loss::Nothing => {}
            Loss::Push(push) => fs::remove_dir_all(self.spool.path().join("pushes").join(push)).unwrap(),
            Loss::Spool => {
                for entry in fs::read_dir(self.spool.path()).unwrap() {
                    let path = entry.unwrap().path();
                    if path.is_dir() { fs::remove_dir_all(path) } else { fs::remove_file(path) }.unwrap();
                }
            }
        }
    }
}

impl Engine for Process {
    fn publish(&mut self, mark: u32, stream: &StreamPath, argument: Option<&str>) {
        let mut name = format!("{}?{MARK}={mark}", stream.stream());
        if let Some(argument) = argument {
            let encoded = percent_encoding::utf8_percent_encode(argument, percent_encoding::NON_ALPHANUMERIC);
            name.push_str(&format!("&record_config={encoded}"));
        }
        let Running { runtime, address, publishers, .. } = self.running();
        let _inside = runtime.enter();
        let publisher = Publisher::come(*address, mark, (stream.domain(), stream.app(), &name));
        publishers.insert(mark, publisher);
    }

    fn unpublish(&mut self, mark: u32) {
        if let Some(publisher) = self.running().publishers.get_mut(&mark) {
            publisher.leave();
        }
    }

    fn sent(&self, mark: u32) -> Sent {
        let publisher = self.running.as_ref().and_then(|running| running.publishers.get(&mark));
        publisher.map(Publisher::sent).unwrap_or_default()
    }

    fn spooled(&self) -> Vec<PathBuf> {
        let folders = ["pushes", "refused"].map(|folder| self.spool.path().join(folder));
        folders.iter().flat_map(|folder| within(folder)).collect()
    }

    fn restart(&mut self, killed_ms: u64, loss: &Loss) {
        let mut running = self.running.take().unwrap();
        let after_ms = match loss {
            Loss::Nothing => READ_MS + WRITTEN_MS,
            // At any moment up to the next picture.
            _ => fastrand::u64(..1_000 - READ_MS),
        };
        let at_ms = running.runtime.block_on(async {
            for after_ms in [after_ms.min(WRITTEN_MS), after_ms] {
                sleep_until(moment(killed_ms.max(self.run_to_ms) + after_ms)).await;
                self.dates.set(now_ms());
            }
            // The next one is to begin no earlier.
            now_ms() + 1
        });
        let mut publishers = std::mem::take(&mut running.publishers);
        publishers.values_mut().for_each(Publisher::lose_gateway);
        let calls = running.wire.made();
        drop(running);
        self.lose(loss);
        self.start_at(at_ms, calls);
        self.run_to_ms = at_ms;
        self.running().publishers = publishers;
    }

    fn run_until(&mut self, until_ms: u64) -> Vec<Asked> {
        let mut to_ms = self.run_to_ms;
        self.run_to_ms = self.run_to_ms.max(until_ms);
        let Self { running, dates, .. } = self;
        let Running { runtime, gateway, wire, publishers, .. } = running.as_mut().unwrap();
        let are_pushing = publishers.values().any(Publisher::is_here);
        runtime.block_on(async {
            settle().await;
            while to_ms < until_ms {
                // What was read before is written within this time.
                if are_pushing && to_ms + WRITTEN_MS < until_ms {
                    sleep_until(moment(to_ms + WRITTEN_MS)).await;
                    dates.set(now_ms());
                }
                to_ms = until_ms.min(to_ms / 1_000 * 1_000 + 1_000);
                if are_pushing && to_ms.is_multiple_of(1_000) {
                    sleep_until(moment(to_ms - READ_MS)).await;
                    publishers.values_mut().for_each(|publisher| publisher.send(now_ms()));
                    settle().await;
                }
                sleep_until(moment(to_ms)).await;
                settle().await;
                if are_pushing {
                    dates.set(now_ms());
                }
            }
        });
        assert!(!gateway.is_finished(), "the gateway ended by itself");
        wire.take()
    }

    fn reply(&mut self, call: u64, reply: Option<Answer>) -> bool {
        let Running { runtime, wire, .. } = self.running();
        let is_heard = wire.reply(call, reply);
        // What follows from one answer is over before the next one comes: the order of two sockets is the system's.
        runtime.block_on(settle());
        is_heard
    }
}
