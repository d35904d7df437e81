//! Callback configuration.

use api::{
    ApiError, Handle, Time,
    answers::{self, NotifyConfigAnswer, NotifyRecords},
    calls::{
        AddLiveRecordNotifyConfig, DeleteLiveRecordNotifyConfig, DescribeLiveRecordNotifyConfig,
        DescribeLiveRecordNotifyRecords, UpdateLiveRecordNotifyConfig,
    },
    faults, notify,
    paging::Page,
    words::{Order, Status, StorageType},
};
use rules::NotifyConfig;

use super::performer::{Performer, UPDATE_ATTEMPTS};
use crate::backend::World;
use crate::bindings::recorder::catalog::catalog::Callback;
use crate::bindings::recorder::rules::rules::Error;
use crate::convert::domain;

impl<W: World> Handle<AddLiveRecordNotifyConfig> for Performer<'_, W> {
    async fn handle(&self, call: AddLiveRecordNotifyConfig) -> Result<(), ApiError> {
        let config = notify::added(call, self.settings.private_callbacks)?;
        Ok(self.world.add_notify(config.into()).await?)
    }
}

/// Changes the config that is there; where another caller changed it meanwhile, that one.
impl<W: World> Handle<UpdateLiveRecordNotifyConfig> for Performer<'_, W> {
    async fn handle(&self, call: UpdateLiveRecordNotifyConfig) -> Result<(), ApiError> {
        for _ in 0..UPDATE_ATTEMPTS {
            let stored = self.world.get_notify(&call.domain_name).await?;
            let stored = stored.ok_or(faults::INVALID_CONFIG_NOT_FOUND)?;
            let config =
                notify::updated(stored.config.into(), call.clone(), self.settings.private_callbacks)?;
            match self.world.update_notify(config.into(), stored.version).await {
                Err(Error::Changed) => {}
                outcome => return Ok(outcome?),
            }
        }
        Err(Error::Changed.into())
    }
}

impl<W: World> Handle<DeleteLiveRecordNotifyConfig> for Performer<'_, W> {
    async fn handle(&self, call: DeleteLiveRecordNotifyConfig) -> Result<(), ApiError> {
        Ok(self.world.delete_notify(&call.domain_name).await?)
    }
}

impl<W: World> Handle<DescribeLiveRecordNotifyConfig> for Performer<'_, W> {
    async fn handle(&self, call: DescribeLiveRecordNotifyConfig) -> Result<NotifyConfigAnswer, ApiError> {
        let stored = self.world.get_notify(&call.domain_name).await?;
        let stored = stored.ok_or(faults::INVALID_CONFIG_NOT_FOUND)?;
        Ok(NotifyConfig::from(stored.config).into())
    }
}

/// The callbacks that were sent, newest first.
impl<W: World> Handle<DescribeLiveRecordNotifyRecords> for Performer<'_, W> {
    async fn handle(&self, call: DescribeLiveRecordNotifyRecords) -> Result<NotifyRecords, ApiError> {
        if call.end_time <= call.start_time {
            return Err(faults::INVALID_END_TIME_MISMATCH.into());
        }
        let range_ms = (call.start_time.saturating_mul(1_000), call.end_time.saturating_mul(1_000));
        let mut sent = self.world.list_callbacks(&domain(&call.domain_name), range_ms).await?;
        let is_of = |name: &Option<String>, of: &str| name.as_ref().is_none_or(|name| name == of);
        sent.retain(|callback| {
            is_of(&call.app_name, &callback.stream.app)
                && is_of(&call.stream_name, &callback.stream.stream)
                && call.status.is_none_or(|status| status == result(callback))
                && call.storage_type != StorageType::Vod
        });
        let records = sent.into_iter().map(record).collect();
        Ok(NotifyRecords::new(Page::of(records, call.page_number, call.page_size, Order::Descending)))
    }
}

fn result(callback: &Callback) -> Status {
    if callback.reason.is_none() { Status::Success } else { Status::Failed }
}

fn record(sent: Callback) -> answers::Callback {
    let attempt = sent.attempt;
    answers::Callback {
        notify_result: result(&sent),
        domain_name: sent.stream.domain,
        app_name: sent.stream.app,
        stream_name: sent.stream.stream,
        storage_type: "oss",
        notify_type: sent.event,
        notify_url: sent.url,
        notify_time: Time(sent.sent_ms / 1_000),
        notify_header: r#"{"Content-Type":["application/json"]}"#.into(),
        notify_content: sent.content,
        notify_response: sent.status.map_or_else(String::new, |status| status.to_string()),
        description: sent
            .reason
            .map_or_else(|| "success".into(), |reason| format!("attempt {attempt}: {reason}")),
    }
}
