//! Callback configuration.

use api::{
    ApiError, Handle,
    answers::{NotifyConfigAnswer, NotifyRecords},
    calls::{
        AddLiveRecordNotifyConfig, DeleteLiveRecordNotifyConfig, DescribeLiveRecordNotifyConfig,
        DescribeLiveRecordNotifyRecords, UpdateLiveRecordNotifyConfig,
    },
    faults, notify,
    paging::Page,
    words::Order,
};
use rules::NotifyConfig;

use super::performer::{Performer, UPDATE_ATTEMPTS};
use crate::backend::World;
use crate::bindings::recorder::rules::rules::Error;

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

/// The callbacks that were sent: none, for none is sent yet.
impl<W: World> Handle<DescribeLiveRecordNotifyRecords> for Performer<'_, W> {
    async fn handle(&self, call: DescribeLiveRecordNotifyRecords) -> Result<NotifyRecords, ApiError> {
        if call.end_time <= call.start_time {
            return Err(faults::INVALID_END_TIME_MISMATCH.into());
        }
        let page = Page::of(Vec::new(), call.page_number, call.page_size, Order::Ascending);
        Ok(NotifyRecords::new(page))
    }
}
