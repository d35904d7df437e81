//! Streams that are being pushed, and the command to record one.

use super::{APP, DOMAIN, PAGE_NUM, STREAM, integer, text, time};
use crate::{Access, Action, Field, Kind, Outside, Parameter, Shape, faults};

pub(super) const COMMAND: Action = Action {
    name: "RealTimeRecordCommand",
    summary: "Starts or stops the recording of a stream that is being pushed and that a recording rule matches. \
              What was started so ends when the stream breaks.",
    access: Access::Write,
    parameters: &[
        DOMAIN,
        APP,
        STREAM,
        Parameter::required(
            "Command",
            Kind::Choice(&["start", "stop", "cancel_delay", "restart"]),
            "`start`: record. `stop`: pause; the record file appears after the break delay. `cancel_delay`, after \
             a stop: write the file now. `restart`: close the current file at once and begin a new one.",
        ),
    ],
    answer: &[],
    faults: &[
        faults::INVALID_DOMAIN_NOT_FOUND,
        faults::INVALID_STREAM_NOT_FOUND,
        faults::INVALID_CONFIG_NOT_FOUND,
        faults::TASK_ALREADY_STARTED,
        faults::TASK_NOT_STARTED,
    ],
};

pub(super) const ONLINE_LIST: Action = Action {
    name: "DescribeLiveStreamsOnlineList",
    summary: "Lists the streams of a domain that are being pushed.",
    access: Access::Read,
    parameters: &[
        DOMAIN,
        Parameter::optional("AppName", Kind::Name, "Only streams of this application."),
        Parameter::optional("StreamName", Kind::Text(255), "Only streams of this name; see QueryType."),
        Parameter::with_default(
            "QueryType",
            Kind::Choice(&["fuzzy", "strict"]),
            "fuzzy",
            "Whether StreamName may be a part of the name (`fuzzy`) or is all of it (`strict`).",
        ),
        Parameter::with_default(
            "StreamType",
            Kind::Choice(&["all", "raw", "trans"]),
            "all",
            "`trans`: only transcoded streams, of which there are none.",
        ),
        Parameter::with_default(
            "OnlyStream",
            Kind::Choice(&["yes", "no"]),
            "no",
            "`yes`: answer only the names and PublishTime.",
        ),
        PAGE_NUM,
        Parameter::with_default(
            "PageSize",
            Kind::Integer { min: 1, max: 3000, outside: Outside::Clamped },
            "2000",
            "Entries a page.",
        ),
    ],
    answer: &[
        integer("PageNum", "As asked."),
        integer("PageSize", "As asked, within its range."),
        integer("TotalNum", "Streams that match."),
        integer("TotalPage", "Pages of them."),
        Field::new(
            "OnlineInfo",
            Shape::Object(&[Field::new(
                "LiveStreamOnlineInfo",
                Shape::List(&Shape::Object(&[
                    text("DomainName", "The streaming domain."),
                    text("AppName", "The application."),
                    text("StreamName", "The stream."),
                    time("PublishTime", "When the push began."),
                    text("PublishUrl", "What is pushed to, without arguments."),
                    text("PublishDomain", "The domain that is pushed to."),
                    text("PublishType", "`edge`: pushed by RTMP."),
                    text("ClientIp", "Address of the publisher."),
                    text("ServerIp", "Name of the gateway."),
                    text("Transcoded", "`no`."),
                    integer("VideoDataRate", "kbit/s, if known."),
                    integer("VideoCodecId", "7: H.264, 12: HEVC, 2: MPEG-4; as FLV numbers them, if known."),
                    integer("AudioCodecId", "10: AAC, 2: MP3; as FLV numbers them, if known."),
                ])),
                "One item a stream.",
            )]),
            "The streams of the page.",
        ),
    ],
    faults: &[],
};

pub(super) const STATE: Action = Action {
    name: "DescribeLiveStreamState",
    summary: "Tells whether a stream is being pushed.",
    access: Access::Read,
    parameters: &[DOMAIN, APP, STREAM],
    answer: &[text("StreamState", "`online` or `offline`."), text("Type", "`push`.")],
    faults: &[],
};
