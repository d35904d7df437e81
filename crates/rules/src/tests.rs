//! The rules on a store in memory whose every operation is a point at which another caller may come between,
//! or at which a caller may die.

mod copy;
mod forbidden;
mod nonces;
mod record;
mod register;
mod rule;

use crate::{Container, Format, NotifyConfig, OnDemand, Rule, SliceFormat, Triple};

fn triple(app: &str, stream: &str) -> Triple {
    Triple { domain: "live.example.com".into(), app: app.into(), stream: stream.into() }
}

fn rule(app: &str, stream: &str, bucket: &str) -> Rule {
    Rule {
        triple: triple(app, stream),
        oss_endpoint: "localhost".into(),
        oss_bucket: bucket.into(),
        on_demand: OnDemand::Always,
        delay_s: 180,
        start_s: None,
        end_s: None,
        formats: vec![Format {
            container: Container::M3u8,
            cycle_s: 21_600,
            object_prefix: "f".into(),
            slices: Some(SliceFormat { length_s: 30, object_prefix: "s".into() }),
        }],
        transcode_formats: Vec::new(),
        transcode_templates: Vec::new(),
        created_s: 1,
    }
}

fn config(notify_url: &str) -> NotifyConfig {
    NotifyConfig {
        domain: "live.example.com".into(),
        notify_url: Some(notify_url.into()),
        on_demand_url: None,
        need_status_notify: false,
        notify_req_auth: false,
        notify_auth_key: None,
    }
}
