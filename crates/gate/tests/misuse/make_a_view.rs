//! A view comes out of a permit.

fn secret(found: strongroom_gate::Secret) -> strongroom_gate::SecretReadView {
    strongroom_gate::SecretReadView(found)
}

fn main() {}
