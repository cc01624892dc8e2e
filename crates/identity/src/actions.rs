//! The engine's actions, as types.

use strongroom_gate::{People, PeopleView, actions};

actions! {
    /// Ask for a challenge.
    Challenge = Challenge: People => PeopleView;
    /// Prove possession and get a token.
    Authorize = Authorize: People => PeopleView;
    /// Look one's own token up.
    LookupToken = LookupToken: People => PeopleView;
    /// End one's own token.
    Deauth = Deauth: People => PeopleView;
}
