//! What is recorded under each mode, window and answer, with each pair of commands and each break: the functions against
//! a model of the rules for it.
//!
//! A push of six chunks of five seconds is commanded after its second and its fourth one. After a break just shorter or
//! just longer than the rule's delay comes another push of four chunks.

use serde_json::{Value, json};
use shared::rules::{NotifyConfig, OnDemand, Rule};
use shared::testing;

use crate::site::{BEGAN_MS, Push, Reply, Site, long_cycles};

pub(crate) const CHUNK_S: u64 = 5;
const DELAY_S: u64 = 15;
/// Chunks of both pushes.
pub(crate) const CHUNKS: [u64; 2] = [6, 4];
/// Chunks of the first push before each command.
const COMMANDED: [u64; 2] = [2, 4];
/// Where an edge of a window lies, in seconds after the first push's begin.
const EDGE_S: u64 = 15;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    Automatic,
    Manual,
    /// The push's argument says so, or does not.
    Argument(bool),
    /// The URL answers this; `None`: it does not answer.
    Url(Option<(u16, &'static str)>),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Window {
    None,
    Opens,
    Ends,
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Case {
    pub(crate) mode: Mode,
    pub(crate) window: Window,
    pub(crate) commands: [&'static str; 2],
    pub(crate) gap_s: u64,
}

pub(crate) const WINDOWS: [Window; 3] = [Window::None, Window::Opens, Window::Ends];

pub(crate) const MODES: [Mode; 10] = [
    Mode::Automatic,
    Mode::Manual,
    Mode::Argument(true),
    Mode::Argument(false),
    Mode::Url(Some((200, r#"{"NeedRecord":true}"#))),
    Mode::Url(Some((200, r#"{"NeedRecord":true,"Interval":{"M3U8":10}}"#))),
    Mode::Url(Some((200, r#"{"NeedRecord":true,"Format":["mp4"]}"#))),
    Mode::Url(Some((200, r#"{"NeedRecord":false}"#))),
    Mode::Url(Some((302, r#"{"NeedRecord":true}"#))),
    Mode::Url(None),
];

pub(crate) const COMMANDS: [&str; 5] = ["", "stop", "start", "restart", "cancel_delay"];

impl Mode {
    fn on_demand(self) -> OnDemand {
        match self {
            Self::Automatic => OnDemand::Always,
            Self::Manual => OnDemand::Command,
            Self::Argument(_) => OnDemand::PushArgument,
            Self::Url(_) => OnDemand::AskUrl,
        }
    }

    /// Whether a push is recorded without a command.
    fn is_wanted(self) -> bool {
        match self {
            Self::Automatic => true,
            Self::Manual => false,
            Self::Argument(wants) => wants,
            Self::Url(reply) => reply == MODES_YES || reply == MODES_INTERVAL,
        }
    }

    /// Whether the URL gives no answer, which is told; that it says no is not.
    pub(crate) fn is_unanswered(self) -> bool {
        matches!(self, Self::Url(None | Some((302, _))))
    }

    /// Chunks in a file, as far as something limits them.
    fn cycle(self) -> u64 {
        match self {
            Self::Url(reply) if reply == MODES_INTERVAL => 2,
            _ => u64::MAX,
        }
    }
}

const MODES_YES: Option<(u16, &str)> = Some((200, r#"{"NeedRecord":true}"#));
const MODES_INTERVAL: Option<(u16, &str)> = Some((200, r#"{"NeedRecord":true,"Interval":{"M3U8":10}}"#));

/// A chunk: the number of its push, and its place in it.
pub(crate) type Chunk = (usize, u64);

/// What the rules say of a recording.
#[derive(Default)]
pub(crate) struct Model {
    pub(crate) files: Vec<Vec<Chunk>>,
    /// What is told of the recordings' status.
    pub(crate) statuses: Vec<&'static str>,
    /// Whether a command was taken since the push began.
    is_commanded: bool,
    /// Seconds after the first push's begin at which the open file's last chunk ended.
    end_s: Option<u64>,
    pub(crate) is_recording: bool,
    /// The command `stop` was the last thing that was ordered.
    is_stopped: bool,
    /// It was, and nothing has begun to record since.
    was_stopped: bool,
}

impl Model {
    /// The whole of a case, and which commands were taken.
    fn of(case: Case) -> (Self, Vec<bool>) {
        let (mut model, mut replies) = (Self::default(), Vec::new());
        let second_s = CHUNKS[0] * CHUNK_S + case.gap_s;
        for (push, begin_s) in [0, second_s].into_iter().enumerate() {
            model.begin(case, begin_s);
            for chunk in 0..CHUNKS[push] {
                let now_s = begin_s + chunk * CHUNK_S;
                if push == 0 {
                    model.edge(case, now_s);
                    if let Some(place) = COMMANDED.iter().position(|at| *at == chunk) {
                        replies.extend(model.command(case.commands[place]));
                    }
                }
                if model.is_recording {
                    model.chunk(case, (push, chunk), now_s);
                }
            }
            model.pause();
        }
        (model, replies)
    }

    /// A push begins as its rule says, whatever was commanded before.
    pub(crate) fn begin(&mut self, case: Case, now_s: u64) {
        let is_in_window = match case.window {
            Window::None => true,
            Window::Opens => now_s >= EDGE_S,
            Window::Ends => now_s < EDGE_S,
        };
        self.is_recording = case.mode.is_wanted() && is_in_window;
        (self.is_stopped, self.was_stopped, self.is_commanded) = (false, false, false);
        // What is not recorded from its begin continues nothing.
        if !self.is_recording {
            self.end_s = None;
        }
    }

    /// An edge of the window closes the file. It holds only where the mode records without commands.
    pub(crate) fn edge(&mut self, case: Case, now_s: u64) {
        if now_s != EDGE_S || case.window == Window::None || !case.mode.is_wanted() {
            return;
        }
        // What was commanded before the window opens takes the place of its begin.
        if case.window == Window::Opens && !self.is_commanded {
            (self.is_recording, self.end_s) = (true, None);
        }
        if case.window == Window::Ends {
            (self.is_recording, self.is_stopped, self.end_s) = (false, false, None);
            self.was_stopped = false;
            self.pause();
        }
    }

    /// Whether a command is taken; `None` where there is none.
    pub(crate) fn command(&mut self, command: &str) -> Option<bool> {
        let is_taken = match command {
            "start" => !self.is_recording,
            "stop" => self.is_recording,
            "restart" => self.is_recording || self.was_stopped,
            "cancel_delay" => self.is_stopped,
            _ => return None,
        };
        self.is_commanded |= is_taken;
        if is_taken {
            match command {
                "start" => (self.is_recording, self.is_stopped) = (true, false),
                "stop" => (self.is_recording, self.is_stopped) = (false, true),
                "restart" => (self.is_recording, self.is_stopped, self.end_s) = (true, false, None),
                _ => (self.is_stopped, self.end_s) = (false, None),
            }
            self.was_stopped = !self.is_recording;
            if self.was_stopped {
                self.pause();
            }
        }
        Some(is_taken)
    }

    /// Nothing is recorded any more. It is told once, if anything was.
    pub(crate) fn pause(&mut self) {
        if !matches!(self.statuses.last(), None | Some(&"record_paused")) {
            self.statuses.push("record_paused");
        }
    }

    pub(crate) fn chunk(&mut self, case: Case, chunk: Chunk, now_s: u64) {
        let goes_on = self.end_s.is_some_and(|end_s| now_s <= end_s + DELAY_S);
        if matches!(self.statuses.last(), None | Some(&"record_paused")) {
            self.statuses.push(if goes_on { "record_resumed" } else { "record_started" });
        }
        match self.files.last_mut() {
            Some(file) if goes_on && (file.len() as u64) < case.mode.cycle() => file.push(chunk),
            _ => self.files.push(vec![chunk]),
        }
        self.end_s = Some(now_s + CHUNK_S);
    }
}

/// A push, and the orders that its gateway has heard of: generation, whether to record, and when, Unix milliseconds.
pub(crate) struct Ordered {
    pub(crate) push: Push,
    orders: Vec<(String, bool, u64)>,
    /// The places of the chunks that were sent.
    pub(crate) sent: Vec<u64>,
}

impl Ordered {
    fn begin(site: &Site, gateway: &str, more: &Value) -> Self {
        let push = site.begin_with(gateway, "cam", more);
        let mut ordered = Self { orders: Vec::new(), sent: Vec::new(), push };
        ordered.hear(site, &ordered.push.orders.clone());
        ordered
    }

    pub(crate) fn hear(&mut self, site: &Site, orders: &Value) {
        let now_ms = site.now_ms.get();
        self.orders = orders
            .as_array()
            .unwrap()
            .iter()
            .map(|order| {
                let at_ms = order["in_ms"]
                    .as_u64()
                    .map_or(now_ms - order["age_ms"].as_u64().unwrap_or(0), |ms| now_ms + ms);
                let generation = order["generation"].as_str().unwrap().to_owned();
                (generation, order["record"].as_bool().unwrap(), at_ms)
            })
            .collect();
    }

    /// Five seconds pass, whose chunk is sent if it is wanted.
    fn chunk(&mut self, site: &Site, place: u64) {
        let is_wanted = self.follow_orders(site);
        site.seconds(CHUNK_S);
        if is_wanted {
            self.send(site, place).unwrap();
        }
    }

    /// Whether the chunk that begins now is wanted.
    pub(crate) fn follow_orders(&mut self, site: &Site) -> bool {
        let holds = self.orders.iter().rfind(|(_, _, at_ms)| *at_ms <= site.now_ms.get()).cloned();
        if let Some((generation, ..)) = &holds
            && *generation != self.push.generation
        {
            self.push.confirm_at(site, generation);
        }
        holds.is_some_and(|(_, record, _)| record)
    }

    /// Sends the chunk that ends now.
    pub(crate) fn send(&mut self, site: &Site, place: u64) -> Reply {
        let ended_s = (site.now_ms.get() - self.push.began_ms) / 1_000;
        let answer = site.chunk(&self.push, self.push.seq, ended_s - CHUNK_S..ended_s)?;
        self.push.seq += 1;
        self.sent.push(place);
        Ok(answer)
    }
}

pub(crate) fn site(case: Case) -> Site {
    let mut rule = Rule { on_demand: case.mode.on_demand(), ..long_cycles() };
    assert_eq!(u64::from(rule.delay_seconds), DELAY_S);
    rule.triple.stream = "cam".into();
    let edge = Some(BEGAN_MS / 1_000 + EDGE_S);
    match case.window {
        Window::None => {}
        Window::Opens => rule.start_time = edge,
        Window::Ends => rule.end_time = edge,
    }
    let site = Site::under(rule);
    *site.any().notify.borrow_mut() = Ok(Some(NotifyConfig {
        domain: "live.example.com".into(),
        notify_url: Some("http://cb.test.com/".into()),
        on_demand_url: Some("http://cb.test.com/ask".into()),
        need_status_notify: true,
        notify_req_auth: false,
        notify_auth_key: None,
    }));
    site.start("g", "spool.1");
    site
}

/// Begins a push as the mode has it.
pub(crate) fn begin(site: &Site, gateway: &str, case: Case, after: &Value) -> Ordered {
    let mut more = json!({ "after": after });
    if let Mode::Argument(wants) = case.mode {
        more["arguments"] = json!({"record_config": format!(r#"{{"NeedRecord":{wants}}}"#)});
    }
    if let Mode::Url(reply) = case.mode {
        let reply = reply.map_or(testing::Reply::Silent(0), |(status, body)| {
            testing::Reply::Answer(status, body.into(), 0)
        });
        site.any().receivers.otherwise(reply);
    }
    let began = Ordered::begin(site, gateway, &more);
    site.any().receivers.otherwise(testing::Reply::Answer(200, String::new(), 0));
    began
}

/// What the functions make of a case: its files, and which commands were taken.
fn play(case: Case) -> (Site, Vec<Vec<Chunk>>, Vec<bool>) {
    let site = site(case);
    let mut replies = Vec::new();
    let mut first = begin(&site, "g", case, &Value::Null);
    for place in 0..CHUNKS[0] {
        let command = COMMANDED.iter().position(|at| *at == place).map_or("", |at| case.commands[at]);
        if !command.is_empty() {
            let reply = site.command("cam", command);
            assert!(["OK", "TaskAlreadyStarted", "TaskNotStarted"].contains(&&*reply), "{case:?}: {reply}");
            replies.push(reply == "OK");
            site.beat("g").unwrap();
            let orders = site.heard.borrow()["g"].orders.get(&first.push.session).cloned();
            if let Some(orders) = orders.filter(|_| reply == "OK") {
                first.hear(&site, &orders);
            }
        }
        first.chunk(&site, place);
    }
    site.end(&first.push);
    site.seconds(case.gap_s);
    let mut second =
        begin(&site, "g", case, &json!({"session": first.push.session, "gap_ms": case.gap_s * 1_000}));
    for place in 0..CHUNKS[1] {
        second.chunk(&site, place);
    }
    site.end(&second.push);
    site.seconds(60);
    let files = files(&site, &[first, second]);
    (site, files, replies)
}

/// The files of pushes, each as its chunks.
pub(crate) fn files(site: &Site, pushes: &[Ordered]) -> Vec<Vec<Chunk>> {
    let chunk = |(session, seq): &(String, u64)| {
        let push = pushes.iter().position(|ordered| ordered.push.session == *session).unwrap();
        (push, pushes[push].sent[*seq as usize])
    };
    let mut files: Vec<Vec<Chunk>> =
        site.files().iter().map(|file| file.slices.iter().map(chunk).collect()).collect();
    files.sort();
    files
}

/// Statuses are told as the model has them, and each file once.
fn check_told(site: &Site, model: &Model, case: Case) {
    let files = model.files.len();
    let sent = site.any().receivers.take_sent();
    let bodies: Vec<Value> =
        sent.iter().filter_map(|sent| serde_json::from_slice(sent.body()).ok()).collect();
    let told = bodies.iter().filter_map(|body| body["event"].as_str());
    let (errors, told): (Vec<_>, Vec<_>) = told.partition(|event| *event == "record_error");
    // Each of the two pushes asks.
    assert_eq!(errors.len(), if case.mode.is_unanswered() { 2 } else { 0 }, "{case:?}: {bodies:?}");
    assert_eq!(told, model.statuses, "{case:?}");
    let uris: std::collections::BTreeSet<_> = bodies.iter().filter_map(|body| body["uri"].as_str()).collect();
    assert_eq!(uris.len(), files, "{case:?}");
    assert_eq!(bodies.iter().filter(|body| body["uri"].is_string()).count(), files, "{case:?}");
}

#[test]
fn every_case_is_recorded_as_the_rules_say() {
    let mut cases = 0;
    for mode in MODES {
        for window in WINDOWS {
            for commands in COMMANDS.iter().flat_map(|first| COMMANDS.map(|second| [*first, second])) {
                for gap_s in [DELAY_S - 1, DELAY_S + 1] {
                    let case = Case { mode, window, commands, gap_s };
                    let (model, expected) = Model::of(case);
                    let (site, files, replies) = play(case);
                    assert_eq!(replies, expected, "{case:?}");
                    assert_eq!(files, model.files, "{case:?}");
                    check_told(&site, &model, case);
                    cases += 1;
                }
            }
        }
    }
    assert_eq!(cases, 10 * 3 * 25 * 2);
}
