//! Groups: made, read, listed, removed; users put into them and taken out.

use crate::Identity;
use crate::actions::{CreateGroup, ListGroups, ReadGroup, RemoveGroup, UpdateGroup};
use crate::error::{IdentityError, fail};
use crate::users::{changeable, protected};
use strongroom_ambient::UnixMillis;
use strongroom_gate::{
    GroupRecord, GroupView, GroupsView, Held, MAX_GROUPS, MAX_MEMBERSHIPS, MemberView, PeopleView, Permit,
    Team, Verdict,
};
use strongroom_model::{GroupId, UserId};

/// A group as told.
#[derive(Debug, Clone)]
pub struct GroupSummary {
    /// Its id.
    pub id: GroupId,
    /// Its name.
    pub name: String,
    /// Made when.
    pub created: UnixMillis,
    /// Names of its members; of a listing only their number.
    pub members: Vec<String>,
    /// How many members it has.
    pub size: usize,
    /// Names of ACLs attached to it.
    pub acls: Vec<String>,
}

impl GroupSummary {
    fn of(people: &PeopleView, team: &Team) -> Self {
        Self {
            id: team.id,
            name: team.record.name.to_string(),
            created: team.record.created,
            members: Vec::new(),
            size: team.members.len(),
            acls: people.acl_names(&team.record.acls),
        }
    }
}

impl Identity {
    /// Makes a group.
    pub async fn create_group(&self, permit: Permit<CreateGroup>) -> Result<GroupSummary, IdentityError> {
        let (view, mut entry) = permit.open();
        let people = view.people();
        let changing = match people.changing().await {
            Ok(changing) => changing,
            Err(fault) => return fail(entry, fault.into()).await,
        };
        let name = match free_name(&view).await {
            Ok(name) => name,
            Err(fault) => return fail(entry, fault).await,
        };
        let record = GroupRecord { name, created: self.gate.now(), acls: Vec::new() };
        let (id, change) = view.create(&changing, record.clone());
        entry.remember(Vec::new());
        entry.commit(people.finish(change)).await?;
        Ok(GroupSummary {
            id,
            name: record.name.to_string(),
            created: record.created,
            members: Vec::new(),
            size: 0,
            acls: Vec::new(),
        })
    }

    /// Reads a group with its members.
    pub async fn read_group(&self, permit: Permit<ReadGroup>) -> Result<Held<GroupSummary>, IdentityError> {
        let (view, entry) = permit.open();
        let Some(team) = view.team() else { return fail(entry, IdentityError::NotFound).await };
        let mut group = GroupSummary::of(view.people(), &team);
        let members = team.members.iter().filter_map(|id| view.member(*id));
        group.members = members.map(|person| person.record.name.to_string()).collect();
        group.members.sort_unstable();
        Ok(entry.hold(Verdict::Released, group))
    }

    /// Groups in the order of their names, after one; whether there are more.
    pub async fn list_groups(
        &self,
        permit: Permit<ListGroups>,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Held<(Vec<GroupSummary>, bool)>, IdentityError> {
        let (view, entry) = permit.open();
        match groups_of(&view, after, limit).await {
            Ok(found) => Ok(entry.hold(Verdict::Released, found)),
            Err(fault) => fail(entry, fault).await,
        }
    }

    /// Removes a group: its members lose what they had through it.
    pub async fn remove_group(&self, permit: Permit<RemoveGroup>, by: UserId) -> Result<(), IdentityError> {
        let (view, mut entry) = permit.open();
        let people = view.people();
        let changing = match people.changing().await {
            Ok(changing) => changing,
            Err(fault) => return fail(entry, fault.into()).await,
        };
        let Some(team) = view.team() else { return fail(entry, IdentityError::NotFound).await };
        if let Err(fault) = spares_the_protected(&view, &team, by) {
            return fail(entry, fault).await;
        }
        entry.note(format!("{} members", team.members.len()));
        entry.remember(Vec::new());
        entry.commit(people.finish(view.remove(&changing, &team))).await?;
        Ok(())
    }

    /// Puts a user into a group, or takes one out.
    pub async fn set_member(
        &self,
        permit: Permit<UpdateGroup>,
        by: UserId,
        member: bool,
    ) -> Result<(), IdentityError> {
        let (view, mut entry) = permit.open();
        if member && let Err(fault) = self.may_give() {
            return fail(entry, fault).await;
        }
        let people = view.user().people();
        let changing = match people.changing().await {
            Ok(changing) => changing,
            Err(fault) => return fail(entry, fault.into()).await,
        };
        let change = match memberships(&view, by, member) {
            Ok((person, groups)) => view.put(&changing, &person, groups),
            Err(fault) => return fail(entry, fault).await,
        };
        entry.note(if member { "added" } else { "removed" });
        entry.remember(Vec::new());
        entry.commit(people.finish(change)).await?;
        Ok(())
    }
}

async fn free_name(view: &GroupsView) -> Result<strongroom_model::Name, IdentityError> {
    let name = view.name().ok_or(IdentityError::NotFound)?;
    if view.named(name.as_str()).await?.is_some() {
        return Err(IdentityError::AlreadyExists);
    }
    if view.count() >= MAX_GROUPS {
        return Err(IdentityError::Limit { what: "groups", limit: MAX_GROUPS });
    }
    Ok(name.clone())
}

async fn groups_of(
    view: &GroupsView,
    after: Option<&str>,
    limit: usize,
) -> Result<(Vec<GroupSummary>, bool), IdentityError> {
    let page = view.page(after, limit).await?;
    let mut groups = Vec::with_capacity(page.names.len());
    for name in page.names.iter() {
        if let Some(team) = view.named(name).await? {
            groups.push(GroupSummary::of(view.people(), &team));
        }
    }
    Ok((groups, page.more))
}

/// A protected user keeps the last group, and only such a user changes anything of one.
fn spares_the_protected(view: &GroupView, team: &Team, by: UserId) -> Result<(), IdentityError> {
    let members = team.members.iter().filter_map(|id| view.member(*id));
    for person in members.filter(strongroom_gate::Person::is_protected) {
        if !view.people().is_protected(by) {
            return Err(IdentityError::OnlyProtected);
        }
        if view.people().group_names(&person.record.groups).len() == 1 {
            return Err(protected(&person, "keeps its last group"));
        }
    }
    Ok(())
}

/// The user, and the groups that the user is going to be in.
fn memberships(
    view: &MemberView,
    by: UserId,
    member: bool,
) -> Result<(strongroom_gate::Person, Vec<GroupId>), IdentityError> {
    let person = changeable(view.user(), by)?;
    let team = view.group().ok_or(IdentityError::NotFound)?;
    let mut groups = view.groups(&person);
    let is_member = groups.contains(&team.id);
    match (member, is_member) {
        (true, true) => return Err(IdentityError::AlreadyExists),
        (false, false) => return Err(IdentityError::NotFound),
        (true, false) if groups.len() >= MAX_MEMBERSHIPS => {
            return Err(IdentityError::Limit { what: "groups of this user", limit: MAX_MEMBERSHIPS });
        }
        (true, false) => groups.push(team.id),
        (false, true) if person.is_protected() && groups.len() == 1 => {
            return Err(protected(&person, "keeps its last group"));
        }
        (false, true) => groups.retain(|id| *id != team.id),
    }
    Ok((person, groups))
}
