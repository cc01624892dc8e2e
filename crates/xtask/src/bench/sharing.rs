//! Sharing: encryption by attributes beside the group operations that it cannot do without, envelopes, tokens, and the
//! exchange under ten million records. Method and limits stand in `bench/README.md`.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use super::table::{self, Figure, Goal};
use crate::{Outcome, clock, shell};

/// Programs that measure one crate each, and print their tables.
const RATES: [&str; 4] = ["abe", "blindindex", "envelope", "collector"];
/// The original's own path, measured with charm 0.62 and PBC, both compiled by hand: encrypting and decrypting for ten
/// attributes, milliseconds, at about 80 bits of security.
const ORIGINAL: (f64, f64) = (32.8, 16.2);
/// Why it is not measured in this run.
const NO_CHARM: &str = "the original's figures are recorded ones: charm-crypto-framework 0.62 has no wheel on PyPI, and \
                        its sources need the PBC library, which neither PyPI nor Debian 12 carries";

/// Runs it, prints its page and writes it to `target/bench/sharing.md`.
pub(super) fn run(root: &Path, arguments: &[String]) -> Outcome<bool> {
    if let Some(other) = arguments.iter().find(|word| *word != "--quick") {
        return Err(format!("unknown argument {other}").into());
    }
    let is_quick = !arguments.is_empty();
    let mut printed = Vec::new();
    for package in RATES {
        if !root.join("crates").join(package).join("examples/rate.rs").is_file() {
            println!("{package}: has no examples/rate.rs");
            continue;
        }
        println!("{package}");
        printed.push((package, rate(root, package)?));
    }
    let mut figures = printed.first().map(|(_, text)| attributes(text)).unwrap_or_default();
    figures.extend(
        printed.iter().find(|(package, _)| *package == "blindindex").and_then(|(_, text)| tokens(text)),
    );
    if root.join("crates/exchange/examples/bulk.rs").is_file() {
        let records = if is_quick { "100000" } else { "10000000" };
        println!("exchange, {records} records");
        printed.push(("exchange", bulk(root, records)?));
    }
    let records = if is_quick { "10000" } else { "100000" };
    println!("collectors to exchange, {records} records");
    printed.push(("collectors to exchange", collecting(root, records)?));
    let mut page = table::page("Sharing", "the original", &figures, &[], &[NO_CHARM.to_owned()]);
    for (package, text) in &printed {
        page.push_str("\n## ");
        page.push_str(package);
        page.push_str("\n\n```\n");
        page.push_str(text.trim_end());
        page.push_str("\n```\n");
    }
    println!("\n{page}");
    let folder = root.join("target/bench");
    std::fs::create_dir_all(&folder)?;
    std::fs::write(folder.join("sharing.md"), page)?;
    Ok(true)
}

fn rate(root: &Path, package: &str) -> Outcome<String> {
    example(root, package, "rate", &[], clock::minutes(30))
}

fn bulk(root: &Path, records: &str) -> Outcome<String> {
    let folder = root.join("target/bench/exchange");
    if folder.exists() {
        std::fs::remove_dir_all(&folder)?;
    }
    std::fs::create_dir_all(&folder)?;
    example(root, "exchange", "bulk", &[&folder.display().to_string(), records], clock::minutes(60))
}

/// Records from files through three collectors, durable at the exchange.
fn collecting(root: &Path, records: &str) -> Outcome<String> {
    super::build(root, &["strongroom-cli", "strongroom-acceptance"])?;
    let home = root.join("target/bench/collecting");
    if home.exists() {
        std::fs::remove_dir_all(&home)?;
    }
    let mut command = Command::new(root.join("target/release/strongroom-acceptance"));
    command.arg(root.join("target/release/strongroom")).arg(&home).args(["--collect", records]);
    shell::read(&mut command)
}

/// What an example prints, built for speed.
fn example(root: &Path, package: &str, name: &str, words: &[&str], limit: Duration) -> Outcome<String> {
    let log = root.join("target/bench").join(format!("{package}-{name}.log"));
    let mut command = shell::cargo(root);
    command.args([
        "run",
        "--quiet",
        "--release",
        "--package",
        &format!("strongroom-{package}"),
        "--example",
        name,
    ]);
    command.arg("--").args(words);
    shell::log_to(&mut command, &log)?;
    let ended = shell::run(&mut command, limit)?;
    let printed = std::fs::read_to_string(&log)?;
    if ended.is_success() { Ok(printed) } else { Err(format!("{package}, {name}:\n{printed}").into()) }
}

/// Of ten attributes: the operations beside the floor of the same run and beside the original.
fn attributes(text: &str) -> Vec<Figure> {
    let figure = |name: &str, unit, goal, ours, theirs, note: String| Figure {
        name: name.into(),
        unit,
        goal,
        ours,
        theirs,
        note,
    };
    let floor = |name| row(text, name).map_or(String::new(), |floor| format!("floor {floor:.2}"));
    let (enc, dec) = ("encapsulation, warm", "decapsulation, warm");
    let (under, over) = (floor("floor of encapsulation"), floor("floor of opening with check"));
    let times = |what: &str, of: &str| Some(row(text, what)? / row(text, of)?);
    vec![
        figure(
            "encapsulate, 10 attributes",
            "ms",
            Goal::AtMost(7.6),
            row(text, enc),
            Some(ORIGINAL.0),
            under,
        ),
        figure(
            "decapsulate with check, 10 attributes",
            "ms",
            Goal::AtMost(9.2),
            row(text, dec),
            Some(ORIGINAL.1),
            over,
        ),
        figure(
            "encapsulate, of the floor",
            "times",
            Goal::AtMost(1.25),
            times(enc, "floor of encapsulation"),
            None,
            String::new(),
        ),
        figure(
            "decapsulate, of the floor",
            "times",
            Goal::AtMost(1.25),
            times(dec, "floor of opening with check"),
            None,
            String::new(),
        ),
        figure(
            "encapsulate beside the original",
            "ms",
            Goal::TimesLess(4.0),
            row(text, enc),
            Some(ORIGINAL.0),
            String::new(),
        ),
        figure(
            "decapsulate beside the original",
            "ms",
            Goal::TimesLess(1.7),
            row(text, dec),
            Some(ORIGINAL.1),
            String::new(),
        ),
    ]
}

/// The second of the three columns (5, 10, 50 attributes) of a row.
fn row(text: &str, name: &str) -> Option<f64> {
    let line = text.lines().find_map(|line| line.strip_prefix(name))?;
    line.split_whitespace().nth(1)?.parse().ok()
}

/// The dearest form of a token; goals are of any.
fn tokens(text: &str) -> Option<Figure> {
    let cost = |line: &str| line.strip_suffix(" us")?.rsplit(' ').next()?.parse::<f64>().ok();
    let dearest = text.lines().filter_map(cost).reduce(f64::max)?;
    let note = "the dearest form; the original's is RSA".to_owned();
    let name = "index token, canonical form included".to_owned();
    Some(Figure { name, unit: "us", goal: Goal::AtMost(1.0), ours: Some(dearest), theirs: Some(317.0), note })
}

#[cfg(test)]
mod tests {
    use super::*;

    const PRINTED: &str = "and of n attributes, ms          n=5     n=10     n=50
floor of encapsulation          3.70     6.10    24.00
encapsulation, warm             4.00     6.60    25.00
floor of opening with check     5.00     7.40    25.30
decapsulation, warm             5.20     8.00    26.00
";

    #[test]
    fn rows_are_read_at_ten_attributes() {
        assert_eq!(row(PRINTED, "encapsulation, warm"), Some(6.6));
        assert_eq!(row(PRINTED, "nothing"), None);
        let figures = attributes(PRINTED);
        assert_eq!(figures.iter().filter(|figure| figure.ours.is_some()).count(), 6);
    }

    #[test]
    fn the_dearest_token_is_told() {
        let figure = tokens("ip         0.412 us\nurl        0.977 us\n").unwrap();
        assert_eq!(figure.ours, Some(0.977));
    }
}
