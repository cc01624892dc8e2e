use super::*;
use std::os::unix::fs::PermissionsExt as _;

/// A data directory with its own certificates, and a configuration beside it.
fn site(more: &str) -> (tempfile::TempDir, std::path::PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let names = ["127.0.0.1".to_owned()];
    crate::tls::ensure_own(&Ambient::system(), &data.join("tls"), &names).unwrap();
    std::fs::set_permissions(&data, std::fs::Permissions::from_mode(0o700)).unwrap();
    let text = format!(
        "[server]\ndata_dir = \"{}\"\nrun_dir = \"{}\"\nreserve = \"1MiB\"\n[listener.main]\n\
         address = \"127.0.0.1:0\"\n{more}",
        data.display(),
        folder.path().join("run").display()
    );
    let path = folder.path().join("strongroom.toml");
    std::fs::write(&path, text).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
    (folder, path)
}

fn mode(path: &Path, mode: u32) {
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
}

fn levels(found: &[Finding], check: &str) -> Vec<Level> {
    found.iter().filter(|finding| finding.check == check).map(|finding| finding.level).collect()
}

#[test]
fn a_site_in_order_has_no_failure_and_lacks_an_anchor() {
    let (_folder, path) = site("");
    let (found, config) = examine(&Ambient::system(), &path);
    assert!(config.is_some());
    assert!(found.iter().all(|finding| finding.level < Level::Fail), "{found:#?}");
    assert_eq!(levels(&found, "files"), [Level::Ok]);
    assert_eq!(levels(&found, "certificate"), [Level::Ok]);
    assert_eq!(levels(&found, "audit"), [Level::Warn]);
    for finding in found.iter().filter(|finding| finding.level > Level::Ok) {
        assert!(finding.advice.is_some(), "each says what to do: {finding:?}");
    }
}

#[test]
fn an_anchor_outside_is_seen() {
    let (_folder, path) = site("[audit.syslog]\naddress = \"udp:127.0.0.1\"\n");
    assert_eq!(levels(&examine(&Ambient::system(), &path).0, "audit"), [Level::Ok]);
}

#[test]
fn a_listener_that_anybody_may_reach_is_a_risk() {
    let (_folder, path) = site("[listener.open]\naddress = \"0.0.0.0:0\"\n");
    let found = examine(&Ambient::system(), &path).0;
    assert_eq!(levels(&found, "configuration"), [Level::Ok, Level::Warn]);
    let (_folder, path) = site("[listener.open]\naddress = \"0.0.0.0:0\"\naddresses = [\"10.0.0.0/8\"]\n");
    assert_eq!(levels(&examine(&Ambient::system(), &path).0, "configuration"), [Level::Ok]);
}

#[test]
fn what_others_may_read_is_named_with_the_command_that_helps() {
    let (folder, path) = site("");
    let data = folder.path().join("data");
    let key = data.join("tls/server.key");
    for (open, with) in [(key, 0o640), (data.clone(), 0o750), (path.clone(), 0o666)] {
        let before = std::fs::metadata(&open).unwrap().permissions().mode();
        mode(&open, with);
        let (found, _) = examine(&Ambient::system(), &path);
        let told = found.iter().find(|finding| finding.check == "files" && finding.level == Level::Fail);
        let told = told.unwrap_or_else(|| panic!("{}: {found:#?}", open.display()));
        assert!(told.about.contains(&open.display().to_string()), "{told:?}");
        assert!(told.advice.as_deref().unwrap().starts_with("chmod"), "{told:?}");
        mode(&open, before);
    }
}

#[test]
fn a_broken_configuration_is_told_line_by_line() {
    let (_folder, path) = site("tsl = \"own\"\n[audit]\nkeep_age = \"soon\"\n");
    let (found, config) = examine(&Ambient::system(), &path);
    assert!(config.is_none());
    assert_eq!(levels(&found, "configuration"), [Level::Fail, Level::Fail]);
    assert!(found[0].about.contains(":7:1: listener.main.tsl: unknown key"), "{found:?}");
    let (found, _) = examine(&Ambient::system(), Path::new("/nowhere/strongroom.toml"));
    assert_eq!(levels(&found, "configuration"), [Level::Fail]);
}

#[test]
fn certificates_are_told_apart_by_pair_chain_name_and_time() {
    let (folder, _) = site("");
    let ambient = Ambient::system();
    let other =
        crate::tls::ensure_own(&ambient, &folder.path().join("other"), &["localhost".to_owned()]).unwrap();
    let own = folder.path().join("data/tls");
    let with = |cert: &Path, key: &Path| {
        let more =
            format!("tls = \"files\"\ntls_cert = \"{}\"\ntls_key = \"{}\"\n", cert.display(), key.display());
        let (_folder, path) = site(&more);
        let found = examine(&ambient, &path).0;
        found.into_iter().filter(|finding| finding.check == "certificate").collect::<Vec<_>>()
    };
    let said = |found: &[Finding], text: &str| found.iter().any(|finding| finding.about.contains(text));
    let good = with(&own.join("server.pem"), &own.join("server.key"));
    assert!(good.iter().all(|finding| finding.level == Level::Ok), "{good:?}");
    assert!(said(&with(&own.join("server.pem"), &other.key), "do not serve together"));
    assert!(said(&with(&other.cert, &other.key), "does not name 127.0.0.1"));
    let leaf = std::fs::read_to_string(own.join("server.pem")).unwrap();
    let end = leaf.find("-----END CERTIFICATE-----\n").unwrap() + 26;
    let alone = folder.path().join("alone.pem");
    std::fs::write(&alone, &leaf[..end]).unwrap();
    assert!(said(&with(&alone, &own.join("server.key")), "holds the leaf alone"));
    let foreign = std::fs::read_to_string(&other.cert).unwrap();
    std::fs::write(&alone, format!("{}{foreign}", &leaf[..end])).unwrap();
    assert!(said(&with(&alone, &own.join("server.key")), "was issued by"));
}

#[tokio::test]
async fn data_of_a_stopped_server_is_looked_at_and_damage_found() {
    let (folder, path) = site("");
    let config = Config::load(&path).unwrap();
    let data = folder.path().join("data");
    let options = strongroom_store_sqlite::Options::TEST;
    let store = strongroom_store_sqlite::SqliteStore::open(&data, options, strongroom_audit::link).unwrap();
    let busy = check_data(&config).await;
    assert!(busy[0].about.contains("in use"), "{busy:?}");
    for n in 0..200_u8 {
        let slot = strongroom_store::Store::reserve(&*store).unwrap();
        let txn = strongroom_store::Txn::entry_only(vec![n; 200], 1);
        strongroom_store::Store::commit(&*store, slot, txn).await.unwrap();
    }
    strongroom_store::Store::close(&*store).await.unwrap();
    drop(store);
    let found = check_data(&config).await;
    let chain = found.iter().find(|finding| finding.level == Level::Fail).unwrap();
    assert!(chain.about.contains("trail entry 1: entry does not open"), "no entry of ours: {found:?}");
    let file = data.join("strongroom.db");
    let mut bytes = std::fs::read(&file).unwrap();
    let at = bytes.windows(100).position(|window| window == [77; 100]).unwrap();
    bytes[at] ^= 1;
    std::fs::write(&file, bytes).unwrap();
    let found = check_data(&config).await;
    assert!(found.iter().any(|finding| finding.about.contains("trail row 78")), "{found:?}");
}
