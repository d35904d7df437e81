//! Between the types of the WIT package and those of the crate `catalog`.

pub mod event;
mod index_file;
mod media;
mod timer;
mod wish;

use catalog::account::{Place, Run};
use catalog::chunk::{self, Chunk, Gap, Slice};
use catalog::command::Refusal;
use catalog::commit::{Delivery, Prepared};
use catalog::file::{self, Entry};
use catalog::order::{self, Cause};
use catalog::rule::{self, Rule};
use catalog::session::{self, Session};
use catalog::{content, gateway, names, stream};

use crate::types;

pub use media::{upload, upload_target};

impl From<types::StreamName> for stream::StreamName {
    fn from(name: types::StreamName) -> Self {
        Self { domain: name.domain, app: name.app, stream: name.stream }
    }
}

impl From<stream::StreamName> for types::StreamName {
    fn from(name: stream::StreamName) -> Self {
        Self { domain: name.domain, app: name.app, stream: name.stream }
    }
}

impl From<types::Container> for rule::Container {
    fn from(container: types::Container) -> Self {
        match container {
            types::Container::M3u8 => Self::M3u8,
            types::Container::Mp4 => Self::Mp4,
            types::Container::Flv => Self::Flv,
        }
    }
}

impl From<rule::Container> for types::Container {
    fn from(container: rule::Container) -> Self {
        match container {
            rule::Container::M3u8 => Self::M3u8,
            rule::Container::Mp4 => Self::Mp4,
            rule::Container::Flv => Self::Flv,
        }
    }
}

impl From<types::Format> for rule::Format {
    fn from(format: types::Format) -> Self {
        let slices = format
            .slices
            .map(|slices| rule::SliceFormat { seconds: slices.seconds, object_prefix: slices.object_prefix });
        Self {
            container: format.container.into(),
            cycle_seconds: format.cycle_seconds,
            object_prefix: format.object_prefix,
            slices,
        }
    }
}

impl From<rule::Format> for types::Format {
    fn from(format: rule::Format) -> Self {
        let slices = format.slices.map(|slices| types::SliceFormat {
            seconds: slices.seconds,
            object_prefix: slices.object_prefix,
        });
        Self {
            container: format.container.into(),
            cycle_seconds: format.cycle_seconds,
            object_prefix: format.object_prefix,
            slices,
        }
    }
}

impl From<types::SessionRule> for Rule {
    fn from(rule: types::SessionRule) -> Self {
        Self {
            endpoint: rule.oss_endpoint,
            bucket: rule.oss_bucket,
            delay_seconds: rule.delay_seconds,
            formats: rule.formats.into_iter().map(Into::into).collect(),
            mode: match rule.mode {
                types::Mode::Automatic => rule::Mode::Automatic,
                types::Mode::OnDemand => rule::Mode::OnDemand,
                types::Mode::PushArgument => rule::Mode::PushArgument,
                types::Mode::Manual => rule::Mode::Manual,
            },
            window_start: rule.window_start,
            window_end: rule.window_end,
        }
    }
}

impl From<Rule> for types::SessionRule {
    fn from(rule: Rule) -> Self {
        Self {
            oss_endpoint: rule.endpoint,
            oss_bucket: rule.bucket,
            delay_seconds: rule.delay_seconds,
            formats: rule.formats.into_iter().map(Into::into).collect(),
            mode: match rule.mode {
                rule::Mode::Automatic => types::Mode::Automatic,
                rule::Mode::OnDemand => types::Mode::OnDemand,
                rule::Mode::PushArgument => types::Mode::PushArgument,
                rule::Mode::Manual => types::Mode::Manual,
            },
            window_start: rule.window_start,
            window_end: rule.window_end,
        }
    }
}

impl From<types::Session> for Session {
    fn from(session: types::Session) -> Self {
        Self {
            id: session.id,
            stream: session.stream.into(),
            gateway: session.gateway,
            boot: session.boot,
            push: session.push,
            client: session.client,
            arguments: session.arguments,
            video_codec: session.video_codec,
            audio_codec: session.audio_codec,
            video_kbps: session.video_kbps,
            began_ms: session.began_ms,
            rule: session.rule.map(Into::into),
            is_wanted: session.wanted,
            timezone: session.timezone,
            tells_status: session.tells_status,
            tells_slices: session.tells_slices,
            keeps_gaps: session.keeps_gaps,
            continues: None,
        }
    }
}

impl From<Session> for types::Session {
    fn from(session: Session) -> Self {
        Self {
            id: session.id,
            stream: session.stream.into(),
            gateway: session.gateway,
            boot: session.boot,
            push: session.push,
            client: session.client,
            arguments: session.arguments,
            video_codec: session.video_codec,
            audio_codec: session.audio_codec,
            video_kbps: session.video_kbps,
            began_ms: session.began_ms,
            rule: session.rule.map(Into::into),
            wanted: session.is_wanted,
            timezone: session.timezone,
            tells_status: session.tells_status,
            tells_slices: session.tells_slices,
            keeps_gaps: session.keeps_gaps,
        }
    }
}

impl From<types::After> for session::After {
    fn from(after: types::After) -> Self {
        Self { session: after.session, gap_ms: after.gap_ms }
    }
}

impl From<types::Generation> for order::Generation {
    fn from(generation: types::Generation) -> Self {
        Self { orders: generation.orders, files: generation.files }
    }
}

impl From<order::Generation> for types::Generation {
    fn from(generation: order::Generation) -> Self {
        Self { orders: generation.orders, files: generation.files }
    }
}

impl From<order::Order> for types::Order {
    fn from(order: order::Order) -> Self {
        Self { generation: order.generation.into(), record: order.record, at_ms: order.at_ms }
    }
}

impl From<types::Command> for Cause {
    fn from(command: types::Command) -> Self {
        match command {
            types::Command::Start => Self::Start,
            types::Command::Stop => Self::Stop,
            types::Command::CancelDelay => Self::CancelDelay,
            types::Command::Restart => Self::Restart,
        }
    }
}

/// A session and its orders, as they are answered.
#[must_use]
pub fn ordered(session: Session, orders: Vec<order::Order>) -> types::OrderedSession {
    types::OrderedSession { session: session.into(), orders: orders.into_iter().map(Into::into).collect() }
}

impl From<types::Tracks> for chunk::Tracks {
    fn from(tracks: types::Tracks) -> Self {
        let side = |samples: u32| u16::try_from(samples).unwrap_or(u16::MAX);
        Self {
            video: tracks.video.map(|codec| match codec {
                types::VideoCodec::H264 => chunk::VideoCodec::H264,
                types::VideoCodec::Hevc => chunk::VideoCodec::Hevc,
                types::VideoCodec::Mpeg4 => chunk::VideoCodec::Mpeg4,
            }),
            audio: tracks.audio.map(|codec| match codec {
                types::AudioCodec::Aac => chunk::AudioCodec::Aac,
                types::AudioCodec::Mp3 => chunk::AudioCodec::Mp3,
            }),
            width: tracks.size.map_or(0, |size| side(size.width)),
            height: tracks.size.map_or(0, |size| side(size.height)),
        }
    }
}

impl From<chunk::Tracks> for types::Tracks {
    fn from(tracks: chunk::Tracks) -> Self {
        let size = types::PictureSize { width: tracks.width.into(), height: tracks.height.into() };
        Self {
            video: tracks.video.map(|codec| match codec {
                chunk::VideoCodec::H264 => types::VideoCodec::H264,
                chunk::VideoCodec::Hevc => types::VideoCodec::Hevc,
                chunk::VideoCodec::Mpeg4 => types::VideoCodec::Mpeg4,
            }),
            audio: tracks.audio.map(|codec| match codec {
                chunk::AudioCodec::Aac => types::AudioCodec::Aac,
                chunk::AudioCodec::Mp3 => types::AudioCodec::Mp3,
            }),
            size: (tracks.width > 0 && tracks.height > 0).then_some(size),
        }
    }
}

impl From<types::Loss> for Gap {
    fn from(loss: types::Loss) -> Self {
        Self { reason: loss.reason.into(), from_ms: loss.from_ms, to_ms: loss.to_ms }
    }
}

impl From<catalog::Error> for types::Error {
    fn from(error: catalog::Error) -> Self {
        let reason = error.to_string();
        match error {
            catalog::Error::NoSuchSession(_) => Self::NoSuchSession,
            catalog::Error::Expired(_) => Self::Expired,
            catalog::Error::OutOfOrder { expected, .. } => {
                Self::Gap(types::Expected { seq: expected, reason })
            }
            catalog::Error::Before { expected, .. } => {
                Self::Before(types::Expected { seq: expected, reason })
            }
            catalog::Error::Boot { .. } => Self::Boot(reason),
            catalog::Error::Name(_) | catalog::Error::NotRecorded(_) => Self::Name(reason),
            catalog::Error::EarlierVersion
            | catalog::Error::StoreLost
            | catalog::Error::Rebuilding
            | catalog::Error::StoreInUse => Self::Unfit(reason),
            _ => Self::Store(reason),
        }
    }
}

impl From<types::Resends> for session::Resends {
    fn from(chunk: types::Resends) -> Self {
        Self { session: chunk.session, seq: chunk.seq }
    }
}

impl From<types::Heartbeat> for gateway::Beat {
    fn from(beat: types::Heartbeat) -> Self {
        let confirmed = |confirmed: types::Confirmed| {
            let generation = confirmed.generation.into();
            (confirmed.session, file::Confirmed { generation, chunks: confirmed.chunks })
        };
        Self {
            gateway: beat.gateway,
            boot: beat.boot,
            since: beat.since,
            told_ms: beat.told_ms,
            adopted: beat.adopted,
            holds: beat.holds,
            confirmed: beat.confirmed.into_iter().map(confirmed).collect(),
        }
    }
}

/// What a chunk is built on, as it is answered.
///
/// # Errors
/// What it is built on has no form as bytes.
pub fn prepared(prepared: &Prepared) -> Result<types::Prepared, catalog::Error> {
    Ok(types::Prepared {
        session: prepared.session.clone().into(),
        remux_state: prepared.remux_state.clone(),
        generation: prepared.generation().into(),
        names_taken: prepared.names_taken,
        replacing: prepared.is_replacing,
        token: prepared.to_bytes()?,
    })
}

/// A chunk that is durable, as the core commits it.
#[must_use]
pub fn delivery(prepared: &Prepared, delivery: types::Delivery) -> Delivery {
    let slice = |slice: types::Slice| {
        let placed = prepared.place(delivery.offset_ms, slice.start90khz, slice.paused90khz);
        Chunk::Slice(Slice {
            anchor_ms: placed.anchor_ms,
            start_90khz: slice.start90khz,
            duration_90khz: slice.duration90khz,
            size: slice.size,
            is_enterable: slice.independent,
            is_discontinuous: slice.discontinuity || placed.is_moved,
            names_taken: u8::try_from(slice.names_taken).unwrap_or(u8::MAX),
            tracks: slice.tracks.into(),
        })
    };
    Delivery {
        generation: delivery.generation.into(),
        chunk: delivery.slice.map_or(Chunk::Empty, slice),
        is_followed_by_entry: delivery.followed_by_entry,
        remux_state: delivery.remux_state,
        left_out: delivery.left_out,
    }
}

/// A chunk that will never come, as the core commits it. The remuxer goes on as if it had not been.
#[must_use]
pub fn lost(prepared: &Prepared, loss: types::Loss) -> Delivery {
    Delivery {
        generation: loss.generation.into(),
        remux_state: prepared.remux_state.clone(),
        left_out: Vec::new(),
        chunk: Chunk::Gap(loss.into()),
        is_followed_by_entry: false,
    }
}

fn place(place: Place) -> types::Place {
    types::Place { session: place.session, seq: place.seq }
}

/// A record file, as it is answered.
#[must_use]
pub fn record_file(
    recording: &str,
    container: rule::Container,
    run: Run,
    names_taken: u32,
) -> types::RecordFile {
    types::RecordFile {
        recording: recording.into(),
        container: container.into(),
        number: run.number,
        first: place(run.first),
        last: place(run.last),
        start_ms: run.start_ms,
        end_ms: run.end_ms,
        end90khz: run.end_90khz,
        duration90khz: run.duration_90khz,
        slice_count: run.slices,
        gaps: run.gaps,
        tracks: run.tracks.into(),
        names_taken,
    }
}

/// A record file that comes back.
#[must_use]
pub fn run(file: types::RecordFile) -> Run {
    let place = |place: types::Place| Place { session: place.session, seq: place.seq };
    Run {
        number: file.number,
        first: place(file.first),
        last: place(file.last),
        start_ms: file.start_ms,
        end_ms: file.end_ms,
        end_90khz: file.end90khz,
        duration_90khz: file.duration90khz,
        slices: file.slice_count,
        gaps: file.gaps,
        tracks: file.tracks.into(),
        is_full: true,
    }
}

/// A slice of a playlist, under the name that it has in its session.
///
/// # Errors
/// The session's rule does not name slices.
pub fn entry(session: &Session, entry: &Entry) -> Result<types::Entry, catalog::Error> {
    let Slice { duration_90khz, is_enterable, names_taken, .. } = entry.slice;
    let start_ms = entry.slice.start_ms();
    Ok(types::Entry {
        object: names::slice(session, entry.at.seq, start_ms, names_taken.into())?,
        start_ms,
        duration90khz: duration_90khz,
        independent: is_enterable,
        discontinuity: entry.is_discontinuous,
    })
}

/// A slice and where it lies.
///
/// # Errors
/// As [`entry`].
pub fn located(located: &content::Located) -> Result<types::LocatedEntry, catalog::Error> {
    let rule = located.session.rule.as_ref();
    Ok(types::LocatedEntry {
        entry: entry(&located.session, &located.entry)?,
        tracks: located.entry.slice.tracks.into(),
        oss_endpoint: rule.map(|rule| rule.endpoint.clone()).unwrap_or_default(),
        oss_bucket: rule.map(|rule| rule.bucket.clone()).unwrap_or_default(),
    })
}

impl From<content::Span> for types::RecordedSpan {
    fn from(span: content::Span) -> Self {
        // The original tells of slices, and has no word on what has none.
        let of_slices = span.rule.slices().map(|slices| slices.object_prefix.clone());
        let of_files = span.rule.formats.into_iter().next().map(|format| format.object_prefix);
        Self {
            start_ms: span.start_ms,
            end_ms: span.end_ms,
            duration90khz: span.duration_90khz,
            oss_endpoint: span.rule.endpoint,
            oss_bucket: span.rule.bucket,
            object_prefix: of_slices.or(of_files).unwrap_or_default(),
        }
    }
}

impl From<Refusal> for types::Error {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::NotPushed => Self::NoSuchStream,
            Refusal::NoRule => Self::NoRule,
            Refusal::Recording => Self::AlreadyRecording,
            Refusal::NotRecording | Refusal::NotStopped => Self::NotRecording,
        }
    }
}
