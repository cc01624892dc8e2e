//! The world: gate and engines over one store, a clock and dice.

use parking_lot::Mutex;
use std::sync::Arc;
use strongroom_ambient::{Ambient, FakeClock, SeededEntropy, UnixMillis};
use strongroom_crypto::{PrivateKey, public_key_pem};
use strongroom_gate::{Denied, Gate, GateOptions, Limits, People, Rule, RuleSet, Server, TrailError};
use strongroom_identity::{Identity, IdentityError, Lifetimes, PasswordCost, Proof, Settings};
use strongroom_model::{Caller, CredentialId, Origin, RequestId};
use strongroom_operator::{AutoSource, Operator, OperatorError, Unlocking};
use strongroom_secret::SecretBytes;
use strongroom_secrets::SecretsError;
use strongroom_store::{Fault, FaultyStore, MemoryStore, SharedStore};

/// When a world begins: 2026-11-22T00:00:00Z.
pub const START: UnixMillis = UnixMillis(1_795_305_600_000);
/// The uid of the server in a world.
const SERVER_UID: u32 = 1000;

/// Anything that a shorthand can answer but success.
#[derive(Debug, thiserror::Error)]
pub enum WorldError {
    /// Not admitted.
    #[error(transparent)]
    Denied(#[from] Denied),
    /// The operator engine's.
    #[error(transparent)]
    Operator(#[from] OperatorError),
    /// The identity engine's.
    #[error(transparent)]
    Identity(#[from] IdentityError),
    /// The secrets engine's.
    #[error(transparent)]
    Secrets(#[from] SecretsError),
    /// Not released.
    #[error(transparent)]
    Trail(#[from] TrailError),
}

/// What a world is made with.
#[derive(Clone)]
pub struct WorldOptions {
    /// Bounds of the index.
    pub limits: Limits,
    /// Rules that hold whoever is known.
    pub rules: Vec<Rule>,
    /// Auto-unlock.
    pub auto: Option<Arc<dyn AutoSource>>,
    /// Lifetimes of tokens.
    pub lifetimes: Lifetimes,
    /// A place for the front of the trail.
    pub archive: Option<strongroom_operator::Archive>,
    /// How much one step of a job does, if not what it usually does.
    pub job_step: Option<strongroom_gate::Bounds>,
    /// Tokens of one user.
    pub max_tokens: usize,
    /// Seed of the dice.
    pub seed: u64,
}

impl Default for WorldOptions {
    fn default() -> Self {
        let hours = |hours: u64| std::time::Duration::from_secs(hours * 3_600);
        Self {
            limits: Limits::default(),
            rules: RuleSet::built_in(SERVER_UID),
            auto: None,
            archive: None,
            lifetimes: Lifetimes { default: hours(1), max: hours(24) },
            job_step: None,
            max_tokens: 100,
            seed: 1,
        }
    }
}

impl WorldOptions {
    /// What people may have in a world: passwords are cheap.
    pub fn settings(&self) -> Settings {
        let password_cost = PasswordCost { memory_kib: 64, passes: 1, lanes: 1 };
        Settings { password_cost, max_tokens: self.max_tokens, ..Settings::with(self.lifetimes) }
    }
}

/// A whole server below its doors.
pub struct TestWorld {
    /// The gate.
    pub gate: Arc<Gate>,
    /// The operator engine.
    pub operator: Arc<Operator>,
    /// The identity engine.
    pub identity: Arc<Identity>,
    /// The clock.
    pub clock: Arc<FakeClock>,
    /// The unlock keys that were shown last.
    pub keys: Vec<String>,
    /// The set that they belong to.
    pub set_id: String,
    /// Root's access key id.
    pub access_key: Option<CredentialId>,
    ambient: Ambient,
    options: WorldOptions,
    store: Arc<FaultyStore>,
    token: Mutex<Option<String>>,
}

impl TestWorld {
    /// A world over an empty store in memory.
    pub fn new() -> Self {
        Self::over(MemoryStore::new(strongroom_audit::link))
    }

    /// A world over a store.
    pub fn over(store: SharedStore) -> Self {
        Self::with(store, WorldOptions::default())
    }

    /// A world over a store, with options.
    pub fn with(store: SharedStore, options: WorldOptions) -> Self {
        let clock = Arc::new(FakeClock::at(START));
        let entropy = Arc::new(SeededEntropy::new(options.seed));
        let ambient = Ambient { clock: Arc::<FakeClock>::clone(&clock), entropy };
        Self::assemble(FaultyStore::new(store), options, clock, ambient)
    }

    fn assemble(
        store: Arc<FaultyStore>,
        options: WorldOptions,
        clock: Arc<FakeClock>,
        ambient: Ambient,
    ) -> Self {
        let gate = Gate::new(GateOptions {
            store: Arc::<FaultyStore>::clone(&store),
            ambient: ambient.clone(),
            limits: options.limits,
            rules: options.rules.clone(),
        });
        let operator = Operator::new(Arc::clone(&gate), options.auto.clone());
        let operator = match options.archive.clone() {
            Some(archive) => operator.with_archive(archive),
            None => operator,
        };
        let operator = match options.job_step {
            Some(step) => operator.with_steps(step),
            None => operator,
        };
        Self {
            operator: Arc::new(operator),
            identity: Arc::new(Identity::new(Arc::clone(&gate), options.settings())),
            gate,
            clock,
            keys: Vec::new(),
            set_id: String::new(),
            access_key: None,
            ambient,
            options,
            store,
            token: Mutex::new(None),
        }
    }

    /// A world that was initialised with `num_keys` unlock keys, `threshold` of which unlock.
    pub async fn initialised(num_keys: u8, threshold: u8) -> Self {
        let mut world = Self::new();
        world.initialise(num_keys, threshold).await.expect("an empty store can be initialised");
        world
    }

    /// A world that was initialised with one unlock key, and unlocked.
    pub async fn unlocked() -> Self {
        Self::unlocked_with(MemoryStore::new(strongroom_audit::link), WorldOptions::default()).await
    }

    /// The same over a store, with options.
    pub async fn unlocked_with(store: SharedStore, options: WorldOptions) -> Self {
        let mut world = Self::with(store, options);
        world.initialise(1, 1).await.expect("an empty store can be initialised");
        world.unlock().await.expect("its key unlocks");
        world
    }

    /// The process ends and another starts over the same store: locked, keys and tokens in the hands of their
    /// owners. A stopped store goes on.
    #[must_use]
    pub fn reopen(self) -> Self {
        self.reopen_over(self.store.inner())
    }

    /// The same over another store: a copy, an older one, a damaged one.
    #[must_use]
    pub fn reopen_over(&self, store: SharedStore) -> Self {
        let (options, clock) = (self.options.clone(), Arc::clone(&self.clock));
        let mut world = Self::assemble(FaultyStore::new(store), options, clock, self.ambient.clone());
        world.keys.clone_from(&self.keys);
        world.set_id.clone_from(&self.set_id);
        world.access_key = self.access_key;
        world.token.lock().clone_from(&self.token.lock());
        world
    }

    /// The faulty store: arm it.
    pub fn fault(&self) -> &FaultyStore {
        &self.store
    }

    /// Lets something go wrong with the `n`th commit from now.
    pub fn arm(&self, fault: Fault, n: u64) {
        self.store.arm(fault, n);
    }

    /// The store below the faults.
    pub fn store(&self) -> SharedStore {
        self.store.inner()
    }

    /// Clock and dice.
    pub fn ambient(&self) -> &Ambient {
        &self.ambient
    }

    /// Someone on the network who proved nothing.
    pub fn stranger(&self) -> Caller {
        self.caller(Origin::network([192, 0, 2, 1].into()))
    }

    /// Whoever may install: the server's uid on the local socket.
    pub fn installer(&self) -> Caller {
        self.caller(Origin::Local { uid: SERVER_UID })
    }

    /// Someone who proved nothing, with a request of its own.
    pub fn caller(&self, origin: Origin) -> Caller {
        Caller::anonymous(origin, RequestId(self.ambient.uuid_v7()))
    }

    /// Initialises and keeps what was shown.
    pub async fn initialise(&mut self, num_keys: u8, threshold: u8) -> Result<(), WorldError> {
        let caller = self.installer();
        let permit = self.gate.admit::<strongroom_operator::Initialise>(&caller, Server).await?;
        let pem = public_key_pem(&signer().public_key().expect("a good key"));
        let shown = self.operator.initialise(permit, num_keys, threshold, &pem).await?;
        self.keep_keys(shown.keys);
        self.access_key = Some(shown.access_key);
        *self.token.lock() = None;
        Ok(())
    }

    /// Writes down unlock keys that were shown.
    pub fn keep_keys(&mut self, shown: strongroom_operator::NewKeys) {
        self.keys = shown.keys.iter().map(text).collect();
        self.set_id = shown.set_id;
    }

    /// Presents one unlock key from somewhere.
    pub async fn present(&self, origin: Origin, key: &str) -> Result<Unlocking, WorldError> {
        let caller = self.caller(origin);
        let permit = self.gate.admit::<strongroom_operator::Unlock>(&caller, Server).await?;
        let key = SecretBytes::new(key.as_bytes().to_vec());
        Ok(self.operator.unlock(permit, origin, &key).await?)
    }

    /// Presents the kept unlock keys until it is unlocked.
    pub async fn unlock(&self) -> Result<(), WorldError> {
        self.unlock_with(&self.keys).await
    }

    /// Presents unlock keys until it is unlocked.
    pub async fn unlock_with(&self, keys: &[String]) -> Result<(), WorldError> {
        for key in keys {
            if self.present(Origin::Local { uid: SERVER_UID }, key).await?.done {
                break;
            }
        }
        Ok(())
    }

    /// Root, with a token that is got by proof of possession if there is none that holds.
    pub async fn root_caller(&self) -> Result<Caller, WorldError> {
        let mut caller = self.stranger();
        let kept = self.token.lock().clone();
        if let Some(token) = kept
            && self.identity.authenticate(&mut caller, &token).await.is_ok()
        {
            return Ok(caller);
        }
        let token = self.authorize(None).await?;
        *self.token.lock() = Some(token.clone());
        self.identity.authenticate(&mut caller, &token).await?;
        Ok(caller)
    }

    /// Root's token, if it has one.
    pub fn token(&self) -> Option<String> {
        self.token.lock().clone()
    }

    /// Proves possession of root's access key: a fresh token.
    pub async fn authorize(&self, ttl: Option<std::time::Duration>) -> Result<String, WorldError> {
        let key_text = self.access_key.unwrap_or_default().to_string();
        let challenge = self.challenge(&key_text).await?;
        let signature = signer().sign(&transcript(&key_text, &challenge)).expect("a good key signs");
        self.prove(&key_text, &challenge, &signature, ttl).await
    }

    /// Asks for a challenge.
    pub async fn challenge(&self, key_text: &str) -> Result<String, WorldError> {
        let caller = self.stranger();
        let about = People { what: key_text.to_owned() };
        let permit = self.gate.admit::<strongroom_identity::Challenge>(&caller, about).await?;
        Ok(self.gate.release(self.identity.challenge(permit, key_text)).await?.0)
    }

    /// Presents a proof.
    pub async fn prove(
        &self,
        key_text: &str,
        challenge: &str,
        signature: &[u8],
        ttl: Option<std::time::Duration>,
    ) -> Result<String, WorldError> {
        let caller = self.stranger();
        let about = People { what: key_text.to_owned() };
        let permit = self.gate.admit::<strongroom_identity::Authorize>(&caller, about).await?;
        let signed = transcript(key_text, challenge);
        let proof = Proof { key_text, challenge, signature, signed: &signed };
        Ok(text(&self.identity.authorize(permit, &proof, ttl).await?.token))
    }
}

impl Default for TestWorld {
    fn default() -> Self {
        Self::new()
    }
}

impl std::fmt::Debug for TestWorld {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "TestWorld({:?})", self.gate)
    }
}

/// What is signed in a world.
pub fn transcript(key_text: &str, challenge: &str) -> Vec<u8> {
    format!("a test's transcript\0{key_text}\0{challenge}").into_bytes()
}

fn signer() -> PrivateKey {
    PrivateKey::ed25519_from_seed(&[7; 32]).expect("a seed is a key")
}

fn text(secret: &SecretBytes) -> String {
    secret.expose(|bytes| String::from_utf8_lossy(bytes).into_owned())
}
