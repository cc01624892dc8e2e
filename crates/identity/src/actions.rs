//! The engine's actions, as types.

use strongroom_gate::{People, PeopleView, Rules, RulesView, actions};

actions! {
    /// Ask for a challenge.
    Challenge = Challenge: People => PeopleView;
    /// Prove possession and get a token.
    Authorize = Authorize: People => PeopleView;
    /// Look one's own token up.
    LookupToken = LookupToken: People => PeopleView;
    /// End one's own token.
    Deauth = Deauth: People => PeopleView;
    /// Ask why oneself may or may not do something.
    ExplainSelf = ExplainSelf: Rules => RulesView;
    /// Ask why a user may or may not do something.
    Explain = Explain: Rules => RulesView;
    /// Ask who may do something.
    WhoCan = WhoCan: Rules => RulesView;
}
