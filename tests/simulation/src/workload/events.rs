//! What happens in a second, drawn.

use protocol::StreamPath;
use shared::bucket;
use shared::catalog::Command;
use shared::testing::{OnCopy, Reply, Trouble};

use super::{Plan, rules};
use crate::call::Kind;
use crate::gateway::Gateway;
use crate::history::{History, LANES};
use crate::hosts::users_buckets;
use crate::network::Rates;

/// What the push URL says of recording, where a rule asks it.
const WANTED: [Option<&str>; 3] = [None, Some(r#"{"NeedRecord":true}"#), Some(r#"{"NeedRecord":false}"#)];

/// What may happen in a second beside what happens to streams.
const RULE: u64 = 100;
const TROUBLE: u64 = 101;

/// What is going on that ends at some time.
#[derive(Debug)]
pub(super) struct Events {
    functions_return_ms: Option<u64>,
    /// A lane is called again at a moment.
    lane_returns_ms: Option<(Kind, u64)>,
    receiver_returns_ms: Option<u64>,
    bucket_returns_ms: Option<u64>,
    gateways_return_ms: Vec<Option<u64>>,
    /// A stream's next push begins at a moment, on a gateway.
    next_ms: Vec<Option<(u64, usize)>>,
}

impl Events {
    pub(super) fn new(plan: &Plan) -> Self {
        Self {
            functions_return_ms: None,
            lane_returns_ms: None,
            receiver_returns_ms: None,
            bucket_returns_ms: None,
            gateways_return_ms: vec![None; 3],
            next_ms: vec![None; plan.streams.len()],
        }
    }

    /// Draws what happens next.
    pub(super) fn draw(&mut self, history: &mut History, plan: &Plan) {
        for at in 0..plan.streams.len() {
            history.turn_to(2 * at as u64);
            self.push(history, plan, at);
            history.turn_to(2 * at as u64 + 1);
            if now_and_then(history, plan, 25) {
                command(history, &plan.streams[at]);
            }
        }
        history.turn_to(RULE);
        if now_and_then(history, plan, 150) {
            let rule = rules::draw(&mut history.random, plan.length);
            history.note(&format!("the rule changes: {rule:?}"));
            history.coverage.reach("event: rule changed");
            history.set_rule(rule);
        }
        self.come_back(history);
        if plan.is_troubled {
            history.turn_to(TROUBLE);
            self.trouble(history, plan);
        }
    }

    /// Begins and ends pushes of a stream.
    fn push(&mut self, history: &mut History, plan: &Plan, at: usize) {
        let stream = &plan.streams[at];
        let live: Vec<usize> = (0..history.gateways.len())
            .filter(|place| history.gateways[*place].live(stream).is_some())
            .collect();
        if let Some((due_ms, place)) = self.next_ms[at] {
            if history.now_ms >= due_ms {
                self.next_ms[at] = None;
                if !history.happens() {
                    return;
                }
                begin(history, stream, place, due_ms);
            }
            return;
        }
        match live[..] {
            [] if now_and_then(history, plan, 8) => {
                let place = history.random.below(history.gateways.len());
                begin(history, stream, place, history.now_ms);
            }
            // Another gateway takes over, or has a backup encoder.
            [place] if history.gateways.len() > 1 && now_and_then(history, plan, 150) => {
                let other = (place + 1) % history.gateways.len();
                history.coverage.reach("event: second gateway begins beside the first");
                begin(history, stream, other, history.now_ms);
            }
            [place] if now_and_then(history, plan, 200) => {
                history.coverage.reach("event: second publisher takes over on one gateway");
                begin(history, stream, place, history.now_ms);
            }
            [place, ..] if now_and_then(history, plan, 40) => {
                let ended = history.gateways[place].live(stream).map(|push| (push.id.clone(), push.began_ms));
                let Some((id, began_ms)) = ended else { return };
                history.note(&format!("{id} ends"));
                history.coverage.reach("event: push ended");
                history.gateways[place].end(&id, history.now_ms);
                let ended_ms = began_ms + (history.now_ms - began_ms) / 1_000 * 1_000;
                self.next_ms[at] = draw_break(history, plan, ended_ms, place);
            }
            _ => {}
        }
    }

    /// Ends what has lasted long enough.
    fn come_back(&mut self, history: &mut History) {
        let now_ms = history.now_ms;
        let is_over = |until_ms: &mut Option<u64>| until_ms.take_if(|until_ms| *until_ms <= now_ms).is_some();
        if is_over(&mut self.functions_return_ms) {
            history.note("the functions are back");
            history.functions_are_down = false;
        }
        if let Some((lane, _)) = self.lane_returns_ms.take_if(|(_, until_ms)| *until_ms <= now_ms) {
            history.note(&format!("the lane {} is called again", lane.name()));
            history.resting.remove(&lane);
        }
        if is_over(&mut self.receiver_returns_ms) {
            history.note("the receiver is back");
            mend_receiver(history);
        }
        if is_over(&mut self.bucket_returns_ms) {
            history.note("the bucket is back");
            history.hosts.any().buckets.troubles.borrow_mut().clear();
        }
        for place in 0..history.gateways.len() {
            if is_over(&mut self.gateways_return_ms[place]) {
                history.note(&format!("gateway {place} is back"));
                history.coverage.reach("event: gateway came back");
                history.gateways[place].is_cut_off = false;
            }
        }
    }

    fn trouble(&mut self, history: &mut History, plan: &Plan) {
        let until_ms = |history: &mut History, longest_s: usize| {
            history.now_ms + 5_000 + 1_000 * history.random.below(longest_s) as u64
        };
        let place = history.random.below(history.gateways.len());
        // Histories with real gateways take longer, so more happens in each.
        let seldom = if history.gateways.iter().any(Gateway::is_real) { 400 } else { 2_500 };
        let what = history.random.below(seldom * plan.length.rarity());
        if what > 43 || !history.happens() {
            return;
        }
        match what {
            0..=9 if self.gateways_return_ms[place].is_none() => {
                let longest_s = if history.random.below(2) == 0 { 60 } else { 600 };
                self.gateways_return_ms[place] = Some(until_ms(history, longest_s));
                history.gateways[place].is_cut_off = true;
                happens(history, "gateway cut off", place);
            }
            10..=14 => {
                let loses_tail = history.random.below(2) == 0;
                history.gateways[place].restart(history.now_ms, loses_tail, false);
                happens(history, "gateway restarted", place);
            }
            15..=17 if history.gateways[place].can_forget() => {
                history.gateways[place].restart(history.now_ms, true, true);
                happens(history, "gateway restarted, and its spool lost a push", place);
            }
            18..=19 => {
                history.gateways[place].lose_spool(history.now_ms);
                happens(history, "gateway lost its spool", place);
            }
            20..=22 if self.functions_return_ms.is_none() => {
                self.functions_return_ms = Some(until_ms(history, 300));
                history.functions_are_down = true;
                happens(history, "functions down", 0);
            }
            23..=27 if self.lane_returns_ms.is_none() => {
                let lane = LANES[history.random.below(LANES.len())];
                self.lane_returns_ms = Some((lane, until_ms(history, 600)));
                history.resting.insert(lane);
                happens(history, &format!("nobody calls the lane {}", lane.name()), 0);
            }
            28..=32 if self.receiver_returns_ms.is_none() => {
                self.receiver_returns_ms = Some(until_ms(history, 300));
                let hangs = history.random.below(2) == 0;
                let receivers = &history.hosts.any().receivers;
                receivers.hang(hangs);
                receivers.otherwise(Reply::Answer(500, String::new(), 0));
                happens(history, if hangs { "receiver hangs" } else { "receiver refuses" }, 0);
            }
            33..=36 if self.bucket_returns_ms.is_none() => {
                self.bucket_returns_ms = Some(until_ms(history, 120));
                let hangs = history.random.below(2) == 0;
                let refuses = bucket::Error::NoSuchBucket("there is no such bucket".into());
                let trouble = if hangs { Trouble::Hangs } else { Trouble::Refuses(refuses) };
                for bucket in users_buckets() {
                    history.hosts.any().buckets.troubles.borrow_mut().insert(bucket, trouble.clone());
                }
                happens(history, if hangs { "bucket hangs" } else { "bucket refuses" }, 0);
            }
            37..=40 if plan.clocks_differ => {
                let host = history.random.below(history.hosts.count());
                let ahead_ms = [-2_700_000, -30_000, 0, 30_000, 2_700_000][history.random.below(5)];
                history.hosts.step_clock(host, ahead_ms);
                happens(history, "clock of a host stepped", host);
            }
            41..=43 => {
                let reason = || "drawn".to_owned();
                let (on_copy, what) = match history.random.below(4) {
                    0 => (OnCopy::Fails(bucket::Error::Refused(reason())), "store refuses to copy"),
                    1 => (OnCopy::Fails(bucket::Error::Unavailable(reason())), "store fails to copy"),
                    2 => (OnCopy::StoresNothing, "store says that it copies, and does not"),
                    _ => (OnCopy::Copies, "store copies"),
                };
                *history.hosts.any().buckets.on_copy.borrow_mut() = on_copy;
                happens(history, what, 0);
            }
            _ => {}
        }
    }
}

/// Whether something happens that happens in one of so many seconds of a short history.
fn now_and_then(history: &mut History, plan: &Plan, seconds: usize) -> bool {
    history.random.below(seconds * plan.length.rarity()) == 0 && history.happens()
}

fn mend_receiver(history: &mut History) {
    let receivers = &history.hosts.any().receivers;
    receivers.hang(false);
    receivers.otherwise(Reply::Answer(200, String::new(), 0));
}

/// Nothing is wrong any more; pushes go on.
pub fn calm(history: &mut History) {
    history.note("nothing is wrong any more");
    history.rates = Rates::default();
    history.functions_are_down = false;
    history.resting.clear();
    history.lanes_every_ms = 1_000;
    mend_receiver(history);
    *history.hosts.any().buckets.on_copy.borrow_mut() = OnCopy::Copies;
    history.hosts.any().buckets.troubles.borrow_mut().clear();
    history.hosts.any().buckets.mend();
    history.gateways.iter_mut().for_each(|gateway| gateway.is_cut_off = false);
}

/// Every push is over.
pub fn end_pushes(history: &mut History) {
    history.note("every push ends");
    let now_ms = history.now_ms;
    for gateway in &mut history.gateways {
        let live = gateway.pushes.iter().filter(|push| push.is_live());
        let live: Vec<String> = live.map(|push| push.id.clone()).collect();
        live.iter().for_each(|push| gateway.end(push, now_ms));
    }
}

fn happens(history: &mut History, what: &str, place: usize) {
    history.note(&format!("{what}: {place}"));
    history.coverage.reach(format!("event: {what}"));
}

/// When the stream comes back, and where: mostly near the longest break that continues.
fn draw_break(history: &mut History, plan: &Plan, ended_ms: u64, place: usize) -> Option<(u64, usize)> {
    let break_ms = match history.random.below(6) {
        0 => return None,
        1 => plan.delay_s * 1_000 - 1_000,
        2 => plan.delay_s * 1_000 + 1_000,
        3 => plan.delay_s * 1_000,
        _ => history.random.below(plan.delay_s as usize * 1_500) as u64,
    };
    let stays = history.random.below(4) > 0;
    let place = if stays { place } else { history.random.below(history.gateways.len()) };
    Some((ended_ms + break_ms, place))
}

fn begin(history: &mut History, stream: &StreamPath, place: usize, at_ms: u64) {
    let argument = WANTED[history.random.below(WANTED.len())];
    let id = history.gateways[place].begin(stream.clone(), argument, at_ms);
    history.note(&format!("{id} begins: {stream} at {at_ms}, {argument:?}"));
    history.coverage.reach("event: push began");
}

/// What a stream is doing, as its gateways know it.
fn state(history: &History, stream: &StreamPath) -> &'static str {
    let live: Vec<_> = history.gateways.iter().filter_map(|gateway| gateway.live(stream)).collect();
    match live[..] {
        [] => "not pushed",
        [push] if push.session.is_none() => "not begun",
        // It is not heard of a real gateway whether it records.
        [push] if push.of_real.sent.pictures > 0 => "begun",
        [push] if push.is_recording => "recorded",
        [push] if push.chunks.is_empty() => "not recorded yet",
        [_] => "not recorded any more",
        _ => "pushed twice",
    }
}

fn command(history: &mut History, stream: &StreamPath) {
    let command = match history.random.below(8) {
        0..=1 => Command::Restart,
        2..=3 => Command::Stop,
        4 => Command::CancelDelay,
        _ => Command::Start,
    };
    let state = state(history, stream);
    history.coverage.reach(format!("command {command:?} while {state}"));
    history.command(stream, command);
}
