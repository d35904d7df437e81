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
    rule,
};
use rules::Rule;

use super::UPDATE_ATTEMPTS;
use crate::{
    backend::Backend,
    bindings::recorder::bucket::objects::Location,
    bindings::recorder::rules::rules::{Error, Triple},
};

pub(super) async fn add(backend: &impl Backend, call: AddLiveAppRecordConfig) -> Result<Done, ApiError> {
    let rule = rule::added(call, backend.now_ms() / 1000)?;
    backend.check_bucket(bucket(&rule)).await?;
    Ok(backend.add_rule(rule.into()).await?)
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
        let stored = backend.get_rule(triple.clone()).await?;
        let stored = stored.ok_or(faults::INVALID_CONFIG_NOT_FOUND)?;
        let rule = rule::updated(stored.rule.into(), call.clone())?;
        backend.check_bucket(bucket(&rule)).await?;
        match backend.update_rule(rule.into(), stored.version).await {
            Err(Error::Changed) => {}
            outcome => return Ok(outcome?),
        }
    }
    Err(Error::Changed.into())
}

pub(super) async fn delete(
    backend: &impl Backend,
    call: DeleteLiveAppRecordConfig,
) -> Result<Done, ApiError> {
    let triple = Triple { domain: call.domain_name, app: call.app_name, stream: call.stream_name };
    Ok(backend.delete_rule(triple).await?)
}

pub(super) async fn describe(
    backend: &impl Backend,
    call: DescribeLiveRecordConfig,
) -> Result<RuleList, ApiError> {
    let matches = |filter: &Option<String>, name: &str| filter.as_ref().is_none_or(|filter| filter == name);
    let rules = backend.list_rules(&call.domain_name).await?;
    let rules = rules
        .into_iter()
        .map(Rule::from)
        .filter(|rule| {
            matches(&call.app_name, &rule.triple.app) && matches(&call.stream_name, &rule.triple.stream)
        })
        .collect();
    Ok(RuleList::new(Page::of(rules, call.page_num, call.page_size, call.order), call.order))
}

/// Where a rule's recordings go.
fn bucket(rule: &Rule) -> Location {
    Location { endpoint: rule.oss_endpoint.clone(), bucket: rule.oss_bucket.clone() }
}
