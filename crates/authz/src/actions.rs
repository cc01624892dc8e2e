//! Sets of actions, and what kind of thing an action is about.

use strongroom_model::Action;

const WORDS: usize = 8;

/// One more than the highest code that a set can hold.
pub(crate) const CODES: usize = WORDS * 64;

/// A set of actions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub(crate) struct ActionSet([u64; WORDS]);

impl ActionSet {
    pub(crate) fn add(&mut self, actions: impl IntoIterator<Item = Action>) {
        for action in actions {
            if let Some(word) = self.0.get_mut(index(action) / 64) {
                *word |= 1 << (index(action) % 64);
            }
        }
    }

    pub(crate) fn has(&self, action: Action) -> bool {
        self.0.get(index(action) / 64).is_some_and(|word| word & (1 << (index(action) % 64)) != 0)
    }
}

/// Its place in tables of [`CODES`] places.
pub(crate) fn index(action: Action) -> usize {
    usize::from(action.code())
}

/// What an action is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Area {
    /// Secrets, or the names of secrets.
    Secrets,
    /// What a store is: its metadata, that it is there.
    StoresRead,
    /// Making, changing, removing a store.
    StoresAdmin,
    /// Installing: bound to a place, not to a user, and nothing an ACL could give.
    Installing,
    /// Everything else.
    Other,
}

pub(crate) const fn area(action: Action) -> Area {
    use Action as A;
    match action {
        A::Initialise | A::ConfirmInitialise => Area::Installing,
        A::ReadStore | A::ListStores => Area::StoresRead,
        A::CreateStore | A::RemoveStore | A::ConfigureStore => Area::StoresAdmin,
        A::PutSecret
        | A::GetSecret
        | A::ListSecrets
        | A::DeleteSecret
        | A::ReadMetadata
        | A::UndeleteSecret
        | A::DestroySecret
        | A::ReadPublic
        | A::GenerateSecret
        | A::ListExpiring
        | A::RemoveSecret => Area::Secrets,
        _ => Area::Other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_action_has_a_place_and_an_area_that_fits_its_name() {
        for action in Action::ALL.iter().copied() {
            assert!(index(action) < CODES, "{action:?}");
            let mut set = ActionSet::default();
            set.add([action]);
            assert!(Action::ALL.iter().all(|other| set.has(*other) == (*other == action)));
            let name = action.name();
            assert_eq!(area(action) == Area::Secrets, name.starts_with("secret."), "{name}");
            let of_store = matches!(area(action), Area::StoresAdmin | Area::StoresRead);
            assert_eq!(of_store, name.starts_with("store."), "{name}");
        }
    }
}
