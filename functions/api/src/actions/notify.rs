//! Callback configuration.

use api::{
    ApiError,
    answers::{Done, NotifyConfigAnswer, NotifyRecords},
    calls::{
        AddLiveRecordNotifyConfig, DeleteLiveRecordNotifyConfig, DescribeLiveRecordNotifyConfig,
        DescribeLiveRecordNotifyRecords, Order, UpdateLiveRecordNotifyConfig,
    },
    faults, notify,
    paging::Page,
};
use rules::NotifyConfig;

use super::UPDATE_ATTEMPTS;
use crate::{backend::Backend, bindings::recorder::rules::rules::Error, settings::Settings};

pub(super) async fn add(
    backend: &impl Backend,
    settings: &Settings,
    call: AddLiveRecordNotifyConfig,
) -> Result<Done, ApiError> {
    let config = notify::added(call, settings.private_callbacks)?;
    Ok(backend.add_notify(config.into()).await?)
}

/// Changes the config that is there; where somebody else changed it meanwhile, that one.
pub(super) async fn update(
    backend: &impl Backend,
    settings: &Settings,
    call: UpdateLiveRecordNotifyConfig,
) -> Result<Done, ApiError> {
    for _ in 0..UPDATE_ATTEMPTS {
        let stored = backend.get_notify(&call.domain_name).await?;
        let stored = stored.ok_or(faults::INVALID_CONFIG_NOT_FOUND)?;
        let config = notify::updated(stored.config.into(), call.clone(), settings.private_callbacks)?;
        match backend.update_notify(config.into(), stored.version).await {
            Err(Error::Changed) => {}
            outcome => return Ok(outcome?),
        }
    }
    Err(Error::Changed.into())
}

pub(super) async fn delete(
    backend: &impl Backend,
    call: DeleteLiveRecordNotifyConfig,
) -> Result<Done, ApiError> {
    Ok(backend.delete_notify(&call.domain_name).await?)
}

pub(super) async fn describe(
    backend: &impl Backend,
    call: DescribeLiveRecordNotifyConfig,
) -> Result<NotifyConfigAnswer, ApiError> {
    let stored = backend.get_notify(&call.domain_name).await?;
    let stored = stored.ok_or(faults::INVALID_CONFIG_NOT_FOUND)?;
    Ok(NotifyConfig::from(stored.config).into())
}

/// The callbacks that were sent: none, for none is sent yet.
pub(super) fn records(call: DescribeLiveRecordNotifyRecords) -> Result<NotifyRecords, ApiError> {
    if call.end_time <= call.start_time {
        return Err(faults::INVALID_END_TIME_MISMATCH.into());
    }
    Ok(NotifyRecords::new(Page::of(Vec::new(), call.page_number, call.page_size, Order::Ascending)))
}
