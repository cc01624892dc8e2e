//! What the authority does by itself: it is made once, begins epochs as time goes, and forgets what has expired.

use crate::actions::Upkeep;
use crate::error::fail;
use crate::secrets::{Secrets, public_of, token_key_of};
use crate::{Attributes, AuthorityError};
use std::sync::Arc;
use strongroom_gate::{
    AuthorityRecord, CollectorsRecord, Gate, RuleRecord, Sharing, SharingChange, SharingView, Verdict,
};
use strongroom_model::Name;

/// Epochs that are left out when a restored store begins another life: some may have been in force before, unknown to it.
const RESTORED: u64 = 1_000;
/// The group that there is from the start: every collector, searched by every member.
pub(crate) const EVERYBODY: &str = "members";
/// Most marks that one round forgets.
const MAX_FORGOTTEN: usize = 500;

impl Attributes {
    /// The server's chore: makes the authority if it was never made, begins an epoch whose time has come, forgets what has
    /// expired. Nothing while locked.
    pub async fn upkeep(&self) -> Result<(), AuthorityError> {
        if !self.gate.is_unlocked() {
            return Ok(());
        }
        match self.gate.sharing_authority().await? {
            // a server that shares nothing makes no authority by itself
            None => Ok(()),
            Some(_) => self.keep(true).await,
        }
    }

    /// The authority as it is in force now: made, or brought up to date, if it has to be.
    pub(crate) async fn ready(&self, view: &SharingView) -> Result<Arc<AuthorityRecord>, AuthorityError> {
        if let Some(authority) = view.authority().filter(|authority| self.fits(authority, view.incarnation()))
        {
            return Ok(authority);
        }
        self.keep(false).await?;
        view.authority().ok_or(AuthorityError::NotFound)
    }

    /// Whether nothing has to be done about it.
    fn fits(&self, authority: &AuthorityRecord, incarnation: Option<[u8; 16]>) -> bool {
        self.has_token_key(authority, incarnation)
            && self.gate.now() < authority.epoch_since.plus(self.settings.load().epoch_every)
    }

    /// Whether its tokens are those of this life and this configuration.
    pub(crate) fn has_token_key(&self, authority: &AuthorityRecord, incarnation: Option<[u8; 16]>) -> bool {
        let settings = self.settings.load();
        let of = |life| token_key_of(settings.token_secret.as_ref(), &life);
        incarnation == Some(authority.incarnation)
            && incarnation.is_some_and(|life| of(life) == authority.token_key_of)
    }

    /// Does what has to be done. `forget`: what has expired goes too.
    pub(crate) async fn keep(&self, forget: bool) -> Result<(), AuthorityError> {
        if !self.is_due(forget).await? {
            return Ok(());
        }
        let permit = self.gate.system::<Upkeep>(Sharing::whole()).await?;
        let (view, mut entry) = permit.open();
        let mut change = match view.changing().await {
            Ok(change) => change,
            Err(fault) => return fail(entry, fault.into()).await,
        };
        let mut done = match self.bring_up_to_date(&view, &mut change).await {
            Ok(done) => done,
            Err(fault) => return fail(entry, fault).await,
        };
        let old = if forget { view.old_marks(MAX_FORGOTTEN) } else { Vec::new() };
        if !old.is_empty() {
            done.push(format!("{} expired", old.len()));
            change.forget_marks(old);
        }
        if done.is_empty() {
            // somebody else was faster
            return Ok(entry.finish(Verdict::Released).await?);
        }
        entry.note(done.join("; "));
        entry.commit(change.take()).await?;
        Ok(())
    }

    async fn is_due(&self, forget: bool) -> Result<bool, AuthorityError> {
        let incarnation = self.gate.incarnation();
        let authority = self.gate.sharing_authority().await?;
        let fits = authority.is_some_and(|authority| self.fits(&authority, incarnation));
        Ok(!fits || forget && self.gate.has_old_marks().await?)
    }

    async fn bring_up_to_date(
        &self,
        view: &SharingView,
        change: &mut SharingChange<'_>,
    ) -> Result<Vec<String>, AuthorityError> {
        let life = view.incarnation().ok_or(strongroom_gate::BarrierError::Locked)?;
        let token_key_of = token_key_of(self.settings.load().token_secret.as_ref(), &life);
        let Some(present) = view.authority() else {
            let (authority, secrets) = self.generate(life, token_key_of).await?;
            change.found(authority, &secrets.to_bytes());
            change.put_group(everybody()?);
            return Ok(vec!["made the attribute authority, epoch 1".to_owned()]);
        };
        let (mut authority, mut done) = (AuthorityRecord::clone(&present), Vec::new());
        if authority.incarnation != life {
            skip(&mut authority, &self.gate);
            authority.incarnation = life;
            done.push(format!("restored: epoch {}, tokens are void", authority.epoch));
        } else if self.gate.now() >= authority.epoch_since.plus(self.settings.load().epoch_every) {
            begin_epoch(&mut authority, &self.gate);
            done.push(format!("epoch {}: its time has come", authority.epoch));
        }
        if authority.token_key_of != token_key_of {
            let secrets = Secrets::open(view).await?;
            let key = public_of(&secrets.token_signer(&token_key_of)?)?;
            (authority.token_key, authority.token_key_of) = (key.spki().to_vec(), token_key_of);
            done.push("another key for tokens: those of before have ended".to_owned());
        }
        if !done.is_empty() {
            change.put_authority(authority);
        }
        Ok(done)
    }

    async fn generate(
        &self,
        incarnation: [u8; 16],
        token_key_of: [u8; 32],
    ) -> Result<(AuthorityRecord, Secrets), AuthorityError> {
        let (ambient, now) = (self.gate.ambient().clone(), self.gate.now());
        off_the_workers(move || {
            let secrets = Secrets::generate(&ambient)?;
            let record = AuthorityRecord {
                created: now,
                incarnation,
                public_key: secrets.master()?.public().as_bytes().to_vec(),
                signing_key: public_of(&secrets.signer()?)?.spki().to_vec(),
                token_key: public_of(&secrets.token_signer(&token_key_of)?)?.spki().to_vec(),
                token_key_of,
                epoch: 1,
                epoch_since: now,
                gaps: Vec::new(),
            };
            Ok((record, secrets))
        })
        .await
    }
}

/// The next epoch begins now.
pub(crate) fn begin_epoch(authority: &mut AuthorityRecord, gate: &Gate) {
    authority.epoch = authority.epoch.saturating_add(1);
    authority.epoch_since = gate.now();
}

fn skip(authority: &mut AuthorityRecord, gate: &Gate) {
    let (first, last) = (authority.epoch.saturating_add(1), authority.epoch.saturating_add(RESTORED));
    authority.gaps.push((first, last));
    authority.epoch = last;
    begin_epoch(authority, gate);
}

fn everybody() -> Result<CollectorsRecord, AuthorityError> {
    let rules = vec![RuleRecord { field: "*".to_owned(), policy: None }];
    Ok(CollectorsRecord { name: Name::new(EVERYBODY)?, collectors: None, rules })
}

/// Work of milliseconds and more, off the threads that serve requests.
pub(crate) async fn off_the_workers<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, AuthorityError> + Send + 'static,
) -> Result<T, AuthorityError> {
    let busy = || AuthorityError::Denied(strongroom_gate::Denied::Busy);
    tokio::task::spawn_blocking(work).await.map_err(|_| busy())?
}
