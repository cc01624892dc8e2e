//! A permit comes from the gate only.

use strongroom_gate::{Action, Secret, SecretReadView};

struct Read;
impl Action for Read {
    const CODE: strongroom_model::Action = strongroom_model::Action::GetSecret;
    type Resource = Secret;
    type View = SecretReadView;
}

fn forge(view: SecretReadView, entry: strongroom_gate::Entry) -> strongroom_gate::Permit<Read> {
    strongroom_gate::Permit { view, entry }
}

fn main() {}
