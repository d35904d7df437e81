//! Connections that never publish, and too many of them.

use std::{
    future::poll_fn,
    task::Poll,
    time::{Duration, Instant},
};

use flv::TagKind;
use gateway::{Config, Settings};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpSocket, TcpStream},
    time::{sleep, timeout},
};

use crate::{
    Gateway, control, functions,
    media::{AUDIO_HEADER, SHAPE, frames, write_flv},
    publisher::Publisher,
};

async fn connect_from(address: [u8; 4], gateway: &Gateway) -> TcpStream {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind((address, 0).into()).unwrap();
    socket.connect(gateway.address).await.unwrap()
}

/// Whether the gateway answers a handshake.
async fn is_answered(socket: &mut TcpStream) -> bool {
    let mut hello = vec![0; 1_537];
    hello[0] = 3;
    socket.write_all(&hello).await.is_ok() && socket.read_u8().await.is_ok()
}

#[tokio::test]
async fn a_connection_that_trickles_is_ended_while_another_one_publishes() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("x.flv");
    let pushed = write_flv(&file, SHAPE);
    let functions = functions().await;
    let gateway = Gateway::start(&functions.url(), &folder.path().join("spool")).await;
    let (mut reading, mut writing) = connect_from([127, 0, 0, 1], &gateway).await.into_split();
    // A handshake that would take hours; each byte comes in time.
    let trickling = tokio::spawn(async move {
        while writing.write_all(&[3]).await.is_ok() {
            sleep(Duration::from_millis(500)).await;
        }
    });
    gateway.push(&file, "x").await.unwrap();
    let mut answers = Vec::new();
    let end = timeout(Duration::from_secs(30), reading.read_to_end(&mut answers)).await;
    assert!(end.is_ok(), "it should be ended");
    trickling.await.unwrap();
    let session = functions.ended(1).await.remove(0);
    assert!(frames(&session.chunks) == pushed);
    gateway.stop().await;
}

#[tokio::test]
async fn an_address_has_so_many_connections_and_others_find_a_place() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("x.flv");
    let pushed = write_flv(&file, SHAPE);
    let functions = functions().await;
    let change = |config| Config { max_connections: Some(4), max_connections_per_address: Some(3), ..config };
    let gateway = Gateway::configured(&functions.url(), &folder.path().join("spool"), change).await;
    let mut idle = Vec::new();
    for _ in 0..3 {
        idle.push(connect_from([127, 0, 0, 2], &gateway).await);
    }
    assert!(!is_answered(&mut connect_from([127, 0, 0, 2], &gateway).await).await);
    gateway.push(&file, "x").await.unwrap();
    let session = functions.ended(1).await.remove(0);
    assert!(frames(&session.chunks) == pushed);

    let publisher = Publisher::start_from([127, 0, 0, 1], &gateway, "y").await.unwrap();
    assert!(!is_answered(&mut connect_from([127, 0, 0, 3], &gateway).await).await);
    drop(idle);
    publisher.finish().await;
    // The places of those that left are free.
    while !is_answered(&mut connect_from([127, 0, 0, 2], &gateway).await).await {}
    gateway.stop().await;
}

#[tokio::test]
async fn who_comes_from_elsewhere_is_sent_away_at_once_and_takes_no_place() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("x.flv");
    let pushed = write_flv(&file, SHAPE);
    let functions = functions().await;
    let push_from = vec!["127.0.0.1".parse().unwrap(), "127.1.0.0/16".parse().unwrap()];
    let change = |config| Config {
        control: control(Settings { push_from, ..Settings::default() }),
        max_connections: Some(4),
        max_connections_per_address: Some(4),
        ..config
    };
    let gateway = Gateway::configured(&functions.url(), &folder.path().join("spool"), change).await;
    let mut sent_away = Vec::new();
    for _ in 0..20 {
        let mut elsewhere = connect_from([127, 0, 0, 2], &gateway).await;
        let end = timeout(Duration::from_secs(5), elsewhere.read_u8()).await;
        assert!(end.unwrap().is_err(), "it has nothing to read and is closed");
        sent_away.push(elsewhere);
    }
    assert!(is_answered(&mut connect_from([127, 1, 2, 3], &gateway).await).await);
    gateway.push(&file, "x").await.unwrap();
    let session = functions.ended(1).await.remove(0);
    assert!(frames(&session.chunks) == pushed);
    gateway.stop().await;
}

/// A command without more than its name, number and null, in a chunk of its own: RTMP specification 5.3.1 and 7.1.1.
fn command(name: &str, object: &[u8]) -> Vec<u8> {
    let name_length = u8::try_from(name.len()).unwrap();
    let number = [&[0][..], &1_f64.to_be_bytes()].concat();
    let body = [&[2, 0, name_length], name.as_bytes(), &number, object].concat();
    let length = u8::try_from(body.len()).unwrap();
    [&[3, 0, 0, 0, 0, 0, length, 20, 0, 0, 0, 0], &body[..]].concat()
}

#[tokio::test]
async fn a_connection_that_asks_without_end_and_reads_slowly_is_ended() {
    let folder = tempfile::tempdir().unwrap();
    let functions = functions().await;
    let gateway = Gateway::start(&functions.url(), &folder.path().join("spool")).await;
    let mut socket = connect_from([127, 0, 0, 1], &gateway).await;
    assert!(is_answered(&mut socket).await);
    let (mut reading, mut writing) = socket.into_split();
    let asking = tokio::spawn(async move {
        let connect = command("connect", b"\x03\0\x03app\x02\0\x04live\0\0\x09");
        let mut bytes = [&[0; 1_536][..], &connect].concat();
        while writing.write_all(&bytes).await.is_ok() {
            bytes = command("createStream", &[5]).repeat(4_096);
        }
    });
    let slowly = async {
        let mut answers = vec![0; 8_192];
        while reading.read(&mut answers).await.is_ok_and(|length| length > 0) {
            sleep(Duration::from_millis(50)).await;
        }
    };
    assert!(timeout(Duration::from_secs(40), slowly).await.is_ok(), "it should be ended");
    asking.await.unwrap();
    gateway.stop().await;
}

#[tokio::test]
async fn an_encoder_that_begins_again_and_again_takes_turns() {
    let folder = tempfile::tempdir().unwrap();
    let functions = functions().await;
    let gateway = Gateway::start(&functions.url(), &folder.path().join("spool")).await;
    let began = Instant::now();
    let mut sessions = 0;
    // Until one has to wait for its turn, which comes each five seconds.
    loop {
        let publisher = Publisher::start_from([127, 0, 0, 1], &gateway, "x");
        let Ok(publisher) = tokio::time::timeout(Duration::from_secs(3), publisher).await else { break };
        let Ok(mut publisher) = publisher else { continue };
        publisher.tag(TagKind::Audio, 0, &AUDIO_HEADER);
        publisher.tag(TagKind::Audio, 0, &[0xaf, 1, 7]);
        publisher.flush().await;
        publisher.finish().await;
        sessions += 1;
    }
    let most = 10 + began.elapsed().as_secs() / 5;
    assert!((10..=most).contains(&sessions), "{sessions} of {most} began");
    // Another publisher, and another stream, are not held up.
    for (address, name) in [([127, 0, 0, 2], "x"), ([127, 0, 0, 1], "y")] {
        let publisher = Publisher::start_from(address, &gateway, name);
        tokio::time::timeout(Duration::from_secs(1), publisher).await.unwrap().unwrap();
    }
    gateway.stop().await;
}

/// Lets each other task that is ready have a turn.
async fn one_turn() {
    let mut is_over = false;
    poll_fn(|context| {
        context.waker().wake_by_ref();
        if std::mem::replace(&mut is_over, true) { Poll::Ready(()) } else { Poll::Pending }
    })
    .await;
}

#[tokio::test]
async fn a_connection_that_sends_much_at_once_leaves_others_their_turns() {
    const COUNT: u64 = 20_000;
    let folder = tempfile::tempdir().unwrap();
    let functions = functions().await;
    let control = control(Settings::default());
    let change = |config| Config { control: control.clone(), ..config };
    let gateway = Gateway::configured(&functions.url(), &folder.path().join("spool"), change).await;
    let mut publisher = Publisher::start_from([127, 0, 0, 1], &gateway, "x").await.unwrap();
    publisher.tag(TagKind::Audio, 0, &AUDIO_HEADER);
    let frame = [0xaf, 1, 1];
    (0..COUNT).for_each(|time| publisher.tag(TagKind::Audio, time as u32, &frame));
    // Frames that the gateway takes between two turns of a task beside it.
    let looking = tokio::spawn(async move {
        let (mut most, mut before) = (0, 0);
        while before < COUNT {
            let bytes = control.publisher_views().first().map_or(0, |view| view.media_bytes);
            let now = bytes / frame.len() as u64;
            most = most.max(now - before);
            before = now;
            one_turn().await;
        }
        most
    });
    publisher.flush().await;
    let most = timeout(Duration::from_secs(30), looking).await.unwrap().unwrap();
    assert!(most <= 500, "{most} at a time");
    publisher.finish().await;
    gateway.stop().await;
}
