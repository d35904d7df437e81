//! Functions behind TLS, whose certificate an authority of their own has signed. The keys are of no use elsewhere.

use std::{path::PathBuf, sync::Arc, time::Duration};

use gateway::Config;
use tokio::{
    io::copy_bidirectional,
    net::{TcpListener, TcpStream},
};
use tokio_rustls::{
    TlsAcceptor,
    rustls::{
        ServerConfig, crypto,
        pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
    },
};

use crate::{
    Gateway, config,
    fake::Fake,
    functions,
    media::{SHAPE, frames, write_flv},
};

pub(crate) fn pem(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/gateway/certificates").join(name)
}

/// Ends TLS in front of functions; answers where.
async fn end_tls(functions: &Fake) -> String {
    let config = ServerConfig::builder_with_provider(Arc::new(crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(
            vec![CertificateDer::from_pem_file(pem("server.pem")).unwrap()],
            PrivateKeyDer::from_pem_file(pem("server.key.pem")).unwrap(),
        )
        .unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("https://localhost:{}", listener.local_addr().unwrap().port());
    let functions = functions.address;
    tokio::spawn(async move {
        loop {
            let (socket, _) = listener.accept().await.unwrap();
            let acceptor = acceptor.clone();
            tokio::spawn(async move {
                // A client that does not trust it ends the connection.
                let Ok(mut socket) = acceptor.accept(socket).await else { return };
                let mut behind = TcpStream::connect(functions).await.unwrap();
                let _ = copy_bidirectional(&mut socket, &mut behind).await;
            });
        }
    });
    url
}

#[tokio::test]
async fn functions_with_a_certificate_of_a_named_authority_are_trusted_and_no_others() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("x.flv");
    let pushed = write_flv(&file, SHAPE);
    let functions = functions().await;
    let url = end_tls(&functions).await;

    let gateway = Gateway::start(&url, &folder.path().join("other")).await;
    gateway.push(&file, "x").await.unwrap();
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert!(functions.log().heartbeats.is_empty(), "who is not trusted is told nothing");
    gateway.crash().await;

    let change = |config| Config { ca_file: Some(pem("authority.pem")), ..config };
    let gateway = Gateway::configured(&url, &folder.path().join("spool"), change).await;
    gateway.push(&file, "x").await.unwrap();
    let session = functions.ended(1).await.remove(0);
    assert!(frames(&session.chunks) == pushed);
    gateway.stop().await;
}

#[tokio::test]
async fn a_file_without_certificates_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    for (name, reason) in
        [("none", "while reading the certificates in"), ("server.key.pem", "has no certificate")]
    {
        let change = |config| Config { ca_file: Some(pem(name)), ..config };
        let config = change(config("https://localhost:1", &folder.path().join(name)));
        let error = format!("{:#}", Gateway::open(([127, 0, 0, 1], 0).into(), config).await.unwrap_err());
        assert!(error.contains(name) && error.contains(reason), "{error}");
    }
}
