//! What comes before RTMP on a connection.

use anyhow::bail;

use super::ConnectionCtx;
use crate::{
    entrance::{Arrival, Ends, Transport},
    places::Place,
};

/// A connection over which RTMP can be spoken.
pub(super) struct Entered {
    pub(super) transport: Transport,
    pub(super) ends: Ends,
    /// Given back when the connection ends.
    pub(super) place: Place,
}

/// What comes before RTMP: the header of a proxy, by which its publisher takes a place, and TLS. `None`: the gateway is to
/// end, or who connected has left without a word or may not push from there.
pub(super) async fn enter(
    ctx: &ConnectionCtx,
    mut arrival: Arrival,
    mut place: Place,
) -> anyhow::Result<Option<Entered>> {
    let metrics = ctx.control.metrics();
    if let Err(error) = arrival.socket.set_nodelay(true) {
        tracing::debug!("{}: {error}", arrival.peer);
    }
    let entering = async {
        let is_proxy = arrival.is_proxy;
        if is_proxy && !arrival.has_spoken().await {
            return Ok(None);
        }
        let ends = arrival.ends(metrics).await?;
        if is_proxy && !ends.is_proxys_own && !ctx.push_from.admits(ends.peer) {
            // That is counted and logged.
            return Ok(None);
        }
        if is_proxy && let Err(reason) = place.name(ends.peer.ip()) {
            metrics.connections_refused.of(reason.counted()).add_one();
            bail!("{} is sent away: {reason}", ends.peer);
        }
        if arrival.tls.is_some() && !arrival.has_spoken().await {
            return Ok(None);
        }
        Ok(Some(Entered { ends, transport: arrival.transport(metrics).await?, place }))
    };
    ctx.shutdown.run_until_cancelled(entering).await.unwrap_or(Ok(None))
}
