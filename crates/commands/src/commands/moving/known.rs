//! What the server has already, and how it compares with what is brought.

use super::super::Session;
use super::super::bulk::is_general;
use super::people::{rule, same_rule};
use super::report::{Report, State};
use super::secrets;
use crate::args::ConvectionArgs;
use crate::client::Ask;
use crate::error::CliError;
use std::collections::{HashMap, HashSet};
use strongroom_api::{AclInfo, Endpoint, GroupInfo, KeysetList, StoreInfo, StoreList, UserInfo};
use strongroom_convection::moving::{Plan, PlannedStore};

/// What there is, by name.
pub(super) struct Known {
    pub(super) users: HashMap<String, UserInfo>,
    pub(super) groups: HashMap<String, GroupInfo>,
    pub(super) acls: HashMap<String, AclInfo>,
    pub(super) keysets: HashSet<String>,
    pub(super) stores: HashMap<String, StoreInfo>,
}

impl Known {
    /// Asks for all of it.
    pub(super) async fn ask(session: &Session) -> Result<Self, CliError> {
        let users = session.every("users", || Ask::of(Endpoint::ListUsers)).await?;
        let groups = session.every("groups", || Ask::of(Endpoint::ListGroups)).await?;
        let acls = session.every("acls", || Ask::of(Endpoint::ListAcls)).await?;
        let keysets: KeysetList = session.client.ask(Ask::of(Endpoint::ListKeysets)).await?.read()?;
        let stores: StoreList = session.client.ask(Ask::of(Endpoint::ListStores)).await?.read()?;
        Ok(Self {
            users: users.into_iter().map(|user: UserInfo| (user.name.clone(), user)).collect(),
            groups: groups.into_iter().map(|group: GroupInfo| (group.name.clone(), group)).collect(),
            acls: acls.into_iter().map(|acl: AclInfo| (acl.name.clone(), acl)).collect(),
            keysets: keysets.keysets.into_iter().map(|keyset| keyset.name).collect(),
            stores: stores.stores.into_iter().map(|store| (store.name.clone(), store)).collect(),
        })
    }

    /// Whether a user has an access key of this id, which the original wrote without dashes.
    fn has_key(&self, user: &str, id: &str) -> bool {
        let known = self.users.get(user).map(|user| user.access_keys.as_slice()).unwrap_or_default();
        known.iter().any(|known| known.replace('-', "") == id)
    }

    /// Compares everything; how much of it is there and not the same.
    pub(super) async fn compare(
        &self,
        session: &Session,
        args: &ConvectionArgs,
        plan: &Plan,
        report: &mut Report<'_>,
    ) -> Result<usize, CliError> {
        let there = |there: bool| if there { State::There } else { State::New };
        for keyset in &plan.keysets {
            report.set("keyset", keyset, there(self.keysets.contains(keyset)));
        }
        for store in &plan.stores {
            let state = self.store(store);
            let compared = state == State::There;
            report.set("store", &store.name, state);
            secrets::compare(session, args, store, compared, report).await?;
        }
        for acl in &plan.acls {
            let state = match self.acls.get(&acl.name) {
                None => State::New,
                Some(known) if same_rule(&known.rule, &rule(&acl.rule)) => State::There,
                Some(_) => State::Conflict("an ACL of this name has another rule".to_owned()),
            };
            report.set("acl", &acl.name, state);
        }
        for group in &plan.groups {
            let known = self.groups.get(&group.name);
            report.set("group", &group.name, there(known.is_some()));
            for acl in &group.acls {
                let attached = known.is_some_and(|group| group.acls.contains(acl));
                report.set("attachment", &format!("{acl} to group {}", group.name), there(attached));
            }
            for member in &group.members {
                let user = self.users.get(member);
                let member_of = user.is_some_and(|user| user.groups.contains(&group.name));
                report.set("member", &format!("{member} of {}", group.name), there(member_of));
            }
        }
        for user in &plan.users {
            let known = self.users.get(&user.name);
            report.set("user", &user.name, there(known.is_some()));
            for acl in &user.acls {
                let attached = known.is_some_and(|user| user.acls.contains(acl));
                report.set("attachment", &format!("{acl} to user {}", user.name), there(attached));
            }
            for key in &user.keys {
                let name = format!("{} of {}", key.id, user.name);
                report.set("access key", &name, there(self.has_key(&user.name, &key.id)));
            }
        }
        Ok(report.count(|state| matches!(state, State::Conflict(_))))
    }

    fn store(&self, store: &PlannedStore) -> State {
        let Some(known) = self.stores.get(&store.name) else { return State::New };
        if known.store_type == store.store_type && known.keyset == store.keyset {
            return State::There;
        }
        let (kind, keyset) = (&known.store_type, &known.keyset);
        State::Conflict(format!("a store of this name is of type {kind} and sealed by keyset {keyset}"))
    }
}

/// What a failure says of the thing that was asked for; what concerns everything ends it all.
pub(super) fn failed(error: crate::client::ClientError) -> Result<State, CliError> {
    if is_general(&error) { Err(error.into()) } else { Ok(State::Failed(error.to_string())) }
}
