//! What was recorded: spans, record files, index files.

use ::rules::Container;
use serde_json::Value;

use crate::answer::{Answer, Field, Shape, Shaped, Time, answers};
use crate::paging::Page;
use crate::words::Order;

answers! {
    /// Answer of `DescribeLiveStreamRecordContent`.
    Content {
        /// The spans, oldest first.
        record_content_info_list: RecordContentInfoList,
    }

    /// The spans of a range.
    RecordContentInfoList {
        /// One item a span.
        record_content_info: Vec<RecordContentInfo>,
    }

    /// One span.
    RecordContentInfo {
        /// Begin of the span.
        start_time: Time,
        /// End of the span.
        end_time: Time,
        /// Seconds of media in it.
        duration: f64,
        /// Endpoint of the bucket.
        oss_endpoint: String,
        /// The bucket.
        oss_bucket: String,
        /// Template of the slices' object names; without slices, of the record files'.
        oss_object_prefix: String,
    }

    /// Answer of `CreateLiveStreamRecordIndexFiles`.
    IndexCreated {
        /// What was written.
        record_info: RecordInfo,
    }

    /// One record file or index file, but its format.
    RecordInfo {
        /// Identifies it.
        record_id: String,
        /// Where it can be read, if the bucket allows it.
        record_url: String,
        /// The streaming domain.
        domain_name: String,
        /// The application.
        app_name: String,
        /// The stream.
        stream_name: String,
        /// Endpoint of the bucket.
        oss_endpoint: String,
        /// The bucket.
        oss_bucket: String,
        /// Object name.
        oss_object: String,
        /// Begin of its content.
        start_time: Time,
        /// End of its content.
        end_time: Time,
        /// Seconds of media in it.
        duration: f64,
        /// Rows of a frame; 0 if unknown.
        height: u32,
        /// Samples of a row; 0 if unknown.
        width: u32,
        /// When it was made.
        create_time: Time,
    }

    /// Answer of `DescribeLiveStreamRecordIndexFiles`.
    IndexList {
        /// As asked.
        order: Order,
        /// As asked.
        page_num: u32,
        /// As asked, within its range.
        page_size: u32,
        /// Files that match.
        total_num: u64,
        /// Pages of them.
        total_page: u64,
        /// The files of the page.
        record_index_info_list: RecordIndexInfoList,
    }

    /// The files of a page.
    RecordIndexInfoList {
        /// One item a file.
        record_index_info: Vec<RecordIndexInfo>,
    }

    /// Answer of `DescribeLiveStreamRecordIndexFile`.
    IndexFile {
        /// The file.
        record_index_info: RecordIndexInfo,
    }

    /// Answer of `DeleteLiveStreamRecordIndexFiles`.
    IndexesDeleted {
        /// `OK`.
        code: &'static str,
        /// `OK`.
        message: &'static str,
        /// What became of each.
        record_delete_info_list: RecordDeleteInfoList,
    }

    /// What became of each id.
    RecordDeleteInfoList {
        /// One item an id.
        record_delete_info: Vec<RecordDeleteInfo>,
    }

    /// What became of one id.
    RecordDeleteInfo {
        /// As asked.
        record_id: String,
        /// `OK`, or `NotFound`.
        message: &'static str,
    }
}

/// One record file or index file.
#[derive(Clone, Debug, PartialEq)]
pub struct RecordIndexInfo {
    /// All of it but its format.
    pub info: RecordInfo,
    /// Its format.
    pub format: Container,
}

impl RecordIndexInfo {
    const FORMAT: Field =
        Field { name: "Format", shape: Container::SHAPE, summary: "`m3u8`, `mp4` or `flv`." };

    const FIELDS: [Field; RecordInfo::FIELDS.len() + 1] = {
        let mut fields = [Self::FORMAT; RecordInfo::FIELDS.len() + 1];
        let mut at = 0;
        while at < RecordInfo::FIELDS.len() {
            fields[at] = RecordInfo::FIELDS[at];
            at += 1;
        }
        fields
    };
}

impl Shaped for RecordIndexInfo {
    const SHAPE: Shape = Shape::Object(&Self::FIELDS);

    fn into_value(self) -> Option<Value> {
        let mut fields = self.info.into_fields();
        fields.extend(self.format.into_value().map(|format| (Self::FORMAT.name.into(), format)));
        Some(Value::Object(fields))
    }
}

impl RecordContentInfo {
    /// A span, with its times in Unix milliseconds and its media in 1/90 000 s.
    #[must_use]
    pub fn new(
        (start_ms, end_ms): (u64, u64),
        duration_90khz: u64,
        oss_endpoint: String,
        oss_bucket: String,
        oss_object_prefix: String,
    ) -> Self {
        Self {
            start_time: Time(start_ms / 1000),
            end_time: Time(end_ms / 1000),
            duration: hls::seconds(duration_90khz),
            oss_endpoint,
            oss_bucket,
            oss_object_prefix,
        }
    }
}

impl IndexList {
    /// The answer for a page of record files and index files.
    #[must_use]
    pub fn new(page: Page<RecordIndexInfo>, order: Order) -> Self {
        Self {
            order,
            page_num: page.number,
            page_size: page.size,
            total_num: page.total,
            total_page: page.pages(),
            record_index_info_list: RecordIndexInfoList { record_index_info: page.entries },
        }
    }
}

impl IndexesDeleted {
    /// The answer for ids, each with whether it was known.
    #[must_use]
    pub fn new(ids: Vec<(String, bool)>) -> Self {
        let info = |(record_id, known)| RecordDeleteInfo {
            record_id,
            message: if known { "OK" } else { "NotFound" },
        };
        Self {
            code: "OK",
            message: "OK",
            record_delete_info_list: RecordDeleteInfoList {
                record_delete_info: ids.into_iter().map(info).collect(),
            },
        }
    }
}
