//! The engine's actions, as types.

use strongroom_gate::{Action, People, PeopleView};
use strongroom_model::Action as Code;

macro_rules! actions {
    ($($(#[$doc:meta])* $name:ident;)*) => {$(
        $(#[$doc])*
        #[derive(Debug)]
        pub struct $name;

        impl Action for $name {
            const CODE: Code = Code::$name;
            type Resource = People;
            type View = PeopleView;
        }
    )*};
}

actions! {
    /// Ask for a challenge.
    Challenge;
    /// Prove possession and get a token.
    Authorize;
    /// Look one's own token up.
    LookupToken;
    /// End one's own token.
    Deauth;
}
