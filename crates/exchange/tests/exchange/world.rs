//! Collectors that sign records as real ones do, and an exchange in a directory that goes away.

use data_encoding::BASE64;
use std::sync::{Arc, LazyLock};
use strongroom_abe::{MasterKey, RightKeys};
use strongroom_ambient::{Ambient, FakeClock, UnixMillis};
use strongroom_blindindex::Token;
use strongroom_crypto::{PrivateKey, PublicKey, generate_ed25519_pkcs8};
use strongroom_envelope::{Batch, Chain, MemberKeys, PlainField, PolicyAndSuite, PolicySet, Suite};
use strongroom_exchange::keeper::{Ending, Keeper};
use strongroom_exchange::sqlite::SqliteStorage;
use strongroom_exchange::storage::Storage;
use strongroom_exchange::submission::Submission;
use strongroom_sharing::MemberId;
use strongroom_sharing::exchange::{Insert, Inserted};

/// An hour that tests begin in.
pub(crate) const HOUR: i64 = 480_000;

static POLICIES: LazyLock<PolicySet> = LazyLock::new(|| {
    let master = MasterKey::generate(&Ambient::system(), 1).unwrap();
    let policy = PolicyAndSuite { policy: "ANALYST".parse().unwrap(), suite: Suite::Pairing };
    PolicySet::prepare(master.public(), 1, &[policy], &RightKeys::default()).unwrap()
});

/// A collector with a batch open.
pub(crate) struct Collector {
    pub(crate) id: MemberId,
    pub(crate) key: PrivateKey,
    pub(crate) header: String,
    batch: Batch,
    chain: Chain,
}

impl Collector {
    pub(crate) fn new(id: u8) -> Self {
        let id = MemberId([id; 16]);
        let (batch, header) = Batch::begin(&Ambient::system(), id, &POLICIES).unwrap();
        let key = generate_ed25519_pkcs8().unwrap().expose(PrivateKey::from_pkcs8).unwrap();
        Self { id, key, header: BASE64.encode(&header.to_bytes()), batch, chain: Chain::new(id) }
    }

    pub(crate) fn public(&self) -> PublicKey {
        self.key.public_key().unwrap()
    }

    /// The next record, with these tokens.
    pub(crate) fn record(&mut self, tokens: &[u8]) -> String {
        let field = PlainField { label: [1; 16], name: "src_ip", value: b"\"192.0.2.1\"", policy: 0 };
        let tokens: Vec<Token> = tokens.iter().map(|token| Token([*token; 16])).collect();
        let mut out = Vec::new();
        self.batch.seal(&mut self.chain, &self.key, &[field], &tokens, &mut out).unwrap();
        BASE64.encode(&out)
    }

    pub(crate) fn records(&mut self, count: usize) -> Vec<String> {
        (0..count).map(|_| self.record(&[7])).collect()
    }

    /// Where it stands: a copy of it goes on from here by itself.
    pub(crate) fn chain(&self) -> Vec<u8> {
        self.chain.to_bytes()
    }

    pub(crate) fn go_back(&mut self, chain: &[u8]) {
        self.chain = Chain::from_bytes(chain).unwrap();
    }

    pub(crate) fn insert(&self, records: Vec<String>) -> Insert {
        Insert { headers: vec![self.header.clone()], records }
    }

    pub(crate) fn submission(&self, records: Vec<String>) -> Submission {
        Submission::read(&self.insert(records), self.id, &MemberKeys::present(self.public())).unwrap()
    }
}

/// A keeper with its store and a clock that tests set.
pub(crate) struct World {
    pub(crate) storage: Arc<dyn Storage>,
    pub(crate) keeper: Keeper,
    pub(crate) clock: Arc<FakeClock>,
    pub(crate) ambient: Ambient,
    _ending: Ending,
    _dir: Option<tempfile::TempDir>,
}

impl World {
    pub(crate) fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let storage = Arc::new(SqliteStorage::open(dir.path()).unwrap());
        Self { _dir: Some(dir), ..Self::on(storage) }
    }

    pub(crate) fn on(storage: Arc<dyn Storage>) -> Self {
        let clock = Arc::new(FakeClock::at(UnixMillis(HOUR * 3_600_000)));
        let ambient = Ambient { clock: Arc::clone(&clock) as _, entropy: Ambient::system().entropy };
        let (keeper, ending) = Keeper::start(Arc::clone(&storage), ambient.clone()).unwrap();
        Self { storage, keeper, clock, ambient, _ending: ending, _dir: None }
    }

    pub(crate) async fn insert(&self, from: &Collector, records: Vec<String>) -> Inserted {
        self.keeper.insert(from.submission(records)).await.unwrap()
    }

    /// So many records more.
    pub(crate) async fn send(&self, from: &mut Collector, count: usize) -> Inserted {
        let records = from.records(count);
        self.insert(from, records).await
    }

    /// One more, with these tokens.
    pub(crate) async fn send_with(&self, from: &mut Collector, tokens: &[u8]) -> Inserted {
        let record = from.record(tokens);
        self.insert(from, vec![record]).await
    }
}

/// The words that records were refused with.
pub(crate) fn errors(inserted: &Inserted) -> Vec<&str> {
    inserted.refused.iter().map(|refused| refused.error.as_str()).collect()
}
