//! An entry comes with a permit.

fn make() -> strongroom_gate::Entry {
    strongroom_gate::Entry { record: None }
}

fn main() {}
