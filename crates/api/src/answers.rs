//! Answers, typed.
//!
//! What is `None` is left out. The names are the wire's, the original's slips included.

use serde::Serialize;

use rules::{Container, Format, NotifyConfig, Rule};

use crate::{paging::Page, rule};

/// The answer of an action that has nothing to tell.
pub type Done = ();

/// Seconds since 1970 as the API writes them.
fn time(unix_s: u64) -> String {
    acs::time::format(unix_s)
}

/// Seconds of media from a duration in 1/90 000 s, to the millisecond.
fn seconds(duration_90khz: u64) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "2^53 ms are 285,000 years")]
    let ms = (duration_90khz / 90) as f64;
    ms / 1000.0
}

macro_rules! answers {
    ($($(#[$doc:meta])* $name:ident { $($(#[$attribute:meta])* $field:ident: $type:ty,)* })*) => {
        $(
            $(#[$doc])*
            #[derive(Clone, Debug, PartialEq, Serialize)]
            #[serde(rename_all = "PascalCase")]
            #[expect(missing_docs, reason = "the table of actions documents each field")]
            pub struct $name {
                $(
                    $(#[$attribute])*
                    pub $field: $type,
                )*
            }
        )*
    };
}

answers! {
    /// Answer of `DescribeLiveRecordConfig`.
    RuleList {
        order: &'static str,
        page_num: u64,
        page_size: u64,
        total_num: u64,
        total_page: u64,
        live_app_record_list: LiveAppRecordList,
    }
    /// Its rules.
    LiveAppRecordList {
        live_app_record: Vec<LiveAppRecord>,
    }
    /// One rule.
    LiveAppRecord {
        domain_name: String,
        app_name: String,
        stream_name: String,
        oss_endpoint: String,
        oss_bucket: String,
        create_time: String,
        #[serde(skip_serializing_if = "Option::is_none")]
        start_time: Option<String>,
        #[serde(skip_serializing_if = "Option::is_none")]
        end_time: Option<String>,
        on_demond: u32,
        delay_time: u32,
        record_format_list: RecordFormatList,
        transcode_record_format_list: RecordFormatList,
        transcode_templates: Templates,
    }
    /// Its formats.
    RecordFormatList {
        record_format: Vec<RecordFormat>,
    }
    /// One format.
    RecordFormat {
        format: Container,
        cycle_duration: u32,
        slice_duration: u32,
        oss_object_prefix: String,
        slice_oss_object_prefix: String,
    }
    /// Its transcoding templates.
    Templates {
        templates: Vec<String>,
    }
    /// Answer of `DescribeLiveRecordNotifyConfig`.
    NotifyConfigAnswer {
        live_record_notify_config: LiveRecordNotifyConfig,
    }
    /// The config.
    LiveRecordNotifyConfig {
        domain_name: String,
        #[serde(skip_serializing_if = "Option::is_none")]
        notify_url: Option<String>,
        #[serde(skip_serializing_if = "Option::is_none")]
        on_demand_url: Option<String>,
        need_status_notify: bool,
        notify_req_auth: bool,
        #[serde(skip_serializing_if = "Option::is_none")]
        notify_auth_key: Option<String>,
    }
    /// Answer of `DescribeLiveRecordNotifyRecords`.
    NotifyRecords {
        callback_list: Vec<Callback>,
        page_num: u64,
        page_size: u64,
        total_num: u64,
        total_page: u64,
        code: u16,
        msg: &'static str,
    }
    /// One callback that was sent.
    Callback {
        domain_name: String,
        app_name: String,
        stream_name: String,
        storage_type: &'static str,
        notify_type: String,
        notify_url: String,
        notify_time: String,
        notify_header: String,
        notify_content: String,
        notify_response: String,
        notify_result: &'static str,
        description: String,
    }
    /// Answer of `DescribeLiveStreamsOnlineList`.
    OnlineList {
        page_num: u64,
        page_size: u64,
        total_num: u64,
        total_page: u64,
        online_info: OnlineInfo,
    }
    /// Its streams.
    OnlineInfo {
        live_stream_online_info: Vec<LiveStreamOnlineInfo>,
    }
    /// One stream that is being pushed.
    LiveStreamOnlineInfo {
        domain_name: String,
        app_name: String,
        stream_name: String,
        publish_time: String,
        #[serde(flatten)]
        details: Option<OnlineDetails>,
    }
    /// What is left out of a short answer.
    OnlineDetails {
        publish_url: String,
        publish_domain: String,
        publish_type: &'static str,
        client_ip: String,
        server_ip: String,
        transcoded: &'static str,
        #[serde(skip_serializing_if = "Option::is_none")]
        video_data_rate: Option<u32>,
        #[serde(skip_serializing_if = "Option::is_none")]
        video_codec_id: Option<u32>,
        #[serde(skip_serializing_if = "Option::is_none")]
        audio_codec_id: Option<u32>,
    }
    /// Answer of `DescribeLiveStreamState`.
    StreamState {
        stream_state: &'static str,
        r#type: &'static str,
    }
    /// Answer of `DescribeLiveStreamRecordContent`.
    Content {
        record_content_info_list: RecordContentInfoList,
    }
    /// Its spans.
    RecordContentInfoList {
        record_content_info: Vec<RecordContentInfo>,
    }
    /// One span.
    RecordContentInfo {
        start_time: String,
        end_time: String,
        duration: f64,
        oss_endpoint: String,
        oss_bucket: String,
        oss_object_prefix: String,
    }
    /// Answer of `CreateLiveStreamRecordIndexFiles`.
    IndexCreated {
        record_info: Record,
    }
    /// Answer of `DescribeLiveStreamRecordIndexFiles`.
    IndexList {
        order: &'static str,
        page_num: u64,
        page_size: u64,
        total_num: u64,
        total_page: u64,
        record_index_info_list: RecordIndexInfoList,
    }
    /// Its files.
    RecordIndexInfoList {
        record_index_info: Vec<Record>,
    }
    /// Answer of `DescribeLiveStreamRecordIndexFile`.
    IndexFile {
        record_index_info: Record,
    }
    /// One record file or index.
    Record {
        record_id: String,
        record_url: String,
        domain_name: String,
        app_name: String,
        stream_name: String,
        oss_endpoint: String,
        oss_bucket: String,
        oss_object: String,
        start_time: String,
        end_time: String,
        duration: f64,
        height: u32,
        width: u32,
        create_time: String,
        #[serde(skip_serializing_if = "Option::is_none")]
        format: Option<String>,
    }
    /// Answer of `DeleteLiveStreamRecordIndexFiles`.
    IndexesDeleted {
        code: &'static str,
        message: &'static str,
        record_delete_info_list: RecordDeleteInfoList,
    }
    /// What became of each id.
    RecordDeleteInfoList {
        record_delete_info: Vec<RecordDeleteInfo>,
    }
    /// What became of one id.
    RecordDeleteInfo {
        record_id: String,
        message: &'static str,
    }
}

use crate::calls::Order;

impl Order {
    /// The word on the wire.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Ascending => "asc",
            Self::Descending => "desc",
        }
    }
}

impl RuleList {
    /// The answer for a page of rules.
    #[must_use]
    pub fn new(page: Page<Rule>, order: Order) -> Self {
        Self {
            order: order.word(),
            page_num: page.number,
            page_size: page.size,
            total_num: page.total,
            total_page: page.pages(),
            live_app_record_list: LiveAppRecordList {
                live_app_record: page.entries.into_iter().map(LiveAppRecord::from).collect(),
            },
        }
    }
}

impl From<Rule> for LiveAppRecord {
    fn from(rule: Rule) -> Self {
        Self {
            domain_name: rule.triple.domain,
            app_name: rule.triple.app,
            stream_name: rule.triple.stream,
            oss_endpoint: rule.oss_endpoint,
            oss_bucket: rule.oss_bucket,
            create_time: time(rule.created_s),
            start_time: rule.start_s.map(time),
            end_time: rule.end_s.map(time),
            on_demond: rule::number(rule.on_demand),
            delay_time: rule.delay_s,
            record_format_list: rule.formats.into(),
            transcode_record_format_list: rule.transcode_formats.into(),
            transcode_templates: Templates { templates: rule.transcode_templates },
        }
    }
}

impl From<Vec<Format>> for RecordFormatList {
    fn from(formats: Vec<Format>) -> Self {
        let record = |format: Format| RecordFormat {
            format: format.container,
            cycle_duration: format.cycle_s,
            slice_duration: format.slices.as_ref().map_or(0, |slices| slices.length_s),
            oss_object_prefix: format.object_prefix,
            slice_oss_object_prefix: format.slices.map_or_else(String::new, |slices| slices.object_prefix),
        };
        Self { record_format: formats.into_iter().map(record).collect() }
    }
}

impl From<NotifyConfig> for NotifyConfigAnswer {
    fn from(config: NotifyConfig) -> Self {
        Self {
            live_record_notify_config: LiveRecordNotifyConfig {
                domain_name: config.domain,
                notify_url: config.notify_url,
                on_demand_url: config.on_demand_url,
                need_status_notify: config.need_status_notify,
                notify_req_auth: config.notify_req_auth,
                notify_auth_key: config.notify_auth_key,
            },
        }
    }
}

impl NotifyRecords {
    /// The answer for a page of callbacks.
    #[must_use]
    pub fn new(page: Page<Callback>) -> Self {
        Self {
            page_num: page.number,
            page_size: page.size,
            total_num: page.total,
            total_page: page.pages(),
            callback_list: page.entries,
            code: 200,
            msg: "OK",
        }
    }
}

impl OnlineList {
    /// The answer for a page of streams.
    #[must_use]
    pub fn new(page: Page<LiveStreamOnlineInfo>) -> Self {
        Self {
            page_num: page.number,
            page_size: page.size,
            total_num: page.total,
            total_page: page.pages(),
            online_info: OnlineInfo { live_stream_online_info: page.entries },
        }
    }
}

impl StreamState {
    /// The answer for a stream that is being pushed, or is not.
    #[must_use]
    pub fn new(online: bool) -> Self {
        Self { stream_state: if online { "online" } else { "offline" }, r#type: "push" }
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
            start_time: time(start_ms / 1000),
            end_time: time(end_ms / 1000),
            duration: seconds(duration_90khz),
            oss_endpoint,
            oss_bucket,
            oss_object_prefix,
        }
    }
}

/// A record file or index as the server keeps it: times in Unix milliseconds, media in 1/90 000 s.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the fields of the answer, before they are written")]
pub struct RecordFacts {
    pub id: String,
    pub domain: String,
    pub app: String,
    pub stream: String,
    pub oss_endpoint: String,
    pub oss_bucket: String,
    pub object: String,
    pub format: String,
    pub start_ms: u64,
    pub end_ms: u64,
    pub duration_90khz: u64,
    pub width: u32,
    pub height: u32,
    pub created_ms: u64,
}

impl From<RecordFacts> for Record {
    fn from(facts: RecordFacts) -> Self {
        let bucket = s3::Bucket::new(&facts.oss_endpoint, &facts.oss_bucket);
        Self {
            record_url: bucket.and_then(|bucket| bucket.object_url(&facts.object)).unwrap_or_default(),
            record_id: facts.id,
            domain_name: facts.domain,
            app_name: facts.app,
            stream_name: facts.stream,
            oss_endpoint: facts.oss_endpoint,
            oss_bucket: facts.oss_bucket,
            oss_object: facts.object,
            start_time: time(facts.start_ms / 1000),
            end_time: time(facts.end_ms / 1000),
            duration: seconds(facts.duration_90khz),
            height: facts.height,
            width: facts.width,
            create_time: time(facts.created_ms / 1000),
            format: Some(facts.format),
        }
    }
}

impl Record {
    /// The same without its format, which the answer to its creation does not have.
    #[must_use]
    pub fn without_format(self) -> Self {
        Self { format: None, ..self }
    }
}

impl IndexList {
    /// The answer for a page of record files and indexes.
    #[must_use]
    pub fn new(page: Page<RecordFacts>, order: Order) -> Self {
        Self {
            order: order.word(),
            page_num: page.number,
            page_size: page.size,
            total_num: page.total,
            total_page: page.pages(),
            record_index_info_list: RecordIndexInfoList {
                record_index_info: page.entries.into_iter().map(Record::from).collect(),
            },
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
