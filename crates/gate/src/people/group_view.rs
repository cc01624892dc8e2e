//! Views of groups: of all, of one, of one with one user.

use super::records::{GroupRecord, UserRecord};
use super::{Change, Changing, PeopleView, Person, Team, UserView};
use strongroom_barrier::{BarrierError, Page, keys};
use strongroom_keyring::Kind;
use strongroom_model::{GroupId, Name, ObjectId, UserId};

/// A view of the partition's groups.
#[derive(Debug)]
pub struct GroupsView {
    people: PeopleView,
    name: Option<Name>,
}

impl GroupsView {
    pub(crate) fn new(people: PeopleView, name: Option<Name>) -> Self {
        Self { people, name }
    }

    /// Everybody, as far as it needs no name.
    pub fn people(&self) -> &PeopleView {
        &self.people
    }

    /// The name of the group to be made.
    pub fn name(&self) -> Option<&Name> {
        self.name.as_ref()
    }

    /// Names in order after `after`.
    pub async fn page(&self, after: Option<&str>, limit: usize) -> Result<Page, BarrierError> {
        self.people.opened.groups.page("", after, limit, |_| true).await
    }

    /// A group of the page.
    pub async fn named(&self, name: &str) -> Result<Option<Team>, BarrierError> {
        self.people.team_named(name).await
    }

    /// How many groups there are.
    pub fn count(&self) -> usize {
        self.people.directory.state.read().groups.len()
    }

    /// Makes the group that the permit is about.
    pub fn create(&self, changing: &Changing<'_>, record: GroupRecord) -> (GroupId, Change) {
        let id = GroupId(self.people.opened.random_id());
        let mut batch = self.people.change(changing);
        self.people.opened.groups.create_entry(&mut batch, record.name.as_str(), ObjectId(id.0), &[]);
        batch.absorb(self.people.put_group(changing, id, record).0);
        (id, Change(batch))
    }
}

impl PeopleView {
    /// A group by name.
    pub(crate) async fn team_named(&self, name: &str) -> Result<Option<Team>, BarrierError> {
        let found = self.opened.groups.find(name).await?;
        Ok(found.and_then(|head| self.directory.group(GroupId(head.object.0))))
    }

    pub(super) fn put_group(&self, changing: &Changing<'_>, id: GroupId, record: GroupRecord) -> Change {
        let mut batch = self.change(changing);
        let sealed = self.opened.seal(Kind::Group, id.0, &record.encode());
        batch.put(keys::group(self.opened.partition(), id), sealed);
        self.then(&mut batch, false, move |directory| directory.state.write().put_group(id, record));
        Change(batch)
    }
}

/// A view of one group.
#[derive(Debug)]
pub struct GroupView {
    people: PeopleView,
    id: GroupId,
}

impl GroupView {
    pub(crate) fn new(people: PeopleView, id: GroupId) -> Self {
        Self { people, id }
    }

    /// Everybody, as far as it needs no name.
    pub fn people(&self) -> &PeopleView {
        &self.people
    }

    /// The group, unless removed meanwhile.
    pub fn team(&self) -> Option<Team> {
        self.people.directory.group(self.id)
    }

    /// A member.
    pub fn member(&self, id: UserId) -> Option<Person> {
        self.people.directory.user(id)
    }

    /// Removes the group. Its members keep nothing of it: an id is never given twice.
    pub fn remove(&self, changing: &Changing<'_>, team: &Team) -> Change {
        let opened = &self.people.opened;
        let mut batch = self.people.change(changing);
        opened.groups.remove_entry(&mut batch, team.record.name.as_str(), ObjectId(self.id.0));
        batch.delete(keys::group(opened.partition(), self.id));
        let id = self.id;
        self.people.then(&mut batch, false, move |directory| directory.state.write().remove_group(id));
        Change(batch)
    }
}

/// A view of one user in, or for, one group.
#[derive(Debug)]
pub struct MemberView {
    group: GroupId,
    user: UserView,
}

impl MemberView {
    pub(crate) fn new(group: GroupId, user: UserView) -> Self {
        Self { group, user }
    }

    /// The user.
    pub fn user(&self) -> &UserView {
        &self.user
    }

    /// The group.
    pub fn group(&self) -> Option<Team> {
        self.user.people.directory.group(self.group)
    }

    /// The user's groups that there still are.
    pub fn groups(&self, person: &Person) -> Vec<GroupId> {
        let state = self.user.people.directory.state.read();
        person.record.groups.iter().copied().filter(|id| state.groups.contains_key(id)).collect()
    }

    /// Puts the user into these groups.
    pub fn put(&self, changing: &Changing<'_>, person: &Person, groups: Vec<GroupId>) -> Change {
        let record = UserRecord { groups, ..(*person.record).clone() };
        self.user.put(changing, record, false)
    }
}
