//! ACLs as resources.

use super::Resource;
use super::people::{people, user};
use crate::admit::Gate;
use crate::people::{AclView, AclsView, AttachmentView};
use std::sync::Arc;
use strongroom_authz::Target;
use strongroom_barrier::{BarrierError, Opened};
use strongroom_model::Name;

/// The partition's ACLs.
#[derive(Debug, Clone)]
pub struct Acls {
    /// The ACL to be made, if it is about one.
    pub name: Option<Name>,
}

impl Resource for Acls {
    type Resolved = AclsView;

    fn describe(&self) -> String {
        self.name.as_ref().map_or_else(String::new, ToString::to_string)
    }

    fn target(&self) -> Target<'_> {
        self.name.as_ref().map_or(Target::Server, |name| Target::Acl(name.as_str()))
    }

    async fn resolve(
        self,
        gate: &Arc<Gate>,
        opened: Option<Arc<Opened>>,
    ) -> Result<Option<AclsView>, BarrierError> {
        Ok(Some(AclsView::new(people(gate, opened)?, self.name)))
    }
}

/// One ACL.
#[derive(Debug, Clone)]
pub struct AclNamed {
    /// The ACL's name.
    pub name: Name,
}

impl Resource for AclNamed {
    type Resolved = AclView;

    fn describe(&self) -> String {
        self.name.to_string()
    }

    fn target(&self) -> Target<'_> {
        Target::Acl(self.name.as_str())
    }

    async fn resolve(
        self,
        gate: &Arc<Gate>,
        opened: Option<Arc<Opened>>,
    ) -> Result<Option<AclView>, BarrierError> {
        let people = people(gate, opened)?;
        let found = people.acl_named(self.name.as_str()).await?;
        Ok(found.map(|(id, _)| AclView::new(people, id)))
    }
}

/// Whom an ACL is attached to, by name.
#[derive(Debug, Clone)]
pub enum HolderNamed {
    /// A user.
    User(Name),
    /// A group.
    Group(Name),
}

/// One ACL and one user or group.
#[derive(Debug, Clone)]
pub struct Attachment {
    /// The ACL's name.
    pub acl: Name,
    /// Whom it is about.
    pub to: HolderNamed,
}

impl Resource for Attachment {
    type Resolved = AttachmentView;

    fn describe(&self) -> String {
        match &self.to {
            HolderNamed::User(name) => format!("{} user {name}", self.acl),
            HolderNamed::Group(name) => format!("{} group {name}", self.acl),
        }
    }

    fn target(&self) -> Target<'_> {
        Target::Acl(self.acl.as_str())
    }

    async fn resolve(
        self,
        gate: &Arc<Gate>,
        opened: Option<Arc<Opened>>,
    ) -> Result<Option<AttachmentView>, BarrierError> {
        let people = people(gate, opened)?;
        let Some((id, _)) = people.acl_named(self.acl.as_str()).await? else { return Ok(None) };
        let acl = AclView::new(people.clone(), id);
        Ok(match &self.to {
            HolderNamed::User(name) => {
                user(people, name).await?.map(|user| AttachmentView::to_user(acl, user))
            }
            HolderNamed::Group(name) => {
                let team = people.team_named(name.as_str()).await?;
                team.map(|team| AttachmentView::to_group(acl, team.id))
            }
        })
    }
}
