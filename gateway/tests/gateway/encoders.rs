//! What real encoders send: pushes whose clocks, headers and tracks are not in order.

use std::time::Duration;

use bytes::Bytes;
use flv::{Reader, TagKind, VideoTagHeader};
use protocol::ChunkPolicy;

use crate::{
    Gateway,
    fake::Session,
    functions,
    media::{AUDIO_HEADER, Tag, VIDEO_HEADER, begins_with_keyframe, frames},
    publisher::Publisher,
};

/// A tag to be sent, with the place in the show that it has: its time in a clean push.
#[derive(Clone, Debug)]
struct Sent {
    at_ms: u32,
    kind: TagKind,
    timestamp_ms: u32,
    body: Vec<u8>,
}

impl Sent {
    fn is_key(&self) -> bool {
        self.kind == TagKind::Video && self.body[0] >> 4 == 1 && self.body[1] == 1
    }
}

fn sent(kind: TagKind, at_ms: u32, body: &[u8]) -> Sent {
    Sent { at_ms, kind, timestamp_ms: at_ms, body: body.to_vec() }
}

/// Configurations, then video of 25 pictures a second with a keyframe every two, and sound each 40 ms.
fn show(seconds: u32) -> Vec<Sent> {
    let mut tags = vec![sent(TagKind::Video, 0, &VIDEO_HEADER), sent(TagKind::Audio, 0, &AUDIO_HEADER)];
    for frame in 0..seconds * 25 {
        let at_ms = frame * 40;
        let number = frame.to_be_bytes();
        tags.push(sent(TagKind::Video, at_ms, &video(frame % 50 == 0, 0, frame)));
        tags.push(sent(TagKind::Audio, at_ms + 5, &[&[0xaf, 1][..], &number].concat()));
    }
    tags
}

/// The body of a video message with one slice of a picture.
fn video(is_key: bool, slice: u8, number: u32) -> Vec<u8> {
    let (first, unit) = if is_key { (0x17, 0x65) } else { (0x27, 0x41) };
    let first_mb = if slice == 0 { 0x80 } else { 0x40 };
    [&[first, 1, 0, 0, 0, 0, 0, 0, 7, unit, first_mb, slice][..], &number.to_be_bytes()].concat()
}

/// Whether a tag is coded media.
fn is_frame(tag: &Sent) -> bool {
    match tag.kind {
        TagKind::Video => tag.body.get(1) == Some(&1) || tag.body[0] & 0x8f == 0x81,
        TagKind::Audio => tag.body.get(1) == Some(&1),
        TagKind::Script => false,
    }
}

/// Pushes the tags as fast as it goes; all coded media of them must be in the chunks, once and in order.
async fn push(tags: &[Sent]) -> Session {
    push_with(tags, ChunkPolicy::default()).await
}

async fn push_with(tags: &[Sent], policy: ChunkPolicy) -> Session {
    let folder = tempfile::tempdir().unwrap();
    let functions = functions().await;
    functions.log().policy = Some(policy);
    let gateway = Gateway::start(&functions.url(), &folder.path().join("spool")).await;
    let mut publisher = Publisher::start(&gateway, "rtmp://h/live", "live", "x").await;
    let mut rest = tags;
    if policy != ChunkPolicy::default() {
        // The gateway goes by its own policy until the functions have answered the begin.
        let first = tags.iter().position(is_frame).unwrap();
        for tag in &tags[..=first] {
            publisher.tag(tag.kind, tag.timestamp_ms, &tag.body);
        }
        publisher.flush().await;
        functions.until("the session", |log| log.sessions.len() == 1).await;
        tokio::time::sleep(Duration::from_millis(100)).await;
        rest = &tags[first + 1..];
    }
    for tag in rest {
        publisher.tag(tag.kind, tag.timestamp_ms, &tag.body);
    }
    publisher.flush().await;
    publisher.finish().await;
    let session = functions.ended(1).await.remove(0);
    gateway.stop().await;
    let pushed: Vec<_> = tags.iter().filter(|tag| is_frame(tag)).collect();
    let recorded = chunk_tags(&session).into_iter().flatten().filter(|tag| tag.kind != 18);
    let recorded: Vec<_> = recorded.filter(|tag| !is_header(tag)).collect();
    assert_eq!(recorded.len(), pushed.len());
    for (recorded, pushed) in recorded.iter().zip(pushed) {
        assert_eq!((recorded.timestamp_ms, &recorded.body), (pushed.timestamp_ms, &pushed.body));
    }
    session
}

fn is_header(tag: &Tag) -> bool {
    match tag.kind {
        9 => VideoTagHeader::parse(&tag.body).unwrap().is_sequence_header(),
        _ => tag.body[0] >> 4 == 10 && tag.body[1] == 0,
    }
}

/// All tags of each chunk.
fn chunk_tags(session: &Session) -> Vec<Vec<Tag>> {
    let tags = |chunk: &Bytes| {
        let tags = Reader::new(chunk).unwrap().map(Result::unwrap);
        tags.map(|tag| Tag { kind: tag.kind.wire(), timestamp_ms: tag.timestamp_ms, body: tag.body.to_vec() })
            .collect()
    };
    session.chunks.iter().map(|(_, chunk)| tags(chunk)).collect()
}

/// The places in the show at which the chunks begin.
fn starts_ms(session: &Session, tags: &[Sent]) -> Vec<u32> {
    let start = |tags_of: Vec<Tag>| {
        let first = tags_of.into_iter().find(|tag| tag.kind != 18 && !is_header(tag)).unwrap();
        let same = |tag: &&Sent| tag.kind.wire() == first.kind && tag.body == first.body;
        tags.iter().find(same).unwrap().at_ms
    };
    chunk_tags(session).into_iter().map(start).collect()
}

/// Whether each chunk has coded media of a kind.
fn has(session: &Session, kind: TagKind) -> Vec<bool> {
    let is_media = |tag: &Tag| tag.kind == kind.wire() && !is_header(tag);
    chunk_tags(session).iter().map(|tags| tags.iter().any(is_media)).collect()
}

/// Chunks begin at keyframes, and there.
async fn check(tags: &[Sent], expected_ms: &[u32]) -> Session {
    let session = push(tags).await;
    assert_eq!(starts_ms(&session, tags), expected_ms);
    assert!(session.chunks.iter().all(|(_, chunk)| begins_with_keyframe(chunk)));
    session
}

#[tokio::test]
async fn clocks_that_are_apart_shatter_nothing() {
    let days = 86_400_000;
    for (video_ms, audio_ms) in [(21 * days, 10_000), (0, 3_500), (3_500, 0), (u32::MAX - 7_000, 90_000)] {
        let mut tags = show(24);
        for tag in &mut tags {
            let shift_ms = if tag.kind == TagKind::Video { video_ms } else { audio_ms };
            tag.timestamp_ms = tag.timestamp_ms.wrapping_add(shift_ms);
        }
        check(&tags, &[0, 6_000, 12_000, 18_000]).await;
    }
    // Sound that arrives three seconds late.
    let mut tags = show(24);
    tags.sort_by_key(|tag| tag.at_ms + if tag.kind == TagKind::Audio { 3_000 } else { 0 });
    let session = push(&tags).await;
    assert!((4..=5).contains(&session.chunks.len()), "{:?}", starts_ms(&session, &tags));
}

/// The show with something before each keyframe but the first, made of its number and its time.
fn before_keyframes(tags: Vec<Sent>, extra: impl Fn(u32, u32) -> Vec<Sent>) -> Vec<Sent> {
    let mut keyframes = 0;
    let mut result = Vec::new();
    for tag in tags {
        if tag.is_key() {
            keyframes += 1;
            if keyframes > 1 {
                result.extend(extra(keyframes, tag.at_ms));
            }
        }
        result.push(tag);
    }
    result
}

const EMPTY_VIDEO: &[u8] = &[0x17, 0, 0, 0, 0];
const EMPTY_AUDIO: &[u8] = &[0xaf, 0];

/// Each chunk begins with these configurations and holds no other.
fn check_headers(session: &Session, expected: [&[u8]; 2]) {
    for tags in chunk_tags(session) {
        let headers: Vec<_> = tags.iter().filter(|tag| tag.kind != 18 && is_header(tag)).collect();
        assert!(headers.iter().map(|tag| tag.body.as_slice()).eq(expected), "{headers:?}");
    }
}

#[tokio::test]
async fn configurations_that_cannot_be_used_replace_none() {
    let cut = &VIDEO_HEADER[..VIDEO_HEADER.len() - 1];
    for bad in [EMPTY_VIDEO, cut] {
        let empty = before_keyframes(show(14), |_, at_ms| {
            vec![sent(TagKind::Video, at_ms, bad), sent(TagKind::Audio, at_ms, EMPTY_AUDIO)]
        });
        let session = check(&empty, &[0, 6_000, 12_000]).await;
        check_headers(&session, [&VIDEO_HEADER, &AUDIO_HEADER]);
        // With the real ones behind them; and at the very beginning.
        let pairs = before_keyframes(show(14), |_, at_ms| {
            let body = [(TagKind::Video, bad), (TagKind::Audio, EMPTY_AUDIO)];
            let real = [(TagKind::Video, &VIDEO_HEADER[..]), (TagKind::Audio, &AUDIO_HEADER)];
            body.into_iter().chain(real).map(|(kind, body)| sent(kind, at_ms, body)).collect()
        });
        let first = [sent(TagKind::Video, 0, bad), sent(TagKind::Audio, 0, EMPTY_AUDIO)];
        let session = check(&[&first[..], &pairs].concat(), &[0, 6_000, 12_000]).await;
        check_headers(&session, [&VIDEO_HEADER, &AUDIO_HEADER]);
    }
}

#[tokio::test]
async fn of_several_headers_before_the_first_frame_the_last_one_counts() {
    // Another picture parameter set, another sampling rate; then the right ones.
    let mut near = VIDEO_HEADER;
    near[44] = 0x1e;
    let first = [sent(TagKind::Video, 0, &near), sent(TagKind::Audio, 0, &[0xaf, 0, 0x11, 0x90])];
    let tags = [&first[..], &show(14)].concat();
    let session = check(&tags, &[0, 6_000, 12_000]).await;
    check_headers(&session, [&VIDEO_HEADER, &AUDIO_HEADER]);
    // The same when the sound has begun before the picture's last header.
    let mut tags = tags;
    tags.insert(1, sent(TagKind::Audio, 0, &AUDIO_HEADER));
    tags.insert(2, sent(TagKind::Audio, 0, &[0xaf, 1, 9, 9]));
    tags.remove(3);
    let session = push(&tags).await;
    assert_eq!(starts_ms(&session, &tags), [0, 6_000, 12_000]);
    assert_eq!(frames([&session.chunks[1]]).len(), 300);
}

#[tokio::test]
async fn headers_that_change_nothing_cut_nothing() {
    let mut profile = VIDEO_HEADER;
    profile[6] = 0x4d;
    let tags = before_keyframes(show(14), |number, at_ms| {
        let audio: &[u8] =
            if number % 2 == 0 { &[0xaf, 0, 0x12, 0x10, 0x56, 0xe5, 0] } else { &AUDIO_HEADER };
        let video = if number % 2 == 0 { profile } else { VIDEO_HEADER };
        vec![sent(TagKind::Video, at_ms, &video), sent(TagKind::Audio, at_ms, audio)]
    });
    let session = check(&tags, &[0, 6_000, 12_000]).await;
    check_headers(&session, [&VIDEO_HEADER, &AUDIO_HEADER]);
}

#[tokio::test]
async fn a_changed_configuration_cuts_its_own_track_once() {
    // A moment before the keyframe at 4 s, with sound in between.
    let mut changed = VIDEO_HEADER;
    changed[44] = 0x1e;
    let mut tags = show(14);
    let at = tags.iter().position(|tag| tag.at_ms == 3_960).unwrap() + 1;
    tags.insert(at, sent(TagKind::Video, 3_960, &changed));
    let session = check(&tags, &[0, 4_000, 10_000]).await;
    let headers = chunk_tags(&session).into_iter().map(|tags| tags[0].body.clone());
    assert!(headers.eq([&VIDEO_HEADER[..], &changed, &changed]));

    // Another codec, with its header and without.
    // A record of HEVC that leaves its parameter sets to the stream.
    let mut hevc = [&[0x1c, 0, 0, 0, 0][..], &[0; 23]].concat();
    hevc[26] = 0x0f;
    for header in [Some(hevc.as_slice()), None] {
        let mut tags = show(14);
        for tag in tags.iter_mut().filter(|tag| tag.kind == TagKind::Video && tag.at_ms >= 4_000) {
            tag.body[0] += 5;
        }
        if let Some(header) = header {
            let at = tags.iter().position(|tag| tag.at_ms == 4_000).unwrap();
            tags.insert(at, sent(TagKind::Video, 4_000, header));
        }
        let session = check(&tags, &[0, 4_000, 10_000]).await;
        let first = chunk_tags(&session).remove(1).remove(0);
        assert_eq!(first.body, header.unwrap_or(&AUDIO_HEADER));
    }
}

#[tokio::test]
async fn sound_that_comes_back_in_another_codec_begins_a_chunk_at_the_keyframe_before_it() {
    let mut tags = show(24);
    tags.retain(|tag| !(tag.kind == TagKind::Audio && (7_000..11_000).contains(&tag.at_ms)));
    for tag in tags.iter_mut().filter(|tag| tag.kind == TagKind::Audio && tag.at_ms >= 11_000) {
        tag.body[0] = 0x2f;
    }
    let session = check(&tags, &[0, 6_000, 10_000, 16_000, 22_000]).await;
    assert_eq!(has(&session, TagKind::Audio), [true; 5]);
    let codecs = chunk_tags(&session).into_iter().map(|tags| {
        let mut codecs: Vec<u8> =
            tags.iter().filter(|tag| tag.kind == 8).map(|tag| tag.body[0] >> 4).collect();
        codecs.dedup();
        codecs
    });
    assert!(codecs.eq([vec![10], vec![10], vec![2], vec![2], vec![2]]));
}

fn metadata(fields: &[(&str, f64)]) -> Sent {
    let mut body = Vec::new();
    amf0::Value::String("onMetaData".into()).encode(&mut body);
    let fields = fields.iter().map(|(name, value)| ((*name).into(), amf0::Value::Number(*value)));
    amf0::Value::EcmaArray(fields.collect()).encode(&mut body);
    sent(TagKind::Script, 0, &body)
}

/// The show without a track until a time, its header included unless it is announced.
fn late(kind: TagKind, from_ms: u32, is_announced: bool) -> Vec<Sent> {
    let mut tags = show(24);
    let header = tags.iter().find(|tag| tag.kind == kind).unwrap().clone();
    tags.retain(|tag| tag.kind != kind || tag.at_ms >= from_ms);
    let at = if is_announced { 0 } else { tags.iter().position(|tag| tag.kind == kind).unwrap() };
    tags.insert(at, header);
    tags
}

#[tokio::test]
async fn late_sound_begins_a_chunk_at_the_keyframe_before_it() {
    for is_announced in [true, false] {
        let tags = late(TagKind::Audio, 14_500, is_announced);
        let session = check(&tags, &[0, 6_000, 12_000, 14_000, 20_000]).await;
        assert_eq!(has(&session, TagKind::Audio), [false, false, false, true, true]);
        // A keyframe that begins a chunk anyway; sound that is hardly late.
        check(&late(TagKind::Audio, 12_500, is_announced), &[0, 6_000, 12_000, 18_000]).await;
        check(&late(TagKind::Audio, 1_900, is_announced), &[0, 6_000, 12_000, 18_000]).await;
    }
}

#[tokio::test]
async fn late_sound_behind_a_changed_configuration_takes_no_picture_of_before() {
    let mut changed = VIDEO_HEADER;
    changed[44] = 0x1e;
    let mut tags = late(TagKind::Audio, 14_485, true);
    let at = tags.iter().position(|tag| tag.at_ms == 14_485).unwrap();
    tags.insert(at, sent(TagKind::Video, 14_480, &changed));
    let session = push(&tags).await;
    assert_eq!(starts_ms(&session, &tags), [0, 6_000, 12_000, 14_485, 20_000]);
    for (at, tags) in chunk_tags(&session).into_iter().enumerate() {
        let header = tags.iter().find(|tag| tag.kind == 9 && is_header(tag)).unwrap();
        assert_eq!(header.body[44] == 0x1e, at >= 3, "chunk {at}");
    }
}

#[tokio::test]
async fn a_late_picture_begins_a_chunk() {
    for is_announced in [true, false] {
        let tags = late(TagKind::Video, 10_000, is_announced);
        let session = push(&tags).await;
        assert_eq!(starts_ms(&session, &tags), [5, 5_005, 10_000, 16_000, 22_000]);
        assert_eq!(has(&session, TagKind::Video), [false, false, true, true, true]);
    }
}

#[tokio::test]
async fn an_announced_track_is_awaited_for_two_seconds() {
    let policy = ChunkPolicy { target_ms: 1_000, ..ChunkPolicy::default() };
    let announcement = metadata(&[("videocodecid", 7.0), ("audiocodecid", 10.0)]);
    let tags = [&[announcement][..], &late(TagKind::Video, 2_000, false)].concat();
    let session = push_with(&tags, policy).await;
    let starts_ms = starts_ms(&session, &tags);
    assert!(starts_ms[1..].iter().all(|start| *start > 2_000), "{starts_ms:?}");
    assert!(has(&session, TagKind::Video)[0] && has(&session, TagKind::Audio)[0]);
}

#[tokio::test]
async fn a_picture_that_stops_leaves_the_cuts_to_sound() {
    let gone: Vec<_> = show(24)
        .into_iter()
        .filter(|tag| tag.kind == TagKind::Audio || tag.at_ms < 6_000 || !is_frame(tag))
        .collect();
    let session = push(&gone).await;
    let starts_ms = starts_ms(&session, &gone);
    assert!((4..=5).contains(&starts_ms.len()), "{starts_ms:?}");
    assert!(starts_ms.windows(2).all(|pair| (4_900..7_200).contains(&(pair[1] - pair[0]))), "{starts_ms:?}");
}

#[tokio::test]
async fn a_picture_in_several_messages_is_not_parted() {
    // Each picture in three messages a millisecond apart, the target in the middle of a keyframe's, and the
    // longest group of pictures allowed in the middle of another's.
    let in_slices = |keyframes_ms: u32| -> Vec<Sent> {
        let slice = |tag: &Sent, slice: u8| {
            let body = video(tag.at_ms.is_multiple_of(keyframes_ms), slice, tag.at_ms);
            Sent { timestamp_ms: tag.timestamp_ms + u32::from(slice), body, ..tag.clone() }
        };
        let split = |tag: Sent| match is_frame(&tag) && tag.kind == TagKind::Video {
            true => (0..3).map(|number| slice(&tag, number)).collect(),
            false => vec![tag],
        };
        show(24).into_iter().flat_map(split).collect()
    };
    for (keyframes_ms, policy) in [
        (2_000, ChunkPolicy { target_ms: 4_001, ..ChunkPolicy::default() }),
        (2_000, ChunkPolicy { target_ms: 4_002, ..ChunkPolicy::default() }),
        (24_000, ChunkPolicy { target_ms: 4_000, max_ms: 8_001, ..ChunkPolicy::default() }),
    ] {
        let tags = in_slices(keyframes_ms);
        let session = push_with(&tags, policy).await;
        assert!(session.chunks.len() >= 3);
        for tags in chunk_tags(&session) {
            let video = tags.iter().find(|tag| tag.kind == 9 && !is_header(tag)).unwrap();
            assert_eq!(video.body[10], 0x80, "{video:?}");
        }
    }
}

#[tokio::test]
async fn script_data_passes_into_the_chunks() {
    let cues: Vec<_> = [b"onTextData", b"onCuePoint"]
        .into_iter()
        .map(|name| sent(TagKind::Script, 3_000, &[b"\x02\0\x0a", &name[..], b"\x05"].concat()))
        .collect();
    let mut tags = show(6);
    let at = tags.iter().position(|tag| tag.at_ms == 3_000).unwrap();
    tags.splice(at..at, cues.clone());
    let session = push(&tags).await;
    let scripts = chunk_tags(&session).into_iter().flatten().filter(|tag| tag.kind == 18);
    assert!(scripts.map(|tag| tag.body).eq(cues.into_iter().map(|cue| cue.body)));
}

#[tokio::test]
async fn each_chunk_says_when_it_began() {
    let folder = tempfile::tempdir().unwrap();
    let functions = functions().await;
    let gateway = Gateway::start(&functions.url(), &folder.path().join("spool")).await;
    let mut publisher = Publisher::start(&gateway, "rtmp://h/live", "live", "x").await;
    let began = std::time::Instant::now();
    let tags = show(8);
    // Six seconds at once, the rest 300 ms later.
    let (first, rest): (Vec<_>, _) = tags.iter().partition(|tag| tag.at_ms < 6_000);
    for tag in first {
        publisher.tag(tag.kind, tag.timestamp_ms, &tag.body);
    }
    publisher.flush().await;
    tokio::time::sleep(Duration::from_millis(300)).await;
    for tag in rest {
        publisher.tag(tag.kind, tag.timestamp_ms, &tag.body);
    }
    publisher.flush().await;
    let elapsed_ms = began.elapsed().as_millis() as u64;
    publisher.finish().await;
    let session = functions.ended(1).await.remove(0);
    let offsets_ms: Vec<_> = session.told.iter().map(|told| told.offset_ms).collect();
    let &[first_ms, second_ms] = offsets_ms.as_slice() else { panic!("{offsets_ms:?}") };
    // The gateway looks at its sockets every 50 ms.
    assert!(
        first_ms + 200 <= second_ms && second_ms <= elapsed_ms + 200,
        "{first_ms} {second_ms} of {elapsed_ms}"
    );
    gateway.stop().await;
}
