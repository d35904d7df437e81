//! What each action does.

mod content;
mod index_files;
mod notify;
mod rules;
mod streams;

use api::{ApiError, Call, faults};
use serde::Serialize;
use serde_json::Value;

use crate::{authenticate::Authenticated, backend::Backend, settings::Settings};

/// How often a change is tried again that others came before.
const UPDATE_ATTEMPTS: u32 = 16;

/// Performs a call.
///
/// # Errors
/// What the action's row in the table says.
pub async fn perform(
    backend: &impl Backend,
    settings: &Settings,
    call: Authenticated,
) -> Result<Value, ApiError> {
    match call.into_call() {
        Call::AddLiveAppRecordConfig(call) => written(rules::add(backend, call).await?),
        Call::UpdateLiveAppRecordConfig(call) => written(rules::update(backend, call).await?),
        Call::DeleteLiveAppRecordConfig(call) => written(rules::delete(backend, call).await?),
        Call::DescribeLiveRecordConfig(call) => written(rules::describe(backend, call).await?),
        Call::AddLiveRecordNotifyConfig(call) => written(notify::add(backend, settings, call).await?),
        Call::UpdateLiveRecordNotifyConfig(call) => written(notify::update(backend, settings, call).await?),
        Call::DeleteLiveRecordNotifyConfig(call) => written(notify::delete(backend, call).await?),
        Call::DescribeLiveRecordNotifyConfig(call) => written(notify::describe(backend, call).await?),
        Call::DescribeLiveRecordNotifyRecords(call) => written(notify::records(call)?),
        Call::RealTimeRecordCommand(call) => written(streams::command(backend, call).await?),
        Call::DescribeLiveStreamsOnlineList(call) => written(streams::online_list(backend, call).await?),
        Call::DescribeLiveStreamState(call) => written(streams::state(backend, call).await?),
        Call::DescribeLiveStreamRecordContent(call) => written(content::spans(backend, call).await?),
        Call::CreateLiveStreamRecordIndexFiles(call) => {
            written(index_files::create(backend, settings, call).await?)
        }
        Call::DescribeLiveStreamRecordIndexFiles(call) => written(content::indexes(backend, call).await?),
        Call::DescribeLiveStreamRecordIndexFile(call) => written(content::index(backend, call).await?),
        Call::DeleteLiveStreamRecordIndexFiles(call) => {
            written(content::delete_indexes(backend, call).await?)
        }
    }
}

fn written(answer: impl Serialize) -> Result<Value, ApiError> {
    serde_json::to_value(answer).map_err(|error| ApiError::from(faults::INTERNAL_ERROR).caused_by(error))
}
