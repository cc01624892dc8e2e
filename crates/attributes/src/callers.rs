//! From a proof to a token, from a token to a caller.

use crate::actions::{AddAdmin, Login, Logout, Renew};
use crate::error::fail;
use crate::jwt::{self, Claims};
use crate::members::{CreatedMember, NewMember};
use crate::secrets::Secrets;
use crate::{Attributes, AuthorityError};
use data_encoding::BASE64;
use std::sync::Arc;
use std::time::Duration;
use strongroom_ambient::UnixMillis;
use strongroom_crypto::{PublicKey, verify_or_decoy};
use strongroom_envelope::kid;
use strongroom_gate::{Denied, MAX_MARKS, MarkRecord, MemberRecord, Permit, SharingView, Standing, Verdict};
use strongroom_model::{Action, Caller, Credential, Origin, Principal, TokenId, UserId};
use strongroom_secret::SecretBytes;
use strongroom_sharing::authority::Proof;

/// How far the time of a proof may be off.
const PROOF_SECS: u64 = 120;
/// How long a used proof is remembered.
pub(crate) const PROOF_KEPT: Duration = Duration::from_secs(2 * PROOF_SECS + 1);
const PROOF_LABEL: &[u8] = b"strongroom sharing token v1\0";

/// A token, just made: shown once.
#[derive(Debug)]
pub struct Granted {
    /// The token's text.
    pub token: SecretBytes,
    /// Seconds that it lives.
    pub expires_in: u64,
}

/// Since when a member's tokens hold, if all that it has end now: those too that were made for the second after others ended.
pub(crate) fn ended(member: &MemberRecord, now: UnixMillis) -> UnixMillis {
    now.max(member.tokens_ended.plus(Duration::from_secs(1)))
}

impl Attributes {
    /// Makes a caller of a token's bearer: fills in which member asks.
    pub async fn caller_of(&self, caller: &mut Caller, bearer: &str) -> Result<(), AuthorityError> {
        if !self.gate.is_unlocked() {
            return Err(Denied::Locked.into());
        }
        let claims = self.claims_of(bearer).await?.ok_or(AuthorityError::Unauthenticated)?;
        let credential = Credential::Member {
            token: claims.id,
            admin: claims.admin,
            issued_ms: claims.issued.saturating_mul(1_000),
        };
        let member = self.gate.look_up_member(claims.member, credential).await?;
        let member = member.ok_or(AuthorityError::Unauthenticated)?;
        let (partition, user) = (self.gate.partition()?, UserId(member.id.0));
        caller.principal = Some(Arc::new(Principal { partition, user, name: member.name.clone() }));
        caller.credential = credential;
        Ok(())
    }

    /// Leaves word of a request whose token was no token.
    pub async fn turn_away(&self, caller: &Caller, action: Action) -> Result<(), AuthorityError> {
        Ok(self.gate.turn_away(caller, action, "no valid token").await?)
    }

    async fn claims_of(&self, bearer: &str) -> Result<Option<Claims>, AuthorityError> {
        let Some(mut authority) = self.gate.sharing_authority().await? else { return Ok(None) };
        if !self.has_token_key(&authority, self.gate.incarnation()) {
            self.keep(false).await?;
            let Some(kept) = self.gate.sharing_authority().await? else { return Ok(None) };
            authority = kept;
        }
        let key = PublicKey::from_spki(&authority.token_key)?;
        Ok(jwt::decode(bearer, &key, &kid(&key), self.now_secs()))
    }

    pub(crate) fn now_secs(&self) -> i64 {
        self.gate.now().0.div_euclid(1_000)
    }

    /// A token for a member.
    pub(crate) async fn grant(
        &self,
        view: &SharingView,
        member: &MemberRecord,
        ttl: Duration,
    ) -> Result<Granted, AuthorityError> {
        // whoever calls may hold a change: nothing is brought up to date here
        let authority = view.authority().ok_or(AuthorityError::NotFound)?;
        let signer = Secrets::open(view).await?.token_signer(&authority.token_key_of)?;
        let ttl = ttl.min(crate::MAX_TOKEN_TTL).max(Duration::from_secs(1)).as_secs();
        // a token of the second in which all were ended is not one of them
        let issued = self.now_secs().max(member.tokens_ended.0.div_euclid(1_000).saturating_add(1));
        let issued = if member.tokens_ended.0 == 0 { self.now_secs() } else { issued };
        let claims = Claims {
            member: member.id,
            admin: member.admin,
            issued,
            expires: self.now_secs().saturating_add_unsigned(ttl),
            id: TokenId(view.random_id()),
        };
        let key = PublicKey::from_spki(&authority.token_key)?;
        let token = jwt::encode(&claims, &signer, &kid(&key)).ok_or_else(crate::secrets::damaged)?;
        Ok(Granted { token, expires_in: ttl })
    }

    /// Checks a password and makes a token. The permit is about the claimed name (`claimed`). Unknown, suspended and
    /// wrong are one answer, of one duration.
    pub async fn login(
        &self,
        permit: Permit<Login>,
        origin: Origin,
        password: SecretBytes,
    ) -> Result<Granted, AuthorityError> {
        let (view, mut entry) = permit.open();
        let granted = async {
            self.ready(&view).await?;
            let known = view.named(view.about());
            self.prove(origin, view.about(), known.as_deref(), password).await?;
            let holds = |member: &Arc<MemberRecord>| {
                member.standing == Standing::Active
                    && known.as_ref().is_some_and(|before| before.password == member.password)
            };
            let member = view.named(view.about()).filter(holds).ok_or(AuthorityError::Proof)?;
            self.grant(&view, &member, self.settings.load().token_ttl).await
        };
        match granted.await {
            Ok(granted) => {
                entry.note(format!("token for {} s", granted.expires_in));
                self.release(entry, granted).await
            }
            Err(fault) => fail(entry, fault).await,
        }
    }

    /// Checks a proof by a member's signing key and makes a short token. The permit is about `Sharing::whole()`.
    pub async fn renew(&self, permit: Permit<Renew>, proof: &Proof) -> Result<Granted, AuthorityError> {
        let (view, mut entry) = permit.open();
        let proved = async {
            self.ready(&view).await?;
            // a stranger who proves nothing takes no turn from those who change something
            self.proved(&view, proof)?;
            let change = view.changing().await?;
            let (member, mark) = self.proved(&view, proof)?;
            let granted = self.grant(&view, &member, self.settings.load().proof_ttl).await?;
            Ok((change, member, mark, granted))
        };
        let (mut change, member, mark, granted) = match proved.await {
            Ok(proved) => proved,
            Err(fault) => return fail(entry, fault).await,
        };
        change.mark(mark);
        entry.note(format!("{}: token for {} s", member.name, granted.expires_in));
        entry.commit(change.take()).await?;
        Ok(granted)
    }

    fn proved(
        &self,
        view: &SharingView,
        proof: &Proof,
    ) -> Result<(Arc<MemberRecord>, MarkRecord), AuthorityError> {
        let now = u64::try_from(self.now_secs()).unwrap_or_default();
        let read = |text: &str| BASE64.decode(text.as_bytes()).ok();
        let malformed =
            AuthorityError::Malformed { what: "proof", expected: "a nonce of 16 bytes and a signature" };
        let (Some(nonce), Some(signature)) = (read(&proof.nonce), read(&proof.signature)) else {
            return Err(malformed);
        };
        let nonce: [u8; 16] = nonce.try_into().map_err(|_| malformed)?;
        let member = view.member(proof.member).filter(|member| member.standing == Standing::Active);
        let key = member.as_ref().and_then(|member| PublicKey::from_spki(member.signing_keys.first()?).ok());
        let message = [PROOF_LABEL, &proof.member.0, &proof.at.to_be_bytes(), &nonce].concat();
        let signed = verify_or_decoy(key.as_ref(), &message, &signature);
        let member = member.filter(|member| signed && !member.admin).ok_or(AuthorityError::Proof)?;
        let id = view.stand_in(&[b"proof\0".as_slice(), &member.id.0, &nonce].concat());
        if proof.at.abs_diff(now) > PROOF_SECS || view.is_marked(&id) {
            return Err(AuthorityError::Proof);
        }
        if view.marks_of(member.id) >= MAX_MARKS {
            return Err(AuthorityError::Throttled { wait: Duration::from_secs(PROOF_SECS) });
        }
        let until = self.gate.now().plus(PROOF_KEPT);
        Ok((Arc::clone(&member), MarkRecord { id, member: member.id, until }))
    }

    /// Ends the caller's token.
    pub async fn logout(&self, permit: Permit<Logout>) -> Result<(), AuthorityError> {
        let (view, mut entry) = permit.open();
        let found = async {
            let change = view.changing().await?;
            let (me, token) = view.me().zip(view.my_token()).ok_or(AuthorityError::Unauthenticated)?;
            Ok((change, me, token))
        };
        let (mut change, me, token) = match found.await {
            Ok(found) => found,
            Err(fault) => return fail(entry, fault).await,
        };
        if view.marks_of(me.id) >= MAX_MARKS {
            // rather all of its tokens than one too few
            change.put_member(MemberRecord { tokens_ended: ended(&me, self.gate.now()), ..(*me).clone() });
        } else {
            // longer than used proofs, by which the two are told apart
            let until = self.gate.now().plus(crate::MAX_TOKEN_TTL).plus(PROOF_KEPT);
            change.mark(MarkRecord { id: token.0, member: me.id, until });
        }
        entry.commit(change.take()).await?;
        Ok(())
    }

    /// Makes an administrator, or recognises one by its password: either way there is a token. The permit is about the
    /// name (`named`).
    pub async fn add_admin(
        &self,
        permit: Permit<AddAdmin>,
        origin: Origin,
        password: SecretBytes,
    ) -> Result<CreatedMember, AuthorityError> {
        let (view, mut entry) = permit.open();
        if let Err(fault) = self.ready(&view).await {
            return fail(entry, fault).await;
        }
        let Some(known) = view.named(view.about()) else {
            let again = password.expose(|bytes| SecretBytes::new(bytes.to_vec()));
            let new = NewMember { admin: true, ..NewMember::with(password, again) };
            return self.make(view, entry, new).await;
        };
        let granted = async {
            if !known.admin {
                return Err(AuthorityError::AlreadyExists);
            }
            self.prove(origin, view.about(), Some(&known), password).await?;
            let member = view.member(known.id).filter(|member| member.standing == Standing::Active);
            let member = member.ok_or(AuthorityError::Proof)?;
            let granted = self.grant(&view, &member, self.settings.load().token_ttl).await?;
            Ok(CreatedMember::of(&member, granted))
        };
        match granted.await {
            Ok(created) => {
                entry.note("it was there");
                entry.finish(Verdict::Released).await?;
                Ok(created)
            }
            Err(fault) => fail(entry, fault).await,
        }
    }
}
