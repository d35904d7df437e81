//! Function hosts over one store, with requests of gateways, cron jobs and clients.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::task::Poll;

use http::{Method, Request};
use serde_json::{Value, json};
use shared::Answer;
use shared::rules::Rule;
use shared::testing::{Sent, World, request_to, rule, run};
use simulation::media;
use store::memory::{Actor, Outcome};

use crate::client;

/// 2026-01-02T03:04:05Z.
pub(crate) const BEGAN_MS: u64 = 1_767_323_045_000;

/// What a call of a gateway is answered: the JSON of a 200, or status and code of a problem.
pub(crate) type Reply = Result<Value, (u16, String)>;

/// Function hosts over one store.
pub(crate) struct Site {
    /// True time, Unix milliseconds.
    pub(crate) now_ms: Cell<u64>,
    /// The hosts, each with how far its clock is ahead. Calls take turns.
    pub(crate) hosts: Vec<(World, Cell<i64>)>,
    turn: Cell<usize>,
    /// The gateways that live and reach the functions.
    pub(crate) heard: RefCell<BTreeMap<String, Heard>>,
    /// Whether a cron job calls.
    pub(crate) ticks: Cell<bool>,
    nonce: Cell<u64>,
}

/// What the next heartbeat of a gateway says.
#[derive(Clone, Debug, Default)]
pub(crate) struct Heard {
    pub(crate) boot: String,
    pub(crate) since: Option<u64>,
    pub(crate) told_ms: u64,
    pub(crate) adopted: Vec<String>,
    pub(crate) holds: Vec<String>,
    pub(crate) confirmed: Vec<Value>,
    /// What heartbeats were answered of sessions: their orders.
    pub(crate) orders: BTreeMap<String, Value>,
}

/// A push, as its gateway knows it.
#[derive(Clone, Debug)]
pub(crate) struct Push {
    pub(crate) gateway: String,
    /// Path of its session.
    pub(crate) path: String,
    pub(crate) session: String,
    pub(crate) began_ms: u64,
    /// The orders of the begin's answer.
    pub(crate) orders: Value,
    /// What chunks are cut under.
    pub(crate) generation: String,
    /// Number of the next chunk.
    pub(crate) seq: u64,
}

/// What something takes of the key-value store.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Cost {
    pub(crate) operations: u64,
    pub(crate) read_bytes: u64,
    pub(crate) written_bytes: u64,
}

/// A record file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct File {
    pub(crate) name: String,
    /// Sessions and numbers of its slices.
    pub(crate) slices: Vec<(String, u64)>,
    /// Its playlist.
    pub(crate) text: String,
}

/// A rule with cycles so long that only breaks, orders and edges end files.
pub(crate) fn long_cycles() -> Rule {
    let mut rule = rule();
    rule.formats[0].cycle_seconds = 21_600;
    rule
}

/// The spans of an answer, in seconds since the site began.
fn spans(answer: &Value) -> Vec<(u64, u64)> {
    let list = answer["RecordContentInfoList"]["RecordContentInfo"].as_array().unwrap();
    let at_s = |value: &Value| acs::time::parse(value.as_str().unwrap()).unwrap() - BEGAN_MS / 1_000;
    list.iter().map(|span| (at_s(&span["StartTime"]), at_s(&span["EndTime"]))).collect()
}

impl Push {
    /// An order takes effect after the chunks so far, and its gateway says so.
    pub(crate) fn confirm_at(&mut self, site: &Site, generation: &str) {
        let last_seq = self.seq.checked_sub(1);
        let confirmed = json!({"session": self.session, "generation": generation, "last_seq": last_seq});
        site.tell(&self.gateway, |heard| heard.confirmed.push(confirmed));
        self.generation = generation.into();
    }
}

impl Site {
    /// One host with a true clock, under a rule with long cycles.
    pub(crate) fn new() -> Self {
        Self::under(long_cycles())
    }

    /// One host with a true clock, under a rule.
    pub(crate) fn under(rule: Rule) -> Self {
        Self::of_hosts(rule, &[0])
    }

    /// Hosts whose clocks are so far ahead, in milliseconds, under a rule.
    pub(crate) fn of_hosts(rule: Rule, ahead_ms: &[i64]) -> Self {
        let first = World::at(BEGAN_MS);
        *first.rule.borrow_mut() = Ok(Some(rule));
        let others: Vec<_> =
            ahead_ms.iter().skip(1).map(|ahead| (first.beside(BEGAN_MS), Cell::new(*ahead))).collect();
        let site = Self {
            now_ms: Cell::new(BEGAN_MS),
            hosts: std::iter::once((first, Cell::new(ahead_ms[0]))).chain(others).collect(),
            turn: Cell::new(0),
            heard: RefCell::default(),
            ticks: Cell::new(true),
            nonce: Cell::new(0),
        };
        // The first tick finds the work bucket fit.
        site.tick();
        site
    }

    /// Any host: what they share is there.
    pub(crate) fn any(&self) -> &World {
        &self.hosts[0].0
    }

    /// Sets how far a host's clock is ahead.
    pub(crate) fn set_clock(&self, host: usize, ahead_ms: i64) {
        self.hosts[host].1.set(ahead_ms);
    }

    /// Sets the rule that pushes fall under from now on.
    pub(crate) fn set_rule(&self, rule: &Rule) {
        for (world, _) in &self.hosts {
            *world.rule.borrow_mut() = Ok(Some(rule.clone()));
        }
    }

    /// What something takes.
    pub(crate) fn cost<T>(&self, work: impl FnOnce() -> T) -> (Cost, T) {
        let store = &self.any().store;
        let now = || (store.operations(), store.read_bytes(), store.written_bytes());
        let before = now();
        let done = work();
        let after = now();
        let cost = Cost {
            operations: after.0 - before.0,
            read_bytes: after.1 - before.1,
            written_bytes: after.2 - before.2,
        };
        (cost, done)
    }

    /// The host whose turn it is, at the time of its clock.
    fn host(&self) -> &World {
        let turn = self.turn.get();
        self.turn.set((turn + 1) % self.hosts.len());
        let (world, ahead_ms) = &self.hosts[turn];
        world.now_ms.set(self.now_ms.get().saturating_add_signed(ahead_ms.get()));
        world
    }

    fn serve(&self, request: Request<Sent>) -> Answer {
        let world = self.host();
        let path = request.uri().path().to_owned();
        run(async {
            match path.as_str() {
                "/" => recorder_api_function::handler::handle(world, request).await,
                // Whoever calls ticks calls deliveries.
                "/tick" => {
                    let answer = recorder_index_function::handler::handle(world, request).await;
                    let deliver = request_to(Method::POST, "/deliver", "{}");
                    recorder_deliver_function::handler::handle(world, deliver).await;
                    answer
                }
                path if path.contains("/chunks/") => {
                    recorder_remux_function::handler::handle(world, request).await
                }
                _ => recorder_on_demand_function::handler::handle(world, request).await,
            }
        })
    }

    fn reply(&self, request: Request<Sent>) -> Reply {
        let answer = self.serve(request);
        let body: Value = serde_json::from_str(answer.body()).unwrap();
        if answer.status().is_success() {
            return Ok(body);
        }
        Err((answer.status().as_u16(), body["code"].as_str().unwrap().to_owned()))
    }

    /// A gateway's call with a JSON body.
    pub(crate) fn post(&self, path: &str, body: &Value) -> Reply {
        self.reply(request_to(Method::POST, path, body.to_string()))
    }

    /// Ticks once; answers what failed.
    pub(crate) fn tick(&self) -> Value {
        self.post("/tick", &json!({})).unwrap()["failures"].clone()
    }

    /// A tick that is under way, from now on.
    pub(crate) fn tick_under_way(&self) -> Actor<'_, Answer> {
        let world = self.host();
        Box::pin(recorder_index_function::handler::handle(world, request_to(Method::POST, "/tick", "{}")))
    }

    /// Lets a call go on until it is answered, or for so many operations.
    pub(crate) fn go_on(&self, call: &mut Actor<'_, Answer>, operations: u64) -> Option<Answer> {
        (0..operations).find_map(|_| match self.any().store.scheduler().step(call, Outcome::Applied) {
            (Poll::Ready(answer), _) => Some(answer),
            (Poll::Pending, _) => None,
        })
    }

    /// Calls an action of the recording API.
    pub(crate) fn api(&self, action: &str, parameters: &[(&str, &str)]) -> Result<Value, String> {
        self.nonce.set(self.nonce.get() + 1);
        // A client's clock agrees with the host that it happens to reach.
        let ahead_ms = self.hosts[self.turn.get()].1.get();
        let now_ms = self.now_ms.get().saturating_add_signed(ahead_ms);
        client::read(&self.serve(client::request(action, parameters, self.nonce.get(), now_ms)))
    }

    /// Calls an action about a stream, with more parameters.
    pub(crate) fn api_of(&self, action: &str, stream: &str, more: &[(&str, &str)]) -> Result<Value, String> {
        let of = [("DomainName", "live.example.com"), ("AppName", "live"), ("StreamName", stream)];
        self.api(action, &[&of[..], more].concat())
    }

    /// Commands a stream; answers `OK` or the error's code.
    pub(crate) fn command(&self, stream: &str, command: &str) -> String {
        let answer = self.api_of("RealTimeRecordCommand", stream, &[("Command", command)]);
        answer.map_or_else(|code| code, |_| "OK".into())
    }

    /// Whether a stream is online.
    pub(crate) fn state(&self, stream: &str) -> String {
        let answer = self.api_of("DescribeLiveStreamState", stream, &[]).unwrap();
        answer["StreamState"].as_str().unwrap().to_owned()
    }

    /// The names of the streams that are online.
    pub(crate) fn online(&self) -> Vec<String> {
        let answer =
            self.api("DescribeLiveStreamsOnlineList", &[("DomainName", "live.example.com")]).unwrap();
        let infos = answer["OnlineInfo"]["LiveStreamOnlineInfo"].as_array().unwrap();
        infos.iter().map(|info| info["StreamName"].as_str().unwrap().to_owned()).collect()
    }

    /// Begin and end of each span that is recorded of a stream, in seconds since the site began; of the last three days.
    pub(crate) fn spans(&self, stream: &str) -> Vec<(u64, u64)> {
        spans(&self.in_range("DescribeLiveStreamRecordContent", stream, &[]).unwrap())
    }

    /// The same, of a range in seconds since the site began.
    pub(crate) fn spans_between(&self, stream: &str, from_s: u64, to_s: u64) -> Vec<(u64, u64)> {
        let time = |at_s: u64| acs::time::format(BEGAN_MS / 1_000 + at_s);
        let range = [("StartTime", &*time(from_s)), ("EndTime", &*time(to_s))];
        spans(&self.api_of("DescribeLiveStreamRecordContent", stream, &range).unwrap())
    }

    /// Calls an action about a stream in a range around now.
    pub(crate) fn in_range(
        &self,
        action: &str,
        stream: &str,
        more: &[(&str, &str)],
    ) -> Result<Value, String> {
        let now_s = self.now_ms.get() / 1_000;
        let (start, end) = (acs::time::format(now_s - 3 * 86_400), acs::time::format(now_s + 43_200));
        let range = [("StartTime", start.as_str()), ("EndTime", end.as_str())];
        self.api_of(action, stream, &[&range[..], more].concat())
    }

    /// The index files that are listed of a stream.
    pub(crate) fn index_files(&self, stream: &str) -> Vec<Value> {
        let more = [("PageSize", "30")];
        let answer = self.in_range("DescribeLiveStreamRecordIndexFiles", stream, &more).unwrap();
        answer["RecordIndexInfoList"]["RecordIndexInfo"].as_array().unwrap().clone()
    }

    /// The record files in the users' buckets.
    pub(crate) fn files(&self) -> Vec<File> {
        let objects = self.any().buckets.objects.borrow();
        let playlists = objects.iter().filter(|(name, _)| name.ends_with(".m3u8"));
        let files = playlists.map(|(name, playlist)| {
            let text = String::from_utf8(playlist.bytes.clone()).unwrap();
            let folder = name.rsplit_once('/').unwrap().0;
            let uris = text.lines().filter(|line| !line.starts_with('#'));
            let slices = uris.map(|uri| {
                let slice =
                    objects.get(&format!("{folder}/{uri}")).unwrap_or_else(|| panic!("{folder}/{uri}"));
                let (session, seq) = slice.tag.rsplit_once('/').unwrap();
                (session.to_owned(), seq.parse().unwrap())
            });
            File { name: name.clone(), slices: slices.collect(), text: text.clone() }
        });
        files.collect()
    }

    /// The record files that hold slices of a push, each as the numbers of these.
    pub(crate) fn files_of(&self, push: &Push) -> Vec<Vec<u64>> {
        let of = |file: File| {
            let own = file.slices.into_iter().filter(|(session, _)| *session == push.session);
            own.map(|(_, seq)| seq).collect::<Vec<_>>()
        };
        let mut files: Vec<_> =
            self.files().into_iter().map(of).filter(|slices| !slices.is_empty()).collect();
        files.sort();
        files
    }

    /// A gateway starts on a spool: from now on it is heard every second.
    pub(crate) fn start(&self, gateway: &str, boot: &str) {
        self.start_holding(gateway, boot, &[]);
    }

    /// Like [`start`](Self::start), on a spool that holds pushes of earlier boots.
    pub(crate) fn start_holding(&self, gateway: &str, boot: &str, held: &[&Push]) {
        let holds = held.iter().map(|push| push.session.clone()).collect();
        let heard = Heard { boot: boot.into(), holds, ..Heard::default() };
        self.heard.borrow_mut().insert(gateway.into(), heard);
        self.beat(gateway).unwrap();
    }

    /// A gateway is not heard any more; answers what it would have said next.
    pub(crate) fn silence(&self, gateway: &str) -> Heard {
        self.heard.borrow_mut().remove(gateway).unwrap()
    }

    /// Changes what a gateway's next heartbeat says.
    pub(crate) fn tell(&self, gateway: &str, what: impl FnOnce(&mut Heard)) {
        what(self.heard.borrow_mut().get_mut(gateway).unwrap());
    }

    /// A gateway's heartbeat.
    pub(crate) fn beat(&self, gateway: &str) -> Reply {
        let mut heard = self.heard.borrow()[gateway].clone();
        let answer = self.post(
            "/heartbeat",
            &json!({
                "gateway": gateway,
                "boot": heard.boot,
                "since": heard.since,
                "told_ms": heard.told_ms,
                "adopted": heard.adopted,
                "holds": heard.holds,
                "confirmed": heard.confirmed,
            }),
        )?;
        heard.since = answer["since"].as_u64();
        heard.adopted.clear();
        heard.confirmed.clear();
        for session in answer["sessions"].as_array().unwrap() {
            let id = session["session"].as_str().unwrap().to_owned();
            heard.orders.insert(id, session["orders"].clone());
        }
        self.heard.borrow_mut().insert(gateway.into(), heard);
        Ok(answer)
    }

    /// Lets time pass: each second the gateways that live are heard, and a tick comes.
    pub(crate) fn seconds(&self, seconds: u64) {
        for _ in 0..seconds {
            self.pass_ms(1_000);
            let names: Vec<String> = self.heard.borrow().keys().cloned().collect();
            for name in names {
                self.beat(&name).unwrap();
            }
            if self.ticks.get() {
                self.tick();
            }
        }
    }

    /// Lets time pass in which nobody calls.
    pub(crate) fn pass_ms(&self, ms: u64) {
        self.now_ms.set(self.now_ms.get() + ms);
    }

    /// A gateway begins a push whose first coded frame came just now, and adopts what it is offered.
    pub(crate) fn begin(&self, gateway: &str, stream: &str) -> Push {
        self.begin_with(gateway, stream, &json!({}))
    }

    /// Like [`begin`](Self::begin), with more to say.
    pub(crate) fn begin_with(&self, gateway: &str, stream: &str, more: &Value) -> Push {
        let push = self.offer(gateway, stream, more).unwrap();
        self.adopt(&push);
        push
    }

    /// A gateway asks for a session, and has not adopted it yet.
    pub(crate) fn offer(&self, gateway: &str, stream: &str, more: &Value) -> Result<Push, (u16, String)> {
        let boot = self.heard.borrow()[gateway].boot.clone();
        let mut body = json!({"gateway": gateway, "boot": boot, "push": "p", "client": "192.0.2.1:1935"});
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let sessions = format!("/streams/live.example.com/live/{stream}/sessions");
        let answer = self.post(&sessions, &body)?;
        let session = answer["session"].as_str().unwrap().to_owned();
        let orders = answer["orders"].clone();
        // The order that holds already, if any.
        let in_force = orders.as_array().unwrap().iter().rfind(|order| order["in_ms"].is_null());
        let generation = in_force.map_or("0.0", |order| order["generation"].as_str().unwrap());
        Ok(Push {
            gateway: gateway.into(),
            path: format!("{sessions}/{session}"),
            session,
            began_ms: self.now_ms.get() - body["began_ago_ms"].as_u64().unwrap_or(0),
            generation: generation.to_owned(),
            orders,
            seq: 0,
        })
    }

    /// A push's gateway tells with its next heartbeat that it uses the session.
    pub(crate) fn adopt(&self, push: &Push) {
        self.tell(&push.gateway, |heard| heard.adopted.push(push.session.clone()));
    }

    /// Sends a chunk of a push: pictures from one second of it up to another.
    pub(crate) fn chunk(&self, push: &Push, seq: u64, seconds: std::ops::Range<u64>) -> Reply {
        let bytes = media::chunk(seconds.start * 1_000, seconds.end * 1_000);
        self.bytes(push, seq, seconds.start, bytes)
    }

    /// Sends the bytes of a chunk of a push that was cut from a second of it on.
    pub(crate) fn bytes(&self, push: &Push, seq: u64, from_s: u64, bytes: Vec<u8>) -> Reply {
        let mut request = request_to(Method::PUT, &format!("{}/chunks/{seq}", push.path), bytes);
        let headers = request.headers_mut();
        headers.insert("x-push", "p".parse().unwrap());
        headers.insert("x-chunk-offset-ms", (from_s * 1_000).into());
        headers.insert("x-generation", push.generation.parse().unwrap());
        self.reply(request)
    }

    /// Tells that a chunk will never come.
    pub(crate) fn lose(&self, push: &Push, seq: u64, seconds: std::ops::Range<u64>) -> Reply {
        self.lose_for(push, seq, seconds, "shed")
    }

    /// Tells that a chunk will never come, for a reason.
    pub(crate) fn lose_for(
        &self,
        push: &Push,
        seq: u64,
        seconds: std::ops::Range<u64>,
        reason: &str,
    ) -> Reply {
        let lost = json!({
            "lost": reason,
            "from_ms": seconds.start * 1_000,
            "to_ms": seconds.end * 1_000,
            "generation": push.generation,
        });
        let mut request = request_to(Method::PUT, &format!("{}/chunks/{seq}", push.path), lost.to_string());
        request.headers_mut().insert("content-type", "application/json".parse().unwrap());
        self.reply(request)
    }

    /// Pushes chunks of five seconds each, as the media comes.
    pub(crate) fn record(&self, push: &mut Push, chunks: u64) {
        for _ in 0..chunks {
            self.seconds(5);
            let to = (self.now_ms.get() - push.began_ms) / 1_000;
            self.chunk(push, push.seq, to - 5..to).unwrap();
            push.seq += 1;
        }
    }

    /// Tells that a push ended just now.
    pub(crate) fn end(&self, push: &Push) {
        self.end_ago(push, 0).unwrap();
    }

    /// Tells that a push ended so long ago.
    pub(crate) fn end_ago(&self, push: &Push, ended_ago_ms: u64) -> Reply {
        let duration_ms = self.now_ms.get() - ended_ago_ms - push.began_ms;
        let end = json!({"ended_ago_ms": ended_ago_ms, "duration_ms": duration_ms, "chunks": push.seq});
        self.post(&format!("{}/end", push.path), &end)
    }
}
