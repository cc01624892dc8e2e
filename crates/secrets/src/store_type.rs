//! What a type of store is, and which there are.
//!
//! A type decides what a secret in its stores looks like: it checks and normalises what is put, generates, shows the
//! public half, and says what may be known of a version without its value. A type is one file in `src/types`: the
//! build lists them, and the conformance suite runs over whatever is listed.

use crate::payload::Value;
use std::num::NonZeroU64;
use strongroom_ambient::{Ambient, UnixMillis};
use strongroom_crypto::KeyError;
use strongroom_model::JsonText;
use strongroom_x509::X509Error;

mod types {
    use super::StoreType;

    include!(concat!(env!("OUT_DIR"), "/types.rs"));
}

/// A type of store.
pub trait StoreType: Send + Sync + 'static {
    /// Its number: part of the format, never given to another type.
    fn number(&self) -> u8;

    /// Its name.
    fn name(&self) -> &'static str;

    /// Other names for it: those of the system that this one follows.
    fn aliases(&self) -> &'static [&'static str] {
        &[]
    }

    /// Version of the type that new stores get.
    fn version(&self) -> u32 {
        1
    }

    /// One line for people: what its secrets are.
    fn about(&self) -> &'static str;

    /// The settings that a store of it may have, with what each means.
    fn settings(&self) -> &'static [(&'static str, &'static str)] {
        &[]
    }

    /// Checks the settings of a store, a JSON object.
    fn check_settings(&self, settings: &JsonText) -> Result<(), TypeError>;

    /// Whether its work takes more than a moment, and so is done off the threads that serve.
    fn is_slow(&self) -> bool {
        false
    }

    /// Whether this value can be completed with the newest version that is there.
    fn builds_upon(&self, _: &Value) -> bool {
        false
    }

    /// Checks a value, with the newest version if it builds upon that, and gives the form in which it is kept.
    fn accept(&self, value: &Value, beneath: Option<&Value>) -> Result<Accepted, TypeError>;

    /// Whether a generated version takes something from the newest one that is there.
    fn generates_upon(&self) -> bool {
        false
    }

    /// Generates a value.
    fn generate(&self, _: &Order<'_>) -> Result<Accepted, TypeError> {
        Err(TypeError::NoGenerator)
    }

    /// The part of a value that is no secret, as a JSON object.
    fn public(&self, _: &Value) -> Result<JsonText, TypeError> {
        Err(TypeError::NoPublicHalf)
    }

    /// Whether its secrets expire.
    fn expires(&self) -> bool {
        false
    }

    /// Values that it accepts, as JSON: for its documentation and for the conformance suite.
    fn examples(&self) -> Vec<String>;
}

/// What is asked of a generator.
pub struct Order<'a> {
    /// What is wanted this time, a JSON object.
    pub wanted: &'a JsonText,
    /// What the store is set to, a JSON object.
    pub settings: &'a JsonText,
    /// The newest version, of a type that asks for it.
    pub beneath: Option<&'a Value>,
    /// Clock and entropy.
    pub ambient: &'a Ambient,
}

/// What may be known of a version without its value.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Facts {
    /// When it expires, if it does.
    pub expires: Option<UnixMillis>,
    /// A JSON object; empty if there is nothing to say.
    pub json: String,
}

/// A value that was accepted or generated.
#[derive(Debug)]
pub struct Accepted {
    /// The form in which it is kept; `None`: as it came.
    pub value: Option<Value>,
    /// What may be known of it.
    pub facts: Facts,
}

impl Accepted {
    /// A value that is kept as it came, and of which nothing is known.
    pub fn as_it_came() -> Self {
        Self { value: None, facts: Facts::default() }
    }
}

/// Why a value, settings or an order do not suit a type.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TypeError {
    /// It is not JSON where the type wants JSON.
    #[error("{what} is not a JSON object with the fields of this type")]
    NotJson {
        /// A secret, settings, an order.
        what: &'static str,
    },
    /// A field is missing, unknown, or of a wrong type.
    #[error("{what}: {fault}")]
    Shape {
        /// A secret, settings, an order.
        what: &'static str,
        /// What is wrong; never a value.
        fault: String,
    },
    /// A field's value is not acceptable.
    #[error("{field}: {fault}")]
    Field {
        /// Its name.
        field: &'static str,
        /// What is wrong.
        fault: &'static str,
    },
    /// A key is not acceptable.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// A certificate or a request is not acceptable.
    #[error(transparent)]
    Certificate(#[from] X509Error),
    /// There is no earlier version whose key this could be for.
    #[error("no private key is given, and the newest version has none that fits")]
    NothingBeneath,
    /// Nothing is generated in stores of this type.
    #[error("secrets of this type are not generated")]
    NoGenerator,
    /// Secrets of this type are secret as a whole.
    #[error("secrets of this type have no public half")]
    NoPublicHalf,
    /// Beyond what a value may have.
    #[error("the value is too large")]
    TooLarge,
}

/// A registered type: two are the same if their numbers are.
#[derive(Clone, Copy)]
pub struct TypeRef(&'static dyn StoreType);

impl TypeRef {
    /// Every type.
    pub fn all() -> impl Iterator<Item = Self> {
        types::ALL.iter().map(|known| Self(*known))
    }

    /// By name or another name for it.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::all().find(|known| known.0.name() == name || known.0.aliases().contains(&name))
    }

    /// By number.
    pub fn from_number(number: u8) -> Option<Self> {
        Self::all().find(|known| known.0.number() == number)
    }

    /// The type that a store gets if none is named.
    pub fn usual() -> Self {
        match Self::from_number(1) {
            Some(generic) => generic,
            None => unreachable!("src/types/generic.rs has number 1"),
        }
    }
}

impl std::ops::Deref for TypeRef {
    type Target = dyn StoreType;

    fn deref(&self) -> &Self::Target {
        self.0
    }
}

impl PartialEq for TypeRef {
    fn eq(&self, other: &Self) -> bool {
        self.0.number() == other.0.number()
    }
}

impl Eq for TypeRef {}

impl std::fmt::Debug for TypeRef {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "TypeRef({})", self.0.name())
    }
}

/// What a store is set to, beside its type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// So many versions of a secret are kept; all if `None`.
    pub keep: Option<NonZeroU64>,
    /// Whether every write has to name the version it expects.
    pub cas_required: bool,
    /// The type's own, a JSON object.
    pub of_type: JsonText,
}

impl Default for Settings {
    fn default() -> Self {
        Self { keep: None, cas_required: false, of_type: JsonText::empty_object() }
    }
}
