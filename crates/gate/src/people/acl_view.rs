//! Views of ACLs: of all, of one, of one with whom it is attached to.

use super::records::{AclRecord, GroupRecord, UserRecord};
use super::{Change, Changing, PeopleView, Person, Team, UserView};
use std::sync::Arc;
use strongroom_barrier::{BarrierError, Page, keys};
use strongroom_keyring::Kind;
use strongroom_model::{AclId, GroupId, Name, ObjectId};

/// A view of the partition's ACLs.
#[derive(Debug)]
pub struct AclsView {
    people: PeopleView,
    name: Option<Name>,
}

impl AclsView {
    pub(crate) fn new(people: PeopleView, name: Option<Name>) -> Self {
        Self { people, name }
    }

    /// Everybody, as far as it needs no name.
    pub fn people(&self) -> &PeopleView {
        &self.people
    }

    /// The name of the ACL to be made.
    pub fn name(&self) -> Option<&Name> {
        self.name.as_ref()
    }

    /// Names in order after `after`.
    pub async fn page(&self, after: Option<&str>, limit: usize) -> Result<Page, BarrierError> {
        self.people.opened.acls.page("", after, limit, |_| true).await
    }

    /// An ACL of the page.
    pub async fn named(&self, name: &str) -> Result<Option<(AclId, Arc<AclRecord>)>, BarrierError> {
        self.people.acl_named(name).await
    }

    /// How many ACLs there are.
    pub fn count(&self) -> usize {
        self.people.directory.state.read().acls.len()
    }

    /// Makes the ACL that the permit is about.
    pub fn create(&self, changing: &Changing<'_>, record: AclRecord) -> (AclId, Change) {
        let id = AclId(self.people.opened.random_id());
        let mut batch = self.people.change(changing);
        let acls = &self.people.opened.acls;
        acls.create_entry(&mut batch, record.acl.name().as_str(), ObjectId(id.0), &[]);
        batch.absorb(self.people.put_acl(changing, id, record).0);
        (id, Change(batch))
    }
}

impl PeopleView {
    /// An ACL by name.
    pub(crate) async fn acl_named(
        &self,
        name: &str,
    ) -> Result<Option<(AclId, Arc<AclRecord>)>, BarrierError> {
        let Some(head) = self.opened.acls.find(name).await? else { return Ok(None) };
        let id = AclId(head.object.0);
        Ok(self.directory.acl(id).map(|record| (id, record)))
    }

    fn put_acl(&self, changing: &Changing<'_>, id: AclId, record: AclRecord) -> Change {
        let mut batch = self.change(changing);
        let sealed = self.opened.seal(Kind::Acl, id.0, &record.encode());
        batch.put(keys::acl(self.opened.partition(), id), sealed);
        self.then(&mut batch, false, move |directory| {
            directory.state.write().acls.insert(id, Arc::new(record));
        });
        Change(batch)
    }

    /// Names of those ACLs that there still are, in order.
    pub fn acl_names(&self, acls: &[AclId]) -> Vec<String> {
        let state = self.directory.state.read();
        let there = acls.iter().filter_map(|id| state.acls.get(id));
        let mut names: Vec<_> = there.map(|record| record.acl.name().to_string()).collect();
        names.sort_unstable();
        names
    }
}

/// A view of one ACL.
#[derive(Debug)]
pub struct AclView {
    people: PeopleView,
    id: AclId,
}

impl AclView {
    pub(crate) fn new(people: PeopleView, id: AclId) -> Self {
        Self { people, id }
    }

    /// Everybody, as far as it needs no name.
    pub fn people(&self) -> &PeopleView {
        &self.people
    }

    /// The ACL's id.
    pub fn id(&self) -> AclId {
        self.id
    }

    /// The ACL, unless removed meanwhile.
    pub fn record(&self) -> Option<Arc<AclRecord>> {
        self.people.directory.acl(self.id)
    }

    /// The users that it is attached to.
    pub fn users(&self) -> Vec<Person> {
        let state = self.people.directory.state.read();
        let mut users: Vec<_> =
            state.users.values().filter(|person| person.record.acls.contains(&self.id)).cloned().collect();
        users.sort_unstable_by(|one, other| one.record.name.cmp(&other.record.name));
        users
    }

    /// The groups that it is attached to.
    pub fn groups(&self) -> Vec<Team> {
        let state = self.people.directory.state.read();
        let mut groups: Vec<_> =
            state.groups.values().filter(|team| team.record.acls.contains(&self.id)).cloned().collect();
        groups.sort_unstable_by(|one, other| one.record.name.cmp(&other.record.name));
        groups
    }

    /// Puts another rule in its place.
    pub fn put(&self, changing: &Changing<'_>, record: AclRecord) -> Change {
        self.people.put_acl(changing, self.id, record)
    }

    /// Removes it. Whoever it was attached to keeps nothing of it: an id is never given twice.
    pub fn remove(&self, changing: &Changing<'_>, record: &AclRecord) -> Change {
        let opened = &self.people.opened;
        let mut batch = self.people.change(changing);
        opened.acls.remove_entry(&mut batch, record.acl.name().as_str(), ObjectId(self.id.0));
        batch.delete(keys::acl(opened.partition(), self.id));
        let id = self.id;
        self.people.then(&mut batch, false, move |directory| {
            directory.state.write().acls.remove(&id);
        });
        Change(batch)
    }
}

/// Whom an ACL is attached to.
#[derive(Debug, Clone)]
pub enum Holder {
    /// A user.
    User(Person),
    /// A group.
    Group(Team),
}

/// A view of one ACL and one user or group that it is, or is going to be, attached to.
#[derive(Debug)]
pub struct AttachmentView {
    acl: AclView,
    to: To,
}

#[derive(Debug)]
enum To {
    User(UserView),
    Group(GroupId),
}

impl AttachmentView {
    pub(crate) fn to_user(acl: AclView, user: UserView) -> Self {
        Self { acl, to: To::User(user) }
    }

    pub(crate) fn to_group(acl: AclView, group: GroupId) -> Self {
        Self { acl, to: To::Group(group) }
    }

    /// The ACL.
    pub fn acl(&self) -> &AclView {
        &self.acl
    }

    /// Whom it is about, unless removed meanwhile.
    pub fn holder(&self) -> Option<Holder> {
        match &self.to {
            To::User(user) => user.person().map(Holder::User),
            To::Group(id) => self.acl.people.directory.group(*id).map(Holder::Group),
        }
    }

    /// The ACLs of a list that there still are.
    pub fn there(&self, acls: &[AclId]) -> Vec<AclId> {
        self.acl.people.directory.state.read().there(acls).collect()
    }

    /// Gives the holder these ACLs.
    pub fn put(&self, changing: &Changing<'_>, holder: &Holder, acls: Vec<AclId>) -> Change {
        let people = &self.acl.people;
        match holder {
            Holder::User(person) => {
                let record = UserRecord { acls, ..(*person.record).clone() };
                people.put_user(changing, person.id, record, false)
            }
            Holder::Group(team) => {
                let record = GroupRecord { acls, ..(*team.record).clone() };
                people.put_group(changing, team.id, record)
            }
        }
    }
}
