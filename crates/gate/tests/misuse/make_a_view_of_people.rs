//! A view comes out of a permit.

fn people() -> strongroom_gate::PeopleView {
    strongroom_gate::PeopleView { opened: unreachable!() }
}

fn trail(gate: std::sync::Arc<strongroom_gate::Gate>) -> strongroom_gate::TrailView {
    strongroom_gate::TrailView { gate, opened: unreachable!() }
}

fn main() {}
