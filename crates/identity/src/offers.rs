//! From decrypting to a token: the token itself is the challenge. It is encrypted to an access key, and holds once
//! its bearer has shown that they could read it. Until then it is nowhere but in the connection that asked.

use crate::Identity;
use crate::actions::{Authorize, Challenge};
use crate::error::{IdentityError, fail};
use crate::proofs::{Granted, Proved, refused};
use crate::token_text;
use std::time::Duration;
use strongroom_ambient::UnixMillis;
use strongroom_crypto::{KeyKind, PublicKey, encrypt_or_decoy};
use strongroom_gate::{Held, Permit, Verdict, Way};
use strongroom_model::{Caller, CredentialId, UserId};
use strongroom_secret::{SecretArray, SecretBytes};

/// How long an offer stands.
const LIFETIME: Duration = Duration::from_mins(1);

/// A token that is none yet.
pub struct Offer {
    token: SecretArray<16>,
    key_text: String,
    key: CredentialId,
    /// Nobody, if the key is not known or cannot decrypt: then nothing that is shown will do.
    user: Option<UserId>,
    ttl: Option<Duration>,
    until: UnixMillis,
}

impl Offer {
    /// The access key id that it was asked for with.
    pub fn key_text(&self) -> &str {
        &self.key_text
    }
}

impl std::fmt::Debug for Offer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Offer")
    }
}

impl Identity {
    /// Makes an offer, and the bytes that only the holder of the access key's private half can read. Whether the key
    /// exists is not told, neither by the answer nor by the time it takes.
    pub async fn offer(
        &self,
        permit: Permit<Challenge>,
        key_text: &str,
        ttl: Option<Duration>,
    ) -> Result<Held<(Offer, Vec<u8>)>, IdentityError> {
        let (view, entry) = permit.open();
        let key = key_text.parse::<CredentialId>().unwrap_or_default();
        let credential = match view.credential(key).await {
            Ok(credential) => credential,
            Err(fault) => return fail(entry, fault.into()).await,
        };
        let public = credential.as_ref().and_then(|known| PublicKey::from_spki(&known.spki).ok());
        // what was not encrypted to a key proves nothing of who has it
        let public = public.filter(|key| key.kind() == KeyKind::Rsa);
        // the same key by another spelling is the same key
        let seed = view.stand_in(&key.to_string());
        let token = token_text::bare(self.gate.ambient());
        let sealed = token.expose(|bytes| encrypt_or_decoy(public.as_ref(), &seed, bytes));
        let Some(sealed) = sealed else { return fail(entry, IdentityError::Proof).await };
        let offer = Offer {
            token,
            key_text: key_text.to_owned(),
            key,
            user: credential.filter(|_| public.is_some()).map(|credential| credential.user),
            ttl,
            until: self.gate.now().plus(LIFETIME),
        };
        Ok(entry.hold(Verdict::Released, (offer, sealed)))
    }

    /// Makes a token of an offer, if what was shown is its text.
    pub async fn take_up(
        &self,
        permit: Permit<Authorize>,
        offer: Offer,
        shown: &[u8],
    ) -> Result<Granted, IdentityError> {
        let (view, mut entry) = permit.open();
        let text = token_text::bare_text(&offer.token);
        let shown = SecretBytes::new(shown.to_ascii_lowercase());
        let right = text.expose(|text| shown.expose(|shown| strongroom_secret::bytes_eq(text, shown)));
        let Some(user) = offer.user.filter(|_| right) else {
            entry.note("unknown key, or what it was to decrypt was not decrypted");
            return refused(entry, IdentityError::Proof).await;
        };
        if offer.until <= self.gate.now() {
            entry.note("the offer has expired");
            return refused(entry, IdentityError::Proof).await;
        }
        let Offer { key, ttl, .. } = offer;
        let proved = Proved { user, key, way: Way::AccessKey, ttl, fresh: None, token: Some(text) };
        self.grant(&view, entry, proved, || IdentityError::Proof).await
    }

    /// Leaves word of an offer that nobody took up.
    pub async fn give_up(&self, caller: &Caller, offer: Offer) -> Result<(), IdentityError> {
        drop(offer);
        let action = strongroom_model::Action::Authorize;
        Ok(self.gate.turn_away(caller, action, "the second step did not come").await?)
    }
}
