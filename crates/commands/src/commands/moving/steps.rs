//! Making what is not there, in an order in which nothing is ever more open than it will be: denies before
//! allows, ACLs before members, and access keys last.

use super::super::Session;
use super::known::{Known, failed};
use super::people::rule;
use super::report::{Report, State};
use super::secrets;
use crate::args::ConvectionArgs;
use crate::client::{Ask, ClientError};
use crate::error::{CliError, MovingError};
use serde_json::Map;
use strongroom_api::{
    AccessKeyList, AddAccessKeyRequest, CreateAclRequest, CreateGroupRequest, CreateKeysetRequest,
    CreateStoreRequest, CreateUserRequest, Endpoint,
};
use strongroom_convection::moving::{Plan, PlannedKey, PlannedUser};
use strongroom_convection::storage::AccessMode;

/// Makes everything; what is missing in the end is an error.
pub(super) async fn take(
    session: &Session,
    args: &ConvectionArgs,
    plan: &Plan,
    known: &Known,
    report: &mut Report<'_>,
) -> Result<(), CliError> {
    let stopped = Work { session, plan, report: &mut *report }.all(args, known).await.err();
    let missing = report.count(|state| !matches!(state, State::There | State::Made));
    match stopped {
        Some(error) => Err(error),
        None if missing == 0 => Ok(()),
        None => Err(MovingError::Incomplete { count: missing, total: report.count(|_| true) }.into()),
    }
}

struct Work<'a, 'b> {
    session: &'a Session,
    plan: &'a Plan,
    report: &'a mut Report<'b>,
}

impl Work<'_, '_> {
    async fn all(&mut self, args: &ConvectionArgs, known: &Known) -> Result<(), CliError> {
        self.stores().await?;
        secrets::write(self.session, args, self.plan, self.report).await?;
        self.acls_and_people().await?;
        self.attachments().await?;
        self.members().await?;
        // whoever has no key yet can do nothing with what is not closed yet
        if !self.report.any_failed(&["acl", "attachment", "member", "group", "user"]) {
            self.keys(known).await?;
        }
        secrets::verify(self.session, args, self.plan, self.report).await
    }

    /// Asks for one thing, if it is not there.
    async fn one(&mut self, kind: &'static str, name: &str, ask: Ask) -> Result<(), CliError> {
        if !self.report.is_new(kind, name) {
            return Ok(());
        }
        let state = match self.session.persist(&ask).await {
            Ok(_) => State::Made,
            Err(error) => failed(error)?,
        };
        self.report.set(kind, name, state);
        Ok(())
    }

    async fn stores(&mut self) -> Result<(), CliError> {
        for keyset in &self.plan.keysets {
            let body = CreateKeysetRequest { name: keyset.clone() };
            self.one("keyset", keyset, Ask::of(Endpoint::CreateKeyset).json(&body)).await?;
        }
        for store in &self.plan.stores {
            let body = CreateStoreRequest {
                name: store.name.clone(),
                store_type: store.store_type.to_owned(),
                keyset: Some(store.keyset.clone()),
                keep_versions: 0,
                cas_required: false,
                settings: Map::clone(&store.settings),
            };
            self.one("store", &store.name, Ask::of(Endpoint::CreateStore).json(&body)).await?;
        }
        Ok(())
    }

    async fn acls_and_people(&mut self) -> Result<(), CliError> {
        for acl in &self.plan.acls {
            let body = CreateAclRequest { name: acl.name.clone(), rule: rule(&acl.rule) };
            self.one("acl", &acl.name, Ask::of(Endpoint::CreateAcl).json(&body)).await?;
        }
        for group in &self.plan.groups {
            let body = CreateGroupRequest { name: group.name.clone() };
            self.one("group", &group.name, Ask::of(Endpoint::CreateGroup).json(&body)).await?;
        }
        for user in &self.plan.users {
            self.user(user).await?;
        }
        Ok(())
    }

    /// A protected user is never without an access key; nobody else has one before all the rest is there.
    async fn user(&mut self, user: &PlannedUser) -> Result<(), CliError> {
        let first =
            user.keys.first().filter(|_| user.is_protected() && self.report.is_new("user", &user.name));
        let body = CreateUserRequest {
            name: user.name.clone(),
            public_key: first.map(|key| key.public_key.clone()),
            access_key_id: first.map(|key| key.id.clone()),
            password: None,
        };
        self.one("user", &user.name, Ask::of(Endpoint::CreateUser).json(&body)).await?;
        if let Some(key) = first.filter(|_| self.report.stands("user", &user.name)) {
            self.report.set("access key", &format!("{} of {}", key.id, user.name), State::Made);
        }
        Ok(())
    }

    async fn attachments(&mut self) -> Result<(), CliError> {
        let plan = self.plan;
        for mode in [AccessMode::Deny, AccessMode::Allow] {
            for acl in plan.acls.iter().filter(|acl| acl.rule.mode == mode) {
                for group in plan.groups.iter().filter(|group| group.acls.contains(&acl.name)) {
                    let ask =
                        Ask::of(Endpoint::AttachToGroup).name("group", &group.name).name("acl", &acl.name);
                    self.one("attachment", &format!("{} to group {}", acl.name, group.name), ask).await?;
                }
                for user in plan.users.iter().filter(|user| user.acls.contains(&acl.name)) {
                    let ask = Ask::of(Endpoint::AttachToUser).name("user", &user.name).name("acl", &acl.name);
                    self.one("attachment", &format!("{} to user {}", acl.name, user.name), ask).await?;
                }
            }
        }
        Ok(())
    }

    async fn members(&mut self) -> Result<(), CliError> {
        for group in &self.plan.groups {
            for member in &group.members {
                let ask = Ask::of(Endpoint::AddMember).name("group", &group.name).name("user", member);
                self.one("member", &format!("{member} of {}", group.name), ask).await?;
            }
        }
        Ok(())
    }

    async fn keys(&mut self, known: &Known) -> Result<(), CliError> {
        for user in &self.plan.users {
            for key in &user.keys {
                let name = format!("{} of {}", key.id, user.name);
                if !self.report.is_new("access key", &name) {
                    continue;
                }
                let body =
                    AddAccessKeyRequest { public_key: key.public_key.clone(), id: Some(key.id.clone()) };
                let ask = Ask::of(Endpoint::AddAccessKey).name("user", &user.name).json(&body);
                let state = match self.session.persist(&ask).await {
                    Ok(_) => State::Made,
                    Err(error)
                        if error.code() == Some("already_exists") && known.users.contains_key(&user.name) =>
                    {
                        self.under_another_id(user, key, error).await?
                    }
                    Err(error) => failed(error)?,
                };
                self.report.set("access key", &name, state);
            }
        }
        Ok(())
    }

    /// The user has the key already, under an id that it got here: whoever uses it has to be told.
    async fn under_another_id(
        &mut self,
        user: &PlannedUser,
        key: &PlannedKey,
        error: ClientError,
    ) -> Result<State, CliError> {
        let ask = Ask::of(Endpoint::ListAccessKeys).name("user", &user.name);
        let list: AccessKeyList = self.session.client.ask(ask).await?.read()?;
        match list.access_keys.into_iter().find(|known| known.fingerprint == key.fingerprint) {
            Some(known) => {
                self.report.other_ids.push((user.name.clone(), key.id.clone(), known.id));
                Ok(State::There)
            }
            None => failed(error),
        }
    }
}
