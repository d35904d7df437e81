//! Pushes that go well.

use std::process::Stdio;

use flv::TagKind;
use protocol::{BeginSession, ChunkPolicy};

use crate::{
    Gateway, fake, functions,
    media::{SHAPE, Shape, VIDEO_HEADER, begins_with_keyframe, file_frames, frames, write_flv},
    programs::skip,
};

#[tokio::test]
async fn every_tag_arrives_once_and_in_order() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("x.flv");
    let pushed = write_flv(&file, SHAPE);
    let functions = functions().await;
    let gateway = Gateway::start(&functions.url(), &folder.path().join("spool")).await;
    let summary = gateway.push(&file, "x?vhost=d.example&key=a%26b").await.unwrap();
    assert_eq!(summary.tags, pushed.len() as u64 + 3);

    let session = functions.ended(1).await.remove(0);
    assert_eq!(frames(&session.chunks), pushed);
    assert_eq!(session.chunks.len(), 4);
    assert!(session.chunks.iter().all(|(_, chunk)| begins_with_keyframe(chunk)));
    assert_eq!(session.stream, "d.example/live/x");
    assert_eq!(session.begin.arguments["key"], "a&b");
    let BeginSession { video_codec, audio_codec, video_kbps, .. } = session.begin;
    assert_eq!(
        (video_codec.as_deref(), audio_codec.as_deref(), video_kbps),
        (Some("h264"), Some("aac"), Some(2500))
    );
    gateway.stop().await;
    let left = std::fs::read_dir(folder.path().join("spool/pushes")).unwrap().count();
    assert_eq!(left, 0, "the spool is empty");
}

#[tokio::test]
async fn odd_pushes_are_cut_and_complete() {
    let near_the_end = u32::MAX - 7_000;
    let shapes = [
        ("one keyframe at the beginning alone", Shape { gop: 0, frames: 1_100, ..SHAPE }, 3),
        ("timestamps that wrap", Shape { first_ms: near_the_end, ..SHAPE }, 4),
        ("pictures larger than the functions take", Shape { frames: 10, frame_bytes: 3 << 20, ..SHAPE }, 10),
        ("one picture", Shape { frames: 1, ..SHAPE }, 1),
    ];
    let functions = functions().await;
    let policy = ChunkPolicy { max_bytes: 4 << 20, ..ChunkPolicy::default() };
    functions.log().policy = Some(policy);
    let folder = tempfile::tempdir().unwrap();
    let gateway = Gateway::start(&functions.url(), &folder.path().join("spool")).await;
    for (at, (what, shape, chunks)) in shapes.into_iter().enumerate() {
        let file = folder.path().join("x.flv");
        let pushed = write_flv(&file, shape);
        gateway.push(&file, &format!("s{at}")).await.unwrap();
        let session = functions.ended(at + 1).await.pop().unwrap();
        assert!(frames(&session.chunks) == pushed, "{what}");
        // A fast push is ahead of the policy until its begin is answered: by one chunk, which may be larger.
        let is_larger = |chunk: &[u8]| chunk.len() as u64 > policy.max_bytes;
        let sizes: Vec<usize> = session.chunks.iter().map(|(_, chunk)| chunk.len()).collect();
        let ahead = session.chunks.iter().take_while(|(_, chunk)| is_larger(chunk)).count();
        assert!(ahead <= 1, "{what}: {sizes:?}");
        assert!(!session.chunks[ahead..].iter().any(|(_, chunk)| is_larger(chunk)), "{what}: {sizes:?}");
        let joined: usize = sizes[..ahead].iter().map(|size| size / shape.frame_bytes - 1).sum();
        assert_eq!(sizes.len() + joined, chunks, "{what}: {sizes:?}");
    }
    gateway.stop().await;
}

#[tokio::test]
async fn a_changed_configuration_begins_a_chunk_and_a_repeated_one_does_not() {
    let folder = tempfile::tempdir().unwrap();
    let part = folder.path().join("part.flv");
    let mut file = Vec::new();
    let mut pushed = Vec::new();
    for (at, level) in [0x1f, 0x1f, 0x20, 0x1f].into_iter().enumerate() {
        pushed.extend(write_flv(
            &part,
            Shape { frames: 25, first_ms: at as u32 * 1_000, seed: at as u32, ..SHAPE },
        ));
        let mut bytes = std::fs::read(&part).unwrap();
        let header = bytes.windows(VIDEO_HEADER.len()).position(|window| window == VIDEO_HEADER).unwrap();
        bytes[header + VIDEO_HEADER.len() - 1] = level;
        file.extend_from_slice(&bytes[if at == 0 { 0 } else { flv::FILE_HEADER_SIZE }..]);
    }
    let whole = folder.path().join("whole.flv");
    std::fs::write(&whole, file).unwrap();
    let functions = functions().await;
    let gateway = Gateway::start(&functions.url(), &folder.path().join("spool")).await;
    gateway.push(&whole, "x").await.unwrap();
    let session = functions.ended(1).await.remove(0);
    let lengths: Vec<_> = session.chunks.iter().map(|chunk| frames([chunk]).len()).collect();
    assert_eq!(lengths, [100, 50, 50]);
    assert!(frames(&session.chunks) == pushed);
    gateway.stop().await;
}

#[tokio::test]
async fn a_keyframe_of_another_size_begins_a_chunk() {
    // Of 1920 x 1080 pictures, with another number of frames a second, and of 320 x 180 ones.
    let configured = &VIDEO_HEADER[13..38];
    let renewed = [&configured[..21], &[0x19], &configured[22..]].concat();
    let small: &[u8] =
        b"\x67\x64\0\x0c\xac\xd9\x41\x41\x9f\x9f\x01\x10\0\0\x03\0\x10\0\0\x03\x03\x20\xf1\x42\x99\x60";
    let mut file = Vec::new();
    flv::write_header(&mut file, true, false);
    flv::write_tag(&mut file, TagKind::Video, 0, &VIDEO_HEADER).unwrap();
    let sets: [&[u8]; 7] = [&[], configured, &renewed, small, small, &[], configured];
    for (second, sps) in (0..).zip(sets) {
        for frame in 0..25 {
            let slice: &[u8] = if frame == 0 { b"\x65\x88\x80" } else { b"\x41\x9a\x80" };
            let mut body = vec![if frame == 0 { 0x17 } else { 0x27 }, 1, 0, 0, 0];
            for unit in
                [sps, slice].into_iter().filter(|unit| !unit.is_empty() && (frame == 0 || *unit == slice))
            {
                body.extend((unit.len() as u32).to_be_bytes());
                body.extend_from_slice(unit);
            }
            flv::write_tag(&mut file, TagKind::Video, second * 1_000 + frame * 40, &body).unwrap();
        }
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("sizes.flv");
    std::fs::write(&path, file).unwrap();
    let functions = functions().await;
    let gateway = Gateway::start(&functions.url(), &folder.path().join("spool")).await;
    gateway.push(&path, "x").await.unwrap();
    let session = functions.ended(1).await.remove(0);
    let lengths: Vec<_> = session.chunks.iter().map(|chunk| frames([chunk]).len()).collect();
    assert_eq!(lengths, [75, 75, 25]);
    assert!(session.chunks.iter().all(|(_, chunk)| begins_with_keyframe(chunk)));
    assert!(frames(&session.chunks) == file_frames(&path));
    gateway.stop().await;
}

#[tokio::test]
async fn twenty_pushes_at_once_are_all_complete() {
    let folder = tempfile::tempdir().unwrap();
    let functions = functions().await;
    let gateway = Gateway::start(&functions.url(), &folder.path().join("spool")).await;
    let mut pushed = Vec::new();
    for at in 0..20 {
        let file = folder.path().join(format!("{at}.flv"));
        pushed.push(write_flv(&file, Shape { seed: at << 20, ..SHAPE }));
    }
    let pushes = (0..20).map(|at| {
        let file = folder.path().join(format!("{at}.flv"));
        let gateway = &gateway;
        async move { gateway.push(&file, &format!("s{at}")).await.unwrap() }
    });
    futures_util::future::join_all(pushes).await;
    let streams = fake::by_stream(functions.ended(20).await);
    for (at, pushed) in pushed.iter().enumerate() {
        let sessions = &streams[&format!("127.0.0.1/live/s{at}")];
        assert_eq!(sessions.len(), 1);
        assert!(frames(&sessions[0].chunks) == *pushed, "stream {at}");
    }
    gateway.stop().await;
}

#[tokio::test]
async fn ffmpeg_pushes_what_it_would_write() {
    if tokio::process::Command::new("ffmpeg").arg("-version").output().await.is_err() {
        return skip("ffmpeg_pushes_what_it_would_write", "ffmpeg");
    }
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("x.flv");
    let ffmpeg = |arguments: Vec<String>| async move {
        let ffmpeg = tokio::process::Command::new("ffmpeg")
            .args(["-v", "error", "-nostdin", "-y"])
            .args(arguments)
            .stdin(Stdio::null())
            .output()
            .await
            .unwrap();
        assert!(ffmpeg.status.success(), "{}", String::from_utf8_lossy(&ffmpeg.stderr));
    };
    let words = |text: &str| text.split(' ').map(str::to_owned).collect::<Vec<_>>();
    let mut make = words(
        "-f lavfi -i testsrc2=size=320x240:rate=25 -f lavfi -i sine=sample_rate=44100 -t 12 \
         -c:v libx264 -preset ultrafast -g 50 -bf 2 -c:a aac -f flv",
    );
    make.push(file.display().to_string());
    ffmpeg(make).await;

    let functions = functions().await;
    let gateway = Gateway::start(&functions.url(), &folder.path().join("spool")).await;
    let mut push = words("-i");
    push.push(file.display().to_string());
    push.extend(words("-c copy -f flv"));
    push.push(gateway.url("x?k=v"));
    ffmpeg(push).await;

    let session = functions.ended(1).await.remove(0);
    assert_eq!(session.begin.arguments["k"], "v");
    assert!(session.chunks.len() >= 2, "{}", session.chunks.len());
    assert!(frames(&session.chunks) == file_frames(&file), "the tags are those of the file");
    gateway.stop().await;
}
