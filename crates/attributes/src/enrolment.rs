//! Keys that a member registers: what is wrapped for it, and what it signs with.

use crate::actions::RegisterKeys;
use crate::callers::ended;
use crate::error::fail;
use crate::{Attributes, AuthorityError};
use strongroom_crypto::{KemPublicKey, KeyKind, PublicKey};
use strongroom_gate::{MemberRecord, Permit, ReplacedRecord};
use strongroom_model::Origin;
use strongroom_secret::SecretBytes;

/// Most signing keys that are kept of one member: old ones still check what they signed.
const MAX_SIGNING_KEYS: usize = 64;

/// The public keys of a member.
#[derive(Debug, Clone)]
pub struct Enrolment {
    /// X-Wing public key.
    pub wrap_key: Vec<u8>,
    /// Ed25519 SubjectPublicKeyInfo.
    pub signing_key: Vec<u8>,
}

/// Whether keys may take the place of others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Replace {
    /// There are none yet.
    No,
    /// They may; the last record that the present key signed, if that is known, else the last that the collector told of.
    Yes(Option<u64>),
}

impl Enrolment {
    /// Both are keys of their kinds.
    pub(crate) fn check(&self) -> Result<(), AuthorityError> {
        let expected = "an X-Wing public key of 1216 bytes";
        KemPublicKey::from_bytes(&self.wrap_key)
            .map_err(|_| AuthorityError::Malformed { what: "wrap_key", expected })?;
        let expected = "an Ed25519 SubjectPublicKeyInfo";
        match PublicKey::from_spki(&self.signing_key) {
            Ok(key) if key.kind() == KeyKind::Ed25519 => Ok(()),
            _ => Err(AuthorityError::Malformed { what: "signing_key", expected }),
        }
    }

    /// The member with these keys; what it signed with before still checks.
    pub(crate) fn put(self, member: &mut MemberRecord) {
        member.wrap_key = Some(self.wrap_key);
        member.signing_keys.retain(|known| *known != self.signing_key);
        member.signing_keys.insert(0, self.signing_key);
        member.signing_keys.truncate(MAX_SIGNING_KEYS);
    }
}

impl Attributes {
    /// Registers the caller's keys. The password has to be named: whoever has a token alone registers nothing. With the
    /// keys that are replaced the tokens end, the caller's too.
    pub async fn register_keys(
        &self,
        permit: Permit<RegisterKeys>,
        origin: Origin,
        password: SecretBytes,
        keys: Enrolment,
        replace: Replace,
    ) -> Result<(), AuthorityError> {
        let (view, mut entry) = permit.open();
        let registered = async {
            keys.check()?;
            let me = view.me().ok_or(AuthorityError::Unauthenticated)?;
            self.prove(origin, me.name.as_str(), Some(&me), password).await?;
            let change = view.changing().await?;
            let present = view.me().filter(|present| present.password == me.password);
            let mut member = (*present.ok_or(AuthorityError::Proof)?).clone();
            let same = member.wrap_key.as_ref() == Some(&keys.wrap_key)
                && member.signing_keys.first() == Some(&keys.signing_key);
            if member.wrap_key.is_some() && replace == Replace::No && !same {
                return Err(AuthorityError::Enrolled);
            }
            let note = match &member.wrap_key {
                None => "enrolled",
                Some(_) if same => "enrolled before",
                Some(_) => {
                    // whoever has the old keys has tokens by them
                    member.tokens_ended = ended(&member, self.gate.now());
                    "keys replaced"
                }
            };
            let signed_with = member.signing_keys.first().filter(|key| **key != keys.signing_key).cloned();
            keys.put(&mut member);
            Ok((change, member, note, signed_with))
        };
        let (mut change, member, note, signed_with) = match registered.await {
            Ok(registered) => registered,
            Err(fault) => return fail(entry, fault).await,
        };
        entry.note(note);
        if let Some(key) = signed_with {
            let told = view.head(member.id).map_or(0, |head| head.sequence);
            let last = if let Replace::Yes(Some(last)) = replace { last } else { told };
            change.put_replaced(ReplacedRecord { member: member.id, key, last });
            if last < told {
                // it speaks of records that the key does not count for
                change.remove_head(member.id);
            }
        }
        change.put_member(member);
        entry.commit(change.take()).await?;
        Ok(())
    }
}
