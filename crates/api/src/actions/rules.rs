//! Recording rules.

use ::rules::{Container, OnDemand};
use naming::Kind as Names;

use super::parameters::{APP_OR_ANY, DOMAIN, ORDER, PAGE_NUM, PAGE_SIZE, STREAM_OR_ANY};
use crate::action::action;
use crate::answers::RuleList;
use crate::request::{Typed, parameters};
use crate::words::Order;
use crate::{Outside, Text, faults};

const ENDPOINT: Typed<String> = Typed::text(
    "OssEndpoint",
    Text::Endpoint,
    "Endpoint of the bucket, such as `oss-cn-shanghai.aliyuncs.com` or `http://127.0.0.1:9000`.",
);

const ON_DEMAND: Typed<OnDemand> = Typed::on_demand(
    "OnDemand",
    "0: every push is recorded. 1: OnDemandUrl of the domain is asked. 2: the push argument `record_config` \
     decides. 7: nothing is recorded but by RealTimeRecordCommand.",
)
.defaults_to("0");

const DELAY: Typed<u32> = Typed::integer(
    "DelayTime",
    (15, 21_600),
    Outside::Refused,
    "Seconds. A break of the stream no longer than this continues the same record file; a longer one closes it.",
)
.defaults_to("180");

const START: Typed<u64> =
    Typed::time("StartTime", "Begin of the recording window. Counts only for a rule that names one stream.")
        .or(faults::INVALID_START_TIME);

const END: Typed<u64> = Typed::time(
    "EndTime",
    "End of the recording window, after StartTime; one that is more than 7 days later is cut to 7 days. After \
     it the rule never records again.",
)
.or(faults::INVALID_END_TIME);

const FORMAT: Typed<Container> =
    Typed::choice("Format", "Container of the record files.").or(faults::INVALID_FORMAT);

const CYCLE: Typed<u32> = Typed::integer(
    "CycleDuration",
    (5, 21_600),
    Outside::Refused,
    "Seconds of a record file. Without it 21600 for m3u8, 3600 for mp4 and flv.",
)
.or(faults::INVALID_CYCLE_DURATION);

const SLICE: Typed<u32> = Typed::integer(
    "SliceDuration",
    (5, 30),
    Outside::Refused,
    "Seconds of a transport stream slice; m3u8 only. Without it 30.",
);

const OBJECT_PREFIX: Typed<String> = Typed::text(
    "OssObjectPrefix",
    Text::Template(Names::RecordFile),
    "Object name of a record file, without extension. Variables: {AppName} {StreamName} {Sequence} \
     {StartTime} {EndTime} {EscapedStartTime} {EscapedEndTime} {Date} {Hour} {Minute} {Second}; a start and \
     an end time are required. A name of more than 1,023 bytes is cut, and ends in 8 characters of a hash of \
     what the file holds. Without it \
     `record/{AppName}/{StreamName}/{Sequence}_{EscapedStartTime}_{EscapedEndTime}`.",
)
.or(faults::INVALID_OSS_OBJECT_PREFIX)
.or_if_empty(faults::MISSING_OSS_OBJECT_PREFIX);

const SLICE_OBJECT_PREFIX: Typed<String> = Typed::text(
    "SliceOssObjectPrefix",
    Text::Template(Names::Slice),
    "Object name of a slice, without extension; m3u8 only. Variables: {AppName} {StreamName} \
     {UnixTimestamp} {Sequence} {Date} {Hour} {Minute} {Second}; {UnixTimestamp} and {Sequence} are \
     required. Without it `record/{AppName}/{StreamName}/{UnixTimestamp}_{Sequence}`.",
)
.or(faults::INVALID_SLICE_OSS_OBJECT_PREFIX)
.or_if_empty(faults::INVALID_SLICE_OSS_OBJECT_PREFIX);

parameters! {
    /// One item of `RecordFormat` or `TranscodeRecordFormat` of a new rule.
    RecordFormat {
        format: Container = FORMAT,
        cycle_duration: Option<u32> = CYCLE.optional(),
        slice_duration: Option<u32> = SLICE.optional().beside("Format", "m3u8"),
        oss_object_prefix: Option<String> = OBJECT_PREFIX.optional(),
        slice_oss_object_prefix: Option<String> = SLICE_OBJECT_PREFIX.optional().beside("Format", "m3u8"),
    }
}

parameters! {
    /// The same of a rule that is changed: object names stay.
    ChangedRecordFormat {
        format: Container = FORMAT,
        cycle_duration: Option<u32> = CYCLE
            .meaning(
                "Seconds of a record file. Where it is not given, a format that the rule has already keeps its own; a \
                 new one has 21600 for m3u8, 3600 for mp4 and flv.",
            )
            .optional(),
        slice_duration: Option<u32> = SLICE
            .meaning(
                "Seconds of a transport stream slice; m3u8 only. Where it is not given, an m3u8 that the rule has \
                 already keeps its own; a new one has 30.",
            )
            .optional()
            .beside("Format", "m3u8"),
    }
}

/// One item a format.
const MAX_FORMATS: usize = 3;

const FORMATS: Typed<Vec<RecordFormat>> = Typed::objects(
    "RecordFormat",
    MAX_FORMATS,
    "What is made of the stream, one item a format. This or TranscodeRecordFormat has to be given.",
);

const TRANSCODE_FORMATS: Typed<Vec<RecordFormat>> = Typed::objects(
    "TranscodeRecordFormat",
    MAX_FORMATS,
    "The same for transcoded streams. Kept and shown; there are no transcoded streams to record.",
);

const CHANGED_FORMATS: Typed<Vec<ChangedRecordFormat>> =
    Typed::objects("RecordFormat", MAX_FORMATS, "What is made of the stream, one item a format.");

const CHANGED_TRANSCODE_FORMATS: Typed<Vec<ChangedRecordFormat>> =
    Typed::objects("TranscodeRecordFormat", MAX_FORMATS, "The same for transcoded streams.");

const TEMPLATES: Typed<Vec<String>> = Typed::list(
    "TranscodeTemplates",
    Text::Any(255),
    100,
    "Names of transcoding templates. Kept and shown; there are no transcoded streams to record.",
);

action! {
    /// Adds a recording rule for a domain, an application or a stream. A rule holds for pushes that begin after it.
    /// Of the rules that match a push the most specific one counts.
    Write AddLiveAppRecordConfig {
        domain_name: String = DOMAIN,
        app_name: String = APP_OR_ANY,
        stream_name: String = STREAM_OR_ANY,
        oss_bucket: String = Typed::text("OssBucket", Text::Bucket, "Bucket of the recordings.")
            .or(faults::INVALID_OSS_BUCKET_MALFORMED),
        oss_endpoint: String = ENDPOINT,
        on_demand: OnDemand = ON_DEMAND,
        delay_time: u32 = DELAY,
        start_time: Option<u64> = START.optional(),
        end_time: Option<u64> = END.optional(),
        record_format: Option<Vec<RecordFormat>> = FORMATS.optional(),
        transcode_record_format: Option<Vec<RecordFormat>> = TRANSCODE_FORMATS.optional(),
        transcode_templates: Option<Vec<String>> = TEMPLATES.optional(),
    } -> (),
    faults: [MISSING_RECORD_FORMAT, CONFIG_ALREADY_EXISTS, INVALID_OSS_BUCKET_NOT_FOUND]
}

action! {
    /// Changes a recording rule; what is not given stays. Bucket and object names cannot be changed. A list that is
    /// given replaces the formats; a format that the rule has already keeps its names.
    Write UpdateLiveAppRecordConfig {
        domain_name: String = DOMAIN,
        app_name: String = APP_OR_ANY,
        stream_name: String = STREAM_OR_ANY,
        oss_endpoint: String = ENDPOINT,
        on_demand: Option<OnDemand> = ON_DEMAND.optional(),
        delay_time: Option<u32> = DELAY.optional(),
        start_time: Option<u64> = START.optional(),
        end_time: Option<u64> = END.optional(),
        record_format: Option<Vec<ChangedRecordFormat>> = CHANGED_FORMATS.optional(),
        transcode_record_format: Option<Vec<ChangedRecordFormat>> = CHANGED_TRANSCODE_FORMATS.optional(),
        transcode_templates: Option<Vec<String>> = TEMPLATES.optional(),
    } -> (),
    faults: [INVALID_CONFIG_NOT_FOUND, INVALID_OSS_BUCKET_NOT_FOUND]
}

action! {
    /// Removes the recording rule of exactly these names.
    Write DeleteLiveAppRecordConfig {
        domain_name: String = DOMAIN,
        app_name: String = APP_OR_ANY,
        stream_name: String = STREAM_OR_ANY,
    } -> (),
    faults: [INVALID_CONFIG_NOT_FOUND]
}

action! {
    /// Lists the recording rules of a domain.
    Read DescribeLiveRecordConfig {
        domain_name: String = DOMAIN,
        app_name: Option<String> =
            APP_OR_ANY.meaning("Only rules of this application; `*` is the rule of all.").optional(),
        stream_name: Option<String> =
            STREAM_OR_ANY.meaning("Only rules of this stream; `*` is the rule of all.").optional(),
        page_num: u32 = PAGE_NUM,
        page_size: u32 = PAGE_SIZE,
        order: Order = ORDER,
    } -> RuleList,
    faults: []
}
