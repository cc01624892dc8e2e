//! The table of commands: name, what it needs, under which action its refusals are recorded, and its function.

use crate::asked::Asked;
use crate::commands;
use crate::reply::Answered;
use std::future::Future;
use std::pin::Pin;
use strongroom_model::Action;

/// What a command must be given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Needs {
    /// Nothing.
    Nothing,
    /// Data, from anybody.
    Data,
    /// Nothing; with a token it says more.
    Perhaps,
    /// Data, with a token.
    Token,
}

macro_rules! commands {
    ($($variant:ident = $name:literal, $needs:ident, $action:ident;)*) => {
        /// A command, by the name that the client calls it.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(crate) enum Command {
            $(#[doc = $name] $variant,)*
        }

        impl Command {
            /// Every command.
            pub(crate) const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// Its name on the wire.
            pub(crate) const fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)*
                }
            }

            /// What it must be given.
            pub(crate) const fn needs(self) -> Needs {
                match self {
                    $(Self::$variant => Needs::$needs,)*
                }
            }

            /// The action that stands for it where nothing more exact is known: at the network's rules, and where a
            /// token was none.
            pub(crate) const fn action(self) -> Action {
                match self {
                    $(Self::$variant => Action::$action,)*
                }
            }
        }
    };
}

commands! {
    Status = "status", Nothing, Challenge;
    Initialize = "initialize", Data, Initialise;
    Unlock = "unlock", Data, Unlock;
    Lock = "lock", Token, Lock;
    RotateRootKeys = "rotate_root_keys", Token, RotateRoot;
    ListCommands = "command_list", Perhaps, ExplainSelf;
    ListHookTypes = "list_hook_types", Token, ListStores;
    Authorize = "authorize", Data, Challenge;
    Deauth = "deauth", Token, Deauth;
    ListUsers = "list_users", Token, ListUsers;
    CreateUser = "create_user", Token, CreateUser;
    RemoveAccess = "remove_access", Token, RemoveAccessKey;
    AuditUser = "audit_user", Token, ReadUser;
    ListGroups = "list_groups", Token, ListGroups;
    CreateGroup = "create_group", Token, CreateGroup;
    RemoveGroup = "remove_group", Token, RemoveGroup;
    AttachGroup = "attach_group", Token, UpdateGroup;
    DetachGroup = "detach_group", Token, UpdateGroup;
    AuditGroup = "audit_group", Token, ReadGroup;
    ListAcls = "list_acls", Token, ListAcls;
    CreateAcl = "create_acl", Token, CreateAcl;
    AuditAcl = "audit_acl", Token, ReadAcl;
    AttachAcl = "attach_acl", Token, AttachAcl;
    DetachAcl = "detach_acl", Token, DetachAcl;
    RemoveAcl = "remove_acl", Token, RemoveAcl;
    ListKeysets = "list_keysets", Token, ListKeysets;
    CreateKeyset = "create_keyset", Token, CreateKeyset;
    RemoveKeyset = "remove_keyset", Token, RemoveKeyset;
    RotateKeyset = "rotate_keyset", Token, RotateKeyset;
    ListStores = "list_stores", Token, ListStores;
    ListStoreTypes = "list_store_types", Token, ListStores;
    CreateStore = "create_store", Token, CreateStore;
    RemoveStore = "remove_store", Token, RemoveStore;
    StoreInfo = "store_info", Token, ReadStore;
    StoreConfig = "store_config", Token, ConfigureStore;
    ListSecrets = "list_secrets", Token, ListSecrets;
    CreateSecret = "create_secret", Token, PutSecret;
    UpdateSecret = "update_secret", Token, PutSecret;
    GetSecret = "get_secret", Token, GetSecret;
    DestroySecret = "destroy_secret", Token, RemoveSecret;
}

impl Command {
    /// By its name, as it is written.
    pub(crate) fn find(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|command| command.name() == name)
    }

    /// Whether a text may yet become the name of a command.
    pub(crate) fn is_begun_by(text: &[u8]) -> bool {
        Self::ALL.iter().any(|command| {
            let name = command.name().as_bytes();
            name.len() > text.len() && name.starts_with(text)
        })
    }

    /// Whether it changes nothing.
    pub(crate) fn is_reading(self) -> bool {
        self.action().effect() == strongroom_model::Effect::Read
    }
}

/// Answers a command.
pub(crate) async fn dispatch(command: Command, asked: &Asked<'_>) -> Answered {
    use Command as C;
    match command {
        C::Status => boxed(commands::system::status(asked)).await,
        C::Initialize => boxed(commands::system::initialize(asked)).await,
        C::Unlock => boxed(commands::system::unlock(asked)).await,
        C::Lock => boxed(commands::system::lock(asked)).await,
        C::RotateRootKeys => boxed(commands::system::rotate_root_keys(asked)).await,
        C::ListCommands => Ok(commands::system::command_list(asked)),
        C::ListHookTypes => boxed(commands::system::list_hook_types(asked)).await,
        C::Authorize => boxed(commands::auth::authorize(asked)).await,
        C::Deauth => boxed(commands::auth::deauth(asked)).await,
        C::ListUsers => boxed(commands::users::list_users(asked)).await,
        C::CreateUser => boxed(commands::users::create_user(asked)).await,
        C::RemoveAccess => boxed(commands::users::remove_access(asked)).await,
        C::AuditUser => boxed(commands::users::audit_user(asked)).await,
        C::ListGroups => boxed(commands::groups::list_groups(asked)).await,
        C::CreateGroup => boxed(commands::groups::create_group(asked)).await,
        C::RemoveGroup => boxed(commands::groups::remove_group(asked)).await,
        C::AttachGroup => boxed(commands::groups::attach_group(asked)).await,
        C::DetachGroup => boxed(commands::groups::detach_group(asked)).await,
        C::AuditGroup => boxed(commands::groups::audit_group(asked)).await,
        C::ListAcls => boxed(commands::acls::list_acls(asked)).await,
        C::CreateAcl => boxed(commands::acls::create_acl(asked)).await,
        C::AuditAcl => boxed(commands::acls::audit_acl(asked)).await,
        C::AttachAcl => boxed(commands::acls::attach_acl(asked)).await,
        C::DetachAcl => boxed(commands::acls::detach_acl(asked)).await,
        C::RemoveAcl => boxed(commands::acls::remove_acl(asked)).await,
        C::ListKeysets => boxed(commands::keysets::list_keysets(asked)).await,
        C::CreateKeyset => boxed(commands::keysets::create_keyset(asked)).await,
        C::RemoveKeyset => boxed(commands::keysets::remove_keyset(asked)).await,
        C::RotateKeyset => boxed(commands::keysets::rotate_keyset(asked)).await,
        C::ListStores => boxed(commands::stores::list_stores(asked)).await,
        C::ListStoreTypes => boxed(commands::stores::list_store_types(asked)).await,
        C::CreateStore => boxed(commands::stores::create_store(asked)).await,
        C::RemoveStore => boxed(commands::stores::remove_store(asked)).await,
        C::StoreInfo => boxed(commands::stores::store_info(asked)).await,
        C::StoreConfig => boxed(commands::stores::store_config(asked)).await,
        C::ListSecrets => boxed(commands::secrets::list_secrets(asked)).await,
        C::CreateSecret => boxed(commands::secrets::create_secret(asked)).await,
        C::UpdateSecret => boxed(commands::secrets::update_secret(asked)).await,
        C::GetSecret => boxed(commands::secrets::get_secret(asked)).await,
        C::DestroySecret => boxed(commands::secrets::destroy_secret(asked)).await,
    }
}

/// Each on the heap, so that the future of a request is no larger than what it asks for.
fn boxed<'a>(
    answer: impl Future<Output = Answered> + Send + 'a,
) -> Pin<Box<dyn Future<Output = Answered> + Send + 'a>> {
    Box::pin(answer)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_is_found_by_its_name_and_no_other() {
        for command in Command::ALL {
            assert_eq!(Command::find(command.name()), Some(*command));
        }
        for name in ["", "Status", "status\n", "stop", "rotate"] {
            assert_eq!(Command::find(name), None, "{name}");
        }
    }

    /// What a network ACL and the trail are told of a command is what the command asks for.
    #[test]
    fn a_command_is_of_an_action_that_it_stands_for_and_changes_what_that_may_change() {
        for command in Command::ALL.iter().filter(|command| **command != Command::Status) {
            let known = strongroom_model::Command::from_name(command.name()).unwrap();
            assert!(known.actions().contains(&command.action()), "{command:?}");
            let writes =
                known.actions().iter().any(|action| action.effect() == strongroom_model::Effect::Write);
            // the second step of authorize is no command
            assert_eq!(command.is_reading(), !writes || *command == Command::Authorize, "{command:?}");
        }
    }

    #[test]
    fn no_command_is_the_beginning_of_another() {
        for command in Command::ALL {
            assert!(!Command::is_begun_by(command.name().as_bytes()), "{}", command.name());
        }
        assert!(Command::is_begun_by(b"stat") && Command::is_begun_by(b"") && !Command::is_begun_by(b"x"));
    }
}
