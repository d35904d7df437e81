//! The built components under our host, as what answers the calls of a simulated history.
//!
//! One thread runs all of them, and hosts have the history's time. A call goes on until it asks something of its host. The
//! history performs that when it is the call's turn, with the fault that it has drawn. What a call asks at once is performed
//! one after the other.

use std::cell::Cell;
use std::collections::VecDeque;
use std::net::SocketAddr;
use std::rc::Rc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use harness::api;
use host::{Clock, Host, HostBuilder, InstanceLimits, Manifest, RandomSource};
use http::{Request, Response};
use http_body_util::{BodyExt as _, Full};
use protocol::StreamPath;
use recorder_compose_function::Sizes;
use shared::Answer;
use shared::catalog::Command;
use shared::testing::{ACCESS_KEYS, INGEST_TOKEN, Sent, World};
use simulation::call::Ask;
use simulation::functions::{Answering, Functions};
use tokio::runtime::{Builder, Runtime};
use tokio::sync::mpsc;
use tokio::task::{JoinHandle, yield_now};

use super::configured;
use super::wire::{Operation, Wire};

/// What hosts are called.
const HOST: &str = "functions";

/// Whoever calls.
const CLIENT: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 50_000);

/// After so many rounds of the runtime every task waits for something.
const ROUNDS: u32 = 16;

/// A call that asks nothing and is not answered for so long hangs.
const PATIENCE: Duration = Duration::from_secs(60);

/// A host's time. Unix milliseconds.
#[derive(Clone, Default)]
struct Time(Arc<AtomicU64>);

impl Clock for Time {
    fn wall(&self) -> Duration {
        Duration::from_millis(self.0.load(Ordering::Relaxed))
    }

    fn monotonic(&self) -> Duration {
        self.wall()
    }
}

/// Instances draw one after the other.
#[derive(Default)]
struct Drawn(AtomicU64);

impl RandomSource for Drawn {
    fn seed(&self) -> [u8; 32] {
        let number = self.0.fetch_add(1, Ordering::Relaxed);
        std::array::from_fn(|at| if at < 8 { number.to_le_bytes()[at] } else { at as u8 })
    }
}

/// What all calls of a history share.
struct Shared {
    runtime: Runtime,
    asked: Mutex<mpsc::UnboundedReceiver<Operation>>,
    hosts: Vec<(Arc<Host>, Time)>,
    /// How many commands were given.
    commands: Cell<u64>,
}

/// The components.
pub(super) struct Components(Rc<Shared>);

impl Components {
    /// The components on so many hosts over one store.
    pub(super) fn new(hosts: usize) -> Self {
        let (wire, asked) = mpsc::unbounded_channel();
        let runtime = Builder::new_current_thread().enable_all().build().unwrap();
        let random = Arc::new(Drawn::default());
        let host = |_| {
            let time = Time::default();
            let _guard = runtime.enter();
            let manifest = Manifest::load(&harness::root().join("spin.toml")).unwrap();
            let wire = Arc::new(Wire(wire.clone()));
            let host = HostBuilder::new(manifest)
                .variables(variables().into())
                .cache(harness::root().join("target/native/components"))
                .key_value(wire.clone())
                .outbound(wire)
                .clock(Arc::new(time.clone()))
                .random(random.clone())
                .limits(limits());
            (Arc::new(host.build().unwrap()), time)
        };
        let hosts = (0..hosts).map(host).collect();
        Self(Rc::new(Shared { runtime, asked: Mutex::new(asked), hosts, commands: Cell::default() }))
    }
}

/// Each call has an instance for itself: one that waits for a counter holds up its instance, and may rest or die there. Time
/// that is not the history's ends nothing.
fn limits() -> InstanceLimits {
    let hour = Duration::from_secs(3_600);
    InstanceLimits { concurrent_requests: 1, idle: hour, request: hour, ..InstanceLimits::default() }
}

/// As those of a simulated world.
fn variables() -> [(String, String); 7] {
    [
        ("access_keys", ACCESS_KEYS),
        ("ingest_token", INGEST_TOKEN),
        ("bucket_access_key_id", "testid"),
        ("bucket_access_key_secret", "testsecret"),
        ("bucket_hosts", "*://*:*"),
        ("work_bucket", "http://work/work"),
        ("name_timezone", "+08:00"),
    ]
    .map(|(name, value)| (name.to_owned(), value.to_owned()))
}

impl Functions for Components {
    fn answer(&self, host: usize, world: Rc<World>, ask: Ask) -> Answering {
        let request = match ask {
            Ask::Route(request) | Ask::Compose(request, _) => request,
            Ask::Command(stream, command) => self.0.command(&stream, command, world.now_ms.get() / 1_000),
        };
        Box::pin(answer(Rc::clone(&self.0), host, world, request))
    }

    fn sizes(&self) -> Option<Sizes> {
        Some(Sizes::DEFAULT)
    }

    fn configure(&self, world: &World) {
        configured::keep(world);
    }
}

/// One call, from its request to the end of its answer.
async fn answer(shared: Rc<Shared>, host: usize, world: Rc<World>, request: Request<Sent>) -> Answer {
    let mut call = Call::start(&shared, host, request);
    loop {
        shared.hosts[host].1.0.store(world.now_ms.get(), Ordering::Relaxed);
        match shared.go_on(&mut call) {
            Next::Asks(operation) => operation.perform(&world).await,
            Next::Answers(answer) => return answer,
        }
    }
}

/// What comes of a call that goes on.
enum Next {
    Asks(Operation),
    Answers(Answer),
}

impl Shared {
    /// What a client of the recording API sends that gives a command.
    fn command(&self, stream: &StreamPath, command: Command, now_s: u64) -> Request<Sent> {
        let word = match command {
            Command::Start => "start",
            Command::Stop => "stop",
            Command::Restart => "restart",
            Command::CancelDelay => "cancel_delay",
        };
        let parameters = [
            ("DomainName", stream.domain()),
            ("AppName", stream.app()),
            ("StreamName", stream.stream()),
            ("Command", word),
        ];
        let nonce = self.commands.replace(self.commands.get() + 1).to_string();
        let signed = api::sign(HOST, now_s, &nonce, "RealTimeRecordCommand", &parameters);
        signed.unwrap().map(|()| Sent::default())
    }

    /// Lets a call go on up to what it asks next. Every other call waits meanwhile for what it has asked, so all that is
    /// asked is this one's: several things at once, where it does several.
    fn go_on(&self, call: &mut Call) -> Next {
        let mut asked = self.asked.lock().unwrap();
        self.runtime.block_on(async {
            loop {
                for _ in 0..ROUNDS {
                    yield_now().await;
                }
                while let Ok(operation) = asked.try_recv() {
                    call.asked.push_back(operation);
                }
                if let Some(operation) = call.asked.pop_front() {
                    return Next::Asks(operation);
                }
                tokio::select! {
                    biased;
                    Some(operation) = asked.recv() => call.asked.push_back(operation),
                    answer = &mut call.answer => return Next::Answers(answer.expect("a call should not panic")),
                    () = tokio::time::sleep(PATIENCE) => panic!("{} neither asks nor answers", call.line),
                }
            }
        })
    }
}

/// A call under way. Dropped, it dies.
struct Call {
    /// What is called.
    line: String,
    answer: JoinHandle<Answer>,
    /// What it asks and has not been answered.
    asked: VecDeque<Operation>,
}

impl Call {
    fn start(shared: &Shared, host: usize, request: Request<Sent>) -> Self {
        let (mut head, body) = request.into_parts();
        let line = format!("{} {}", head.method, head.uri);
        head.headers.insert("host", HOST.parse().unwrap());
        head.headers.insert("content-length", body.bytes.len().into());
        let body = Full::new(body.bytes.into()).map_err(|never| match never {}).boxed_unsync();
        let host = Arc::clone(&shared.hosts[host].0);
        let answer = shared.runtime.spawn(async move {
            let answer = host.handle(Request::from_parts(head, body), CLIENT).await;
            let (head, body) = answer.into_parts();
            let body = body.collect().await.expect("an answer should be whole").to_bytes().to_vec();
            assert!(head.status != 500 || !body.is_empty(), "a component should not trap");
            assert!(![401, 403].contains(&head.status.as_u16()), "no call should be denied: {head:?}");
            Response::from_parts(head, String::from_utf8(body).expect("an answer should be text"))
        });
        Self { line, answer, asked: VecDeque::new() }
    }
}

impl Drop for Call {
    fn drop(&mut self) {
        self.answer.abort();
    }
}
