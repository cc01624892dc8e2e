//! The engine's actions, as types.

use strongroom_gate::{
    AclNamed, AclView, Acls, AclsView, Attachment, AttachmentView, Group, GroupView, Groups, GroupsView,
    KeyHolder, MemberView, Membership, Own, People, PeopleView, Rules, RulesView, Token, TokenView, User,
    UserView, Users, UsersView, actions,
};

actions! {
    /// Ask for a challenge.
    Challenge = Challenge: People => PeopleView;
    /// Prove possession and get a token.
    Authorize = Authorize: People => PeopleView;
    /// Prove a password and get a token.
    Login = Login: People => PeopleView;
    /// Look one's own token up.
    LookupToken = LookupToken: Token => TokenView;
    /// Renew one's own token.
    RenewToken = RenewToken: Token => TokenView;
    /// End one's own token.
    Deauth = Deauth: Token => TokenView;
    /// List tokens, of a user or of everybody.
    ListTokens = ListTokens: Users => UsersView;
    /// End a token of anybody.
    RevokeToken = RevokeToken: Token => TokenView;
    /// End all tokens of a user.
    RevokeTokens = RevokeToken: User => UserView;

    /// Create a user.
    CreateUser = CreateUser: Users => UsersView;
    /// Read a user.
    ReadUser = ReadUser: User => UserView;
    /// List users.
    ListUsers = ListUsers: Users => UsersView;
    /// Enable or disable a user.
    UpdateUser = UpdateUser: User => UserView;
    /// Remove a user.
    RemoveUser = RemoveUser: User => UserView;
    /// Give a user an access key.
    AddAccessKey = AddAccessKey: User => UserView;
    /// List a user's access keys.
    ListAccessKeys = ListAccessKeys: User => UserView;
    /// Remove a user's access key.
    RemoveAccessKey = RemoveAccessKey: User => UserView;
    /// Remove an access key, found by itself.
    RemoveHeldKey = RemoveAccessKey: KeyHolder => UserView;
    /// Set a user's password.
    SetPassword = SetPassword: User => UserView;
    /// Remove a user's password.
    RemovePassword = RemovePassword: User => UserView;

    /// Read oneself.
    ReadSelf = ReadSelf: Own => UserView;
    /// Add an access key of one's own.
    AddOwnAccessKey = AddOwnAccessKey: Own => UserView;
    /// Remove an access key of one's own.
    RemoveOwnAccessKey = RemoveOwnAccessKey: Own => UserView;
    /// Set one's own password.
    SetOwnPassword = SetOwnPassword: Own => UserView;
    /// List one's own tokens.
    ListOwnTokens = ListOwnTokens: Own => UserView;
    /// End a token of one's own.
    RevokeOwnToken = RevokeOwnToken: Token => TokenView;

    /// Create a group.
    CreateGroup = CreateGroup: Groups => GroupsView;
    /// Read a group.
    ReadGroup = ReadGroup: Group => GroupView;
    /// List groups.
    ListGroups = ListGroups: Groups => GroupsView;
    /// Put a user into a group or take one out.
    UpdateGroup = UpdateGroup: Membership => MemberView;
    /// Remove a group.
    RemoveGroup = RemoveGroup: Group => GroupView;

    /// Create an ACL.
    CreateAcl = CreateAcl: Acls => AclsView;
    /// Read an ACL.
    ReadAcl = ReadAcl: AclNamed => AclView;
    /// List ACLs.
    ListAcls = ListAcls: Acls => AclsView;
    /// Change an ACL.
    UpdateAcl = UpdateAcl: AclNamed => AclView;
    /// Remove an ACL.
    RemoveAcl = RemoveAcl: AclNamed => AclView;
    /// Attach an ACL to a user or a group.
    AttachAcl = AttachAcl: Attachment => AttachmentView;
    /// Detach an ACL from a user or a group.
    DetachAcl = DetachAcl: Attachment => AttachmentView;

    /// Ask why oneself may or may not do something.
    ExplainSelf = ExplainSelf: Rules => RulesView;
    /// Ask why a user may or may not do something.
    Explain = Explain: Rules => RulesView;
    /// Ask who may do something.
    WhoCan = WhoCan: Rules => RulesView;
}
