//! Walks the parsed text: takes the keys that are known, and reports each that is left.
//!
//! A derived deserialiser stops at the first fault; an operator wants them all at once, each with its line.

use super::{Fault, Finding, Place};
use std::collections::BTreeMap;
use std::ops::Range;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// The text, and what was found in it so far.
pub(super) struct Reader<'t> {
    text: &'t str,
    pub(super) findings: Vec<Finding>,
    /// Where each key that was read stands, for checks that come later.
    pub(super) places: BTreeMap<String, Place>,
}

/// A table whose keys are taken one by one.
pub(super) struct Section<'t> {
    path: String,
    place: Place,
    table: DeTable<'t>,
}

impl<'t> Reader<'t> {
    /// Parses the text; what is not TOML becomes findings.
    pub(super) fn open(text: &'t str) -> (Self, Section<'t>) {
        let mut reader = Self { text, findings: Vec::new(), places: BTreeMap::new() };
        let (table, errors) = DeTable::parse_recoverable(text);
        for error in errors {
            let place = reader.place(error.span().unwrap_or_default());
            reader.report(place, "", Fault::Syntax(error.message().to_owned()));
        }
        (reader, Section { path: String::new(), place: Place::default(), table: table.into_inner() })
    }

    pub(super) fn report(&mut self, place: Place, key: &str, fault: Fault) {
        self.findings.push(Finding { place, key: key.to_owned(), fault });
    }

    /// Reports what is wrong with a key that was read before; a key that took its default stands nowhere.
    pub(super) fn report_key(&mut self, key: &str, fault: Fault) {
        let section = key.rsplit_once('.').map_or("", |(section, _)| section);
        let place = self.places.get(key).or_else(|| self.places.get(section)).copied().unwrap_or_default();
        self.report(place, key, fault);
    }

    fn place(&self, span: Range<usize>) -> Place {
        let before = self.text.get(..span.start).unwrap_or(self.text);
        let line = before.matches('\n').count() + 1;
        let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
        Place { line, column }
    }

    /// A table of this name; an empty one if there is none.
    pub(super) fn section(&mut self, from: &mut Section<'t>, name: &str) -> Section<'t> {
        let absent = Section { path: join(&from.path, name), place: from.place, table: DeTable::new() };
        let Some((path, place, value)) = self.take(from, name) else { return absent };
        self.table(path, place, value).unwrap_or(absent)
    }

    /// Takes a key only to say that it does not belong here.
    pub(super) fn refuse(&mut self, section: &mut Section<'t>, name: &str, fault: &Fault) {
        if let Some((path, place, _)) = self.take(section, name) {
            self.report(place, &path, fault.clone());
        }
    }

    /// All tables that are left here: those that the operator names.
    pub(super) fn named_sections(&mut self, mut from: Section<'t>) -> Vec<(String, Section<'t>)> {
        let names: Vec<String> = from.table.keys().map(|key| key.get_ref().clone().into_owned()).collect();
        let mut sections = Vec::new();
        for name in names {
            let Some((path, place, value)) = self.take(&mut from, &name) else { continue };
            if let Some(section) = self.table(path, place, value) {
                sections.push((name, section));
            }
        }
        sections
    }

    fn table(&mut self, path: String, place: Place, value: DeValue<'t>) -> Option<Section<'t>> {
        match value {
            DeValue::Table(table) => Some(Section { path, place, table }),
            other => {
                self.report(place, &path, wrong("a table", &other));
                None
            }
        }
    }

    /// Reports every key that nobody took.
    pub(super) fn close(&mut self, section: &Section<'t>) {
        for key in section.table.keys() {
            let place = self.place(key.span());
            self.report(place, &join(&section.path, key.get_ref()), Fault::Unknown);
        }
    }

    /// A text read by `parse`; `None` if absent or wrong, the latter reported.
    pub(super) fn text<T>(
        &mut self,
        section: &mut Section<'t>,
        name: &str,
        parse: impl FnOnce(&str) -> Result<T, Fault>,
    ) -> Option<T> {
        let (path, place, value) = self.take(section, name)?;
        let result = match value.as_str() {
            Some(text) => parse(text),
            None => Err(wrong("a string", &value)),
        };
        self.keep(place, &path, result)
    }

    /// The same, reported if it is absent.
    pub(super) fn required<T>(
        &mut self,
        section: &mut Section<'t>,
        name: &str,
        parse: impl FnOnce(&str) -> Result<T, Fault>,
    ) -> Option<T> {
        if !section.table.contains_key(name) {
            self.report(section.place, &join(&section.path, name), Fault::Missing);
        }
        self.text(section, name, parse)
    }

    /// A whole number within bounds.
    pub(super) fn number(
        &mut self,
        section: &mut Section<'t>,
        name: &str,
        bounds: std::ops::RangeInclusive<u64>,
    ) -> Option<u64> {
        let (path, place, value) = self.take(section, name)?;
        let result = match &value {
            DeValue::Integer(_) => integer(&value)
                .filter(|number| bounds.contains(number))
                .ok_or_else(|| outside(bounds.start().to_string(), bounds.end().to_string())),
            other => Err(wrong("a whole number", other)),
        };
        self.keep(place, &path, result)
    }

    /// A size as text with a unit or as a number of bytes, within bounds.
    pub(super) fn size(
        &mut self,
        section: &mut Section<'t>,
        name: &str,
        bounds: std::ops::RangeInclusive<u64>,
    ) -> Option<u64> {
        let (path, place, value) = self.take(section, name)?;
        let limits =
            || outside(super::units::show_size(*bounds.start()), super::units::show_size(*bounds.end()));
        let size = match (&value, value.as_str()) {
            (_, Some(text)) => super::units::size(text),
            (DeValue::Integer(_), None) => integer(&value).ok_or_else(limits),
            _ => Err(wrong("a size", &value)),
        };
        let result = size.and_then(|size| if bounds.contains(&size) { Ok(size) } else { Err(limits()) });
        self.keep(place, &path, result)
    }

    /// A list of texts, each read by `parse`.
    pub(super) fn list<T>(
        &mut self,
        section: &mut Section<'t>,
        name: &str,
        parse: impl Fn(&str) -> Result<T, Fault>,
    ) -> Option<Vec<T>> {
        let (path, place, value) = self.take(section, name)?;
        let DeValue::Array(array) = value else {
            self.report(place, &path, wrong("a list of strings", &value));
            return None;
        };
        let mut items = Vec::new();
        for item in &array {
            let place = self.place(item.span());
            let result = match item.get_ref().as_str() {
                Some(text) => parse(text),
                None => Err(wrong("a string", item.get_ref())),
            };
            items.extend(self.keep(place, &path, result));
        }
        Some(items)
    }

    /// Yes or no.
    pub(super) fn flag(&mut self, section: &mut Section<'t>, name: &str) -> Option<bool> {
        let (path, place, value) = self.take(section, name)?;
        let result = match value {
            DeValue::Boolean(flag) => Ok(flag),
            other => Err(wrong("true or false", &other)),
        };
        self.keep(place, &path, result)
    }

    /// A list of tables, written one by one or in brackets; numbered from one in what is reported. Absence is reported.
    pub(super) fn required_tables(&mut self, section: &mut Section<'t>, name: &str) -> Vec<Section<'t>> {
        let Some((path, place, value)) = self.take(section, name) else {
            self.report(section.place, &join(&section.path, name), Fault::Missing);
            return Vec::new();
        };
        let DeValue::Array(array) = value else {
            self.report(place, &path, wrong("a list of tables", &value));
            return Vec::new();
        };
        let mut tables = Vec::new();
        for (at, item) in array.into_iter().enumerate() {
            let place = self.place(item.span());
            tables.extend(self.table(format!("{path}.{}", at + 1), place, item.into_inner()));
        }
        tables
    }

    fn keep<T>(&mut self, place: Place, path: &str, result: Result<T, Fault>) -> Option<T> {
        result.map_err(|fault| self.report(place, path, fault)).ok()
    }

    fn take(&mut self, section: &mut Section<'t>, name: &str) -> Option<(String, Place, DeValue<'t>)> {
        let (key, value): (_, Spanned<DeValue<'t>>) = section.table.remove_entry(name)?;
        let path = join(&section.path, name);
        // a table's own place is its header, a value's is the value
        let span = if value.get_ref().is_table() { key.span() } else { value.span() };
        let place = self.place(span);
        self.places.insert(path.clone(), place);
        Some((path, place, value.into_inner()))
    }
}

impl Section<'_> {
    /// The table's name in full.
    pub(super) fn path(&self) -> &str {
        &self.path
    }

    /// Where the table begins.
    pub(super) fn place(&self) -> Place {
        self.place
    }

    /// Whether this key, not yet taken, is a list of nothing.
    pub(super) fn is_empty_list(&self, name: &str) -> bool {
        let value = self.table.get(name).map(Spanned::get_ref);
        matches!(value, Some(DeValue::Array(array)) if array.is_empty())
    }

    /// Whether this key stands in the table and was not yet taken.
    pub(super) fn contains(&self, name: &str) -> bool {
        self.table.contains_key(name)
    }
}

fn join(section: &str, name: &str) -> String {
    if section.is_empty() { name.to_owned() } else { format!("{section}.{name}") }
}

fn wrong(expected: &'static str, value: &DeValue<'_>) -> Fault {
    Fault::WrongType { expected, found: value.type_str() }
}

fn outside(least: String, most: String) -> Fault {
    Fault::OutOfBounds { least, most }
}

fn integer(value: &DeValue<'_>) -> Option<u64> {
    let number = value.as_integer()?;
    u64::from_str_radix(number.as_str(), number.radix()).ok()
}
