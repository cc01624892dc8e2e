//! Reads manifests, with workspace dependencies resolved to the names of their packages.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use toml::{Table, Value};

use crate::Outcome;

/// Prefix of our packages' names.
pub(crate) const OURS: &str = "strongroom-";

/// One crate of the workspace.
#[derive(Debug)]
pub(crate) struct Manifest {
    /// Folder under `crates/`.
    pub(crate) name: String,
    /// Where it lies.
    pub(crate) folder: PathBuf,
    /// Packages that the crate and its build script use.
    pub(crate) normal: Vec<String>,
    /// Packages that its tests use.
    pub(crate) dev: Vec<String>,
    table: Table,
    /// `[workspace.lints]`.
    common_lints: Option<Value>,
}

impl Manifest {
    /// Whether `[lints] workspace = true` is there.
    pub(crate) fn inherits_lints(&self) -> bool {
        self.table.get("lints").and_then(|lints| lints.get("workspace")).and_then(Value::as_bool)
            == Some(true)
    }

    /// Whether `[lints]` is the workspace's but for unsafe code, which is denied and not forbidden.
    pub(crate) fn has_lints_with_unsafe_denied(&self) -> bool {
        let mut wanted = self.common_lints.clone();
        let unsafe_code = wanted
            .as_mut()
            .and_then(|lints| lints.get_mut("rust"))
            .and_then(|lints| lints.get_mut("unsafe_code"));
        let Some(level) = unsafe_code else { return false };
        *level = Value::String("deny".to_owned());
        self.table.get("lints") == wanted.as_ref()
    }

    /// A string of `[package]`.
    pub(crate) fn package(&self, key: &str) -> Option<&str> {
        self.table.get("package")?.get(key)?.as_str()
    }

    /// Our own crates among `packages`, by folder name.
    pub(crate) fn ours(packages: &[String]) -> impl Iterator<Item = &str> {
        packages.iter().filter_map(|package| package.strip_prefix(OURS))
    }
}

/// Every manifest in `crates/`, by folder.
pub(crate) fn read_all(root: &Path) -> Outcome<Vec<Manifest>> {
    let workspace = parse(&root.join("Cargo.toml"))?;
    let renames = renames(&workspace);
    let lints = workspace.get("workspace").and_then(|table| table.get("lints"));
    let mut folders: Vec<PathBuf> = std::fs::read_dir(root.join("crates"))?
        .filter_map(|entry| entry.ok().map(|entry| entry.path()))
        .collect();
    folders.retain(|folder| folder.join("Cargo.toml").is_file());
    folders.sort();
    folders.into_iter().map(|folder| read(folder, &renames, lints)).collect()
}

fn read(folder: PathBuf, renames: &BTreeMap<String, String>, lints: Option<&Value>) -> Outcome<Manifest> {
    let table = parse(&folder.join("Cargo.toml"))?;
    let name = folder.file_name().and_then(|name| name.to_str()).unwrap_or_default().to_owned();
    let mut normal = packages(&table, "dependencies", renames);
    normal.extend(packages(&table, "build-dependencies", renames));
    let dev = packages(&table, "dev-dependencies", renames);
    Ok(Manifest { name, folder, normal, dev, table, common_lints: lints.cloned() })
}

fn parse(path: &Path) -> Outcome<Table> {
    let text = std::fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))?;
    text.parse().map_err(|error| format!("{}: {error}", path.display()).into())
}

/// `[workspace.dependencies]` entries that go by another name than their package's.
fn renames(root: &Table) -> BTreeMap<String, String> {
    let all =
        root.get("workspace").and_then(|workspace| workspace.get("dependencies")).and_then(Value::as_table);
    all.into_iter().flatten().filter_map(|(key, value)| Some((key.clone(), renamed(value)?))).collect()
}

fn renamed(value: &Value) -> Option<String> {
    value.get("package")?.as_str().map(str::to_owned)
}

/// Packages of one kind of dependency, those of `[target.*]` tables included.
fn packages(table: &Table, kind: &str, renames: &BTreeMap<String, String>) -> Vec<String> {
    let targets = table.get("target").and_then(Value::as_table).into_iter().flatten();
    let tables = targets.filter_map(|(_, target)| target.get(kind)).chain(table.get(kind));
    let entries = tables.filter_map(Value::as_table).flatten();
    entries
        .map(|(key, value)| {
            renamed(value).or_else(|| renames.get(key).cloned()).unwrap_or_else(|| key.clone())
        })
        .collect()
}
