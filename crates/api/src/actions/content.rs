//! What was recorded: spans, index files, record files.

use super::{APP, DOMAIN, END_TIME, ORDER, PAGE_NUM, PAGE_SIZE, START_TIME, STREAM, integer, text, time};
use crate::{Access, Action, Field, Kind, Parameter, Shape, faults};

pub(super) const CONTENT: Action = Action {
    name: "DescribeLiveStreamRecordContent",
    summary: "Lists the continuous spans of a stream that were recorded in a range, cut to it at whole slices.",
    access: Access::Read,
    parameters: &[DOMAIN, APP, STREAM, START_TIME, END_TIME],
    answer: &[Field::new(
        "RecordContentInfoList",
        Shape::Object(&[Field::new(
            "RecordContentInfo",
            Shape::List(&Shape::Object(&[
                time("StartTime", "Begin of the span."),
                time("EndTime", "End of the span."),
                Field::new("Duration", Shape::Number, "Seconds of media in it."),
                text("OssEndpoint", "Endpoint of the bucket."),
                text("OssBucket", "The bucket."),
                text("OssObjectPrefix", "Template of the slices' object names."),
            ])),
            "One item a span.",
        )]),
        "The spans, oldest first.",
    )],
    faults: &[faults::INVALID_END_TIME_MISMATCH],
};

/// The fields of a record file or index, but its format.
const RECORD: [Field; 14] = [
    text("RecordId", "Identifies it."),
    text("RecordUrl", "Where it can be read, if the bucket allows it."),
    text("DomainName", "The streaming domain."),
    text("AppName", "The application."),
    text("StreamName", "The stream."),
    text("OssEndpoint", "Endpoint of the bucket."),
    text("OssBucket", "The bucket."),
    text("OssObject", "Object name."),
    time("StartTime", "Begin of its content."),
    time("EndTime", "End of its content."),
    Field::new("Duration", Shape::Number, "Seconds of media in it."),
    integer("Height", "Rows of a frame; 0 if unknown."),
    integer("Width", "Samples of a row; 0 if unknown."),
    time("CreateTime", "When it was made."),
];

const RECORD_WITH_FORMAT: [Field; 15] = {
    let mut fields = [text("Format", "`m3u8`, `mp4` or `flv`."); 15];
    let mut at = 0;
    while at < RECORD.len() {
        fields[at] = RECORD[at];
        at += 1;
    }
    fields
};

pub(super) const CREATE_INDEX: Action = Action {
    name: "CreateLiveStreamRecordIndexFiles",
    summary: "Writes an M3U8 over the transport stream slices of a range into a bucket. The stream must be \
              recorded as m3u8.",
    access: Access::Write,
    parameters: &[
        DOMAIN,
        APP,
        STREAM,
        START_TIME,
        END_TIME,
        Parameter::required("OssBucket", Kind::Bucket, "Bucket to write to.").or(faults::INVALID_INDEX_OSS_BUCKET),
        Parameter::required("OssEndpoint", Kind::Endpoint, "Endpoint of that bucket."),
        Parameter::required(
            "OssObject",
            Kind::Template(naming::Kind::IndexFile),
            "Object name, with its extension. Variables: {AppName} {StreamName} {Date} {Hour} {Minute} {Second}.",
        )
        .or(faults::INVALID_OSS_OBJECT),
        Parameter::with_default(
            "EndTimeIncluded",
            Kind::Boolean,
            "false",
            "Whether to take one slice more, so that the whole range is covered.",
        ),
    ],
    answer: &[Field::new("RecordInfo", Shape::Object(&RECORD), "What was written.")],
    faults: &[
        faults::INVALID_END_TIME_MISMATCH,
        faults::INVALID_OSS_BUCKET_NOT_FOUND,
        faults::OSS_OBJECT_ALREADY_EXISTS,
        faults::INVALID_INDEX_STREAM_NOT_FOUND,
        faults::INVALID_CONFIG_CHANGED,
        faults::NO_RECORD_CONTENT,
    ],
};

pub(super) const INDEXES: Action = Action {
    name: "DescribeLiveStreamRecordIndexFiles",
    summary: "Lists the record files and index files of a stream whose content overlaps a range.",
    access: Access::Read,
    parameters: &[DOMAIN, APP, STREAM, START_TIME, END_TIME, PAGE_NUM, PAGE_SIZE, ORDER],
    answer: &[
        text("Order", "As asked."),
        integer("PageNum", "As asked."),
        integer("PageSize", "As asked, within its range."),
        integer("TotalNum", "Files that match."),
        integer("TotalPage", "Pages of them."),
        Field::new(
            "RecordIndexInfoList",
            Shape::Object(&[Field::new(
                "RecordIndexInfo",
                Shape::List(&Shape::Object(&RECORD_WITH_FORMAT)),
                "One item a file.",
            )]),
            "The files of the page.",
        ),
    ],
    faults: &[faults::INVALID_END_TIME_MISMATCH],
};

const RECORD_ID: Kind = Kind::Text(128);

pub(super) const INDEX: Action = Action {
    name: "DescribeLiveStreamRecordIndexFile",
    summary: "Shows one record file or index file of a stream.",
    access: Access::Read,
    parameters: &[DOMAIN, APP, STREAM, Parameter::required("RecordId", RECORD_ID, "Identifies it.")],
    answer: &[Field::new("RecordIndexInfo", Shape::Object(&RECORD_WITH_FORMAT), "The file.")],
    faults: &[faults::INVALID_RECORD_ID_NOT_FOUND],
};

pub(super) const DELETE_INDEXES: Action = Action {
    name: "DeleteLiveStreamRecordIndexFiles",
    summary: "Forgets record files and index files of a stream. The objects in the bucket stay.",
    access: Access::Write,
    parameters: &[
        DOMAIN,
        APP,
        STREAM,
        Parameter::required(
            "RecordId",
            Kind::List { item: &RECORD_ID, max: 20 },
            "Identifies them, up to 20.",
        ),
        Parameter::required("RemoveFile", Kind::Boolean, "Must be `false`: objects are never deleted."),
    ],
    answer: &[
        text("Code", "`OK`."),
        text("Message", "`OK`."),
        Field::new(
            "RecordDeleteInfoList",
            Shape::Object(&[Field::new(
                "RecordDeleteInfo",
                Shape::List(&Shape::Object(&[
                    text("RecordId", "As asked."),
                    text("Message", "`OK`, or `NotFound`."),
                ])),
                "One item an id.",
            )]),
            "What became of each.",
        ),
    ],
    faults: &[faults::REMOVE_FILE_NOT_SUPPORTED],
};
