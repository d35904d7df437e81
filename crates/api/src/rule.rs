//! Recording rules: what a request makes of one, and what an update changes.

use naming::{DEFAULT_RECORD_FILE, DEFAULT_SLICE};
use serde::{Deserialize, Serialize};

use crate::{
    ApiError,
    calls::{AddLiveAppRecordConfig, RecordFormat, UpdateLiveAppRecordConfig},
    faults,
};

/// Stands for every application, or for every stream.
pub const ANY: &str = "*";

/// Longest recording window in seconds: 7 days.
const MAX_WINDOW_S: u64 = 7 * 24 * 3600;

/// Length of a transport stream slice where a rule says none, in seconds.
const DEFAULT_SLICE_S: u32 = 30;

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

impl Container {
    /// Length of a record file where a rule says none, in seconds.
    fn default_cycle_s(self) -> u32 {
        match self {
            Self::M3u8 => 21_600,
            Self::Mp4 | Self::Flv => 3_600,
        }
    }
}

/// One kind of record file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RuleFormat {
    /// Its container.
    pub container: Container,
    /// Length of a record file in seconds.
    pub cycle_s: u32,
    /// Length of a slice in seconds; 0 unless m3u8.
    pub slice_s: u32,
    /// Template of the record file's object name.
    pub object_prefix: String,
    /// Template of a slice's object name; empty unless m3u8.
    pub slice_object_prefix: String,
}

/// A recording rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    /// The streaming domain.
    pub domain: String,
    /// The application, or [`ANY`].
    pub app: String,
    /// The stream, or [`ANY`].
    pub stream: String,
    /// Endpoint of the bucket.
    pub oss_endpoint: String,
    /// The bucket.
    pub oss_bucket: String,
    /// 0, 1, 2 or 7.
    pub on_demand: u32,
    /// Longest break that continues a record file, in seconds.
    pub delay_s: u32,
    /// Begin of the window, Unix seconds.
    pub start_s: Option<u64>,
    /// End of the window, Unix seconds.
    pub end_s: Option<u64>,
    /// What is made of the stream.
    pub formats: Vec<RuleFormat>,
    /// What would be made of transcoded streams.
    pub transcode_formats: Vec<RuleFormat>,
    /// Transcoding templates.
    pub transcode_templates: Vec<String>,
    /// When the rule was added, Unix seconds.
    pub created_s: u64,
}

impl Rule {
    /// The rule that a request adds at a moment (Unix seconds).
    ///
    /// # Errors
    /// No format at all, a format that comes twice, a window that ends before it begins.
    pub fn new(call: AddLiveAppRecordConfig, now_s: u64) -> Result<Self, ApiError> {
        if call.record_format.is_empty() && call.transcode_record_format.is_empty() {
            return Err(faults::MISSING_RECORD_FORMAT.into());
        }
        let mut rule = Self {
            domain: call.domain_name,
            app: call.app_name,
            stream: call.stream_name,
            oss_endpoint: call.oss_endpoint,
            oss_bucket: call.oss_bucket,
            on_demand: call.on_demand,
            delay_s: call.delay_time,
            start_s: call.start_time,
            end_s: call.end_time,
            formats: formats(call.record_format, &[])?,
            transcode_formats: formats(call.transcode_record_format, &[])?,
            transcode_templates: call.transcode_templates,
            created_s: now_s,
        };
        rule.check_window()?;
        Ok(rule)
    }

    /// The rule as an update leaves it; what the update does not say stays.
    ///
    /// # Errors
    /// A format that comes twice, a window that ends before it begins.
    pub fn updated(mut self, call: UpdateLiveAppRecordConfig) -> Result<Self, ApiError> {
        self.oss_endpoint = call.oss_endpoint;
        self.on_demand = call.on_demand.unwrap_or(self.on_demand);
        self.delay_s = call.delay_time.unwrap_or(self.delay_s);
        self.start_s = call.start_time.or(self.start_s);
        self.end_s = call.end_time.or(self.end_s);
        if let Some(given) = call.record_format {
            self.formats = formats(given, &self.formats)?;
        }
        if let Some(given) = call.transcode_record_format {
            self.transcode_formats = formats(given, &self.transcode_formats)?;
        }
        self.transcode_templates = call.transcode_templates.unwrap_or(self.transcode_templates);
        self.check_window()?;
        Ok(self)
    }

    fn check_window(&mut self) -> Result<(), ApiError> {
        if self.app == ANY || self.stream == ANY {
            // A window works only on a rule of one stream; it is not kept where it does nothing.
            (self.start_s, self.end_s) = (None, None);
        }
        if let (Some(start_s), Some(end_s)) = (self.start_s, self.end_s) {
            if end_s <= start_s {
                return Err(faults::INVALID_END_TIME.into());
            }
            self.end_s = Some(end_s.min(start_s + MAX_WINDOW_S));
        }
        Ok(())
    }
}

/// The formats of a request; what one does not say comes from the format of the same container before, or from
/// the defaults.
fn formats(given: Vec<RecordFormat>, before: &[RuleFormat]) -> Result<Vec<RuleFormat>, ApiError> {
    let mut formats: Vec<RuleFormat> = Vec::new();
    for format in given {
        let container = format.format;
        if formats.iter().any(|other| other.container == container) {
            return Err(faults::INVALID_FORMAT.into());
        }
        let base = before.iter().find(|other| other.container == container).cloned();
        let base = base.unwrap_or_else(|| RuleFormat {
            container,
            cycle_s: container.default_cycle_s(),
            slice_s: DEFAULT_SLICE_S,
            object_prefix: DEFAULT_RECORD_FILE.into(),
            slice_object_prefix: DEFAULT_SLICE.into(),
        });
        let sliced = container == Container::M3u8;
        formats.push(RuleFormat {
            container,
            cycle_s: format.cycle_duration.unwrap_or(base.cycle_s),
            slice_s: if sliced { format.slice_duration.unwrap_or(base.slice_s) } else { 0 },
            object_prefix: format.oss_object_prefix.unwrap_or(base.object_prefix),
            slice_object_prefix: if sliced {
                format.slice_oss_object_prefix.unwrap_or(base.slice_object_prefix)
            } else {
                String::new()
            },
        });
    }
    Ok(formats)
}

#[cfg(test)]
mod tests;
