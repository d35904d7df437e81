//! Callback configuration.

use api::{
    ApiError,
    answers::{Done, NotifyConfigAnswer, NotifyRecords},
    calls::{
        AddLiveRecordNotifyConfig, DeleteLiveRecordNotifyConfig, DescribeLiveRecordNotifyConfig,
        DescribeLiveRecordNotifyRecords, Order, UpdateLiveRecordNotifyConfig,
    },
    faults,
    notify::NotifyConfig,
    paging::Page,
};

use super::{UPDATE_ATTEMPTS, rules_failed};
use crate::{
    backend::Backend,
    bindings::recorder::rules::rules::Error,
    convert::{notify_from_wit, notify_to_wit},
    settings::Settings,
};

pub(super) async fn add(
    backend: &impl Backend,
    settings: &Settings,
    call: AddLiveRecordNotifyConfig,
) -> Result<Done, ApiError> {
    let config = NotifyConfig::new(call, settings.private_callbacks)?;
    backend.add_notify(notify_to_wit(config, 0)).await.map_err(rules_failed)
}

/// Changes the config that is there; where somebody else changed it meanwhile, that one.
pub(super) async fn update(
    backend: &impl Backend,
    settings: &Settings,
    call: UpdateLiveRecordNotifyConfig,
) -> Result<Done, ApiError> {
    for _ in 0..UPDATE_ATTEMPTS {
        let stored = backend.get_notify(&call.domain_name).await.map_err(rules_failed)?;
        let stored = stored.ok_or(faults::INVALID_CONFIG_NOT_FOUND)?;
        let version = stored.version;
        let config = notify_from_wit(stored).updated(call.clone(), settings.private_callbacks)?;
        match backend.update_notify(notify_to_wit(config, version)).await {
            Err(Error::Changed) => {}
            outcome => return outcome.map_err(rules_failed),
        }
    }
    Err(rules_failed(Error::Changed))
}

pub(super) async fn delete(
    backend: &impl Backend,
    call: DeleteLiveRecordNotifyConfig,
) -> Result<Done, ApiError> {
    backend.delete_notify(&call.domain_name).await.map_err(rules_failed)
}

pub(super) async fn describe(
    backend: &impl Backend,
    call: DescribeLiveRecordNotifyConfig,
) -> Result<NotifyConfigAnswer, ApiError> {
    let stored = backend.get_notify(&call.domain_name).await.map_err(rules_failed)?;
    Ok(notify_from_wit(stored.ok_or(faults::INVALID_CONFIG_NOT_FOUND)?).into())
}

/// The callbacks that were sent: none, for none is sent yet.
pub(super) fn records(call: DescribeLiveRecordNotifyRecords) -> Result<NotifyRecords, ApiError> {
    if call.end_time <= call.start_time {
        return Err(faults::INVALID_END_TIME_MISMATCH.into());
    }
    Ok(NotifyRecords::new(Page::of(Vec::new(), call.page_number, call.page_size, Order::Ascending)))
}
