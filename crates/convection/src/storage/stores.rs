//! A store's file: its secrets.

use super::{FileFault, open_with};
use crate::document::{self, DocumentError};
use crate::fernet::FernetKeys;
use strongroom_secret::SecretBytes;

/// A secret.
#[derive(Debug)]
pub struct OldSecret {
    /// Its name.
    pub name: String,
    /// Its value, JSON.
    pub value: SecretBytes,
    /// Whether a part of it became a text, since JSON has no such value: an infinity, a date.
    pub told_as_text: bool,
}

/// What is in a store's file.
#[derive(Debug)]
pub struct StoreContents {
    /// The type that the file names, if it names one.
    pub store_type: Option<String>,
    /// The store's configuration: fields of texts, numbers and flags, each as JSON.
    pub config: Vec<(String, String)>,
    /// The secrets, by name.
    pub secrets: Vec<OldSecret>,
}

/// Opens a store's file with a keyset.
pub(super) fn open(file: &[u8], keyset: &FernetKeys) -> Result<StoreContents, FileFault> {
    Ok(read_store(&open_with(file, keyset)?)?)
}

/// Reads what a store's file holds when it is open.
pub fn read_store(opened: &SecretBytes) -> Result<StoreContents, DocumentError> {
    document::read(opened, |document| {
        let secrets = document::table(document, "store")?;
        let missing = || DocumentError::Missing { what: "table store".to_owned() };
        // a file without any of the tables is not a store's
        if secrets.is_none() && document::table(document, "metadata")?.is_none() {
            return Err(missing());
        }
        let secrets = secrets.into_iter().flatten().map(|(name, value)| {
            let (json, told_as_text) = document::to_json(value.get_ref());
            OldSecret { name: name.get_ref().to_string(), value: json, told_as_text }
        });
        let config = document::table(document, "config")?.into_iter().flatten().map(|(name, value)| {
            let json = document::to_json(value.get_ref()).0;
            let json = json.expose(|json| String::from_utf8_lossy(json).into_owned());
            (name.get_ref().to_string(), json)
        });
        Ok(StoreContents {
            store_type: named_type(document)?,
            config: config.collect(),
            secrets: secrets.collect(),
        })
    })
}

fn named_type(document: &toml::de::DeTable<'_>) -> Result<Option<String>, DocumentError> {
    let Some(metadata) = document::table(document, "metadata")? else { return Ok(None) };
    let plugin = match document::table(metadata, "plugin") {
        Ok(Some(plugin)) => plugin,
        _ => metadata,
    };
    let named = plugin.get("name").or_else(|| plugin.get("type")).and_then(|name| name.get_ref().as_str());
    Ok(named.map(str::to_owned))
}
