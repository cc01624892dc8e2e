//! Why somebody may or may not do something, and who may.

use crate::{Explain, ExplainSelf, WhoCan};
use strongroom_gate::{Able, Explanation, Held, Permit, Verdict};
use strongroom_model::{Access, Action};

/// What was asked, and for each kind of access the answer.
#[derive(Debug)]
pub struct Answered<T> {
    /// The action.
    pub action: Action,
    /// What upon, as it was named.
    pub resource: String,
    /// The answers.
    pub answers: Vec<(Access, T)>,
}

/// Why oneself may or may not.
pub fn explain_self(permit: Permit<ExplainSelf>) -> Held<Answered<Explanation>> {
    let (view, entry) = permit.open();
    let answers = view.explain();
    entry.hold(Verdict::Released, answered(view.ask(), answers))
}

/// Why a user may or may not.
pub fn explain(permit: Permit<Explain>) -> Held<Answered<Explanation>> {
    let (view, entry) = permit.open();
    let answers = view.explain();
    entry.hold(Verdict::Released, answered(view.ask(), answers))
}

/// Who may.
pub fn who_can(permit: Permit<WhoCan>) -> Held<Answered<Vec<Able>>> {
    let (view, mut entry) = permit.open();
    let answers = view.who_can();
    entry.note(format!("{} users", answers.iter().map(|(_, able)| able.len()).max().unwrap_or(0)));
    entry.hold(Verdict::Released, answered(view.ask(), answers))
}

fn answered<T>(ask: &strongroom_gate::Ask, answers: Vec<(Access, T)>) -> Answered<T> {
    Answered { action: ask.action, resource: ask.target().to_string(), answers }
}
