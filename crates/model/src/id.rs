//! Ids: 128 random bits, immutable; request ids are UUIDs of version 7.

/// A text that is not an id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not an id: expected 32 hexadecimal digits, dashes allowed")]
pub struct IdError;

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
        pub struct $name(pub [u8; 16]);

        impl $name {
            /// The bytes.
            pub const fn as_bytes(&self) -> &[u8; 16] {
                &self.0
            }

            /// From a slice of exactly 16 bytes.
            pub fn from_slice(bytes: &[u8]) -> Option<Self> {
                bytes.try_into().ok().map(Self)
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                std::fmt::Display::fmt(uuid::Uuid::from_bytes_ref(&self.0), f)
            }
        }

        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                write!(f, "{}({self})", stringify!($name))
            }
        }

        impl std::str::FromStr for $name {
            type Err = IdError;

            fn from_str(text: &str) -> Result<Self, IdError> {
                uuid::Uuid::try_parse(text).map(|id| Self(id.into_bytes())).map_err(|_| IdError)
            }
        }
    )*};
}

ids! {
    /// A partition: tenant and encryption boundary.
    PartitionId;
    /// A folder: what a directory entry lies in (the partition's stores, a store's secrets, its users).
    FolderId;
    /// A secret store.
    StoreId;
    /// Anything a directory entry names inside a folder: a secret, for example.
    ObjectId;
    /// A keyset.
    KeysetId;
    /// A user.
    UserId;
    /// A group.
    GroupId;
    /// An ACL.
    AclId;
    /// A credential: an access key id, on the wire.
    CredentialId;
    /// A token's accessor: names the token without being it.
    TokenId;
    /// A request (UUID version 7); of a write, its idempotency key.
    RequestId;
    /// A background job (UUID version 7).
    JobId;
}

impl From<StoreId> for FolderId {
    fn from(store: StoreId) -> Self {
        Self(store.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_print_as_uuids_and_parse_back() {
        let id = StoreId([0xab; 16]);
        assert_eq!(id.to_string(), "abababab-abab-abab-abab-abababababab");
        assert_eq!(id.to_string().parse(), Ok(id));
        assert_eq!("abababababababababababababababab".parse(), Ok(id));
        assert_eq!("../etc".parse::<StoreId>(), Err(IdError));
    }
}
