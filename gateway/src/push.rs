//! A small publisher: pushes an FLV file over RTMP.
//!
//! For demonstrations and tests. It sends every tag with its own timestamp, at the pace of the timestamps or
//! as fast as the server takes them.

use std::{fmt, path::PathBuf, time::Duration};

use anyhow::{Context, bail};
use flv::Demuxer;
use rtmp::{ClientSession, ClientState, Media};
use tokio::{
    fs::File,
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::{Instant, sleep_until, timeout},
};

/// Port of RTMP.
const PORT: u16 = 1935;

/// How long the server may take for each answer.
const PATIENCE: Duration = Duration::from_secs(10);

/// Output is sent when it has grown to this.
const SEND_BYTES: usize = 256 << 10;

/// What to push, and where.
#[derive(Clone, Debug)]
pub struct Options {
    /// An FLV file.
    pub file: PathBuf,
    /// `rtmp://host[:port]/app/name[?arguments]`.
    pub url: String,
    /// As fast as the server takes it, not at the pace of the timestamps.
    pub fast: bool,
}

/// What was pushed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// Tags sent, metadata and configurations included.
    pub tags: u64,
    /// Bytes of their bodies.
    pub bytes: u64,
    /// From the first to the newest timestamp.
    pub media_time: Duration,
    /// From the first tag until the server has closed.
    pub wall_time: Duration,
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { tags, bytes, media_time, wall_time } = self;
        let (media, wall) = (media_time.as_secs_f64(), wall_time.as_secs_f64());
        write!(f, "{tags} tags, {bytes} bytes, {media:.3} s of media in {wall:.3} s")
    }
}

/// Pushes a file to its end.
///
/// # Errors
/// A file that is not FLV, a URL that is not RTMP, a server that cannot be reached, refuses, or goes away.
pub async fn push(options: Options) -> anyhow::Result<Summary> {
    let Options { file, url, fast } = options;
    let target = Target::parse(&url)?;
    let shown = file.display().to_string();
    let mut file = File::open(&file).await.with_context(|| format!("while opening {shown}"))?;
    let mut publisher = Publisher::connect(&target).await?;

    let mut demuxer = Demuxer::new();
    let mut piece = vec![0; 256 << 10];
    let mut summary = Summary::default();
    let mut clock = Clock::default();
    let began = Instant::now();
    loop {
        let read = file.read(&mut piece).await.with_context(|| format!("while reading {shown}"))?;
        demuxer.push(&piece[..read]);
        while let Some(tag) = demuxer.next_tag().with_context(|| format!("while reading {shown}"))? {
            let media_time = clock.at(tag.timestamp_ms);
            let due = began + media_time;
            let is_early = !fast && due > Instant::now();
            if is_early {
                publisher.send().await?;
                sleep_until(due).await;
            }
            publisher.session.send(&Media { kind: tag.kind, timestamp_ms: tag.timestamp_ms, body: tag.body });
            summary.tags += 1;
            summary.bytes += tag.body.len() as u64;
            summary.media_time = summary.media_time.max(media_time);
            if publisher.session.output().len() >= SEND_BYTES {
                publisher.send().await?;
            }
        }
        if read == 0 {
            break;
        }
    }
    publisher.finish().await?;
    summary.wall_time = began.elapsed();
    Ok(summary)
}

/// Time since the first tag, over wraps and jumps of the timestamps.
#[derive(Debug, Default)]
struct Clock {
    last_ms: Option<u32>,
    elapsed_ms: i64,
}

impl Clock {
    /// A jump of more than this in either direction is not waited for.
    const JUMP_MS: i32 = 60_000;

    fn at(&mut self, timestamp_ms: u32) -> Duration {
        let step = timestamp_ms.wrapping_sub(self.last_ms.unwrap_or(timestamp_ms)) as i32;
        self.last_ms = Some(timestamp_ms);
        if step.abs() <= Self::JUMP_MS {
            self.elapsed_ms += i64::from(step);
        }
        Duration::from_millis(self.elapsed_ms.max(0) as u64)
    }
}

/// Where to push to.
#[derive(Debug, PartialEq, Eq)]
struct Target {
    address: String,
    tc_url: String,
    app: String,
    name: String,
}

impl Target {
    fn parse(text: &str) -> anyhow::Result<Self> {
        // Its arguments may hold a signature.
        let shown = text.split('?').next().unwrap_or_default();
        let Some(rest) = text.strip_prefix("rtmp://") else { bail!("{shown:?} does not begin with rtmp://") };
        let (rest, query) = rest.split_once('?').map_or((rest, ""), |(rest, query)| (rest, query));
        let mut parts = rest.splitn(3, '/');
        let (Some(host), Some(app), Some(name)) = (parts.next(), parts.next(), parts.next()) else {
            bail!("{shown:?} has no application and stream name: rtmp://host/app/name");
        };
        let has_port = host.rsplit_once(':').is_some_and(|(_, port)| port.parse::<u16>().is_ok());
        let address = if has_port { host.to_owned() } else { format!("{host}:{PORT}") };
        let name = if query.is_empty() { name.to_owned() } else { format!("{name}?{query}") };
        Ok(Self { address, tc_url: format!("rtmp://{host}/{app}"), app: app.to_owned(), name })
    }
}

struct Publisher {
    socket: TcpStream,
    session: ClientSession,
    received: Vec<u8>,
}

impl Publisher {
    async fn connect(target: &Target) -> anyhow::Result<Self> {
        let connecting = timeout(PATIENCE, TcpStream::connect(&target.address)).await;
        let socket = connecting
            .unwrap_or_else(|_| Err(std::io::ErrorKind::TimedOut.into()))
            .with_context(|| format!("while connecting to {}", target.address))?;
        socket.set_nodelay(true)?;
        let session = ClientSession::new(&target.tc_url, &target.app, &target.name);
        let mut publisher = Self { socket, session, received: Vec::new() };
        while publisher.session.state() != ClientState::Publishing {
            publisher.send().await?;
            if !timeout(PATIENCE, publisher.receive()).await.context("server does not answer")?? {
                bail!("server closed the connection before the publish began");
            }
        }
        Ok(publisher)
    }

    /// Sends the output, and takes what the server sends meanwhile.
    async fn send(&mut self) -> anyhow::Result<()> {
        let mut sent = 0;
        while sent < self.session.output().len() {
            let mut answer = [0; 4096];
            let (mut reading, mut writing) = self.socket.split();
            tokio::select! {
                biased;
                read = reading.read(&mut answer) => {
                    let read = read?;
                    self.take(&answer[..read])?;
                    if read == 0 {
                        bail!("server closed the connection");
                    }
                }
                written = writing.write(&self.session.output()[sent..]) => sent += written?,
            }
        }
        self.session.output().clear();
        Ok(())
    }

    /// Waits for the server to send something; `false` when it has closed.
    async fn receive(&mut self) -> anyhow::Result<bool> {
        let mut answer = [0; 4096];
        let read = self.socket.read(&mut answer).await?;
        self.take(&answer[..read])?;
        Ok(read > 0)
    }

    fn take(&mut self, answer: &[u8]) -> anyhow::Result<()> {
        self.received.extend_from_slice(answer);
        let mut rest = self.received.as_slice();
        self.session.read(&mut rest)?;
        let left = rest.len();
        self.received.drain(..self.received.len() - left);
        Ok(())
    }

    /// Ends the stream and waits until the server has closed or is silent.
    async fn finish(mut self) -> anyhow::Result<()> {
        self.session.finish();
        self.send().await?;
        self.socket.shutdown().await?;
        let drained = async {
            while self.receive().await? {}
            anyhow::Ok(())
        };
        timeout(PATIENCE, drained).await.context("server does not close")?
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_are_taken_apart() {
        let target = Target::parse("rtmp://h/live/talk?vhost=d").unwrap();
        assert_eq!((target.address.as_str(), target.tc_url.as_str()), ("h:1935", "rtmp://h/live"));
        assert_eq!((target.app.as_str(), target.name.as_str()), ("live", "talk?vhost=d"));
        assert_eq!(Target::parse("rtmp://[::1]:99/a/b/c").unwrap().address, "[::1]:99");
        assert_eq!(Target::parse("rtmp://[::1]/a/b").unwrap().address, "[::1]:1935");
        for text in ["http://h/a/b?auth_key=1", "rtmp://h?auth_key=1", "rtmp://h/a?auth_key=1"] {
            let error = Target::parse(text).unwrap_err().to_string();
            assert!(!error.contains("auth_key"), "{text}: {error}");
        }
    }

    #[test]
    fn pacing_survives_wraps_and_jumps() {
        let mut clock = Clock::default();
        let times = [u32::MAX - 19, 20, 10, 1 << 30, (1 << 30) + 40];
        let elapsed = times.map(|timestamp_ms| clock.at(timestamp_ms).as_millis());
        assert_eq!(elapsed, [0, 40, 30, 30, 70]);
    }
}
