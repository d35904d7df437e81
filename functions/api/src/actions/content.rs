//! What was recorded.

use api::{
    ApiError,
    answers::{
        Content, IndexFile, IndexList, IndexesDeleted, RecordContentInfo, RecordContentInfoList, RecordFacts,
    },
    calls::{
        DeleteLiveStreamRecordIndexFiles, DescribeLiveStreamRecordContent, DescribeLiveStreamRecordIndexFile,
        DescribeLiveStreamRecordIndexFiles,
    },
    faults,
    paging::Page,
    range,
};

use crate::{backend::Backend, convert::stream};

pub(super) async fn spans(
    backend: &impl Backend,
    call: DescribeLiveStreamRecordContent,
) -> Result<Content, ApiError> {
    let range_ms = range::content(call.start_time, call.end_time)?;
    let name = stream(call.domain_name, call.app_name, call.stream_name);
    let recorded = backend.recorded_spans(name, range_ms).await?;
    let spans = recorded.into_iter().map(|span| {
        RecordContentInfo::new(
            (span.start_ms, span.end_ms),
            span.duration90khz,
            span.oss_endpoint,
            span.oss_bucket,
            span.slice_object_prefix,
        )
    });
    Ok(Content { record_content_info_list: RecordContentInfoList { record_content_info: spans.collect() } })
}

pub(super) async fn indexes(
    backend: &impl Backend,
    call: DescribeLiveStreamRecordIndexFiles,
) -> Result<IndexList, ApiError> {
    let range_ms = range::content(call.start_time, call.end_time)?;
    let name = stream(call.domain_name, call.app_name, call.stream_name);
    let mut indexes = backend.list_index_files(name, range_ms).await?;
    indexes.sort_by_key(|index| index.created_ms);
    let indexes = indexes.into_iter().map(RecordFacts::from).collect();
    Ok(IndexList::new(Page::of(indexes, call.page_num, call.page_size, call.order), call.order))
}

pub(super) async fn index(
    backend: &impl Backend,
    call: DescribeLiveStreamRecordIndexFile,
) -> Result<IndexFile, ApiError> {
    let name = stream(call.domain_name, call.app_name, call.stream_name);
    let index = backend.get_index_file(name, &call.record_id).await?;
    let index = index.ok_or(faults::INVALID_RECORD_ID_NOT_FOUND)?;
    Ok(IndexFile { record_index_info: RecordFacts::from(index).into() })
}

pub(super) async fn delete_indexes(
    backend: &impl Backend,
    call: DeleteLiveStreamRecordIndexFiles,
) -> Result<IndexesDeleted, ApiError> {
    if call.remove_file {
        return Err(faults::REMOVE_FILE_NOT_SUPPORTED.into());
    }
    let name = stream(call.domain_name, call.app_name, call.stream_name);
    let mut ids = Vec::new();
    for id in call.record_id {
        let known = backend.delete_index_file(name.clone(), &id).await?;
        ids.push((id, known));
    }
    Ok(IndexesDeleted::new(ids))
}
