//! A permit is not copied, nor is an entry.

use strongroom_gate::{Action, Secret, SecretReadView};

struct Read;
impl Action for Read {
    const CODE: strongroom_model::Action = strongroom_model::Action::GetSecret;
    type Resource = Secret;
    type View = SecretReadView;
}

fn needs_a_copy<T: Clone>(_: T) {}

fn copy(permit: strongroom_gate::Permit<Read>, entry: strongroom_gate::Entry) {
    needs_a_copy(permit);
    needs_a_copy(entry);
}

fn main() {}
