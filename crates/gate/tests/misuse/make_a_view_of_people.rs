//! A view comes out of a permit.

fn people() -> strongroom_gate::PeopleView {
    strongroom_gate::PeopleView { opened: unreachable!() }
}

fn main() {}
