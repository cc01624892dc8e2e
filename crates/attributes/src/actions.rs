//! The engine's actions, as types.

use strongroom_gate::{Sharing, SharingView, actions};

actions! {
    /// Prove a password and get a token.
    Login = SharingLogin: Sharing => SharingView;
    /// Prove a signing key and get a token.
    Renew = SharingToken: Sharing => SharingView;
    /// End one's own token.
    Logout = SharingLogout: Sharing => SharingView;
    /// Read the manifest.
    ReadManifest = SharingManifest: Sharing => SharingView;
    /// Make or recognise an administrator.
    AddAdmin = SharingAddAdmin: Sharing => SharingView;
    /// Make a member.
    CreateUser = SharingCreateUser: Sharing => SharingView;
    /// End what a member holds.
    Rekey = SharingRekey: Sharing => SharingView;
    /// Suspend a member.
    Suspend = SharingSuspend: Sharing => SharingView;
    /// Let a suspended member go on.
    Resume = SharingResume: Sharing => SharingView;
    /// Remove a member.
    Delete = SharingDelete: Sharing => SharingView;
    /// Change a member's attributes.
    SetAttributes = SharingSetAttributes: Sharing => SharingView;
    /// Say which past epochs a member may read.
    SetEpochs = SharingSetEpochs: Sharing => SharingView;
    /// Set a member's password.
    SetPassword = SharingSetPassword: Sharing => SharingView;
    /// Change one's own password.
    OwnPassword = SharingOwnPassword: Sharing => SharingView;
    /// Register one's own keys.
    RegisterKeys = SharingRegisterKeys: Sharing => SharingView;
    /// Read oneself.
    ReadMe = SharingMe: Sharing => SharingView;
    /// Read the public key.
    ReadPublicKey = SharingPublicKey: Sharing => SharingView;
    /// Get one's own keys of some epochs.
    MemberKeys = SharingMemberKeys: Sharing => SharingView;
    /// Read the public keys of rights.
    ReadRights = SharingRights: Sharing => SharingView;
    /// Register a right.
    CreateRight = SharingCreateRight: Sharing => SharingView;
    /// Get one's own index keys.
    IndexKeys = SharingIndexKeys: Sharing => SharingView;
    /// Get the tokens of what is looked for.
    AskTokens = SharingTokens: Sharing => SharingView;
    /// List the attributes that members have.
    ListAttributes = SharingAttributes: Sharing => SharingView;
    /// List collectors.
    ListCollectors = SharingCollectors: Sharing => SharingView;
    /// Leave word of how far one's own records go.
    PostHead = SharingPostHead: Sharing => SharingView;
    /// Read how far collectors' records go.
    ReadHeads = SharingHeads: Sharing => SharingView;
    /// Make a group of collectors.
    CreateGroup = SharingCreateGroup: Sharing => SharingView;
    /// Change a group of collectors.
    ChangeGroup = SharingChangeGroup: Sharing => SharingView;
    /// Remove a group of collectors.
    DeleteGroup = SharingDeleteGroup: Sharing => SharingView;
    /// List groups of collectors.
    ListGroups = SharingGroups: Sharing => SharingView;
    /// List members.
    ListMembers = SharingMembers: Sharing => SharingView;
    /// The server's own: make the authority, begin an epoch, forget what has expired.
    Upkeep = SharingUpkeep: Sharing => SharingView;
}
