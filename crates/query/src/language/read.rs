//! Pieces to a question, by descent.

use jiff::Timestamp;

use super::error::{LanguageError, Problem};
use super::scan::{Piece, Placed, pieces};
use super::when::{Bound, TimeRange, When, day_number};
use super::{Condition, MAX_DEPTH, MAX_QUERY_BYTES, MAX_TERMS, Question, Term, Wanted};

/// What may begin a part of a condition.
const A_PART: &str = "a value, `field=value` or `(`";
/// Words that no bare value is, unless it is quoted.
const KEYWORDS: [&str; 9] = ["and", "or", "not", "in", "under", "day", "since", "until", "arrived"];

struct Reader {
    pieces: std::vec::IntoIter<Placed>,
    ahead: Option<Placed>,
    /// What was read last, for errors, and the column behind it.
    last: String,
    end: usize,
    terms: usize,
    now: Timestamp,
}

pub(super) fn question(text: &str, now: Timestamp) -> Result<Question, LanguageError> {
    if text.len() > MAX_QUERY_BYTES {
        return Err(LanguageError { column: 1, problem: Problem::TooLong });
    }
    let mut pieces = pieces(text)?.into_iter();
    let ahead = pieces.next();
    let end = text.trim_end().chars().count() + 1;
    let mut reader = Reader { pieces, ahead, last: "the beginning".to_owned(), end, terms: 0, now };
    if reader.ahead.is_none() {
        return Err(reader.wrong(Problem::Empty));
    }
    if reader.at_time() {
        return Err(reader.wrong(Problem::Empty));
    }
    let column = reader.column();
    let condition = reader.any(0)?;
    if !condition.finds() {
        return Err(LanguageError { column, problem: Problem::OnlyUnlike });
    }
    let mut happened = TimeRange::default();
    let mut arrived = TimeRange::default();
    while reader.at_time() {
        reader.time(&mut happened, &mut arrived)?;
    }
    match reader.ahead {
        None => Ok(Question { condition, happened, arrived }),
        Some(Placed { piece: Piece::Close, column }) => {
            Err(LanguageError { column, problem: Problem::Closes })
        }
        Some(Placed { piece, column }) => {
            Err(LanguageError { column, problem: Problem::Joint { found: piece.shown() } })
        }
    }
}

impl Condition {
    /// Whether the exchange can be asked for it: each of several possibilities must look for something.
    fn finds(&self) -> bool {
        match self {
            Self::Term(term) => !matches!(term.wanted, Wanted::Unlike(_)),
            Self::All(parts) => parts.iter().any(Self::finds),
            Self::Any(parts) => parts.iter().all(Self::finds),
        }
    }

    /// Puts a day to every value in it.
    fn on_day(&mut self, day: i32) -> Result<(), usize> {
        match self {
            Self::Term(term) => match std::mem::replace(&mut term.wanted, Wanted::Value(String::new())) {
                Wanted::Value(value) => {
                    term.wanted = Wanted::OnDay(value, day);
                    Ok(())
                }
                _ => Err(term.column),
            },
            Self::All(parts) | Self::Any(parts) => parts.iter_mut().try_for_each(|part| part.on_day(day)),
        }
    }
}

impl Reader {
    fn column(&self) -> usize {
        self.ahead.as_ref().map_or(self.end, |placed| placed.column)
    }

    fn wrong(&self, problem: Problem) -> LanguageError {
        LanguageError { column: self.column(), problem }
    }

    fn expected(&self, expected: &'static str) -> LanguageError {
        self.wrong(Problem::Expected { expected, after: self.last.clone() })
    }

    fn take(&mut self) -> Option<Placed> {
        let taken = self.ahead.take();
        self.ahead = self.pieces.next();
        if let Some(placed) = &taken {
            self.last = match &placed.piece {
                Piece::Word(word) if word.eq_ignore_ascii_case("and") => "AND".to_owned(),
                Piece::Word(word) if word.eq_ignore_ascii_case("or") => "OR".to_owned(),
                piece => format!("`{}`", piece.shown()),
            };
        }
        taken
    }

    fn at(&self, keyword: &str) -> bool {
        self.ahead.as_ref().is_some_and(|placed| placed.piece.is(keyword))
    }

    fn at_time(&self) -> bool {
        ["since", "until", "arrived"].iter().any(|word| self.at(word))
    }

    fn any(&mut self, depth: usize) -> Result<Condition, LanguageError> {
        let mut parts = vec![self.all(depth)?];
        while self.at("or") {
            self.take();
            parts.push(self.all(depth)?);
        }
        Ok(joined(parts, Condition::Any))
    }

    fn all(&mut self, depth: usize) -> Result<Condition, LanguageError> {
        let mut parts = vec![self.part(depth)?];
        while self.at("and") {
            self.take();
            parts.push(self.part(depth)?);
        }
        Ok(joined(parts, Condition::All))
    }

    fn part(&mut self, depth: usize) -> Result<Condition, LanguageError> {
        if self.at("not") {
            return Err(self.wrong(Problem::Not));
        }
        let is_open = matches!(self.ahead, Some(Placed { piece: Piece::Open, .. }));
        let mut part = if is_open { self.group(depth)? } else { Condition::Term(self.term()?) };
        if self.at("day") {
            let column = self.column();
            self.take();
            let day = self.day()?;
            part.on_day(day).map_err(|_| LanguageError { column, problem: Problem::DayOf })?;
        }
        Ok(part)
    }

    fn group(&mut self, depth: usize) -> Result<Condition, LanguageError> {
        let opened = self.column();
        if depth >= MAX_DEPTH {
            return Err(self.wrong(Problem::TooDeep));
        }
        self.take();
        let inner = self.any(depth + 1)?;
        match &self.ahead {
            Some(Placed { piece: Piece::Close, .. }) => {
                self.take();
                Ok(inner)
            }
            Some(Placed { piece, .. }) => Err(self.wrong(Problem::Joint { found: piece.shown() })),
            None => Err(LanguageError { column: opened, problem: Problem::Unclosed }),
        }
    }

    fn term(&mut self) -> Result<Term, LanguageError> {
        self.terms += 1;
        if self.terms > MAX_TERMS {
            return Err(self.wrong(Problem::TooMany));
        }
        let column = self.column();
        if self.at("in") || self.at("under") {
            let wanted = self.within()?;
            return Ok(Term { field: None, wanted, column });
        }
        let first = self.name(A_PART)?;
        if self.at("in") || self.at("under") {
            let wanted = self.within()?;
            return Ok(Term { field: Some(first), wanted, column });
        }
        let wanted: fn(String) -> Wanted = match self.ahead.as_ref().map(|placed| &placed.piece) {
            Some(Piece::Is) => Wanted::Value,
            Some(Piece::IsNot) => Wanted::Unlike,
            _ => return Ok(Term { field: None, wanted: Wanted::Value(first), column }),
        };
        self.take();
        let value = self.text("a value; one with spaces or parentheses goes in quotes")?;
        Ok(Term { field: Some(first), wanted: wanted(value), column })
    }

    /// `in NETWORK`, `under DOMAIN`.
    fn within(&mut self) -> Result<Wanted, LanguageError> {
        let is_network = self.at("in");
        self.take();
        if is_network {
            return self.text("a network such as 10.0.0.0/8").map(Wanted::Network);
        }
        self.text("a domain such as example.org").map(Wanted::Suffix)
    }

    /// A quoted string, or a word that is no keyword.
    fn name(&mut self, expected: &'static str) -> Result<String, LanguageError> {
        let is_keyword = KEYWORDS.iter().any(|keyword| self.at(keyword));
        if is_keyword { Err(self.expected(expected)) } else { self.text(expected) }
    }

    /// A quoted string, or any word.
    fn text(&mut self, expected: &'static str) -> Result<String, LanguageError> {
        match &self.ahead {
            Some(Placed { piece: Piece::Word(_) | Piece::Quoted(_), .. }) => {}
            _ => return Err(self.expected(expected)),
        }
        match self.take() {
            Some(Placed { piece: Piece::Word(text) | Piece::Quoted(text), .. }) => Ok(text),
            _ => Err(self.expected(expected)),
        }
    }

    fn day(&mut self) -> Result<i32, LanguageError> {
        let column = self.column();
        let text = self.text("a date such as 2026-11-01")?;
        let day = day_number(&text, self.now);
        day.ok_or(LanguageError { column, problem: Problem::Day { found: text } })
    }

    /// `[arrived] since WHEN`, `[arrived] until WHEN`.
    fn time(&mut self, happened: &mut TimeRange, arrived: &mut TimeRange) -> Result<(), LanguageError> {
        let column = self.column();
        let range = if self.at("arrived") {
            self.take();
            arrived
        } else {
            happened
        };
        let is_since = self.at("since");
        if !is_since && !self.at("until") {
            return Err(self.expected("`since` or `until`"));
        }
        self.take();
        let place = self.column();
        let text = self.text("a time such as 2026-11-01 or 24h")?;
        let when = When::read(&text, self.now);
        let wrong = LanguageError { column: place, problem: Problem::When { found: text } };
        let bound: Option<Bound> = when.and_then(|when| if is_since { when.since() } else { when.until() });
        let bound = bound.ok_or(wrong)?;
        let (end, word) = if is_since { (&mut range.after, "since") } else { (&mut range.before, "until") };
        if end.replace(bound).is_some() {
            return Err(LanguageError { column, problem: Problem::Twice { word } });
        }
        if range.is_empty() { Err(LanguageError { column, problem: Problem::NoTime }) } else { Ok(()) }
    }
}

/// Several parts, or the only one by itself.
fn joined(mut parts: Vec<Condition>, join: fn(Vec<Condition>) -> Condition) -> Condition {
    match (parts.len(), parts.pop()) {
        (1, Some(only)) => only,
        (_, Some(last)) => {
            parts.push(last);
            join(parts)
        }
        (_, None) => join(parts),
    }
}
