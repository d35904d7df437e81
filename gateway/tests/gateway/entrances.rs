//! What comes before RTMP: TLS, and the header of a proxy.

use std::{
    fs,
    net::SocketAddr,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
    time::Duration,
};

use flv::TagKind;
use gateway::{Certificates, Config, Control, Entrance, Settings};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, copy_bidirectional},
    net::{TcpListener, TcpSocket, TcpStream},
    time::{Instant, sleep, sleep_until, timeout},
};
use tokio_rustls::{
    TlsConnector,
    client::TlsStream,
    rustls::{
        ClientConfig, RootCertStore, crypto,
        pki_types::{CertificateDer, ServerName, pem::PemObject},
    },
};
use tokio_util::sync::CancellationToken;

use crate::{
    Gateway, control,
    fake::Fake,
    functions,
    media::{SHAPE, frames, write_flv},
    operation::{Operator, publish},
    programs::skip,
    publisher::Publisher,
    tls::pem,
};

/// Every address of this machine.
const LOOPBACK: &str = "127.0.0.0/8";

/// A gateway at a plain address and at one with TLS, whose certificate is in `folder`.
pub(crate) struct Both {
    pub(crate) plain: SocketAddr,
    pub(crate) tls: SocketAddr,
    shutdown: CancellationToken,
    task: tokio::task::JoinHandle<anyhow::Result<()>>,
}

impl Both {
    pub(crate) async fn start(functions: &Fake, folder: &Path, control: Control, proxy_from: &str) -> Self {
        Self::start_for(functions, folder, control, proxy_from, "").await
    }

    /// The same for publishers of some networks alone.
    pub(crate) async fn start_for(
        functions: &Fake,
        folder: &Path,
        control: Control,
        proxy_from: &str,
        push_from: &str,
    ) -> Self {
        show(folder, "server");
        let certificates =
            Certificates::load(&folder.join("certificate.pem"), &folder.join("key.pem")).unwrap();
        let [plain, tls] = [
            TcpListener::bind("127.0.0.1:0").await.unwrap(),
            TcpListener::bind("127.0.0.1:0").await.unwrap(),
        ];
        let addresses = [&plain, &tls].map(|listener| listener.local_addr().unwrap());
        let networks =
            |text: &str| text.split_terminator(',').map(|network| network.parse().unwrap()).collect();
        let [proxy_from, push_from] = [proxy_from, push_from].map(networks);
        let settings = Settings { proxy_from, push_from, ..(*control.settings()).clone() };
        control.change(settings).unwrap();
        let config = crate::config(&functions.url(), &folder.join("spool"));
        let config = Config { control, max_connections_per_address: Some(2), ..config };
        let shutdown = CancellationToken::new();
        let gateway = gateway::open(config).await.unwrap();
        let entrances = vec![Entrance::rtmp(plain), Entrance::rtmps(tls, certificates)];
        let task = tokio::spawn(gateway.run(entrances, shutdown.clone()));
        Self { plain: addresses[0], tls: addresses[1], shutdown, task }
    }

    pub(crate) async fn stop(self) {
        self.shutdown.cancel();
        self.task.await.unwrap().unwrap();
    }
}

/// Puts a certificate and its key where the gateway reads them.
fn show(folder: &Path, name: &str) {
    fs::copy(pem(&format!("{name}.pem")), folder.join("certificate.pem")).unwrap();
    fs::copy(pem(&format!("{name}.key.pem")), folder.join("key.pem")).unwrap();
}

fn connector() -> TlsConnector {
    let mut roots = RootCertStore::empty();
    for root in ["authority.pem", "renewed.pem"] {
        roots.add(CertificateDer::from_pem_file(pem(root)).unwrap()).unwrap();
    }
    let config = ClientConfig::builder_with_provider(Arc::new(crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap();
    TlsConnector::from(Arc::new(config.with_root_certificates(roots).with_no_client_auth()))
}

async fn connect_tls(socket: TcpStream) -> std::io::Result<TlsStream<TcpStream>> {
    connector().connect(ServerName::try_from("localhost").unwrap(), socket).await
}

/// The certificate that is shown now.
async fn shown(address: SocketAddr) -> CertificateDer<'static> {
    let stream = connect_tls(TcpStream::connect(address).await.unwrap()).await.unwrap();
    stream.get_ref().1.peer_certificates().unwrap()[0].clone().into_owned()
}

fn certificate(name: &str) -> CertificateDer<'static> {
    CertificateDer::from_pem_file(pem(name)).unwrap()
}

/// A plain address that leads to a gateway's, past a header where there is one, and through TLS where that is spoken.
async fn lead(to: SocketAddr, header: Vec<u8>, speaks_tls: bool) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        loop {
            let (mut near, _) = listener.accept().await.unwrap();
            let header = header.clone();
            tokio::spawn(async move {
                let mut far = TcpStream::connect(to).await.unwrap();
                far.set_nodelay(true).unwrap();
                far.write_all(&header).await.unwrap();
                if speaks_tls {
                    let mut far = connect_tls(far).await.unwrap();
                    let _ = copy_bidirectional(&mut near, &mut far).await;
                } else {
                    let _ = copy_bidirectional(&mut near, &mut far).await;
                }
            });
        }
    });
    address
}

/// A header of a proxy to which somebody connected from `192.0.2.{last}`, at 198.51.100.9.
fn header(last: u8) -> Vec<u8> {
    let addresses = [192, 0, 2, last, 198, 51, 100, 9, 0x1f, 0x90, 0x07, 0x8f];
    [&b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c"[..], &addresses].concat()
}

async fn push(
    address: SocketAddr,
    file: &Path,
    name: &str,
    fast: bool,
) -> anyhow::Result<gateway::push::Summary> {
    let url = format!("rtmp://{address}/live/{name}");
    gateway::push::push(gateway::push::Options { file: file.into(), url, fast }).await
}

/// Whether the gateway ends a connection without a word about RTMP.
async fn is_sent_away(mut socket: TcpStream, sends: &[u8]) -> bool {
    let _ = socket.write_all(sends).await;
    let mut answer = Vec::new();
    let read = timeout(Duration::from_secs(8), socket.read_to_end(&mut answer)).await;
    read.is_ok() && answer.first() != Some(&3)
}

#[tokio::test]
async fn a_push_in_tls_is_recorded_and_goes_on_while_the_certificate_is_renewed() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("x.flv");
    // Eight seconds at its pace.
    let pushed = write_flv(&file, crate::media::Shape { frames: 200, ..SHAPE });
    let (functions, operator) = (functions().await, Operator::start(None).await);
    let gateway = Both::start(&functions, folder.path(), operator.control.clone(), "").await;
    assert_eq!(shown(gateway.tls).await, certificate("server.pem"));
    let address = lead(gateway.tls, Vec::new(), true).await;
    let pushing = tokio::spawn({
        let file = file.clone();
        async move { push(address, &file, "x", false).await }
    });
    operator.until("live_recorder_publishers", |count| count == 1.0).await;
    // Half of a new pair is none.
    fs::copy(pem("renewed.pem"), folder.path().join("certificate.pem")).unwrap();
    operator.until("live_recorder_certificates_failed_total", |count| count >= 1.0).await;
    let failing = "live_recorder_certificate_failing";
    assert_eq!(operator.sample(failing).await, 1.0);
    assert_eq!(shown(gateway.tls).await, certificate("server.pem"));
    show(folder.path(), "renewed");
    operator.until("live_recorder_certificates_read_total", |count| count >= 1.0).await;
    assert_eq!(operator.sample(failing).await, 0.0);
    assert_eq!(shown(gateway.tls).await, certificate("renewed.pem"));
    assert!(!pushing.is_finished(), "the push goes on meanwhile");
    pushing.await.unwrap().unwrap();
    // At the plain address as well, and as fast as it goes in TLS.
    push(gateway.plain, &file, "y", true).await.unwrap();
    push(lead(gateway.tls, Vec::new(), true).await, &file, "z", true).await.unwrap();
    for session in functions.ended(3).await {
        assert!(frames(&session.chunks) == pushed, "{}", session.stream);
    }
    gateway.stop().await;
}

#[tokio::test]
async fn a_push_in_tls_is_read_as_fast_as_it_comes() {
    const FRAME_BYTES: usize = 40_000;
    const FRAMES_PER_S: usize = 25;
    let folder = tempfile::tempdir().unwrap();
    let (functions, operator) = (functions().await, Operator::start(None).await);
    let gateway = Both::start(&functions, folder.path(), operator.control.clone(), "").await;
    // Each record has what was copied at once: at most 8 KiB.
    let tls = lead(gateway.tls, Vec::new(), true).await;
    let mut at = Gateway { address: tls, shutdown: gateway.shutdown, task: gateway.task };
    let in_tls = publish(&at, "x").await;
    at.address = gateway.plain;
    let plain = publish(&at, "y").await;
    let sent = AtomicUsize::new(0);
    // Four seconds at their pace; answers how long it took. Who is not read from is held back.
    let push = async |mut publisher: Publisher| {
        let began = Instant::now();
        for frame in 1..=4 * FRAMES_PER_S {
            let body = [&[0x27, 1][..], &[0; FRAME_BYTES]].concat();
            let sent_ms = 1_000 * frame / FRAMES_PER_S;
            publisher.tag(TagKind::Video, sent_ms as u32, &body);
            publisher.flush().await;
            let sent = sent.fetch_add(FRAME_BYTES, Relaxed) as f64;
            if frame % 5 == 0 {
                let taken = operator.sample("live_recorder_received_bytes_total").await;
                let second = (FRAME_BYTES * FRAMES_PER_S) as f64;
                assert!(sent - taken < second, "of {sent} bytes {taken} are taken");
            }
            sleep_until(began + Duration::from_millis(sent_ms as u64)).await;
        }
        publisher.finish().await;
        began.elapsed()
    };
    let (in_tls, plain) = tokio::join!(push(in_tls), push(plain));
    assert!(in_tls < plain + plain / 4, "{in_tls:?} in TLS, {plain:?} without");
    functions.ended(2).await;
    at.stop().await;
}

#[tokio::test]
async fn ffmpeg_pushes_in_tls() {
    let folder = tempfile::tempdir().unwrap();
    let functions = functions().await;
    let gateway = Both::start(&functions, folder.path(), control(Settings::default()), "").await;
    let sample = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/assets/sample.flv");
    let url = format!("rtmps://127.0.0.1:{}/live/x", gateway.tls.port());
    let mut ffmpeg = tokio::process::Command::new("ffmpeg");
    ffmpeg.args(["-v", "error", "-t", "10", "-i", sample, "-c", "copy", "-f", "flv", &url]);
    match ffmpeg.output().await {
        Ok(output) => assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr)),
        Err(_) => return skip("ffmpeg_pushes_in_tls", "ffmpeg"),
    }
    let session = functions.ended(1).await.remove(0);
    assert!(frames(&session.chunks).len() > 300, "{}", frames(&session.chunks).len());
    gateway.stop().await;
}

#[tokio::test]
async fn a_handshake_has_as_long_as_a_connection_has_to_publish() {
    let folder = tempfile::tempdir().unwrap();
    let (functions, operator) = (functions().await, Operator::start(None).await);
    let gateway = Both::start(&functions, folder.path(), operator.control.clone(), "").await;
    let began = Instant::now();
    let silent = TcpStream::connect(gateway.tls).await.unwrap();
    let mut handshaken = async {
        // Half of the time goes by before TLS, and the rest is what is left to publish.
        let socket = TcpStream::connect(gateway.tls).await.unwrap();
        sleep(Duration::from_secs(5)).await;
        connect_tls(socket).await.unwrap()
    }
    .await;
    let ended = async { handshaken.read_to_end(&mut Vec::new()).await };
    let _ = timeout(Duration::from_secs(20), ended).await.expect("it should be ended");
    assert!(began.elapsed() < Duration::from_secs(13), "{:?}", began.elapsed());
    assert!(is_sent_away(silent, &[]).await);
    let plain = TcpStream::connect(gateway.tls).await.unwrap();
    assert!(is_sent_away(plain, &[3; 1_537]).await, "RTMP is no TLS");
    assert!(operator.sample("live_recorder_connections_refused_total{reason=\"tls\"}").await >= 1.0);
    gateway.stop().await;
}

#[tokio::test]
async fn a_trusted_proxy_says_whose_connection_it_is_and_has_to() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("x.flv");
    let pushed = write_flv(&file, SHAPE);
    let (functions, operator) = (functions().await, Operator::start(None).await);
    let control = operator.control.clone();
    let gateway = Both::start_for(&functions, folder.path(), control, LOOPBACK, "192.0.2.0/25").await;
    // Before RTMP, and before TLS.
    push(lead(gateway.plain, header(1), false).await, &file, "x?vhost=d.example", true).await.unwrap();
    push(lead(gateway.tls, header(2), true).await, &file, "y", true).await.unwrap();
    let sessions = functions.ended(2).await;
    for (session, client) in sessions.iter().zip(["192.0.2.1:8080", "192.0.2.2:8080"]) {
        assert!(frames(&session.chunks) == pushed);
        assert_eq!(session.begin.client, client);
    }
    let connect = || async { TcpStream::connect(gateway.plain).await.unwrap() };
    for sends in [&[3; 1_537][..], b"PROXY TCP4 192.0.2.1 198.51.100.9 1 2\r\n", &header(1)[..20]] {
        let mut socket = connect().await;
        socket.write_all(sends).await.unwrap();
        let _ = socket.shutdown().await;
        assert!(is_sent_away(socket, &[]).await, "{sends:?}");
    }
    let refused = "live_recorder_connections_refused_total{reason=\"proxy_header\"}";
    operator.until(refused, |count| count == 3.0).await;

    // An address that is told has as many connections as another one.
    let hello = |last| [&header(last)[..], &[3; 1_537]].concat();
    let mut kept = Vec::new();
    for _ in 0..2 {
        let mut socket = connect().await;
        socket.write_all(&hello(7)).await.unwrap();
        assert_eq!(socket.read_u8().await.unwrap(), 3);
        kept.push(socket);
    }
    assert!(is_sent_away(connect().await, &hello(7)).await);
    assert_eq!(operator.sample("live_recorder_connections_refused_total{reason=\"address\"}").await, 1.0);
    let mut other = connect().await;
    other.write_all(&hello(8)).await.unwrap();
    assert_eq!(other.read_u8().await.unwrap(), 3);
    // Whether one may push goes by the address that is told as well, and not by the proxy's.
    assert!(is_sent_away(connect().await, &hello(128)).await);
    let elsewhere = "live_recorder_connections_refused_total{reason=\"elsewhere\"}";
    assert_eq!(operator.sample(elsewhere).await, 1.0);
    drop((kept, other));
    operator.until("live_recorder_connections", |count| count == 0.0).await;
    gateway.stop().await;
}

#[tokio::test]
async fn nobody_else_may_say_whose_connection_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let functions = functions().await;
    let gateway =
        Both::start(&functions, folder.path(), control(Settings::default()), "127.0.0.9/32,::1/128").await;
    let from = |address: [u8; 4]| async move {
        let socket = TcpSocket::new_v4().unwrap();
        socket.bind((address, 0).into()).unwrap();
        socket.connect(gateway.plain).await.unwrap()
    };
    assert!(is_sent_away(from([127, 0, 0, 1]).await, &header(1)).await);
    let mut trusted = from([127, 0, 0, 9]).await;
    trusted.write_all(&[&header(1)[..], &[3; 1_537]].concat()).await.unwrap();
    assert_eq!(trusted.read_u8().await.unwrap(), 3);
    let as_gateway =
        Gateway { address: gateway.plain, shutdown: gateway.shutdown.clone(), task: gateway.task };
    let publisher = Publisher::start_from([127, 0, 0, 1], &as_gateway, "x").await.unwrap();
    publisher.finish().await;
    as_gateway.stop().await;
}

#[test]
fn files_that_make_no_pair_are_refused() {
    let refused = |certificate: &str, key: &str| {
        format!("{:#}", Certificates::load(&pem(certificate), &pem(key)).unwrap_err())
    };
    assert!(refused("server.pem", "renewed.key.pem").contains("renewed.key.pem"));
    assert!(refused("server.key.pem", "server.key.pem").contains("no certificate"));
    assert!(refused("server.pem", "server.pem").contains("while reading"));
    assert!(refused("none.pem", "server.key.pem").contains("none.pem"));
}

#[tokio::test]
async fn a_certificate_of_several_addresses_is_read_once() {
    let folder = tempfile::tempdir().unwrap();
    let (functions, operator) = (functions().await, Operator::start(None).await);
    show(folder.path(), "server");
    let certificates =
        Certificates::load(&folder.path().join("certificate.pem"), &folder.path().join("key.pem")).unwrap();
    let config = crate::config(&functions.url(), &folder.path().join("spool"));
    let gateway = gateway::open(Config { control: operator.control.clone(), ..config }).await.unwrap();
    let mut entrances = Vec::new();
    for _ in 0..3 {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        entrances.push(Entrance::rtmps(listener, Arc::clone(&certificates)));
    }
    fs::write(folder.path().join("key.pem"), "no key").unwrap();
    let shutdown = CancellationToken::new();
    let task = tokio::spawn(gateway.run(entrances, shutdown.clone()));
    let failed = "live_recorder_certificates_failed_total";
    operator.until(failed, |count| count > 0.0).await;
    // The next look is two seconds later.
    let began = Instant::now();
    while began.elapsed() < Duration::from_millis(500) {
        assert_eq!(operator.sample(failed).await, 1.0);
    }
    shutdown.cancel();
    task.await.unwrap().unwrap();
}

#[tokio::test]
async fn who_only_looks_whether_somebody_is_there_is_no_failure() {
    let folder = tempfile::tempdir().unwrap();
    let (functions, operator) = (functions().await, Operator::start(None).await);
    let control = operator.control.clone();
    // Nobody may push from the proxy's own address.
    let gateway = Both::start_for(&functions, folder.path(), control, LOOPBACK, "192.0.2.0/25").await;
    let local = [&b"\r\n\r\n\0\r\nQUIT\n\x20\0\0\0"[..], &[]];
    for address in [gateway.plain, gateway.tls] {
        for sends in local {
            let mut socket = TcpStream::connect(address).await.unwrap();
            socket.write_all(sends).await.unwrap();
        }
    }
    operator.until("live_recorder_connections_taken_total", |count| count == 4.0).await;
    operator.until("live_recorder_connections", |count| count == 0.0).await;
    assert_eq!(operator.sample("live_recorder_connections_failed_total").await, 0.0);
    let elsewhere = "live_recorder_connections_refused_total{reason=\"elsewhere\"}";
    assert_eq!(operator.sample(elsewhere).await, 0.0);
    gateway.stop().await;
}
