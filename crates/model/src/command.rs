//! Commands of the convection protocol: which there are, and which actions each stands for.
//!
//! ACLs and network ACLs may name either. A command stands for every action that does the same to the same thing, through
//! whichever door it is asked.

use crate::{Access, Action};

macro_rules! commands {
    ($($(#[$doc:meta])* $variant:ident = $name:literal, [$($action:ident),*] $(part [$($part:ident),*])? $(within [$($more:ident),*])?;)*) => {
        /// A command of the convection protocol.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[repr(u8)]
        pub enum Command {
            $($(#[$doc])* $variant,)*
        }

        impl Command {
            /// Every command.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// Its name, as it goes over the wire.
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)*
                }
            }

            /// By its name.
            pub fn from_name(name: &str) -> Option<Self> {
                match name {
                    $($name => Some(Self::$variant),)*
                    _ => None,
                }
            }

            /// The actions that it stands for; none of what is told to anybody.
            pub const fn actions(self) -> &'static [Action] {
                match self {
                    $(Self::$variant => &[$(Action::$action,)* $($(Action::$part,)*)?],)*
                }
            }

            /// Those of them of which it is only a part: whoever may ask for the action may do more.
            pub const fn parts(self) -> &'static [Action] {
                match self {
                    $(Self::$variant => &[$($(Action::$part,)*)?],)*
                }
            }

            /// Actions that come to the same by another way, and are no command: to change an ACL is to make another in
            /// its place. Who is denied the command is denied them; who is allowed it is not for that allowed them.
            pub const fn within(self) -> &'static [Action] {
                match self {
                    $(Self::$variant => &[$($(Action::$more,)*)?],)*
                }
            }
        }
    };
}

commands! {
    /// The state of the lock.
    Status = "status", [];
    /// Make the root key, the unlock keys and the first user.
    Initialize = "initialize", [Initialise, ConfirmInitialise];
    /// Present an unlock key.
    Unlock = "unlock", [Unlock];
    /// Lock.
    Lock = "lock", [Lock];
    /// Give the installation another root key and other unlock keys.
    RotateRootKeys = "rotate_root_keys", [RotateRoot, ConfirmRotateRoot, CancelRotateRoot];
    /// Prove possession of an access key and get a token.
    Authorize = "authorize", [Challenge, Authorize] within [Login];
    /// End one's token.
    Deauth = "deauth", [Deauth];
    /// List what one may ask for.
    CommandList = "command_list", [] part [ExplainSelf];
    /// List users.
    ListUsers = "list_users", [ListUsers];
    /// List groups.
    ListGroups = "list_groups", [ListGroups];
    /// List ACLs.
    ListAcls = "list_acls", [ListAcls];
    /// List keysets.
    ListKeysets = "list_keysets", [ListKeysets];
    /// List stores.
    ListStores = "list_stores", [ListStores];
    /// List types of store.
    ListStoreTypes = "list_store_types", [] part [ListStores];
    /// List types of hook.
    ListHookTypes = "list_hook_types", [] part [ListStores];
    /// Make a user, or give one a further access key.
    CreateUser = "create_user", [CreateUser, AddAccessKey] within [SetPassword, UpdateUser];
    /// Take an access key away, or the user.
    RemoveAccess = "remove_access", [RemoveAccessKey, RemoveUser] within [SetPassword, RemovePassword, UpdateUser];
    /// What a user has.
    AuditUser = "audit_user", [ReadUser] within [ListAccessKeys];
    /// Make a group.
    CreateGroup = "create_group", [CreateGroup];
    /// Remove a group.
    RemoveGroup = "remove_group", [RemoveGroup];
    /// Put a user into a group.
    AttachGroup = "attach_group", [] part [UpdateGroup];
    /// Take a user out of a group.
    DetachGroup = "detach_group", [] part [UpdateGroup];
    /// What a group has.
    AuditGroup = "audit_group", [ReadGroup];
    /// Make an ACL.
    CreateAcl = "create_acl", [CreateAcl] within [UpdateAcl];
    /// What an ACL says.
    AuditAcl = "audit_acl", [ReadAcl];
    /// Attach an ACL to a user or a group.
    AttachAcl = "attach_acl", [AttachAcl] within [UpdateAcl];
    /// Detach an ACL from a user or a group.
    DetachAcl = "detach_acl", [DetachAcl] within [UpdateAcl];
    /// Remove an ACL.
    RemoveAcl = "remove_acl", [RemoveAcl] within [UpdateAcl];
    /// Make a keyset.
    CreateKeyset = "create_keyset", [CreateKeyset];
    /// Remove a keyset.
    RemoveKeyset = "remove_keyset", [RemoveKeyset];
    /// Give a keyset a new term.
    RotateKeyset = "rotate_keyset", [RotateKeyset] within [RotateAll];
    /// Make a store.
    CreateStore = "create_store", [CreateStore];
    /// Remove a store and all in it.
    RemoveStore = "remove_store", [RemoveStore];
    /// What a store is.
    StoreInfo = "store_info", [ReadStore];
    /// Read a store's settings, or change them.
    StoreConfig = "store_config", [ConfigureStore] part [ReadStore];
    /// List a store's secrets.
    ListSecrets = "list_secrets", [ListSecrets] within [ListExpiring];
    /// Make a secret.
    CreateSecret = "create_secret", [PutSecret, GenerateSecret];
    /// Put another value in a secret's place.
    UpdateSecret = "update_secret", [PutSecret, GenerateSecret, UndeleteSecret];
    /// Read a secret.
    GetSecret = "get_secret", [GetSecret, ReadPublic];
    /// Remove a secret.
    DestroySecret = "destroy_secret", [RemoveSecret, DestroySecret, DeleteSecret];
}

/// Words that network ACLs of old configurations name and that no network may ask for: they are no commands.
pub const RESERVED_WORDS: [&str; 4] = ["service-stop", "stop", "service-start", "start"];
/// What such configurations call [`Command::RotateRootKeys`].
pub const ROTATE_WORD: &str = "rotate";

impl Command {
    /// The access of an action that it stands for: of one that makes or changes by what is there, the making or the
    /// changing. Nothing, of an action that it does not stand for.
    pub fn covers(self, action: Action) -> Access {
        if !self.actions().contains(&action) {
            return Access::NONE;
        }
        match (self, action.access()) {
            (Self::CreateSecret, Access::PUT) => Access::WRITE,
            (Self::UpdateSecret, Access::PUT) => Access::MODIFY,
            (_, access) => access,
        }
    }

    /// The access of an action that goes with the command when it is denied.
    pub fn denies(self, action: Action) -> Access {
        if self.within().contains(&action) { action.access() } else { self.covers(action) }
    }
}

impl Action {
    /// Whether an ACL that allows these commands allows all of the action: one of them stands for it as a whole, or every
    /// command that is a part of it is among them.
    pub fn is_made_of(self, access: Access, among: impl Fn(Command) -> bool) -> bool {
        let about = |command: &Command| command.covers(self).has(access);
        let (parts, wholes): (Vec<_>, Vec<_>) =
            self.commands().filter(about).partition(|command| command.parts().contains(&self));
        match (wholes.as_slice(), parts.as_slice()) {
            ([], []) => false,
            ([], parts) => parts.iter().all(|command| among(*command)),
            (wholes, _) => wholes.iter().any(|command| among(*command)),
        }
    }

    /// The commands of the convection protocol that stand for it.
    pub fn commands(self) -> impl Iterator<Item = Command> {
        Command::ALL.iter().copied().filter(move |command| command.actions().contains(&self))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Section 4 of the protocol, as observed.
    const PROTOCOL: &str = "status initialize unlock lock rotate_root_keys authorize deauth command_list list_users \
        list_groups list_acls list_keysets list_stores list_store_types list_hook_types create_user remove_access \
        audit_user create_group remove_group attach_group detach_group audit_group create_acl audit_acl attach_acl \
        detach_acl remove_acl create_keyset remove_keyset rotate_keyset create_store remove_store store_info \
        store_config list_secrets create_secret update_secret get_secret destroy_secret";

    #[test]
    fn every_command_of_the_protocol_stands_for_actions_and_they_for_it() {
        let names: Vec<&str> = Command::ALL.iter().map(|command| command.name()).collect();
        assert_eq!(names, PROTOCOL.split_whitespace().collect::<Vec<_>>());
        for command in Command::ALL.iter().copied() {
            assert_eq!(Command::from_name(command.name()), Some(command));
            assert_eq!(command.actions().is_empty(), command == Command::Status, "{command:?}");
            for action in command.actions() {
                assert!(action.commands().any(|known| known == command), "{command:?} {action:?}");
                assert_ne!(command.covers(*action), Access::NONE);
            }
        }
        let parts: Vec<_> = Command::ALL.iter().filter(|command| !command.parts().is_empty()).collect();
        assert_eq!(parts.len(), 6, "{parts:?}");
    }

    #[test]
    fn what_makes_and_what_changes_are_told_apart() {
        assert_eq!(Command::CreateSecret.covers(Action::PutSecret), Access::WRITE);
        assert_eq!(Command::UpdateSecret.covers(Action::GenerateSecret), Access::MODIFY);
        assert_eq!(Command::UpdateSecret.covers(Action::UndeleteSecret), Access::MODIFY);
        assert_eq!(Command::GetSecret.covers(Action::ReadPublic), Access::READ);
        assert_eq!(Command::GetSecret.covers(Action::PutSecret), Access::NONE);
    }

    #[test]
    fn what_comes_to_the_same_is_denied_with_the_command_and_not_allowed_with_it() {
        for command in Command::ALL.iter().copied() {
            for action in command.within().iter().copied() {
                assert!(!command.actions().contains(&action), "{command:?} {action:?}");
                assert_eq!(command.denies(action), action.access());
                assert_eq!(command.covers(action), Access::NONE);
                assert!(!action.is_made_of(action.access(), |_| true), "{command:?} {action:?}");
            }
        }
        for command in [Command::CreateAcl, Command::AttachAcl, Command::DetachAcl, Command::RemoveAcl] {
            assert_eq!(command.denies(Action::UpdateAcl), Access::MODIFY);
        }
        assert_eq!(Command::CreateUser.denies(Action::SetPassword), Access::MODIFY);
        assert_eq!(Command::ListSecrets.denies(Action::ListExpiring), Access::READ);
        assert_eq!(Command::GetSecret.denies(Action::SetPassword), Access::NONE);
        assert_eq!(Command::CreateSecret.denies(Action::PutSecret), Access::WRITE);
    }

    #[test]
    fn an_action_is_made_of_a_whole_or_of_all_its_parts() {
        use Command as C;
        let made =
            |action: Action, access, among: &[C]| action.is_made_of(access, |one| among.contains(&one));
        let table: [(Action, Access, &[C], bool); 10] = [
            (Action::ListStores, Access::READ, &[C::ListStores], true),
            (Action::ListStores, Access::READ, &[C::ListStoreTypes, C::ListHookTypes], false),
            (Action::UpdateGroup, Access::MODIFY, &[C::AttachGroup], false),
            (Action::UpdateGroup, Access::MODIFY, &[C::AttachGroup, C::DetachGroup], true),
            (Action::ReadStore, Access::READ, &[C::StoreConfig], false),
            (Action::ConfigureStore, Access::MODIFY, &[C::StoreConfig], true),
            (Action::PutSecret, Access::WRITE, &[C::CreateSecret], true),
            (Action::PutSecret, Access::MODIFY, &[C::CreateSecret], false),
            (Action::ReadTrail, Access::READ, Command::ALL, false),
            (Action::RemoveUser, Access::DELETE, &[C::RemoveAccess], true),
        ];
        for (action, access, among, expected) in table {
            assert_eq!(made(action, access, among), expected, "{action:?} {among:?}");
        }
    }

    #[test]
    fn reserved_words_and_names_of_actions_are_no_commands() {
        for word in RESERVED_WORDS.into_iter().chain([ROTATE_WORD, "", "STATUS", "get_secret ", "getsecret"])
        {
            assert_eq!(Command::from_name(word), None, "{word}");
        }
        // one namespace for both in patterns: a name means one thing
        assert!(Action::ALL.iter().all(|action| Command::from_name(action.name()).is_none()));
    }
}
