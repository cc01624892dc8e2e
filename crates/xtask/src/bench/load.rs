//! Loads made by `wrk`, with `bench/load.lua`; the server's CPU is read before and after.

use std::path::Path;
use std::process::Command;

use serde::Deserialize;

use super::process;
use super::product::{Product, Request};
use crate::{Outcome, shell};

/// How much at once, and for how long.
#[derive(Debug, Clone, Copy)]
pub(super) struct Shape {
    pub(super) connections: u32,
    pub(super) seconds: u32,
    /// First number put into the path.
    pub(super) from: u64,
    /// Numbers go round after so many; 0: never, each request is a new one.
    pub(super) round: u64,
}

/// What came of it.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Measured {
    pub(super) rate: f64,
    pub(super) p50_micros: f64,
    pub(super) p99_micros: f64,
    pub(super) cpu_micros: f64,
    pub(super) requests: u64,
}

/// The line that the script prints at its end.
#[derive(Deserialize)]
struct Done {
    requests: u64,
    micros: u64,
    errors: u64,
    p50: f64,
    p99: f64,
    bytes: u64,
}

/// Runs a load. An answer that is no success makes it an error: speed of refusals is not measured.
pub(super) fn run(root: &Path, product: &Product, request: &Request, shape: Shape) -> Outcome<Measured> {
    let before = process::cpu_micros(product.pid())?;
    let done = wrk(root, product, request, shape)?;
    let cpu = process::cpu_micros(product.pid())? - before;
    if done.errors > 0 || done.requests == 0 || done.bytes == 0 {
        let (errors, requests) = (done.errors, done.requests);
        return Err(
            format!("{}: {} of {requests} requests failed: {}", product.name, errors, request.path).into()
        );
    }
    let requests = precise(done.requests);
    Ok(Measured {
        rate: requests / (precise(done.micros) / 1e6),
        p50_micros: done.p50,
        p99_micros: done.p99,
        cpu_micros: cpu / requests,
        requests: done.requests,
    })
}

fn wrk(root: &Path, product: &Product, request: &Request, shape: Shape) -> Outcome<Done> {
    let mut command = Command::new("wrk");
    command.arg("--threads").arg(shape.connections.min(2).to_string());
    command.arg("--connections").arg(shape.connections.to_string());
    command.arg("--duration").arg(format!("{}s", shape.seconds)).args(["--timeout", "60s"]);
    command.arg("--script").arg(root.join("bench/load.lua"));
    command.arg("--header").arg(&product.token).arg(&product.url).arg("--");
    command
        .args([request.method, &request.path])
        .arg(request.body_file.as_deref().unwrap_or_else(|| Path::new("-")));
    command.args([shape.from, shape.round].map(|number| number.to_string()));
    let output = shell::read(&mut command)?;
    let line = output.lines().find_map(|line| line.strip_prefix("DONE "));
    let line = line.ok_or_else(|| format!("wrk said nothing of use:\n{output}"))?;
    Ok(serde_json::from_str(line)?)
}

/// Writes numbers from 0 to `count`, each once, with our own client, which knows exactly what was acknowledged.
pub(super) fn fill(root: &Path, product: &Product, request: &Request, count: u64) -> Outcome<()> {
    let mut command = Command::new(root.join("target/release/strongroom-load"));
    command
        .args(["fill", "--url", &product.url, "--header", &product.token])
        .arg("--cacert")
        .arg(&product.authority);
    command.args(["--method", request.method, "--path", &request.path, "--connections", "64"]);
    command.arg("--count").arg(count.to_string());
    if let Some(body) = &request.body_file {
        command.arg("--body").arg(body);
    }
    shell::read(&mut command).map(drop)
}

/// Counts here stay far below 2^53.
#[expect(clippy::cast_precision_loss, reason = "counts and microseconds of a bench stay far below 2^53")]
pub(super) fn precise(count: u64) -> f64 {
    count as f64
}

/// The median of several rounds, measure by measure.
pub(super) fn median(rounds: &[Measured]) -> Measured {
    let of = |pick: fn(&Measured) -> f64| {
        let mut values: Vec<f64> = rounds.iter().map(pick).collect();
        values.sort_by(f64::total_cmp);
        values.get(values.len() / 2).copied().unwrap_or_default()
    };
    Measured {
        rate: of(|round| round.rate),
        p50_micros: of(|round| round.p50_micros),
        p99_micros: of(|round| round.p99_micros),
        cpu_micros: of(|round| round.cpu_micros),
        requests: rounds.iter().map(|round| round.requests).sum(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_median_is_taken_measure_by_measure() {
        let round = |rate, p50| Measured { rate, p50_micros: p50, requests: 10, ..Measured::default() };
        let all = median(&[round(3.0, 1.0), round(1.0, 3.0), round(2.0, 2.0)]);
        assert!((all.rate - 2.0).abs() < 1e-9 && (all.p50_micros - 2.0).abs() < 1e-9);
        assert_eq!(all.requests, 30);
    }
}
