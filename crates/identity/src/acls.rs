//! ACLs: made, read, listed, changed, removed, attached and detached.

use crate::Identity;
use crate::actions::{AttachAcl, CreateAcl, DetachAcl, ListAcls, ReadAcl, RemoveAcl, UpdateAcl};
use crate::error::{IdentityError, fail};
use crate::users::protected;
use std::sync::Arc;
use strongroom_ambient::UnixMillis;
use strongroom_gate::{
    Acl, AclRecord, AclView, AclsView, Action, AttachmentView, Covers, Held, Holder, List, MAX_ACLS,
    MAX_ATTACHED, Mode, PeopleView, Permit, Person, Team, Verdict,
};
use strongroom_model::{Access, AclId, Name, UserId};

/// A rule as people write it.
#[derive(Debug, Clone)]
pub struct RuleText {
    /// Whether it allows or denies.
    pub mode: Mode,
    /// Which access.
    pub access: Access,
    /// Patterns of commands; of a rule about commands.
    pub commands: Vec<String>,
    /// Patterns of stores; of a rule about stores.
    pub stores: Vec<String>,
    /// Patterns of secrets in them.
    pub secrets: Vec<String>,
    /// What it covers: `everything`, `commands` or `stores`.
    pub covers: CoversKind,
}

/// What a rule covers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CoversKind {
    /// Everything.
    Everything,
    /// Commands.
    Commands,
    /// Stores and the secrets in them.
    Stores,
}

impl RuleText {
    fn compile(&self, name: &Name) -> Result<Arc<Acl>, IdentityError> {
        let list = |list, texts: &[String]| Acl::patterns(list, texts.iter().map(String::as_str));
        let covers = match self.covers {
            CoversKind::Everything => Covers::Everything,
            CoversKind::Commands => Covers::Commands(list(List::Commands, &self.commands)?),
            CoversKind::Stores => Covers::Stores {
                stores: list(List::Stores, &self.stores)?,
                secrets: list(List::Secrets, &self.secrets)?,
            },
        };
        Ok(Arc::new(Acl::new(name.clone(), self.mode, self.access, covers)?))
    }
}

/// An ACL as told.
#[derive(Debug, Clone)]
pub struct AclSummary {
    /// Its id.
    pub id: AclId,
    /// Its rule, with its name.
    pub acl: Arc<Acl>,
    /// Made when.
    pub created: UnixMillis,
    /// Last changed when.
    pub updated: UnixMillis,
    /// Grows by one with each change.
    pub revision: u64,
    /// Names of users that it is attached to; empty in a listing.
    pub users: Vec<String>,
    /// Names of groups that it is attached to; empty in a listing.
    pub groups: Vec<String>,
}

impl AclSummary {
    fn of(id: AclId, record: &AclRecord) -> Self {
        Self {
            id,
            acl: Arc::clone(&record.acl),
            created: record.created,
            updated: record.updated,
            revision: record.revision,
            users: Vec::new(),
            groups: Vec::new(),
        }
    }

    fn with_holders(view: &AclView, record: &AclRecord) -> Self {
        let users = view.users().iter().map(|person| person.record.name.to_string()).collect();
        let groups = view.groups().iter().map(|team| team.record.name.to_string()).collect();
        Self { users, groups, ..Self::of(view.id(), record) }
    }
}

impl Identity {
    /// Makes an ACL.
    pub async fn create_acl(
        &self,
        permit: Permit<CreateAcl>,
        rule: &RuleText,
    ) -> Result<AclSummary, IdentityError> {
        let (view, mut entry) = permit.open();
        let people = view.people();
        let changing = match people.changing().await {
            Ok(changing) => changing,
            Err(fault) => return fail(entry, fault.into()).await,
        };
        let acl = match new_acl(&view, rule).await {
            Ok(acl) => acl,
            Err(fault) => return fail(entry, fault).await,
        };
        let now = self.gate.now();
        let record = AclRecord { acl, created: now, updated: now, revision: 1 };
        let (id, change) = view.create(&changing, record.clone());
        entry.remember(Vec::new());
        entry.commit(people.finish(change)).await?;
        Ok(AclSummary::of(id, &record))
    }

    /// Reads an ACL with whom it is attached to.
    pub async fn read_acl(&self, permit: Permit<ReadAcl>) -> Result<Held<AclSummary>, IdentityError> {
        let (view, entry) = permit.open();
        match view.record() {
            Some(record) => Ok(entry.hold(Verdict::Released, AclSummary::with_holders(&view, &record))),
            None => fail(entry, IdentityError::NotFound).await,
        }
    }

    /// ACLs in the order of their names, after one; whether there are more.
    pub async fn list_acls(
        &self,
        permit: Permit<ListAcls>,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Held<(Vec<AclSummary>, bool)>, IdentityError> {
        let (view, entry) = permit.open();
        match acls_of(&view, after, limit).await {
            Ok(found) => Ok(entry.hold(Verdict::Released, found)),
            Err(fault) => fail(entry, fault).await,
        }
    }

    /// Puts another rule in an ACL's place; with `expected`, only if that is its revision.
    pub async fn update_acl(
        &self,
        permit: Permit<UpdateAcl>,
        by: UserId,
        rule: &RuleText,
        expected: Option<u64>,
    ) -> Result<AclSummary, IdentityError> {
        let (view, mut entry) = permit.open();
        let people = view.people();
        let changing = match people.changing().await {
            Ok(changing) => changing,
            Err(fault) => return fail(entry, fault.into()).await,
        };
        let Some(before) = view.record() else { return fail(entry, IdentityError::NotFound).await };
        if let Some(expected) = expected.filter(|expected| *expected != before.revision) {
            return fail(entry, IdentityError::Revision { present: before.revision, expected }).await;
        }
        let compiled = guard(&view, by).and_then(|()| rule.compile(before.acl.name()));
        let acl = match compiled {
            Ok(acl) => acl,
            Err(fault) => return fail(entry, fault).await,
        };
        let revision = before.revision.saturating_add(1);
        let record = AclRecord { acl, created: before.created, updated: self.gate.now(), revision };
        entry.note(format!("revision {revision}"));
        entry.remember(Vec::new());
        entry.commit(people.finish(view.put(&changing, record.clone()))).await?;
        Ok(AclSummary::with_holders(&view, &record))
    }

    /// Removes an ACL. One that is attached only with `force`, which detaches it everywhere.
    pub async fn remove_acl(
        &self,
        permit: Permit<RemoveAcl>,
        by: UserId,
        force: bool,
    ) -> Result<(), IdentityError> {
        let (view, mut entry) = permit.open();
        let people = view.people();
        let changing = match people.changing().await {
            Ok(changing) => changing,
            Err(fault) => return fail(entry, fault.into()).await,
        };
        let Some(record) = view.record() else { return fail(entry, IdentityError::NotFound).await };
        let (users, groups) = (view.users(), view.groups());
        if let Err(fault) = removable(&view, by, &users, &groups, force) {
            return fail(entry, fault).await;
        }
        entry.note(format!("detached from {} users and {} groups", users.len(), groups.len()));
        entry.remember(Vec::new());
        entry.commit(people.finish(view.remove(&changing, &record))).await?;
        Ok(())
    }

    /// Attaches an ACL to a user or a group.
    pub async fn attach(&self, permit: Permit<AttachAcl>, by: UserId) -> Result<(), IdentityError> {
        self.set_attached(permit, by, true).await
    }

    /// Detaches an ACL from a user or a group.
    pub async fn detach(&self, permit: Permit<DetachAcl>, by: UserId) -> Result<(), IdentityError> {
        self.set_attached(permit, by, false).await
    }

    async fn set_attached<A: Action<View = AttachmentView>>(
        &self,
        permit: Permit<A>,
        by: UserId,
        attached: bool,
    ) -> Result<(), IdentityError> {
        let (view, mut entry) = permit.open();
        let people = view.acl().people();
        let changing = match people.changing().await {
            Ok(changing) => changing,
            Err(fault) => return fail(entry, fault.into()).await,
        };
        let change = match attachments(&view, by, attached) {
            Ok((holder, acls)) => view.put(&changing, &holder, acls),
            Err(fault) => return fail(entry, fault).await,
        };
        entry.remember(Vec::new());
        entry.commit(people.finish(change)).await?;
        Ok(())
    }
}

async fn new_acl(view: &AclsView, rule: &RuleText) -> Result<Arc<Acl>, IdentityError> {
    let name = view.name().ok_or(IdentityError::NotFound)?;
    if view.named(name.as_str()).await?.is_some() {
        return Err(IdentityError::AlreadyExists);
    }
    if view.count() >= MAX_ACLS {
        return Err(IdentityError::Limit { what: "ACLs", limit: MAX_ACLS });
    }
    rule.compile(name)
}

async fn acls_of(
    view: &AclsView,
    after: Option<&str>,
    limit: usize,
) -> Result<(Vec<AclSummary>, bool), IdentityError> {
    let page = view.page(after, limit).await?;
    let mut acls = Vec::with_capacity(page.names.len());
    for name in page.names.iter() {
        if let Some((id, record)) = view.named(name).await? {
            acls.push(AclSummary::of(id, &record));
        }
    }
    Ok((acls, page.more))
}

/// What is attached to a protected user is changed by protected users only.
fn guard(view: &AclView, by: UserId) -> Result<(), IdentityError> {
    let people = view.people();
    if people.is_protected(by) {
        return Ok(());
    }
    let direct = view.users().iter().any(Person::is_protected);
    let through = view.groups().iter().any(|team| has_protected(people, team));
    if direct || through { Err(IdentityError::OnlyProtected) } else { Ok(()) }
}

fn has_protected(people: &PeopleView, team: &Team) -> bool {
    team.members.iter().any(|id| people.is_protected(*id))
}

fn removable(
    view: &AclView,
    by: UserId,
    users: &[Person],
    groups: &[Team],
    force: bool,
) -> Result<(), IdentityError> {
    guard(view, by)?;
    let attached = !users.is_empty() || !groups.is_empty();
    if attached && !force {
        return Err(IdentityError::Attached { users: users.len(), groups: groups.len() });
    }
    let last =
        |person: &&Person| person.is_protected() && view.people().acl_names(&person.record.acls).len() == 1;
    match users.iter().find(last) {
        Some(person) => Err(protected(person, "keeps its last ACL")),
        None => Ok(()),
    }
}

/// The holder, and the ACLs that it is going to have.
fn attachments(
    view: &AttachmentView,
    by: UserId,
    attached: bool,
) -> Result<(Holder, Vec<AclId>), IdentityError> {
    let people = view.acl().people();
    let holder = view.holder().ok_or(IdentityError::NotFound)?;
    let id = view.acl().record().map(|_| view.acl().id()).ok_or(IdentityError::NotFound)?;
    let (acls, shielded) = match &holder {
        Holder::User(person) => (view.there(&person.record.acls), person.is_protected()),
        Holder::Group(team) => (view.there(&team.record.acls), has_protected(people, team)),
    };
    if shielded && !people.is_protected(by) {
        return Err(IdentityError::OnlyProtected);
    }
    let mut acls = acls;
    match (attached, acls.contains(&id)) {
        (true, true) => return Err(IdentityError::AlreadyExists),
        (false, false) => return Err(IdentityError::NotFound),
        (true, false) if acls.len() >= MAX_ATTACHED => {
            return Err(IdentityError::Limit { what: "ACLs attached here", limit: MAX_ATTACHED });
        }
        (true, false) => acls.push(id),
        (false, true) => match &holder {
            Holder::User(person) if person.is_protected() && acls.len() == 1 => {
                return Err(protected(person, "keeps its last ACL"));
            }
            Holder::User(_) | Holder::Group(_) => acls.retain(|known| *known != id),
        },
    }
    Ok((holder, acls))
}
