//! A member at work: its token, the manifest, the two servers.

use crate::authority::Authority;
use crate::config::Config;
use crate::error::MemberError;
use crate::exchange::Exchange;
use crate::folder::SecretsFolder;
use crate::http::{HttpError, Patience};
use crate::identity::{self, Identity};
use crate::manifest::{self, Trusted};
use data_encoding::BASE64;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use strongroom_ambient::Ambient;
use strongroom_crypto::PublicKey;
use strongroom_secret::SecretBytes;
use strongroom_sharing::MemberId;
use strongroom_sharing::authority::{AccessToken, Proof};

/// How long before its end a token is renewed.
const RENEW_BEFORE: Duration = Duration::from_mins(1);

/// How long a question waits in all, if a server says that it is asked too often.
const PATIENCE: Duration = Duration::from_mins(2);

/// A token; one that is cloned is the same.
pub type Token = Arc<SecretBytes>;

/// A member at work.
pub struct Session {
    pub(crate) authority: Authority,
    pub(crate) exchange: Exchange,
    pub(crate) folder: SecretsFolder,
    pub(crate) ambient: Ambient,
    identity: Identity,
    pinned: Option<PublicKey>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    token: Option<(Token, Duration)>,
    manifest: Option<Arc<Trusted>>,
}

/// Which program works.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Program {
    /// Has the folder alone.
    Collector,
    /// Shares it.
    Query,
}

impl Session {
    /// Opens the folder of an enrolled member. Nothing is asked of a server yet.
    pub fn open(config: &Config, program: Program, ambient: Ambient) -> Result<Self, MemberError> {
        Self::patient(config, program, ambient, Patience::default())
    }

    /// The same with another patience.
    pub fn patient(
        config: &Config,
        program: Program,
        ambient: Ambient,
        patience: Patience,
    ) -> Result<Self, MemberError> {
        let folder = match program {
            Program::Collector => SecretsFolder::open(&config.secrets)?,
            Program::Query => SecretsFolder::open_shared(&config.secrets)?,
        };
        if program == Program::Collector {
            folder.sweep()?;
        }
        let name = if program == Program::Collector { "collector" } else { "query" };
        let absent = || MemberError::NotEnrolled { program: name, config: config.path.clone() };
        let identity = Identity::read(&folder, identity::KEY_FILE)?.ok_or_else(absent)?;
        Ok(Self {
            authority: Authority::patient(config, patience)?,
            exchange: Exchange::patient(config, patience)?,
            folder,
            ambient,
            identity,
            pinned: config.public_key.clone(),
            state: Mutex::default(),
        })
    }

    /// Who.
    pub fn member(&self) -> MemberId {
        self.identity.member()
    }

    /// Its own keys.
    pub fn identity(&self) -> &Identity {
        &self.identity
    }

    /// The authority.
    pub fn authority(&self) -> &Authority {
        &self.authority
    }

    /// The exchange.
    pub fn exchange(&self) -> &Exchange {
        &self.exchange
    }

    /// The folder of keys.
    pub fn folder(&self) -> &SecretsFolder {
        &self.folder
    }

    /// Clock and entropy.
    pub fn ambient(&self) -> &Ambient {
        &self.ambient
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        // what it guards is whole at any moment
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A token that lives for a while: the one at hand, or a new one by the signing key.
    pub async fn token(&self) -> Result<Token, HttpError> {
        let now = self.ambient.clock.monotonic();
        if let Some((token, until)) = self.state().token.clone()
            && now + RENEW_BEFORE < until
        {
            return Ok(token);
        }
        self.renew().await
    }

    async fn renew(&self) -> Result<Token, HttpError> {
        let now = self.ambient.clock.monotonic();
        let AccessToken { access_token, expires_in } = self.authority.renew(&self.proof()).await?;
        let token = Arc::new(SecretBytes::new(access_token.into_bytes()));
        self.state().token = Some((token.clone(), now + Duration::from_secs(expires_in)));
        Ok(token)
    }

    /// That it is this member who asks, now, once.
    fn proof(&self) -> Proof {
        let at = u64::try_from(self.ambient.now().0 / 1000).unwrap_or(0);
        let nonce: [u8; 16] = self.ambient.random();
        let member = self.member();
        let message =
            [b"strongroom sharing token v1\0".as_slice(), &member.0, &at.to_be_bytes(), &nonce].concat();
        // an Ed25519 key signs anything; a signature that is none is refused
        let signature = self.identity.signer().sign(&message).unwrap_or_default();
        Proof { member, at, nonce: BASE64.encode(&nonce), signature: BASE64.encode(&signature) }
    }

    /// Asks with a token; once more with a new one, if the server does not take this one.
    pub async fn authorised<T>(
        &self,
        ask: impl AsyncFn(&SecretBytes) -> Result<T, HttpError>,
    ) -> Result<T, HttpError> {
        let token = self.token().await?;
        match ask(&token).await {
            Err(error) if error.is_unauthenticated() => {
                let token = self.renew().await?;
                ask(&token).await
            }
            other => other,
        }
    }

    /// The same, and again when a server that is asked too often says so, up to [`PATIENCE`] in all; `waits` is told
    /// before each wait.
    pub async fn patiently<T>(
        &self,
        waits: &(dyn Fn(Duration) + Sync),
        ask: impl AsyncFn(&SecretBytes) -> Result<T, HttpError>,
    ) -> Result<T, HttpError> {
        let mut left = PATIENCE;
        loop {
            let refused = match self.authorised(&ask).await {
                Err(refused) => refused,
                given => return given,
            };
            let Some((wait, rest)) = refused.wait().and_then(|wait| Some((wait, left.checked_sub(wait)?)))
            else {
                return Err(refused);
            };
            waits(wait);
            tokio::time::sleep(wait).await;
            left = rest;
        }
    }

    /// The same for work that may go on in another thread, which a borrowed token cannot.
    pub async fn with_token<T, F>(&self, ask: impl Fn(Token) -> F) -> Result<T, HttpError>
    where
        F: Future<Output = Result<T, HttpError>>,
    {
        match ask(self.token().await?).await {
            Err(error) if error.is_unauthenticated() => ask(self.renew().await?).await,
            other => other,
        }
    }

    /// The last manifest: the one at hand, or the folder's. It may be stale.
    pub fn manifest(&self) -> Result<Option<Arc<Trusted>>, MemberError> {
        if let Some(manifest) = self.state().manifest.clone() {
            return Ok(Some(manifest));
        }
        let Some(key) = manifest::trusted_key(&self.folder, self.pinned.as_ref())? else { return Ok(None) };
        let Some(kept) = manifest::kept(&self.folder, &key, &self.ambient)? else { return Ok(None) };
        let kept = Arc::new(kept);
        self.state().manifest = Some(kept.clone());
        Ok(Some(kept))
    }

    /// A fresh manifest: the one at hand if it is, else a new one.
    pub async fn fresh_manifest(&self) -> Result<Arc<Trusted>, MemberError> {
        match self.manifest()?.filter(|manifest| manifest.is_fresh(&self.ambient)) {
            Some(manifest) => Ok(manifest),
            None => self.refresh().await,
        }
    }

    /// Fetches the manifest, and believes it or not.
    pub async fn refresh(&self) -> Result<Arc<Trusted>, MemberError> {
        let last = self.manifest()?;
        let text = self.authority.manifest().await?;
        let key = self.authority_key().await?;
        let last = last.as_deref().map(|trusted| &trusted.manifest);
        let trusted = Arc::new(manifest::check(text.clone(), &key, last, &self.ambient)?);
        manifest::keep(&self.folder, &text)?;
        self.state().manifest = Some(trusted.clone());
        Ok(trusted)
    }

    /// The authority's signing key: pinned, kept, or seen for the first time.
    async fn authority_key(&self) -> Result<PublicKey, MemberError> {
        if let Some(key) = manifest::trusted_key(&self.folder, self.pinned.as_ref())? {
            return Ok(key);
        }
        let told = self.with_token(|token| async move { self.authority.public_key(&token).await }).await?;
        let unusable =
            MemberError::Unusable { what: "its signing key", why: "it is no public key".to_owned() };
        let key = manifest::spki(&told.signing_key).ok_or(unusable)?;
        manifest::keep_key(&self.folder, &key)?;
        Ok(key)
    }
}

impl std::fmt::Debug for Session {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Session({})", self.member())
    }
}

#[cfg(test)]
mod tests;
