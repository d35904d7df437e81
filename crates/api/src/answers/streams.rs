//! Streams that are being pushed, and those that may not be.

use crate::answer::{Time, answers};
use crate::paging::Page;

answers! {
    /// Answer of `DescribeLiveStreamsOnlineList`.
    OnlineList {
        /// As asked.
        page_num: u32,
        /// As asked, within its range.
        page_size: u32,
        /// Streams that match.
        total_num: u64,
        /// Pages of them.
        total_page: u64,
        /// The streams of the page.
        online_info: OnlineInfo,
    }

    /// The streams of a page.
    OnlineInfo {
        /// One item a stream.
        live_stream_online_info: Vec<LiveStreamOnlineInfo>,
    }

    /// One stream that is being pushed. A short answer has the first four fields alone.
    LiveStreamOnlineInfo {
        /// The streaming domain.
        domain_name: String,
        /// The application.
        app_name: String,
        /// The stream.
        stream_name: String,
        /// When the push began.
        publish_time: Time,
        /// What is pushed to, without arguments.
        publish_url: Option<String>,
        /// The domain that is pushed to.
        publish_domain: Option<String>,
        /// `edge`: pushed by RTMP.
        publish_type: Option<&'static str>,
        /// Address of the publisher.
        client_ip: Option<String>,
        /// Name of the gateway.
        server_ip: Option<String>,
        /// `no`.
        transcoded: Option<&'static str>,
        /// kbit/s, if known.
        video_data_rate: Option<u32>,
        /// 7: H.264, 12: HEVC, 9: MPEG-4; as FLV numbers them, if known.
        video_codec_id: Option<u32>,
        /// 10: AAC, 2: MP3; as FLV numbers them, if known.
        audio_codec_id: Option<u32>,
    }

    /// Answer of `DescribeLiveStreamState`.
    StreamState {
        /// `online` or `offline`.
        stream_state: &'static str,
        /// `push`.
        r#type: &'static str,
    }

    /// Answer of `DescribeLiveStreamsBlockList`.
    BlockList {
        /// As asked.
        domain_name: String,
        /// As asked.
        page_num: u32,
        /// As asked, within its range.
        page_size: u32,
        /// Streams that are forbidden.
        total_num: u64,
        /// Pages of them.
        total_page: u64,
        /// The streams of the page, in the order in which they were forbidden.
        stream_urls: StreamUrls,
    }

    /// The streams of a page.
    StreamUrls {
        /// `domain/app/stream`, one a stream.
        stream_url: Vec<String>,
    }
}

impl OnlineList {
    /// The answer for a page of streams.
    #[must_use]
    pub fn new(page: Page<LiveStreamOnlineInfo>) -> Self {
        Self {
            page_num: page.number,
            page_size: page.size,
            total_num: page.total,
            total_page: page.pages(),
            online_info: OnlineInfo { live_stream_online_info: page.entries },
        }
    }
}

impl BlockList {
    /// The answer for a page of a domain's forbidden streams.
    #[must_use]
    pub fn new(domain_name: String, page: Page<String>) -> Self {
        Self {
            domain_name,
            page_num: page.number,
            page_size: page.size,
            total_num: page.total,
            total_page: page.pages(),
            stream_urls: StreamUrls { stream_url: page.entries },
        }
    }
}

impl StreamState {
    /// The answer for a stream that is being pushed, or is not.
    #[must_use]
    pub fn new(online: bool) -> Self {
        Self { stream_state: if online { "online" } else { "offline" }, r#type: "push" }
    }
}
