//! Pushes that go well.

use std::process::Stdio;

use crate::{
    Gateway, fake, functions,
    media::{SHAPE, Shape, begins_with_keyframe, file_frames, frames, write_flv},
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
    assert_eq!((session.begin.video_codec.as_str(), session.begin.audio_codec.as_str()), ("h264", "aac"));
    assert_eq!(session.begin.video_kbps, 2500);
    gateway.stop().await;
    let left = std::fs::read_dir(folder.path().join("spool/pushes")).unwrap().count();
    assert_eq!(left, 0, "the spool is empty");
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
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("x.flv");
    let ffmpeg = |arguments: Vec<String>| async move {
        let ffmpeg = tokio::process::Command::new("ffmpeg")
            .args(["-v", "error", "-nostdin", "-y"])
            .args(arguments)
            .stdin(Stdio::null())
            .output()
            .await
            .expect("ffmpeg should be installed: apt-get install ffmpeg");
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
