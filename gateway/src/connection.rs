//! One publisher's connection.

mod enter;
mod skips;
mod socket;

use std::{io, net::SocketAddr, sync::Arc, time::Duration};

use anyhow::{Context, bail};
use http::StatusCode;
use protocol::StreamPath;
use rtmp::{Publish, ServerEvent, ServerSession};
use tokio::{
    task::coop::consume_budget,
    time::{Instant, sleep, sleep_until, timeout, timeout_at},
};
use tokio_util::sync::CancellationToken;

use crate::{
    admission::{self, DENIED, Refusal},
    block::Pool,
    clock::unix_ms,
    entrance::{Arrival, Ends},
    functions::CallError,
    identity::Identity,
    names::{Claim, Names, Who},
    operation::{Control, LivePush, PublishRefused, Registered, Traffic},
    pace::Pace,
    places::{Place, network},
    push_from::PushFrom,
    queue,
    recorder::Recorder,
    spool::{Push, Spool},
    tell::Tell,
    upload::{Uploader, Uploads},
};
use enter::{Entered, enter};
use skips::Skips;
use socket::PublisherSocket;

/// A publisher that sends no audio and no video for this long is gone, whatever else it sends. Encoders that send a
/// picture every ten seconds exist.
const SILENCE: Duration = Duration::from_secs(30);

/// How long a connection may take to publish, handshake included, and to read an answer.
const HESITATION: Duration = Duration::from_secs(10);

/// A gateway that was held up itself reads for this long before it takes a publisher for silent.
const CATCH_UP: Duration = Duration::from_secs(1);

/// Media that is due on disk within this time is written as soon as the task is awake anyway.
const EARLY: Duration = Duration::from_millis(30);

/// How long the functions may take to say whether a publisher may push; without an answer it may.
const ADMISSION: Duration = Duration::from_secs(2);

/// How long the last answer to a publisher may take.
const FAREWELL: Duration = Duration::from_secs(1);

/// How often it is looked whether there is room in the spool again.
const ROOM_WAIT: Duration = Duration::from_secs(1);

/// How long the connection of a publisher that left while it was held back is kept, for what it sent before.
const LEFT_WAIT: Duration = Duration::from_secs(10);

/// Why nothing more may be published.
const SPOOL_FULL: &str = "the recorder's spool is full, since its functions take nothing: try again later";

/// What a publisher is told that comes while the gateway is about to end.
const DRAINING: &str = "this gateway is about to end: push again, to another one";

/// What a publisher is told whose connection an operator ends.
const KICKED: &str = "an operator of the gateway has ended the connection";

/// What the connections of a gateway share.
#[derive(Debug)]
pub(crate) struct ConnectionCtx {
    pub(crate) push_from: PushFrom,
    pub(crate) names: Arc<Names>,
    pub(crate) pace: Pace,
    pub(crate) spool: Arc<Spool>,
    pub(crate) pool: Arc<Pool>,
    pub(crate) uploads: Arc<Uploads>,
    pub(crate) tell: Arc<Tell>,
    /// Domain of a publisher that names none. `None`: the address that it connected to.
    pub(crate) default_domain: Option<String>,
    pub(crate) control: Control,
    /// How long the first audio or video of a push may take.
    pub(crate) first_media: Duration,
    /// Asks the connections to end.
    pub(crate) shutdown: CancellationToken,
}

/// Serves a connection to its end.
pub(crate) async fn serve(ctx: Arc<ConnectionCtx>, arrival: Arrival, place: Place) {
    let peer = arrival.peer;
    let publish_by = Instant::now() + HESITATION;
    // What is needed for this alone is given back before the publisher is waited for.
    let entering = Box::pin(timeout_at(publish_by, enter(&ctx, arrival, place)));
    let entered = match entering.await {
        Ok(Ok(Some(entered))) => entered,
        Ok(Ok(None)) => return,
        Ok(Err(error)) => return ctx.fail(peer, &error),
        Err(_) => return ctx.fail(peer, &anyhow::anyhow!("nothing is published in time")),
    };
    let Entered { transport, ends: Ends { peer, local, .. }, place: _place } = entered;
    let default_domain = match &ctx.default_domain {
        Some(domain) => domain.clone(),
        None => local.map_or_else(String::new, |local| local.to_canonical().to_string()),
    };
    let mut connection = Connection {
        ctx,
        socket: PublisherSocket::new(transport),
        peer,
        default_domain,
        session: ServerSession::new(),
        skips: Skips::default(),
        publish_by,
        live: None,
    };
    let outcome = connection.run().await;
    if let Some(mut live) = connection.live.take() {
        // What was sent while it was held back is not read any more.
        if let Some(left) = live.held_back
            && connection.socket.has_more()
        {
            live.recorder.lose_rest(left);
        }
        live.recorder.finish();
    }
    connection.skips.log(peer);
    if let Err(error) = outcome {
        connection.ctx.fail(peer, &error);
    }
    connection.finish().await;
}

impl ConnectionCtx {
    /// A connection does not end as it should.
    fn fail(&self, peer: SocketAddr, error: &anyhow::Error) {
        self.control.metrics().connections_failed.add_one();
        tracing::warn!("{peer}: {error:#}");
    }
}

struct Connection {
    ctx: Arc<ConnectionCtx>,
    socket: PublisherSocket,
    peer: SocketAddr,
    default_domain: String,
    session: ServerSession,
    skips: Skips,
    /// When it is ended if it does not publish.
    publish_by: Instant,
    live: Option<Live>,
}

/// A push that the connection receives.
struct Live {
    registered: Registered,
    claim: Claim,
    recorder: Recorder,
    /// Cancelled when the functions will not have the push.
    refused: CancellationToken,
    /// Since when the gateway reads what the publisher sends.
    read_since: Instant,
    /// Until when it is known to send what is not read, since there is no room.
    held_back: Option<Instant>,
}

impl Live {
    /// Until when audio or video has to come: a name is held by media alone, by what else is sent for no longer.
    fn media_due(&self, first_media: Duration) -> Instant {
        let within = if self.recorder.has_begun() { SILENCE } else { first_media };
        self.recorder.last_frame().max(self.read_since) + within
    }
}

impl Connection {
    async fn run(&mut self) -> anyhow::Result<()> {
        let ctx = Arc::clone(&self.ctx);
        loop {
            self.make_room().await?;
            let received = match &mut self.live {
                None => tokio::select! {
                    () = ctx.shutdown.cancelled() => return Ok(()),
                    received = timeout_at(self.publish_by, self.socket.receive()) => {
                        received.context("nothing is published in time")?
                    }
                },
                Some(live) => {
                    let media_due = live.media_due(ctx.first_media).max(Instant::now() + CATCH_UP);
                    let Live { registered, claim, recorder, refused, .. } = live;
                    let (flush_due, order_due) = (recorder.flush_due(), recorder.order_due());
                    tokio::select! {
                        () = ctx.shutdown.cancelled() => return Ok(()),
                        () = claim.displaced() => {
                            bail!("another publisher has taken {}", recorder.queue().path());
                        }
                        () = refused.cancelled() => {
                            bail!("the functions refuse {}", recorder.queue().path());
                        }
                        () = registered.kicked() => return kick(recorder, &mut self.session),
                        () = recorder.orders_changed() => {
                            follow_orders(recorder, &mut self.session)?;
                            continue;
                        }
                        () = until(order_due) => {
                            recorder.follow_schedule(Instant::now());
                            continue;
                        }
                        () = until(flush_due) => {
                            recorder.flush();
                            continue;
                        }
                        received = timeout_at(media_due, self.socket.receive()) => {
                            received.context("publisher is silent")?
                        }
                    }
                }
            };
            match received {
                Ok(0) => return Ok(()),
                Ok(bytes) => {
                    ctx.control.metrics().received_bytes.add(bytes as u64);
                    self.take().await?;
                    let media_due = self.live.as_ref().map(|live| live.media_due(ctx.first_media));
                    match media_due {
                        Some(due) if due <= Instant::now() => bail!("publisher sends no audio and no video"),
                        None if self.publish_by <= Instant::now() => bail!("nothing is published in time"),
                        _ => {}
                    }
                }
                Err(error) if is_abrupt_end(&error) => return Ok(()),
                Err(error) => return Err(error).context("while reading"),
            }
        }
    }

    /// Waits while the stream's share of the spool is full. The open chunk is closed then where nothing else can make
    /// room, so that it can be uploaded or given up.
    async fn make_room(&mut self) -> anyhow::Result<()> {
        let Some(Live { registered, claim, recorder, refused, read_since, held_back }) = &mut self.live
        else {
            return Ok(());
        };
        // Until its first frame, a push has no part in the backlog of those before it.
        if !recorder.has_begun() {
            return Ok(());
        }
        let mut leave_at = None;
        while recorder.queue().account().is_full() {
            // Perhaps there is too much in memory alone.
            recorder.flush();
            if !recorder.queue().account().is_full() {
                break;
            }
            if !recorder.queue().can_give_up() {
                recorder.make_room();
            }
            if !claim.is_released() {
                *held_back = Some(Instant::now());
            } else {
                leave_at = leave_at.or(Some(Instant::now() + LEFT_WAIT));
            }
            tokio::select! {
                () = self.ctx.shutdown.cancelled() => return Ok(()),
                () = claim.displaced() => bail!("another publisher has taken {}", recorder.queue().path()),
                () = refused.cancelled() => bail!("the functions refuse {}", recorder.queue().path()),
                () = registered.kicked() => return kick(recorder, &mut self.session),
                () = until(leave_at) => bail!("publisher has left, and the spool has no room for the last it sent"),
                // What it sent before waits in the socket, and is read once there is room.
                () = self.socket.closed(), if !claim.is_released() => claim.release(),
                () = recorder.orders_changed() => follow_orders(recorder, &mut self.session)?,
                () = self.ctx.spool.freed() => {}
                () = sleep(ROOM_WAIT) => {}
            }
            claim.heard();
            *read_since = Instant::now();
        }
        *held_back = None;
        Ok(())
    }

    /// Handles the bytes that were received.
    async fn take(&mut self) -> anyhow::Result<()> {
        let mut rest = self.socket.bytes();
        let before = rest.len();
        let mut is_accepted = false;
        loop {
            match self.session.read(&mut rest)? {
                None => break,
                Some(ServerEvent::Media(media)) => {
                    if let Some(live) = &mut self.live {
                        live.recorder.write(&media);
                    }
                }
                Some(ServerEvent::Publish(publish)) => match self.begin(&publish).await {
                    Ok(live) => {
                        self.live = Some(live);
                        self.session.accept();
                        is_accepted = true;
                    }
                    Err(Refusal { code, reason, counted }) => {
                        self.ctx.control.metrics().publishes_refused.of(counted).add_one();
                        self.session.refuse(code, &format!("{reason:#}"));
                        // The arguments may hold what is nobody's business, the signature for one.
                        let name = publish.name.split(['?', '&']).next().unwrap_or_default();
                        return Err(reason).with_context(|| format!("publish of {name:?} is refused"));
                    }
                },
                Some(ServerEvent::Skipped(skipped)) => {
                    self.ctx.control.metrics().messages_skipped.add_one();
                    self.skips.add(self.peer, skipped);
                }
                Some(ServerEvent::Unpublish) => {
                    if let Some(live) = self.live.take() {
                        live.recorder.finish();
                        self.publish_by = Instant::now() + HESITATION;
                    }
                }
            }
            // A buffer holds tens of thousands of the shortest messages: other connections have their turn in between.
            consume_budget().await;
        }
        let taken = before - rest.len();
        self.socket.consume(taken);
        if is_accepted {
            self.socket.expect_media();
        }
        if let Some(live) = &mut self.live {
            live.claim.heard();
            // Writing a little early spares a wake-up.
            if live.recorder.flush_due().is_some_and(|due| due <= Instant::now() + EARLY) {
                live.recorder.flush();
            }
        }
        self.answer().await
    }

    async fn begin(&self, publish: &Publish) -> Result<Live, Refusal> {
        let identity = Identity::of(publish, &self.default_domain)
            .map_err(|error| Refusal::bad_name(PublishRefused::Name, error.into()))?;
        let ConnectionCtx { names, pace, spool, pool, uploads, tell, control, .. } = &*self.ctx;
        // Before anything else: a stranger is not told which names are in use.
        admission::check(&control.settings(), &identity, unix_ms() / 1000)?;
        let Identity { path, arguments, .. } = identity;
        let in_use = || {
            let reason = anyhow::anyhow!("{path} is being published already");
            Refusal::bad_name(PublishRefused::InUse, reason)
        };
        let draining = || Refusal::bad_name(PublishRefused::Draining, anyhow::anyhow!(DRAINING));
        if control.publishers().is_closed() {
            return Err(draining());
        }
        if !spool.admits(&path) {
            return Err(Refusal::bad_name(PublishRefused::SpoolFull, anyhow::anyhow!(SPOOL_FULL)));
        }
        let who = Who { address: self.peer.ip().to_canonical(), arguments: arguments.clone() };
        if !names.is_free(&path, &who).await {
            return Err(in_use());
        }
        let push = Push {
            id: spool.new_push_id(),
            domain: path.domain().into(),
            app: path.app().into(),
            stream: path.stream().into(),
            client: self.peer.to_string(),
            arguments,
        };
        self.ask(&path, &push).await?;
        match pace.take(&path, network(who.address), Instant::now()) {
            Ok(Duration::ZERO) => {}
            Ok(wait) => {
                tracing::warn!("{path}: {} begins a push too often: it waits for {wait:?}", self.peer);
                sleep(wait).await;
            }
            Err(wait) => {
                let wait_s = wait.as_secs() + 1;
                let reason = anyhow::anyhow!("pushes begin too often: try again in {wait_s} s");
                return Err(Refusal::bad_name(PublishRefused::TooOften, reason));
            }
        }
        // Only who is admitted takes a name from another.
        let claim = names.claim(&path, &who).await.ok_or_else(in_use)?;
        tracing::info!("{path}: published by {}", self.peer);
        let folder = spool.pushes().join(&push.id);
        let (writer, reader) = queue::create(push, folder, spool.account(&path), tell)
            .map_err(|error| Refusal::bad_name(PublishRefused::Internal, error))?;
        let traffic = Traffic::new(Arc::clone(control.metrics()));
        let live = LivePush::new(reader.clone(), self.peer.to_string(), Arc::clone(&traffic));
        let registered = control.publishers().add(live).ok_or_else(draining)?;
        control.metrics().publishes.add_one();
        uploads.enqueue(reader);
        let refused = writer.refused().clone();
        let recorder = Recorder::new(writer, Arc::clone(pool), traffic);
        Ok(Live { registered, claim, recorder, refused, read_since: Instant::now(), held_back: None })
    }

    /// Asks the functions whether the publisher may push: they say so or refuse it, or it may.
    async fn ask(&self, path: &StreamPath, push: &Push) -> Result<(), Refusal> {
        let Uploader { functions, gateway, .. } = self.ctx.uploads.uploader();
        let ask = async {
            let mut tries = 1 + functions.other_hosts();
            loop {
                tries -= 1;
                match functions.call(path.clone(), &gateway.ask(push)).await {
                    Err(error) if error.is_of_host() && tries > 0 => {}
                    answer => return answer,
                }
            }
        };
        match timeout(ADMISSION, ask).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(CallError::Problem(StatusCode::FORBIDDEN, problem))) => {
                Err(Refusal::denied(PublishRefused::Functions, anyhow::anyhow!(problem.message)))
            }
            Ok(Err(error)) => {
                tracing::warn!("{path}: admission cannot be asked for: {error}");
                Ok(())
            }
            Err(_) => {
                tracing::warn!("{path}: admission is not answered within {ADMISSION:?}");
                Ok(())
            }
        }
    }

    async fn answer(&mut self) -> anyhow::Result<()> {
        let output = self.session.output();
        if !output.is_empty() {
            // Before it publishes, what it does not read counts into its time to do so.
            let by = if self.live.is_some() { Instant::now() + HESITATION } else { self.publish_by };
            timeout_at(by, self.socket.send(output)).await.context("publisher does not read")??;
            output.clear();
        }
        Ok(())
    }

    /// Sends what is left to send, such as why a publish is refused, and closes. The farewell is best effort.
    async fn finish(mut self) {
        self.publish_by = Instant::now() + FAREWELL;
        let farewell = async {
            self.answer().await?;
            anyhow::Ok(self.socket.close().await?)
        };
        let _ = timeout(FAREWELL, farewell).await;
    }
}

/// Does what the functions want now of a push. Where it is to end, the publisher is told why.
fn follow_orders(recorder: &mut Recorder, session: &mut ServerSession) -> anyhow::Result<()> {
    recorder.follow_orders();
    let Some(reason) = recorder.queue().denied() else { return Ok(()) };
    session.refuse(DENIED, &reason);
    bail!("{} is ended: {reason}", recorder.queue().path())
}

/// Ends a push as an operator wants it; its publisher is told so.
fn kick(recorder: &Recorder, session: &mut ServerSession) -> anyhow::Result<()> {
    session.refuse(DENIED, KICKED);
    bail!("{} is ended: {KICKED}", recorder.queue().path())
}

/// Completes at that time, or never.
async fn until(time: Option<Instant>) {
    match time {
        Some(time) => sleep_until(time).await,
        None => std::future::pending().await,
    }
}

/// Whether the encoder ended without a word, as many do.
fn is_abrupt_end(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionReset | io::ErrorKind::ConnectionAborted | io::ErrorKind::BrokenPipe
    )
}
