//! The rule and the notify config of a simulated world, where the components look them up.

use ::rules::{Container, Format, NotifyConfig, OnDemand, Rule, SliceFormat, Triple, notify, rule};
use shared::rules as told;
use shared::testing::{World, run};

/// Keeps what holds from now on in the world's store.
pub(super) fn keep(world: &World) {
    if let Ok(Some(told)) = &*world.rule.borrow() {
        run(keep_rule(world, of_rule(told)));
    }
    if let Ok(Some(told)) = &*world.notify.borrow() {
        run(keep_notify(world, of_notify(told)));
    }
}

async fn keep_rule(world: &World, told: Rule) {
    let store = &*world.store;
    let kept = match rule::get(store, &told.triple).await.unwrap() {
        Some(known) => rule::update(store, told, known.version).await,
        None => rule::add(store, told).await,
    };
    kept.unwrap();
}

async fn keep_notify(world: &World, told: NotifyConfig) {
    let store = &*world.store;
    let kept = match notify::get(store, &told.domain).await.unwrap() {
        Some(known) => notify::update(store, told, known.version).await,
        None => notify::add(store, told).await,
    };
    kept.unwrap();
}

fn of_rule(rule: &told::Rule) -> Rule {
    let told::Triple { domain, app, stream } = rule.triple.clone();
    Rule {
        triple: Triple { domain, app, stream },
        oss_endpoint: rule.oss_endpoint.clone(),
        oss_bucket: rule.oss_bucket.clone(),
        on_demand: match rule.on_demand {
            told::OnDemand::Always => OnDemand::Always,
            told::OnDemand::AskUrl => OnDemand::AskUrl,
            told::OnDemand::PushArgument => OnDemand::PushArgument,
            told::OnDemand::Command => OnDemand::Command,
        },
        delay_s: rule.delay_seconds,
        start_s: rule.start_time,
        end_s: rule.end_time,
        formats: rule.formats.iter().map(of_format).collect(),
        transcode_formats: Vec::new(),
        transcode_templates: Vec::new(),
        created_s: rule.created,
    }
}

fn of_format(format: &told::Format) -> Format {
    Format {
        container: match format.container {
            told::Container::M3u8 => Container::M3u8,
            told::Container::Mp4 => Container::Mp4,
            told::Container::Flv => Container::Flv,
        },
        cycle_s: format.cycle_seconds,
        object_prefix: format.object_prefix.clone(),
        slices: format.slices.as_ref().map(|slices| SliceFormat {
            length_s: slices.seconds,
            object_prefix: slices.object_prefix.clone(),
        }),
    }
}

fn of_notify(config: &told::NotifyConfig) -> NotifyConfig {
    NotifyConfig {
        domain: config.domain.clone(),
        notify_url: config.notify_url.clone(),
        on_demand_url: config.on_demand_url.clone(),
        need_status_notify: config.need_status_notify,
        notify_req_auth: config.notify_req_auth,
        notify_auth_key: config.notify_auth_key.clone(),
    }
}
