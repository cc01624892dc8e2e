//! Actions: everything that can be asked, each with a stable number and name.

use crate::Access;

/// What an action does to the store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// Gives something up; changes nothing but the trail.
    Read,
    /// Changes something.
    Write,
}

macro_rules! actions {
    ($($(#[$doc:meta])* $variant:ident = $code:literal, $name:literal, $effect:ident, $access:ident;)*) => {
        /// Something that can be asked of the server. Numbers and names are part of the trail's format: they are
        /// added to and never changed.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[repr(u16)]
        pub enum Action {
            $($(#[$doc])* $variant = $code,)*
        }

        impl Action {
            /// Every action.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// Its number in the trail.
            pub const fn code(self) -> u16 {
                self as u16
            }

            /// From its number.
            pub fn from_code(code: u16) -> Option<Self> {
                match code {
                    $($code => Some(Self::$variant),)*
                    _ => None,
                }
            }

            /// Its name: `area.verb`.
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)*
                }
            }

            /// What it does to the store.
            pub const fn effect(self) -> Effect {
                match self {
                    $(Self::$variant => Effect::$effect,)*
                }
            }

            /// The access that it needs: of [`Access::PUT`] one bit, by what is there.
            pub const fn access(self) -> Access {
                match self {
                    $(Self::$variant => Access::$access,)*
                }
            }
        }
    };
}

actions! {
    /// Make the root key, the unlock keys and the first user.
    Initialise = 1, "operator.initialise", Write, WRITE;
    /// Confirm that the unlock keys are kept.
    ConfirmInitialise = 2, "operator.confirm_initialise", Write, WRITE;
    /// Present an unlock key.
    Unlock = 3, "operator.unlock", Write, MODIFY;
    /// Lock.
    Lock = 4, "operator.lock", Write, MODIFY;
    /// Begin a rotation of the root key.
    RotateRoot = 5, "operator.rotate_root", Write, MODIFY;
    /// Finish a rotation of the root key.
    ConfirmRotateRoot = 6, "operator.confirm_rotate_root", Write, MODIFY;
    /// Give a rotation of the root key up.
    CancelRotateRoot = 7, "operator.cancel_rotate_root", Write, MODIFY;
    /// Add auto-unlock.
    AddAutoUnlock = 8, "operator.add_auto_unlock", Write, WRITE;
    /// Remove auto-unlock.
    RemoveAutoUnlock = 9, "operator.remove_auto_unlock", Write, DELETE;
    /// Unlock without a person.
    AutoUnlock = 10, "operator.auto_unlock", Write, MODIFY;
    /// The server started.
    Start = 11, "operator.start", Write, MODIFY;
    /// The server stopped in good order.
    Stop = 12, "operator.stop", Write, MODIFY;
    /// Accept the wall clock after a jump.
    AcceptClock = 13, "operator.accept_clock", Write, MODIFY;

    /// Remove what has expired.
    Housekeeping = 14, "operator.housekeeping", Write, DELETE;
    /// List unlock keys.
    ListUnlockKeys = 15, "unlock_key.list", Read, READ;
    /// Revoke one unlock key.
    RevokeUnlockKey = 16, "unlock_key.revoke", Write, DELETE;
    /// Give a partition a new KEK.
    RotateKek = 17, "operator.rotate_kek", Write, MODIFY;
    /// Rotate every key, and seal every record anew.
    RotateAll = 18, "operator.rotate_all", Write, MODIFY;
    /// List background jobs.
    ListJobs = 19, "job.list", Read, READ;
    /// Cancel a background job.
    CancelJob = 20, "job.cancel", Write, MODIFY;
    /// A step of a background job.
    JobStep = 21, "job.step", Write, MODIFY;
    /// Make a backup.
    CreateBackup = 22, "backup.create", Read, READ;
    /// The first entry of a restored store.
    Restore = 23, "backup.restore", Write, MODIFY;
    /// Check everything that is stored.
    DeepCheck = 24, "operator.check", Read, READ;

    /// Read entries of the trail.
    ReadTrail = 32, "audit.read", Read, READ;
    /// Verify the trail.
    VerifyTrail = 33, "audit.verify", Read, READ;
    /// Sign a checkpoint.
    Checkpoint = 34, "audit.checkpoint", Write, WRITE;
    /// Move old entries of the trail out.
    ArchiveTrail = 35, "audit.archive", Write, DELETE;
    /// List segments of the trail.
    ListSegments = 36, "audit.segments", Read, READ;
    /// Follow the trail to where it is exported.
    FollowTrail = 37, "audit.follow", Read, READ;

    /// Ask for a challenge.
    Challenge = 64, "token.challenge", Read, READ;
    /// Prove possession and get a token.
    Authorize = 65, "token.authorize", Write, WRITE;
    /// Look one's own token up.
    LookupToken = 66, "token.lookup", Read, READ;
    /// End one's own token.
    Deauth = 67, "token.deauth", Write, DELETE;
    /// List tokens.
    ListTokens = 68, "token.list", Read, READ;
    /// Renew one's own token.
    RenewToken = 69, "token.renew", Write, MODIFY;
    /// Revoke tokens of any user.
    RevokeToken = 70, "token.revoke", Write, DELETE;
    /// Prove a password and get a token.
    Login = 71, "token.login", Write, WRITE;

    /// Create a store.
    CreateStore = 96, "store.create", Write, WRITE;
    /// Read a store's metadata.
    ReadStore = 97, "store.read", Read, READ;
    /// List stores.
    ListStores = 98, "store.list", Read, READ;
    /// Remove a store and all in it.
    RemoveStore = 99, "store.remove", Write, DELETE;
    /// List keysets.
    ListKeysets = 100, "keyset.list", Read, READ;
    /// Create a keyset.
    CreateKeyset = 101, "keyset.create", Write, WRITE;
    /// Give a keyset a new term.
    RotateKeyset = 102, "keyset.rotate", Write, MODIFY;
    /// Remove a keyset that nothing uses.
    RemoveKeyset = 103, "keyset.remove", Write, DELETE;
    /// Change a store's settings.
    ConfigureStore = 104, "store.configure", Write, MODIFY;

    /// Write a version of a secret.
    PutSecret = 128, "secret.put", Write, PUT;
    /// Read a secret's value.
    GetSecret = 129, "secret.get", Read, READ;
    /// List a store's secrets.
    ListSecrets = 130, "secret.list", Read, READ;
    /// Delete a secret.
    DeleteSecret = 131, "secret.delete", Write, DELETE;
    /// Read a secret's metadata and versions.
    ReadMetadata = 132, "secret.metadata", Read, READ;
    /// Make deleted versions readable again.
    UndeleteSecret = 133, "secret.undelete", Write, MODIFY;
    /// Destroy versions of a secret for good.
    DestroySecret = 134, "secret.destroy", Write, DELETE;
    /// Read the public half of a secret.
    ReadPublic = 135, "secret.public", Read, READ;
    /// Have the server generate a version of a secret.
    GenerateSecret = 136, "secret.generate", Write, PUT;
    /// List what expires.
    ListExpiring = 137, "secret.expiring", Read, READ;
    /// Remove a secret with everything about it.
    RemoveSecret = 138, "secret.remove", Write, DELETE;

    /// Create a user.
    CreateUser = 160, "user.create", Write, WRITE;
    /// Read a user.
    ReadUser = 161, "user.read", Read, READ;
    /// List users.
    ListUsers = 162, "user.list", Read, READ;
    /// Change a user.
    UpdateUser = 163, "user.update", Write, MODIFY;
    /// Remove a user.
    RemoveUser = 164, "user.remove", Write, DELETE;
    /// Give a user an access key.
    AddAccessKey = 165, "access_key.add", Write, WRITE;
    /// List a user's access keys.
    ListAccessKeys = 166, "access_key.list", Read, READ;
    /// Remove a user's access key.
    RemoveAccessKey = 167, "access_key.remove", Write, DELETE;
    /// Set a user's password.
    SetPassword = 168, "password.set", Write, MODIFY;
    /// Remove a user's password.
    RemovePassword = 169, "password.remove", Write, DELETE;

    /// Read one's own user.
    ReadSelf = 176, "self.read", Read, READ;
    /// Add an access key of one's own.
    AddOwnAccessKey = 177, "self.add_access_key", Write, WRITE;
    /// Remove an access key of one's own.
    RemoveOwnAccessKey = 178, "self.remove_access_key", Write, DELETE;
    /// Set one's own password.
    SetOwnPassword = 179, "self.set_password", Write, MODIFY;
    /// List one's own tokens.
    ListOwnTokens = 180, "self.tokens", Read, READ;
    /// End a token of one's own.
    RevokeOwnToken = 181, "self.revoke_token", Write, DELETE;
    /// Ask why oneself may or may not do something.
    ExplainSelf = 182, "self.explain", Read, READ;

    /// Create a group.
    CreateGroup = 192, "group.create", Write, WRITE;
    /// Read a group.
    ReadGroup = 193, "group.read", Read, READ;
    /// List groups.
    ListGroups = 194, "group.list", Read, READ;
    /// Change who and what is in a group.
    UpdateGroup = 195, "group.update", Write, MODIFY;
    /// Remove a group.
    RemoveGroup = 196, "group.remove", Write, DELETE;

    /// Create an ACL.
    CreateAcl = 208, "acl.create", Write, WRITE;
    /// Read an ACL.
    ReadAcl = 209, "acl.read", Read, READ;
    /// List ACLs.
    ListAcls = 210, "acl.list", Read, READ;
    /// Change an ACL.
    UpdateAcl = 211, "acl.update", Write, MODIFY;
    /// Remove an ACL.
    RemoveAcl = 212, "acl.remove", Write, DELETE;
    /// Attach an ACL to a user or a group.
    AttachAcl = 213, "acl.attach", Write, MODIFY;
    /// Detach an ACL from a user or a group.
    DetachAcl = 214, "acl.detach", Write, MODIFY;

    /// Ask which rule decides about somebody.
    Explain = 224, "authz.explain", Read, READ;
    /// Ask who may do something.
    WhoCan = 225, "authz.who_can", Read, READ;

    /// Prove a member's password to the attribute authority and get a token.
    SharingLogin = 256, "sharing.login", Read, READ;
    /// Prove a member's signing key to the attribute authority and get a token.
    SharingToken = 257, "sharing.token", Write, WRITE;
    /// End one's own token of the sharing system.
    SharingLogout = 258, "sharing.logout", Write, DELETE;
    /// Read the manifest of the sharing system.
    SharingManifest = 259, "sharing.manifest", Read, READ;
    /// Make or recognise an administrator of the sharing system.
    SharingAddAdmin = 260, "sharing.add_admin", Write, WRITE;
    /// Make a member of the sharing system.
    SharingCreateUser = 261, "sharing.create_user", Write, WRITE;
    /// End what a member holds: its next keys are those of a new epoch.
    SharingRekey = 262, "sharing.rekey", Write, MODIFY;
    /// Suspend a member.
    SharingSuspend = 263, "sharing.suspend", Write, MODIFY;
    /// Let a suspended member go on.
    SharingResume = 264, "sharing.resume", Write, MODIFY;
    /// Remove a member.
    SharingDelete = 265, "sharing.delete", Write, DELETE;
    /// Change a member's attributes.
    SharingSetAttributes = 266, "sharing.set_attributes", Write, MODIFY;
    /// Say which past epochs a member may read.
    SharingSetEpochs = 267, "sharing.set_epochs", Write, MODIFY;
    /// Set a member's password.
    SharingSetPassword = 268, "sharing.set_password", Write, MODIFY;
    /// Change one's own password as a member.
    SharingOwnPassword = 269, "sharing.own_password", Write, MODIFY;
    /// Register one's own keys as a member.
    SharingRegisterKeys = 270, "sharing.register_keys", Write, MODIFY;
    /// Read oneself as a member.
    SharingMe = 271, "sharing.me", Read, READ;
    /// Read the authority's public key.
    SharingPublicKey = 272, "sharing.public_key", Read, READ;
    /// Get one's own keys of some epochs.
    SharingMemberKeys = 273, "sharing.member_keys", Read, READ;
    /// Read the public keys of rights.
    SharingRights = 274, "sharing.rights", Read, READ;
    /// Register a right.
    SharingCreateRight = 275, "sharing.create_right", Write, WRITE;
    /// Get one's own index keys as a collector.
    SharingIndexKeys = 276, "sharing.index_keys", Read, READ;
    /// Get the tokens of a value that is looked for.
    SharingTokens = 277, "sharing.tokens", Read, READ;
    /// List the attributes that members have.
    SharingAttributes = 278, "sharing.attributes", Read, READ;
    /// List collectors.
    SharingCollectors = 279, "sharing.collectors", Read, READ;
    /// Leave word of how far one's own records go.
    SharingPostHead = 280, "sharing.post_head", Write, MODIFY;
    /// Read how far collectors' records go.
    SharingHeads = 281, "sharing.heads", Read, READ;
    /// Make a group of collectors.
    SharingCreateGroup = 282, "sharing.create_group", Write, WRITE;
    /// Change a group of collectors.
    SharingChangeGroup = 283, "sharing.change_group", Write, MODIFY;
    /// Remove a group of collectors.
    SharingDeleteGroup = 284, "sharing.delete_group", Write, DELETE;
    /// List groups of collectors.
    SharingGroups = 285, "sharing.groups", Read, READ;
    /// List members.
    SharingMembers = 286, "sharing.members", Read, READ;
    /// The server's own: make the authority, begin an epoch, remove what has expired.
    SharingUpkeep = 287, "sharing.upkeep", Write, MODIFY;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_and_names_are_unique_and_round_trip() {
        for action in Action::ALL {
            assert_eq!(Action::from_code(action.code()), Some(*action));
            let same = Action::ALL.iter().filter(|other| other.name() == action.name()).count();
            assert_eq!(same, 1, "{}", action.name());
        }
        assert_eq!(Action::from_code(0), None);
    }
}
