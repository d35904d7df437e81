//! Names into addresses: once for each connection, so that what is connected to is what was judged.

use std::error::Error as StdError;
use std::net::SocketAddr;
use std::task::{Context, Poll};
use std::vec;

use futures::FutureExt;
use futures::future::BoxFuture;
use http::Uri;
use hyper_util::client::legacy::connect::dns::{GaiResolver, Name};
use thiserror::Error;
use tower_service::Service;

use crate::manifest::allowed_hosts::Reach;

/// Resolves names to those of their addresses that may be reached.
#[derive(Clone)]
pub(crate) struct Resolver {
    system: GaiResolver,
    reach: Reach,
}

/// No address of a name is public.
#[derive(Debug, Error)]
#[error("{name} has no address on the public internet")]
pub(crate) struct NotPublic {
    name: String,
}

impl Resolver {
    pub(crate) fn new(reach: Reach) -> Self {
        Self { system: GaiResolver::new(), reach }
    }
}

impl Service<Name> for Resolver {
    type Response = vec::IntoIter<SocketAddr>;
    type Error = Box<dyn StdError + Send + Sync>;
    type Future = BoxFuture<'static, Result<Self::Response, Self::Error>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.system.poll_ready(cx).map_err(Into::into)
    }

    fn call(&mut self, name: Name) -> Self::Future {
        let (resolved, reach) = (self.system.call(name.clone()), self.reach);
        async move { Ok(reached(name.as_str(), resolved.await?.collect(), reach)?.into_iter()) }.boxed()
    }
}

/// The addresses of a name that may be reached.
fn reached(name: &str, all: Vec<SocketAddr>, reach: Reach) -> Result<Vec<SocketAddr>, NotPublic> {
    if reach == Reach::Any {
        return Ok(all);
    }
    let public: Vec<_> = all.into_iter().filter(|socket| address::is_public(socket.ip())).collect();
    if public.is_empty() { Err(NotPublic { name: name.into() }) } else { Ok(public) }
}

/// Whether a URI holds an address that is not public: none of these is resolved.
pub(crate) fn is_private_address(uri: &Uri) -> bool {
    let host = uri.host().unwrap_or_default();
    let host = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
    host.parse().is_ok_and(|address| !address::is_public(address))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_the_addresses_of_a_name_the_public_ones_are_reached() {
        let socket = |text: &str| text.parse::<SocketAddr>().unwrap();
        let all = || ["10.0.0.1:80", "8.8.8.8:80", "[::1]:80"].map(socket).to_vec();
        assert_eq!(reached("a", all(), Reach::Public).unwrap(), [socket("8.8.8.8:80")]);
        assert_eq!(reached("a", all(), Reach::Any).unwrap(), all());
        let error = reached("a", vec![socket("127.0.0.1:80")], Reach::Public).unwrap_err();
        assert_eq!(error.to_string(), "a has no address on the public internet");
    }

    #[test]
    fn an_address_in_a_uri_is_judged_as_it_stands() {
        for uri in ["http://127.0.0.1:9000/", "http://[::1]/", "http://[::ffff:a00:1]:1/", "https://10.0.0.1"]
        {
            assert!(is_private_address(&uri.parse().unwrap()), "{uri}");
        }
        for uri in ["http://8.8.8.8/", "http://[2400:3200::1]:8080/", "http://localhost/"] {
            assert!(!is_private_address(&uri.parse().unwrap()), "{uri}");
        }
    }
}
