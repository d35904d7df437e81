//! Between the types of the WIT package and those of `crates/rules`.

use rules::{Error, Versioned};

use crate::bindings::exports::recorder::rules::rules as wit;

impl From<wit::Triple> for rules::Triple {
    fn from(triple: wit::Triple) -> Self {
        Self { domain: triple.domain, app: triple.app, stream: triple.stream }
    }
}

impl From<rules::Triple> for wit::Triple {
    fn from(triple: rules::Triple) -> Self {
        Self { domain: triple.domain, app: triple.app, stream: triple.stream }
    }
}

impl From<wit::Rule> for rules::Rule {
    fn from(rule: wit::Rule) -> Self {
        Self {
            triple: rule.triple.into(),
            oss_endpoint: rule.oss_endpoint,
            oss_bucket: rule.oss_bucket,
            on_demand: rule.on_demand.into(),
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

impl From<rules::Rule> for wit::Rule {
    fn from(rule: rules::Rule) -> Self {
        Self {
            triple: rule.triple.into(),
            oss_endpoint: rule.oss_endpoint,
            oss_bucket: rule.oss_bucket,
            on_demand: rule.on_demand.into(),
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

impl From<wit::OnDemand> for rules::OnDemand {
    fn from(on_demand: wit::OnDemand) -> Self {
        match on_demand {
            wit::OnDemand::Always => Self::Always,
            wit::OnDemand::AskUrl => Self::AskUrl,
            wit::OnDemand::PushArgument => Self::PushArgument,
            wit::OnDemand::Command => Self::Command,
        }
    }
}

impl From<rules::OnDemand> for wit::OnDemand {
    fn from(on_demand: rules::OnDemand) -> Self {
        match on_demand {
            rules::OnDemand::Always => Self::Always,
            rules::OnDemand::AskUrl => Self::AskUrl,
            rules::OnDemand::PushArgument => Self::PushArgument,
            rules::OnDemand::Command => Self::Command,
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

impl From<wit::NotifyConfig> for rules::NotifyConfig {
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

impl From<rules::NotifyConfig> for wit::NotifyConfig {
    fn from(config: rules::NotifyConfig) -> Self {
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

impl From<Versioned<rules::Rule>> for wit::VersionedRule {
    fn from(Versioned { version, value }: Versioned<rules::Rule>) -> Self {
        Self { rule: value.into(), version }
    }
}

impl From<Versioned<rules::NotifyConfig>> for wit::VersionedNotifyConfig {
    fn from(Versioned { version, value }: Versioned<rules::NotifyConfig>) -> Self {
        Self { config: value.into(), version }
    }
}

impl From<Error> for wit::Error {
    fn from(error: Error) -> Self {
        match error {
            Error::AlreadyExists { .. } => Self::AlreadyExists,
            Error::NotFound { .. } => Self::NotFound,
            Error::Changed { .. } => Self::Changed,
            other => Self::Store(other.to_string()),
        }
    }
}

impl From<store::Error> for wit::Error {
    fn from(error: store::Error) -> Self {
        Self::Store(error.to_string())
    }
}

#[cfg(test)]
mod tests {
    use rules::{Container, Format, NotifyConfig, OnDemand, Rule, SliceFormat, Triple};

    use super::*;

    #[test]
    fn a_rule_comes_back_as_it_went() {
        let format =
            |container, slices| Format { container, cycle_s: 900, object_prefix: "f".into(), slices };
        for on_demand in [OnDemand::Always, OnDemand::AskUrl, OnDemand::PushArgument, OnDemand::Command] {
            let rule = Rule {
                triple: Triple { domain: "d".into(), app: "a".into(), stream: "s".into() },
                oss_endpoint: "e".into(),
                oss_bucket: "b".into(),
                on_demand,
                delay_s: 15,
                start_s: Some(1),
                end_s: Some(2),
                formats: vec![
                    format(Container::M3u8, Some(SliceFormat { length_s: 5, object_prefix: "s".into() })),
                    format(Container::Flv, None),
                ],
                transcode_formats: vec![format(Container::Mp4, None)],
                transcode_templates: vec!["lld".into()],
                created_s: 3,
            };
            assert_eq!(Rule::from(wit::Rule::from(rule.clone())), rule);
        }
    }

    #[test]
    fn a_forbidden_stream_comes_back_as_it_went() {
        let stream = Triple { domain: "d".into(), app: "a".into(), stream: "s".into() };
        let forbidden = rules::Forbidden { stream, since_s: 1, until_s: 2 };
        assert_eq!(rules::Forbidden::from(wit::ForbiddenStream::from(forbidden.clone())), forbidden);
    }

    #[test]
    fn a_notify_config_comes_back_as_it_went() {
        let config = NotifyConfig {
            domain: "d".into(),
            notify_url: Some("http://n".into()),
            on_demand_url: Some("http://o".into()),
            need_status_notify: true,
            notify_req_auth: false,
            notify_auth_key: Some("k".into()),
        };
        assert_eq!(NotifyConfig::from(wit::NotifyConfig::from(config.clone())), config);
    }

    #[test]
    fn what_a_caller_can_act_on_keeps_its_name_and_the_rest_its_text() {
        let told = |error: Error| wit::Error::from(error);
        assert_eq!(told(Error::AlreadyExists { what: "x".into() }), wit::Error::AlreadyExists);
        assert_eq!(told(Error::NotFound { what: "x".into() }), wit::Error::NotFound);
        assert_eq!(told(Error::Changed { what: "x".into(), version: 1 }), wit::Error::Changed);
        let contended = Error::Contended { key: "k".into(), attempts: 2 };
        assert_eq!(told(contended), wit::Error::Store("\"k\" changed during each of 2 attempts".into()));
    }
}
