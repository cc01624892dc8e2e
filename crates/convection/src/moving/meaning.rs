//! What an ACL of the original says about a command: section 5 of its protocol, as observed.
//!
//! A candidate is an ACL that names the command, or that names every one of store and secret that the request has. One
//! candidate that denies refuses, and so does one that allows less than the command needs; without a candidate all is refused.

use super::pattern::{Found, Untranslatable};
use crate::storage::{AccessMode, AclKind, OldAcl};
use strongroom_model::{Access, Command};

/// What a command is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Scope {
    /// Nothing that has a name in an ACL.
    Nothing,
    /// A store.
    Store,
    /// A secret in a store.
    Secret,
}

/// The access that the original asks for a command.
pub(super) const fn required(command: Command) -> Access {
    use Command as C;
    const WRITE_MODIFY: Access = Access::WRITE.with(Access::MODIFY);
    const MODIFY_DELETE: Access = Access::MODIFY.with(Access::DELETE);
    match command {
        C::Initialize => Access::ALL,
        C::Lock | C::StoreInfo | C::StoreConfig => Access::READ.with(Access::WRITE),
        C::RotateRootKeys => Access::READ.with(WRITE_MODIFY),
        C::CreateUser | C::AttachGroup | C::AttachAcl => WRITE_MODIFY,
        C::RemoveAccess | C::RemoveGroup | C::DetachGroup | C::DetachAcl | C::RemoveAcl => MODIFY_DELETE,
        C::CreateGroup | C::CreateAcl | C::CreateKeyset | C::CreateStore | C::CreateSecret => Access::WRITE,
        C::RotateKeyset | C::UpdateSecret => Access::MODIFY,
        C::RemoveKeyset | C::RemoveStore | C::DestroySecret => Access::DELETE,
        _ => Access::READ,
    }
}

pub(super) const fn scope(command: Command) -> Scope {
    use Command as C;
    match command {
        C::CreateStore | C::RemoveStore | C::StoreInfo | C::StoreConfig | C::ListSecrets => Scope::Store,
        C::CreateSecret | C::UpdateSecret | C::GetSecret | C::DestroySecret => Scope::Secret,
        _ => Scope::Nothing,
    }
}

/// Commands that the original lets everybody ask for, and those that everybody may ask for about themselves here.
pub(super) const fn is_everybodys(command: Command) -> bool {
    use Command as C;
    matches!(command, C::Status | C::Initialize | C::Unlock | C::CommandList | C::Authorize | C::Deauth)
}

/// An ACL whose patterns can be searched.
pub(super) struct Meaning {
    allows: bool,
    access: Access,
    lists: Lists,
}

enum Lists {
    Object,
    Commands(Found),
    Stores(Found, Found),
}

impl Meaning {
    pub(super) fn of(acl: &OldAcl) -> Result<Self, Untranslatable> {
        let lists = match &acl.kind {
            AclKind::Object => Lists::Object,
            AclKind::Command { commands } => Lists::Commands(Found::of(commands)?),
            AclKind::Store { store_paths, secret_names } => {
                Lists::Stores(Found::of(store_paths)?, Found::of(secret_names)?)
            }
        };
        Ok(Self { allows: acl.mode == AccessMode::Allow, access: acl.access, lists })
    }

    /// Whether the ACL has something to say.
    pub(super) fn is_candidate(&self, command: Command, store: Option<&str>, secret: Option<&str>) -> bool {
        match &self.lists {
            Lists::Object => true,
            Lists::Commands(commands) => commands.any(command.name()),
            Lists::Stores(stores, secrets) => {
                let found = |patterns: &Found, name: Option<&str>| name.is_none_or(|name| patterns.any(name));
                (store.is_some() || secret.is_some()) && found(stores, store) && found(secrets, secret)
            }
        }
    }

    /// Whether it allows a command that it speaks about: an allow that is too narrow denies.
    pub(super) fn allows(&self, command: Command) -> bool {
        self.allows && self.access.has(required(command))
    }
}

/// What a user's ACLs say together.
pub(super) fn decide<'a>(
    acls: impl IntoIterator<Item = &'a Meaning>,
    command: Command,
    store: Option<&str>,
    secret: Option<&str>,
) -> bool {
    let candidates = acls.into_iter().filter(|acl| acl.is_candidate(command, store, secret));
    let mut any = false;
    for acl in candidates {
        if !acl.allows(command) {
            return false;
        }
        any = true;
    }
    any
}

#[cfg(test)]
mod tests {
    use super::*;

    fn acl(mode: AccessMode, access: &str, kind: AclKind) -> Meaning {
        let access = Access::from_letters(access).unwrap();
        Meaning::of(&OldAcl { name: "a".to_owned(), mode, access, kind }).unwrap()
    }

    fn commands(mode: AccessMode, access: &str, pattern: &str) -> Meaning {
        acl(mode, access, AclKind::Command { commands: vec![pattern.to_owned()] })
    }

    fn stores(mode: AccessMode, access: &str, store: &str, secret: &[&str]) -> Meaning {
        let secret_names = secret.iter().map(|name| (*name).to_owned()).collect();
        acl(mode, access, AclKind::Store { store_paths: vec![store.to_owned()], secret_names })
    }

    /// Rows 9, 10, 12 and 13 of what was observed, and what stands in section 5.
    #[test]
    fn the_original_decides_as_it_was_seen_to() {
        use AccessMode::{Allow, Deny};
        let get =
            |acls: &[Meaning], store, secret| decide(acls, Command::GetSecret, Some(store), Some(secret));
        let all = acl(Allow, "rwmd", AclKind::Object);
        assert!(!get(&[], "web", "a"), "silence denies");
        assert!(get(&[commands(Allow, "r", "get_")], "any", "a"), "an ACL of commands opens every store");
        assert!(get(&[stores(Allow, "r", "web", &[".*"])], "my-webhooks", "a"), "patterns are searched");
        assert!(!get(&[stores(Allow, "r", "^web$", &["x"])], "web", "a"));
        assert!(!get(&[stores(Allow, "r", "web", &[])], "web", "a"), "an empty list names nothing");
        let of_store = [stores(Allow, "rwmd", "^web$", &[".*"])];
        assert!(
            decide(&of_store, Command::CreateStore, Some("web"), None),
            "and an ACL of stores opens commands"
        );
        assert!(!decide(&of_store, Command::CreateKeyset, None, None));
        let narrow = [acl(Allow, "r", AclKind::Object), commands(Allow, "rwmd", "create_user")];
        assert!(!decide(&narrow, Command::CreateUser, None, None), "an allow that is too narrow denies");
        assert!(
            !get(&[all, stores(Deny, "d", "web", &[".*"])], "web", "a"),
            "a deny denies whatever its access"
        );
    }
}
