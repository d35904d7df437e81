//! Recording rules.

use api::{
    ApiError,
    answers::{Done, RuleList},
    calls::{
        AddLiveAppRecordConfig, DeleteLiveAppRecordConfig, DescribeLiveRecordConfig,
        UpdateLiveAppRecordConfig,
    },
    faults,
    paging::Page,
    rule::Rule,
};

use super::{UPDATE_ATTEMPTS, check_bucket, rules_failed};
use crate::{
    backend::Backend,
    bindings::recorder::rules::rules::{Error, Triple},
    convert::{rule_from_wit, rule_to_wit},
};

pub(super) async fn add(backend: &impl Backend, call: AddLiveAppRecordConfig) -> Result<Done, ApiError> {
    let rule = Rule::new(call, backend.now_ms() / 1000)?;
    check_bucket(backend, &rule.oss_endpoint, &rule.oss_bucket).await?;
    backend.add_rule(rule_to_wit(rule, 0)).await.map_err(rules_failed)
}

/// Changes the rule that is there; where somebody else changed it meanwhile, that one.
pub(super) async fn update(
    backend: &impl Backend,
    call: UpdateLiveAppRecordConfig,
) -> Result<Done, ApiError> {
    let triple = Triple {
        domain: call.domain_name.clone(),
        app: call.app_name.clone(),
        stream: call.stream_name.clone(),
    };
    for _ in 0..UPDATE_ATTEMPTS {
        let stored = backend.get_rule(triple.clone()).await.map_err(rules_failed)?;
        let stored = stored.ok_or(faults::INVALID_CONFIG_NOT_FOUND)?;
        let version = stored.version;
        let rule = rule_from_wit(stored).updated(call.clone())?;
        check_bucket(backend, &rule.oss_endpoint, &rule.oss_bucket).await?;
        match backend.update_rule(rule_to_wit(rule, version)).await {
            Err(Error::Changed) => {}
            outcome => return outcome.map_err(rules_failed),
        }
    }
    Err(rules_failed(Error::Changed))
}

pub(super) async fn delete(
    backend: &impl Backend,
    call: DeleteLiveAppRecordConfig,
) -> Result<Done, ApiError> {
    let triple = Triple { domain: call.domain_name, app: call.app_name, stream: call.stream_name };
    backend.delete_rule(triple).await.map_err(rules_failed)
}

pub(super) async fn describe(
    backend: &impl Backend,
    call: DescribeLiveRecordConfig,
) -> Result<RuleList, ApiError> {
    let matches = |filter: &Option<String>, name: &str| filter.as_ref().is_none_or(|filter| filter == name);
    let rules = backend.list_rules(&call.domain_name).await.map_err(rules_failed)?;
    let rules = rules
        .into_iter()
        .map(rule_from_wit)
        .filter(|rule| matches(&call.app_name, &rule.app) && matches(&call.stream_name, &rule.stream))
        .collect();
    Ok(RuleList::new(Page::of(rules, call.page_num, call.page_size, call.order), call.order))
}
