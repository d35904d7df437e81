//! Callback configuration, and the record of callbacks sent.

use ::rules::NotifyConfig;

use crate::answer::{Time, answers};
use crate::paging::Page;
use crate::words::Status;

answers! {
    /// Answer of `DescribeLiveRecordNotifyConfig`.
    NotifyConfigAnswer {
        /// The config.
        live_record_notify_config: LiveRecordNotifyConfig,
    }

    /// The config of a domain.
    LiveRecordNotifyConfig {
        /// The streaming domain.
        domain_name: String,
        /// Receives the events; left out where there is none.
        notify_url: Option<String>,
        /// Asked on demand; left out where there is none.
        on_demand_url: Option<String>,
        /// Whether status is called back too.
        need_status_notify: bool,
        /// Whether callbacks are signed.
        notify_req_auth: bool,
        /// Key that they are signed with; left out where there is none.
        notify_auth_key: Option<String>,
    }

    /// Answer of `DescribeLiveRecordNotifyRecords`.
    NotifyRecords {
        /// The callbacks of the page, as a plain list.
        callback_list: Vec<Callback>,
        /// As asked.
        page_num: u32,
        /// As asked, within its range.
        page_size: u32,
        /// Callbacks that match.
        total_num: u64,
        /// Pages of them.
        total_page: u64,
        /// 200.
        code: u16,
        /// `OK`.
        msg: &'static str,
    }

    /// One callback that was sent.
    Callback {
        /// The streaming domain.
        domain_name: String,
        /// The application.
        app_name: String,
        /// The stream.
        stream_name: String,
        /// `oss`.
        storage_type: &'static str,
        /// What happened, such as `file_created`.
        notify_type: String,
        /// Where it was sent.
        notify_url: String,
        /// When it was sent.
        notify_time: Time,
        /// Headers that were sent.
        notify_header: String,
        /// Body that was sent.
        notify_content: String,
        /// What was answered.
        notify_response: String,
        /// `success` or `failed`.
        notify_result: Status,
        /// `success`, or what failed.
        description: String,
    }
}

impl From<NotifyConfig> for NotifyConfigAnswer {
    fn from(config: NotifyConfig) -> Self {
        Self {
            live_record_notify_config: LiveRecordNotifyConfig {
                domain_name: config.domain,
                notify_url: config.notify_url,
                on_demand_url: config.on_demand_url,
                need_status_notify: config.need_status_notify,
                notify_req_auth: config.notify_req_auth,
                notify_auth_key: config.notify_auth_key,
            },
        }
    }
}

impl NotifyRecords {
    /// The answer for a page of callbacks.
    #[must_use]
    pub fn new(page: Page<Callback>) -> Self {
        Self {
            page_num: page.number,
            page_size: page.size,
            total_num: page.total,
            total_page: page.pages(),
            callback_list: page.entries,
            code: 200,
            msg: "OK",
        }
    }
}
