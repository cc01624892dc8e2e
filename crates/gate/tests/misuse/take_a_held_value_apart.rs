//! A result is held until its entry is durable.

fn open(held: strongroom_gate::Held<String>) -> String {
    let strongroom_gate::Held { value, .. } = held;
    value
}

fn main() {}
