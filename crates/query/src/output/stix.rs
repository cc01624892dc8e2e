//! A STIX 2.1 bundle: records that are STIX objects as they are, others as observed data.

use super::Sink;
use crate::row::{Cell, Row, in_one_line, texts};
use serde_json::{Map, Value, json};
use std::collections::HashSet;
use std::io::{self, Write};
use strongroom_ambient::Ambient;
use strongroom_blindindex::Form;
use uuid::Uuid;

/// The namespace of cyber-observables' ids: STIX 2.1, section 2.9.
const OBSERVABLES: Uuid = Uuid::from_u128(0x00ab_edb4_aa42_466c_9c01_fed2_3315_a9b7);
/// Ours, for objects that stand for records.
const RECORDS: Uuid = Uuid::from_u128(0x6a1f_7f0e_53a1_5c55_9d0b_2f6c_41c7_9a10);

pub(super) struct Stix<'a> {
    out: &'a mut dyn Write,
    bundle: Uuid,
    begun: bool,
    /// Ids that were written: an object stands in a bundle once.
    written: HashSet<String>,
}

impl<'a> Stix<'a> {
    pub(super) fn new(out: &'a mut dyn Write, ambient: &Ambient) -> Self {
        let bundle = uuid::Builder::from_random_bytes(ambient.random()).into_uuid();
        Self { out, bundle, begun: false, written: HashSet::new() }
    }

    fn begin(&mut self) -> io::Result<()> {
        if !self.begun {
            write!(self.out, "{{\"type\":\"bundle\",\"id\":\"bundle--{}\",\"objects\":[", self.bundle)?;
            self.begun = true;
        }
        Ok(())
    }

    fn object(&mut self, key: String, json: &str) -> io::Result<()> {
        self.begin()?;
        let is_first = self.written.is_empty();
        if self.written.insert(key) {
            self.out.write_all(if is_first { b"\n" } else { b",\n" })?;
            self.out.write_all(json.as_bytes())?;
        }
        Ok(())
    }
}

impl Sink for Stix<'_> {
    fn row(&mut self, row: &Row) -> io::Result<()> {
        if let Some((key, json)) = own(row) {
            return self.object(key, &json);
        }
        for (key, object) in observed(row) {
            self.object(key, &object.to_string())?;
        }
        Ok(())
    }

    fn finish(&mut self) -> io::Result<()> {
        self.begin()?;
        self.out.write_all(b"\n]}\n")?;
        self.out.flush()
    }
}

/// The record itself, where it is a STIX object and wholly open.
fn own(row: &Row) -> Option<(String, String)> {
    if row.has_sealed() {
        return None;
    }
    let text = |field: &str| texts(row.open(field)?).pop();
    let (id, kind) = (text("id")?, text("type")?);
    let uuid = id.strip_prefix(&kind)?.strip_prefix("--")?;
    Uuid::try_parse(uuid).ok()?;
    let key = format!("{id} {}", text("modified").unwrap_or_default());
    Some((key, super::ndjson::object(row, false)))
}

/// A record as observed data, with what can be observed of it.
fn observed(row: &Row) -> Vec<(String, Value)> {
    let mut objects = Vec::new();
    let mut fields = Map::new();
    let mut sealed = Vec::new();
    for cell in &row.cells {
        match cell {
            Cell::Open { name, value } => {
                let parsed = serde_json::from_str(value.get());
                fields.insert(name.clone(), parsed.unwrap_or_else(|_| in_one_line(value.get()).into()));
                objects.extend(texts(value).iter().filter_map(|text| observable(name, text)));
            }
            Cell::Sealed { label, policy } => sealed.push(json!({ "label": label, "policy": policy })),
            Cell::Broken { label, why } => sealed.push(json!({ "label": label, "broken": why })),
        }
    }
    let record = row.id.to_string();
    let uuid = Uuid::new_v5(&RECORDS, record.as_bytes());
    let mut own = json!({
        "type": "x-strongroom-record", "spec_version": "2.1", "id": format!("x-strongroom-record--{uuid}"),
        "record": record, "fields": fields,
    });
    if let (Some(own), false) = (own.as_object_mut(), sealed.is_empty()) {
        own.insert("sealed".to_owned(), sealed.into());
    }
    objects.push((format!("x-strongroom-record--{uuid}"), own));
    let references: Vec<&String> = objects.iter().map(|(id, _)| id).collect();
    let at = hour(row.hour);
    let observed = json!({
        "type": "observed-data", "spec_version": "2.1", "id": format!("observed-data--{uuid}"),
        "created": at, "modified": at, "first_observed": at, "last_observed": at, "number_observed": 1,
        "object_refs": references,
    });
    objects.push((format!("observed-data--{uuid}"), observed));
    objects
}

fn hour(hour: u32) -> String {
    let at = jiff::Timestamp::from_second(i64::from(hour) * 3600).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
    format!("{at:.3}")
}

/// What a value is by its field's name and its look, as a cyber-observable.
fn observable(field: &str, text: &str) -> Option<(String, Value)> {
    let (kind, contributing) = match Form::usual(field, text) {
        Form::Ip | Form::Ipv4 | Form::Ipv6 | Form::Cidr => {
            let address = text.split('/').next().unwrap_or(text);
            let is_v6 = address.parse::<std::net::IpAddr>().ok()?.is_ipv6();
            (if is_v6 { "ipv6-addr" } else { "ipv4-addr" }, json!({ "value": text }))
        }
        Form::Domain => ("domain-name", json!({ "value": text.trim_end_matches('.') })),
        Form::Url => ("url", json!({ "value": text })),
        Form::Email => ("email-addr", json!({ "value": text })),
        Form::Hash => ("file", json!({ "hashes": hashes(text)? })),
        Form::Port | Form::Text => return None,
    };
    // the canonical JSON (RFC 8785) of one small object of texts is what serde_json writes
    let uuid = Uuid::new_v5(&OBSERVABLES, contributing.to_string().as_bytes());
    let id = format!("{kind}--{uuid}");
    let mut object = contributing;
    if let Some(object) = object.as_object_mut() {
        object.insert("type".to_owned(), kind.into());
        object.insert("spec_version".to_owned(), "2.1".into());
        object.insert("id".to_owned(), id.clone().into());
    }
    Some((id, object))
}

/// A digest under the name of its algorithm, which its length tells.
fn hashes(text: &str) -> Option<Value> {
    let digits = text.rsplit(':').next()?.to_ascii_lowercase();
    let name = match digits.len() {
        32 => "MD5",
        40 => "SHA-1",
        64 => "SHA-256",
        128 => "SHA-512",
        _ => return None,
    };
    let mut hashes = Map::new();
    hashes.insert(name.to_owned(), digits.into());
    Some(hashes.into())
}
