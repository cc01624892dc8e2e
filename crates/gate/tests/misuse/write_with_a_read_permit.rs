//! A permit to read opens a view that reads.
use strongroom_gate::{Action, Secret, SecretReadView};

struct Read;
impl Action for Read {
    const CODE: strongroom_model::Action = strongroom_model::Action::GetSecret;
    type Resource = Secret;
    type View = SecretReadView;
}

fn write(permit: strongroom_gate::Permit<Read>) -> strongroom_gate::Batch {
    let (view, _) = permit.open();
    view.create(b"payload", b"plain")
}

fn main() {}
