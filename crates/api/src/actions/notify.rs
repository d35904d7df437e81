//! Callback configuration, and the record of callbacks sent.

use super::{DOMAIN, END_TIME, START_TIME, integer, text, time};
use crate::{Access, Action, Field, Kind, Outside, Parameter, Shape, faults};

const NOTIFY_URL: Parameter = Parameter::optional(
    "NotifyUrl",
    Kind::Url,
    "Receives the events, by POST. This or OnDemandUrl has to be given when a config is added.",
)
.or(faults::INVALID_NOTIFY_URL);

const ON_DEMAND_URL: Parameter = Parameter::optional(
    "OnDemandUrl",
    Kind::Url,
    "Asked by GET at each push that falls under a rule with OnDemand 1.",
);

const AUTH_KEY: Parameter = Parameter::optional(
    "NotifyAuthKey",
    Kind::Alphanumeric(16, 32),
    "Key that callbacks are signed with: 16 to 32 letters and digits. Required with NotifyReqAuth.",
);

pub(super) const ADD: Action = Action {
    name: "AddLiveRecordNotifyConfig",
    summary: "Says where the recording callbacks of a domain go.",
    access: Access::Write,
    parameters: &[
        DOMAIN,
        NOTIFY_URL,
        ON_DEMAND_URL,
        Parameter::with_default(
            "NeedStatusNotify",
            Kind::Boolean,
            "false",
            "Whether the start, pause and resumption of recordings are called back too.",
        ),
        Parameter::with_default("NotifyReqAuth", Kind::Boolean, "false", "Whether callbacks are signed."),
        AUTH_KEY,
    ],
    answer: &[],
    faults: &[
        faults::MISSING_NOTIFY_URL,
        faults::MISSING_NOTIFY_AUTH_KEY,
        faults::CONFIG_ALREADY_EXISTS,
        faults::INVALID_NOTIFY_URL_UNSAFE,
        faults::INVALID_ON_DEMAND_URL_UNSAFE,
    ],
};

pub(super) const UPDATE: Action = Action {
    name: "UpdateLiveRecordNotifyConfig",
    summary: "Changes where the recording callbacks of a domain go; what is not given stays.",
    access: Access::Write,
    parameters: &[
        DOMAIN,
        NOTIFY_URL,
        ON_DEMAND_URL,
        Parameter::optional("NeedStatusNotify", Kind::Boolean, "As when added."),
        Parameter::optional("NotifyReqAuth", Kind::Boolean, "As when added."),
        AUTH_KEY,
    ],
    answer: &[],
    faults: &[
        faults::MISSING_NOTIFY_AUTH_KEY,
        faults::INVALID_CONFIG_NOT_FOUND,
        faults::INVALID_NOTIFY_URL_UNSAFE,
        faults::INVALID_ON_DEMAND_URL_UNSAFE,
    ],
};

pub(super) const DELETE: Action = Action {
    name: "DeleteLiveRecordNotifyConfig",
    summary: "Ends the recording callbacks of a domain.",
    access: Access::Write,
    parameters: &[DOMAIN],
    answer: &[],
    faults: &[faults::INVALID_CONFIG_NOT_FOUND],
};

pub(super) const DESCRIBE: Action = Action {
    name: "DescribeLiveRecordNotifyConfig",
    summary: "Shows where the recording callbacks of a domain go.",
    access: Access::Read,
    parameters: &[DOMAIN],
    answer: &[Field::new(
        "LiveRecordNotifyConfig",
        Shape::Object(&[
            text("DomainName", "The streaming domain."),
            text("NotifyUrl", "Receives the events; left out where there is none."),
            text("OnDemandUrl", "Asked on demand; left out where there is none."),
            Field::new("NeedStatusNotify", Shape::Boolean, "Whether status is called back too."),
            Field::new("NotifyReqAuth", Shape::Boolean, "Whether callbacks are signed."),
            text("NotifyAuthKey", "Key that they are signed with; left out where there is none."),
        ]),
        "The config.",
    )],
    faults: &[faults::INVALID_CONFIG_NOT_FOUND],
};

pub(super) const RECORDS: Action = Action {
    name: "DescribeLiveRecordNotifyRecords",
    summary: "Lists the recording callbacks that were sent.",
    access: Access::Read,
    parameters: &[
        DOMAIN,
        Parameter::optional("AppName", Kind::Name, "Only callbacks of this application."),
        Parameter::optional("StreamName", Kind::Name, "Only callbacks of this stream."),
        START_TIME,
        Parameter { summary: "End of the range, after StartTime.", ..END_TIME },
        Parameter::with_default(
            "PageNumber",
            Kind::Integer { min: 1, max: 100_000, outside: Outside::Clamped },
            "1",
            "Number of the page, from 1.",
        ),
        Parameter::with_default(
            "PageSize",
            Kind::Integer { min: 1, max: 500, outside: Outside::Clamped },
            "20",
            "Entries a page.",
        ),
        Parameter::optional(
            "Status",
            Kind::Choice(&["success", "failed"]),
            "Only callbacks of this outcome.",
        ),
        Parameter::with_default(
            "StorageType",
            Kind::Choice(&["oss", "vod", "all"]),
            "all",
            "Only recordings stored so; there are no recordings in `vod`.",
        ),
    ],
    answer: &[
        Field::new(
            "CallbackList",
            Shape::List(&Shape::Object(&[
                text("DomainName", "The streaming domain."),
                text("AppName", "The application."),
                text("StreamName", "The stream."),
                text("StorageType", "`oss`."),
                text("NotifyType", "What happened, such as `file_created`."),
                text("NotifyUrl", "Where it was sent."),
                time("NotifyTime", "When it was sent."),
                text("NotifyHeader", "Headers that were sent."),
                text("NotifyContent", "Body that was sent."),
                text("NotifyResponse", "What was answered."),
                text("NotifyResult", "`success` or `failed`."),
                text("Description", "`success`, or what failed."),
            ])),
            "The callbacks of the page, as a plain list.",
        ),
        integer("PageNum", "As asked."),
        integer("PageSize", "As asked, within its range."),
        integer("TotalNum", "Callbacks that match."),
        integer("TotalPage", "Pages of them."),
        integer("Code", "200."),
        text("Msg", "`OK`."),
    ],
    faults: &[faults::INVALID_END_TIME_MISMATCH],
};
