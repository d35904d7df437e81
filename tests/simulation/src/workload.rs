//! What happens in a history, drawn from its seed.

mod events;
mod rules;

use std::rc::Rc;

use protocol::StreamPath;
use recorder_compose_function::Sizes;
use store::memory::Random;

use crate::chances::{Chances, point_of};
use crate::defects::Defect;
use crate::history::History;
use crate::network::{Rates, fail_decisions};
use crate::trace::Detail;
pub use events::{calm, end_pushes};

/// How large parts and blocks of record files are, where files are so many times longer than in a short history: a picture
/// has some 40 bytes, a slice some 1,300.
const fn sizes(longer: u64) -> [Sizes; 3] {
    [
        Sizes::DEFAULT,
        Sizes { part: 800 * longer, block: 4_000 * longer, least: 200 * longer },
        Sizes { part: 600 * longer, block: 1_500 * longer, least: 100 * longer },
    ]
}

/// A session that has ended stays in the store for longer than this. Unit: s.
const SESSIONS_LEAVE_S: u64 = 600;

/// How long things happen in a history.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Length {
    /// For minutes, in which much happens.
    #[default]
    Minutes,
    /// For hours, past a midnight, so that a day is sealed while pushes go on; streams are many, and all is so much rarer.
    Hours,
}

impl Length {
    /// How many times rarer things happen than in a short history.
    #[must_use]
    pub fn rarity(self) -> usize {
        match self {
            Self::Minutes => 1,
            Self::Hours => 60,
        }
    }

    /// How long it is, where a short one would be of so many seconds: 25 to 37 hours. The first midnight comes after 21, and
    /// its day is sealed within two more.
    fn seconds(self, short: u64) -> u64 {
        match self {
            Self::Minutes => short,
            Self::Hours => 75_600 + 120 * short,
        }
    }

    /// How many streams there are. What passes without them, heartbeats and lanes, takes most of the time of a long history.
    fn streams(self, random: &mut Random) -> usize {
        match self {
            Self::Minutes => 1 + random.below(2),
            Self::Hours => 4 + random.below(21),
        }
    }

    /// How many times longer record files are than in a short history.
    fn files_are_longer(self) -> u64 {
        match self {
            Self::Minutes => 1,
            Self::Hours => 20,
        }
    }

    /// How often it is looked whether all is in record files. Unit: s.
    pub(crate) fn looks_every_s(self) -> u64 {
        match self {
            Self::Minutes => 15,
            Self::Hours => 300,
        }
    }
}

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
pub fn play(
    chances: &Rc<Chances>,
    length: Length,
    detail: Detail,
    defect: Option<Defect>,
) -> (History, Plan) {
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
    let mut history = History::of(Rc::clone(chances), ahead_ms, gateways, rule);
    if is_troubled {
        let often = [0, 2_000, 500, 150][random.below(4)] * length.rarity() as u32;
        history.rates = Rates { operations: often, doubled: 10, delayed: 10 };
        if often > 0 {
            fail_decisions(history.hosts.any(), Rc::clone(chances));
        }
    }
    history.trace.print(detail);
    history.spoiler.defect = defect;
    let sizes = sizes(length.files_are_longer());
    history.sizes = sizes[random.below(sizes.len())];
    history.hosts.any().buckets.least_part.set(history.sizes.least);
    history.hosts.ask_for_statuses(plan.tells_status);
    history.note(&format!("{plan:?}"));
    history.seconds(3);
    if length == Length::Hours {
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
