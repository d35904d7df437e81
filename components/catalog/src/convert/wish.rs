//! What the on-demand URL wants.

use catalog::rule;
use catalog::wish::Wish;

use crate::types;

impl From<types::Wish> for Wish {
    fn from(wish: types::Wish) -> Self {
        let containers = |containers: Vec<types::Container>| containers.into_iter().map(Into::into).collect();
        Self {
            record: wish.record,
            containers: wish.containers.map(containers),
            cycles: wish.cycles.into_iter().map(|cycle| (cycle.container.into(), cycle.seconds)).collect(),
            reason: wish.reason,
        }
    }
}

impl From<Wish> for types::Wish {
    fn from(wish: Wish) -> Self {
        let containers = |containers: Vec<rule::Container>| containers.into_iter().map(Into::into).collect();
        let cycle = |(container, seconds): (rule::Container, u32)| types::WishedCycle {
            container: container.into(),
            seconds,
        };
        Self {
            record: wish.record,
            containers: wish.containers.map(containers),
            cycles: wish.cycles.into_iter().map(cycle).collect(),
            reason: wish.reason,
        }
    }
}
