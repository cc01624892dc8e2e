//! Members: made, changed, suspended, removed. Whoever loses something begins a new epoch for everybody.

use crate::actions::{
    CreateUser, Delete, ListMembers, ReadMe, Rekey, Resume, SetAttributes, SetEpochs, Suspend,
};
use crate::callers::{Granted, ended};
use crate::enrolment::Enrolment;
use crate::error::fail;
use crate::spans::{self, begin_span, end_span, past_epochs};
use crate::upkeep::begin_epoch;
use crate::{Attributes, AuthorityError};
use strongroom_ambient::UnixMillis;
use strongroom_gate::{
    AuthorityRecord, Entry, MAX_MEMBERS, MemberRecord, Permit, SharingView, Span, Standing,
};
use strongroom_model::Name;
use strongroom_secret::SecretBytes;
use strongroom_sharing::MemberId;
use strongroom_sharing::authority::Me;

/// What a member begins with.
#[derive(Debug)]
pub struct NewMember {
    /// Its password,
    pub password: SecretBytes,
    /// and again.
    pub password2: SecretBytes,
    /// What it has, in any case.
    pub attributes: Vec<String>,
    /// Its keys, if they are known.
    pub keys: Option<Enrolment>,
    /// Past epochs that it may read: `1-4,7`.
    pub past_epochs: Option<String>,
    pub(crate) admin: bool,
}

impl NewMember {
    /// One that has nothing but a password, written twice.
    pub fn with(password: SecretBytes, password2: SecretBytes) -> Self {
        Self { password, password2, attributes: Vec::new(), keys: None, past_epochs: None, admin: false }
    }
}

/// A member, just made, or just recognised.
#[derive(Debug)]
pub struct CreatedMember {
    /// Its id.
    pub id: MemberId,
    /// The registered name.
    pub username: String,
    /// What it has, normalised.
    pub attributes: Vec<String>,
    /// Whether it administers.
    pub admin: bool,
    /// A first token.
    pub token: Granted,
}

impl CreatedMember {
    pub(crate) fn of(member: &MemberRecord, token: Granted) -> Self {
        Self {
            id: member.id,
            username: member.name.to_string(),
            attributes: member.attributes.clone(),
            admin: member.admin,
            token,
        }
    }
}

/// A member as told to who administers.
#[derive(Debug, Clone)]
pub struct MemberSummary {
    /// Its id.
    pub id: MemberId,
    /// The registered name.
    pub username: String,
    /// Whether it administers.
    pub admin: bool,
    /// Whether its tokens and keys hold.
    pub standing: Standing,
    /// Whether its keys are registered.
    pub enrolled: bool,
    /// What it has.
    pub attributes: Vec<String>,
    /// When it had what.
    pub spans: Vec<Span>,
    /// Epochs that it may read besides.
    pub past: Vec<(u64, u64)>,
}

impl MemberSummary {
    fn of(member: &MemberRecord) -> Self {
        Self {
            id: member.id,
            username: member.name.to_string(),
            admin: member.admin,
            standing: member.standing,
            enrolled: member.wrap_key.is_some(),
            attributes: member.attributes.clone(),
            spans: member.spans.clone(),
            past: member.past.clone(),
        }
    }
}

impl Attributes {
    /// Makes a member. The permit is about the wanted name (`named`).
    pub async fn create_user(
        &self,
        permit: Permit<CreateUser>,
        new: NewMember,
    ) -> Result<CreatedMember, AuthorityError> {
        let (view, entry) = permit.open();
        match self.ready(&view).await {
            Ok(_) => self.make(view, entry, new).await,
            Err(fault) => fail(entry, fault).await,
        }
    }

    pub(crate) async fn make(
        &self,
        view: SharingView,
        mut entry: Entry,
        new: NewMember,
    ) -> Result<CreatedMember, AuthorityError> {
        let made = async {
            let name = Name::new(view.about())?;
            is_free(&view, &name)?;
            let attributes = spans::attributes(new.attributes.iter().map(String::as_str))?;
            new.keys.as_ref().map_or(Ok(()), Enrolment::check)?;
            let password = self.hashed(new.password, &new.password2).await?;
            let change = view.changing().await?;
            is_free(&view, &name)?;
            let authority = view.authority().ok_or(AuthorityError::NotFound)?;
            let past = past_epochs(new.past_epochs.as_deref().unwrap_or_default(), authority.epoch)?;
            let mut member = MemberRecord {
                id: MemberId(view.random_id()),
                name,
                admin: new.admin,
                standing: Standing::Active,
                created: self.gate.now(),
                tokens_ended: UnixMillis(0),
                password,
                attributes,
                spans: Vec::new(),
                past,
                wrap_key: None,
                signing_keys: Vec::new(),
            };
            if !new.admin {
                begin_span(&mut member, authority.epoch);
            }
            if let Some(keys) = new.keys {
                keys.put(&mut member);
            }
            let token = self.grant(&view, &member, self.settings.load().token_ttl).await?;
            Ok((change, member, token))
        };
        let (mut change, member, token) = match made.await {
            Ok(made) => made,
            Err(fault) => return fail(entry, fault).await,
        };
        let created = CreatedMember::of(&member, token);
        entry.note(match (created.admin, created.attributes.join(", ")) {
            (true, _) => format!("administrator {}", created.id),
            (false, attributes) => format!("member {}: {attributes}", created.id),
        });
        change.add_member(member);
        entry.commit(change.take()).await?;
        Ok(created)
    }

    /// What a member holds opens nothing that comes: a new epoch begins.
    pub async fn rekey(&self, permit: Permit<Rekey>) -> Result<(), AuthorityError> {
        let (view, entry) = permit.open();
        self.change_member(view, entry, |member, authority, gate| {
            only_member(member)?;
            begin_epoch(authority, gate);
            Ok(())
        })
        .await
    }

    /// Suspends a member: its tokens end, it gets no keys, and a new epoch begins.
    pub async fn suspend(&self, permit: Permit<Suspend>) -> Result<(), AuthorityError> {
        let (view, entry) = permit.open();
        self.change_member(view, entry, |member, authority, gate| {
            if member.standing == Standing::Active {
                close(member, authority, gate);
                member.standing = Standing::Suspended;
            }
            Ok(())
        })
        .await
    }

    /// Lets a suspended member go on: what came meanwhile it reads only if that is said (`set_epochs`).
    pub async fn resume(&self, permit: Permit<Resume>) -> Result<(), AuthorityError> {
        let (view, entry) = permit.open();
        self.change_member(view, entry, |member, authority, _| {
            if member.standing == Standing::Suspended {
                member.standing = Standing::Active;
                if !member.admin {
                    begin_span(member, authority.epoch);
                }
            }
            Ok(())
        })
        .await
    }

    /// Removes a member. Its name is free again; its signatures are still checked.
    pub async fn delete(&self, permit: Permit<Delete>) -> Result<(), AuthorityError> {
        let (view, entry) = permit.open();
        self.change_member(view, entry, |member, authority, gate| {
            close(member, authority, gate);
            member.standing = Standing::Removed;
            member.wrap_key = None;
            member.password.clear();
            Ok(())
        })
        .await
    }

    /// Gives a member these attributes in place of those it has. If it loses one, a new epoch begins.
    pub async fn set_attributes(
        &self,
        permit: Permit<SetAttributes>,
        attributes: &[String],
    ) -> Result<Vec<String>, AuthorityError> {
        let (view, entry) = permit.open();
        let attributes = match spans::attributes(attributes.iter().map(String::as_str)) {
            Ok(attributes) => attributes,
            Err(fault) => return fail(entry, fault).await,
        };
        let wanted = attributes.clone();
        self.change_member(view, entry, move |member, authority, gate| {
            only_member(member)?;
            if member.attributes == wanted {
                return Ok(());
            }
            let active = member.standing == Standing::Active;
            let loses = member.attributes.iter().any(|attribute| !wanted.contains(attribute));
            if active && loses {
                begin_epoch(authority, gate);
            }
            member.attributes = wanted;
            if active {
                begin_span(member, authority.epoch);
            }
            Ok(())
        })
        .await?;
        Ok(attributes)
    }

    /// Says which past epochs a member may read besides those in which it was one: `1-4,7`, with the attributes of now.
    pub async fn set_epochs(&self, permit: Permit<SetEpochs>, epochs: &str) -> Result<(), AuthorityError> {
        let (view, entry) = permit.open();
        let epochs = epochs.to_owned();
        self.change_member(view, entry, move |member, authority, _| {
            only_member(member)?;
            member.past = past_epochs(&epochs, authority.epoch)?;
            Ok(())
        })
        .await
    }

    /// Changes the member that the permit is about, and the authority's epoch with it.
    async fn change_member(
        &self,
        view: SharingView,
        mut entry: Entry,
        change_it: impl FnOnce(
            &mut MemberRecord,
            &mut AuthorityRecord,
            &strongroom_gate::Gate,
        ) -> Result<(), AuthorityError>
        + Send,
    ) -> Result<(), AuthorityError> {
        let changed = async {
            self.ready(&view).await?;
            let change = view.changing().await?;
            let before = view.named(view.about()).ok_or(AuthorityError::NotFound)?;
            let authority = view.authority().ok_or(AuthorityError::NotFound)?;
            let (mut member, mut after) = ((*before).clone(), (*authority).clone());
            change_it(&mut member, &mut after, &self.gate)?;
            Ok((change, member, (after != *authority).then_some(after)))
        };
        let (mut change, member, authority) = match changed.await {
            Ok(changed) => changed,
            Err(fault) => return fail(entry, fault).await,
        };
        entry.note(match &authority {
            Some(authority) => format!("{}: epoch {} begins", member.id, authority.epoch),
            None => member.id.to_string(),
        });
        change.put_member(member);
        if let Some(authority) = authority {
            change.put_authority(authority);
        }
        entry.commit(change.take()).await?;
        Ok(())
    }

    /// What the caller is.
    pub async fn me(&self, permit: Permit<ReadMe>) -> Result<Me, AuthorityError> {
        let (view, entry) = permit.open();
        let Some(me) = view.me() else { return fail(entry, AuthorityError::Unauthenticated).await };
        let me = Me {
            logged_in_as: me.name.to_string(),
            id: me.id,
            admin: me.admin,
            attributes: me.attributes.clone(),
            enrolled: me.wrap_key.is_some(),
        };
        self.release(entry, me).await
    }

    /// Every member, removed ones too, in the order of their names.
    pub async fn members(&self, permit: Permit<ListMembers>) -> Result<Vec<MemberSummary>, AuthorityError> {
        let (view, entry) = permit.open();
        let mut members: Vec<_> = view.members().iter().map(|member| MemberSummary::of(member)).collect();
        members.sort_by(|one, other| one.username.cmp(&other.username).then(one.id.cmp(&other.id)));
        self.release(entry, members).await
    }
}

fn is_free(view: &SharingView, name: &Name) -> Result<(), AuthorityError> {
    if view.named(name.as_str()).is_some() {
        return Err(AuthorityError::AlreadyExists);
    }
    if view.member_count() >= MAX_MEMBERS {
        return Err(AuthorityError::Limit { what: "members", limit: MAX_MEMBERS });
    }
    Ok(())
}

fn only_member(member: &MemberRecord) -> Result<(), AuthorityError> {
    if member.admin {
        return Err(AuthorityError::NotForThem("an administrator has no attributes, epochs and keys"));
    }
    Ok(())
}

/// Whatever the member has ends with this epoch.
fn close(member: &mut MemberRecord, authority: &mut AuthorityRecord, gate: &strongroom_gate::Gate) {
    member.tokens_ended = ended(member, gate.now());
    if member.standing == Standing::Active && !member.admin {
        begin_epoch(authority, gate);
        end_span(member, authority.epoch);
    }
}
