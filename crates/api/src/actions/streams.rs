//! Streams that are being pushed, the command to record one, and those that may not be pushed.

use super::parameters::{APP, APP_OR_ANY, DOMAIN, PAGE_NUM, STREAM};
use crate::action::action;
use crate::answers::{BlockList, OnlineList, StreamState};
use crate::request::Typed;
use crate::words::{Command, LiveStreamType, Oneshot, OnlyStream, QueryType, StreamType};
use crate::{Outside, Text, faults};

const LIVE_STREAM_TYPE: Typed<LiveStreamType> =
    Typed::choice("LiveStreamType", "`publisher`: who pushes it.");
const LONG_PAGE_SIZE: Typed<u32> =
    Typed::integer("PageSize", (1, 3000), Outside::Clamped, "Entries a page.").defaults_to("2000");

action! {
    /// Starts or stops the recording of a stream that is being pushed and that a recording rule matches. What was
    /// started so ends when the stream breaks.
    Write RealTimeRecordCommand {
        domain_name: String = DOMAIN,
        app_name: String = APP,
        stream_name: String = STREAM,
        command: Command = Typed::<Command>::choice(
            "Command",
            "`start`: record. `stop`: pause; the record file appears after the break delay. `cancel_delay`, after \
             a stop: write the file now. `restart`, also after a stop: close the current file at once and begin a \
             new one.",
        ),
    } -> (),
    faults: [
        INVALID_DOMAIN_NOT_FOUND, INVALID_STREAM_NOT_FOUND, INVALID_CONFIG_NOT_FOUND, TASK_ALREADY_STARTED,
        TASK_NOT_STARTED,
    ]
}

action! {
    /// Lists the streams of a domain that are being pushed.
    Read DescribeLiveStreamsOnlineList {
        domain_name: String = DOMAIN,
        app_name: Option<String> = APP.meaning("Only streams of this application.").optional(),
        stream_name: Option<String> =
            Typed::text("StreamName", Text::Any(255), "Only streams of this name; see QueryType.").optional(),
        query_type: QueryType = Typed::<QueryType>::choice(
            "QueryType",
            "Whether StreamName may be a part of the name (`fuzzy`) or is all of it (`strict`).",
        )
        .defaults_to("fuzzy"),
        stream_type: StreamType =
            Typed::<StreamType>::choice("StreamType", "`trans`: only transcoded streams, of which there are none.")
                .defaults_to("all"),
        only_stream: OnlyStream =
            Typed::<OnlyStream>::choice("OnlyStream", "`yes`: answer only the names and PublishTime.").defaults_to("no"),
        page_num: u32 = PAGE_NUM,
        page_size: u32 = LONG_PAGE_SIZE,
    } -> OnlineList,
    faults: []
}

action! {
    /// Tells whether a stream is being pushed.
    Read DescribeLiveStreamState {
        domain_name: String = DOMAIN,
        app_name: String = APP,
        stream_name: String = STREAM,
    } -> StreamState,
    faults: []
}

action! {
    /// Forbids a stream: whoever pushes it is disconnected within 2 seconds, and whoever comes is refused, until
    /// ResumeTime or ResumeLiveStream. What was pushed before stays recorded.
    Write ForbidLiveStream {
        domain_name: String = DOMAIN,
        app_name: String = APP,
        stream_name: String = STREAM,
        live_stream_type: LiveStreamType = LIVE_STREAM_TYPE,
        oneshot: Oneshot = Typed::<Oneshot>::choice(
            "Oneshot",
            "`yes`: only disconnect whoever pushes it now; it may be pushed again at once. `no`: forbid it.",
        )
        .defaults_to("no"),
        resume_time: Option<u64> = Typed::time(
            "ResumeTime",
            "From when it may be pushed again: after now; by default 180 days from now. Without meaning where Oneshot \
             is `yes`.",
        )
        .or(faults::INVALID_RESUME_TIME)
        .optional(),
    } -> (),
    faults: [CONFIG_ALREADY_EXISTS]
}

action! {
    /// Lets a stream be pushed again, whether it was forbidden or not.
    Write ResumeLiveStream {
        domain_name: String = DOMAIN,
        app_name: String = APP_OR_ANY,
        stream_name: String = STREAM,
        live_stream_type: LiveStreamType = LIVE_STREAM_TYPE,
    } -> (),
    faults: []
}

action! {
    /// Lists the streams of a domain that are forbidden.
    Read DescribeLiveStreamsBlockList {
        domain_name: String = DOMAIN,
        page_num: u32 = PAGE_NUM,
        page_size: u32 = LONG_PAGE_SIZE,
    } -> BlockList,
    faults: []
}
