//! A member against an authority that does as the test wants.

use super::*;
use crate::enroll::{Enrolment, enroll};
use crate::error::ManifestError;
use crate::fake::{FakeAuthority, Response};
use crate::folder::FolderError;
use std::collections::BTreeSet;
use std::path::Path;
use strongroom_abe::Policy;
use strongroom_ambient::{FakeClock, UnixMillis};
use strongroom_crypto::PrivateKey;
use strongroom_envelope::{Batch, Chain, PlainField, PolicyAndSuite, Suite};

struct World {
    home: tempfile::TempDir,
    authority: Arc<FakeAuthority>,
    url: String,
    ambient: Ambient,
}

impl World {
    fn new(attributes: &[&str]) -> Self {
        let (authority, http) = FakeAuthority::start(attributes);
        let home = tempfile::tempdir().unwrap();
        Self { home, authority, url: http.url(), ambient: Ambient::system() }
    }

    fn config(&self) -> Config {
        let text = format!(
            "kms_access_key: token\nkms: {{url: '{}'}}\nbackend_server: {{url: 'http://127.0.0.1:9'}}\n",
            self.url
        );
        Config::parse(&text, &self.home.path().join("config.yaml"), None).unwrap()
    }

    async fn enroll(&self, password: &str, replace: bool) -> Result<crate::Enrolled, MemberError> {
        let password = SecretBytes::new(password.as_bytes().to_vec());
        enroll(&self.config(), &self.ambient, Enrolment { password, username: None, last: None, replace })
            .await
    }

    fn session(&self, program: Program) -> Session {
        Session::open(&self.config(), program, self.ambient.clone()).unwrap()
    }

    fn files(&self) -> Vec<String> {
        let entries = std::fs::read_dir(self.home.path().join("secrets")).unwrap();
        let mut names: Vec<_> =
            entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    fn asked(&self, line: &str) -> usize {
        self.authority.known().asked.iter().filter(|asked| asked.starts_with(line)).count()
    }

    fn instead(&self, line: &str, response: Response) {
        self.authority.known().instead.push((line.to_owned(), response));
    }
}

#[tokio::test]
async fn who_is_not_enrolled_is_told_what_to_run() {
    let world = World::new(&["A"]);
    let error =
        Session::open(&world.config(), Program::Query, world.ambient.clone()).unwrap_err().to_string();
    assert!(error.contains("strongroom query enroll") && error.contains("config.yaml"), "{error}");
}

#[tokio::test]
async fn enrolment_registers_keys_once_and_needs_the_password() {
    let world = World::new(&["A"]);
    assert!(world.enroll("wrong", false).await.is_err());
    assert!(!world.files().contains(&"member.key".to_owned()));
    let enrolled = world.enroll("password", false).await.unwrap();
    assert_eq!((enrolled.name.as_str(), enrolled.member), ("alice", world.authority.member));
    assert!(world.files().iter().all(|name| !name.contains("pending")), "{:?}", world.files());
    assert!(matches!(world.enroll("password", false).await, Err(MemberError::Enrolled)));
    let before = world.authority.known().keys.clone().unwrap().1;
    world.enroll("password", true).await.unwrap();
    assert_ne!(before, world.authority.known().keys.clone().unwrap().1);
}

#[tokio::test]
async fn an_enrolment_whose_answer_was_lost_is_found_to_be_done() {
    let world = World::new(&["A"]);
    // the first time nothing arrives, the second time the answer is lost
    world.instead("POST /user/keys", Response::refused(500, "internal"));
    assert!(world.enroll("password", false).await.is_err());
    assert!(world.files().contains(&"member.key.pending".to_owned()));
    let folder = SecretsFolder::open_shared(&world.home.path().join("secrets")).unwrap();
    let pending = Identity::read(&folder, identity::PENDING_FILE).unwrap().unwrap();
    world.authority.known().keys =
        Some((pending.wrap().public_key(), BASE64.encode(pending.public().spki())));
    world.enroll("password", false).await.unwrap();
    assert_eq!(world.session(Program::Query).identity().public(), pending.public());
}

#[tokio::test]
async fn administrators_are_not_enrolled() {
    let world = World::new(&[]);
    let me = serde_json::json!({"logged_in_as": "root", "id": MemberId([1; 16]), "admin": true,
        "attributes": [], "enrolled": false});
    world.instead("GET /user/me", Response::json(200, &me));
    assert!(matches!(world.enroll("password", false).await, Err(MemberError::Administrator { .. })));
}

#[tokio::test]
async fn only_what_the_folder_lacks_is_fetched() {
    let world = World::new(&["A"]);
    world.enroll("password", false).await.unwrap();
    for _ in 0..2 {
        let session = world.session(Program::Query);
        session.fresh_manifest().await.unwrap();
        let reader = session.reader(&BTreeSet::from([1])).await.unwrap();
        assert!(reader.has_epoch(1));
        session.index_key(1).await.unwrap();
    }
    for line in ["POST /get/key/cpabe-sk", "POST /get/key/index"] {
        assert_eq!(world.asked(line), 1, "{line}");
    }
    assert_eq!(world.asked("GET /get/key/cpabe-pk"), 2, "once to see whose it is, once for the key");
}

#[tokio::test]
async fn a_key_that_is_cut_on_its_way_leaves_no_file() {
    let world = World::new(&["A"]);
    world.enroll("password", false).await.unwrap();
    let session = world.session(Program::Query);
    session.fresh_manifest().await.unwrap();
    session.public_key().await.unwrap();
    let whole = Response::json(200, &serde_json::json!({"epochs": [1], "sealed": "AAAA".repeat(900)}));
    let before = world.files();
    for bad in [
        Response { cut: Some(100), ..whole.clone() },
        whole,
        Response::json(200, &serde_json::json!({"epochs": [1]})),
        Response::of_proxy(401),
    ] {
        world.instead("POST /get/key/cpabe-sk", bad);
        let failed = session.reader(&BTreeSet::from([1])).await;
        assert!(failed.is_err() || !failed.unwrap().has_epoch(1));
        assert_eq!(world.files(), before);
    }
    assert!(session.reader(&BTreeSet::from([1])).await.unwrap().has_epoch(1));
}

#[tokio::test]
async fn a_key_of_the_present_epoch_is_fetched_again_when_attributes_change() {
    let world = World::new(&["A"]);
    world.enroll("password", false).await.unwrap();
    let session = world.session(Program::Query);
    session.fresh_manifest().await.unwrap();
    session.reader(&BTreeSet::from([1])).await.unwrap();
    world.authority.known().attributes.push("B".to_owned());
    let reader = session.reader(&BTreeSet::from([1])).await.unwrap();
    let manifest = session.fresh_manifest().await.unwrap();
    let policy = PolicyAndSuite { policy: Policy::parse("A and B").unwrap(), suite: Suite::Pairing };
    let set = session.prepare(&manifest, &[policy]).await.unwrap();
    let (mut batch, header) = Batch::begin(&world.ambient, session.member(), &set).unwrap();
    let field = PlainField { label: [1; 16], name: "x", value: b"1", policy: 0 };
    let mut record = Vec::new();
    let mut chain = Chain::new(session.member());
    batch.seal(&mut chain, session.identity().signer(), &[field], &[], &mut record).unwrap();
    let record = strongroom_envelope::SealedRecord::parse(&record).unwrap();
    let opened = reader.open_batch(&header).open(&record).unwrap();
    assert!(matches!(&opened.fields[0], strongroom_envelope::OpenedField::Open { name, .. } if name == "x"));
}

#[tokio::test]
async fn a_manifest_that_goes_back_is_refused_also_after_a_restart() {
    let world = World::new(&["A"]);
    world.enroll("password", false).await.unwrap();
    world.authority.known().epoch = 4;
    world.session(Program::Query).refresh().await.unwrap();
    let session = world.session(Program::Query);
    world.authority.known().epoch = 3;
    let error = session.refresh().await.unwrap_err();
    let rollback = ManifestError::Rollback { what: "epoch", had: 4, got: 3 };
    assert!(matches!(error, MemberError::Manifest(error) if error == rollback));
    world.authority.known().epoch = 4;
    world.authority.known().issued_off_secs = -60;
    let error = session.refresh().await.unwrap_err();
    assert!(matches!(error, MemberError::Manifest(ManifestError::Rollback { what: "time", .. })));
    assert_eq!(session.manifest().unwrap().unwrap().epoch(), 4);
}

#[tokio::test]
async fn a_manifest_of_another_key_or_from_the_future_is_refused() {
    let world = World::new(&["A"]);
    world.enroll("password", false).await.unwrap();
    let session = world.session(Program::Query);
    world.authority.known().issued_off_secs = 600;
    let error = session.refresh().await.unwrap_err();
    assert!(matches!(error, MemberError::Manifest(ManifestError::Future { .. })));
    world.authority.known().issued_off_secs = 0;
    world.authority.known().signer = PrivateKey::ed25519_from_seed(&[9; 32]).unwrap();
    let error = session.refresh().await.unwrap_err();
    assert!(matches!(error, MemberError::Manifest(ManifestError::Signature(_))), "{error}");
}

#[tokio::test]
async fn a_pinned_key_goes_before_what_is_seen_first() {
    let world = World::new(&["A"]);
    world.enroll("password", false).await.unwrap();
    let other = PrivateKey::ed25519_from_seed(&[9; 32]).unwrap().public_key().unwrap();
    let mut config = world.config();
    config.public_key = Some(other);
    let session = Session::open(&config, Program::Query, world.ambient.clone()).unwrap();
    let error = session.refresh().await.unwrap_err();
    assert!(matches!(error, MemberError::Manifest(ManifestError::TwoKeys)), "{error}");
}

#[tokio::test]
async fn a_manifest_grows_stale_by_either_clock() {
    let mut world = World::new(&["A"]);
    world.enroll("password", false).await.unwrap();
    let clock = Arc::new(FakeClock::at(world.ambient.now()));
    world.ambient.clock = clock.clone();
    let session = world.session(Program::Query);
    let trusted = session.refresh().await.unwrap();
    assert!(trusted.is_fresh(&world.ambient));
    clock.advance(Duration::from_secs(905));
    assert!(!trusted.is_fresh(&world.ambient));
    // set back, the wall clock does not make it fresh again
    clock.set_wall(UnixMillis(world.ambient.now().0 - 900_000));
    assert!(!trusted.is_fresh(&world.ambient));
}

#[tokio::test]
async fn a_token_that_is_not_taken_is_renewed_once() {
    let world = World::new(&["A"]);
    world.enroll("password", false).await.unwrap();
    let session = world.session(Program::Query);
    world.instead("GET /user/me", Response::refused(401, "unauthenticated"));
    session.authorised(async |token| session.authority().me(token).await).await.unwrap();
    assert_eq!(world.asked("POST /token"), 2);
    // the proxy's 401 says nothing of the token
    world.instead("GET /user/me", Response::of_proxy(401));
    let error = session.authorised(async |token| session.authority().me(token).await).await.unwrap_err();
    assert!(matches!(error, HttpError::Proxy { status: 401, .. }), "{error}");
    assert_eq!(world.asked("POST /token"), 2);
}

#[tokio::test]
async fn who_asks_too_often_waits_as_told_and_not_for_ever() {
    let world = World::new(&["A"]);
    world.enroll("password", false).await.unwrap();
    let session = world.session(Program::Query);
    let told = Mutex::new(Vec::new());
    let waits = |wait: Duration| told.lock().unwrap().push(wait.as_secs());
    let busy = |seconds: &str| {
        let mut refused = Response::refused(429, "too_many_requests");
        refused.headers.push(("retry-after".to_owned(), seconds.to_owned()));
        world.instead("GET /heads", refused);
    };
    let ask = async |token: &SecretBytes| session.authority.heads(token).await;
    busy("1");
    // the second time it is known, and there is nothing there
    let error = session.patiently(&waits, ask).await.unwrap_err();
    assert_eq!((error.status(), world.asked("GET /heads")), (Some(404), 2));
    busy("3600");
    let error = session.patiently(&waits, ask).await.unwrap_err();
    assert_eq!((error.status(), world.asked("GET /heads")), (Some(429), 3));
    assert_eq!(*told.lock().unwrap(), [1]);
}

#[tokio::test]
async fn a_collector_has_its_folder_alone() {
    let world = World::new(&["A"]);
    world.enroll("password", false).await.unwrap();
    let first = world.session(Program::Collector);
    let second = Session::open(&world.config(), Program::Collector, world.ambient.clone()).unwrap_err();
    assert!(matches!(second, MemberError::Folder(FolderError::InUse { .. })), "{second}");
    drop(first);
    world.session(Program::Collector);
}

#[tokio::test]
async fn a_damaged_key_of_the_member_is_told_and_not_replaced() {
    let world = World::new(&["A"]);
    world.enroll("password", false).await.unwrap();
    let path = world.home.path().join("secrets/member.key");
    let whole = std::fs::read(&path).unwrap();
    std::fs::write(&path, &whole[..whole.len() - 1]).unwrap();
    let error = Session::open(&world.config(), Program::Query, world.ambient.clone()).unwrap_err();
    assert!(
        matches!(&error, MemberError::Folder(FolderError::DamagedKey { path: named, .. })
        if named.as_path() == Path::new(&path)),
        "{error}"
    );
    assert!(world.enroll("password", false).await.is_err());
}
