//! Runs a Spin application natively: the components and the `spin.toml` that Spin runs, on wasmtime.
//!
//! Not a general Spin: HTTP triggers, key-value, variables and outbound HTTP, each as Spin behaves, and a
//! clear error for everything else.
//! Time, randomness, the key-value store and the way out to the network are given by the embedder, so
//! that a simulation can own them.
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

mod allowed_hosts;
mod bucket_server;
mod capability;
mod clock;
mod component_cache;
mod compose;
mod connections;
mod dependency;
mod drain;
mod epoch;
mod function;
mod guest_log;
mod host;
mod idle_timeout;
mod instance;
mod interfaces;
pub mod key_value;
mod manifest;
mod outbound;
mod routing;
mod server;
mod template;
mod variables;

pub use allowed_hosts::AllowedHosts;
pub use bucket_server::{BucketConfig, BucketServer, check_bucket_name};
pub use capability::{Capability, Inherit};
pub use clock::{Clock, RandomSource, SystemClock, SystemRandom};
pub use component_cache::ComponentCache;
pub use compose::compose;
pub use dependency::DependencyName;
pub use function::InstanceLimits;
pub use host::{Host, HostBuilder};
pub use manifest::{Component, Dependency, HttpTrigger, Manifest, VariableDeclaration};
pub use outbound::{HttpOutbound, Outbound};
pub use routing::{RouteMatch, Router};
pub use variables::{ComponentVariables, Variables, environment_name};
/// The types that an [`Outbound`] and a caller of [`Host::handle`] speak.
pub use wasmtime_wasi_http::{Error as HttpError, RequestOptions, WasiBody};
