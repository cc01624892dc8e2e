//! Whom TLS trusts, and to whom a certificate is shown.

use crate::config::Tls;
use crate::http::{HttpError, Patience, Server};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::server::WebPkiClientVerifier;
use rustls_pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use std::path::Path;
use std::sync::Arc;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

type Authority = CertifiedIssuer<'static, KeyPair>;

fn authority() -> Authority {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
}

/// A server that says `up`; with an authority of clients it asks them for a certificate.
async fn listen(authority: &Authority, clients: Option<&Authority>) -> String {
    let key = KeyPair::generate().unwrap();
    let params = CertificateParams::new(vec!["127.0.0.1".to_owned()]).unwrap();
    let chain = vec![params.signed_by(&key, authority).unwrap().der().clone()];
    let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.serialize_der()));
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let builder = rustls::ServerConfig::builder_with_provider(provider.clone());
    let builder = builder.with_safe_default_protocol_versions().unwrap();
    let builder = match clients {
        Some(clients) => {
            let mut roots = rustls::RootCertStore::empty();
            roots.add(clients.der().clone()).unwrap();
            let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider);
            builder.with_client_cert_verifier(verifier.build().unwrap())
        }
        None => builder.with_no_client_auth(),
    };
    let acceptor = tokio_rustls::TlsAcceptor::from(Arc::new(builder.with_single_cert(chain, key).unwrap()));
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let url = format!("https://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        while let Ok((tcp, _)) = listener.accept().await {
            // a client that turns away is what is tested
            let Ok(mut stream) = acceptor.accept(tcp).await else { continue };
            let mut asked = [0; 1024];
            let _ = stream.read(&mut asked).await;
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\nup\n").await;
            let _ = stream.shutdown().await;
        }
    });
    url
}

fn written(home: &Path, name: &str, text: &str) -> std::path::PathBuf {
    let path = home.join(name);
    std::fs::write(&path, text).unwrap();
    path
}

async fn asked(url: &str, tls: &Tls) -> Result<(), HttpError> {
    Server::new(&url.parse().unwrap(), tls, None, Patience::default())?.is_up().await
}

#[tokio::test]
async fn the_named_authority_is_trusted_and_no_other() {
    let home = tempfile::tempdir().unwrap();
    let (ours, other) = (authority(), authority());
    let url = listen(&ours, None).await;
    let of = |authority: &Authority, name| Tls {
        ca: Some(written(home.path(), name, &authority.pem())),
        ..Tls::default()
    };
    asked(&url, &of(&ours, "ca.pem")).await.unwrap();
    let error = asked(&url, &of(&other, "other.pem")).await.unwrap_err();
    assert!(matches!(error, HttpError::Untrusted { .. }) && !error.may_pass(), "{error}");
    let by_name = url.replace("127.0.0.1", "localhost");
    assert!(matches!(asked(&by_name, &of(&ours, "ca.pem")).await, Err(HttpError::Untrusted { .. })));
    let empty = Tls { ca: Some(written(home.path(), "empty.pem", "hello")), ..Tls::default() };
    assert!(matches!(asked(&url, &empty).await, Err(HttpError::BadFile { .. })));
    let none = Tls { ca: Some(home.path().join("none.pem")), ..Tls::default() };
    assert!(matches!(asked(&url, &none).await, Err(HttpError::BadFile { .. })));
}

#[tokio::test]
async fn a_certificate_is_shown_where_it_is_asked_for() {
    let home = tempfile::tempdir().unwrap();
    let (ours, clients) = (authority(), authority());
    let url = listen(&ours, Some(&clients)).await;
    let ca = Some(written(home.path(), "ca.pem", &ours.pem()));
    let key = KeyPair::generate().unwrap();
    let own = CertificateParams::new(Vec::new()).unwrap().signed_by(&key, &clients).unwrap();
    let client_cert = Some(written(home.path(), "me.pem", &own.pem()));
    let client_key = Some(written(home.path(), "me.key", &key.serialize_pem()));
    let without = Tls { ca: ca.clone(), ..Tls::default() };
    assert!(asked(&url, &without).await.is_err());
    asked(&url, &Tls { ca: ca.clone(), client_cert: client_cert.clone(), client_key }).await.unwrap();
    let wrong = Tls { ca, client_cert: client_cert.clone(), client_key: client_cert };
    assert!(matches!(asked(&url, &wrong).await, Err(HttpError::BadFile { .. })));
}
