//! Between what gateways say and what the components know.

use protocol::{Generation, HeartbeatAnswer, Order, SessionAnswer};
use shared::catalog::{
    self, Changes, Container, Format, Mode, OrderedSession, Session, SessionRule, SliceFormat, Wish,
};
use shared::rules::{self, OnDemand, Rule};

use crate::decision::chunk_policy;

/// What a rule says of a session, if it wants anything that is recorded.
#[must_use]
pub fn session_rule(rule: Rule) -> Option<SessionRule> {
    let formats: Vec<Format> = rule.formats.into_iter().map(format).collect();
    (!formats.is_empty()).then_some(SessionRule {
        oss_endpoint: rule.oss_endpoint,
        oss_bucket: rule.oss_bucket,
        delay_seconds: rule.delay_seconds,
        formats,
        mode: match rule.on_demand {
            OnDemand::Always => Mode::Automatic,
            OnDemand::AskUrl => Mode::OnDemand,
            OnDemand::PushArgument => Mode::PushArgument,
            OnDemand::Command => Mode::Manual,
        },
        window_start: rule.start_time,
        window_end: rule.end_time,
    })
}

/// Brings a rule to what the on-demand URL wants of a push; answers whether that is recorded.
///
/// What is not recorded keeps the rule as it is, for commands.
#[must_use]
pub fn follow(rule: &mut SessionRule, wish: &Wish) -> bool {
    let is_wanted = |format: &Format| {
        wish.containers.as_ref().is_none_or(|containers| containers.contains(&format.container))
    };
    if !wish.record || !rule.formats.iter().any(is_wanted) {
        return false;
    }
    rule.formats.retain(is_wanted);
    for format in &mut rule.formats {
        if let Some(cycle) = wish.cycles.iter().find(|cycle| cycle.container == format.container) {
            format.cycle_seconds = cycle.seconds;
        }
    }
    true
}

fn format(format: rules::Format) -> Format {
    Format {
        container: match format.container {
            rules::Container::M3u8 => Container::M3u8,
            rules::Container::Mp4 => Container::Mp4,
            rules::Container::Flv => Container::Flv,
        },
        cycle_seconds: format.cycle_seconds,
        object_prefix: format.object_prefix,
        slices: format
            .slices
            .map(|slices| SliceFormat { seconds: slices.seconds, object_prefix: slices.object_prefix }),
    }
}

/// What a gateway is told of a session.
#[must_use]
pub fn session_answer(ordered: OrderedSession, now_ms: u64) -> SessionAnswer {
    let OrderedSession { session, orders } = ordered;
    SessionAnswer {
        chunk: chunk_policy(slice_seconds(&session)),
        session: session.id,
        orders: orders.into_iter().map(|given| order(given, now_ms)).collect(),
        denied: None,
    }
}

/// What a gateway is told that it has not heard of.
#[must_use]
pub fn heartbeat_answer(changes: Changes, now_ms: u64) -> HeartbeatAnswer {
    let Changes { since, sessions, denied } = changes;
    let answer = |session| {
        let answer = session_answer(session, now_ms);
        let denied = denied.iter().find(|denied| denied.session == answer.session);
        SessionAnswer { denied: denied.map(|denied| denied.reason.clone()), ..answer }
    };
    HeartbeatAnswer { since, sessions: sessions.into_iter().map(answer).collect() }
}

/// A session is cut by its rule's slices.
fn slice_seconds(session: &Session) -> Option<u32> {
    let formats = session.rule.iter().flat_map(|rule| &rule.formats);
    formats.filter_map(|format| format.slices.as_ref()).map(|slices| slices.seconds).max()
}

fn order(order: catalog::Order, now_ms: u64) -> Order {
    let catalog::Order { generation, record, at_ms } = order;
    Order {
        generation: Generation { orders: generation.orders, files: generation.files },
        record,
        age_ms: now_ms.checked_sub(at_ms),
        in_ms: at_ms.checked_sub(now_ms).filter(|in_ms| *in_ms > 0),
    }
}

/// A heartbeat as the catalog takes it.
#[must_use]
pub fn heartbeat(heartbeat: protocol::Heartbeat) -> catalog::Heartbeat {
    let confirmed = |confirmed: protocol::Confirmed| catalog::Confirmed {
        session: confirmed.session,
        generation: confirmed.generation.into(),
        chunks: confirmed.last_seq.map_or(0, |last| last + 1),
    };
    catalog::Heartbeat {
        gateway: heartbeat.gateway,
        boot: heartbeat.boot,
        since: heartbeat.since,
        told_ms: heartbeat.told_ms,
        adopted: heartbeat.adopted,
        holds: heartbeat.holds,
        confirmed: heartbeat.confirmed.into_iter().map(confirmed).collect(),
    }
}
