//! Only the gate holds the barrier and the store.

fn barrier(gate: &strongroom_gate::Gate) {
    let _ = gate.barrier();
}

fn store(gate: &strongroom_gate::Gate) {
    let _ = gate.store();
}

fn main() {}
