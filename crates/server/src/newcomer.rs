//! A first start that nobody types for: done the way an operator would do it, through the gate, with its entries.

use crate::ServerError;
use crate::wire::World;
use std::path::Path;
use std::time::Duration;
use strongroom_crypto::{PrivateKey, generate_ed25519_pkcs8, private_key_pem, public_key_pem};
use strongroom_gate::{Action, People, Permit, Server as ServerResource};
use strongroom_identity::{Authorize, Challenge, Proof};
use strongroom_model::{Caller, Origin, RequestId};
use strongroom_operator as operator;
use strongroom_secret::SecretBytes;

/// How long a first token lives.
const TOKEN_TTL: Duration = Duration::from_hours(8);

/// What is made once.
#[derive(Debug)]
pub struct FirstTime {
    /// The unlock keys: shown once.
    pub unlock_keys: Vec<SecretBytes>,
    /// Root's access key id.
    pub access_key_id: String,
    /// A token for root.
    pub token: SecretBytes,
}

/// Root's key pair, in a private file apart from the data; its folder is made.
pub(crate) fn access_key(path: &Path) -> Result<PrivateKey, ServerError> {
    let pkcs8 = generate_ed25519_pkcs8().map_err(ServerError::first)?;
    let pem = private_key_pem(&pkcs8);
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).map_err(|source| ServerError::io("make", folder, source))?;
    }
    pem.expose(|bytes| crate::tls::write_private(path, bytes))?;
    PrivateKey::from_pem(&pem).map_err(ServerError::first)
}

/// Does what a newcomer would type.
pub(crate) struct Newcomer<'a> {
    pub(crate) world: &'a World,
}

impl Newcomer<'_> {
    /// Initialises, unlocks, logs root in and adds auto-unlock.
    pub(crate) async fn begin(&self, key: &PrivateKey, keys: u8) -> Result<(FirstTime, Caller), ServerError> {
        let world = self.world;
        let public = public_key_pem(&key.public_key().map_err(ServerError::first)?);
        let permit = self.admit::<operator::Initialise>(&self.nobody(), ServerResource).await?;
        let made = world.operator.initialise(permit, keys, 1, &public).await?;
        let unlock_key = made.keys.keys.first().ok_or_else(|| ServerError::first("no unlock key"))?;
        let permit = self.admit::<operator::Unlock>(&self.nobody(), ServerResource).await?;
        world.operator.unlock(permit, self.nobody().origin, unlock_key).await?;
        let access_key_id = made.access_key.to_string();
        let token = self.log_in(&access_key_id, key).await?;
        let root = self.caller(&token).await?;
        let permit = self.admit::<operator::AddAutoUnlock>(&root, ServerResource).await?;
        world.operator.add_auto_unlock(permit, std::slice::from_ref(unlock_key)).await?;
        Ok((FirstTime { unlock_keys: made.keys.keys, access_key_id, token }, root))
    }

    fn nobody(&self) -> Caller {
        let origin = Origin::Local { uid: rustix::process::geteuid().as_raw() };
        Caller::anonymous(origin, RequestId(self.world.ambient.uuid_v7()))
    }

    pub(crate) async fn admit<A: Action>(
        &self,
        caller: &Caller,
        resource: A::Resource,
    ) -> Result<Permit<A>, ServerError> {
        let caller = Caller { request: RequestId(self.world.ambient.uuid_v7()), ..caller.clone() };
        self.world.gate.admit::<A>(&caller, resource).await.map_err(ServerError::first)
    }

    async fn log_in(&self, key_text: &str, key: &PrivateKey) -> Result<SecretBytes, ServerError> {
        let (world, what) = (self.world, People { what: key_text.to_owned() });
        let permit = self.admit::<Challenge>(&self.nobody(), what.clone()).await?;
        let held = world.identity.challenge(permit, key_text);
        let (challenge, _) = world.gate.release(held).await.map_err(ServerError::first)?;
        // no door is in between that could be another's
        let signed = [key_text.as_bytes(), challenge.as_bytes()].concat();
        let signature = key.sign(&signed).map_err(ServerError::first)?;
        let permit = self.admit::<Authorize>(&self.nobody(), what).await?;
        let proof = Proof { key_text, challenge: &challenge, signature: &signature, signed: &signed };
        let granted = world.identity.authorize(permit, &proof, Some(TOKEN_TTL)).await;
        Ok(granted.map_err(ServerError::first)?.token)
    }

    async fn caller(&self, token: &SecretBytes) -> Result<Caller, ServerError> {
        let mut caller = self.nobody();
        let text = token.expose(|bytes| String::from_utf8_lossy(bytes).into_owned());
        self.world.identity.authenticate(&mut caller, &text).await.map_err(ServerError::first)?;
        Ok(caller)
    }
}
