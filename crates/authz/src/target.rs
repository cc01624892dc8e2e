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

/// A target that is kept while it is being worked upon: to be decided upon once more.
#[derive(Clone)]
pub struct OwnedTarget {
    make: fn(&Self) -> Target<'_>,
    name: Box<str>,
    path: Box<str>,
}

impl OwnedTarget {
    /// The target.
    pub fn target(&self) -> Target<'_> {
        (self.make)(self)
    }
}

impl From<&Target<'_>> for OwnedTarget {
    fn from(target: &Target<'_>) -> Self {
        let (make, name, path): (fn(&Self) -> Target<'_>, &str, &str) = match *target {
            Target::Server => (|_| Target::Server, "", ""),
            Target::Store(name) => (|own| Target::Store(&own.name), name, ""),
            Target::Secret { store, path } => {
                (|own| Target::Secret { store: &own.name, path: &own.path }, store, path)
            }
            Target::User(name) => (|own| Target::User(&own.name), name, ""),
            Target::Group(name) => (|own| Target::Group(&own.name), name, ""),
            Target::Acl(name) => (|own| Target::Acl(&own.name), name, ""),
            Target::Keyset(name) => (|own| Target::Keyset(&own.name), name, ""),
            Target::Job(name) => (|own| Target::Job(&own.name), name, ""),
            Target::Other(name) => (|own| Target::Other(&own.name), name, ""),
        };
        Self { make, name: name.into(), path: path.into() }
    }
}

impl std::fmt::Debug for OwnedTarget {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("OwnedTarget")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kept_target_is_the_target() {
        let targets = [
            Target::Server,
            Target::Store("a"),
            Target::Secret { store: "a", path: "b/c" },
            Target::User("a"),
            Target::Group("a"),
            Target::Acl("a"),
            Target::Keyset("a"),
            Target::Job("a"),
            Target::Other("a"),
        ];
        for target in targets {
            assert_eq!(OwnedTarget::from(&target).target(), target);
        }
    }
}
