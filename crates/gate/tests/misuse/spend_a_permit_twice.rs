//! A permit is leave to do one thing once.

use strongroom_gate::{Action, Secret, SecretReadView};

struct Read;
impl Action for Read {
    const CODE: strongroom_model::Action = strongroom_model::Action::GetSecret;
    type Resource = Secret;
    type View = SecretReadView;
}

fn twice(permit: strongroom_gate::Permit<Read>) {
    let _ = permit.open();
    let _ = permit.open();
}

fn main() {}
