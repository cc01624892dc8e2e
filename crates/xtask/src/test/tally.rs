//! What ran, how it went, how long it took.

use std::time::Duration;

/// Counts of one stage or of all.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(crate) struct Tally {
    pub(crate) passed: usize,
    pub(crate) failed: usize,
    /// What was skipped, each with its reason.
    pub(crate) skipped: Vec<String>,
}

impl Tally {
    /// One check that passed or failed.
    pub(crate) fn one(passed: bool) -> Self {
        Self { passed: usize::from(passed), failed: usize::from(!passed), skipped: Vec::new() }
    }

    /// One check that could not run.
    pub(crate) fn skip(why: impl Into<String>) -> Self {
        Self { skipped: vec![why.into()], ..Self::default() }
    }

    pub(crate) fn add(&mut self, other: Self) {
        self.passed += other.passed;
        self.failed += other.failed;
        self.skipped.extend(other.skipped);
    }

    /// Reads what libtest printed: its closing lines, ignored tests, and lines in which a test says `SKIPPED: why`.
    pub(crate) fn of_output(name: &str, output: &str) -> Self {
        let mut tally = Self::default();
        for line in output.lines() {
            if let Some(counts) = line.trim().strip_prefix("test result: ") {
                tally.add(Self::of_result(counts));
            } else if line.starts_with("test ") && line.contains("... ignored") {
                tally.skipped.push(format!("{name}: {line}"));
            } else if let Some((_, why)) = line.split_once("SKIPPED:") {
                tally.skipped.push(format!("{name}: {}", why.trim()));
            }
        }
        tally
    }

    /// `ok. 12 passed; 0 failed; 3 ignored; ...`: the ignored are counted by their own lines.
    fn of_result(counts: &str) -> Self {
        let mut tally = Self::default();
        for part in counts.split([';', '.']) {
            let mut words = part.split_whitespace();
            match (words.next().and_then(|count| count.parse().ok()), words.next()) {
                (Some(count), Some("passed")) => tally.passed = count,
                (Some(count), Some("failed")) => tally.failed = count,
                _ => {}
            }
        }
        tally
    }
}

/// One row of the summary.
pub(crate) struct Row {
    pub(crate) stage: &'static str,
    pub(crate) took: Duration,
    pub(crate) tally: Tally,
}

/// Prints the summary; the last line alone on its line. Whether nothing failed.
pub(crate) fn print(rows: &[Row]) -> bool {
    let mut all = Tally::default();
    println!("\n{:<12} {:>8} {:>7} {:>7} {:>8}", "stage", "seconds", "passed", "failed", "skipped");
    for row in rows {
        let (tally, seconds) = (&row.tally, row.took.as_secs_f64());
        let skipped = tally.skipped.len();
        println!("{:<12} {seconds:>8.1} {:>7} {:>7} {skipped:>8}", row.stage, tally.passed, tally.failed);
        all.add(tally.clone());
    }
    let total: f64 = rows.iter().map(|row| row.took.as_secs_f64()).sum();
    println!("{:<12} {total:>8.1}", "all");
    for why in &all.skipped {
        println!("skipped: {why}");
    }
    println!("{} passed, {} failed, {} skipped", all.passed, all.failed, all.skipped.len());
    all.failed == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn closing_lines_are_summed_and_skips_are_kept_with_their_reasons() {
        let output = "running 3 tests\ntest a ... ok\ntest b ... ignored, slow\nSKIPPED: no wrk here\n\
                      test result: ok. 12 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.1s\n\
                      test result: FAILED. 1 passed; 2 failed; 0 ignored; 0 measured; 0 filtered out";
        let tally = Tally::of_output("store", output);
        assert_eq!((tally.passed, tally.failed), (13, 2));
        assert_eq!(tally.skipped, ["store: test b ... ignored, slow", "store: no wrk here"]);
    }

    #[test]
    fn what_is_no_closing_line_counts_nothing() {
        assert_eq!(Tally::of_output("x", "5 passed; 1 failed\nthe test result: none"), Tally::default());
    }
}
