//! A view comes out of a permit.

fn trail(gate: std::sync::Arc<strongroom_gate::Gate>) -> strongroom_gate::TrailView {
    strongroom_gate::TrailView { gate, opened: unreachable!(), seer: None }
}

fn main() {}
