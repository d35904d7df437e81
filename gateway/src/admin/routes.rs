//! From the request to the answer.

use std::{net::IpAddr, path::PathBuf, time::Duration};

use http::{
    HeaderMap, Method, Request, StatusCode,
    header::{AUTHORIZATION, HOST},
    request::Parts,
};
use http_server::Drained;
use protocol::bearer_token;
use serde::{Deserialize, Serialize};
use subtle::ConstantTimeEq;

use super::{
    Admin,
    answer::{Answer, Refused, json, with_type},
    body::read,
    look::{Looks, Unseen},
};
use crate::operation::{Control, DrainPlan, Reason};

/// How long live pushes may go on while a gateway drains, where the request does not say.
const WAIT_S: u64 = 300;

/// How long what waits may take after that.
const UPLOAD_S: u64 = 60;

/// The longest of either that can be asked for: a day.
const LONGEST_S: u64 = 86_400;

pub(super) struct Routes {
    admin: Admin,
    looks: Looks,
    /// For what changes something: who only looks may hold all other places while the disk hangs.
    acts: Looks,
}

#[derive(Serialize)]
struct Health {
    status: &'static str,
    reasons: Vec<Reason>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Kick {
    name: String,
}

#[derive(Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Drain {
    wait_s: u64,
    upload_s: u64,
}

impl Default for Drain {
    fn default() -> Self {
        Self { wait_s: WAIT_S, upload_s: UPLOAD_S }
    }
}

#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Filter {
    filter: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Reload {}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Backup {
    folder: PathBuf,
}

impl Routes {
    pub(super) fn new(admin: Admin) -> Self {
        Self { admin, looks: Looks::default(), acts: Looks::default() }
    }

    async fn see<T: Send + 'static>(&self, look: fn(&Admin) -> T) -> Result<T, Unseen> {
        let admin = self.admin.clone();
        self.looks.see(move || look(&admin)).await
    }

    /// Looks at a gateway, or acts on it, which may wait for its disk as well.
    async fn ask<T: Send + 'static>(
        places: &Looks,
        control: &Control,
        ask: impl FnOnce(&Control) -> T + Send + 'static,
    ) -> Result<T, Refused> {
        let control = control.clone();
        Ok(places.see(move || ask(&control)).await?)
    }

    pub(super) async fn answer(&self, request: Request<Drained>) -> Answer {
        self.serve(request).await.unwrap_or_else(Answer::from)
    }

    async fn serve(&self, request: Request<Drained>) -> Result<Answer, Refused> {
        let (head, body) = request.into_parts();
        let path = head.uri.path();
        match path {
            "/metrics" => {
                read_only(&head.method)?;
                let text = self.see(Admin::metrics_text).await.map_err(Refused::from)?;
                return Ok(with_type(StatusCode::OK, exposition::CONTENT_TYPE, text));
            }
            "/healthz" => {
                read_only(&head.method)?;
                return Ok(health(self.see(Admin::problems).await));
            }
            "/readyz" => {
                read_only(&head.method)?;
                return Ok(health(self.see(Admin::hindrances).await));
            }
            _ => self.authorize(&head.headers)?,
        }
        match path {
            "/log-level" => return self.log_level(&head, body).await,
            "/backup" => return self.back_up(&head, body).await,
            _ => {}
        }
        let Some(control) = &self.admin.control else { return Err(unknown(path)) };
        match (path, &head.method) {
            ("/publishers", &Method::GET) => {
                let publishers = Self::ask(&self.looks, control, Control::publisher_views).await?;
                Ok(json(StatusCode::OK, &serde_json::json!({ "publishers": publishers })))
            }
            ("/kick", &Method::POST) => {
                let Kick { name } = read(&head.headers, body).await?;
                let message = format!("nobody publishes {name:?}, which is no push either");
                match Self::ask(&self.acts, control, move |control| control.kick(&name)).await? {
                    0 => Err(Refused::new(StatusCode::NOT_FOUND, "publisher", message)),
                    kicked => Ok(json(StatusCode::OK, &serde_json::json!({ "kicked": kicked }))),
                }
            }
            ("/drain", &Method::GET) => {
                let state = Self::ask(&self.looks, control, Control::drain_state).await?;
                Ok(json(StatusCode::OK, &state))
            }
            ("/drain", &Method::POST) => {
                let plan: Drain = read(&head.headers, body).await?;
                let plan = DrainPlan { wait: seconds(plan.wait_s)?, upload: seconds(plan.upload_s)? };
                Self::ask(&self.acts, control, move |control| control.drain(plan)).await?;
                let state = Self::ask(&self.looks, control, Control::drain_state).await?;
                Ok(json(StatusCode::ACCEPTED, &state))
            }
            ("/reload", &Method::POST) => {
                let Some(reload) = self.admin.reload.clone() else { return Err(unknown(path)) };
                let Reload {} = read(&head.headers, body).await?;
                done("settings", move || reload.reload()).await
            }
            ("/publishers" | "/kick" | "/drain" | "/reload", method) => Err(not_allowed(method)),
            _ => Err(unknown(path)),
        }
    }

    async fn log_level(&self, head: &Parts, body: Drained) -> Result<Answer, Refused> {
        let Some(log) = &self.admin.log_filter else { return Err(unknown(head.uri.path())) };
        match head.method {
            Method::GET => {}
            Method::PUT => {
                let Filter { filter } = read(&head.headers, body).await?;
                log.set(&filter).map_err(|reason| Refused::new(StatusCode::BAD_REQUEST, "filter", reason))?;
                tracing::info!("what is logged is now {:?}", log.get());
            }
            _ => return Err(not_allowed(&head.method)),
        }
        Ok(json(StatusCode::OK, &Filter { filter: log.get() }))
    }

    async fn back_up(&self, head: &Parts, body: Drained) -> Result<Answer, Refused> {
        let Some(backup) = self.admin.backup.clone() else { return Err(unknown(head.uri.path())) };
        if head.method != Method::POST {
            return Err(not_allowed(&head.method));
        }
        let Backup { folder } = read(&head.headers, body).await?;
        done("backup", move || backup.back_up(&folder)).await
    }

    /// Whether whoever asks is the operator.
    fn authorize(&self, headers: &HeaderMap) -> Result<(), Refused> {
        let header = |name| headers.get(name).map(http::HeaderValue::as_bytes).unwrap_or_default();
        let shows = |token: &str| {
            bearer_token(header(AUTHORIZATION)).is_some_and(|shown| shown.ct_eq(token.as_bytes()).into())
        };
        match self.admin.token() {
            Some(token) if shows(&token) => Ok(()),
            Some(_) => {
                let message = "Authorization: Bearer with the token of the operator's address is needed";
                Err(Refused::new(StatusCode::UNAUTHORIZED, "token", message))
            }
            None if is_this_machine(header(HOST)) => Ok(()),
            None => {
                let message = "without a token, Host has to be an address or localhost";
                Err(Refused::new(StatusCode::FORBIDDEN, "host", message))
            }
        }
    }
}

/// The answer to what may take long, once it is done; 422 with this code where it fails.
async fn done<T: Serialize + Send + 'static>(
    code: &'static str,
    work: impl FnOnce() -> anyhow::Result<T> + Send + 'static,
) -> Result<Answer, Refused> {
    let outcome = tokio::task::spawn_blocking(work).await.map_err(anyhow::Error::from).flatten();
    let refused = |error| Refused::new(StatusCode::UNPROCESSABLE_ENTITY, code, format!("{error:#}"));
    Ok(json(StatusCode::OK, &outcome.map_err(refused)?))
}

/// Whether a Host header has no name that somebody else may have made lead here.
fn is_this_machine(host: &[u8]) -> bool {
    let Ok(host) = std::str::from_utf8(host) else { return false };
    let Ok(authority) = host.parse::<http::uri::Authority>() else { return false };
    let name = authority.host().trim_start_matches('[').trim_end_matches(']');
    name.eq_ignore_ascii_case("localhost") || name.parse::<IpAddr>().is_ok()
}

fn health(reasons: Result<Vec<Reason>, Unseen>) -> Answer {
    let reasons = reasons.unwrap_or_else(|unseen| {
        let (code, message) = unseen.words();
        vec![Reason::new(code, message)]
    });
    match reasons.is_empty() {
        true => json(StatusCode::OK, &Health { status: "ok", reasons }),
        false => json(StatusCode::SERVICE_UNAVAILABLE, &Health { status: "failing", reasons }),
    }
}

impl Unseen {
    /// What is said of it, for programs and for people.
    fn words(self) -> (&'static str, &'static str) {
        match self {
            Self::Hangs => ("disk_hangs", "the spool's disk hangs: nobody can look at the gateway"),
            Self::Panics => ("panics", "looking at the gateway panics: the log says where"),
        }
    }
}

impl From<Unseen> for Refused {
    fn from(unseen: Unseen) -> Self {
        let (code, message) = unseen.words();
        let status = match unseen {
            Unseen::Hangs => StatusCode::SERVICE_UNAVAILABLE,
            Unseen::Panics => StatusCode::INTERNAL_SERVER_ERROR,
        };
        Self::new(status, code, message)
    }
}

fn read_only(method: &Method) -> Result<(), Refused> {
    if method == Method::GET || method == Method::HEAD { Ok(()) } else { Err(not_allowed(method)) }
}

fn not_allowed(method: &Method) -> Refused {
    Refused::new(StatusCode::METHOD_NOT_ALLOWED, "method", format!("{method} is not answered here"))
}

fn unknown(path: &str) -> Refused {
    Refused::new(StatusCode::NOT_FOUND, "path", format!("there is no {path:?} here"))
}

fn seconds(seconds: u64) -> Result<Duration, Refused> {
    if seconds > LONGEST_S {
        let message = format!("{seconds} s are longer than a day");
        return Err(Refused::new(StatusCode::BAD_REQUEST, "time", message));
    }
    Ok(Duration::from_secs(seconds))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_addresses_and_localhost_are_names_of_this_machine() {
        for host in ["127.0.0.1:9", "[::1]:9", "localhost", "LOCALHOST:9", "10.0.0.1"] {
            assert!(is_this_machine(host.as_bytes()), "{host}");
        }
        for host in ["", "rebound.example:9", "localhost.example", "127.0.0.1.example", "\u{ff}"] {
            assert!(!is_this_machine(host.as_bytes()), "{host}");
        }
    }
}
