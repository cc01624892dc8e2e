//! Times as the original writes them: years, months, weeks, days, hours, minutes, seconds, milliseconds, in this order.

use std::fmt::Write as _;
use std::time::Duration;

const DAY: u64 = 86_400_000;
/// Each unit with its milliseconds. `ms` comes before `m` and `s`, so that it is not taken for one of them.
const UNITS: [(&str, u64); 8] = [
    ("Y", 365 * DAY),
    ("M", 30 * DAY),
    ("w", 7 * DAY),
    ("d", DAY),
    ("h", 3_600_000),
    ("m", 60_000),
    ("s", 1_000),
    ("ms", 1),
];

/// `1d12h`, `30m`, `10s500ms`; nothing else, and not nothing.
pub fn read(text: &str) -> Option<Duration> {
    let mut rest = text;
    let mut units = UNITS.iter();
    let mut millis: u64 = 0;
    while !rest.is_empty() {
        let digits = rest.find(|char: char| !char.is_ascii_digit())?;
        let (number, tail) = rest.split_at_checked(digits)?;
        let letters = tail.find(|char: char| char.is_ascii_digit()).unwrap_or(tail.len());
        let (unit, tail) = tail.split_at_checked(letters)?;
        // each unit once, larger ones first
        let (_, worth) = units.find(|(name, _)| *name == unit)?;
        millis = number.parse::<u64>().ok()?.checked_mul(*worth).and_then(|more| millis.checked_add(more))?;
        rest = tail;
    }
    (!text.is_empty()).then_some(Duration::from_millis(millis))
}

/// As [`read`] takes it.
pub fn written(time: Duration) -> String {
    let mut millis = u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
    let mut out = String::new();
    for (unit, worth) in UNITS {
        // a year and a month are no exact times; days say the same
        if matches!(unit, "Y" | "M" | "w") {
            continue;
        }
        if millis >= worth {
            // a text written into memory cannot fail
            let _ = write!(out, "{}{unit}", millis / worth);
            millis %= worth;
        }
    }
    if out.is_empty() { "0s".to_owned() } else { out }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_in_their_order() {
        for (text, seconds) in [
            ("30m", 1_800),
            ("1h", 3_600),
            ("1d12h", 129_600),
            ("2w", 1_209_600),
            ("1Y1M", (365 + 30) * 86_400),
            ("1m1s", 61),
            ("0s", 0),
        ] {
            assert_eq!(read(text), Some(Duration::from_secs(seconds)), "{text}");
        }
        assert_eq!(read("1s5ms"), Some(Duration::from_millis(1_005)));
        for text in [
            "",
            "m",
            "5",
            "1h1d",
            "1h1h",
            "-1h",
            "1 h",
            "1x",
            "99999999999999999999s",
            "18446744073709551615Y",
            "1µs",
        ] {
            assert_eq!(read(text), None, "{text}");
        }
    }

    #[test]
    fn what_is_written_is_read_the_same() {
        for millis in [0, 1, 999, 61_001, 3_600_000, 129_600_000, 40 * DAY] {
            let time = Duration::from_millis(millis);
            assert_eq!(read(&written(time)), Some(time), "{}", written(time));
        }
        assert_eq!(written(Duration::from_hours(1)), "1h");
    }
}
