//! Calls `POST /tick` once a second, as a cron does for functions deployed elsewhere.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use host::{Host, WasiBody};
use http::{Method, Request, StatusCode, header};
use http_body_util::{BodyExt, Empty};
use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;

const PERIOD: Duration = Duration::from_secs(1);

/// Ticks until `stop` is cancelled; an application without the route is not asked again.
pub(crate) async fn run(host: Arc<Host>, ingest_token: String, stop: CancellationToken) {
    let mut interval = tokio::time::interval(PERIOD);
    // After a stall one tick makes up for all that were missed.
    interval.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut failing = false;
    loop {
        tokio::select! {
            _ = interval.tick() => {}
            () = stop.cancelled() => return,
        }
        let status = tick(&host, &ingest_token).await;
        if status == StatusCode::NOT_FOUND {
            tracing::info!("the application has no /tick");
            return;
        }
        if failing == status.is_success() {
            failing = !failing;
            match failing {
                true => tracing::warn!(%status, "ticks fail"),
                false => tracing::info!("ticks succeed again"),
            }
        }
    }
}

async fn tick(host: &Host, ingest_token: &str) -> StatusCode {
    let body: WasiBody = Empty::<Bytes>::new().map_err(|never| match never {}).boxed_unsync();
    let request = Request::builder()
        .method(Method::POST)
        .uri("/tick")
        .header(header::HOST, "localhost")
        .header(header::CONTENT_LENGTH, 0)
        .header(header::AUTHORIZATION, format!("Bearer {ingest_token}"))
        .body(body);
    let Ok(request) = request else { return StatusCode::BAD_REQUEST };
    let local = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    let response = host.handle(request, local).await;
    let status = response.status();
    // Its body says what was done; nobody reads it here, but the guest writes it to its end.
    _ = response.into_body().collect().await;
    status
}
