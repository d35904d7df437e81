//! Publishers, a relay and a proxy that we did not write.

use std::{
    fs,
    net::SocketAddr,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use tokio::time::sleep;

use crate::{
    Gateway,
    entrances::Both,
    fake::Session,
    functions,
    media::{Tag, coded, file_frames},
    operation::Operator,
    programs::{Server, free_port, is_there, run},
    publisher::Publisher,
};

/// Thirty seconds of H.264 with B-frames, and of AAC.
fn sample() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/assets/sample.flv")
}

/// The pictures of some tags, or the sounds.
fn track(tags: &[Tag], kind: u8) -> Vec<&Tag> {
    tags.iter().filter(|tag| tag.kind == kind).collect()
}

const AUDIO: u8 = 8;
const VIDEO: u8 = 9;

/// What a push brought. A relay may begin in the midst of its stream, with one track before the other.
fn came(session: &Session) -> Vec<Tag> {
    session.chunks.iter().flat_map(|(_, chunk)| coded(chunk)).collect()
}

/// Checks that a push brought each track of the sample as it is, whatever lies between two tags of a track.
fn check_whole(session: &Session) {
    let (sent, came) = (file_frames(&sample()), came(session));
    for kind in [VIDEO, AUDIO] {
        let (sent, came) = (track(&sent, kind), track(&came, kind));
        assert_eq!(came.len(), sent.len(), "tags of kind {kind}");
        assert!(came == sent, "tags of kind {kind}: {:?}", differing(&sent, &came));
    }
}

/// A frame, without its times.
fn coded_data(tag: &Tag) -> [&[u8]; 2] {
    let (head, rest) = tag.body.split_at(2);
    [head, if tag.kind == VIDEO { &rest[3..] } else { rest }]
}

/// When the pictures are shown after the first of them, in milliseconds.
fn shown_ms(tags: &[&Tag]) -> Vec<i64> {
    // What tells the end of a sequence is no picture.
    let pictures = tags.iter().filter(|tag| tag.kind == VIDEO && tag.body[1] == 1);
    let composition_ms = |body: &[u8]| i64::from(i32::from_be_bytes([body[2], body[3], body[4], 0]) >> 8);
    let shown = pictures.map(|tag| i64::from(tag.timestamp_ms) + composition_ms(&tag.body));
    let shown: Vec<_> = shown.collect();
    shown.iter().map(|shown_ms| shown_ms - shown[0]).collect()
}

/// Checks that a push brought all frames of the sample, and that pictures are shown as far apart as there: GStreamer has
/// the first of them shown at 0, and no decoding time before that.
fn check_media(session: &Session) {
    let (sent, came) = (file_frames(&sample()), came(session));
    for kind in [VIDEO, AUDIO] {
        let [sent, came] = [&sent, &came].map(|tags| track(tags, kind));
        assert_eq!(came.len(), sent.len(), "tags of kind {kind}");
        let is_same = sent.iter().zip(&came).all(|(sent, came)| coded_data(sent) == coded_data(came));
        assert!(is_same && shown_ms(&came) == shown_ms(&sent), "{:?}", differing(&sent, &came));
    }
}

/// The first tags that are not the same.
fn differing<'a>(sent: &[&'a Tag], came: &[&'a Tag]) -> Option<(usize, [&'a Tag; 2])> {
    let pairs = sent.iter().zip(came).enumerate();
    pairs.filter(|(_, (sent, came))| sent != came).map(|(at, (sent, came))| (at, [*sent, *came])).next()
}

#[tokio::test]
async fn both_of_gstreamers_sinks_push_a_file_as_it_is() {
    for (package, element) in [
        ("gstreamer1.0-tools", "filesrc"),
        ("gstreamer1.0-plugins-good", "flvmux"),
        ("gstreamer1.0-plugins-bad", "rtmp2sink"),
        ("gstreamer1.0-plugins-bad", "rtmpsink"),
    ] {
        if !is_there("GStreamer pushes", package, &["gst-inspect-1.0", "--exists", element]) {
            return;
        }
    }
    let folder = tempfile::tempdir().unwrap();
    let functions = functions().await;
    let gateway = Gateway::start(&functions.url(), &folder.path().join("spool")).await;
    for (at, sink) in ["rtmp2sink", "rtmpsink"].into_iter().enumerate() {
        let from = format!("location={}", sample().display());
        let to = format!("location={}", gateway.url(sink));
        let muxed = "flvmux name=m streamable=true d.video ! queue ! m.video d.audio ! queue ! m.audio m. !";
        let mut pipeline = vec!["-q", "filesrc", &from, "!", "flvdemux", "name=d"];
        pipeline.extend(muxed.split(' '));
        pipeline.extend([sink, &to, "sync=false"]);
        run("gst-launch-1.0", &pipeline).await;
        let session = functions.ended(at + 1).await.remove(at);
        assert_eq!(session.stream, format!("127.0.0.1/live/{sink}"));
        check_media(&session);
    }
    gateway.stop().await;
}

/// nginx that takes RTMP at an address, and pushes what it gets there to another.
async fn nginx(folder: &Path, address: SocketAddr, to: SocketAddr) -> Server {
    let module = NGINX_RTMP;
    let text = format!(
        "load_module {module};\ndaemon off;\nmaster_process off;\npid pid;\nerror_log log info;\n\
         events {{}}\n\
         rtmp {{ server {{ listen {address}; application in {{\n\
         live on;\npush rtmp://{to}/live?vhost=d.example;\npush_reconnect 200ms;\n}} }} }}\n"
    );
    fs::write(folder.join("nginx.conf"), text).unwrap();
    let mut nginx = Command::new(NGINX);
    nginx.args(["-e", "stderr", "-c", "nginx.conf", "-p"]).arg(folder);
    Server::start(&mut nginx, address).await
}

const NGINX: &str = "/usr/sbin/nginx";
const NGINX_RTMP: &str = "/usr/lib/nginx/modules/ngx_rtmp_module.so";

/// Whether nginx and ffmpeg are there.
fn has_nginx(what: &str) -> bool {
    is_there(what, "libnginx-mod-rtmp", &["test", "-e", NGINX_RTMP])
        && is_there(what, "ffmpeg", &["ffmpeg", "-version"])
}

/// Ten seconds of the sample, as ffmpeg writes and pushes them.
async fn excerpt(folder: &Path) -> PathBuf {
    let (sample, file) = (sample(), folder.join("excerpt.flv"));
    let arguments = ["-v", "error", "-t", "10", "-i", sample.to_str().unwrap(), "-c", "copy"];
    run("ffmpeg", &[&arguments[..], &[file.to_str().unwrap()]].concat()).await;
    file
}

/// Has ffmpeg push a file, at its pace or as fast as it goes.
async fn ffmpeg(pace: &[&str], file: &Path, url: &str) {
    let input = ["-i", file.to_str().unwrap(), "-c", "copy", "-f", "flv", url];
    run("ffmpeg", &[&["-v", "error"], pace, &input[..]].concat()).await;
}

/// Checks that each track of a push is a part of the file without a hole; answers where in time each part lies, as its
/// first tag and its last one.
fn parts(session: &Session, file: &Path) -> [[u32; 2]; 2] {
    let (sent, came) = (file_frames(file), came(session));
    [VIDEO, AUDIO].map(|kind| {
        let (sent, came) = (track(&sent, kind), track(&came, kind));
        let from = sent.iter().position(|tag| *tag == came[0]).expect("a tag of the file");
        let part = &sent[from..][..came.len()];
        assert!(came == part, "tags of kind {kind}: {:?}", differing(part, &came));
        [came[0].timestamp_ms, came[came.len() - 1].timestamp_ms]
    })
}

/// Where in time the tracks of the file end.
fn ends(file: &Path) -> [u32; 2] {
    let sent = file_frames(file);
    [VIDEO, AUDIO].map(|kind| track(&sent, kind).last().unwrap().timestamp_ms)
}

#[tokio::test]
async fn nginx_hands_on_what_ffmpeg_pushes_and_comes_again_where_the_gateway_restarts() {
    if !has_nginx("nginx pushes") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let spool = folder.path().join("spool");
    let functions = functions().await;
    let gateway = Gateway::start(&functions.url(), &spool).await;
    let to = gateway.address;
    let address = free_port(42).await;
    let _nginx = nginx(folder.path(), address, to).await;
    let file = excerpt(folder.path()).await;
    let url = format!("rtmp://{address}/in/x");
    let check_ends = |parts: [[u32; 2]; 2]| {
        assert_eq!(parts.map(|[_, end]| end), ends(&file));
    };
    let check_begins = |parts: [[u32; 2]; 2]| {
        // What comes before nginx has connected, and pictures before the next keyframe, it hands on to nobody: there is
        // one every two seconds.
        assert!(parts.iter().all(|[begin, _]| *begin <= 4_000), "{parts:?}");
    };

    ffmpeg(&["-re"], &file, &url).await;
    let whole = functions.ended(1).await.remove(0);
    assert_eq!(whole.stream, "d.example/live/x");
    assert_eq!(whole.begin.arguments, [("vhost".into(), "d.example".into())].into());
    let found = parts(&whole, &file);
    check_begins(found);
    check_ends(found);

    let restarted = async {
        functions.until("the push", |log| log.sessions.len() == 2).await;
        sleep(Duration::from_secs(2)).await;
        gateway.stop().await;
        Gateway::listening(to, crate::config(&functions.url(), &spool)).await
    };
    let (gateway, ()) = tokio::join!(restarted, ffmpeg(&["-re"], &file, &url));
    let sessions = functions.ended(3).await;
    let [before, after] = [&sessions[1], &sessions[2]].map(|session| parts(session, &file));
    check_begins(before);
    check_ends(after);
    for (before, after) in before.iter().zip(after) {
        // It tries again each 200 ms, and pictures begin at a keyframe then as well.
        assert!((before[1]..before[1] + 5_000).contains(&after[0]), "{before:?} {after:?}");
    }
    gateway.stop().await;
}

const HAPROXY: &str = "/usr/sbin/haproxy";

/// HAProxy at an address of its own, from where it connects to a gateway's as well and looks whether that is up.
async fn haproxy(folder: &Path, address: SocketAddr, to: SocketAddr) -> Server {
    let file = folder.join(format!("haproxy-{}.cfg", to.port()));
    let text = format!(
        "defaults\n  mode tcp\n  timeout connect 5s\n  timeout client 60s\n  timeout server 60s\n\
         listen rtmp\n  bind {address}\n\
         \x20 server gateway {to} source {} send-proxy-v2 check inter 100ms\n",
        address.ip()
    );
    fs::write(&file, text).unwrap();
    Server::start(Command::new(HAPROXY).args(["-q", "-db", "-f"]).arg(&file), address).await
}

#[tokio::test]
async fn haproxy_says_who_pushes_in_the_clear_and_in_tls() {
    let what = "HAProxy in front of the gateway";
    if !is_there(what, "haproxy", &[HAPROXY, "-v"]) || !is_there(what, "ffmpeg", &["ffmpeg", "-version"]) {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let (functions, operator) = (functions().await, Operator::start(None).await);
    let [plain, tls] = [free_port(44).await, free_port(44).await];
    let control = operator.control.clone();
    let gateway =
        Both::start_for(&functions, folder.path(), control, "127.0.0.44", "127.0.0.1,127.0.0.7").await;
    let _proxies =
        [haproxy(folder.path(), plain, gateway.plain).await, haproxy(folder.path(), tls, gateway.tls).await];
    for (at, url) in [format!("rtmp://{plain}/live/x"), format!("rtmps://{tls}/live/y")].iter().enumerate() {
        ffmpeg(&[], &sample(), url).await;
        let session = functions.ended(at + 1).await.remove(at);
        check_whole(&session);
        // It connected to an address that is the proxy's own.
        assert!(session.begin.client.starts_with("127.0.0.1:"), "{}", session.begin.client);
        assert!(session.stream.starts_with("127.0.0.44/live/"), "{}", session.stream);
    }
    // Where one may push from goes by that address, and who publishes is seen under it.
    let publisher = Publisher::start_at([127, 0, 0, 7], plain, "z").await.unwrap();
    let client = operator.control.publisher_views().remove(0).client;
    assert!(client.starts_with("127.0.0.7:"), "{client}");
    publisher.finish().await;
    assert!(Publisher::start_at([127, 0, 0, 8], plain, "z").await.is_err());
    // The proxy's own connections, by which it knows that the gateway is there, are none that fail.
    assert_eq!(
        operator.sample("live_recorder_connections_refused_total{reason=\"proxy_header\"}").await,
        0.0
    );
    assert_eq!(operator.sample("live_recorder_connections_failed_total").await, 0.0);
    let elsewhere = "live_recorder_connections_refused_total{reason=\"elsewhere\"}";
    assert_eq!(operator.sample(elsewhere).await, 1.0);
    gateway.stop().await;
}
