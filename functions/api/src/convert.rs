//! Between the types of the components' interfaces and those of the API.

use api::{
    answers::RecordFacts,
    notify::NotifyConfig,
    rule::{Container, Rule, RuleFormat},
};

use crate::bindings::recorder::catalog::catalog::{self, IndexFile, StreamName};
use crate::bindings::recorder::rules::rules as wit;

/// A rule as it is stored; `version` is the one that was read, 0 for a new one.
pub(crate) fn rule_to_wit(rule: Rule, version: u64) -> wit::Rule {
    wit::Rule {
        triple: wit::Triple { domain: rule.domain, app: rule.app, stream: rule.stream },
        oss_endpoint: rule.oss_endpoint,
        oss_bucket: rule.oss_bucket,
        on_demand: rule.on_demand,
        delay_seconds: rule.delay_s,
        start_time: rule.start_s,
        end_time: rule.end_s,
        formats: rule.formats.into_iter().map(format_to_wit).collect(),
        transcode_formats: rule.transcode_formats.into_iter().map(format_to_wit).collect(),
        transcode_templates: rule.transcode_templates,
        created: rule.created_s,
        version,
    }
}

/// A stored rule.
pub(crate) fn rule_from_wit(rule: wit::Rule) -> Rule {
    Rule {
        domain: rule.triple.domain,
        app: rule.triple.app,
        stream: rule.triple.stream,
        oss_endpoint: rule.oss_endpoint,
        oss_bucket: rule.oss_bucket,
        on_demand: rule.on_demand,
        delay_s: rule.delay_seconds,
        start_s: rule.start_time,
        end_s: rule.end_time,
        formats: rule.formats.into_iter().map(format_from_wit).collect(),
        transcode_formats: rule.transcode_formats.into_iter().map(format_from_wit).collect(),
        transcode_templates: rule.transcode_templates,
        created_s: rule.created,
    }
}

fn format_to_wit(format: RuleFormat) -> wit::Format {
    wit::Format {
        container: match format.container {
            Container::M3u8 => wit::Container::M3u8,
            Container::Mp4 => wit::Container::Mp4,
            Container::Flv => wit::Container::Flv,
        },
        cycle_seconds: format.cycle_s,
        slice_seconds: format.slice_s,
        object_prefix: format.object_prefix,
        slice_object_prefix: format.slice_object_prefix,
    }
}

fn format_from_wit(format: wit::Format) -> RuleFormat {
    RuleFormat {
        container: match format.container {
            wit::Container::M3u8 => Container::M3u8,
            wit::Container::Mp4 => Container::Mp4,
            wit::Container::Flv => Container::Flv,
        },
        cycle_s: format.cycle_seconds,
        slice_s: format.slice_seconds,
        object_prefix: format.object_prefix,
        slice_object_prefix: format.slice_object_prefix,
    }
}

/// A config as it is stored; `version` is the one that was read, 0 for a new one.
pub(crate) fn notify_to_wit(config: NotifyConfig, version: u64) -> wit::NotifyConfig {
    wit::NotifyConfig {
        domain: config.domain,
        notify_url: config.notify_url.unwrap_or_default(),
        on_demand_url: config.on_demand_url.unwrap_or_default(),
        need_status_notify: config.need_status_notify,
        notify_req_auth: config.notify_req_auth,
        notify_auth_key: config.notify_auth_key.unwrap_or_default(),
        version,
    }
}

/// A stored config.
pub(crate) fn notify_from_wit(config: wit::NotifyConfig) -> NotifyConfig {
    let given = |text: String| (!text.is_empty()).then_some(text);
    NotifyConfig {
        domain: config.domain,
        notify_url: given(config.notify_url),
        on_demand_url: given(config.on_demand_url),
        need_status_notify: config.need_status_notify,
        notify_req_auth: config.notify_req_auth,
        notify_auth_key: given(config.notify_auth_key),
    }
}

/// A known record file or index.
pub(crate) fn facts(index: IndexFile) -> RecordFacts {
    RecordFacts {
        id: index.id,
        domain: index.stream.domain,
        app: index.stream.app,
        stream: index.stream.stream,
        oss_endpoint: index.oss_endpoint,
        oss_bucket: index.oss_bucket,
        object: index.object,
        format: extension(index.container).into(),
        start_ms: index.start_ms,
        end_ms: index.end_ms,
        duration_90khz: index.duration90khz,
        width: index.size.map_or(0, |size| size.width),
        height: index.size.map_or(0, |size| size.height),
        created_ms: index.created_ms,
    }
}

/// A record file's format, as the API names it.
fn extension(container: catalog::Container) -> &'static str {
    match container {
        catalog::Container::M3u8 => "m3u8",
        catalog::Container::Mp4 => "mp4",
        catalog::Container::Flv => "flv",
    }
}

/// A stream. Domain names compare without case, and are recorded in lowercase.
pub(crate) fn stream(domain: String, app: String, stream: String) -> StreamName {
    StreamName { domain: domain.to_ascii_lowercase(), app, stream }
}
