//! `wasi:http@0.3.0`: the types, and the client with `allowed_outbound_hosts` enforced.

use std::net::SocketAddr;
use std::sync::{Arc, OnceLock};

use http::header::HOST;
use http::uri::Scheme;
use http::{Request, Response, Uri};
use wasmtime::component::ResourceTable;
use wasmtime_wasi_http::{Error, RequestOptions, WasiBody, WasiHttpCtx, WasiHttpCtxView, WasiHttpHooks};

use crate::manifest::allowed_hosts::{AllowedHosts, Reach};
use crate::metrics::{FunctionMetrics, Sent, To, of_status};
use crate::outbound::Outbound;

/// The name by which an application addresses itself, as in Spin.
const SELF: &str = "self.alt";

/// Outbound HTTP of one instance.
pub(crate) struct HttpCtx {
    http: WasiHttpCtx,
    hooks: Hooks,
}

/// What is done about a request that a guest sends.
pub(crate) struct Hooks {
    pub(crate) allowed: Arc<AllowedHosts>,
    /// Those of them that are object stores.
    pub(crate) stores: Arc<AllowedHosts>,
    pub(crate) outbound: Arc<dyn Outbound>,
    /// Where the application itself listens, once it does.
    pub(crate) own_address: Arc<OnceLock<SocketAddr>>,
    pub(crate) metrics: Arc<FunctionMetrics>,
}

impl HttpCtx {
    pub(crate) fn new(hooks: Hooks) -> Self {
        Self { http: WasiHttpCtx::new(), hooks }
    }

    pub(crate) fn view<'a>(&'a mut self, table: &'a mut ResourceTable) -> WasiHttpCtxView<'a> {
        WasiHttpCtxView { hooks: &mut self.hooks, table, ctx: &mut self.http }
    }
}

type Answer = Result<(Response<WasiBody>, Box<dyn Future<Output = Result<(), Error>> + Send>), Error>;

impl WasiHttpHooks for Hooks {
    fn send_request(
        &mut self,
        mut request: Request<WasiBody>,
        options: Option<RequestOptions>,
        // How the guest fared with the response: the connection tells the peer all there is to tell.
        _response_outcome: Box<dyn Future<Output = Result<(), Error>> + Send>,
    ) -> Box<dyn Future<Output = Answer> + Send> {
        let running = self.metrics.sent(self.to(request.uri())).begin(Sent::Abandoned);
        let sent = self.address(request.uri()).map(|(uri, reach)| {
            *request.uri_mut() = uri;
            // The client sets it from the URI.
            request.headers_mut().remove(HOST);
            self.outbound.send(request, options.unwrap_or_default(), reach)
        });
        Box::new(async move {
            let nothing_more: Box<dyn Future<Output = _> + Send> = Box::new(async { Ok(()) });
            let answer = match sent {
                Ok(answer) => answer.await,
                Err(error) => Err(error),
            };
            running.end(match &answer {
                Ok(answer) => of_status(answer.status()),
                Err(error) => error.into(),
            });
            Ok((answer?, nothing_more))
        })
    }
}

impl Hooks {
    fn to(&self, uri: &Uri) -> To {
        if uri.host() == Some(SELF) {
            To::Own
        } else if self.stores.allows(&uri.to_string()) {
            To::Store
        } else {
            To::Receiver
        }
    }

    /// Where a request to `uri` goes, and how far it may, if it is allowed.
    fn address(&self, uri: &Uri) -> Result<(Uri, Reach), Error> {
        if uri.host() != Some(SELF) {
            if let Some(reach) = self.allowed.reach(&uri.to_string()) {
                return Ok((uri.clone(), reach));
            }
            tracing::warn!(
                // Without a user, whose word it may hold.
                to = uri.authority().and_then(|authority| authority.as_str().rsplit('@').next()),
                "a request was denied: allowed_outbound_hosts does not have its host"
            );
            return Err(Error::HttpRequestDenied);
        }
        if !self.allowed.allows_self() {
            return Err(Error::HttpRequestDenied);
        }
        let own = self.own_address.get().ok_or(Error::HttpRequestUriInvalid)?;
        let mut parts = uri.clone().into_parts();
        parts.scheme = Some(Scheme::HTTP);
        parts.authority = Some(own.to_string().parse().map_err(|_| Error::HttpRequestUriInvalid)?);
        let uri = Uri::from_parts(parts).map_err(|_| Error::HttpRequestUriInvalid)?;
        Ok((uri, Reach::Any))
    }
}
