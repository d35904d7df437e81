//! An application, ready to answer requests.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};

use anyhow::{Context, Result};
use exposition::Exposition;
use wasmtime::Engine;
use wasmtime::component::{Component, Linker};

use crate::clock::{Clock, RandomSource, SystemClock, SystemRandom};
use crate::interfaces;
use crate::key_value::KeyValue;
use crate::key_value::memory::MemoryStore;
use crate::manifest::Manifest;
use crate::manifest::allowed_hosts::{AllowedHosts, Reach};
use crate::manifest::variables::Variables;
use crate::metrics::{MeteredStore, Metrics};
use crate::outbound::{HttpOutbound, Outbound};
use crate::running::component_cache::ComponentCache;
use crate::running::compose::compose;
use crate::running::engine::{compile, engine};
use crate::running::function::{Function, FunctionState, InstanceLimits};
use crate::running::instance::InstanceState;
use crate::serving::routing::Router;

/// An application whose components are compiled and linked.
pub struct Host {
    pub(crate) engine: Engine,
    pub(crate) router: Router,
    pub(crate) functions: BTreeMap<String, Function>,
    pub(crate) own_address: Arc<OnceLock<SocketAddr>>,
    pub(crate) key_value: Arc<dyn KeyValue>,
    pub(crate) metrics: Metrics,
}

/// Gathers what a [`Host`] is made of; everything has a default.
pub struct HostBuilder {
    manifest: Manifest,
    variables: BTreeMap<String, String>,
    environment: bool,
    cache: Option<PathBuf>,
    key_value: Arc<dyn KeyValue>,
    outbound: Arc<dyn Outbound>,
    clock: Arc<dyn Clock>,
    random: Arc<dyn RandomSource>,
    limits: InstanceLimits,
    /// A variable with hosts that are reached at public addresses alone, and the one that lifts this.
    public: Option<(&'static str, &'static str)>,
}

impl HostBuilder {
    /// Begins with the system's time and randomness, HTTP over TCP, and a key-value store in memory.
    #[must_use]
    pub fn new(manifest: Manifest) -> Self {
        Self {
            manifest,
            variables: BTreeMap::new(),
            environment: false,
            cache: None,
            key_value: Arc::new(MemoryStore::default()),
            outbound: Arc::new(HttpOutbound::default()),
            clock: Arc::new(SystemClock::default()),
            random: Arc::new(SystemRandom),
            limits: InstanceLimits::default(),
            public: None,
        }
    }

    /// What is allowed by the variable `hosts` alone goes to addresses of the public internet, unless there is a variable
    /// `unless`, and it is `true`.
    ///
    /// Spin has blocked networks in its runtime configuration for the same, but for all requests at once.
    #[must_use]
    pub fn public_only(mut self, hosts: &'static str, unless: &'static str) -> Self {
        self.public = Some((hosts, unless));
        self
    }

    /// Values of application variables; they beat the manifest's defaults.
    #[must_use]
    pub fn variables(mut self, variables: BTreeMap<String, String>) -> Self {
        self.variables = variables;
        self
    }

    /// Lets `SPIN_VARIABLE_…` of the environment beat every other value of a variable.
    #[must_use]
    pub fn variables_from_environment(mut self) -> Self {
        self.environment = true;
        self
    }

    /// Keeps compiled components in `directory`.
    #[must_use]
    pub fn cache(mut self, directory: PathBuf) -> Self {
        self.cache = Some(directory);
        self
    }

    /// The store labelled `default`.
    #[must_use]
    pub fn key_value(mut self, store: Arc<dyn KeyValue>) -> Self {
        self.key_value = store;
        self
    }

    /// What sends the requests of guests.
    #[must_use]
    pub fn outbound(mut self, outbound: Arc<dyn Outbound>) -> Self {
        self.outbound = outbound;
        self
    }

    /// What guests read as time.
    #[must_use]
    pub fn clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = clock;
        self
    }

    /// What guests read as randomness.
    #[must_use]
    pub fn random(mut self, random: Arc<dyn RandomSource>) -> Self {
        self.random = random;
        self
    }

    /// Bounds of every instance.
    #[must_use]
    pub fn limits(mut self, limits: InstanceLimits) -> Self {
        self.limits = limits;
        self
    }

    /// Composes, compiles and links every component.
    ///
    /// # Errors
    ///
    /// When a variable has no value, a component cannot be read, composed or compiled, or it imports what
    /// this host does not implement.
    pub fn build(self) -> Result<Host> {
        let variables = Variables::resolve(&self.manifest, &self.variables, |name| {
            if self.environment { std::env::var(name).ok() } else { None }
        })?;
        let engine = engine()?;
        let mut linker = Linker::new(&engine);
        interfaces::add_to_linker(&mut linker)?;
        let own_address = Arc::new(OnceLock::new());

        let public = match self.public {
            Some((_, unless)) if variables.get(unless).is_ok_and(|value| value == "true") => None,
            public => public.map(|(hosts, _)| hosts),
        };
        let reach = |pattern: &str| match public {
            Some(hosts) if is_of(pattern, hosts) => Reach::Public,
            _ => Reach::Any,
        };
        let is_store = |pattern: &str| !self.public.is_some_and(|(hosts, _)| is_of(pattern, hosts));

        let components = self.manifest.components.keys().map(String::as_str);
        let metrics = Metrics::new(components, self.limits.memory_bytes);
        let key_value: Arc<dyn KeyValue> =
            Arc::new(MeteredStore { store: self.key_value.clone(), metrics: metrics.store.clone() });
        let mut functions = BTreeMap::new();
        for (id, declared) in &self.manifest.components {
            let context = || format!("in the component {id:?}");
            let component = self.component(&engine, id).with_context(context)?;
            let patterns = declared
                .allowed_outbound_hosts
                .iter()
                .map(|pattern| Ok((variables.expand(pattern)?, reach(pattern))))
                .collect::<Result<Vec<_>>>()
                .with_context(context)?;
            let stores = declared
                .allowed_outbound_hosts
                .iter()
                .filter(|pattern| is_store(pattern))
                .map(|pattern| variables.expand(pattern))
                .collect::<Result<Vec<_>, _>>()
                .with_context(context)?;
            let state = FunctionState {
                metrics: metrics.of(id).clone(),
                variables: variables.of(declared).with_context(context)?,
                allowed_hosts: Arc::new(AllowedHosts::parse_with_reach(patterns).with_context(context)?),
                stores: Arc::new(AllowedHosts::parse(stores).with_context(context)?),
                key_value: (!declared.key_value_stores.is_empty()).then(|| key_value.clone()),
                outbound: self.outbound.clone(),
                own_address: own_address.clone(),
                clock: self.clock.clone(),
                random: self.random.clone(),
                limits: self.limits,
            };
            let function = link(&linker, &engine, &component, state).with_context(context)?;
            functions.insert(id.clone(), function);
        }
        let triggers = self.manifest.triggers.iter();
        let router =
            Router::new(triggers.map(|trigger| (trigger.route.as_str(), trigger.component.as_str())))?;
        Ok(Host { engine, router, functions, own_address, key_value, metrics })
    }

    fn component(&self, engine: &Engine, id: &str) -> Result<Component> {
        let bytes = compose(id, &self.manifest.components[id], &self.manifest.directory)?;
        match &self.cache {
            Some(directory) => ComponentCache::new(directory.clone()).load(engine, &bytes),
            None => compile(engine, &bytes),
        }
    }
}

impl Host {
    /// Writes what is counted, as Prometheus reads it.
    pub fn write_metrics(&self, text: &mut Exposition) {
        self.metrics.write(text);
        text.gauge("live_recorder_key_value_failing", "1 where the key-value store failed last.")
            .value(&[], self.health().is_err());
    }

    /// Whether the functions' key-value store can be used, as far as is known without trying.
    ///
    /// # Errors
    /// [`KeyValueError::Store`](crate::key_value::KeyValueError::Store): the last write failed.
    pub fn health(&self) -> crate::key_value::Result<()> {
        self.key_value.health()
    }
}

/// Whether a pattern is made of a variable.
fn is_of(pattern: &str, variable: &str) -> bool {
    pattern
        .split("{{")
        .skip(1)
        .any(|template| template.split("}}").next().unwrap_or_default().trim() == variable)
}

fn link(
    linker: &Linker<InstanceState>,
    engine: &Engine,
    component: &Component,
    state: FunctionState,
) -> Result<Function> {
    let mut linker = linker.clone();
    interfaces::refused::add_to_linker(&mut linker, engine, component)?;
    let pre = linker.instantiate_pre(component).map_err(|error| {
        error.context("it imports what this host does not implement, or in another shape")
    })?;
    let function = Function::new(pre, state)
        .map_err(|error| error.context("it does not export wasi:http/handler@0.3.0"))?;
    Ok(function)
}
