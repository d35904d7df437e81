//! Rules, drawn.

use shared::rules::{OnDemand, Rule};
use shared::testing::rule;
use store::memory::Random;

use crate::history::BEGAN_MS;

/// A rule: any mode, any window, cycles and breaks that are short beside the history.
pub(super) fn draw(random: &mut Random) -> Rule {
    let mut rule = rule();
    rule.delay_seconds = [15, 30, 60][random.below(3)];
    rule.formats[0].cycle_seconds = [20, 60, 900][random.below(3)];
    match random.below(10) {
        0..=1 => rule.on_demand = OnDemand::Command,
        2..=3 => rule.on_demand = OnDemand::PushArgument,
        4..=6 => {
            let began_s = (BEGAN_MS / 1_000) as i64;
            let opens_s = began_s + random.below(200) as i64 - 20;
            let lasts_s = 10 + random.below(200) as i64;
            rule.start_time = Some(opens_s as _);
            rule.end_time = Some((opens_s + lasts_s) as _);
        }
        _ => {}
    }
    rule
}
