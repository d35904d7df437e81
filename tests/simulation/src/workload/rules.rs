//! Rules, drawn.

use shared::rules::{Container, Format, OnDemand, Rule};
use shared::testing::rule;
use store::memory::Random;

use super::Length;
use crate::history::BEGAN_MS;
use crate::hosts::ENDPOINTS;

/// The formats that rules ask for.
const FORMATS: [&[Container]; 6] = [
    &[Container::M3u8],
    &[Container::M3u8, Container::Mp4],
    &[Container::M3u8, Container::Mp4, Container::Flv],
    &[Container::Mp4],
    &[Container::Flv, Container::M3u8],
    &[Container::Mp4, Container::Flv],
];

/// A rule under which everything is recorded in every format, each with files of such a length.
#[must_use]
pub fn in_every_format(cycle_seconds: u32) -> Rule {
    let mut rule = rule();
    let slices = rule.formats[0].clone();
    let formats = [Container::M3u8, Container::Mp4, Container::Flv].map(|container| {
        let of_media = slices.slices.clone().filter(|_| container == Container::M3u8);
        Format { container, cycle_seconds, slices: of_media, ..slices.clone() }
    });
    rule.formats = formats.to_vec();
    rule
}

/// A rule: any mode, any formats, any window, cycles and breaks that are short beside the history.
pub(super) fn draw(random: &mut Random, length: Length) -> Rule {
    let mut rule = rule();
    let (delays, cycles) = match length {
        Length::Minutes => ([15, 30, 60], [20, 60, 900]),
        Length::Hours => ([15, 60, 180], [900, 3_600, 21_600]),
    };
    rule.delay_seconds = delays[random.below(3)];
    // The work bucket's store copies parts of record files, and another one does not.
    rule.oss_endpoint = ENDPOINTS[random.below(ENDPOINTS.len())].into();
    let slices = rule.formats[0].clone();
    let formats = FORMATS[random.below(FORMATS.len())].iter().map(|container| {
        let cycle_seconds = cycles[random.below(3)];
        let of_media = slices.slices.clone().filter(|_| *container == Container::M3u8);
        Format { container: *container, cycle_seconds, slices: of_media, ..slices.clone() }
    });
    rule.formats = formats.collect();
    match random.below(10) {
        0..=1 => rule.on_demand = OnDemand::Command,
        2..=3 => rule.on_demand = OnDemand::PushArgument,
        4..=6 => {
            let began_s = (BEGAN_MS / 1_000) as i64;
            let opens_s = began_s + random.below(200 * length.rarity()) as i64 - 20;
            let lasts_s = 10 + random.below(200 * length.rarity()) as i64;
            rule.start_time = Some(opens_s as _);
            rule.end_time = Some((opens_s + lasts_s) as _);
        }
        _ => {}
    }
    rule
}
