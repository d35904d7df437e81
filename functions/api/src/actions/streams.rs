//! Streams that are being pushed, and the command to record one.

use api::{
    ApiError,
    answers::{Done, LiveStreamOnlineInfo, OnlineDetails, OnlineList, StreamState},
    calls::{
        Command, DescribeLiveStreamState, DescribeLiveStreamsOnlineList, OnlyStream, Order, QueryType,
        RealTimeRecordCommand, StreamType,
    },
    faults,
    paging::Page,
};

use crate::{
    backend::Backend,
    bindings::recorder::catalog::catalog::{self, Error, Session},
    convert::stream,
};

pub(super) async fn command(backend: &impl Backend, call: RealTimeRecordCommand) -> Result<Done, ApiError> {
    let what = match call.command {
        Command::Start => catalog::Command::Start,
        Command::Stop => catalog::Command::Stop,
        Command::CancelDelay => catalog::Command::CancelDelay,
        Command::Restart => catalog::Command::Restart,
    };
    let name = stream(call.domain_name.clone(), call.app_name, call.stream_name);
    match backend.give_command(name, what).await {
        // Which of the three names leads nowhere: a domain is known by its rules.
        Err(Error::NoSuchStream) if backend.list_rules(&call.domain_name).await?.is_empty() => {
            Err(faults::INVALID_DOMAIN_NOT_FOUND.into())
        }
        outcome => Ok(outcome?),
    }
}

pub(super) async fn state(
    backend: &impl Backend,
    call: DescribeLiveStreamState,
) -> Result<StreamState, ApiError> {
    let name = stream(call.domain_name, call.app_name, call.stream_name);
    Ok(StreamState::new(backend.live_session(name).await?.is_some()))
}

pub(super) async fn online_list(
    backend: &impl Backend,
    call: DescribeLiveStreamsOnlineList,
) -> Result<OnlineList, ApiError> {
    let app_matches = |session: &Session| call.app_name.as_ref().is_none_or(|app| *app == session.stream.app);
    let name_matches = |session: &Session| match (&call.stream_name, call.query_type) {
        (None, _) => true,
        (Some(part), QueryType::Fuzzy) => session.stream.stream.contains(part),
        (Some(name), QueryType::Strict) => session.stream.stream == *name,
    };
    let mut sessions = if call.stream_type == StreamType::Transcoded {
        Vec::new()
    } else {
        backend.live_sessions(&call.domain_name.to_ascii_lowercase()).await?
    };
    sessions.retain(|session| app_matches(session) && name_matches(session));
    let infos = sessions.into_iter().map(|session| info(session, call.only_stream)).collect();
    Ok(OnlineList::new(Page::of(infos, call.page_num, call.page_size, Order::Ascending)))
}

fn info(session: Session, only: OnlyStream) -> LiveStreamOnlineInfo {
    let Session { stream, began_ms, client, gateway, video_kbps, .. } = session;
    let details = (only == OnlyStream::No).then(|| OnlineDetails {
        publish_url: format!("rtmp://{}/{}/{}", stream.domain, stream.app, stream.stream),
        publish_domain: stream.domain.clone(),
        publish_type: "edge",
        client_ip: client.unwrap_or_default(),
        server_ip: gateway.unwrap_or_default(),
        transcoded: "no",
        video_data_rate: video_kbps,
        video_codec_id: session.video_codec.as_deref().and_then(video_codec_id),
        audio_codec_id: session.audio_codec.as_deref().and_then(audio_codec_id),
    });
    LiveStreamOnlineInfo {
        publish_time: acs::time::format(began_ms / 1000),
        domain_name: stream.domain,
        app_name: stream.app,
        stream_name: stream.stream,
        details,
    }
}

/// The number that FLV gives a video codec.
fn video_codec_id(codec: &str) -> Option<u32> {
    match codec {
        "h264" => Some(7),
        "hevc" | "h265" => Some(12),
        "mpeg4" => Some(9),
        _ => None,
    }
}

/// The number that FLV gives an audio codec (FLV 10.1 §E.4.2.1, SoundFormat).
fn audio_codec_id(codec: &str) -> Option<u32> {
    match codec {
        "aac" => Some(10),
        "mp3" => Some(2),
        _ => None,
    }
}
