//! The catalog on a store in memory: in order, broken off at every single operation, and repeated.

mod commands;
mod content;
mod continuity;
mod files;
mod sessions;
mod timers;

use std::future::Future;

use crate::record::Error;
use crate::types::{
    AudioTrack, ChunkStatus, Container, Format, Session, SessionRule, Slice, SliceFormat, StreamName,
    VideoTrack,
};
use crate::{log, sessions as push};
use store::memory::MemoryStore;

const SECOND: u64 = 90_000;

fn run<T>(future: impl Future<Output = T>) -> T {
    futures_executor::block_on(future)
}

fn stream() -> StreamName {
    StreamName { domain: "d".into(), app: "a".into(), stream: "s".into() }
}

/// A session that records cycles of 20 s, with a break of at most 15 s.
fn session(id: &str, began_ms: u64) -> Session {
    Session {
        id: id.into(),
        stream: stream(),
        gateway: Some("g".into()),
        client: None,
        arguments: Vec::new(),
        video_codec: None,
        audio_codec: None,
        video_kbps: None,
        began_ms,
        record: true,
        rule: Some(SessionRule {
            oss_endpoint: "localhost".into(),
            oss_bucket: "bkt".into(),
            delay_seconds: 15,
            formats: vec![Format {
                container: Container::M3u8,
                cycle_seconds: 20,
                object_prefix: "f".into(),
                slices: Some(SliceFormat { seconds: 5, object_prefix: "s".into() }),
            }],
        }),
    }
}

/// A slice of 5 s, as the chunk `seq` of a session that began at `began_ms` makes it.
fn slice(began_ms: u64, seq: u64) -> Slice {
    Slice {
        object: format!("{began_ms}_{seq}.ts"),
        size: 1,
        start_ms: began_ms + seq * 5_000,
        start90khz: seq * 5 * SECOND,
        duration90khz: 5 * SECOND,
        independent: true,
        discontinuity: false,
        video: Some(VideoTrack { codec: "h264".into(), size: None }),
        audio: Some(AudioTrack { codec: "aac".into() }),
    }
}

async fn commit(store: &MemoryStore, id: &str, began_ms: u64, seq: u64) -> Result<ChunkStatus, Error> {
    let commit = log::Commit {
        slice: Some(slice(began_ms, seq)),
        remux_state: vec![u8::try_from(seq % 256).unwrap()],
        anchor_ms: began_ms,
        now_ms: began_ms + (seq + 1) * 5_000,
    };
    log::commit(store, id, seq, commit).await
}

/// Begins a session and commits its first chunks.
async fn pushed(store: &MemoryStore, id: &str, began_ms: u64, chunks: u64) {
    push::begin(store, session(id, began_ms)).await.unwrap();
    for seq in 0..chunks {
        assert_eq!(commit(store, id, began_ms, seq).await, Ok(ChunkStatus::Committed));
    }
}
