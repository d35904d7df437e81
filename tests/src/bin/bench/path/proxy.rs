//! The plain proxy: each request is sent on as it came, its body as it comes, on connections that are kept.

use std::sync::Arc;

use anyhow::Result;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

/// Forwards to the server at `target`; says on the first line of its output where it listens.
pub(crate) fn serve(target: &str) -> Result<()> {
    tokio::runtime::Runtime::new()?.block_on(async {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        println!("{}", listener.local_addr()?);
        let mut tcp = HttpConnector::new();
        tcp.set_nodelay(true);
        let client = Client::builder(TokioExecutor::new()).build(tcp);
        let target: Arc<str> = target.into();
        let forward = move |mut request: http::Request<http_server::Drained>| {
            let (client, target) = (client.clone(), Arc::clone(&target));
            async move {
                let path = request.uri().path_and_query().map_or("/", |path| path.as_str());
                *request.uri_mut() = format!("http://{target}{path}").parse()?;
                anyhow::Ok::<http::Response<Incoming>>(client.request(request).await?)
            }
        };
        http_server::serve_connections(listener, |_| service_fn(forward.clone()), CancellationToken::new())
            .await;
        Ok(())
    })
}
