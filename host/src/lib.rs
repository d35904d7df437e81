//! Runs a Spin application natively: the components and the `spin.toml` that Spin runs, on wasmtime.
//!
//! Not a general Spin: HTTP triggers, key-value, variables and outbound HTTP, each as Spin behaves, and a
//! clear error for everything else.
//! The embedder gives time, randomness, the key-value store and the way out to the network, so that a
//! simulation can own them.
//!
//! | module | is |
//! | --- | --- |
//! | `manifest` | what `spin.toml` declares: components, dependencies, capabilities, variables, allowed hosts |
//! | `runtime_config` | Spin's runtime configuration: what is behind the key-value store |
//! | `interfaces` | the host interfaces, one module each |
//! | `running` | composing, compiling and instantiating components |
//! | `serving` | from an HTTP request to the component that answers it |
//! | `metrics` | what is counted of all that |
//! | `clock`, [`key_value`], `outbound` | what the embedder gives, with defaults |
//! | `metrics`, `traces` | what an operator sees |
//! | `host` | all of it put together |
//!
//! ```no_run
//! # async fn run() -> anyhow::Result<()> {
//! use std::sync::Arc;
//!
//! use host::{Host, HostBuilder, Manifest};
//! use tokio_util::sync::CancellationToken;
//!
//! let manifest = Manifest::load("spin.toml".as_ref())?;
//! let host: Host = HostBuilder::new(manifest).variables_from_environment().build()?;
//! let listener = tokio::net::TcpListener::bind("127.0.0.1:3000").await?;
//! Arc::new(host).serve(listener, CancellationToken::new()).await
//! # }
//! ```
#![deny(missing_docs)]

mod clock;
mod host;
mod interfaces;
pub mod key_value;
mod manifest;
mod metrics;
mod outbound;
mod running;
mod runtime_config;
mod serving;
mod traces;

pub use clock::{Clock, RandomSource, SystemClock, SystemRandom};
pub use host::{Host, HostBuilder};
pub use manifest::allowed_hosts::{AllowedHosts, Reach};
pub use manifest::capability::{Capability, Inherit};
pub use manifest::dependency::DependencyName;
pub use manifest::variables::{ComponentVariables, VariableError, Variables, environment_name};
pub use manifest::{Component, Dependency, HttpTrigger, Manifest, VariableDeclaration};
pub use outbound::{HttpOutbound, Outbound};
pub use running::component_cache::ComponentCache;
pub use running::compose::compose;
pub use running::function::InstanceLimits;
pub use runtime_config::{RuntimeConfig, StoreConfig};
pub use serving::routing::{RouteMatch, Router};
/// The types that an [`Outbound`] and a caller of [`Host::handle`] speak.
pub use wasmtime_wasi_http::{Error as HttpError, RequestOptions, WasiBody};
