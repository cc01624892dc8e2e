//! The time that a field tells: seconds since 1970 in any of the units that are about, or a date.

use jiff::Timestamp;
use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;

const SECONDS_A_DAY: i64 = 86_400;

/// The day of a value, counted from 1970-01-01 in UTC; nothing where it tells no time.
///
/// Numbers are seconds, milliseconds, microseconds or nanoseconds since 1970, told apart by their size. Texts are numbers,
/// RFC 3339, or a date with or without a time, which is UTC.
pub(crate) fn day(value: &str) -> Option<i32> {
    let seconds = number(value).or_else(|| text(value))?;
    i32::try_from(seconds.div_euclid(SECONDS_A_DAY)).ok()
}

fn number(value: &str) -> Option<i64> {
    let whole = value.split_once('.').map_or(value, |(whole, _)| whole);
    let number: i64 = whole.parse().ok()?;
    Some(match number.unsigned_abs() {
        0..100_000_000_000 => number,
        100_000_000_000..100_000_000_000_000 => number.div_euclid(1_000),
        100_000_000_000_000..100_000_000_000_000_000 => number.div_euclid(1_000_000),
        _ => number.div_euclid(1_000_000_000),
    })
}

fn text(value: &str) -> Option<i64> {
    if value.len() > 40 {
        return None;
    }
    let zoned = value.parse::<Timestamp>().ok();
    let civil = || value.parse::<DateTime>().ok().or_else(|| Some(value.parse::<Date>().ok()?.into()));
    let utc = || civil()?.to_zoned(TimeZone::UTC).ok().map(|zoned| zoned.timestamp());
    zoned.or_else(utc).map(Timestamp::as_second)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_day_however_it_is_written() {
        let written = [
            "1604966400",
            "1604966400.25",
            "1604966400000",
            "1604966400000000",
            "1604966400000000000",
            "2020-11-10T00:00:00Z",
            "2020-11-10T23:59:59.999Z",
            "2020-11-09T20:00:00-05:00",
            "2020-11-10 12:30:00",
            "2020-11-10",
        ];
        for value in written {
            assert_eq!(day(value), Some(18_576), "{value}");
        }
        assert_eq!(day("-1"), Some(-1));
        for value in ["", "x", "yesterday", "2020-13-01", &"1".repeat(60)] {
            assert_eq!(day(value), None, "{value}");
        }
    }
}
