//! The rules on a store in memory whose every operation is a point at which another caller may come between,
//! or at which a caller may die.

mod register;
mod rules;
mod simulation;

use crate::types::{Container, Format, NotifyConfig, Rule, Triple};

fn triple(app: &str, stream: &str) -> Triple {
    Triple { domain: "live.example.com".into(), app: app.into(), stream: stream.into() }
}

fn rule(app: &str, stream: &str, bucket: &str) -> Rule {
    let format = Format {
        container: Container::M3u8,
        cycle_seconds: 21_600,
        slice_seconds: 30,
        object_prefix: "f".into(),
        slice_object_prefix: "s".into(),
    };
    Rule {
        triple: triple(app, stream),
        oss_endpoint: "localhost".into(),
        oss_bucket: bucket.into(),
        on_demand: 0,
        delay_seconds: 180,
        start_time: None,
        end_time: None,
        formats: vec![format],
        transcode_formats: Vec::new(),
        transcode_templates: Vec::new(),
        created: 1,
        version: 0,
    }
}

fn config(notify_url: &str) -> NotifyConfig {
    NotifyConfig {
        domain: "live.example.com".into(),
        notify_url: notify_url.into(),
        on_demand_url: String::new(),
        need_status_notify: false,
        notify_req_auth: false,
        notify_auth_key: String::new(),
        version: 0,
    }
}
