//! A result is held until its entry is durable.

fn take(held: strongroom_gate::Held<String>) -> String {
    held.value
}

fn look(held: &strongroom_gate::Held<String>) -> usize {
    held.len()
}

fn main() {}
