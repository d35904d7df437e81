//! Recording rules.

use naming::Kind as Names;

use super::{APP_OR_ANY, DOMAIN, ORDER, PAGE_NUM, PAGE_SIZE, STREAM_OR_ANY, integer, text, time};
use crate::{Access, Action, Field, Kind, Outside, Parameter, Shape, faults};

const ENDPOINT: Parameter = Parameter::required(
    "OssEndpoint",
    Kind::Endpoint,
    "Endpoint of the bucket, such as `oss-cn-shanghai.aliyuncs.com` or `http://127.0.0.1:9000`.",
);

const ON_DEMAND: Parameter = Parameter::with_default(
    "OnDemand",
    Kind::OneOf(&[0, 1, 2, 7]),
    "0",
    "0: every push is recorded. 1: OnDemandUrl of the domain is asked. 2: the push argument `record_config` \
     decides. 7: nothing is recorded but by RealTimeRecordCommand.",
);

const DELAY: Parameter = Parameter::with_default(
    "DelayTime",
    Kind::Integer { min: 15, max: 21_600, outside: Outside::Refused },
    "180",
    "Seconds. A break of the stream no longer than this continues the same record file; a longer one closes it.",
);

const START: Parameter = Parameter::optional(
    "StartTime",
    Kind::Time,
    "Begin of the recording window. Counts only for a rule that names one stream.",
)
.or(faults::INVALID_START_TIME);

const END: Parameter = Parameter::optional(
    "EndTime",
    Kind::Time,
    "End of the recording window, after StartTime; one that is more than 7 days later is cut to 7 days. After \
     it the rule never records again.",
)
.or(faults::INVALID_END_TIME);

const FORMAT: Parameter =
    Parameter::required("Format", Kind::Choice(&["m3u8", "mp4", "flv"]), "Container of the record files.")
        .or(faults::INVALID_FORMAT);

const CYCLE: Parameter = Parameter::optional(
    "CycleDuration",
    Kind::Integer { min: 5, max: 21_600, outside: Outside::Refused },
    "Seconds of a record file. Without it 21600 for m3u8, 3600 for mp4 and flv.",
)
.or(faults::INVALID_CYCLE_DURATION);

const SLICE: Parameter = Parameter::optional(
    "SliceDuration",
    Kind::Integer { min: 5, max: 30, outside: Outside::Refused },
    "Seconds of a transport stream slice; m3u8 only. Without it 30.",
);

const FORMAT_FIELDS: &[Parameter] = &[
    FORMAT,
    CYCLE,
    SLICE,
    Parameter::optional(
        "OssObjectPrefix",
        Kind::Template(Names::RecordFile),
        "Object name of a record file, without extension. Variables: {AppName} {StreamName} {Sequence} \
         {StartTime} {EndTime} {EscapedStartTime} {EscapedEndTime} {Date} {Hour} {Minute} {Second}; a start and \
         an end time are required. Without it \
         `record/{AppName}/{StreamName}/{Sequence}_{EscapedStartTime}_{EscapedEndTime}`.",
    )
    .or(faults::INVALID_OSS_OBJECT_PREFIX)
    .or_if_empty(faults::MISSING_OSS_OBJECT_PREFIX),
    Parameter::optional(
        "SliceOssObjectPrefix",
        Kind::Template(Names::Slice),
        "Object name of a slice, without extension; m3u8 only. Variables: {AppName} {StreamName} \
         {UnixTimestamp} {Sequence} {Date} {Hour} {Minute} {Second}; {UnixTimestamp} and {Sequence} are \
         required. Without it `record/{AppName}/{StreamName}/{UnixTimestamp}_{Sequence}`.",
    )
    .or(faults::INVALID_SLICE_OSS_OBJECT_PREFIX)
    .or_if_empty(faults::INVALID_SLICE_OSS_OBJECT_PREFIX),
];

const CHANGED_FORMAT_FIELDS: &[Parameter] = &[FORMAT, CYCLE, SLICE];

/// One item a format.
const MAX_FORMATS: usize = 3;

const TEMPLATES: Parameter = Parameter::optional(
    "TranscodeTemplates",
    Kind::List { item: &Kind::Text(255), max: 100 },
    "Names of transcoding templates. Kept and shown; there are no transcoded streams to record.",
);

pub(super) const ADD: Action = Action {
    name: "AddLiveAppRecordConfig",
    summary: "Adds a recording rule for a domain, an application or a stream. A rule holds for pushes that \
              begin after it. Of the rules that match a push the most specific one counts.",
    access: Access::Write,
    parameters: &[
        DOMAIN,
        APP_OR_ANY,
        STREAM_OR_ANY,
        Parameter::required("OssBucket", Kind::Bucket, "Bucket of the recordings.")
            .or(faults::INVALID_OSS_BUCKET_MALFORMED),
        ENDPOINT,
        ON_DEMAND,
        DELAY,
        START,
        END,
        Parameter::optional(
            "RecordFormat",
            Kind::Objects { fields: FORMAT_FIELDS, max: MAX_FORMATS },
            "What is made of the stream, one item a format. This or TranscodeRecordFormat has to be given.",
        ),
        Parameter::optional(
            "TranscodeRecordFormat",
            Kind::Objects { fields: FORMAT_FIELDS, max: MAX_FORMATS },
            "The same for transcoded streams. Kept and shown; there are no transcoded streams to record.",
        ),
        TEMPLATES,
    ],
    answer: &[],
    faults: &[
        faults::MISSING_RECORD_FORMAT,
        faults::CONFIG_ALREADY_EXISTS,
        faults::INVALID_OSS_BUCKET_NOT_FOUND,
    ],
};

pub(super) const UPDATE: Action = Action {
    name: "UpdateLiveAppRecordConfig",
    summary: "Changes a recording rule; what is not given stays. Bucket and object names cannot be changed. A \
              list that is given replaces the formats; a format that the rule has already keeps its names.",
    access: Access::Write,
    parameters: &[
        DOMAIN,
        APP_OR_ANY,
        STREAM_OR_ANY,
        ENDPOINT,
        Parameter { presence: crate::Presence::Optional, ..ON_DEMAND },
        Parameter { presence: crate::Presence::Optional, ..DELAY },
        START,
        END,
        Parameter::optional(
            "RecordFormat",
            Kind::Objects { fields: CHANGED_FORMAT_FIELDS, max: MAX_FORMATS },
            "What is made of the stream, one item a format.",
        ),
        Parameter::optional(
            "TranscodeRecordFormat",
            Kind::Objects { fields: CHANGED_FORMAT_FIELDS, max: MAX_FORMATS },
            "The same for transcoded streams.",
        ),
        TEMPLATES,
    ],
    answer: &[],
    faults: &[faults::INVALID_CONFIG_NOT_FOUND, faults::INVALID_OSS_BUCKET_NOT_FOUND],
};

pub(super) const DELETE: Action = Action {
    name: "DeleteLiveAppRecordConfig",
    summary: "Removes the recording rule of exactly these names.",
    access: Access::Write,
    parameters: &[DOMAIN, APP_OR_ANY, STREAM_OR_ANY],
    answer: &[],
    faults: &[faults::INVALID_CONFIG_NOT_FOUND],
};

const FORMAT_LIST: &[Field] = &[Field::new(
    "RecordFormat",
    Shape::List(&Shape::Object(&[
        text("Format", "Container."),
        integer("CycleDuration", "Seconds of a record file."),
        integer("SliceDuration", "Seconds of a slice; 0 unless m3u8."),
        text("OssObjectPrefix", "Object name of a record file, without extension."),
        text("SliceOssObjectPrefix", "Object name of a slice, without extension; empty unless m3u8."),
    ])),
    "One item a format.",
)];

pub(super) const DESCRIBE: Action = Action {
    name: "DescribeLiveRecordConfig",
    summary: "Lists the recording rules of a domain.",
    access: Access::Read,
    parameters: &[
        DOMAIN,
        Parameter::optional(
            "AppName",
            Kind::NameOrAny,
            "Only rules of this application; `*` is the rule of all.",
        ),
        Parameter::optional(
            "StreamName",
            Kind::NameOrAny,
            "Only rules of this stream; `*` is the rule of all.",
        ),
        PAGE_NUM,
        PAGE_SIZE,
        ORDER,
    ],
    answer: &[
        text("Order", "As asked."),
        integer("PageNum", "As asked."),
        integer("PageSize", "As asked, within its range."),
        integer("TotalNum", "Rules that match."),
        integer("TotalPage", "Pages of them."),
        Field::new(
            "LiveAppRecordList",
            Shape::Object(&[Field::new(
                "LiveAppRecord",
                Shape::List(&Shape::Object(&[
                    text("DomainName", "The streaming domain."),
                    text("AppName", "The application."),
                    text("StreamName", "The stream."),
                    text("OssEndpoint", "Endpoint of the bucket."),
                    text("OssBucket", "The bucket."),
                    time("CreateTime", "When the rule was added."),
                    time("StartTime", "Begin of the window; left out where there is none."),
                    time("EndTime", "End of the window; left out where there is none."),
                    integer("OnDemond", "As OnDemand when the rule was added; the original spells it so."),
                    integer("DelayTime", "Seconds."),
                    Field::new("RecordFormatList", Shape::Object(FORMAT_LIST), "What is made of the stream."),
                    Field::new(
                        "TranscodeRecordFormatList",
                        Shape::Object(FORMAT_LIST),
                        "Of transcoded streams.",
                    ),
                    Field::new(
                        "TranscodeTemplates",
                        Shape::Object(&[Field::new("Templates", Shape::List(&Shape::Text), "Their names.")]),
                        "Transcoding templates.",
                    ),
                ])),
                "One item a rule.",
            )]),
            "The rules of the page.",
        ),
    ],
    faults: &[],
};
