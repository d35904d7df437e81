//! What was recorded: spans, record files, index files.

use super::parameters::{APP, DOMAIN, END_TIME, ORDER, PAGE_NUM, PAGE_SIZE, START_TIME, STREAM};
use crate::action::action;
use crate::answers::{Content, IndexCreated, IndexFile, IndexList, IndexesDeleted};
use crate::request::Typed;
use crate::words::Order;
use crate::{Text, faults};

/// What the id of a record file or index file can be.
const RECORD_ID: Text = Text::Any(128);

action! {
    /// Lists the continuous spans of a stream that were recorded in a range, cut to it at whole slices.
    Read DescribeLiveStreamRecordContent {
        domain_name: String = DOMAIN,
        app_name: String = APP,
        stream_name: String = STREAM,
        start_time: u64 = START_TIME,
        end_time: u64 = END_TIME,
    } -> Content,
    faults: [INVALID_END_TIME_MISMATCH]
}

action! {
    /// Writes an M3U8 over the transport stream slices of a range into a bucket. The stream must be recorded as m3u8.
    Write CreateLiveStreamRecordIndexFiles {
        domain_name: String = DOMAIN,
        app_name: String = APP,
        stream_name: String = STREAM,
        start_time: u64 = START_TIME,
        end_time: u64 = END_TIME,
        oss_bucket: String = Typed::text("OssBucket", Text::Bucket, "Bucket to write to.")
            .or(faults::INVALID_INDEX_OSS_BUCKET),
        oss_endpoint: String = Typed::text("OssEndpoint", Text::Endpoint, "Endpoint of that bucket."),
        oss_object: String = Typed::text(
            "OssObject",
            Text::Template(naming::Kind::IndexFile),
            "Object name, with its extension. Variables: {AppName} {StreamName} {Date} {Hour} {Minute} {Second}.",
        )
        .or(faults::INVALID_OSS_OBJECT),
        end_time_included: bool = Typed::boolean(
            "EndTimeIncluded",
            "Whether to take one slice more, so that the whole range is covered.",
        )
        .defaults_to("false"),
    } -> IndexCreated,
    faults: [
        INVALID_END_TIME_MISMATCH, INVALID_OSS_BUCKET_NOT_FOUND, OSS_OBJECT_ALREADY_EXISTS,
        INVALID_INDEX_STREAM_NOT_FOUND, INVALID_CONFIG_CHANGED, NO_RECORD_CONTENT,
    ]
}

action! {
    /// Lists the record files and index files of a stream whose content overlaps a range.
    Read DescribeLiveStreamRecordIndexFiles {
        domain_name: String = DOMAIN,
        app_name: String = APP,
        stream_name: String = STREAM,
        start_time: u64 = START_TIME,
        end_time: u64 = END_TIME,
        page_num: u32 = PAGE_NUM,
        page_size: u32 = PAGE_SIZE,
        order: Order = ORDER,
    } -> IndexList,
    faults: [INVALID_END_TIME_MISMATCH]
}

action! {
    /// Shows one record file or index file of a stream.
    Read DescribeLiveStreamRecordIndexFile {
        domain_name: String = DOMAIN,
        app_name: String = APP,
        stream_name: String = STREAM,
        record_id: String = Typed::text("RecordId", RECORD_ID, "Identifies it."),
    } -> IndexFile,
    faults: [INVALID_RECORD_ID_NOT_FOUND]
}

action! {
    /// Forgets record files and index files of a stream. The objects in the bucket stay.
    Write DeleteLiveStreamRecordIndexFiles {
        domain_name: String = DOMAIN,
        app_name: String = APP,
        stream_name: String = STREAM,
        record_id: Vec<String> = Typed::list("RecordId", RECORD_ID, 20, "Identifies them, up to 20."),
        remove_file: bool =
            Typed::boolean("RemoveFile", "Must be `false`: objects are never deleted."),
    } -> IndexesDeleted,
    faults: [REMOVE_FILE_NOT_SUPPORTED]
}
