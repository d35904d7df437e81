//! What happens in a history, drawn from its seed.

mod events;
mod rules;

use std::rc::Rc;

use protocol::StreamPath;
use recorder_compose_function::Sizes;

use crate::chances::{Chances, point_of};
use crate::functions::Functions;
use crate::history::History;
use crate::network::{Rates, fail_decisions};
pub use crate::options::Length;
use crate::options::Options;
pub use events::{calm, end_pushes};
pub use rules::in_every_format;

/// How large parts and blocks of record files are, where files are so many times longer than in a short history: a
/// frame has some 40 bytes, a second has one or five of them, and a slice at least 1,300 bytes.
const fn sizes(longer: u64) -> [Sizes; 3] {
    [
        Sizes::DEFAULT,
        Sizes { part: 800 * longer, block: 4_000 * longer, least: 200 * longer },
        Sizes { part: 600 * longer, block: 1_500 * longer, least: 100 * longer },
    ]
}

/// A session that has ended stays in the store for longer than this. Unit: s.
const SESSIONS_LEAVE_S: u64 = 600;

/// What is drawn once for a history.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The streams.
    pub streams: Vec<StreamPath>,
    /// How long things happen. Unit: s.
    pub seconds: u64,
    /// How often they do.
    pub length: Length,
    /// Whether anything but pushes, breaks, orders and changed rules happens.
    pub is_troubled: bool,
    /// Whether a clock is off by more than a second at some time.
    pub clocks_differ: bool,
    /// Whether users' servers are told of statuses.
    pub tells_status: bool,
    /// How long breaks may be that continue, as the first rule says. Unit: s.
    pub delay_s: u64,
}

/// Plays the history of what a seed draws up to the end of that. Pushes and troubles that go on are left to the judge.
#[must_use]
pub fn play(chances: &Rc<Chances>, options: &Options, functions: Rc<dyn Functions>) -> (History, Plan) {
    let length = options.length;
    let fixed_sizes = functions.sizes();
    let mut random = chances.random(point_of("plan"));
    let is_troubled = random.below(4) > 0;
    let clocks_differ = is_troubled && random.below(4) == 0;
    let ahead_ms: &[i64] = match random.below(3) {
        0 => &[0],
        _ if clocks_differ && random.below(2) == 0 => &[0, 2_700_000],
        1 => &[0, 400],
        _ => &[-300, 300],
    };
    let rule = rules::draw(&mut random, length);
    let gateways = 1 + random.below(3);
    let streams = (0..length.streams(&mut random)).map(|number| {
        StreamPath::new("live.example.com", "live", format!("cam{number}")).expect("the name is one")
    });
    let plan = Plan {
        streams: streams.collect(),
        seconds: length.seconds(120 + random.below(360) as u64),
        length,
        is_troubled,
        clocks_differ,
        delay_s: u64::from(rule.delay_seconds),
        tells_status: random.below(2) == 0,
    };
    let mut history = History::of(Rc::clone(chances), ahead_ms, gateways, rule, functions);
    if is_troubled {
        let often = [0, 2_000, 500, 150][random.below(4)] * length.rarity() as u32;
        history.rates = Rates { operations: often, doubled: 10, delayed: 10 };
        if often > 0 {
            fail_decisions(history.hosts.any(), Rc::clone(chances));
        }
    }
    history.trace.print(options.detail);
    history.trace.keep(options.in_turn);
    history.in_turn = options.in_turn;
    history.spoiler.defect = options.defect;
    let sizes = sizes(length.files_are_longer());
    let drawn = sizes[random.below(sizes.len())];
    history.sizes = fixed_sizes.unwrap_or(drawn);
    history.hosts.any().buckets.least_part.set(history.sizes.least);
    history.hosts.ask_for_statuses(plan.tells_status);
    history.note(&format!("{plan:?}"));
    let draw = |of: &str| chances.random(point_of(of)).below(1 << 16) as u32;
    let media = draw("media") | draw("how media is odd") << 16;
    history.gateways.iter_mut().for_each(|gateway| gateway.media = Some(media));
    history.seconds(3);
    if length == Length::Hours {
        history.keep_frames();
        history.lanes_every_ms = 4_000;
        history.gateways.iter_mut().for_each(|gateway| gateway.chunk_ms = 30_000);
    }
    let mut events = events::Events::new(&plan);
    for second in 0..plan.seconds {
        events.draw(&mut history, &plan);
        history.step(1_000);
        if second % SESSIONS_LEAVE_S == 0 {
            history.note_recordings();
        }
    }
    history.note_recordings();
    let parts = history.hosts.any().store.values_under("z.") as u64;
    history.coverage.reach_times("sealed: parts before the last push ended", parts);
    (history, plan)
}
