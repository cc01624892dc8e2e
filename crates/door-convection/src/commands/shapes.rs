//! Secrets as this protocol writes them, in the shape that the store's type has for them.
//!
//! | type | put | generated |
//! | --- | --- | --- |
//! | `generic` | `secret_value`, any JSON value; with `encoding=base64` any bytes | never |
//! | `passdb` | `secret_value`, a text; `username`, if not the secret's name | `username`, `length`, `value_type` |
//! | `rsa` | `secret_value`, a PEM text; or `private_key` | `bits` |
//! | `x509` | `secret_value`, a PEM text; or `private_key`, `certificate`, `chain`, `csr` | `common_name`, `sans`, `days`, `key`, `organization`, `csr=true` |

use super::settings;
use crate::asked::Asked;
use crate::fault::Fault;
use crate::request::Fields;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value as Json};
use strongroom_model::{JsonFault, JsonLimits, JsonText, MAX_VALUE_BYTES, SecretPath, ValueKind};
use strongroom_secret::SecretBytes;
use strongroom_secrets::{Onto, TypeError, TypeRef, Value};

/// Fields that are about the request and no part of what is wanted.
const CONTROL: [&str; 4] = ["secret_name", "secret_value", "encoding", VERSION];
const VERSION: &str = "version";
/// Fields of which each says that a value is given.
const GIVEN: [&str; 3] = ["secret_value", "private_key", "certificate"];
/// Fields of a key or a certificate that is given in parts.
const PARTS: [&str; 5] = ["private_key", "public_key", "certificate", "chain", "csr"];

/// The path of the secret that a request is about.
pub(crate) fn path(args: &Fields<'_>) -> Result<SecretPath, Fault> {
    let text = args.text("secret_name")?;
    SecretPath::new(&text).map_err(|fault| Fault::value(&format!("secret_name: {fault}")))
}

/// What is to be written.
pub(crate) struct Wanted<'t> {
    args: Fields<'t>,
    pub(crate) path: SecretPath,
    creates: bool,
    order: Map<String, Json>,
}

impl<'t> Wanted<'t> {
    pub(crate) fn of(asked: &Asked<'t>, creates: bool) -> Result<Self, Fault> {
        Self::read(asked.object("store_args")?, creates)
    }

    fn read(args: Fields<'t>, creates: bool) -> Result<Self, Fault> {
        let path = path(&args)?;
        let mut wanted = Self { args, path, creates, order: Map::new() };
        if !wanted.is_given() {
            wanted.order = settings::typed(&wanted.args, &CONTROL)?;
            wanted.order.retain(|_, value| !value.is_null());
        }
        Ok(wanted)
    }

    /// Whether there is a value, and none is to be generated.
    pub(crate) fn is_given(&self) -> bool {
        GIVEN.iter().any(|name| self.args.raw(name).is_some())
    }

    /// What is made is not there yet; what is changed is, in the version that is named if one is.
    pub(crate) fn onto(&self) -> Result<Onto, Fault> {
        if self.creates {
            return Ok(Onto::Version(0));
        }
        match self.args.number(VERSION)?.map(u64::try_from) {
            None => Ok(Onto::Something),
            Some(Ok(version @ 1..)) => Ok(Onto::Version(version)),
            Some(_) => Err(Fault::value("version is a number from 1")),
        }
    }

    /// The value, of a secret of this type.
    pub(crate) fn value(&self, of: TypeRef) -> Result<Value, TypeError> {
        let raw = self.args.raw("secret_value");
        let text = raw.filter(|raw| raw.starts_with('"'));
        match (of.name(), raw, text) {
            ("generic", Some(_), Some(text)) if self.args.raw("encoding").is_some() => self.decoded(text),
            ("user", _, Some(password)) => Ok(self.user(password)),
            ("rsa" | "x509", _, Some(pem)) => bytes(string(pem)?.into_bytes()),
            ("rsa" | "x509", None, _) => Ok(self.parts()),
            (_, Some(raw), _) => json(raw.as_bytes()),
            (_, None, _) => Err(VALUELESS),
        }
    }

    fn decoded(&self, text: &str) -> Result<Value, TypeError> {
        if self.args.raw("encoding") != Some("\"base64\"") {
            return Err(TypeError::Field { field: "encoding", fault: "is base64, if anything" });
        }
        let mut text = string(text)?;
        let decoded = STANDARD.decode(text.as_bytes());
        strongroom_secret::wipe(&mut text);
        bytes(decoded.map_err(|_| TypeError::Field { field: "secret_value", fault: "is not base64" })?)
    }

    /// A password, as it was written, with whose it is. What is changed keeps its name, if none is given.
    fn user(&self, password: &str) -> Value {
        let own = self.creates.then(|| Json::from(self.path.as_str()).to_string());
        let username = self.args.raw("username").map(str::to_owned).or(own);
        let mut text = Vec::with_capacity(password.len() + username.as_ref().map_or(0, String::len) + 32);
        text.extend_from_slice(b"{");
        if let Some(username) = username {
            text.extend_from_slice(b"\"username\":");
            text.extend_from_slice(username.as_bytes());
            text.push(b',');
        }
        text.extend_from_slice(b"\"password\":");
        text.extend_from_slice(password.as_bytes());
        text.push(b'}');
        Value { kind: ValueKind::Json, bytes: SecretBytes::new(text) }
    }

    fn parts(&self) -> Value {
        let given: Vec<(&str, &str)> =
            PARTS.iter().filter_map(|name| Some((*name, self.args.raw(name)?))).collect();
        let room = given.iter().map(|(name, raw)| name.len() + raw.len() + 4).sum::<usize>() + 2;
        let mut text = Vec::with_capacity(room);
        text.push(b'{');
        for (at, (name, raw)) in given.into_iter().enumerate() {
            text.extend_from_slice(if at == 0 { b"\"" } else { b",\"" });
            text.extend_from_slice(name.as_bytes());
            text.extend_from_slice(b"\":");
            text.extend_from_slice(raw.as_bytes());
        }
        text.push(b'}');
        Value { kind: ValueKind::Json, bytes: SecretBytes::new(text) }
    }

    /// What is to be generated, of this type.
    pub(crate) fn order(&self, of: TypeRef) -> Result<JsonText, TypeError> {
        let mut order = self.order.clone();
        match of.name() {
            "generic" => return Err(VALUELESS),
            "user" if self.creates && !order.contains_key("username") => {
                order.insert("username".to_owned(), self.path.as_str().into());
            }
            _ => {}
        }
        settings::object(&order).map_err(|_| TypeError::NotJson { what: "order" })
    }
}

const VALUELESS: TypeError = TypeError::Field { field: "secret_value", fault: "is missing" };

fn json(text: &[u8]) -> Result<Value, TypeError> {
    let text = JsonText::new(text, JsonLimits::VALUE).map_err(|fault| match fault.fault {
        JsonFault::TooLong => TypeError::TooLarge,
        _ => TypeError::NotJson { what: "secret" },
    })?;
    Ok(Value::json(&text))
}

fn bytes(bytes: Vec<u8>) -> Result<Value, TypeError> {
    let bytes = SecretBytes::new(bytes);
    if bytes.len() > MAX_VALUE_BYTES { Err(TypeError::TooLarge) } else { Ok(Value::bytes(bytes)) }
}

fn string(raw: &str) -> Result<String, TypeError> {
    serde_json::from_str(raw).map_err(|_| TypeError::NotJson { what: "secret" })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wanted(args: &str, creates: bool) -> Wanted<'_> {
        Wanted::read(Fields::parse(args).unwrap(), creates).unwrap()
    }

    fn of(name: &str) -> TypeRef {
        TypeRef::from_name(name).unwrap()
    }

    fn value(args: &str, creates: bool, store_type: &str) -> Result<String, TypeError> {
        let value = wanted(args, creates).value(of(store_type))?;
        let kind = value.kind;
        Ok(format!("{kind:?} {}", value.bytes.expose(|bytes| String::from_utf8_lossy(bytes).into_owned())))
    }

    #[test]
    fn a_value_takes_the_shape_of_its_type() {
        let table = [
            (r#"{"secret_name": "a", "secret_value": 1.50}"#, true, "generic", "Json 1.50"),
            (r#"{"secret_name": "a", "secret_value": "x"}"#, true, "generic", "Json \"x\""),
            (
                r#"{"secret_name": "a", "secret_value": "eA==", "encoding": "base64"}"#,
                true,
                "generic",
                "Bytes x",
            ),
            (
                r#"{"secret_name": "db/a", "secret_value": "p\"w"}"#,
                true,
                "passdb",
                r#"Json {"username":"db/a","password":"p\"w"}"#,
            ),
            (r#"{"secret_name": "a", "secret_value": "p"}"#, false, "passdb", r#"Json {"password":"p"}"#),
            (
                r#"{"secret_name": "a", "secret_value": "p", "username": "ann"}"#,
                false,
                "User_Secret",
                r#"Json {"username":"ann","password":"p"}"#,
            ),
            (r#"{"secret_name": "a", "secret_value": "PEM\n"}"#, true, "rsa", "Bytes PEM\n"),
            (
                r#"{"secret_name": "a", "certificate": "C", "private_key": "K", "x": 1}"#,
                true,
                "x509",
                r#"Json {"private_key":"K","certificate":"C"}"#,
            ),
        ];
        for (args, creates, store_type, expected) in table {
            assert_eq!(value(args, creates, store_type).as_deref(), Ok(expected), "{args}");
        }
        let wrong = r#"{"secret_name": "a", "secret_value": "x", "encoding": "hex"}"#;
        assert!(value(wrong, true, "generic").is_err());
        let wrong = r#"{"secret_name": "a", "secret_value": "?", "encoding": "base64"}"#;
        assert!(value(wrong, true, "generic").is_err());
        assert_eq!(value(r#"{"secret_name": "a", "private_key": "K"}"#, true, "generic"), Err(VALUELESS));
    }

    #[test]
    fn without_a_value_there_is_an_order() {
        let args = r#"{"secret_name": "a", "length": "9", "value_type": "digits"}"#;
        let order = |creates, store_type: &str| wanted(args, creates).order(of(store_type));
        assert!(!wanted(args, true).is_given());
        let made = order(true, "passdb").unwrap();
        assert_eq!(made.as_str(), r#"{"alphabet":"digits","length":9,"username":"a"}"#);
        assert_eq!(order(false, "passdb").unwrap().as_str(), r#"{"alphabet":"digits","length":9}"#);
        assert_eq!(order(true, "generic"), Err(VALUELESS));
    }

    #[test]
    fn what_is_made_is_new_and_what_is_changed_is_there() {
        let onto = |args: &str, creates| wanted(args, creates).onto();
        assert_eq!(onto(r#"{"secret_name": "a", "version": 3}"#, true), Ok(Onto::Version(0)));
        assert_eq!(onto(r#"{"secret_name": "a"}"#, false), Ok(Onto::Something));
        assert_eq!(onto(r#"{"secret_name": "a", "version": "3"}"#, false), Ok(Onto::Version(3)));
        assert!(onto(r#"{"secret_name": "a", "version": 0}"#, false).is_err());
        for args in
            ["{}", r#"{"secret_name": ""}"#, r#"{"secret_name": "a/../b"}"#, r#"{"secret_name": ["a"]}"#]
        {
            assert!(Wanted::read(Fields::parse(args).unwrap(), true).is_err(), "{args}");
        }
    }
}
