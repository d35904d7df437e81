//! Function hosts over one store.

use http::Request;
use protocol::{Call, Route, Tick};
use shared::Answer;
use shared::rules::Rule;
use shared::testing::{Sent, World, request};
use store::memory::{Actor, Random, Step};

/// What a call came to: none where it died.
pub type Reply = Option<Answer>;

/// Function hosts over one key-value store and one set of buckets.
pub struct Hosts {
    /// The hosts, with how far each one's clock is ahead of true time, in milliseconds.
    hosts: Vec<(World, i64)>,
    /// How many of the last calls died.
    pub deaths: u64,
    /// How many operations were refused or lost their reply.
    pub faults: u64,
}

impl Hosts {
    /// Hosts whose clocks are so far ahead, at a time, under a rule that every push falls under.
    ///
    /// # Panics
    /// Where there is none.
    #[must_use]
    pub fn new(now_ms: u64, ahead_ms: &[i64], rule: Rule) -> Self {
        let first = World::at(now_ms);
        *first.rule.borrow_mut() = Ok(Some(rule));
        let others = ahead_ms.iter().skip(1).map(|ahead| (first.beside(now_ms), *ahead)).collect::<Vec<_>>();
        let hosts = std::iter::once((first, ahead_ms[0])).chain(others).collect();
        Self { hosts, deaths: 0, faults: 0 }
    }

    /// Any host: what they share is there.
    #[must_use]
    pub fn any(&self) -> &World {
        &self.hosts[0].0
    }

    /// Makes calls at a moment, all at once, each on a host of the random's choice; one operation in `rate` meets a
    /// fault.
    pub fn call(
        &mut self,
        now_ms: u64,
        requests: Vec<Request<Sent>>,
        random: &mut Random,
        rate: Option<usize>,
    ) -> Vec<Reply> {
        for (world, ahead_ms) in &self.hosts {
            world.now_ms.set(now_ms.saturating_add_signed(*ahead_ms));
        }
        let hosts = &self.hosts;
        let calls = requests.into_iter().map(|request| {
            let world = &hosts[random.below(hosts.len())].0;
            let call: Actor<'_, Answer> = Box::pin(serve(world, request));
            call
        });
        let calls: Vec<_> = calls.collect();
        let (mut deaths, mut faults) = (0, 0);
        let scheduler = hosts[0].0.store.scheduler();
        let replies = match rate {
            None => scheduler.run(calls, random.fair()),
            Some(rate) => {
                let mut faulty = random.faulty(rate);
                scheduler.run(calls, |under_way| {
                    let step = faulty(under_way);
                    match step {
                        Step::Run(_) => {}
                        Step::Fail(..) => faults += 1,
                        Step::CrashBefore(_) | Step::CrashAfter(_) => deaths += 1,
                    }
                    step
                })
            }
        };
        self.deaths += deaths;
        self.faults += faults;
        replies
    }
}

/// A tick's request.
#[must_use]
pub fn tick() -> Request<Sent> {
    request(&Tick::route(()), "")
}

async fn serve(world: &World, request: Request<Sent>) -> Answer {
    match Route::parse(request.method(), request.uri().path()) {
        Ok(Route::Chunk(_)) => recorder_remux_function::handler::handle(world, request).await,
        Ok(Route::Tick) => recorder_index_function::handler::handle(world, request).await,
        _ => recorder_on_demand_function::handler::handle(world, request).await,
    }
}
