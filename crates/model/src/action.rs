//! Actions: everything that can be asked, each with a stable number and name.

/// What an action does to the store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// Gives something up; changes nothing but the trail.
    Read,
    /// Changes something.
    Write,
}

macro_rules! actions {
    ($($(#[$doc:meta])* $variant:ident = $code:literal, $name:literal, $effect:ident;)*) => {
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
        }
    };
}

actions! {
    /// Make the root key, the unlock keys and the first user.
    Initialise = 1, "operator.initialise", Write;
    /// Confirm that the unlock keys are kept.
    ConfirmInitialise = 2, "operator.confirm_initialise", Write;
    /// Present an unlock key.
    Unlock = 3, "operator.unlock", Write;
    /// Lock.
    Lock = 4, "operator.lock", Write;
    /// Begin a rotation of the root key.
    RotateRoot = 5, "operator.rotate_root", Write;
    /// Finish a rotation of the root key.
    ConfirmRotateRoot = 6, "operator.confirm_rotate_root", Write;
    /// Give a rotation of the root key up.
    CancelRotateRoot = 7, "operator.cancel_rotate_root", Write;
    /// Add auto-unlock.
    AddAutoUnlock = 8, "operator.add_auto_unlock", Write;
    /// Remove auto-unlock.
    RemoveAutoUnlock = 9, "operator.remove_auto_unlock", Write;
    /// Unlock without a person.
    AutoUnlock = 10, "operator.auto_unlock", Write;
    /// The server started.
    Start = 11, "operator.start", Write;
    /// The server stopped in good order.
    Stop = 12, "operator.stop", Write;
    /// Accept the wall clock after a jump.
    AcceptClock = 13, "operator.accept_clock", Write;

    /// Remove what has expired.
    Housekeeping = 14, "operator.housekeeping", Write;

    /// Read entries of the trail.
    ReadTrail = 32, "audit.read", Read;
    /// Verify the trail.
    VerifyTrail = 33, "audit.verify", Read;
    /// Sign a checkpoint.
    Checkpoint = 34, "audit.checkpoint", Write;

    /// Ask for a challenge.
    Challenge = 64, "token.challenge", Read;
    /// Prove possession and get a token.
    Authorize = 65, "token.authorize", Write;
    /// Look one's own token up.
    LookupToken = 66, "token.lookup", Read;
    /// End one's own token.
    Deauth = 67, "token.deauth", Write;

    /// Create a store.
    CreateStore = 96, "store.create", Write;
    /// Read a store's metadata.
    ReadStore = 97, "store.read", Read;
    /// List stores.
    ListStores = 98, "store.list", Read;
    /// Remove a store and all in it.
    RemoveStore = 99, "store.remove", Write;
    /// List keysets.
    ListKeysets = 100, "keyset.list", Read;

    /// Write a version of a secret.
    PutSecret = 128, "secret.put", Write;
    /// Read a secret's value.
    GetSecret = 129, "secret.get", Read;
    /// List a store's secrets.
    ListSecrets = 130, "secret.list", Read;
    /// Delete a secret.
    DeleteSecret = 131, "secret.delete", Write;
    /// Read a secret's metadata and versions.
    ReadMetadata = 132, "secret.metadata", Read;
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
