//! Certificates of the server's own authority and of files; swapped without dropping a connection.

use crate::support::{NAMES, World, ask};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use strongroom_ambient::{Ambient, FakeClock};
use strongroom_server::config::{Config, Limits};
use strongroom_server::tls::{TlsError, TlsHandle, TlsHandles, TlsSource, ensure_own};

fn names() -> Vec<String> {
    NAMES.map(str::to_owned).to_vec()
}

fn held_clock() -> (Ambient, Arc<FakeClock>) {
    let system = Ambient::system();
    let clock = Arc::new(FakeClock::at(system.now()));
    (Ambient { clock: clock.clone(), ..system }, clock)
}

fn days(days: u64) -> Duration {
    Duration::from_secs(days * 86_400)
}

#[tokio::test]
async fn a_new_certificate_serves_new_connections_and_old_ones_live_on() {
    let world = World::start(Limits::default());
    let mut old = world.connect().await;
    let before = old.get_ref().1.peer_certificates().unwrap().to_vec();
    assert!(!world.tls.reload(&Ambient::system()).unwrap(), "nothing was due");

    std::fs::remove_file(world.dir.path().join("tls/server.pem")).unwrap();
    assert!(world.tls.reload(&Ambient::system()).unwrap());
    let mut new = world.connect().await;
    assert_ne!(new.get_ref().1.peer_certificates().unwrap().to_vec(), before);
    assert_eq!(ask(&mut new, "/hello").await.0, 200);
    assert_eq!(ask(&mut old, "/hello").await.0, 200, "the old connection lives on");
}

#[tokio::test]
async fn a_failed_reload_keeps_what_is_served() {
    let world = World::start(Limits::default());
    std::fs::write(world.dir.path().join("tls/ca.key"), "damaged").unwrap();
    assert!(matches!(world.tls.reload(&Ambient::system()), Err(TlsError::Authority(_))));
    assert_eq!(ask(&mut world.connect().await, "/hello").await.0, 200);
}

#[test]
fn own_certificates_are_private_kept_and_renewed_when_due() {
    let dir = tempfile::tempdir().unwrap();
    let (ambient, clock) = held_clock();
    let own = ensure_own(&ambient, dir.path(), &names()).unwrap();
    for file in [&own.ca, &own.cert, &own.key, &dir.path().join("ca.key")] {
        assert_eq!(file.metadata().unwrap().permissions().mode() & 0o777, 0o600, "{}", file.display());
    }
    let (ca, first) = (std::fs::read(&own.ca).unwrap(), std::fs::read(&own.cert).unwrap());
    let again = |names: &[String]| {
        ensure_own(&ambient, dir.path(), names).unwrap();
        std::fs::read(&own.cert).unwrap()
    };
    assert_eq!(again(&names()), first, "a good one is left alone");
    clock.advance(days(61));
    let renewed = again(&names());
    assert_ne!(renewed, first, "a third of its life is left");
    let more = [names(), vec!["vault.example.org".to_owned()]].concat();
    assert_ne!(again(&more), renewed, "another name was asked for");
    assert_eq!(std::fs::read(&own.ca).unwrap(), ca, "clients trust the same authority");
}

#[test]
fn a_key_of_another_certificate_is_replaced_in_own_and_refused_in_files() {
    let (left, right) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let ambient = Ambient::system();
    let own = ensure_own(&ambient, left.path(), &names()).unwrap();
    let other = ensure_own(&ambient, right.path(), &names()).unwrap();
    let open = |cert: &Path, key: &Path| {
        TlsHandle::open(&ambient, TlsSource::Files { cert: cert.to_owned(), key: key.to_owned() }).map(drop)
    };
    assert!(open(&own.cert, &own.key).is_ok());
    assert!(matches!(open(&own.cert, &other.key), Err(TlsError::Unusable { .. })));
    assert!(matches!(open(&own.key, &own.key), Err(TlsError::NoCertificate { .. })));
    assert!(matches!(open(&own.cert, &own.cert), Err(TlsError::NoKey { .. })));
    assert!(matches!(open(&own.cert, Path::new("/absent")), Err(TlsError::File { .. })));

    // as after a crash between the two files
    std::fs::copy(&other.key, &own.key).unwrap();
    ensure_own(&ambient, left.path(), &names()).unwrap();
    assert!(open(&own.cert, &own.key).is_ok());
}

#[test]
fn each_listener_has_its_handle() {
    let dir = tempfile::tempdir().unwrap();
    let ambient = Ambient::system();
    let own = ensure_own(&ambient, &dir.path().join("other"), &names()).unwrap();
    let text = format!(
        "[server]\ndata_dir = \"/d\"\n\
         [listener.a]\naddress = \"127.0.0.2:1\"\ntls_names = [\"vault.example.org\"]\n\
         [listener.b]\naddress = \"127.0.0.1:2\"\ntls_cert = \"{}\"\ntls_key = \"{}\"\n\
         [listener.c]\naddress = \"unix:/s\"\n",
        own.cert.display(),
        own.key.display()
    );
    let config = Config::parse(&text, "test").unwrap();
    let tls = dir.path().join("tls");
    let handles = TlsHandles::open(&ambient, &config, &tls).unwrap();
    let given: Vec<bool> = config.listeners.iter().map(|listener| handles.of(listener).is_some()).collect();
    assert_eq!(given, [true, true, false]);
    let info = strongroom_x509::inspect(&std::fs::read(tls.join("server.pem")).unwrap()).unwrap();
    for name in ["localhost", "127.0.0.1", "127.0.0.2", "vault.example.org"] {
        assert!(info.sans.iter().any(|san| san == name), "{name} in {:?}", info.sans);
    }
    handles.reload(&ambient).unwrap();
}
