//! The time that a field tells: seconds since 1970 in any of the units that are about, or a date. Who makes tokens of a day
//! and who checks them read it alike.

use jiff::Timestamp;
use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;

/// The moment of a value; nothing where it tells no time.
///
/// Numbers are seconds, milliseconds, microseconds or nanoseconds since 1970, told apart by their size. Texts are numbers,
/// RFC 3339, or a date with or without a time, which is UTC.
pub fn moment(value: &str) -> Option<Timestamp> {
    if value.len() > 40 {
        return None;
    }
    number(value).or_else(|| text(value))
}

/// The day of a value, from 1970-01-01 in UTC: what its tokens of a day are made with.
pub fn day(value: &str) -> Option<i32> {
    i32::try_from(moment(value)?.as_second().div_euclid(86_400)).ok()
}

fn number(value: &str) -> Option<Timestamp> {
    let (whole, fraction) = value.split_once('.').unwrap_or((value, ""));
    let number: i64 = whole.parse().ok()?;
    if !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    match number.unsigned_abs() {
        0..100_000_000_000 => {
            let digits: String = fraction.chars().chain("000000000".chars()).take(9).collect();
            let nanoseconds: i32 = digits.parse().ok()?;
            let is_negative = value.starts_with('-');
            Timestamp::new(number, if is_negative { -nanoseconds } else { nanoseconds }).ok()
        }
        100_000_000_000..100_000_000_000_000 => Timestamp::from_millisecond(number).ok(),
        100_000_000_000_000..100_000_000_000_000_000 => Timestamp::from_microsecond(number).ok(),
        _ => Timestamp::from_nanosecond(number.into()).ok(),
    }
}

fn text(value: &str) -> Option<Timestamp> {
    let zoned = value.parse::<Timestamp>().ok();
    let civil = || value.parse::<DateTime>().ok().or_else(|| Some(value.parse::<Date>().ok()?.into()));
    zoned.or_else(|| Some(civil()?.to_zoned(TimeZone::UTC).ok()?.timestamp()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_moment_however_it_is_written() {
        for value in [
            "1604966400",
            "1604966400000",
            "1604966400000000",
            "1604966400000000000",
            "2020-11-10T00:00:00Z",
            "2020-11-09T19:00:00-05:00",
            "2020-11-10 00:00:00",
            "2020-11-10",
        ] {
            assert_eq!(moment(value).map(Timestamp::as_second), Some(1_604_966_400), "{value}");
            assert_eq!(day(value), Some(18_576), "{value}");
        }
        assert_eq!(moment("1604966400.25").map(Timestamp::as_millisecond), Some(1_604_966_400_250));
        assert_eq!(day("2020-11-10T23:59:59.999Z"), Some(18_576));
        assert_eq!(day("-1"), Some(-1));
        for value in ["", "x", "yesterday", "2020-13-01", "1.x", &"1".repeat(60)] {
            assert_eq!(moment(value), None, "{value}");
        }
    }
}
