//! What each action does.

mod content;
mod index;
mod notify;
mod rules;
mod streams;

use api::{ApiError, Call, faults};
use serde::Serialize;
use serde_json::Value;

use crate::{
    backend::Backend,
    bindings::recorder::bucket::objects::{self, Location},
    bindings::recorder::catalog::catalog,
    bindings::recorder::rules::rules as wit_rules,
    serve::Authenticated,
    settings::Settings,
};

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
            written(index::create(backend, settings, call).await?)
        }
        Call::DescribeLiveStreamRecordIndexFiles(call) => written(content::indexes(backend, call).await?),
        Call::DescribeLiveStreamRecordIndexFile(call) => written(content::index(backend, call).await?),
        Call::DeleteLiveStreamRecordIndexFiles(call) => {
            written(content::delete_indexes(backend, call).await?)
        }
    }
}

fn written(answer: impl Serialize) -> Result<Value, ApiError> {
    serde_json::to_value(answer).map_err(|error| {
        eprintln!("an answer cannot be written: {error}");
        faults::INTERNAL_ERROR.into()
    })
}

/// Something outside failed; the same request can succeed later. What failed is for the log, not the caller.
pub(crate) fn unavailable(reason: &str) -> ApiError {
    eprintln!("{reason}");
    faults::SERVICE_UNAVAILABLE.into()
}

fn rules_failed(error: wit_rules::Error) -> ApiError {
    match error {
        wit_rules::Error::AlreadyExists => faults::CONFIG_ALREADY_EXISTS.into(),
        wit_rules::Error::NotFound => faults::INVALID_CONFIG_NOT_FOUND.into(),
        wit_rules::Error::Changed => faults::CONFIG_CHANGED_CONCURRENTLY.into(),
        wit_rules::Error::Store(reason) => unavailable(&reason),
    }
}

fn catalog_failed(error: catalog::Error) -> ApiError {
    match error {
        catalog::Error::NoSuchStream | catalog::Error::NoSuchSession => {
            faults::INVALID_STREAM_NOT_FOUND.into()
        }
        catalog::Error::NoRule => faults::INVALID_CONFIG_NOT_FOUND.into(),
        catalog::Error::AlreadyRecording => faults::TASK_ALREADY_STARTED.into(),
        catalog::Error::NotRecording => faults::TASK_NOT_STARTED.into(),
        catalog::Error::Store(reason) => unavailable(&reason),
    }
}

/// Whether a bucket exists and may be used.
async fn check_bucket(backend: &impl Backend, endpoint: &str, bucket: &str) -> Result<(), ApiError> {
    let at = Location { endpoint: endpoint.into(), bucket: bucket.into() };
    backend.check_bucket(at).await.map_err(bucket_failed)
}

fn bucket_failed(error: objects::Error) -> ApiError {
    let (objects::Error::NoSuchBucket(reason)
    | objects::Error::Invalid(reason)
    | objects::Error::Unavailable(reason)) = &error
    else {
        return faults::INTERNAL_ERROR.into();
    };
    match error {
        objects::Error::NoSuchBucket(_) => {
            ApiError::from(faults::INVALID_OSS_BUCKET_NOT_FOUND).with_detail(reason)
        }
        objects::Error::Invalid(_) => {
            ApiError::from(faults::INVALID_OSS_BUCKET_MALFORMED).with_detail(reason)
        }
        _ => unavailable(reason),
    }
}
