//! A permit to read is no permit to write.
use strongroom_gate::{Action, Secret, SecretReadView, SecretWriteView};

struct Read;
impl Action for Read {
    const CODE: strongroom_model::Action = strongroom_model::Action::GetSecret;
    type Resource = Secret;
    type View = SecretReadView;
}

struct Write;
impl Action for Write {
    const CODE: strongroom_model::Action = strongroom_model::Action::PutSecret;
    type Resource = Secret;
    type View = SecretWriteView;
}

fn needs_leave_to_write(_: strongroom_gate::Permit<Write>) {}

fn pass(permit: strongroom_gate::Permit<Read>) {
    needs_leave_to_write(permit);
}

fn main() {}
