//! Stores and the secrets in them.

use super::names::{Kind, Naming, Refused};
use super::plan::Wishes;
use crate::storage::{OldSecret, OpenedStore};
use serde_json::{Map, Value};
use strongroom_model::{JsonError, JsonLimits, Name};
use strongroom_secret::SecretBytes;

/// Why a value cannot be kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SecretFault {
    /// A password that is none.
    #[error("it is not a text, as the passwords of passdb are: --as-generic {STORE} keeps it")]
    NotText,
    /// A password without a character.
    #[error("it is an empty password: --as-generic {STORE} keeps it")]
    Empty,
    /// Beyond what a value may be.
    #[error("{0}")]
    Value(#[from] JsonError),
}

const STORE: &str = "STORE";

/// A secret that is brought over.
#[derive(Debug)]
pub struct PlannedSecret {
    /// Its name as it was.
    pub old: String,
    /// Its path.
    pub path: String,
    /// Its value, JSON.
    pub value: SecretBytes,
}

/// A store that is brought over.
#[derive(Debug)]
pub struct PlannedStore {
    /// Its name as it was.
    pub old: String,
    /// Its name.
    pub name: String,
    /// Its type: `generic` or `user`.
    pub store_type: &'static str,
    /// The name of its keyset.
    pub keyset: String,
    /// Settings of its type.
    pub settings: Map<String, Value>,
    /// The keyset that it was attached to, if that was known.
    pub attached: Option<String>,
    /// The keyset that opened it.
    pub opened_by: String,
    /// Its secrets.
    pub secrets: Vec<PlannedSecret>,
    /// Secrets whose values cannot be kept.
    pub faults: Vec<(String, SecretFault)>,
    /// Names of secrets of whose values a part became a text.
    pub told_as_text: Vec<String>,
    /// Names of secrets that stay where they are.
    pub left_out: usize,
}

impl PlannedStore {
    pub(super) fn of(
        store: OpenedStore,
        name: String,
        keyset: String,
        wishes: &Wishes,
        refused: &mut Vec<Refused>,
    ) -> Self {
        let user = store.store_type == "passdb" && !wishes.as_generic.contains(&store.name);
        let OpenedStore { name: old, opened_by, attached, contents, .. } = store;
        let before = contents.secrets.len();
        let mut secrets = contents.secrets;
        secrets.retain(|secret| !wishes.leaves_out(Kind::Secret, &format!("{old}/{}", secret.name)));
        let left_out = before - secrets.len();
        let paths = Naming::new(Kind::Secret, &wishes.renames, refused)
            .names(secrets.iter().map(|secret| secret.name.as_str()), &format!("{old}/"));
        let mut planned = Self {
            old,
            name,
            store_type: if user { "user" } else { "generic" },
            keyset,
            settings: if user { settings(&contents.config) } else { Map::new() },
            attached,
            opened_by,
            secrets: Vec::with_capacity(secrets.len()),
            faults: Vec::new(),
            told_as_text: Vec::new(),
            left_out,
        };
        secrets.into_iter().zip(paths).for_each(|(secret, path)| planned.add(secret, path, user));
        planned
    }

    fn add(&mut self, secret: OldSecret, path: String, user: bool) {
        let OldSecret { name, value, told_as_text } = secret;
        if told_as_text {
            self.told_as_text.push(name.clone());
        }
        let value = if user { login(&name, &path, &value) } else { Ok(value) };
        let checked = value.and_then(|value| {
            value.expose(|json| strongroom_model::scan_json(json, JsonLimits::VALUE).map(drop))?;
            Ok(value)
        });
        match checked {
            Ok(value) => self.secrets.push(PlannedSecret { old: name, path, value }),
            Err(fault) => self.faults.push((name, fault)),
        }
    }
}

/// A password as a store of users keeps it: with the secret's name as the user's, as the convection door does it.
fn login(name: &str, path: &str, password: &SecretBytes) -> Result<SecretBytes, SecretFault> {
    let username = if Name::new(name).is_ok() || !name.is_empty() && !name.contains(char::is_control) {
        name
    } else {
        path
    };
    let username = Value::from(username).to_string();
    password.expose(|password| match password {
        [b'"', b'"'] => Err(SecretFault::Empty),
        [b'"', ..] => {
            let mut json = Vec::with_capacity(username.len() + password.len() + 32);
            for part in [b"{\"username\":", username.as_bytes(), b",\"password\":", password, b"}"] {
                json.extend_from_slice(part);
            }
            Ok(SecretBytes::new(json))
        }
        _ => Err(SecretFault::NotText),
    })
}

/// What a generator was to do: the configuration's defaults.
fn settings(config: &[(String, String)]) -> Map<String, Value> {
    const ALPHABETS: [(&str, &str); 3] =
        [("printable", "printable"), ("ascii_letters", "lower+upper"), ("digits", "digits")];
    let default = config.iter().find(|(name, _)| name == "default");
    let default = default.and_then(|(_, json)| serde_json::from_str::<Map<String, Value>>(json).ok());
    let default = default.unwrap_or_default();
    let mut settings = Map::new();
    if let Some(length) =
        default.get("length").and_then(Value::as_u64).filter(|length| (4..=1024).contains(length))
    {
        settings.insert("length".to_owned(), length.into());
    }
    let letters = default.get("letters").and_then(Value::as_str);
    if let Some((_, ours)) = ALPHABETS.iter().find(|(theirs, _)| Some(*theirs) == letters) {
        settings.insert("alphabet".to_owned(), (*ours).into());
    }
    settings
}
