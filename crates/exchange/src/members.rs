//! Who the members are: what the authority's manifest says, fetched again and again.
//!
//! While the authority is away the last manifest goes on to count as long as a collector may encrypt by it (15 minutes,
//! unless the authority says otherwise); then nobody is known, because nobody could be suspended. Tokens that were ended
//! are in it: who has one is refused from the next look on.

use crate::storage::{Storage, StorageError};
use crate::token::{self, Caller, Held, TokenError};
use arc_swap::ArcSwapOption;
use data_encoding::BASE64;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::Duration;
use strongroom_ambient::Ambient;
use strongroom_crypto::PublicKey;
use strongroom_envelope::{MemberKeys, Signed};
use strongroom_member::{Authority, HttpError};
use strongroom_sharing::authority::Manifest;
use strongroom_sharing::{MemberId, SignedText};
use tokio::sync::Mutex;

/// What manifests are signed as.
const CONTEXT: &str = "strongroom sharing manifest v1";
/// Between looks at the authority, and no more than a third of the time that a manifest counts.
pub const EVERY: Duration = Duration::from_mins(1);
/// Between looks for a key that is not known, and while nobody is.
const SOONEST: Duration = Duration::from_secs(5);
/// No manifest counts longer, whatever it says; seconds.
const MAX_AGE_SECS: u64 = 3_600;
/// The last manifest, in the store.
const NOTE: &str = "manifest";
/// The key that the first manifest was signed with, where none was given.
const PIN: &str = "authority";

/// Why there is no manifest.
#[derive(Debug, thiserror::Error)]
pub enum MembersError {
    /// The authority.
    #[error(transparent)]
    Asked(#[from] HttpError),
    /// The store.
    #[error(transparent)]
    Storage(#[from] StorageError),
    /// Not signed by the authority.
    #[error("the manifest is not the authority's: {0}")]
    NotTheirs(String),
    /// Older than the one before.
    #[error("the manifest goes back: epoch {epoch} of {issued_at}")]
    GoesBack {
        /// Its epoch.
        epoch: u64,
        /// When it was signed.
        issued_at: u64,
    },
}

/// Why somebody is not let in.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AccessError {
    /// Neither token nor certificate that counts.
    #[error("a member's token or certificate is needed")]
    Unknown,
    /// Who the members are is not known.
    #[error("the authority could not be asked for too long; who the members are is not known")]
    NoManifest,
}

/// What a manifest says, made ready.
struct Known {
    manifest: Manifest,
    token_keys: BTreeMap<String, PublicKey>,
    members: HashMap<MemberId, (MemberKeys, bool)>,
    revoked: HashSet<MemberId>,
}

/// The members.
pub struct Members {
    authority: Authority,
    /// What manifests are checked with; if none was given, the key of the first one, once seen.
    key: Option<PublicKey>,
    storage: Arc<dyn Storage>,
    ambient: Ambient,
    known: ArcSwapOption<Known>,
    /// One look at a time; when the last began.
    looked: Mutex<Option<Duration>>,
    fetched_ms: AtomicI64,
    failures: AtomicU64,
}

impl Members {
    /// The members that an authority knows. What was known when the exchange stopped is known again at once.
    ///
    /// # Errors
    /// If the store fails.
    pub fn new(
        authority: Authority,
        key: Option<PublicKey>,
        storage: Arc<dyn Storage>,
        ambient: Ambient,
    ) -> Result<Self, MembersError> {
        let kept = storage.note(NOTE)?;
        let members = Self {
            authority,
            key,
            storage,
            ambient,
            known: ArcSwapOption::empty(),
            looked: Mutex::new(None),
            fetched_ms: AtomicI64::new(0),
            failures: AtomicU64::new(0),
        };
        let kept = kept.and_then(|bytes| serde_json::from_slice::<SignedText>(&bytes).ok());
        if let Some(kept) = kept
            && let Err(error) = members.take(&kept, false)
        {
            tracing::warn!(%error, "the manifest that was kept is not taken");
        }
        Ok(members)
    }

    /// Asks the authority.
    ///
    /// # Errors
    /// If it has no manifest that is its own and goes forward; the one before goes on to count.
    pub async fn refresh(&self) -> Result<(), MembersError> {
        let mut looked = self.looked.lock().await;
        *looked = Some(self.ambient.clock.monotonic());
        let refreshed = match self.authority.manifest().await {
            Ok(text) => tokio::task::block_in_place(|| self.take(&text, true)),
            Err(error) => Err(error.into()),
        };
        match &refreshed {
            Ok(()) => {
                self.fetched_ms.store(self.ambient.now().0, Ordering::Relaxed);
                self.failures.store(0, Ordering::Relaxed);
            }
            Err(_) => drop(self.failures.fetch_add(1, Ordering::Relaxed)),
        }
        refreshed
    }

    /// The same because of a key or a member that is not known; not more often than is good for the authority.
    pub async fn refresh_soon(&self) {
        let now = self.ambient.clock.monotonic();
        let recent = |at: Duration| now.saturating_sub(at) < SOONEST;
        if self.looked.lock().await.is_some_and(recent) {
            return;
        }
        if let Err(error) = self.refresh().await {
            tracing::warn!(%error, "the authority's manifest");
        }
    }

    fn take(&self, text: &SignedText, keep: bool) -> Result<(), MembersError> {
        let manifest = self.checked(text)?;
        let before = self.known.load();
        let goes_back = before.as_ref().is_some_and(|known| {
            manifest.issued_at < known.manifest.issued_at || manifest.epoch < known.manifest.epoch
        });
        if goes_back {
            return Err(MembersError::GoesBack { epoch: manifest.epoch, issued_at: manifest.issued_at });
        }
        // it counts whether or not it can be kept: a store without room lets nobody in who is revoked
        self.known.store(Some(Arc::new(Known::of(manifest))));
        if keep {
            let bytes = serde_json::to_vec(text).unwrap_or_default();
            self.storage.put_note(NOTE, &bytes)?;
        }
        Ok(())
    }

    fn checked(&self, text: &SignedText) -> Result<Manifest, MembersError> {
        let not_theirs = |error: &dyn std::fmt::Display| MembersError::NotTheirs(error.to_string());
        let signed: Signed<Manifest> = Signed::from(text.clone());
        if let Some(key) = &self.key {
            return signed.verify(key, CONTEXT).map_err(|error| not_theirs(&error));
        }
        // the connection is trusted to lead to the authority, the first time; from then on its key stays the same
        let pinned = self.storage.note(PIN)?;
        let spki = match &pinned {
            Some(pinned) => String::from_utf8_lossy(pinned).into_owned(),
            None => named_key(text).ok_or(MembersError::NotTheirs("it names no key".to_owned()))?,
        };
        let key = public_key(&spki).ok_or(MembersError::NotTheirs("its key is none".to_owned()))?;
        let manifest = signed.verify(&key, CONTEXT).map_err(|error| not_theirs(&error))?;
        if pinned.is_none() {
            self.storage.put_note(PIN, spki.as_bytes())?;
        }
        Ok(manifest)
    }

    fn known(&self) -> Result<Arc<Known>, AccessError> {
        let known = self.known.load_full().ok_or(AccessError::NoManifest)?;
        let age = self.now_secs().saturating_sub(known.manifest.issued_at);
        if age > max_age_secs(&known.manifest) { Err(AccessError::NoManifest) } else { Ok(known) }
    }

    fn now_secs(&self) -> u64 {
        u64::try_from(self.ambient.now().0 / 1_000).unwrap_or(0)
    }

    /// Who a token's bearer is.
    ///
    /// # Errors
    /// If it is nobody.
    pub async fn bearer(&self, text: &str) -> Result<Caller, AccessError> {
        let check = |known: &Known| token::check(text, &known.token_keys, self.now_secs());
        let mut known = self.known()?;
        let mut checked = check(&known);
        if matches!(checked, Err(TokenError::Key { .. })) {
            self.refresh_soon().await;
            known = self.known()?;
            checked = check(&known);
        }
        let caller = checked.map_err(|error| {
            tracing::debug!(%error, "a token is not taken");
            AccessError::Unknown
        })?;
        if known.is_void(&caller) { Err(AccessError::Unknown) } else { Ok(caller.bearer) }
    }

    /// How long until the authority is to be asked again: soon, while nobody is known.
    pub fn look_after(&self) -> Duration {
        match self.known() {
            Ok(known) => EVERY.min(Duration::from_secs((max_age_secs(&known.manifest) / 3).max(1))),
            Err(_) => SOONEST,
        }
    }

    /// Who shows a certificate, whose issuer was checked.
    ///
    /// # Errors
    /// If it is nobody.
    pub fn shown(&self, certificate: &[u8]) -> Result<Caller, AccessError> {
        let known = self.known()?;
        let name = strongroom_x509::common_name(certificate);
        let member = name.and_then(|name| name.parse().ok()).ok_or(AccessError::Unknown)?;
        let is_known = known.members.contains_key(&member) && !known.revoked.contains(&member);
        if is_known { Ok(Caller { member, admin: false }) } else { Err(AccessError::Unknown) }
    }

    /// The keys that a member signs with, if it may send now. For one that is not known, it may be new, the authority is asked.
    ///
    /// # Errors
    /// If who the members are is not known.
    pub async fn signing_keys(&self, member: MemberId) -> Result<Option<MemberKeys>, AccessError> {
        if !self.known()?.members.contains_key(&member) {
            self.refresh_soon().await;
        }
        self.keys_now(member)
    }

    /// The same without asking anybody.
    ///
    /// # Errors
    /// As [`Members::signing_keys`].
    pub fn keys_now(&self, member: MemberId) -> Result<Option<MemberKeys>, AccessError> {
        let known = self.known()?;
        let found = known.members.get(&member).filter(|(_, active)| *active);
        Ok(found.map(|(keys, _)| keys.clone()).filter(|_| !known.revoked.contains(&member)))
    }

    /// When the manifest in force was signed, when one was fetched last (seconds since 1970), and how often in a row that
    /// has failed since.
    pub fn state(&self) -> (Option<u64>, u64, u64) {
        let issued = self.known.load().as_ref().map(|known| known.manifest.issued_at);
        let fetched = u64::try_from(self.fetched_ms.load(Ordering::Relaxed) / 1_000).unwrap_or(0);
        (issued, fetched, self.failures.load(Ordering::Relaxed))
    }
}

fn max_age_secs(manifest: &Manifest) -> u64 {
    manifest.max_age_secs.min(MAX_AGE_SECS)
}

impl Known {
    /// Whether a token was ended, or its bearer may do nothing any more.
    fn is_void(&self, held: &Held) -> bool {
        let Held { bearer, issued, id } = held;
        let ended = self.manifest.ended_before.get(&bearer.member);
        self.revoked.contains(&bearer.member)
            || ended.is_some_and(|before| issued < before)
            || self.manifest.ended.contains(id)
    }

    fn of(manifest: Manifest) -> Self {
        let keys = manifest.token_keys.iter();
        let token_keys = keys.filter_map(|(kid, text)| Some((kid.clone(), public_key(text)?))).collect();
        let members = manifest.members.iter();
        let members = members.map(|member| (member.id, (MemberKeys::of(member), member.active))).collect();
        let revoked = manifest.revoked.iter().copied().collect();
        Self { manifest, token_keys, members, revoked }
    }
}

/// The key that a manifest says it is signed with; nothing else of it is believed before that is checked.
fn named_key(text: &SignedText) -> Option<String> {
    let payload = BASE64.decode(text.payload.as_bytes()).ok()?;
    serde_json::from_slice::<Manifest>(&payload).ok().map(|manifest| manifest.signing_key)
}

fn public_key(text: &str) -> Option<PublicKey> {
    PublicKey::from_spki(&BASE64.decode(text.as_bytes()).ok()?).ok()
}
