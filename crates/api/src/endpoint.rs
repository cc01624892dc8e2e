//! The endpoint table.

/// An HTTP method.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// Read.
    Get,
    /// Do, or create.
    Post,
    /// Write at a name.
    Put,
    /// Remove.
    Delete,
}

impl Method {
    /// Upper case, as on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Delete => "DELETE",
        }
    }
}

/// Who may ask.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Anyone, locked or not.
    Open,
    /// Anyone, once unlocked.
    Unlocked,
    /// The local socket from the server's uid or root's, or the bearer of the initialisation token.
    Installer,
    /// The bearer of a token, whom the rules allow.
    Token,
}

macro_rules! endpoints {
    ($($(#[$doc:meta])* $variant:ident = $method:ident $path:literal, $access:ident, $summary:literal;)*) => {
        /// A row of the table.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Endpoint {
            $($(#[$doc])* #[doc = $summary] $variant,)*
        }

        impl Endpoint {
            /// Every row.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// Its method.
            pub const fn method(self) -> Method {
                match self { $(Self::$variant => Method::$method,)* }
            }

            /// Its path after [`crate::PREFIX`]; `{name}` is one component, `{*path}` the rest.
            pub const fn path(self) -> &'static str {
                match self { $(Self::$variant => $path,)* }
            }

            /// Who may ask.
            pub const fn access(self) -> Access {
                match self { $(Self::$variant => Access::$access,)* }
            }

            /// One line for people.
            pub const fn summary(self) -> &'static str {
                match self { $(Self::$variant => $summary,)* }
            }

            /// Its name: the OpenAPI operation id.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => stringify!($variant),)* }
            }
        }
    };
}

endpoints! {
    Status = Get "/status", Open, "State of the lock, progress, auto-unlock, disk space";
    OpenApi = Get "/openapi.json", Open, "This description";
    Init = Post "/init", Installer, "Make the root key, the unlock keys and the first user";
    ConfirmInit = Post "/init/confirm", Installer, "Confirm that the unlock keys are kept";
    Unlock = Post "/unlock", Open, "Present an unlock key";
    Lock = Post "/lock", Token, "Lock the server";
    AddAutoUnlock = Post "/auto-unlock", Token, "Add auto-unlock; takes a threshold of unlock keys";
    RemoveAutoUnlock = Delete "/auto-unlock", Token, "Remove auto-unlock";
    RotateRoot = Post "/rotate/root", Token, "Begin a rotation of the root key; takes a threshold of unlock keys";
    ConfirmRotateRoot = Post "/rotate/root/confirm", Token, "Finish it; takes a threshold of the new unlock keys";
    CancelRotateRoot = Delete "/rotate/root", Token, "Give it up; the old unlock keys stay";
    DeepCheck = Post "/check", Token, "Look at everything that is stored: pages, rows, every sealed record";
    AcceptClock = Post "/clock/accept", Token, "Accept the wall clock after a jump";
    Challenge = Post "/auth/challenge", Unlocked, "Ask for a challenge to sign";
    Authorize = Post "/auth/authorize", Unlocked, "Prove possession of an access key and get a token";
    LookupToken = Get "/auth/token", Token, "Look one's own token up";
    Deauth = Delete "/auth/token", Token, "End one's own token";
    ExplainSelf = Get "/explain", Token, "Tell why oneself may or may not do something";
    Explain = Get "/users/{user}/explain", Token, "Tell why a user may or may not do something";
    WhoCan = Get "/who-can", Token, "List who may do something";
    CreateKeyset = Post "/keysets", Token, "Create a keyset";
    RotateKeyset = Post "/keysets/{keyset}/rotate", Token, "Give a keyset a new term, and begin to seal everything anew";
    RemoveKeyset = Delete "/keysets/{keyset}", Token, "Remove a keyset that nothing uses";
    RotateKek = Post "/rotate/kek", Token, "Give the partition a new KEK; takes a threshold of unlock keys";
    RotateAll = Post "/rotate/all", Token, "Finish a rotation of the root key by rotating every key there is";
    ListJobs = Get "/jobs", Token, "List background jobs";
    ShowJob = Get "/jobs/{job}", Token, "Show a background job";
    CancelJob = Delete "/jobs/{job}", Token, "Give a background job up";
    ListUnlockKeys = Get "/unlock-keys", Token, "List unlock keys, without any secret";
    RevokeUnlockKey = Post "/unlock-keys/{index}/revoke", Token, "Revoke an unlock key; takes another one";
    Login = Post "/auth/login", Unlocked, "Prove a password and get a token";
    RenewToken = Post "/auth/token/renew", Token, "Let one's own token live on";
    ListTokens = Get "/tokens", Token, "List tokens, of a user or of everybody";
    RevokeToken = Delete "/tokens/{accessor}", Token, "End a token of anybody";
    ReadSelf = Get "/self", Token, "Read one's own user";
    ListOwnAccessKeys = Get "/self/access-keys", Token, "List one's own access keys";
    AddOwnAccessKey = Post "/self/access-keys", Token, "Add an access key of one's own";
    RemoveOwnAccessKey = Delete "/self/access-keys/{key}", Token, "Remove an access key of one's own";
    SetOwnPassword = Put "/self/password", Token, "Set one's own password";
    ListOwnTokens = Get "/self/tokens", Token, "List one's own tokens";
    RevokeOwnToken = Delete "/self/tokens/{accessor}", Token, "End a token of one's own";
    ListUsers = Get "/users", Token, "List users";
    CreateUser = Post "/users", Token, "Create a user";
    ReadUser = Get "/users/{user}", Token, "Read a user";
    UpdateUser = Put "/users/{user}", Token, "Enable or disable a user";
    RemoveUser = Delete "/users/{user}", Token, "Remove a user with every credential and token";
    ListAccessKeys = Get "/users/{user}/access-keys", Token, "List a user's access keys";
    AddAccessKey = Post "/users/{user}/access-keys", Token, "Give a user an access key";
    RemoveAccessKey = Delete "/users/{user}/access-keys/{key}", Token, "Remove a user's access key";
    SetPassword = Put "/users/{user}/password", Token, "Set a user's password";
    RemovePassword = Delete "/users/{user}/password", Token, "Remove a user's password";
    RevokeTokens = Delete "/users/{user}/tokens", Token, "End all tokens of a user";
    ListGroups = Get "/groups", Token, "List groups";
    CreateGroup = Post "/groups", Token, "Create a group";
    ReadGroup = Get "/groups/{group}", Token, "Read a group with its members";
    RemoveGroup = Delete "/groups/{group}", Token, "Remove a group";
    AddMember = Put "/groups/{group}/members/{user}", Token, "Put a user into a group";
    RemoveMember = Delete "/groups/{group}/members/{user}", Token, "Take a user out of a group";
    ListAcls = Get "/acls", Token, "List ACLs";
    CreateAcl = Post "/acls", Token, "Create an ACL";
    ReadAcl = Get "/acls/{acl}", Token, "Read an ACL with whom it is attached to";
    UpdateAcl = Put "/acls/{acl}", Token, "Change an ACL's rule, on request only if nobody else did";
    RemoveAcl = Delete "/acls/{acl}", Token, "Remove an ACL; one that is attached only by force";
    AttachToUser = Put "/users/{user}/acls/{acl}", Token, "Attach an ACL to a user";
    DetachFromUser = Delete "/users/{user}/acls/{acl}", Token, "Detach an ACL from a user";
    AttachToGroup = Put "/groups/{group}/acls/{acl}", Token, "Attach an ACL to a group";
    DetachFromGroup = Delete "/groups/{group}/acls/{acl}", Token, "Detach an ACL from a group";
    ListKeysets = Get "/keysets", Token, "List keysets";
    ListStores = Get "/stores", Token, "List stores";
    CreateStore = Post "/stores", Token, "Create a store";
    ReadStore = Get "/stores/{store}", Token, "Read a store's metadata";
    ConfigureStore = Put "/stores/{store}", Token, "Change a store's settings";
    RemoveStore = Delete "/stores/{store}", Token, "Remove a store and everything in it";
    ListStoreTypes = Get "/store-types", Token, "List the types of store, with their settings";
    ListSecrets = Get "/stores/{store}/secrets", Token, "List or search secrets by prefix";
    ListExpiring = Get "/expiring", Token, "List the secrets of all stores that expire within a time";
    GetSecret = Get "/stores/{store}/secrets/{*path}", Token, "Read a secret";
    PutSecret = Put "/stores/{store}/secrets/{*path}", Token, "Write a new version of a secret";
    RemoveSecret = Delete "/stores/{store}/secrets/{*path}", Token, "Remove a secret with all its versions";
    GenerateSecret = Post "/stores/{store}/generate/{*path}", Token, "Generate a new version of a secret";
    ReadPublic = Get "/stores/{store}/public/{*path}", Token, "Read the public half of a secret";
    DeleteSecret = Post "/stores/{store}/delete/{*path}", Token, "Delete versions of a secret";
    UndeleteSecret = Post "/stores/{store}/undelete/{*path}", Token, "Bring deleted versions of a secret back";
    DestroySecret = Post "/stores/{store}/destroy/{*path}", Token, "Destroy versions of a secret for good";
    ReadMetadata = Get "/stores/{store}/metadata/{*path}", Token, "Read a secret's metadata";
    ReadTrail = Get "/audit/entries", Token, "Read entries of the trail";
    ExportTrail = Get "/audit/export", Token, "Export the trail as NDJSON";
    ListSegments = Get "/audit/segments", Token, "List the segments of the trail that moved out of the store";
    VerifyTrail = Post "/audit/verify", Token, "Verify the trail, on request against a checkpoint";
    CreateBackup = Post "/backup", Token, "Take a backup: a stream, sealed as at rest";
    Checkpoint = Post "/audit/checkpoint", Token, "Sign a checkpoint of the trail";
    AddSharingAdmin = Post "/sharing/admins", Token, "Add an administrator of the sharing system, or log one in";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_rows_share_method_and_path() {
        for (at, row) in Endpoint::ALL.iter().enumerate() {
            for other in &Endpoint::ALL[at + 1..] {
                assert!((row.method(), row.path()) != (other.method(), other.path()), "{row:?} {other:?}");
            }
        }
    }
}
