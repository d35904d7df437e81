//! A process's HTTP address for its operator: of a gateway, of the host of functions, or of both.
//!
//! | request | answer |
//! | --- | --- |
//! | `GET /metrics` | what is counted, in Prometheus's text format |
//! | `GET /healthz` | 200 where what is pushed is recorded, else 503; `{status, reasons: [{code, message}]}` |
//! | `GET /readyz` | 200 where pushes may be sent here, else 503; likewise |
//! | `GET /publishers` | `{publishers: [`[`PublisherView`](crate::PublisherView)`]}` |
//! | `POST /kick` | `{name}`, a push or `domain/app/stream` → `{kicked}`, or 404 |
//! | `POST /drain` | `{wait_s, upload_s}` → [`DrainState`](crate::DrainState) |
//! | `GET /drain` | [`DrainState`](crate::DrainState) |
//! | `GET`, `PUT /log-level` | `{filter}` |
//! | `POST /reload` | `{}` → [`Reloaded`], or 422 where the settings cannot be read or used |
//! | `POST /backup` | `{folder}`, a new one on the machine → [`BackedUp`], or 422 |
//!
//! Without a gateway there are no publishers, and nobody is kicked or drained.
//!
//! The first three are for everybody. The others want `Authorization: Bearer <token>` where a token is set, which an
//! address has to have that others can reach; without one they answer only to who names this machine by an address or
//! as `localhost`, so that no web page can reach them by a name of its own, and what changes something has to be JSON,
//! which no web page may send elsewhere unasked.

mod answer;
mod body;
mod look;
mod routes;

use std::{fmt, net::SocketAddr, path::Path, sync::Arc};

use anyhow::ensure;
use exposition::Exposition;
use http_server::{Places, serve_connections};
use hyper::service::service_fn;
use serde::{Deserialize, Serialize};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::operation::{Control, Reason, of_process};
use routes::Routes;

/// How many connections an operator's address has at once; what connects beyond that is closed. One that sends no request
/// for half a minute is ended.
const MAX_CONNECTIONS: usize = 64;

/// What is logged, which an operator may change.
pub trait LogFilter: Send + Sync {
    /// The filter that holds.
    fn get(&self) -> String;

    /// Sets another one.
    ///
    /// # Errors
    /// Why the text is none.
    fn set(&self, filter: &str) -> Result<(), String>;
}

/// Another part of the process, which an operator sees as well.
pub trait Part: Send + Sync {
    /// Writes what it counts.
    fn write_metrics(&self, text: &mut Exposition);

    /// Why it does not do its work; nothing where it does.
    fn problems(&self) -> Vec<Reason>;
}

/// Where settings come from.
pub trait Reload: Send + Sync {
    /// Reads them anew and has them hold. It may block.
    ///
    /// # Errors
    /// They cannot be read or used. Then nothing changes.
    fn reload(&self) -> anyhow::Result<Reloaded>;
}

/// What makes a copy of all state.
pub trait Backup: Send + Sync {
    /// Makes a copy in a new folder, while everything goes on. It may block for long.
    ///
    /// # Errors
    /// The folder is there already, or cannot be written; the state lies elsewhere.
    fn back_up(&self, folder: &Path) -> anyhow::Result<BackedUp>;
}

/// What is in a copy of all state.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub struct BackedUp {
    /// Objects of the buckets in the folder; 0 where the buckets are elsewhere.
    pub objects: u64,
}

/// What came of settings that were read anew, by their names.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub struct Reloaded {
    /// They hold now.
    pub changed: Vec<String>,
    /// They are not as they were at the start either, and hold only from the next start on.
    pub needs_restart: Vec<String>,
}

impl fmt::Display for Reloaded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.changed.as_slice() {
            [] => write!(f, "nothing has changed")?,
            changed => write!(f, "changed: {}", changed.join(", "))?,
        }
        match self.needs_restart.as_slice() {
            [] => Ok(()),
            fixed => write!(f, "; holds from the next start on: {}", fixed.join(", ")),
        }
    }
}

/// Checks that others cannot do at `address` what only an operator may.
///
/// # Errors
/// It can be reached from outside, and there is no token.
pub fn check_exposure(address: SocketAddr, has_token: bool) -> anyhow::Result<()> {
    ensure!(
        address.ip().to_canonical().is_loopback() || has_token,
        "{address} can be reached from outside, and anybody could end pushes there: set a token by which the operator \
         is known"
    );
    Ok(())
}

/// What an operator's address serves.
#[derive(Clone)]
pub struct Admin {
    /// The gateway, where there is one. Its settings have the operator's token.
    pub control: Option<Control>,
    /// The operator's token where there is no gateway.
    pub token: Option<String>,
    /// What else there is.
    pub parts: Vec<Arc<dyn Part>>,
    /// What is logged; `None`: that cannot be changed.
    pub log_filter: Option<Arc<dyn LogFilter>>,
    /// What reads the settings anew; `None`: they are read from nowhere.
    pub reload: Option<Arc<dyn Reload>>,
    /// What makes a copy of all state; `None`: there is none here.
    pub backup: Option<Arc<dyn Backup>>,
}

impl fmt::Debug for Admin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Admin").field("control", &self.control).finish_non_exhaustive()
    }
}

impl Admin {
    /// Who shows it may see and do all; nobody else, where there is one.
    fn token(&self) -> Option<String> {
        match &self.control {
            Some(control) => control.settings().admin_token.clone(),
            None => self.token.clone(),
        }
    }

    /// Why not everything is done as it should be.
    fn problems(&self) -> Vec<Reason> {
        let of_gateway = self.control.as_ref().map(Control::problems);
        of_gateway.into_iter().flatten().chain(self.problems_of_parts()).collect()
    }

    fn problems_of_parts(&self) -> impl Iterator<Item = Reason> {
        self.parts.iter().flat_map(|part| part.problems())
    }

    /// Why nobody should come here. Publishers may while functions fail: what they send waits in the spool.
    fn hindrances(&self) -> Vec<Reason> {
        match &self.control {
            Some(control) => control.hindrances(),
            None => self.problems_of_parts().collect(),
        }
    }

    fn metrics_text(&self) -> String {
        let is_healthy = self.problems_of_parts().next().is_none();
        let mut text = match &self.control {
            Some(control) => control.metrics_beside(is_healthy),
            None => of_process(is_healthy, is_healthy),
        };
        self.parts.iter().for_each(|part| part.write_metrics(&mut text));
        text.finish()
    }

    /// Serves until `stop` is cancelled.
    ///
    /// # Errors
    /// As [`check_exposure`]; the listener has no address.
    pub async fn serve(self, listener: TcpListener, stop: CancellationToken) -> anyhow::Result<()> {
        check_exposure(listener.local_addr()?, self.token().is_some())?;
        let routes = Arc::new(Routes::new(self));
        let service = move |_| {
            let routes = Arc::clone(&routes);
            service_fn(move |request| {
                let routes = Arc::clone(&routes);
                async move { Ok::<_, std::convert::Infallible>(routes.answer(request).await) }
            })
        };
        serve_connections(Places::some(MAX_CONNECTIONS), listener, service, stop).await;
        Ok(())
    }
}
