//! Parameters that several actions have.

use crate::request::Typed;
use crate::words::Order;
use crate::{Outside, Text, faults};

pub(super) const DOMAIN: Typed<String> = Typed::text("DomainName", Text::Name, "The streaming domain.");
pub(super) const APP: Typed<String> = Typed::text("AppName", Text::App, "The application.");
pub(super) const STREAM: Typed<String> = Typed::text("StreamName", Text::Name, "The stream.");
pub(super) const APP_OR_ANY: Typed<String> =
    Typed::text("AppName", Text::AppOrAny, "The application; `*` stands for all.");
pub(super) const STREAM_OR_ANY: Typed<String> =
    Typed::text("StreamName", Text::NameOrAny, "The stream; `*` stands for all.").defaults_to("*");

pub(super) const START_TIME: Typed<u64> =
    Typed::time("StartTime", "Begin of the range.").or(faults::INVALID_START_TIME);
pub(super) const END_TIME: Typed<u64> =
    Typed::time("EndTime", "End of the range: after StartTime, and at most 4 days later.")
        .or(faults::INVALID_END_TIME);

pub(super) const PAGE_NUM: Typed<u32> =
    Typed::integer("PageNum", (1, i32::MAX.unsigned_abs()), Outside::Clamped, "Number of the page, from 1.")
        .defaults_to("1");
pub(super) const PAGE_SIZE: Typed<u32> =
    Typed::integer("PageSize", (5, 30), Outside::Clamped, "Entries a page.").defaults_to("10");
pub(super) const ORDER: Typed<Order> =
    Typed::choice("Order", "By time of creation: `asc`, oldest first, or `desc`.").defaults_to("asc");
