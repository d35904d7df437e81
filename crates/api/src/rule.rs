//! Recording rules: what a request makes of one, and what an update changes.

use naming::{DEFAULT_RECORD_FILE, DEFAULT_SLICE};
use rules::{Container, Format, Rule, SliceFormat, Triple};

use crate::actions::rules::{
    AddLiveAppRecordConfig, ChangedRecordFormat, RecordFormat, UpdateLiveAppRecordConfig,
};
use crate::{ApiError, faults};

/// Longest recording window in seconds: 7 days.
const MAX_WINDOW_S: u64 = 7 * 24 * 3600;

/// Length of a transport stream slice where a rule says none, in seconds.
const DEFAULT_SLICE_S: u32 = 30;

/// Length of a record file where a rule says none, in seconds.
fn default_cycle_s(container: Container) -> u32 {
    match container {
        Container::M3u8 => 21_600,
        Container::Mp4 | Container::Flv => 3_600,
    }
}

/// The rule that a request adds at a moment (Unix seconds).
///
/// # Errors
/// No format at all, a format that comes twice, a window that ends before it begins.
pub fn added(call: AddLiveAppRecordConfig, now_s: u64) -> Result<Rule, ApiError> {
    if call.record_format.is_none() && call.transcode_record_format.is_none() {
        return Err(faults::MISSING_RECORD_FORMAT.into());
    }
    with_window(Rule {
        triple: Triple { domain: call.domain_name, app: call.app_name, stream: call.stream_name },
        oss_endpoint: call.oss_endpoint,
        oss_bucket: call.oss_bucket,
        on_demand: call.on_demand,
        delay_s: call.delay_time,
        start_s: call.start_time,
        end_s: call.end_time,
        formats: formats(call.record_format.unwrap_or_default(), &[])?,
        transcode_formats: formats(call.transcode_record_format.unwrap_or_default(), &[])?,
        transcode_templates: call.transcode_templates.unwrap_or_default(),
        created_s: now_s,
    })
}

/// A rule as an update leaves it; what the update does not say stays.
///
/// # Errors
/// A format that comes twice, a window that ends before it begins.
pub fn updated(mut rule: Rule, call: UpdateLiveAppRecordConfig) -> Result<Rule, ApiError> {
    rule.oss_endpoint = call.oss_endpoint;
    rule.on_demand = call.on_demand.unwrap_or(rule.on_demand);
    rule.delay_s = call.delay_time.unwrap_or(rule.delay_s);
    rule.start_s = call.start_time.or(rule.start_s);
    rule.end_s = call.end_time.or(rule.end_s);
    if let Some(given) = call.record_format {
        rule.formats = formats(given.into_iter().map(RecordFormat::from).collect(), &rule.formats)?;
    }
    if let Some(given) = call.transcode_record_format {
        let given = given.into_iter().map(RecordFormat::from).collect();
        rule.transcode_formats = formats(given, &rule.transcode_formats)?;
    }
    rule.transcode_templates = call.transcode_templates.unwrap_or(rule.transcode_templates);
    with_window(rule)
}

/// The rule with a window that is kept only where it works, and cut to its greatest length.
fn with_window(mut rule: Rule) -> Result<Rule, ApiError> {
    if rule.triple.app == Triple::ANY || rule.triple.stream == Triple::ANY {
        // A window works only on a rule of one stream.
        (rule.start_s, rule.end_s) = (None, None);
    }
    if let (Some(start_s), Some(end_s)) = (rule.start_s, rule.end_s) {
        if end_s <= start_s {
            return Err(faults::INVALID_END_TIME.into());
        }
        rule.end_s = Some(end_s.min(start_s + MAX_WINDOW_S));
    }
    Ok(rule)
}

/// An update says nothing of object names.
impl From<ChangedRecordFormat> for RecordFormat {
    fn from(format: ChangedRecordFormat) -> Self {
        let ChangedRecordFormat { format, cycle_duration, slice_duration } = format;
        Self {
            format,
            cycle_duration,
            slice_duration,
            oss_object_prefix: None,
            slice_oss_object_prefix: None,
        }
    }
}

/// The formats of a request; what one does not say comes from the format of the same container before, or from
/// the defaults.
fn formats(given: Vec<RecordFormat>, before: &[Format]) -> Result<Vec<Format>, ApiError> {
    let mut formats: Vec<Format> = Vec::new();
    for given in given {
        let container = given.format;
        if formats.iter().any(|other| other.container == container) {
            return Err(faults::INVALID_FORMAT.into());
        }
        let before = before.iter().find(|other| other.container == container);
        let mut format = before.cloned().unwrap_or_else(|| Format {
            container,
            cycle_s: default_cycle_s(container),
            object_prefix: DEFAULT_RECORD_FILE.into(),
            slices: (container == Container::M3u8)
                .then(|| SliceFormat { length_s: DEFAULT_SLICE_S, object_prefix: DEFAULT_SLICE.into() }),
        });
        format.cycle_s = given.cycle_duration.unwrap_or(format.cycle_s);
        format.object_prefix = given.oss_object_prefix.unwrap_or(format.object_prefix);
        if let Some(slices) = &mut format.slices {
            slices.length_s = given.slice_duration.unwrap_or(slices.length_s);
            slices.object_prefix =
                given.slice_oss_object_prefix.unwrap_or_else(|| std::mem::take(&mut slices.object_prefix));
        }
        formats.push(format);
    }
    Ok(formats)
}

#[cfg(test)]
mod tests;
