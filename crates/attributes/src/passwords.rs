//! Passwords of members: checked slowly, changed by who knows them or who administers.

use crate::actions::{OwnPassword, SetPassword};
use crate::callers::{Granted, ended};
use crate::error::fail;
use crate::{Attributes, AuthorityError};
use std::sync::Arc;
use strongroom_crypto::PasswordHash;
use strongroom_gate::{MemberRecord, Permit, SharingView, Standing, Verified};
use strongroom_model::Origin;
use strongroom_secret::SecretBytes;

impl Attributes {
    /// Whether a password is the member's. Without a member it takes as long, and is not.
    pub(crate) async fn prove(
        &self,
        origin: Origin,
        name: &str,
        member: Option<&MemberRecord>,
        password: SecretBytes,
    ) -> Result<(), AuthorityError> {
        let monotonic = self.gate.ambient().clock.monotonic();
        let attempt = self.backoff.begin(name, origin, monotonic);
        let attempt = attempt.map_err(|wait| AuthorityError::Throttled { wait })?;
        let hash = member.and_then(|member| PasswordHash::from_phc(&member.password));
        let cost = self.settings.load().password_cost;
        match self.gate.hasher().verify(hash, password, cost).await {
            Ok(Verified::Right { .. }) => {
                self.backoff.succeeded(&attempt);
                Ok(())
            }
            Ok(Verified::Wrong) => Err(AuthorityError::Proof),
            Err(fault) => {
                // nothing was tried
                self.backoff.forget(&attempt);
                Err(fault.into())
            }
        }
    }

    /// The hash of a new password, written twice.
    pub(crate) async fn hashed(
        &self,
        password: SecretBytes,
        again: &SecretBytes,
    ) -> Result<String, AuthorityError> {
        let same = password.expose(|one| again.expose(|other| strongroom_secret::bytes_eq(one, other)));
        if !same {
            return Err(AuthorityError::PasswordsDiffer);
        }
        let cost = self.settings.load().password_cost;
        Ok(self.gate.hasher().make(password, cost).await?.to_phc())
    }

    /// Changes the caller's own password, proved by the present one. Tokens of before end: here is another.
    pub async fn own_password(
        &self,
        permit: Permit<OwnPassword>,
        origin: Origin,
        present: SecretBytes,
        password: SecretBytes,
        again: &SecretBytes,
    ) -> Result<Granted, AuthorityError> {
        let (view, mut entry) = permit.open();
        let changed = async {
            let me = view.me().ok_or(AuthorityError::Unauthenticated)?;
            self.prove(origin, me.name.as_str(), Some(&me), present).await?;
            let hash = self.hashed(password, again).await?;
            let change = view.changing().await?;
            let member = changed_password(&view, &me, hash, self.gate.now())?;
            Ok((change, member))
        };
        let (mut change, member) = match changed.await {
            Ok(changed) => changed,
            Err(fault) => return fail(entry, fault).await,
        };
        let granted = match self.grant(&view, &member, self.settings.load().token_ttl).await {
            Ok(granted) => granted,
            Err(fault) => return fail(entry, fault).await,
        };
        change.put_member(member);
        entry.commit(change.take()).await?;
        Ok(granted)
    }

    /// Sets a member's password. Its tokens end.
    pub async fn set_password(
        &self,
        permit: Permit<SetPassword>,
        password: SecretBytes,
        again: &SecretBytes,
    ) -> Result<(), AuthorityError> {
        let (view, mut entry) = permit.open();
        let changed = async {
            let member = view.named(view.about()).ok_or(AuthorityError::NotFound)?;
            let hash = self.hashed(password, again).await?;
            let change = view.changing().await?;
            let member = changed_password(&view, &member, hash, self.gate.now())?;
            Ok((change, member))
        };
        let (mut change, member) = match changed.await {
            Ok(changed) => changed,
            Err(fault) => return fail(entry, fault).await,
        };
        change.put_member(member);
        entry.commit(change.take()).await?;
        Ok(())
    }
}

/// The member with another password, if it is still there and its password still what was proved.
fn changed_password(
    view: &SharingView,
    before: &Arc<MemberRecord>,
    hash: String,
    now: strongroom_ambient::UnixMillis,
) -> Result<MemberRecord, AuthorityError> {
    let member = view.member(before.id).filter(|member| member.standing != Standing::Removed);
    let member = member.filter(|member| member.password == before.password);
    let member = member.ok_or(AuthorityError::NotFound)?;
    Ok(MemberRecord { password: hash, tokens_ended: ended(&member, now), ..(*member).clone() })
}
