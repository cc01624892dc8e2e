//! Groups of collectors: who may search which of their fields.

use crate::actions::{ChangeGroup, CreateGroup, DeleteGroup, ListGroups};
use crate::error::fail;
use crate::{Attributes, AuthorityError};
use strongroom_abe::Policy;
use strongroom_envelope::check_plain;
use strongroom_gate::{CollectorsRecord, MAX_COLLECTOR_GROUPS, Permit, RuleRecord, SharingView};
use strongroom_model::Name;
use strongroom_sharing::authority::{Group, SearchRule};

/// Most rules of a group.
const MAX_RULES: usize = 1_000;
/// Most collectors that a group names.
const MAX_COLLECTORS: usize = 10_000;
/// Longest name of a field, in bytes.
pub(crate) const MAX_FIELD_BYTES: usize = 1_024;

impl Attributes {
    /// Makes a group. The permit is about its name (`named`).
    pub async fn create_group(
        &self,
        permit: Permit<CreateGroup>,
        group: Group,
    ) -> Result<(), AuthorityError> {
        let (view, mut entry) = permit.open();
        let made = async {
            self.ready(&view).await?;
            let group = record(&view, group)?;
            let change = view.changing().await?;
            if view.group(view.about()).is_some() {
                return Err(AuthorityError::AlreadyExists);
            }
            if view.groups().len() >= MAX_COLLECTOR_GROUPS {
                return Err(AuthorityError::Limit { what: "groups", limit: MAX_COLLECTOR_GROUPS });
            }
            Ok((change, group))
        };
        let (mut change, group) = match made.await {
            Ok(made) => made,
            Err(fault) => return fail(entry, fault).await,
        };
        entry.note(format!("{} rules", group.rules.len()));
        change.put_group(group);
        entry.commit(change.take()).await?;
        Ok(())
    }

    /// Puts another group in the place of the one of this name.
    pub async fn change_group(
        &self,
        permit: Permit<ChangeGroup>,
        group: Group,
    ) -> Result<(), AuthorityError> {
        let (view, mut entry) = permit.open();
        let changed = async {
            self.ready(&view).await?;
            let group = record(&view, group)?;
            let change = view.changing().await?;
            view.group(view.about()).ok_or(AuthorityError::NotFound)?;
            Ok((change, group))
        };
        let (mut change, group) = match changed.await {
            Ok(changed) => changed,
            Err(fault) => return fail(entry, fault).await,
        };
        entry.note(format!("{} rules", group.rules.len()));
        change.put_group(group);
        entry.commit(change.take()).await?;
        Ok(())
    }

    /// Removes a group.
    pub async fn delete_group(&self, permit: Permit<DeleteGroup>) -> Result<(), AuthorityError> {
        let (view, mut entry) = permit.open();
        let found = async {
            self.ready(&view).await?;
            let change = view.changing().await?;
            let group = view.group(view.about()).ok_or(AuthorityError::NotFound)?;
            Ok((change, group))
        };
        let (mut change, group) = match found.await {
            Ok(found) => found,
            Err(fault) => return fail(entry, fault).await,
        };
        change.remove_group(&group);
        entry.commit(change.take()).await?;
        Ok(())
    }

    /// Every group, in the order of their names.
    pub async fn groups(&self, permit: Permit<ListGroups>) -> Result<Vec<Group>, AuthorityError> {
        let (view, entry) = permit.open();
        if let Err(fault) = self.ready(&view).await {
            return fail(entry, fault).await;
        }
        let groups = view.groups().iter().map(|group| told(group)).collect();
        self.release(entry, groups).await
    }
}

fn told(group: &CollectorsRecord) -> Group {
    let rule = |rule: &RuleRecord| SearchRule { field: rule.field.clone(), policy: rule.policy.clone() };
    Group {
        name: group.name.to_string(),
        collectors: group.collectors.clone(),
        rules: group.rules.iter().map(rule).collect(),
    }
}

fn record(view: &SharingView, group: Group) -> Result<CollectorsRecord, AuthorityError> {
    let collectors = group.collectors.as_deref().unwrap_or_default();
    if group.rules.len() > MAX_RULES || collectors.len() > MAX_COLLECTORS {
        let expected = "a group of at most 1000 rules and 10000 collectors";
        return Err(AuthorityError::Malformed { what: "group", expected });
    }
    if collectors.iter().any(|id| view.member(*id).is_none()) {
        return Err(AuthorityError::Malformed { what: "collectors", expected: "ids of members" });
    }
    let rule = |rule: SearchRule| {
        if rule.field.is_empty() || rule.field.len() > MAX_FIELD_BYTES {
            let expected = "the name of a field, or *";
            return Err(AuthorityError::Malformed { what: "field", expected });
        }
        let policy = rule.policy.as_deref().map(read_policy).transpose()?;
        Ok(RuleRecord { field: rule.field, policy: policy.map(|policy| policy.as_str().to_owned()) })
    };
    let rules = group.rules.into_iter().map(rule).collect::<Result<_, AuthorityError>>()?;
    Ok(CollectorsRecord { name: Name::new(view.about())?, collectors: group.collectors, rules })
}

fn read_policy(text: &str) -> Result<Policy, AuthorityError> {
    let policy = Policy::parse(text)?;
    check_plain(&policy)?;
    Ok(policy)
}
