//! What an action is asked upon.

/// What an action is asked upon, as the caller named it: a typed target, never a free text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Target<'a> {
    /// The server itself, or all there is of a kind: a listing of stores, of users.
    Server,
    /// A store.
    Store(&'a str),
    /// A secret in a store.
    Secret {
        /// The store.
        store: &'a str,
        /// The path in it.
        path: &'a str,
    },
    /// A user.
    User(&'a str),
    /// A group.
    Group(&'a str),
    /// An ACL.
    Acl(&'a str),
    /// A keyset.
    Keyset(&'a str),
    /// A background job.
    Job(&'a str),
    /// Something else that a text names: an access key, a token's accessor.
    Other(&'a str),
}

impl std::fmt::Display for Target<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Server => Ok(()),
            Self::Secret { store, path } => write!(f, "{store}/{path}"),
            Self::Store(name)
            | Self::User(name)
            | Self::Group(name)
            | Self::Acl(name)
            | Self::Keyset(name)
            | Self::Job(name)
            | Self::Other(name) => f.write_str(name),
        }
    }
}
