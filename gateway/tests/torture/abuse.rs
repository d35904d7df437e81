//! Who means no good, or does not work.

use std::{io, net::SocketAddr, time::Duration};

use flv::TagKind;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpSocket, TcpStream},
    task::JoinSet,
    time::{sleep, timeout},
};

use crate::{
    Gateway,
    media::{AUDIO_HEADER, VIDEO_HEADER},
    publisher::Publisher,
};

/// Addresses of abusers, beside the one of real publishers.
const ADDRESSES: u8 = 3;

/// Starts all of them, with so many connections.
pub(crate) fn start(tasks: &mut JoinSet<()>, gateway: Gateway, connections: usize) {
    for at in 0..connections {
        let from = [127, 0, 0, 2 + (at % usize::from(ADDRESSES)) as u8];
        match at % 20 {
            0..12 => tasks.spawn(again(move || idle(gateway.address, from))),
            12..16 => tasks.spawn(again(move || trickle(gateway.address, from))),
            16..19 => tasks.spawn(again(move || garbage(gateway.address, from))),
            _ => tasks.spawn(again(move || ask_and_leave(gateway.address, from))),
        };
    }
    for number in 0..8 {
        tasks.spawn(publish_without_media(gateway, number));
    }
    tasks.spawn(crash_again_and_again(gateway));
    for number in 0..3 {
        tasks.spawn(push_what_cannot_be_delivered(gateway, number));
    }
}

/// Does something for ever, whatever comes of it.
async fn again<F: Future<Output = io::Result<()>>>(abuse: impl Fn() -> F) {
    loop {
        let _ = timeout(Duration::from_secs(20), abuse()).await;
        sleep(Duration::from_millis(fastrand::u64(1_000..5_000))).await;
    }
}

async fn connect(gateway: SocketAddr, from: [u8; 4]) -> io::Result<TcpStream> {
    let socket = TcpSocket::new_v4()?;
    socket.bind((from, 0).into())?;
    socket.connect(gateway).await
}

/// Connects and says nothing.
async fn idle(gateway: SocketAddr, from: [u8; 4]) -> io::Result<()> {
    let mut socket = connect(gateway, from).await?;
    socket.read_to_end(&mut Vec::new()).await.map(drop)
}

/// Says a byte now and then.
async fn trickle(gateway: SocketAddr, from: [u8; 4]) -> io::Result<()> {
    let mut socket = connect(gateway, from).await?;
    loop {
        socket.write_all(&[3]).await?;
        sleep(Duration::from_millis(300)).await;
    }
}

/// Says anything.
async fn garbage(gateway: SocketAddr, from: [u8; 4]) -> io::Result<()> {
    let mut socket = connect(gateway, from).await?;
    // A handshake that is right, at times.
    let mut bytes = vec![3];
    bytes.extend((0..fastrand::usize(..30_000)).map(|_| fastrand::u8(..)));
    socket.write_all(&bytes).await?;
    socket.shutdown().await?;
    socket.read_to_end(&mut Vec::new()).await.map(drop)
}

/// Ends the connection as a machine does that does not know it.
async fn ask_and_leave(gateway: SocketAddr, from: [u8; 4]) -> io::Result<()> {
    let mut socket = connect(gateway, from).await?;
    socket.write_all(&[3; 1_537]).await?;
    socket.set_zero_linger()
}

/// Takes names and sends nothing, or nothing that is media.
async fn publish_without_media(gateway: Gateway, number: u32) {
    for at in 0.. {
        let name = format!("nobody{number}-{}", at % 50);
        let publisher =
            timeout(Duration::from_secs(5), Publisher::start_from([127, 0, 0, 6], &gateway, &name));
        if let Ok(Ok(mut publisher)) = publisher.await
            && at % 4 == 0
        {
            publisher.tag(TagKind::Video, 0, &VIDEO_HEADER);
            publisher.try_flush().await;
            let _ = timeout(Duration::from_secs(5), publisher.ended()).await;
        }
        sleep(Duration::from_millis(20)).await;
    }
}

/// An encoder that begins, and crashes.
async fn crash_again_and_again(gateway: Gateway) {
    loop {
        let publisher =
            timeout(Duration::from_secs(6), Publisher::start_from([127, 0, 0, 7], &gateway, "crash"));
        if let Ok(Ok(mut publisher)) = publisher.await {
            publisher.tag(TagKind::Audio, 0, &AUDIO_HEADER);
            publisher.tag(TagKind::Audio, 0, &[0xaf, 1, 7]);
            publisher.try_flush().await;
            publisher.hang_up(fastrand::bool());
        }
        sleep(Duration::from_millis(20)).await;
    }
}

/// Sends much, of which the functions take nothing.
async fn push_what_cannot_be_delivered(gateway: Gateway, number: u32) {
    loop {
        let name = format!("dead{number}");
        let publisher = Publisher::start_from([127, 0, 0, 8], &gateway, &name).await;
        if let Ok(mut publisher) = publisher {
            publisher.tag(TagKind::Video, 0, &VIDEO_HEADER);
            let mut body = vec![0; 20_000];
            for at in 0..3_000_u32 {
                body[..2].copy_from_slice(&[if at % 25 == 0 { 0x17 } else { 0x27 }, 1]);
                publisher.tag(TagKind::Video, at * 40, &body);
                if !publisher.try_flush().await {
                    break;
                }
                sleep(Duration::from_millis(5)).await;
            }
            publisher.hang_up(false);
        }
        sleep(Duration::from_secs(1)).await;
    }
}
