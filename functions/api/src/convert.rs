//! Between the types of the components' interfaces and those of the core.

use api::answers::{RecordIndexInfo, RecordInfo};
use api::{ApiError, Time, faults};
use rules::{NotifyConfig, Rule};

use crate::bindings::recorder::bucket::objects;
use crate::bindings::recorder::catalog::catalog::{self, IndexFile, StreamName};
use crate::bindings::recorder::rules::rules as wit;

impl From<rules::Triple> for wit::Triple {
    fn from(triple: rules::Triple) -> Self {
        Self { domain: triple.domain, app: triple.app, stream: triple.stream }
    }
}

impl From<wit::Triple> for rules::Triple {
    fn from(triple: wit::Triple) -> Self {
        Self { domain: triple.domain, app: triple.app, stream: triple.stream }
    }
}

impl From<Rule> for wit::Rule {
    fn from(rule: Rule) -> Self {
        Self {
            triple: rule.triple.into(),
            oss_endpoint: rule.oss_endpoint,
            oss_bucket: rule.oss_bucket,
            on_demand: match rule.on_demand {
                rules::OnDemand::Always => wit::OnDemand::Always,
                rules::OnDemand::AskUrl => wit::OnDemand::AskUrl,
                rules::OnDemand::PushArgument => wit::OnDemand::PushArgument,
                rules::OnDemand::Command => wit::OnDemand::Command,
            },
            delay_seconds: rule.delay_s,
            start_time: rule.start_s,
            end_time: rule.end_s,
            formats: rule.formats.into_iter().map(Into::into).collect(),
            transcode_formats: rule.transcode_formats.into_iter().map(Into::into).collect(),
            transcode_templates: rule.transcode_templates,
            created: rule.created_s,
        }
    }
}

impl From<wit::Rule> for Rule {
    fn from(rule: wit::Rule) -> Self {
        Self {
            triple: rule.triple.into(),
            oss_endpoint: rule.oss_endpoint,
            oss_bucket: rule.oss_bucket,
            on_demand: match rule.on_demand {
                wit::OnDemand::Always => rules::OnDemand::Always,
                wit::OnDemand::AskUrl => rules::OnDemand::AskUrl,
                wit::OnDemand::PushArgument => rules::OnDemand::PushArgument,
                wit::OnDemand::Command => rules::OnDemand::Command,
            },
            delay_s: rule.delay_seconds,
            start_s: rule.start_time,
            end_s: rule.end_time,
            formats: rule.formats.into_iter().map(Into::into).collect(),
            transcode_formats: rule.transcode_formats.into_iter().map(Into::into).collect(),
            transcode_templates: rule.transcode_templates,
            created_s: rule.created,
        }
    }
}

impl From<rules::Format> for wit::Format {
    fn from(format: rules::Format) -> Self {
        Self {
            container: match format.container {
                rules::Container::M3u8 => wit::Container::M3u8,
                rules::Container::Mp4 => wit::Container::Mp4,
                rules::Container::Flv => wit::Container::Flv,
            },
            cycle_seconds: format.cycle_s,
            object_prefix: format.object_prefix,
            slices: format.slices.map(|slices| wit::SliceFormat {
                seconds: slices.length_s,
                object_prefix: slices.object_prefix,
            }),
        }
    }
}

impl From<wit::Format> for rules::Format {
    fn from(format: wit::Format) -> Self {
        Self {
            container: match format.container {
                wit::Container::M3u8 => rules::Container::M3u8,
                wit::Container::Mp4 => rules::Container::Mp4,
                wit::Container::Flv => rules::Container::Flv,
            },
            cycle_s: format.cycle_seconds,
            object_prefix: format.object_prefix,
            slices: format.slices.map(|slices| rules::SliceFormat {
                length_s: slices.seconds,
                object_prefix: slices.object_prefix,
            }),
        }
    }
}

impl From<rules::Forbidden> for wit::ForbiddenStream {
    fn from(forbidden: rules::Forbidden) -> Self {
        Self { triple: forbidden.stream.into(), since: forbidden.since_s, until: forbidden.until_s }
    }
}

impl From<wit::ForbiddenStream> for rules::Forbidden {
    fn from(forbidden: wit::ForbiddenStream) -> Self {
        Self { stream: forbidden.triple.into(), since_s: forbidden.since, until_s: forbidden.until }
    }
}

impl From<NotifyConfig> for wit::NotifyConfig {
    fn from(config: NotifyConfig) -> Self {
        Self {
            domain: config.domain,
            notify_url: config.notify_url,
            on_demand_url: config.on_demand_url,
            need_status_notify: config.need_status_notify,
            notify_req_auth: config.notify_req_auth,
            notify_auth_key: config.notify_auth_key,
        }
    }
}

impl From<wit::NotifyConfig> for NotifyConfig {
    fn from(config: wit::NotifyConfig) -> Self {
        Self {
            domain: config.domain,
            notify_url: config.notify_url,
            on_demand_url: config.on_demand_url,
            need_status_notify: config.need_status_notify,
            notify_req_auth: config.notify_req_auth,
            notify_auth_key: config.notify_auth_key,
        }
    }
}

impl From<wit::Error> for ApiError {
    fn from(error: wit::Error) -> Self {
        match error {
            wit::Error::AlreadyExists => faults::CONFIG_ALREADY_EXISTS.into(),
            wit::Error::NotFound => faults::INVALID_CONFIG_NOT_FOUND.into(),
            wit::Error::Changed => faults::CONFIG_CHANGED_CONCURRENTLY.into(),
            wit::Error::Store(reason) => Self::unavailable(reason),
        }
    }
}

impl From<catalog::Error> for ApiError {
    fn from(error: catalog::Error) -> Self {
        match error {
            catalog::Error::NoSuchStream | catalog::Error::NoSuchSession | catalog::Error::Expired => {
                faults::INVALID_STREAM_NOT_FOUND.into()
            }
            catalog::Error::NoRule => faults::INVALID_CONFIG_NOT_FOUND.into(),
            catalog::Error::AlreadyRecording => faults::TASK_ALREADY_STARTED.into(),
            catalog::Error::NotRecording => faults::TASK_NOT_STARTED.into(),
            catalog::Error::Store(reason) | catalog::Error::Unfit(reason) => Self::unavailable(reason),
            catalog::Error::Gap(_)
            | catalog::Error::Before(_)
            | catalog::Error::Boot(_)
            | catalog::Error::Name(_) => {
                Self::from(faults::INTERNAL_ERROR).caused_by("the catalog answered as it answers a gateway")
            }
        }
    }
}

impl From<objects::Error> for ApiError {
    fn from(error: objects::Error) -> Self {
        match error {
            objects::Error::NoSuchBucket(reason)
            | objects::Error::Refused(reason)
            | objects::Error::Unreachable(reason) => {
                Self::from(faults::INVALID_OSS_BUCKET_NOT_FOUND).with_detail(reason)
            }
            objects::Error::Invalid(reason) => {
                Self::from(faults::INVALID_OSS_BUCKET_MALFORMED).with_detail(reason)
            }
            objects::Error::Taken => faults::OSS_OBJECT_ALREADY_EXISTS.into(),
            objects::Error::Unavailable(reason) => Self::unavailable(reason),
            objects::Error::NoSuchObject | objects::Error::NoSuchUpload | objects::Error::TooLarge(_) => {
                Self::from(faults::INTERNAL_ERROR)
                    .caused_by("the bucket answered a write with an error of reading")
            }
        }
    }
}

/// What is answered of an index file; `endpoints`: how its URL is written.
pub(crate) fn index_info(file: IndexFile, endpoints: &s3::Endpoints) -> RecordIndexInfo {
    let bucket = s3::Bucket::with(&file.oss_endpoint, &file.oss_bucket, endpoints);
    RecordIndexInfo {
        format: match file.container {
            catalog::Container::M3u8 => rules::Container::M3u8,
            catalog::Container::Mp4 => rules::Container::Mp4,
            catalog::Container::Flv => rules::Container::Flv,
        },
        info: RecordInfo {
            record_url: bucket.and_then(|bucket| bucket.object_url(&file.object)).unwrap_or_default(),
            record_id: file.id,
            domain_name: file.stream.domain,
            app_name: file.stream.app,
            stream_name: file.stream.stream,
            oss_endpoint: file.oss_endpoint,
            oss_bucket: file.oss_bucket,
            oss_object: file.object,
            start_time: Time(file.start_ms / 1000),
            end_time: Time(file.end_ms / 1000),
            duration: hls::seconds(file.duration90khz),
            height: file.size.map_or(0, |size| size.height),
            width: file.size.map_or(0, |size| size.width),
            create_time: Time(file.created_ms / 1000),
        },
    }
}

/// A domain as the catalog knows it. Domain names compare without case, and are recorded in lowercase.
pub(crate) fn domain(name: &str) -> String {
    name.to_ascii_lowercase()
}

/// A stream as the catalog knows it.
pub(crate) fn stream(domain_name: String, app: String, stream: String) -> StreamName {
    StreamName { domain: domain(&domain_name), app, stream }
}
