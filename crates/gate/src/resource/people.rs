//! Users, groups, credentials and tokens as resources.

use super::{Resource, open};
use crate::admit::Gate;
use crate::people::{GroupView, GroupsView, MemberView, PeopleView, TokenView, UserView, UsersView};
use std::sync::Arc;
use strongroom_authz::Target;
use strongroom_barrier::{BarrierError, Opened};
use strongroom_model::{Caller, CredentialId, Name, TokenId, UserId};

/// Credentials and tokens.
#[derive(Debug, Clone)]
pub struct People {
    /// What of them, for rules and the trail: an access key id, a token's accessor.
    pub what: String,
}

impl Resource for People {
    type Resolved = PeopleView;

    fn describe(&self) -> String {
        self.what.clone()
    }

    fn target(&self) -> Target<'_> {
        Target::Other(&self.what)
    }

    async fn resolve(
        self,
        gate: &Arc<Gate>,
        opened: Option<Arc<Opened>>,
    ) -> Result<Option<PeopleView>, BarrierError> {
        people(gate, opened).map(Some)
    }
}

pub(super) fn people(gate: &Arc<Gate>, opened: Option<Arc<Opened>>) -> Result<PeopleView, BarrierError> {
    PeopleView::new(gate, open(opened)?)
}

/// The partition's users.
#[derive(Debug, Clone)]
pub struct Users {
    /// The user to be made, if it is about one.
    pub name: Option<Name>,
}

impl Resource for Users {
    type Resolved = UsersView;

    fn describe(&self) -> String {
        self.name.as_ref().map_or_else(String::new, ToString::to_string)
    }

    fn target(&self) -> Target<'_> {
        self.name.as_ref().map_or(Target::Server, |name| Target::User(name.as_str()))
    }

    async fn resolve(
        self,
        gate: &Arc<Gate>,
        opened: Option<Arc<Opened>>,
    ) -> Result<Option<UsersView>, BarrierError> {
        Ok(Some(UsersView::new(people(gate, opened)?, self.name)))
    }
}

/// One user.
#[derive(Debug, Clone)]
pub struct User {
    /// The user's name.
    pub name: Name,
}

impl Resource for User {
    type Resolved = UserView;

    fn describe(&self) -> String {
        self.name.to_string()
    }

    fn target(&self) -> Target<'_> {
        Target::User(self.name.as_str())
    }

    async fn resolve(
        self,
        gate: &Arc<Gate>,
        opened: Option<Arc<Opened>>,
    ) -> Result<Option<UserView>, BarrierError> {
        user(people(gate, opened)?, &self.name).await
    }
}

pub(super) async fn user(people: PeopleView, name: &Name) -> Result<Option<UserView>, BarrierError> {
    let found = people.named(name.as_str()).await?;
    Ok(found.and_then(|person| UserView::new(people, person.id)))
}

/// The user who has an access key, found by the key.
#[derive(Debug, Clone)]
pub enum KeyHolder {
    /// By the key's id.
    Id(CredentialId),
    /// By its public half, a SubjectPublicKeyInfo: every key of every user is looked at.
    Public(Vec<u8>),
}

impl Resource for KeyHolder {
    type Resolved = UserView;

    fn describe(&self) -> String {
        match self {
            Self::Id(id) => id.to_string(),
            Self::Public(_) => "the holder of a public key".to_owned(),
        }
    }

    fn target(&self) -> Target<'_> {
        Target::Server
    }

    async fn resolve(
        self,
        gate: &Arc<Gate>,
        opened: Option<Arc<Opened>>,
    ) -> Result<Option<UserView>, BarrierError> {
        let people = people(gate, opened)?;
        let found = match self {
            Self::Id(id) => people.credential(id).await?.map(|record| record.user),
            Self::Public(spki) => people.holder_of(&spki).await?,
        };
        Ok(found.and_then(|user| UserView::new(people, user)))
    }
}

/// The caller's own user.
#[derive(Debug, Clone)]
pub struct Own {
    user: UserId,
    name: String,
}

impl Own {
    /// Whoever asks; nobody if no credential proved one.
    pub fn of(caller: &Caller) -> Self {
        match &caller.principal {
            Some(principal) => Self { user: principal.user, name: principal.name.to_string() },
            None => Self { user: UserId::default(), name: String::new() },
        }
    }
}

impl Resource for Own {
    type Resolved = UserView;

    fn describe(&self) -> String {
        self.name.clone()
    }

    fn target(&self) -> Target<'_> {
        Target::User(&self.name)
    }

    async fn resolve(
        self,
        gate: &Arc<Gate>,
        opened: Option<Arc<Opened>>,
    ) -> Result<Option<UserView>, BarrierError> {
        Ok(UserView::new(people(gate, opened)?, self.user))
    }
}

/// One token, by its accessor.
#[derive(Debug, Clone)]
pub struct Token {
    accessor: TokenId,
    of: Option<UserId>,
}

impl Token {
    /// Anybody's.
    pub fn any(accessor: TokenId) -> Self {
        Self { accessor, of: None }
    }

    /// One of the caller's own.
    pub fn own(caller: &Caller, accessor: TokenId) -> Self {
        Self { accessor, of: Some(Own::of(caller).user) }
    }
}

impl Resource for Token {
    type Resolved = TokenView;

    fn describe(&self) -> String {
        self.accessor.to_string()
    }

    fn target(&self) -> Target<'_> {
        Target::Server
    }

    async fn resolve(
        self,
        gate: &Arc<Gate>,
        opened: Option<Arc<Opened>>,
    ) -> Result<Option<TokenView>, BarrierError> {
        let people = people(gate, opened)?;
        let found = people.token(self.accessor).filter(|token| self.of.is_none_or(|user| user == token.user));
        Ok(found.map(|token| TokenView::new(people, token)))
    }
}

/// The partition's groups.
#[derive(Debug, Clone)]
pub struct Groups {
    /// The group to be made, if it is about one.
    pub name: Option<Name>,
}

impl Resource for Groups {
    type Resolved = GroupsView;

    fn describe(&self) -> String {
        self.name.as_ref().map_or_else(String::new, ToString::to_string)
    }

    fn target(&self) -> Target<'_> {
        self.name.as_ref().map_or(Target::Server, |name| Target::Group(name.as_str()))
    }

    async fn resolve(
        self,
        gate: &Arc<Gate>,
        opened: Option<Arc<Opened>>,
    ) -> Result<Option<GroupsView>, BarrierError> {
        Ok(Some(GroupsView::new(people(gate, opened)?, self.name)))
    }
}

/// One group.
#[derive(Debug, Clone)]
pub struct Group {
    /// The group's name.
    pub name: Name,
}

impl Resource for Group {
    type Resolved = GroupView;

    fn describe(&self) -> String {
        self.name.to_string()
    }

    fn target(&self) -> Target<'_> {
        Target::Group(self.name.as_str())
    }

    async fn resolve(
        self,
        gate: &Arc<Gate>,
        opened: Option<Arc<Opened>>,
    ) -> Result<Option<GroupView>, BarrierError> {
        let people = people(gate, opened)?;
        let found = people.team_named(self.name.as_str()).await?;
        Ok(found.map(|team| GroupView::new(people, team.id)))
    }
}

/// One user in, or for, one group.
#[derive(Debug, Clone)]
pub struct Membership {
    /// The group's name.
    pub group: Name,
    /// The user's name.
    pub user: Name,
}

impl Resource for Membership {
    type Resolved = MemberView;

    fn describe(&self) -> String {
        format!("{} {}", self.group, self.user)
    }

    fn target(&self) -> Target<'_> {
        Target::Group(self.group.as_str())
    }

    async fn resolve(
        self,
        gate: &Arc<Gate>,
        opened: Option<Arc<Opened>>,
    ) -> Result<Option<MemberView>, BarrierError> {
        let people = people(gate, opened)?;
        let Some(team) = people.team_named(self.group.as_str()).await? else { return Ok(None) };
        Ok(user(people, &self.user).await?.map(|user| MemberView::new(team.id, user)))
    }
}
