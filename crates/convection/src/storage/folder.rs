//! The directory as a whole: which keyset opens what.

use super::{
    AUTH_DB, AUTH_KEYSET, Attachment, FileFault, KEY_MAP, KEYSET_SUFFIX, KeyMap, People, ROOT_KEY, ROTATED,
    StorageError, StoreContents, open_key_map, open_keyset, open_root, people, stores,
};
use crate::fernet::{FernetError, FernetKey, FernetKeys};
use std::collections::{BTreeMap, BTreeSet};

/// Folders of stores, with the type of the stores in them.
const STORE_FOLDERS: [(&str, &str); 2] = [("secrets/", "generic"), ("passdb/", "passdb")];

/// The files of a directory, by their paths in it.
#[derive(Debug, Default)]
pub struct Folder(BTreeMap<String, Vec<u8>>);

/// How the directory is opened.
#[derive(Debug, Default)]
pub struct Opening {
    /// Keysets of stores, where `keymap.db` does not say it or says it wrong.
    pub map: BTreeMap<String, String>,
    /// Stores that are left where they are.
    pub leave_out: BTreeSet<String>,
}

/// A store that was opened.
#[derive(Debug)]
pub struct OpenedStore {
    /// Its name.
    pub name: String,
    /// Its type, as the original calls it.
    pub store_type: String,
    /// Its file.
    pub file: String,
    /// The keyset that it is attached to, if that is known.
    pub attached: Option<String>,
    /// The keyset that opened it.
    pub opened_by: String,
    /// What is in it.
    pub contents: StoreContents,
}

impl OpenedStore {
    /// The keyset that it belongs to: a rotation that did not come to its end is none of its own.
    pub fn keyset(&self) -> &str {
        match &self.attached {
            Some(attached) => attached,
            None => self.opened_by.strip_prefix(ROTATED).unwrap_or(&self.opened_by),
        }
    }
}

/// All that was opened.
#[derive(Debug, Default)]
pub struct Opened {
    /// Users, groups, ACLs; nothing if there is no `auth.db`.
    pub people: Option<People>,
    /// Keysets, but for the one of `auth.db`.
    pub keysets: Vec<String>,
    /// Stores, by name.
    pub stores: Vec<OpenedStore>,
    /// What is wrong: with any of it, not all is there.
    pub faults: Vec<StorageError>,
    /// Keysets that do not open and that nothing needs.
    pub unneeded: Vec<StorageError>,
    /// Whether there is a `keymap.db`.
    pub mapped: bool,
    /// Files that belong to nothing: backups of interrupted writes, stores that no map names.
    pub strays: Vec<String>,
}

impl Folder {
    /// Adds a file.
    pub fn add(&mut self, path: impl Into<String>, bytes: Vec<u8>) {
        self.0.insert(path.into(), bytes);
    }

    fn file(&self, path: &str) -> Result<&[u8], FileFault> {
        self.0.get(path).map(Vec::as_slice).ok_or(FileFault::Absent)
    }

    /// Opens everything. An unlock key that opens nothing ends it at once; whatever else is wrong is gathered.
    pub fn open(&self, unlock_key: &FernetKey, how: &Opening) -> Result<Opened, StorageError> {
        let at = |file: &'static str| move |fault: FileFault| StorageError::of(file, fault);
        let root = self.file(ROOT_KEY).and_then(|file| open_root(file, unlock_key)).map_err(at(ROOT_KEY))?;
        let ring = Ring::of(self, &root);
        let map = match self.file(KEY_MAP) {
            Ok(file) => Some(open_key_map(file, &root).map_err(at(KEY_MAP))?),
            Err(_) => None,
        };
        let mut opened = Opened { mapped: map.is_some(), ..Opened::default() };
        if let Ok(file) = self.file(AUTH_DB) {
            match ring.open(&[AUTH_KEYSET.to_owned()], |keyset| people::open(file, keyset)) {
                Ok((_, people)) => opened.people = Some(people),
                Err(fault) => opened.faults.push(StorageError::of(AUTH_DB, fault)),
            }
        }
        let map = map.unwrap_or_default();
        for wanted in self.wanted(&map, opened.mapped, how) {
            match self.store(&ring, wanted) {
                Ok(store) => opened.stores.push(store),
                Err(fault) => opened.faults.push(fault),
            }
        }
        opened.keysets = keysets(&map, &ring, &opened.stores);
        opened.unneeded = ring.unneeded(&opened.faults);
        opened.strays = self.strays(&opened, how);
        Ok(opened)
    }

    /// The stores to open: those of the map and of the command line; without a map every file that may be one.
    fn wanted(&self, map: &KeyMap, mapped: bool, how: &Opening) -> Vec<Wanted> {
        let mut wanted: BTreeMap<String, Wanted> = BTreeMap::new();
        for Attachment { store, keyset, store_type } in &map.stores {
            // the original keeps its own users under this name
            if store == AUTH_KEYSET {
                continue;
            }
            let given = how.map.get(store).cloned();
            let file = self.file_of(store, store_type);
            let (attached, strict) = (given.clone().unwrap_or_else(|| keyset.clone()), given.is_some());
            let found = Wanted {
                name: store.clone(),
                store_type: store_type.clone(),
                file,
                attached: Some(attached),
                strict,
            };
            wanted.insert(store.clone(), found);
        }
        for file in self.0.keys().filter(|file| may_be_store(file)) {
            let (name, store_type) = store_of(file);
            let given = how.map.get(name).cloned();
            if wanted.contains_key(name) || mapped && given.is_none() {
                continue;
            }
            let (strict, file) = (given.is_some(), file.clone());
            let (name, store_type) = (name.to_owned(), store_type.to_owned());
            wanted.insert(name.clone(), Wanted { name, store_type, file, attached: given, strict });
        }
        wanted.into_values().filter(|store| !how.leave_out.contains(&store.name)).collect()
    }

    /// Where the file of a store lies.
    fn file_of(&self, store: &str, store_type: &str) -> String {
        let folder = STORE_FOLDERS.iter().find(|(_, known)| *known == store_type);
        let within = format!("{}{store}", folder.map_or("secrets/", |(folder, _)| folder));
        if !self.0.contains_key(&within) && self.0.contains_key(store) { store.to_owned() } else { within }
    }

    fn store(&self, ring: &Ring, wanted: Wanted) -> Result<OpenedStore, StorageError> {
        let fault = |fault| StorageError::of(&wanted.file, fault);
        let file = self.file(&wanted.file).map_err(fault)?;
        let order = ring.order(&wanted);
        let opened = ring.open(&order, |keyset| stores::open(file, keyset));
        let (opened_by, contents) = opened.map_err(fault)?;
        // the file knows best
        let named = contents.store_type.as_deref().map(str::to_ascii_lowercase);
        let store_type = match named.as_deref() {
            Some("generic" | "passdb") if wanted.attached.is_none() => named.unwrap_or_default(),
            _ => wanted.store_type,
        };
        Ok(OpenedStore {
            name: wanted.name,
            store_type,
            file: wanted.file,
            attached: wanted.attached,
            opened_by,
            contents,
        })
    }

    fn strays(&self, opened: &Opened, how: &Opening) -> Vec<String> {
        let known = |file: &str| {
            [ROOT_KEY, KEY_MAP, AUTH_DB].contains(&file)
                || keyset_of(file).is_some()
                || opened.stores.iter().any(|store| store.file == file)
                || opened.faults.iter().any(|fault| fault.file == file)
                || how.leave_out.contains(store_of(file).0)
        };
        self.0.keys().filter(|file| !known(file)).cloned().collect()
    }
}

/// A store that is looked for.
struct Wanted {
    name: String,
    store_type: String,
    file: String,
    attached: Option<String>,
    /// Whether no keyset but the attached one is tried.
    strict: bool,
}

fn keyset_of(file: &str) -> Option<&str> {
    file.strip_suffix(KEYSET_SUFFIX).filter(|name| !name.contains('/') && file != ROOT_KEY)
}

/// What the original adds to the name of a file before it writes it anew.
const BACKUP_SUFFIX: &str = ".bak";

fn may_be_store(file: &str) -> bool {
    file.contains('/') && file.strip_suffix(BACKUP_SUFFIX).is_none()
}

/// The name and the type of the store whose file it would be.
fn store_of(file: &str) -> (&str, &str) {
    let of = |(folder, store_type): &(&str, &'static str)| {
        Some((file.strip_prefix(folder)?, *store_type)).filter(|(name, _)| !name.contains('/'))
    };
    STORE_FOLDERS.iter().find_map(of).unwrap_or((file, "generic"))
}

fn keysets(map: &KeyMap, ring: &Ring, stores: &[OpenedStore]) -> Vec<String> {
    let of_files = ring.open.keys().map(|name| name.strip_prefix(ROTATED).unwrap_or(name));
    let of_stores = stores.iter().map(OpenedStore::keyset);
    let names: BTreeSet<&str> =
        map.keysets.iter().map(String::as_str).chain(of_files).chain(of_stores).collect();
    names.into_iter().filter(|name| *name != AUTH_KEYSET).map(str::to_owned).collect()
}

/// Every keyset of the directory.
struct Ring {
    open: BTreeMap<String, FernetKeys>,
    closed: BTreeMap<String, FileFault>,
}

impl Ring {
    fn of(folder: &Folder, root: &FernetKey) -> Self {
        let mut ring = Self { open: BTreeMap::new(), closed: BTreeMap::new() };
        for (file, bytes) in &folder.0 {
            let Some(name) = keyset_of(file) else { continue };
            match open_keyset(bytes, root) {
                Ok(keyset) => drop(ring.open.insert(name.to_owned(), keyset)),
                Err(fault) => drop(ring.closed.insert(name.to_owned(), fault)),
            }
        }
        ring
    }

    /// The keysets to try for a store: its own, the one of a rotation of it that was broken off, then the rest.
    fn order(&self, wanted: &Wanted) -> Vec<String> {
        let mut order = Vec::new();
        if let Some(attached) = &wanted.attached {
            order.push(attached.clone());
            order.push(format!("{ROTATED}{attached}"));
        }
        if !wanted.strict {
            let rest = self.open.keys().filter(|name| *name != AUTH_KEYSET && !order.contains(name));
            let rest: Vec<String> = rest.cloned().collect();
            order.extend(rest);
        }
        order
    }

    /// Opens something with the first keyset that does.
    fn open<T>(
        &self,
        order: &[String],
        open: impl Fn(&FernetKeys) -> Result<T, FileFault>,
    ) -> Result<(String, T), FileFault> {
        for name in order {
            let Some(keyset) = self.open.get(name) else { continue };
            match open(keyset) {
                Ok(opened) => return Ok((name.clone(), opened)),
                Err(FileFault::Sealed(FernetError::Rejected)) => {}
                Err(fault) => return Err(fault),
            }
        }
        let first = order.first().map(String::as_str).unwrap_or_default();
        if self.closed.contains_key(first) {
            return Err(FileFault::KeysetClosed { keyset: first.to_owned() });
        }
        let tried: Vec<String> = order.iter().filter(|name| self.open.contains_key(*name)).cloned().collect();
        if tried.is_empty() {
            Err(FileFault::NoSuchKeyset { keyset: first.to_owned() })
        } else {
            Err(FileFault::NoKeyset { tried })
        }
    }

    fn unneeded(&self, faults: &[StorageError]) -> Vec<StorageError> {
        let needed = |name: &str| {
            faults
                .iter()
                .any(|fault| matches!(&fault.fault, FileFault::KeysetClosed { keyset } if keyset == name))
        };
        let unneeded = self.closed.iter().filter(|(name, _)| !needed(name));
        unneeded
            .map(|(name, fault)| StorageError::of(&format!("{name}{KEYSET_SUFFIX}"), fault.clone()))
            .collect()
    }
}
