//! `wasi:http@0.3.0`: the types, and the client with `allowed_outbound_hosts` enforced.

use std::net::SocketAddr;
use std::sync::{Arc, OnceLock};

use http::header::HOST;
use http::uri::Scheme;
use http::{Request, Response, Uri};
use opentelemetry::trace::SpanContext;
use wasmtime::AsContextMut;
use wasmtime::component::{Accessor, HasData, Linker, Resource, ResourceTable};
use wasmtime_wasi::TrappableError;
use wasmtime_wasi_http::p3;
use wasmtime_wasi_http::p3::bindings::http::{client, types};
use wasmtime_wasi_http::{
    Error, RequestOptions, WasiBody, WasiHttp, WasiHttpCtx, WasiHttpCtxView, WasiHttpHooks, WasiHttpView,
};

use crate::manifest::allowed_hosts::{AllowedHosts, Reach};
use crate::metrics::{FunctionMetrics, Sent, To, of_status};
use crate::outbound::Outbound;
use crate::traces::{self, Callers, SentTrace};

/// The name by which an application addresses itself, as in Spin.
const SELF: &str = "self.alt";

/// Outbound HTTP of one instance.
pub(crate) struct HttpCtx {
    http: WasiHttpCtx,
    hooks: Hooks,
    /// The traces of the requests that the instance answers.
    pub(crate) callers: Callers,
}

/// Whatever holds an [`HttpCtx`].
pub(crate) trait HttpView {
    fn http_ctx(&mut self) -> &mut HttpCtx;
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
    /// For which request of the instance the next one is sent, if that is traced.
    pub(crate) caller: Option<SpanContext>,
}

/// Adds the types, and a client that knows for which request it sends.
pub(super) fn add_to_linker<T: WasiHttpView + HttpView + 'static>(
    linker: &mut Linker<T>,
) -> wasmtime::Result<()> {
    types::add_to_linker::<_, WasiHttp>(linker, WasiHttpView::http)?;
    client::add_to_linker::<_, Client>(linker, WasiHttpView::http)
}

struct Client;

impl HasData for Client {
    type Data<'a> = WasiHttpCtxView<'a>;
}

impl<T: WasiHttpView + HttpView + 'static> client::HostWithStore<T> for Client {
    async fn send(
        store: &Accessor<T, Self>,
        request: Resource<p3::Request>,
    ) -> Result<Resource<p3::Response>, TrappableError<types::ErrorCode>> {
        store.with(|mut store| {
            let mut store = store.as_context_mut();
            let is_traced = !store.data_mut().http_ctx().callers.is_empty();
            let caller =
                if is_traced { traces::caller(&mut store, |state| &state.http_ctx().callers) } else { None };
            // Also where there is none: a call that failed before the hooks has left its own.
            store.data_mut().http_ctx().hooks.caller = caller;
        });
        // This calls the hooks before anything else can.
        let store = store.with_getter::<WasiHttp>(T::http);
        <WasiHttp as client::HostWithStore<T>>::send(&store, request).await
    }
}

impl HttpCtx {
    pub(crate) fn new(hooks: Hooks) -> Self {
        Self { http: WasiHttpCtx::new(), hooks, callers: Callers::default() }
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
        let to = self.to(request.uri());
        let running = self.metrics.sent(to).begin(Sent::Abandoned);
        let trace = SentTrace::begin(self.caller.take(), request.method(), request.uri(), to);
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
            match &answer {
                Ok(answer) => {
                    running.end(of_status(answer.status()));
                    trace.answered(answer.status());
                }
                Err(error) => {
                    running.end(error.into());
                    trace.failed(error.into());
                }
            }
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
