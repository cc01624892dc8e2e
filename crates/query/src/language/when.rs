//! Times as people write them.

use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

/// One end of a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bound {
    /// The moment.
    pub at: Timestamp,
    /// Whether the moment itself belongs to it.
    pub inclusive: bool,
}

/// A time with up to two ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct TimeRange {
    /// Later than this.
    pub after: Option<Bound>,
    /// Earlier than this.
    pub before: Option<Bound>,
}

impl TimeRange {
    /// Whether it leaves anything out.
    pub fn is_everything(&self) -> bool {
        self.after.is_none() && self.before.is_none()
    }

    /// Whether a moment is in it.
    pub fn has(&self, at: Timestamp) -> bool {
        let is_after = self.after.is_none_or(|bound| at > bound.at || (bound.inclusive && at == bound.at));
        let is_before = self.before.is_none_or(|bound| at < bound.at || (bound.inclusive && at == bound.at));
        is_after && is_before
    }

    /// Whether no moment can be in it.
    pub fn is_empty(&self) -> bool {
        match (self.after, self.before) {
            (Some(after), Some(before)) if after.at == before.at => !(after.inclusive && before.inclusive),
            (Some(after), Some(before)) => after.at > before.at,
            _ => false,
        }
    }
}

/// What a person wrote for a time: a moment, or a whole day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum When {
    Moment(Timestamp),
    Day(Date),
}

impl When {
    /// Reads a date, a time, seconds since 1970, `now`, `today`, `yesterday`, or how long ago.
    pub(crate) fn read(text: &str, now: Timestamp) -> Option<Self> {
        let today = now.to_zoned(TimeZone::UTC).date();
        match text.to_ascii_lowercase().as_str() {
            "now" => return Some(Self::Moment(now)),
            "today" => return Some(Self::Day(today)),
            "yesterday" => return today.yesterday().ok().map(Self::Day),
            _ => {}
        }
        let numeric = seconds(text).or_else(|| ago(text, now));
        numeric.or_else(|| moment(text)).map(Self::Moment).or_else(|| day(text).map(Self::Day))
    }

    /// From its beginning on.
    pub(crate) fn since(self) -> Option<Bound> {
        let at = match self {
            Self::Moment(at) => at,
            Self::Day(date) => midnight(date)?,
        };
        Some(Bound { at, inclusive: true })
    }

    /// Up to its end: a day belongs to it as a whole.
    pub(crate) fn until(self) -> Option<Bound> {
        match self {
            Self::Moment(at) => Some(Bound { at, inclusive: true }),
            Self::Day(date) => Some(Bound { at: midnight(date.tomorrow().ok()?)?, inclusive: false }),
        }
    }
}

fn midnight(date: Date) -> Option<Timestamp> {
    Some(date.to_zoned(TimeZone::UTC).ok()?.timestamp())
}

fn seconds(text: &str) -> Option<Timestamp> {
    let whole = text.strip_prefix('-').unwrap_or(text);
    let is_number = !whole.is_empty() && whole.bytes().all(|byte| byte.is_ascii_digit());
    if !is_number {
        return None;
    }
    Timestamp::from_second(text.parse().ok()?).ok()
}

/// `90s`, `30m`, `24h`, `7d`, `2w` before now.
fn ago(text: &str, now: Timestamp) -> Option<Timestamp> {
    let unit = text.chars().next_back()?;
    let number: i64 = text.strip_suffix(unit)?.parse().ok().filter(|number| *number >= 0)?;
    let unit = match unit.to_ascii_lowercase() {
        's' => 1,
        'm' => 60,
        'h' => 3600,
        'd' => 86_400,
        'w' => 7 * 86_400,
        _ => return None,
    };
    now.checked_sub(SignedDuration::from_secs(number.checked_mul(unit)?)).ok()
}

/// A time with its zone, or without one in UTC.
fn moment(text: &str) -> Option<Timestamp> {
    if !text.contains([':', 'T', 't']) {
        return None;
    }
    text.parse().ok().or_else(|| {
        let civil: DateTime = text.parse().ok()?;
        Some(civil.to_zoned(TimeZone::UTC).ok()?.timestamp())
    })
}

/// `2026-11-01`, nothing else.
fn day(text: &str) -> Option<Date> {
    if text.len() != 10 || text.bytes().filter(|byte| *byte == b'-').count() != 2 {
        return None;
    }
    text.parse().ok()
}

/// The number of a day, from 1970-01-01.
pub(crate) fn day_number(text: &str, now: Timestamp) -> Option<i32> {
    match When::read(text, now)? {
        When::Day(date) => {
            let seconds = midnight(date)?.as_second();
            i32::try_from(seconds.div_euclid(86_400)).ok()
        }
        When::Moment(_) => None,
    }
}
