//! Who may push.

use std::{path::Path, process::Stdio};

use flv::TagKind;
use gateway::{Config, Settings};
use push_auth::{PushKeys, sign};

use crate::{
    Gateway, control,
    fake::Fake,
    functions,
    media::{AUDIO_HEADER, SHAPE, VIDEO_HEADER, frames, write_flv},
    programs::skip,
    publisher::Publisher,
};

/// Long after any test; no clock has to be read.
const FAR_S: u64 = 1 << 40;
const DOMAIN: &str = "127.0.0.1";

/// A gateway that wants push URLs of this machine signed, by either of two keys.
async fn guarded(functions: &Fake, spool: &Path) -> Gateway {
    let mut push_keys = PushKeys::new(0);
    ["first", "second"].iter().for_each(|key| push_keys.add(DOMAIN, key).unwrap());
    let settings = Settings { push_keys, push_domains: vec![DOMAIN.into()], ..Settings::default() };
    let control = control(settings);
    Gateway::configured(&functions.url(), spool, |config| Config { control, ..config }).await
}

#[tokio::test]
async fn who_has_a_key_of_the_domain_may_push_and_nobody_else() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("x.flv");
    let pushed = write_flv(&file, SHAPE);
    let functions = functions().await;
    let gateway = guarded(&functions, &folder.path().join("spool")).await;
    let wrong = sign("/live/x", FAR_S, "third");
    let other = sign("/live/y", FAR_S, "first");
    let expired = sign("/live/x", 1_444_435_200, "first");
    let right = sign("/live/x", FAR_S, "first");
    for (name, reason) in [
        ("x".to_owned(), "auth_key is missing"),
        (format!("x?auth_key={wrong}"), "auth_key is wrong"),
        (format!("x?auth_key={other}"), "auth_key is wrong"),
        (format!("x?auth_key={expired}"), "auth_key expired"),
        ("x?auth_key=nonsense".into(), "auth_key is not of the form"),
        (format!("x?auth_key={right}&vhost=e.example"), "domain e.example may not be pushed to"),
    ] {
        let error = gateway.push(&file, &name).await.unwrap_err().to_string();
        let expected = format!("server refused: NetStream.Publish.Denied: {reason}");
        assert!(error.starts_with(&expected), "{name}: {error}");
    }
    assert!(functions.log().asked.is_empty(), "the functions are not troubled with strangers");

    for (count, key) in [(1, "first"), (2, "second")] {
        let auth_key = sign("/live/x", FAR_S, key);
        gateway.push(&file, &format!("x?a=b&auth_key={auth_key}")).await.unwrap();
        let session = functions.ended(count).await.pop().unwrap();
        assert_eq!(frames(&session.chunks), pushed);
        let told = [session.begin.arguments, functions.log().asked.pop().unwrap().arguments];
        assert!(told.iter().all(|arguments| arguments.keys().eq(["a"])), "{told:?}");
    }
    gateway.stop().await;
}

#[tokio::test]
async fn a_stranger_is_not_told_which_names_are_in_use_and_takes_none() {
    let folder = tempfile::tempdir().unwrap();
    let functions = functions().await;
    let gateway = guarded(&functions, folder.path()).await;
    let signed = |time_s| format!("x?auth_key={}", sign("/live/x", time_s, "first"));
    let vhost = format!("&vhost={DOMAIN}");
    let start = async |name: String| Publisher::start_from([127, 0, 0, 1], &gateway, &name).await;
    let mut first = start(signed(FAR_S) + &vhost).await.unwrap();
    first.tag(TagKind::Video, 0, &VIDEO_HEADER);
    first.tag(TagKind::Audio, 0, &AUDIO_HEADER);
    first.tag(TagKind::Video, 0, &[0x17, 1, 0, 0, 0, 1]);
    first.flush().await;
    functions.until("the first session", |log| log.sessions.len() == 1).await;
    let error = start("x?auth_key=1-0-0-0".to_owned() + &vhost).await.err().unwrap();
    assert!(error.contains("NetStream.Publish.Denied: auth_key is not"), "{error}");
    assert!(functions.log().sessions[0].ended.is_none());

    // The same publisher comes again with a URL that was signed later: it does not wait for its old connection.
    let mut second = start(signed(FAR_S + 1) + &vhost).await.unwrap();
    first.ended().await;
    second.tag(TagKind::Video, 0, &VIDEO_HEADER);
    second.tag(TagKind::Video, 0, &[0x17, 1, 0, 0, 0, 2]);
    second.flush().await;
    second.finish().await;
    functions.ended(2).await;
    gateway.stop().await;
}

#[tokio::test]
async fn ffmpeg_shows_why_it_is_denied() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("x.flv");
    write_flv(&file, SHAPE);
    let functions = functions().await;
    let gateway = guarded(&functions, &folder.path().join("spool")).await;
    let push = tokio::process::Command::new("ffmpeg")
        .args(["-v", "error", "-nostdin", "-i"])
        .arg(&file)
        .args(["-c", "copy", "-f", "flv", &gateway.url("x?auth_key=0-0-0-0")])
        .stdin(Stdio::null())
        .output()
        .await;
    let Ok(output) = push else {
        return skip("ffmpeg_shows_why_it_is_denied", "ffmpeg");
    };
    let shown = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success() && shown.contains("auth_key is not of the form"), "{shown}");
    gateway.stop().await;
}
