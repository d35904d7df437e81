//! What is stored. A change of a type here raises its version: see [`Record`].

use serde::{Deserialize, Serialize};
use store::Record;

/// What a rule is about. [`Triple::ANY`] stands for every application or every stream.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Triple {
    /// The streaming domain; compared without case.
    pub domain: String,
    /// The application.
    pub app: String,
    /// The stream.
    pub stream: String,
}

impl Triple {
    /// Stands for every application, or for every stream.
    pub const ANY: &str = "*";
}

/// A recording rule.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rule {
    /// What the rule is about.
    pub triple: Triple,
    /// Endpoint of the bucket.
    pub oss_endpoint: String,
    /// The bucket.
    pub oss_bucket: String,
    /// Which pushes are recorded.
    pub on_demand: OnDemand,
    /// Longest break that continues a record file, in seconds.
    pub delay_s: u32,
    /// Begin of the one-shot window, Unix seconds.
    pub start_s: Option<u64>,
    /// End of the one-shot window, Unix seconds.
    pub end_s: Option<u64>,
    /// What is made of the stream; each container at most once.
    pub formats: Vec<Format>,
    /// What would be made of transcoded streams: kept and shown, there are none to record.
    pub transcode_formats: Vec<Format>,
    /// Names of transcoding templates: kept and shown.
    pub transcode_templates: Vec<String>,
    /// When the rule was added, Unix seconds.
    pub created_s: u64,
}

/// Which pushes a rule has recorded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OnDemand {
    /// Every push.
    Always,
    /// Those that the domain's on-demand URL says.
    AskUrl,
    /// Those whose push argument `record_config` says so.
    PushArgument,
    /// None, except by command.
    Command,
}

/// One kind of record file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Format {
    /// The container.
    pub container: Container,
    /// Length of a record file in seconds.
    pub cycle_s: u32,
    /// Template of the record file's object name, without extension.
    pub object_prefix: String,
    /// The transport stream slices; for M3U8, and for nothing else.
    pub slices: Option<SliceFormat>,
}

/// The transport stream slices of an M3U8.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SliceFormat {
    /// Target length of a slice in seconds.
    pub length_s: u32,
    /// Template of a slice's object name, without extension.
    pub object_prefix: String,
}

/// Container of a record file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Container {
    /// Transport stream slices under a playlist.
    M3u8,
    /// ISO base media file.
    Mp4,
    /// Flash video.
    Flv,
}

/// Where the callbacks of a domain go.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NotifyConfig {
    /// The streaming domain; compared without case.
    pub domain: String,
    /// Receives events of record files.
    pub notify_url: Option<String>,
    /// Asked at each push that falls under a rule with [`OnDemand::AskUrl`].
    pub on_demand_url: Option<String>,
    /// Whether events of a recording's status are sent, too.
    pub need_status_notify: bool,
    /// Whether callbacks are signed.
    pub notify_req_auth: bool,
    /// The key that callbacks are signed with.
    pub notify_auth_key: Option<String>,
}

/// A stream that nobody may push for a time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Forbidden {
    /// The stream.
    pub stream: Triple,
    /// When it was forbidden, Unix seconds.
    pub since_s: u64,
    /// When it may be pushed again, Unix seconds.
    pub until_s: u64,
}

impl Forbidden {
    /// Whether the stream may still not be pushed.
    #[must_use]
    pub fn holds(&self, now_s: u64) -> bool {
        now_s < self.until_s
    }
}

/// A stored value, and which of its states it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Versioned<T> {
    /// Names this state: every change gives a new number.
    pub version: u64,
    /// The value.
    pub value: T,
}

impl Record for NotifyConfig {
    const VERSION: u32 = 1;
}
