//! The gateway as a whole: configuration, start, shutdown.

use std::{future::Future, path::PathBuf, sync::Arc, time::Duration};

use anyhow::Context;
use tokio::{net::TcpListener, time::sleep};
use tokio_rustls::TlsAcceptor;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::{
    certificates::Certificates,
    clock::LogLimit,
    connection::{self, ConnectionCtx},
    descriptors,
    entrance::{Arrival, Entrance},
    functions::Functions,
    gateway::Gateway,
    heartbeat,
    names::{Names, SecondPublisher},
    operation::{Control, Parts, patience},
    pace::Pace,
    places::Places,
    push_from::PushFrom,
    queue,
    sessions::Sessions,
    spool::{self, Recovered, Spool, recover},
    tell::Tell,
    ticker,
    upload::{Turns, Uploader, Uploads, follow_requests},
};

/// How long a shutdown goes on uploading; the rest stays in the spool.
const LINGER: Duration = Duration::from_secs(5);

/// What the functions promise: see [`Config::call_max`].
pub const CALL_MAX: Duration = Duration::from_secs(protocol::CALL_MAX_S);

/// Encoders send media as soon as they may: see [`Config::first_media`].
pub const FIRST_MEDIA: Duration = Duration::from_secs(10);

/// After an accept fails, as it does when file descriptors run out.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// What a gateway needs to know.
#[derive(Clone, Debug)]
pub struct Config {
    /// Base URLs of the functions, `http://` or `https://`: hosts that share one key-value store, called in turn. One that
    /// fails is left alone for a while, and what it did not answer goes to another one.
    pub functions: Vec<String>,
    /// Certificates in PEM by which functions at `https://` are trusted beside those that the web trusts.
    pub ca_file: Option<PathBuf>,
    /// Name of this gateway among all that use the same functions. `None`: a random one, kept in the spool.
    pub name: Option<String>,
    /// Folder of the chunks that are not acknowledged. One gateway at a time can use it.
    pub spool: PathBuf,
    /// How many bytes of chunks the spool may hold, of which each stream has a fair share. `None`: 4 GiB, but at most
    /// half of what the disk has room for.
    pub spool_limit_bytes: Option<u64>,
    /// How many connections there may be at once. `None`: 4,096. No more than the limit of open files suffices for.
    pub max_connections: Option<usize>,
    /// How many of them from one address, or from one IPv6 network of 64 bits. `None`: 1,024.
    pub max_connections_per_address: Option<usize>,
    /// Domain of publishers that name none: no `tcUrl`, or one without a host. `None`: the address that they
    /// connected to.
    pub default_domain: Option<String>,
    /// What becomes of a publisher of a stream that another one is publishing.
    pub second_publisher: SecondPublisher,
    /// How long the first audio or video of a push may take, before its connection is ended: [`FIRST_MEDIA`].
    pub first_media: Duration,
    /// No call of the functions commits anything later than this after its begin: [`CALL_MAX`], unless they say so.
    pub call_max: Duration,
    /// Whether to call `POST /tick` each second, by which the functions do what is due.
    pub tick: bool,
    /// Shows the gateway to an operator, and has it do what one wants; it has the settings that may change meanwhile.
    pub control: Control,
}

impl Config {
    /// A gateway that is told no more than it needs: it refuses second publishers, and calls no ticks.
    #[must_use]
    pub fn new(functions: Vec<String>, spool: PathBuf, control: Control) -> Self {
        Self {
            functions,
            ca_file: None,
            name: None,
            spool,
            spool_limit_bytes: None,
            max_connections: None,
            max_connections_per_address: None,
            default_domain: None,
            second_publisher: SecondPublisher::Refuse,
            first_media: FIRST_MEDIA,
            call_max: CALL_MAX,
            tick: false,
            control,
        }
    }
}

/// A gateway that has its spool, and knows what an earlier one left there.
pub struct Ingest {
    config: Config,
    places: Arc<Places>,
    spool: Arc<Spool>,
    gateway: Gateway,
    functions: Functions,
    recovered: Vec<Recovered>,
}

/// Opens a gateway: when this returns, it is ready to take pushes.
///
/// # Errors
/// A configuration that cannot be used, or a spool that cannot be opened.
pub async fn open(config: Config) -> anyhow::Result<Ingest> {
    let places =
        Places::new(config.max_connections, config.max_connections_per_address, descriptors::raise());
    let spool = Spool::open(&config.spool, config.spool_limit_bytes)?;
    let name = match &config.name {
        Some(name) => name.clone(),
        None => spool.name()?,
    };
    let gateway = Gateway { name, boot: spool.count_boot()? };
    let recovered = {
        let spool = Arc::clone(&spool);
        tokio::task::spawn_blocking(move || recover(&spool)).await.context("while recovering the spool")??
    };
    let functions =
        Functions::new(&config.functions, config.control.current().clone(), config.ca_file.as_deref())?;
    Ok(Ingest { config, places, spool, gateway, functions, recovered })
}

/// Runs a gateway until `shutdown` is cancelled.
///
/// First completes what an earlier gateway left in the spool. A shutdown ends all pushes, goes on uploading
/// for up to five seconds and leaves the rest in the spool.
///
/// # Errors
/// As [`open`] and [`Ingest::run`].
pub async fn serve(config: Config, listener: TcpListener, shutdown: CancellationToken) -> anyhow::Result<()> {
    open(config).await?.run(vec![Entrance::rtmp(listener)], shutdown).await
}

impl Ingest {
    /// Takes pushes until `shutdown` is cancelled, as [`serve`] does.
    ///
    /// # Errors
    /// TLS cannot be set up; or an operator had it end ([`Control::drain`]), and not all that waited could be brought to the functions in time.
    pub async fn run(self, entrances: Vec<Entrance>, shutdown: CancellationToken) -> anyhow::Result<()> {
        let Self { config, places, spool, gateway, functions, recovered } = self;
        let sessions = Arc::new(Sessions::default());
        let tell = Arc::new(Tell::default());
        let abort = CancellationToken::new();
        // Whatever way this function ends, also when its future is dropped: no task outlives it.
        let _abort = abort.clone().drop_guard();

        let uploader = Uploader {
            gateway: gateway.clone(),
            functions: functions.clone(),
            spool: Arc::clone(&spool),
            sessions: Arc::clone(&sessions),
            metrics: Arc::clone(config.control.metrics()),
            turns: Turns::default(),
            call_max: config.call_max,
        };
        let uploads = Uploads::new(uploader, abort.clone());
        let control = config.control;
        control.set_parts(Parts {
            spool: Arc::downgrade(&spool),
            places: Arc::downgrade(&places),
            uploads: Arc::downgrade(&uploads),
        });
        for push in recovered {
            tracing::info!(
                "{}: {} chunks of an earlier push are left to upload",
                push.path,
                push.waiting.len()
            );
            uploads.enqueue(queue::recovered(push, &tell));
        }

        let background = Background { tasks: TaskTracker::new(), abort: abort.clone() };
        background.spawn(heartbeat::beat(
            gateway,
            functions.clone(),
            sessions,
            Arc::clone(&tell),
            control.clone(),
        ));
        let stop = shutdown.child_token();
        background.spawn(drain(control.clone(), stop.clone()));
        background.spawn(Arc::clone(&uploads).shed());
        background.spawn(follow_requests(Arc::clone(&uploads), Arc::clone(&tell)));
        background.spawn(spool::sync(Arc::clone(&spool)));
        if config.tick {
            background.spawn(ticker::run(functions, control.clone()));
        }

        let kept = Arc::clone(&spool);
        let ctx = ConnectionCtx {
            push_from: PushFrom::new(control.clone()),
            names: Arc::new(Names::new(config.second_publisher)),
            pace: Pace::default(),
            spool,
            pool: Arc::default(),
            uploads: Arc::clone(&uploads),
            tell,
            default_domain: config.default_domain,
            first_media: config.first_media,
            control: control.clone(),
            shutdown: stop,
        };
        let ctx = Arc::new(ctx);
        let connections = Background { tasks: TaskTracker::new(), abort: abort.clone() };
        let doors = Background { tasks: TaskTracker::new(), abort: abort.clone() };
        let mut followed = Vec::new();
        for Entrance { listener, certificates } in entrances {
            let door = Door {
                ctx: Arc::clone(&ctx),
                places: Arc::clone(&places),
                tls: certificates.as_ref().map(Certificates::acceptor).transpose()?,
                connections: connections.clone(),
            };
            doors.spawn(async move { door.accept(listener).await });
            // Several addresses may show one.
            let is_followed =
                |certificates: &Arc<_>| followed.iter().any(|one| Arc::ptr_eq(one, certificates));
            if let Some(certificates) = certificates.filter(|certificates| !is_followed(certificates)) {
                followed.push(Arc::clone(&certificates));
                background.spawn(certificates.follow(Arc::clone(control.metrics())));
            }
        }
        doors.done().await;

        connections.done().await;
        tokio::select! {
            () = uploads.done() => {}
            () = patience(&control, LINGER, shutdown.cancelled()) => {
                tracing::warn!("some chunks are left in the spool for the next start");
            }
        }
        let left = control.drain_state();
        abort.cancel();
        uploads.done().await;
        background.done().await;
        kept.at_rest().await;
        anyhow::ensure!(
            !control.is_drained() || left.waiting_pushes == 0,
            "{} pushes with {} chunks were not brought to the functions in time: they are left in the spool",
            left.waiting_pushes,
            left.waiting_chunks
        );
        Ok(())
    }
}

/// Stops a gateway that was told to end, once its pushes have ended or had time to. One that is stopped takes no more, which
/// whoever sends publishers here is to see.
async fn drain(control: Control, stop: CancellationToken) {
    stop.run_until_cancelled(control.drained()).await;
    control.publishers().close();
    stop.cancel();
}

/// Tasks that end at the latest when the gateway does.
#[derive(Clone)]
struct Background {
    tasks: TaskTracker,
    abort: CancellationToken,
}

impl Background {
    fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        let abort = self.abort.clone();
        self.tasks.spawn(async move { abort.run_until_cancelled(task).await });
    }

    async fn done(&self) {
        self.tasks.close();
        self.tasks.wait().await;
    }
}

/// A listener, and what its connections need.
struct Door {
    ctx: Arc<ConnectionCtx>,
    places: Arc<Places>,
    tls: Option<TlsAcceptor>,
    connections: Background,
}

impl Door {
    async fn accept(self, listener: TcpListener) {
        let mut log_limit = LogLimit::default();
        let metrics = self.ctx.control.metrics();
        while let Some(accepted) = self.ctx.shutdown.run_until_cancelled(listener.accept()).await {
            let (socket, peer) = match accepted {
                Ok(accepted) => accepted,
                Err(error) => {
                    tracing::error!("connection cannot be accepted: {error}");
                    sleep(ACCEPT_PAUSE).await;
                    continue;
                }
            };
            let is_proxy =
                self.ctx.control.settings().proxy_from.iter().any(|network| network.contains(peer.ip()));
            if !is_proxy && !self.ctx.push_from.admits(peer) {
                // Dropping the socket ends it.
                continue;
            }
            let place = if is_proxy { self.places.take_unnamed() } else { self.places.take(peer.ip()) };
            match place {
                Ok(place) => {
                    metrics.connections.add_one();
                    let arrival = Arrival { socket, peer, tls: self.tls.clone(), is_proxy };
                    // Each future around it would be twice as large.
                    let serving = Box::pin(connection::serve(Arc::clone(&self.ctx), arrival, place));
                    self.connections.spawn(serving);
                }
                Err(reason) => {
                    metrics.connections_refused.of(reason.counted()).add_one();
                    if log_limit.permits() {
                        tracing::warn!("{peer} is sent away: {reason}");
                    }
                }
            }
        }
    }
}
