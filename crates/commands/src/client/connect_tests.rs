use super::*;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls_pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use std::path::PathBuf;
use tokio::net::TcpListener;

type Authority = CertifiedIssuer<'static, KeyPair>;

fn authority() -> Authority {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
}

/// A TLS listener for a name; it answers handshakes until the test ends.
async fn listen(authority: &Authority, name: &str) -> u16 {
    let key = KeyPair::generate().unwrap();
    let params = CertificateParams::new(vec![name.to_owned()]).unwrap();
    let chain = vec![params.signed_by(&key, authority).unwrap().der().clone()];
    let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.serialize_der()));
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .unwrap();
    let acceptor = tokio_rustls::TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((tcp, _)) = listener.accept().await {
            // the client may turn away: that is what is tested
            let _ = acceptor.accept(tcp).await;
        }
    });
    port
}

fn written(authority: &Authority) -> (tempfile::TempDir, PathBuf) {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("ca.pem");
    std::fs::write(&path, authority.pem()).unwrap();
    (home, path)
}

async fn attempt(port: u16, cacert: Option<PathBuf>) -> Result<(), ClientError> {
    let address = Address::Https { host: "127.0.0.1".to_owned(), port };
    let target = Target {
        address: address.clone(),
        socket: None,
        cacert,
        context: None,
        access_key_id: None,
        key_file: None,
    };
    let connector = Connector::new(&address, &target)?;
    connector.connect(Duration::from_secs(5)).await.map(drop)
}

#[tokio::test]
async fn the_pinned_authority_is_trusted() {
    let ours = authority();
    let (_home, cacert) = written(&ours);
    let port = listen(&ours, "127.0.0.1").await;
    assert!(attempt(port, Some(cacert)).await.is_ok());
}

#[tokio::test]
async fn another_authority_is_not() {
    let (_home, cacert) = written(&authority());
    let port = listen(&authority(), "127.0.0.1").await;
    assert!(matches!(attempt(port, Some(cacert)).await, Err(ClientError::Untrusted { .. })));
}

#[tokio::test]
async fn another_name_is_not_trusted() {
    let ours = authority();
    let (_home, cacert) = written(&ours);
    let port = listen(&ours, "elsewhere.invalid").await;
    assert!(matches!(attempt(port, Some(cacert)).await, Err(ClientError::Untrusted { .. })));
}

#[tokio::test]
async fn without_an_authority_nothing_is_sent() {
    assert!(matches!(attempt(1, None).await, Err(ClientError::NoAuthority { .. })));
    let home = tempfile::tempdir().unwrap();
    let empty = home.path().join("ca.pem");
    assert!(matches!(attempt(1, Some(empty.clone())).await, Err(ClientError::BadAuthority { .. })));
    std::fs::write(&empty, "hello").unwrap();
    assert!(matches!(attempt(1, Some(empty)).await, Err(ClientError::BadAuthority { .. })));
}

#[tokio::test]
async fn a_closed_port_is_no_server() {
    let (_home, cacert) = written(&authority());
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let port = listener.local_addr().unwrap().port();
    drop(listener);
    assert!(matches!(attempt(port, Some(cacert)).await, Err(ClientError::NoServer { .. })));
}
