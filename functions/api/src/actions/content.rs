//! What was recorded.

use api::{
    ApiError, Handle,
    answers::{Content, IndexFile, IndexList, IndexesDeleted, RecordContentInfo, RecordContentInfoList},
    calls::{
        DeleteLiveStreamRecordIndexFiles, DescribeLiveStreamRecordContent, DescribeLiveStreamRecordIndexFile,
        DescribeLiveStreamRecordIndexFiles,
    },
    faults,
    paging::Page,
    range,
};

use super::performer::Performer;
use crate::backend::World;
use crate::convert::{index_info, stream};

impl<W: World> Handle<DescribeLiveStreamRecordContent> for Performer<'_, W> {
    async fn handle(&self, call: DescribeLiveStreamRecordContent) -> Result<Content, ApiError> {
        let range_ms = range::content(call.start_time, call.end_time)?;
        let name = stream(call.domain_name, call.app_name, call.stream_name);
        let recorded = self.world.recorded_spans(name, range_ms).await?;
        let spans = recorded.into_iter().map(|span| {
            RecordContentInfo::new(
                (span.start_ms, span.end_ms),
                span.duration90khz,
                span.oss_endpoint,
                span.oss_bucket,
                span.object_prefix,
            )
        });
        let record_content_info = spans.collect();
        Ok(Content { record_content_info_list: RecordContentInfoList { record_content_info } })
    }
}

impl<W: World> Handle<DescribeLiveStreamRecordIndexFiles> for Performer<'_, W> {
    async fn handle(&self, call: DescribeLiveStreamRecordIndexFiles) -> Result<IndexList, ApiError> {
        let range_ms = range::content(call.start_time, call.end_time)?;
        let name = stream(call.domain_name, call.app_name, call.stream_name);
        let mut files = self.world.list_index_files(name, range_ms).await?;
        files.sort_by_key(|file| file.created_ms);
        let files = files.into_iter().map(|file| index_info(file, &self.settings.endpoints)).collect();
        Ok(IndexList::new(Page::of(files, call.page_num, call.page_size, call.order), call.order))
    }
}

impl<W: World> Handle<DescribeLiveStreamRecordIndexFile> for Performer<'_, W> {
    async fn handle(&self, call: DescribeLiveStreamRecordIndexFile) -> Result<IndexFile, ApiError> {
        let name = stream(call.domain_name, call.app_name, call.stream_name);
        let file = self.world.get_index_file(name, &call.record_id).await?;
        let file = file.ok_or(faults::INVALID_RECORD_ID_NOT_FOUND)?;
        Ok(IndexFile { record_index_info: index_info(file, &self.settings.endpoints) })
    }
}

impl<W: World> Handle<DeleteLiveStreamRecordIndexFiles> for Performer<'_, W> {
    async fn handle(&self, call: DeleteLiveStreamRecordIndexFiles) -> Result<IndexesDeleted, ApiError> {
        if call.remove_file {
            return Err(faults::REMOVE_FILE_NOT_SUPPORTED.into());
        }
        let name = stream(call.domain_name, call.app_name, call.stream_name);
        let mut ids = Vec::new();
        for id in call.record_id {
            let known = self.world.delete_index_file(name.clone(), &id).await?;
            ids.push((id, known));
        }
        Ok(IndexesDeleted::new(ids))
    }
}
