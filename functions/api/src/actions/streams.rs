//! Streams that are being pushed, and the command to record one.

use std::collections::BTreeSet;
use std::net::{IpAddr, SocketAddr};

use api::{
    ApiError, Handle, Time,
    answers::{LiveStreamOnlineInfo, OnlineList, StreamState},
    calls::{DescribeLiveStreamState, DescribeLiveStreamsOnlineList, RealTimeRecordCommand},
    faults,
    paging::Page,
    words::{Command, OnlyStream, Order, QueryType, StreamType},
};

use super::performer::Performer;
use crate::backend::World;
use crate::bindings::recorder::catalog::catalog::{self, Error, Session};
use crate::convert::{domain, stream};

impl<W: World> Handle<RealTimeRecordCommand> for Performer<'_, W> {
    async fn handle(&self, call: RealTimeRecordCommand) -> Result<(), ApiError> {
        let command = match call.command {
            Command::Start => catalog::Command::Start,
            Command::Stop => catalog::Command::Stop,
            Command::CancelDelay => catalog::Command::CancelDelay,
            Command::Restart => catalog::Command::Restart,
        };
        let name = stream(call.domain_name.clone(), call.app_name, call.stream_name);
        let id = hex::encode(self.world.random());
        match self.world.give_command(name, command, &id, self.world.now_ms()).await {
            // Which of the three names leads nowhere: a domain is known by its rules.
            Err(Error::NoSuchStream) if !self.world.has_rules(&call.domain_name).await? => {
                Err(faults::INVALID_DOMAIN_NOT_FOUND.into())
            }
            outcome => Ok(outcome?),
        }
    }
}

impl<W: World> Handle<DescribeLiveStreamState> for Performer<'_, W> {
    async fn handle(&self, call: DescribeLiveStreamState) -> Result<StreamState, ApiError> {
        let name = stream(call.domain_name, call.app_name, call.stream_name);
        let sessions = self.world.stream_sessions(name, self.world.now_ms()).await?;
        Ok(StreamState::new(!sessions.is_empty()))
    }
}

impl<W: World> Handle<DescribeLiveStreamsOnlineList> for Performer<'_, W> {
    async fn handle(&self, call: DescribeLiveStreamsOnlineList) -> Result<OnlineList, ApiError> {
        let app_matches =
            |session: &Session| call.app_name.as_ref().is_none_or(|app| *app == session.stream.app);
        let name_matches = |session: &Session| match (&call.stream_name, call.query_type) {
            (None, _) => true,
            (Some(part), QueryType::Fuzzy) => session.stream.stream.contains(part),
            (Some(name), QueryType::Strict) => session.stream.stream == *name,
        };
        let mut sessions = if call.stream_type == StreamType::Transcoded {
            Vec::new()
        } else {
            self.world.live_sessions(&domain(&call.domain_name), self.world.now_ms()).await?
        };
        sessions.retain(|session| app_matches(session) && name_matches(session));
        let streams = newest_of_each_stream(sessions).into_iter();
        let infos = streams.map(|session| info(session, call.only_stream)).collect();
        Ok(OnlineList::new(Page::of(infos, call.page_num, call.page_size, Order::Ascending)))
    }
}

/// Of sessions, oldest first, the last one of each stream. An encoder that came back to another gateway has two until the
/// first one is suspended.
fn newest_of_each_stream(mut sessions: Vec<Session>) -> Vec<Session> {
    let mut seen = BTreeSet::new();
    sessions.reverse();
    sessions.retain(|Session { stream, .. }| seen.insert((stream.app.clone(), stream.stream.clone())));
    sessions.reverse();
    sessions
}

fn info(session: Session, only: OnlyStream) -> LiveStreamOnlineInfo {
    let Session { stream, began_ms, client, gateway, video_kbps, video_codec, audio_codec, .. } = session;
    let short = LiveStreamOnlineInfo {
        domain_name: stream.domain.clone(),
        app_name: stream.app.clone(),
        stream_name: stream.stream.clone(),
        publish_time: Time(began_ms / 1000),
        publish_url: None,
        publish_domain: None,
        publish_type: None,
        client_ip: None,
        server_ip: None,
        transcoded: None,
        video_data_rate: None,
        video_codec_id: None,
        audio_codec_id: None,
    };
    match only {
        OnlyStream::Yes => short,
        OnlyStream::No => LiveStreamOnlineInfo {
            publish_url: Some(format!("rtmp://{}/{}/{}", stream.domain, stream.app, stream.stream)),
            publish_domain: Some(stream.domain),
            publish_type: Some("edge"),
            client_ip: Some(address_of(client)),
            server_ip: Some(gateway),
            transcoded: Some("no"),
            video_data_rate: video_kbps,
            video_codec_id: video_codec.as_deref().and_then(video_codec_id),
            audio_codec_id: audio_codec.as_deref().and_then(audio_codec_id),
            ..short
        },
    }
}

/// The address alone of a publisher, which gateways tell with its port.
fn address_of(client: String) -> String {
    let address = client.parse::<SocketAddr>().map(|address| address.ip());
    address.or_else(|_| client.parse()).map_or(client, |address: IpAddr| address.to_canonical().to_string())
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
