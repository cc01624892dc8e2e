//! What a token costs, canonical form included.
//!
//! `cargo run --release -p strongroom-blindindex --example rate`. Processor time of the thread, the least of ten rounds.

#![expect(clippy::print_stdout, reason = "a program that prints a table")]

use rustix::time::{ClockId, clock_gettime};
use strongroom_blindindex::{Form, IndexRoot};

const VALUES: [(Form, &str); 9] = [
    (Form::Ip, "203.0.113.77"),
    (Form::Ip, "2001:db8::1:2:3"),
    (Form::Cidr, "203.0.113.0/24"),
    (Form::Domain, "Mail.Example.ORG"),
    (Form::Url, "https://Example.org/a/b?c=d"),
    (Form::Email, "Someone@Example.org"),
    (Form::Hash, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
    (Form::Port, "22"),
    (Form::Text, "Cowrie session opened"),
];
const TOKENS: u32 = 20_000;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let root = IndexRoot::copied(&[7; 32]).ok_or("a root has 32 bytes")?;
    let key = root.collector_epoch("north", 1).field("value");
    let mut scratch = Vec::new();
    for (form, value) in VALUES {
        let mut least = f64::INFINITY;
        for _ in 0..10 {
            let before = processor_us();
            for _ in 0..TOKENS {
                std::hint::black_box(key.token(form, std::hint::black_box(value), &mut scratch)?);
            }
            least = least.min((processor_us() - before) / f64::from(TOKENS));
        }
        println!("{:<8}{least:>8.3} us", form.name());
    }
    Ok(())
}

#[expect(clippy::cast_precision_loss, reason = "processor time of a short program")]
fn processor_us() -> f64 {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    time.tv_sec as f64 * 1e6 + time.tv_nsec as f64 / 1e3
}
