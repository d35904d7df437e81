//! Recording rules.

use api::{
    ApiError, Handle,
    answers::RuleList,
    calls::{
        AddLiveAppRecordConfig, DeleteLiveAppRecordConfig, DescribeLiveRecordConfig,
        UpdateLiveAppRecordConfig,
    },
    faults,
    paging::Page,
    rule,
};
use rules::Rule;

use super::performer::{Performer, UPDATE_ATTEMPTS};
use crate::backend::World;
use crate::bindings::recorder::bucket::objects::Location;
use crate::bindings::recorder::rules::rules::{Error, Triple};

impl<W: World> Handle<AddLiveAppRecordConfig> for Performer<'_, W> {
    async fn handle(&self, call: AddLiveAppRecordConfig) -> Result<(), ApiError> {
        let rule = rule::added(call, self.world.now_ms() / 1000)?;
        self.check_bucket(bucket(&rule)).await?;
        Ok(self.world.add_rule(rule.into()).await?)
    }
}

/// Changes the rule that is there; where another caller changed it meanwhile, that one.
impl<W: World> Handle<UpdateLiveAppRecordConfig> for Performer<'_, W> {
    async fn handle(&self, call: UpdateLiveAppRecordConfig) -> Result<(), ApiError> {
        let triple = Triple {
            domain: call.domain_name.clone(),
            app: call.app_name.clone(),
            stream: call.stream_name.clone(),
        };
        for _ in 0..UPDATE_ATTEMPTS {
            let stored = self.world.get_rule(triple.clone()).await?;
            let stored = stored.ok_or(faults::INVALID_CONFIG_NOT_FOUND)?;
            let rule = rule::updated(stored.rule.into(), call.clone())?;
            self.check_bucket(bucket(&rule)).await?;
            match self.world.update_rule(rule.into(), stored.version).await {
                Err(Error::Changed) => {}
                outcome => return Ok(outcome?),
            }
        }
        Err(Error::Changed.into())
    }
}

impl<W: World> Handle<DeleteLiveAppRecordConfig> for Performer<'_, W> {
    async fn handle(&self, call: DeleteLiveAppRecordConfig) -> Result<(), ApiError> {
        let triple = Triple { domain: call.domain_name, app: call.app_name, stream: call.stream_name };
        Ok(self.world.delete_rule(triple).await?)
    }
}

impl<W: World> Handle<DescribeLiveRecordConfig> for Performer<'_, W> {
    async fn handle(&self, call: DescribeLiveRecordConfig) -> Result<RuleList, ApiError> {
        let matches =
            |filter: &Option<String>, name: &str| filter.as_ref().is_none_or(|filter| filter == name);
        let rules = self.world.list_rules(&call.domain_name).await?;
        let rules = rules
            .into_iter()
            .map(Rule::from)
            .filter(|rule| {
                matches(&call.app_name, &rule.triple.app) && matches(&call.stream_name, &rule.triple.stream)
            })
            .collect();
        Ok(RuleList::new(Page::of(rules, call.page_num, call.page_size, call.order), call.order))
    }
}

/// Where a rule's recordings go.
fn bucket(rule: &Rule) -> Location {
    Location { endpoint: rule.oss_endpoint.clone(), bucket: rule.oss_bucket.clone() }
}
