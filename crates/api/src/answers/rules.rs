//! Recording rules.

use ::rules::{Container, Format, Rule};

use crate::answer::{Time, answers};
use crate::paging::Page;
use crate::words::{self, Order};

answers! {
    /// Answer of `DescribeLiveRecordConfig`.
    RuleList {
        /// As asked.
        order: Order,
        /// As asked.
        page_num: u32,
        /// As asked, within its range.
        page_size: u32,
        /// Rules that match.
        total_num: u64,
        /// Pages of them.
        total_page: u64,
        /// The rules of the page.
        live_app_record_list: LiveAppRecordList,
    }

    /// The rules of a page.
    LiveAppRecordList {
        /// One item a rule.
        live_app_record: Vec<LiveAppRecord>,
    }

    /// One rule.
    LiveAppRecord {
        /// The streaming domain.
        domain_name: String,
        /// The application.
        app_name: String,
        /// The stream.
        stream_name: String,
        /// Endpoint of the bucket.
        oss_endpoint: String,
        /// The bucket.
        oss_bucket: String,
        /// When the rule was added.
        create_time: Time,
        /// Begin of the window; left out where there is none.
        start_time: Option<Time>,
        /// End of the window; left out where there is none.
        end_time: Option<Time>,
        /// As OnDemand when the rule was added; the original spells it so.
        on_demond: u32,
        /// Seconds.
        delay_time: u32,
        /// What is made of the stream.
        record_format_list: RecordFormatList,
        /// Of transcoded streams.
        transcode_record_format_list: RecordFormatList,
        /// Transcoding templates.
        transcode_templates: Templates,
    }

    /// The formats of a rule.
    RecordFormatList {
        /// One item a format.
        record_format: Vec<FormatInfo>,
    }

    /// One format.
    FormatInfo {
        /// Container.
        format: Container,
        /// Seconds of a record file.
        cycle_duration: u32,
        /// Seconds of a slice; 0 unless m3u8.
        slice_duration: u32,
        /// Object name of a record file, without extension.
        oss_object_prefix: String,
        /// Object name of a slice, without extension; empty unless m3u8.
        slice_oss_object_prefix: String,
    }

    /// The transcoding templates of a rule.
    Templates {
        /// Their names.
        templates: Vec<String>,
    }
}

impl RuleList {
    /// The answer for a page of rules.
    #[must_use]
    pub fn new(page: Page<Rule>, order: Order) -> Self {
        Self {
            order,
            page_num: page.number,
            page_size: page.size,
            total_num: page.total,
            total_page: page.pages(),
            live_app_record_list: LiveAppRecordList {
                live_app_record: page.entries.into_iter().map(LiveAppRecord::from).collect(),
            },
        }
    }
}

impl From<Rule> for LiveAppRecord {
    fn from(rule: Rule) -> Self {
        Self {
            domain_name: rule.triple.domain,
            app_name: rule.triple.app,
            stream_name: rule.triple.stream,
            oss_endpoint: rule.oss_endpoint,
            oss_bucket: rule.oss_bucket,
            create_time: Time(rule.created_s),
            start_time: rule.start_s.map(Time),
            end_time: rule.end_s.map(Time),
            on_demond: words::on_demand_number(rule.on_demand),
            delay_time: rule.delay_s,
            record_format_list: rule.formats.into(),
            transcode_record_format_list: rule.transcode_formats.into(),
            transcode_templates: Templates { templates: rule.transcode_templates },
        }
    }
}

impl From<Vec<Format>> for RecordFormatList {
    fn from(formats: Vec<Format>) -> Self {
        Self { record_format: formats.into_iter().map(FormatInfo::from).collect() }
    }
}

impl From<Format> for FormatInfo {
    fn from(format: Format) -> Self {
        let slices = format.slices.map(|slices| (slices.length_s, slices.object_prefix));
        let (slice_duration, slice_oss_object_prefix) = slices.unwrap_or_default();
        Self {
            format: format.container,
            cycle_duration: format.cycle_s,
            slice_duration,
            oss_object_prefix: format.object_prefix,
            slice_oss_object_prefix,
        }
    }
}
