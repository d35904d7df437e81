//! Requests, typed.
//!
//! Each struct has the fields of its action's parameters; the table has checked them before.

use serde::Deserialize;
use serde_json::Value;

use rules::{Container, OnDemand};

use crate::{Action, ApiError, Incoming, faults, rule};

macro_rules! calls {
    ($($(#[$doc:meta])* $name:ident $fields:tt)*) => {
        /// A request of one action, typed.
        #[derive(Clone, Debug, PartialEq)]
        #[expect(missing_docs, reason = "each variant is the request of its name")]
        pub enum Call {
            $($name($name)),*
        }

        $(
            $(#[$doc])*
            #[derive(Clone, Debug, PartialEq, Deserialize)]
            #[serde(rename_all = "PascalCase")]
            #[expect(missing_docs, reason = "the table of actions documents each field")]
            pub struct $name $fields
        )*

        fn typed(action: &Action, values: Value) -> Option<Call> {
            match action.name {
                $(stringify!($name) => serde_json::from_value(values).ok().map(Call::$name),)*
                _ => None,
            }
        }
    };
}

calls! {
    /// See the action of this name.
    AddLiveAppRecordConfig {
        pub domain_name: String,
        pub app_name: String,
        pub stream_name: String,
        pub oss_bucket: String,
        pub oss_endpoint: String,
        #[serde(deserialize_with = "on_demand")]
        pub on_demand: OnDemand,
        pub delay_time: u32,
        pub start_time: Option<u64>,
        pub end_time: Option<u64>,
        #[serde(default)]
        pub record_format: Vec<RecordFormat>,
        #[serde(default)]
        pub transcode_record_format: Vec<RecordFormat>,
        #[serde(default)]
        pub transcode_templates: Vec<String>,
    }
    /// See the action of this name.
    UpdateLiveAppRecordConfig {
        pub domain_name: String,
        pub app_name: String,
        pub stream_name: String,
        pub oss_endpoint: String,
        #[serde(default, deserialize_with = "maybe_on_demand")]
        pub on_demand: Option<OnDemand>,
        pub delay_time: Option<u32>,
        pub start_time: Option<u64>,
        pub end_time: Option<u64>,
        pub record_format: Option<Vec<RecordFormat>>,
        pub transcode_record_format: Option<Vec<RecordFormat>>,
        pub transcode_templates: Option<Vec<String>>,
    }
    /// See the action of this name.
    DeleteLiveAppRecordConfig {
        pub domain_name: String,
        pub app_name: String,
        pub stream_name: String,
    }
    /// See the action of this name.
    DescribeLiveRecordConfig {
        pub domain_name: String,
        pub app_name: Option<String>,
        pub stream_name: Option<String>,
        pub page_num: u64,
        pub page_size: u64,
        pub order: Order,
    }
    /// See the action of this name.
    AddLiveRecordNotifyConfig {
        pub domain_name: String,
        pub notify_url: Option<String>,
        pub on_demand_url: Option<String>,
        pub need_status_notify: bool,
        pub notify_req_auth: bool,
        pub notify_auth_key: Option<String>,
    }
    /// See the action of this name.
    UpdateLiveRecordNotifyConfig {
        pub domain_name: String,
        pub notify_url: Option<String>,
        pub on_demand_url: Option<String>,
        pub need_status_notify: Option<bool>,
        pub notify_req_auth: Option<bool>,
        pub notify_auth_key: Option<String>,
    }
    /// See the action of this name.
    DeleteLiveRecordNotifyConfig {
        pub domain_name: String,
    }
    /// See the action of this name.
    DescribeLiveRecordNotifyConfig {
        pub domain_name: String,
    }
    /// See the action of this name.
    DescribeLiveRecordNotifyRecords {
        pub domain_name: String,
        pub app_name: Option<String>,
        pub stream_name: Option<String>,
        pub start_time: u64,
        pub end_time: u64,
        pub page_number: u64,
        pub page_size: u64,
        pub status: Option<String>,
        pub storage_type: String,
    }
    /// See the action of this name.
    RealTimeRecordCommand {
        pub domain_name: String,
        pub app_name: String,
        pub stream_name: String,
        pub command: Command,
    }
    /// See the action of this name.
    DescribeLiveStreamsOnlineList {
        pub domain_name: String,
        pub app_name: Option<String>,
        pub stream_name: Option<String>,
        pub query_type: QueryType,
        pub stream_type: StreamType,
        pub only_stream: OnlyStream,
        pub page_num: u64,
        pub page_size: u64,
    }
    /// See the action of this name.
    DescribeLiveStreamState {
        pub domain_name: String,
        pub app_name: String,
        pub stream_name: String,
    }
    /// See the action of this name.
    DescribeLiveStreamRecordContent {
        pub domain_name: String,
        pub app_name: String,
        pub stream_name: String,
        pub start_time: u64,
        pub end_time: u64,
    }
    /// See the action of this name.
    CreateLiveStreamRecordIndexFiles {
        pub domain_name: String,
        pub app_name: String,
        pub stream_name: String,
        pub start_time: u64,
        pub end_time: u64,
        pub oss_bucket: String,
        pub oss_endpoint: String,
        pub oss_object: String,
        pub end_time_included: bool,
    }
    /// See the action of this name.
    DescribeLiveStreamRecordIndexFiles {
        pub domain_name: String,
        pub app_name: String,
        pub stream_name: String,
        pub start_time: u64,
        pub end_time: u64,
        pub page_num: u64,
        pub page_size: u64,
        pub order: Order,
    }
    /// See the action of this name.
    DescribeLiveStreamRecordIndexFile {
        pub domain_name: String,
        pub app_name: String,
        pub stream_name: String,
        pub record_id: String,
    }
    /// See the action of this name.
    DeleteLiveStreamRecordIndexFiles {
        pub domain_name: String,
        pub app_name: String,
        pub stream_name: String,
        pub record_id: Vec<String>,
        pub remove_file: bool,
    }
}

fn on_demand<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<OnDemand, D::Error> {
    let number = u32::deserialize(deserializer)?;
    rule::on_demand(number).ok_or_else(|| serde::de::Error::custom("no such OnDemand"))
}

fn maybe_on_demand<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<OnDemand>, D::Error> {
    on_demand(deserializer).map(Some)
}

impl Call {
    /// Reads and checks the parameters of an action.
    ///
    /// # Errors
    /// The first parameter, in the order of the table, that is absent or wrong.
    pub fn read(action: &Action, incoming: &Incoming) -> Result<Self, ApiError> {
        let values = incoming.values(action)?;
        // The table and the types describe the same; a test reads every action with every parameter.
        typed(action, Value::Object(values)).ok_or_else(|| faults::INTERNAL_ERROR.into())
    }
}

/// One item of `RecordFormat` or `TranscodeRecordFormat`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase")]
#[expect(missing_docs, reason = "the table of actions documents each field")]
pub struct RecordFormat {
    pub format: Container,
    pub cycle_duration: Option<u32>,
    pub slice_duration: Option<u32>,
    pub oss_object_prefix: Option<String>,
    pub slice_oss_object_prefix: Option<String>,
}

macro_rules! words {
    ($($(#[$doc:meta])* $name:ident { $($(#[$case_doc:meta])* $case:ident = $word:literal),* })*) => {
        $(
            $(#[$doc])*
            #[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
            pub enum $name {
                $($(#[$case_doc])* #[serde(rename = $word)] $case),*
            }
        )*
    };
}

words! {
    /// Order of a list, by time of creation.
    Order {
        /// Oldest first.
        Ascending = "asc",
        /// Newest first.
        Descending = "desc"
    }
    /// What to do with a live stream.
    Command {
        /// Record.
        Start = "start",
        /// Pause.
        Stop = "stop",
        /// Write the file of what was stopped, now.
        CancelDelay = "cancel_delay",
        /// Close the current file and begin a new one.
        Restart = "restart"
    }
    /// How a stream's name is compared.
    QueryType {
        /// A part of it suffices.
        Fuzzy = "fuzzy",
        /// All of it.
        Strict = "strict"
    }
    /// Which streams.
    StreamType {
        /// All.
        All = "all",
        /// As they are pushed.
        Raw = "raw",
        /// Transcoded ones.
        Transcoded = "trans"
    }
    /// Whether an online stream is answered in short.
    OnlyStream {
        /// In short.
        Yes = "yes",
        /// In full.
        No = "no"
    }
}
