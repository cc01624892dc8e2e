//! An RSA key pair: `{"private_key":"PEM","public_key":"PEM"}`, PKCS#8 and SubjectPublicKeyInfo.

use crate::fields::{self, SecretText};
use crate::payload::Value;
use crate::store_type::{Accepted, Facts, Order, StoreType, TypeError};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use strongroom_crypto::{KeyError, KeyMaterial, MaterialKind};
use strongroom_model::{JsonText, ValueKind};

pub(super) static TYPE: Rsa = Rsa;

pub(super) struct Rsa;

const USUAL_BITS: usize = 3_072;
const GENERATED_BITS: [usize; 3] = [2_048, 3_072, 4_096];

#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Fields<'a> {
    #[serde(borrow)]
    private_key: SecretText<'a>,
    #[serde(borrow, default)]
    public_key: Option<Cow<'a, str>>,
}

/// Settings of a store, and an order.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Recipe {
    bits: Option<usize>,
}

impl Recipe {
    fn check(self) -> Result<Self, TypeError> {
        match self.bits {
            Some(bits) if !GENERATED_BITS.contains(&bits) => {
                Err(TypeError::Field { field: "bits", fault: "is 2048, 3072 or 4096" })
            }
            _ => Ok(self),
        }
    }
}

#[derive(Serialize)]
struct Known {
    bits: usize,
    fingerprint: String,
}

#[derive(Serialize)]
struct Shown {
    public_key: String,
    bits: usize,
    fingerprint: String,
}

fn known(key: &KeyMaterial) -> Result<Known, TypeError> {
    let MaterialKind::Rsa(bits) = key.kind() else { return Err(KeyError::Unsupported.into()) };
    let fingerprint = format!("SHA256:{}", data_encoding::BASE64_NOPAD.encode(&key.fingerprint()));
    Ok(Known { bits, fingerprint })
}

fn keep(key: &KeyMaterial) -> Result<Accepted, TypeError> {
    let json = fields::text(&known(key)?)?.as_str().to_owned();
    let value = key.private_pem().expose(|pem| {
        let private_key = std::str::from_utf8(pem).map_err(|_| KeyError::Malformed)?.into();
        let fields = Fields { private_key, public_key: Some(key.public_pem().into()) };
        fields::write(&fields, 4 * pem.len())
    })?;
    Ok(Accepted { value: Some(value), facts: Facts { expires: None, json } })
}

fn read(value: &Value) -> Result<KeyMaterial, TypeError> {
    value.bytes.expose(|bytes| match value.kind {
        ValueKind::Bytes => Ok(KeyMaterial::read(bytes)?),
        ValueKind::Json => {
            let fields: Fields<'_> = fields::read("secret", bytes)?;
            let key = KeyMaterial::read(fields.private_key.as_str().as_bytes())?;
            match fields.public_key {
                Some(public) if public != key.public_pem() => Err(KeyError::Inconsistent.into()),
                _ => Ok(key),
            }
        }
    })
}

impl StoreType for Rsa {
    fn number(&self) -> u8 {
        3
    }

    fn name(&self) -> &'static str {
        "rsa"
    }

    fn aliases(&self) -> &'static [&'static str] {
        &["RSA_Secret"]
    }

    fn about(&self) -> &'static str {
        "an RSA key pair, generated or from PEM or DER; its public half can be read by itself"
    }

    fn settings(&self) -> &'static [(&'static str, &'static str)] {
        &[("bits", "size of a generated key: 2048, 3072 or 4096; 3072 if absent")]
    }

    fn check_settings(&self, settings: &JsonText) -> Result<(), TypeError> {
        fields::read_text::<Recipe>("settings", settings)?.check().map(drop)
    }

    fn is_slow(&self) -> bool {
        true
    }

    fn accept(&self, value: &Value, _: Option<&Value>) -> Result<Accepted, TypeError> {
        keep(&read(value)?)
    }

    fn generate(&self, order: &Order<'_>) -> Result<Accepted, TypeError> {
        let wanted = fields::read_text::<Recipe>("order", order.wanted)?.check()?;
        let usual = fields::read_text::<Recipe>("settings", order.settings)?.check()?;
        let bits = wanted.bits.or(usual.bits).unwrap_or(USUAL_BITS);
        keep(&KeyMaterial::generate(MaterialKind::Rsa(bits))?)
    }

    fn public(&self, value: &Value) -> Result<JsonText, TypeError> {
        let key = read(value)?;
        let Known { bits, fingerprint } = known(&key)?;
        fields::text(&Shown { public_key: key.public_pem(), bits, fingerprint })
    }

    fn examples(&self) -> Vec<String> {
        let made = KeyMaterial::generate(MaterialKind::Rsa(2_048));
        let text = made.ok().and_then(|key| {
            key.private_pem().expose(|pem| {
                let private_key = std::str::from_utf8(pem).ok()?.into();
                serde_json::to_string(&Fields { private_key, public_key: None }).ok()
            })
        });
        text.into_iter().collect()
    }
}
