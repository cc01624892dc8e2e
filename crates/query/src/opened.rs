//! What can be said of a record once it is opened: its fields, whether they bear out its tokens, when it happened.

use std::collections::BTreeSet;

use data_encoding::HEXLOWER;
use serde_json::value::RawValue;
use strongroom_blindindex::{Term, Token, moment};
use strongroom_envelope::{BatchHeader, OpenedField, OpenedRecord};
use strongroom_model::{JsonLimits, scan_json};
use strongroom_sharing::RecordId;

use crate::language::TimeRange;
use crate::plan::{Lookup, Plan, Unlike};
use crate::row::{Cell, Row, scalar, texts};
use crate::settings::Fields;

/// Bounds of a value: a collector is a stranger too.
const LIMITS: JsonLimits = JsonLimits { bytes: 1 << 20, depth: 64 };

/// A record's fields as they are shown: open ones by name, then the rest by label.
pub(crate) fn row(opened: OpenedRecord, header: &BatchHeader, hour: u32) -> Row {
    let id = opened.id;
    let mut names = BTreeSet::new();
    let mut cells: Vec<Cell> =
        opened.fields.into_iter().map(|field| cell(field, header, &mut names)).collect();
    cells.sort_by(|one, other| place(one).cmp(&place(other)));
    Row { id, hour, cells }
}

fn place(cell: &Cell) -> (u8, &str) {
    match cell {
        Cell::Open { name, .. } => (0, name),
        Cell::Sealed { label, .. } => (1, label),
        Cell::Broken { label, .. } => (2, label),
    }
}

fn cell(field: OpenedField, header: &BatchHeader, names: &mut BTreeSet<String>) -> Cell {
    let text = |label: &[u8; 16]| HEXLOWER.encode(label);
    let policy = |place: u16| header.policies().get(usize::from(place)).map(|own| own.policy.to_string());
    match field {
        OpenedField::Open { label, name, value, .. } => {
            let is_json = scan_json(value.as_bytes(), LIMITS).is_ok();
            let value = RawValue::from_string(value).ok().filter(|_| is_json);
            match value {
                None => Cell::Broken { label: text(&label), why: "its value is no JSON" },
                Some(_) if !names.insert(name.clone()) => {
                    Cell::Broken { label: text(&label), why: "its name is another field's of the record" }
                }
                Some(value) => Cell::Open { name, value },
            }
        }
        OpenedField::Sealed { label, policy: place, why: strongroom_envelope::Locked::Rejected } => {
            let _ = place;
            Cell::Broken {
                label: text(&label),
                why: "the header of its batch was changed, or opens to another key",
            }
        }
        OpenedField::Sealed { label, policy: place, .. } => {
            Cell::Sealed { label: text(&label), policy: policy(place).unwrap_or_default() }
        }
        OpenedField::Broken { label, .. } => {
            Cell::Broken { label: text(&label), why: "it does not open as what it says it is" }
        }
    }
}

/// The tokens of a record that its own fields do not bear out, and the fields.
pub(crate) fn poisoned<'a>(
    plan: &'a Plan,
    id: RecordId,
    tokens: &'a BTreeSet<Token>,
    row: &Row,
    fields: &Fields,
) -> Vec<(Token, &'a str)> {
    let claimed = plan.claimed(id.collector, tokens);
    let false_ones = claimed.filter(|(_, lookup)| !is_borne_out(lookup, row, fields));
    false_ones.map(|(token, lookup)| (token, lookup.field.as_str())).collect()
}

fn is_borne_out(lookup: &Lookup, row: &Row, fields: &Fields) -> bool {
    let Some(value) = row.open(&lookup.field) else {
        // sealed, perhaps: nothing can be said; but a record that is wholly open does not have the field
        return row.has_sealed();
    };
    let days: Vec<Option<i32>> = match &lookup.term {
        Term::Day { .. } => days(row, fields),
        _ => vec![None],
    };
    let texts = texts(value);
    let of_day =
        |day: &Option<i32>| texts.iter().any(|text| lookup.term.check(lookup.form, text, *day).is_ok());
    match &lookup.term {
        // when it happened is sealed, or nobody said which field tells it: the value alone
        Term::Day { value, .. } if days.is_empty() => {
            let exact = Term::Exact(value.clone());
            texts.iter().any(|text| exact.check(lookup.form, text, None).is_ok())
        }
        _ => days.iter().any(of_day),
    }
}

fn days(row: &Row, fields: &Fields) -> Vec<Option<i32>> {
    times(row, fields).filter_map(|text| moment::day(&text)).map(Some).collect()
}

fn times(row: &Row, fields: &Fields) -> impl Iterator<Item = String> {
    row.cells.iter().filter_map(|cell| match cell {
        Cell::Open { name, value } if fields.is_timestamp(name) => scalar(value),
        _ => None,
    })
}

/// Whether something is so; `None` where what decides is sealed.
pub(crate) type Verdict = Option<bool>;

/// Whether a record happened in a time: one of its timestamps is in it.
pub(crate) fn happened(row: &Row, range: &TimeRange, fields: &Fields) -> Verdict {
    if range.is_everything() {
        return Some(true);
    }
    let mut moments = times(row, fields).filter_map(|text| moment::moment(&text)).peekable();
    if moments.peek().is_none() && row.has_sealed() {
        return None;
    }
    Some(moments.any(|at| range.has(at)))
}

/// Whether a `!=` leaves a record in.
pub(crate) fn unlike(row: &Row, unlike: &Unlike) -> Verdict {
    match row.open(&unlike.field) {
        Some(value) => {
            let term = Term::Exact(unlike.value.clone());
            Some(!texts(value).iter().any(|text| term.check(unlike.form, text, None).is_ok()))
        }
        None if row.has_sealed() => None,
        None => Some(true),
    }
}
