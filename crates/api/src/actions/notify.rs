//! Callback configuration, and the record of callbacks sent.

use super::parameters::{APP, DOMAIN, END_TIME, START_TIME, STREAM};
use crate::action::action;
use crate::answers::{NotifyConfigAnswer, NotifyRecords};
use crate::request::Typed;
use crate::words::{Status, StorageType};
use crate::{Outside, Text, faults};

const NOTIFY_URL: Typed<String> = Typed::text(
    "NotifyUrl",
    Text::Url,
    "Receives the events, by POST. This or OnDemandUrl has to be given when a config is added.",
)
.or(faults::INVALID_NOTIFY_URL);

const ON_DEMAND_URL: Typed<String> = Typed::text(
    "OnDemandUrl",
    Text::Url,
    "Asked by GET at each push that falls under a rule with OnDemand 1.",
);

const NEED_STATUS_NOTIFY: Typed<bool> = Typed::boolean(
    "NeedStatusNotify",
    "Whether the start, pause and resumption of recordings are called back too.",
);

const NOTIFY_REQ_AUTH: Typed<bool> = Typed::boolean("NotifyReqAuth", "Whether callbacks are signed.");

const AUTH_KEY: Typed<String> = Typed::text(
    "NotifyAuthKey",
    Text::Alphanumeric(16, 32),
    "Key that callbacks are signed with: 16 to 32 letters and digits. Required with NotifyReqAuth.",
);

action! {
    /// Says where the recording callbacks of a domain go.
    Write AddLiveRecordNotifyConfig {
        domain_name: String = DOMAIN,
        notify_url: Option<String> = NOTIFY_URL.optional(),
        on_demand_url: Option<String> = ON_DEMAND_URL.optional(),
        need_status_notify: bool = NEED_STATUS_NOTIFY.defaults_to("false"),
        notify_req_auth: bool = NOTIFY_REQ_AUTH.defaults_to("false"),
        notify_auth_key: Option<String> = AUTH_KEY.optional(),
    } -> (),
    faults: [
        MISSING_NOTIFY_URL, MISSING_NOTIFY_AUTH_KEY, CONFIG_ALREADY_EXISTS, INVALID_NOTIFY_URL_UNSAFE,
        INVALID_ON_DEMAND_URL_UNSAFE,
    ]
}

action! {
    /// Changes where the recording callbacks of a domain go; what is not given stays.
    Write UpdateLiveRecordNotifyConfig {
        domain_name: String = DOMAIN,
        notify_url: Option<String> = NOTIFY_URL.optional(),
        on_demand_url: Option<String> = ON_DEMAND_URL.optional(),
        need_status_notify: Option<bool> = NEED_STATUS_NOTIFY.meaning("As when added.").optional(),
        notify_req_auth: Option<bool> = NOTIFY_REQ_AUTH.meaning("As when added.").optional(),
        notify_auth_key: Option<String> = AUTH_KEY
            .meaning(
                "Key that callbacks are signed with: 16 to 32 letters and digits. Required with NotifyReqAuth where the \
                 config has none.",
            )
            .optional(),
    } -> (),
    faults: [
        MISSING_NOTIFY_AUTH_KEY, INVALID_CONFIG_NOT_FOUND, INVALID_NOTIFY_URL_UNSAFE,
        INVALID_ON_DEMAND_URL_UNSAFE,
    ]
}

action! {
    /// Ends the recording callbacks of a domain.
    Write DeleteLiveRecordNotifyConfig {
        domain_name: String = DOMAIN,
    } -> (),
    faults: [INVALID_CONFIG_NOT_FOUND]
}

action! {
    /// Shows where the recording callbacks of a domain go.
    Read DescribeLiveRecordNotifyConfig {
        domain_name: String = DOMAIN,
    } -> NotifyConfigAnswer,
    faults: [INVALID_CONFIG_NOT_FOUND]
}

action! {
    /// Lists the recording callbacks that were sent: of a range with more than 10,000, the last ones.
    Read DescribeLiveRecordNotifyRecords {
        domain_name: String = DOMAIN,
        app_name: Option<String> = APP.meaning("Only callbacks of this application.").optional(),
        stream_name: Option<String> = STREAM.meaning("Only callbacks of this stream.").optional(),
        start_time: u64 = START_TIME,
        end_time: u64 = END_TIME.meaning("End of the range, after StartTime."),
        page_number: u32 =
            Typed::integer("PageNumber", (1, 100_000), Outside::Clamped, "Number of the page, from 1.")
                .defaults_to("1"),
        page_size: u32 =
            Typed::integer("PageSize", (1, 500), Outside::Clamped, "Entries a page.").defaults_to("20"),
        status: Option<Status> = Typed::<Status>::choice("Status", "Only callbacks of this outcome.").optional(),
        storage_type: StorageType =
            Typed::<StorageType>::choice("StorageType", "Only recordings stored so; there are no recordings in `vod`.")
                .defaults_to("all"),
    } -> NotifyRecords,
    faults: [INVALID_END_TIME_MISMATCH]
}
