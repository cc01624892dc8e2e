//! A user name and a password: `{"username":"app","password":"..."}`. A password by itself goes to the name of the
//! version before.

use crate::fields::{self, SecretText};
use crate::password::{Alphabet, LENGTHS};
use crate::payload::Value;
use crate::store_type::{Accepted, Facts, Order, StoreType, TypeError};
use serde::{Deserialize, Serialize};
use strongroom_model::{JsonText, ValueKind};

pub(super) static TYPE: User = User;

pub(super) struct User;

/// Most bytes of a name and of a password.
const MAX_NAME: usize = 1_024;
const MAX_PASSWORD: usize = 64 * 1_024;
/// What is generated where neither order nor store says otherwise: 142 bits.
const USUAL_LENGTH: usize = 24;
const USUAL_ALPHABET: &str = "alphanumeric";
const NAMELESS: TypeError = TypeError::Field { field: "username", fault: "is missing" };

/// A value as it is put.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Put<'a> {
    #[serde(borrow, default)]
    username: Option<SecretText<'a>>,
    #[serde(borrow)]
    password: SecretText<'a>,
}

#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Fields<'a> {
    #[serde(borrow)]
    username: SecretText<'a>,
    #[serde(borrow)]
    password: SecretText<'a>,
}

/// Settings of a store: what an order leaves open, the store decides.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Recipe {
    length: Option<usize>,
    alphabet: Option<String>,
    characters: Option<String>,
    each: Option<bool>,
}

/// An order: the same, with a name.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Wanted {
    username: Option<String>,
    length: Option<usize>,
    alphabet: Option<String>,
    characters: Option<String>,
    each: Option<bool>,
}

impl Recipe {
    /// The order's choice before the store's; an alphabet of either kind replaces the store's whole.
    fn over(self, store: Self) -> Self {
        let length = self.length.or(store.length);
        if self.alphabet.is_some() || self.characters.is_some() {
            return Self { length, ..self };
        }
        Self { length, each: self.each.or(store.each), ..store }
    }

    fn alphabet(&self) -> Result<Alphabet, TypeError> {
        let each = self.each.unwrap_or(false);
        match (&self.alphabet, &self.characters) {
            (Some(_), Some(_)) => {
                Err(TypeError::Field { field: "alphabet", fault: "both it and characters are given" })
            }
            (None, Some(_)) if each => {
                Err(TypeError::Field { field: "each", fault: "is for named alphabets" })
            }
            (None, Some(characters)) => Alphabet::own(characters),
            (names, None) => Alphabet::named(names.as_deref().unwrap_or(USUAL_ALPHABET), each),
        }
    }

    fn length(&self) -> Result<usize, TypeError> {
        let length = self.length.unwrap_or(USUAL_LENGTH);
        if LENGTHS.contains(&length) {
            return Ok(length);
        }
        Err(TypeError::Field { field: "length", fault: "is from 4 to 1024" })
    }
}

#[derive(Serialize)]
struct Known {
    length: usize,
    entropy_bits: f64,
}

fn check(fields: &Fields<'_>) -> Result<(), TypeError> {
    let name = fields.username.as_str();
    if name.is_empty() || name.len() > MAX_NAME || name.contains(char::is_control) {
        let fault = "is 1 to 1024 bytes without control characters";
        return Err(TypeError::Field { field: "username", fault });
    }
    let password = fields.password.as_str();
    if password.is_empty() || password.len() > MAX_PASSWORD {
        return Err(TypeError::Field { field: "password", fault: "is 1 to 65536 bytes" });
    }
    Ok(())
}

fn write(fields: &Fields<'_>) -> Result<Value, TypeError> {
    check(fields)?;
    // a character may become six
    fields::write(fields, 6 * (fields.username.as_str().len() + fields.password.as_str().len()))
}

/// The name in a value that was accepted before.
fn name_of(value: &Value) -> Option<String> {
    value.bytes.expose(|json| {
        let fields: Fields<'_> = fields::read("secret", json).ok()?;
        Some(fields.username.as_str().to_owned())
    })
}

impl StoreType for User {
    fn number(&self) -> u8 {
        2
    }

    fn name(&self) -> &'static str {
        "user"
    }

    fn aliases(&self) -> &'static [&'static str] {
        &["User_Secret", "passdb"]
    }

    fn about(&self) -> &'static str {
        "a user name and a password, which can be generated"
    }

    fn settings(&self) -> &'static [(&'static str, &'static str)] {
        &[
            ("length", "characters of a generated password, 4 to 1024; 24 if absent"),
            ("alphabet", "lower, upper, digits, symbols, hex, alphanumeric, printable, joined by +"),
            ("characters", "an alphabet of one's own instead, 2 to 256 characters"),
            ("each", "whether each named alphabet gives at least one character"),
        ]
    }

    fn check_settings(&self, settings: &JsonText) -> Result<(), TypeError> {
        let recipe: Recipe = fields::read_text("settings", settings)?;
        recipe.alphabet()?;
        recipe.length().map(drop)
    }

    fn builds_upon(&self, value: &Value) -> bool {
        let nameless =
            |json: &[u8]| fields::read::<Put<'_>>("secret", json).is_ok_and(|put| put.username.is_none());
        value.kind == ValueKind::Json && value.bytes.expose(nameless)
    }

    fn accept(&self, value: &Value, beneath: Option<&Value>) -> Result<Accepted, TypeError> {
        if value.kind != ValueKind::Json {
            return Err(TypeError::NotJson { what: "secret" });
        }
        let kept = value.bytes.expose(|json| {
            let Put { username, password } = fields::read("secret", json)?;
            let before = if username.is_none() { beneath.and_then(name_of) } else { None };
            let username = username.or_else(|| before.as_deref().map(SecretText::from)).ok_or(NAMELESS)?;
            write(&Fields { username, password })
        })?;
        Ok(Accepted { value: Some(kept), facts: Facts::default() })
    }

    fn generates_upon(&self) -> bool {
        true
    }

    fn generate(&self, order: &Order<'_>) -> Result<Accepted, TypeError> {
        let wanted: Wanted = fields::read_text("order", order.wanted)?;
        let Wanted { username, length, alphabet, characters, each } = wanted;
        let recipe = Recipe { length, alphabet, characters, each };
        let recipe = recipe.over(fields::read_text("settings", order.settings)?);
        let username = username.or_else(|| order.beneath.and_then(name_of));
        let username = username.ok_or(NAMELESS)?;
        let (alphabet, length) = (recipe.alphabet()?, recipe.length()?);
        let mut password = alphabet.draw(order.ambient, length)?;
        let fields = Fields { username: username.as_str().into(), password: password.as_str().into() };
        let value = write(&fields);
        drop(fields);
        strongroom_secret::wipe(&mut password);
        let entropy_bits = (alphabet.entropy_bits(length) * 10.0).floor() / 10.0;
        let json = fields::text(&Known { length, entropy_bits })?.as_str().to_owned();
        Ok(Accepted { value: Some(value?), facts: Facts { expires: None, json } })
    }

    fn examples(&self) -> Vec<String> {
        vec![
            r#"{"username":"app","password":"correct horse"}"#.to_owned(),
            r#"{"password":"\"\\\u0007ü","username":"ü"}"#.to_owned(),
        ]
    }
}
