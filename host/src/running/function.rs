//! A component that answers HTTP requests, and its instances.
//!
//! Instances are reused as Spin reuses them; a trap ends the requests of its instance and nothing else.

use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use opentelemetry::trace::SpanContext;
use tokio::time::Sleep;
use wasmtime::component::{GuestTaskId, InstancePre, ResourceTable};
use wasmtime::{Result, Store, StoreContextMut};
use wasmtime_wasi_http::WasiHttpView;
use wasmtime_wasi_http::handler::{
    HandlerState, Instance, Proxy, ProxyHandler, Request, Response, ShouldAccept, WorkerExpiration,
    WorkerState, WorkerStatus,
};
use wasmtime_wasi_http::p3::bindings::ServicePre;

use crate::clock::{Clock, RandomSource};
use crate::interfaces::http::{Hooks, HttpCtx};
use crate::interfaces::stores::KeyValueCtx;
use crate::interfaces::variables::VariablesCtx;
use crate::interfaces::wasi;
use crate::key_value::KeyValue;
use crate::manifest::allowed_hosts::AllowedHosts;
use crate::manifest::variables::ComponentVariables;
use crate::metrics::FunctionMetrics;
use crate::outbound::Outbound;
use crate::running::instance::{CountedInstance, InstanceState, MemoryLimit};

/// Bounds of every instance.
#[derive(Clone, Copy, Debug)]
pub struct InstanceLimits {
    /// Linear memory of an instance with its dependencies, in bytes.
    pub memory_bytes: usize,
    /// Requests that an instance answers before it is replaced.
    pub requests: usize,
    /// Requests that an instance answers at the same time.
    pub concurrent_requests: usize,
    /// How long an instance without a request is kept.
    pub idle: Duration,
    /// How long a request may take to its response.
    pub request: Duration,
}

impl Default for InstanceLimits {
    /// The reuse is Spin's; memory and time, which Spin leaves open, are far above what a recording needs.
    fn default() -> Self {
        Self {
            memory_bytes: 512 << 20,
            requests: 128,
            concurrent_requests: 16,
            idle: Duration::from_secs(1),
            request: Duration::from_secs(300),
        }
    }
}

/// What the instances of a component are made of.
pub(crate) struct FunctionState {
    pub(crate) metrics: Arc<FunctionMetrics>,
    pub(crate) variables: ComponentVariables,
    pub(crate) allowed_hosts: Arc<AllowedHosts>,
    /// Those of them that are object stores.
    pub(crate) stores: Arc<AllowedHosts>,
    /// The store labelled `default`, where the manifest grants it.
    pub(crate) key_value: Option<Arc<dyn KeyValue>>,
    pub(crate) outbound: Arc<dyn Outbound>,
    pub(crate) own_address: Arc<OnceLock<SocketAddr>>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) random: Arc<dyn RandomSource>,
    pub(crate) limits: InstanceLimits,
}

/// A component that answers HTTP requests.
pub(crate) struct Function {
    handler: ProxyHandler<Instances>,
}

impl Function {
    /// # Errors
    ///
    /// When the component does not export `wasi:http/handler`.
    pub(crate) fn new(pre: InstancePre<InstanceState>, state: FunctionState) -> Result<Self> {
        let pre = ServicePre::new(pre)?;
        Ok(Self { handler: ProxyHandler::new(Instances { pre, state }) })
    }

    /// `caller`: what the requests that it sends meanwhile are part of, if they are traced.
    pub(crate) async fn handle(&self, request: Request, caller: Option<SpanContext>) -> Result<Response> {
        self.handler.handle(caller, request).await
    }
}

struct Instances {
    pre: ServicePre<InstanceState>,
    state: FunctionState,
}

impl Instances {
    fn instance_state(&self) -> InstanceState {
        let state = &self.state;
        InstanceState {
            table: ResourceTable::new(),
            wasi: wasi::context(&state.metrics.component, &state.clock, &*state.random),
            http: HttpCtx::new(Hooks {
                allowed: state.allowed_hosts.clone(),
                stores: state.stores.clone(),
                outbound: state.outbound.clone(),
                own_address: state.own_address.clone(),
                metrics: state.metrics.clone(),
                caller: None,
            }),
            key_value: KeyValueCtx::new(state.key_value.clone()),
            variables: VariablesCtx { variables: state.variables.clone() },
            memory: MemoryLimit::new(state.metrics.clone(), state.limits.memory_bytes),
            _counted: CountedInstance::new(state.metrics.clone()),
        }
    }
}

impl HandlerState for Instances {
    type StoreData = InstanceState;
    type WorkerExpiration = Expiration;
    type WorkerState = Worker;

    async fn instantiate(&self) -> Result<Instance<InstanceState, Expiration, Worker>> {
        let metrics = &self.state.metrics;
        let begun = Instant::now();
        let mut store = Store::new(self.pre.engine(), self.instance_state());
        store.limiter(|state| &mut state.memory);
        // A guest that computes for long lets the others run at each tick of the engine's epoch.
        store.set_epoch_deadline(1);
        store.epoch_deadline_async_yield_and_update(1);
        let proxy = self.pre.instantiate_async(&mut store).await.map(Proxy::P3);
        let proxy = proxy.inspect_err(|_| metrics.instances_failed.add_one())?;
        metrics.instances_started.add_one();
        metrics.instance_start.observe(begun.elapsed());
        let limits = self.state.limits;
        Ok(Instance {
            store,
            proxy,
            view: InstanceState::http,
            expiration: Expiration { limits, sleep: Box::pin(tokio::time::sleep(limits.idle)) },
            state: Worker { metrics: metrics.clone(), limits },
        })
    }
}

/// Ends an instance that is idle, or stuck, for too long.
struct Expiration {
    limits: InstanceLimits,
    sleep: Pin<Box<Sleep>>,
}

impl WorkerExpiration for Expiration {
    fn poll(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        status: WorkerStatus,
        start: Instant,
    ) -> Poll<()> {
        let bound = match status {
            WorkerStatus::Idle => self.limits.idle,
            WorkerStatus::Requests | WorkerStatus::PostReturn => self.limits.request,
        };
        let deadline = (start + bound).into();
        if self.sleep.deadline() != deadline {
            self.sleep.as_mut().reset(deadline);
        }
        self.sleep.as_mut().poll(cx)
    }
}

struct Worker {
    metrics: Arc<FunctionMetrics>,
    limits: InstanceLimits,
}

impl WorkerState for Worker {
    type StoreData = InstanceState;
    type RequestData = Option<SpanContext>;

    fn should_accept_request(&self, concurrent_count: usize, total_count: usize) -> ShouldAccept {
        if total_count >= self.limits.requests {
            ShouldAccept::Never
        } else if concurrent_count >= self.limits.concurrent_requests {
            ShouldAccept::No
        } else {
            ShouldAccept::Yes
        }
    }

    fn on_request_start(
        &self,
        mut store: StoreContextMut<'_, InstanceState>,
        caller: Option<SpanContext>,
        task: GuestTaskId,
    ) -> Pin<Box<dyn Future<Output = ()> + Send + Sync>> {
        store.data_mut().http.callers.insert(task, caller);
        Box::pin(tokio::time::sleep(self.limits.request))
    }

    fn drop(&self, store: Store<InstanceState>, result: Result<()>) {
        if let Err(error) = result {
            let component = &*self.metrics.component;
            // The handler takes it for a panic, too, when the runtime drops an instance as it shuts down.
            if error.to_string() == "worker panicked" && !std::thread::panicking() {
                tracing::debug!(component, "an instance was dropped");
            } else {
                self.metrics.instances_failed.add_one();
                tracing::error!(component, "an instance ended: {error:?}");
            }
        }
        drop(store);
    }
}
