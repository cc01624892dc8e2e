//! A key with its certificate and the chain above it, or with a request for one:
//! `{"private_key":"PEM","certificate":"PEM","chain":["PEM"],"csr":"PEM"}`.

use crate::fields::{self, SecretText};
use crate::payload::Value;
use crate::store_type::{Accepted, Facts, Order, StoreType, TypeError};
use serde::{Deserialize, Serialize};
use std::time::Duration;
use strongroom_ambient::UnixMillis;
use strongroom_crypto::{KeyMaterial, MaterialKind};
use strongroom_model::{JsonText, ValueKind};
use strongroom_x509::{Chain, Wanted, X509Error, check_request, request, self_signed};

pub(super) static TYPE: X509 = X509;

pub(super) struct X509;

const USUAL_DAYS: u64 = 90;
const MAX_DAYS: u64 = 3_652;
const USUAL_KEY: &str = "ec-p256";

/// A secret as it is put and as it is kept: without a key it is for the key of the version before.
#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Fields<'a> {
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    private_key: Option<SecretText<'a>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    certificate: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    chain: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    csr: Option<String>,
}

/// Settings of a store.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Settings {
    key: Option<String>,
    days: Option<u64>,
    organization: Option<String>,
}

/// What is to be generated.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Wish {
    common_name: String,
    organization: Option<String>,
    #[serde(default)]
    sans: Vec<String>,
    days: Option<u64>,
    key: Option<String>,
    /// A request instead of a self-signed certificate.
    #[serde(default)]
    csr: bool,
}

fn kind(name: Option<&str>) -> Result<MaterialKind, TypeError> {
    MaterialKind::from_name(name.unwrap_or(USUAL_KEY)).ok_or(TypeError::Field {
        field: "key",
        fault: "is ec-p256, ec-p384, ed25519, rsa-2048, rsa-3072 or rsa-4096",
    })
}

fn life(days: Option<u64>) -> Result<Duration, TypeError> {
    match days.unwrap_or(USUAL_DAYS) {
        days @ 1..=MAX_DAYS => Ok(Duration::from_hours(24 * days)),
        _ => Err(TypeError::Field { field: "days", fault: "is from 1 to 3652" }),
    }
}

/// What is there, checked: a key, and a chain or a request for it.
struct Parts {
    key: KeyMaterial,
    chain: Option<Chain>,
    csr: Option<String>,
}

impl Parts {
    /// Checks that everything is for the key.
    fn new(key: KeyMaterial, chain: Option<Chain>, csr: Option<String>) -> Result<Self, TypeError> {
        if let Some(chain) = &chain {
            chain.check_key(&key)?;
        }
        if let Some(csr) = &csr {
            check_request(csr.as_bytes(), &key)?;
        }
        if chain.is_none() && csr.is_none() {
            return Err(TypeError::Field { field: "certificate", fault: "is missing, and so is csr" });
        }
        Ok(Self { key, chain, csr })
    }

    fn read(value: &Value, beneath: Option<&Value>) -> Result<Self, TypeError> {
        value.bytes.expose(|bytes| match value.kind {
            ValueKind::Bytes => Self::of_bundle(bytes, beneath),
            ValueKind::Json => Self::of_fields(fields::read("secret", bytes)?, beneath),
        })
    }

    fn of_fields(fields: Fields<'_>, beneath: Option<&Value>) -> Result<Self, TypeError> {
        let chain = match fields.certificate {
            Some(certificate) => {
                let bundle = [certificate, fields.chain.concat()].join("\n");
                Some(Chain::read(bundle.as_bytes())?)
            }
            None if fields.chain.is_empty() => None,
            None => return Err(TypeError::Field { field: "chain", fault: "is given without a certificate" }),
        };
        match fields.private_key {
            Some(key) => Self::new(KeyMaterial::read(key.as_str().as_bytes())?, chain, fields.csr),
            None => Self::upon(beneath, chain, fields.csr),
        }
    }

    /// PEM with certificates, and with a private key or without; or one certificate in DER.
    fn of_bundle(bundle: &[u8], beneath: Option<&Value>) -> Result<Self, TypeError> {
        let chain = Some(Chain::read(bundle)?);
        if bundle.windows(12).any(|window| window == b"PRIVATE KEY-") {
            return Self::new(KeyMaterial::read(bundle)?, chain, None);
        }
        Self::upon(beneath, chain, None)
    }

    /// With the key of the newest version: that of a request, or of the certificate that is replaced.
    fn upon(beneath: Option<&Value>, chain: Option<Chain>, csr: Option<String>) -> Result<Self, TypeError> {
        let beneath = beneath.ok_or(TypeError::NothingBeneath)?;
        let before = Self::read(beneath, None).map_err(|_| TypeError::NothingBeneath)?;
        let csr = csr.or_else(|| before.csr.filter(|_| chain.is_some()));
        Self::new(before.key, chain, csr)
    }

    fn keep(&self) -> Result<Accepted, TypeError> {
        let facts = self.facts()?;
        let mut certificates = self.chain.iter().flat_map(Chain::pems);
        let certificate = certificates.next();
        let chain: Vec<String> = certificates.collect();
        let room = 2 * (certificate.iter().chain(&chain).chain(&self.csr).map(String::len).sum::<usize>());
        let value = self.key.private_pem().expose(|pem| {
            let private_key = std::str::from_utf8(pem).map_err(|_| X509Error::MalformedKey)?;
            let csr = self.csr.clone();
            let fields = Fields { private_key: Some(private_key.into()), certificate, chain, csr };
            fields::write(&fields, room + 4 * pem.len())
        })?;
        Ok(Accepted { value: Some(value), facts })
    }

    fn known(&self) -> Result<Known, TypeError> {
        let mut known = Known { key: self.key.kind().name(), csr: self.csr.is_some(), ..Known::default() };
        if let Some(chain) = &self.chain {
            let info = chain.info()?;
            known.subject = Some(info.subject);
            known.issuer = Some(info.issuer);
            known.serial = Some(info.serial);
            known.sans = info.sans;
            known.not_before_ms = Some(info.not_before_ms);
            known.not_after_ms = Some(info.not_after_ms);
            known.fingerprint = Some(data_encoding::HEXLOWER.encode(&info.sha256));
        }
        Ok(known)
    }

    fn facts(&self) -> Result<Facts, TypeError> {
        let known = self.known()?;
        let json = fields::text(&known)?.as_str().to_owned();
        Ok(Facts { expires: known.not_after_ms.map(UnixMillis), json })
    }
}

/// What may be known without the key. The moments are milliseconds since 1970.
#[derive(Default, Serialize)]
struct Known {
    key: String,
    csr: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    subject: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    issuer: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    serial: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    sans: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    not_before_ms: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    not_after_ms: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    fingerprint: Option<String>,
}

#[derive(Serialize)]
struct Shown {
    #[serde(skip_serializing_if = "Option::is_none")]
    certificate: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    chain: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    csr: Option<String>,
    public_key: String,
}

impl StoreType for X509 {
    fn number(&self) -> u8 {
        4
    }

    fn name(&self) -> &'static str {
        "x509"
    }

    fn aliases(&self) -> &'static [&'static str] {
        &["X509_Secret"]
    }

    fn about(&self) -> &'static str {
        "a key with its certificate and chain, or with a request for a certificate"
    }

    fn settings(&self) -> &'static [(&'static str, &'static str)] {
        &[
            ("key", "generated keys: ec-p256 (if absent), ec-p384, ed25519, rsa-2048, rsa-3072, rsa-4096"),
            ("days", "life of a self-signed certificate, 1 to 3652; 90 if absent"),
            ("organization", "of the subject"),
        ]
    }

    fn check_settings(&self, settings: &JsonText) -> Result<(), TypeError> {
        let settings: Settings = fields::read_text("settings", settings)?;
        kind(settings.key.as_deref())?;
        life(settings.days).map(drop)
    }

    fn is_slow(&self) -> bool {
        true
    }

    fn builds_upon(&self, value: &Value) -> bool {
        value.bytes.expose(|bytes| !bytes.windows(11).any(|window| window == b"PRIVATE KEY"))
    }

    fn accept(&self, value: &Value, beneath: Option<&Value>) -> Result<Accepted, TypeError> {
        Parts::read(value, beneath)?.keep()
    }

    fn generate(&self, order: &Order<'_>) -> Result<Accepted, TypeError> {
        let wanted: Wish = fields::read_text("order", order.wanted)?;
        let settings: Settings = fields::read_text("settings", order.settings)?;
        let life = life(wanted.days.or(settings.days))?;
        let kind = kind(wanted.key.as_deref().or(settings.key.as_deref()))?;
        let sans: Vec<&str> = wanted.sans.iter().map(String::as_str).collect();
        let organization = wanted.organization.as_deref().or(settings.organization.as_deref());
        let subject = Wanted { common_name: &wanted.common_name, organization, sans: &sans };
        let key = KeyMaterial::generate(kind)?;
        let (chain, csr) = if wanted.csr {
            (None, Some(request(order.ambient, &key, &subject)?))
        } else {
            let made = self_signed(order.ambient, &key, &subject, life)?;
            (Some(Chain::read(made.as_bytes())?), None)
        };
        Parts::new(key, chain, csr)?.keep()
    }

    fn public(&self, value: &Value) -> Result<JsonText, TypeError> {
        let parts = Parts::read(value, None)?;
        let mut certificates = parts.chain.iter().flat_map(Chain::pems);
        let certificate = certificates.next();
        let public_key = parts.key.public_pem();
        fields::text(&Shown {
            certificate,
            chain: certificates.collect(),
            csr: parts.csr.clone(),
            public_key,
        })
    }

    fn expires(&self) -> bool {
        true
    }

    fn examples(&self) -> Vec<String> {
        let example = |csr| {
            let subject =
                Wanted { common_name: "www.example.org", organization: None, sans: &["www.example.org"] };
            let ambient = strongroom_ambient::Ambient::system();
            let key = KeyMaterial::generate(MaterialKind::EcP256).ok()?;
            let (chain, csr) = if csr {
                (None, Some(request(&ambient, &key, &subject).ok()?))
            } else {
                let made = self_signed(&ambient, &key, &subject, Duration::from_hours(24)).ok()?;
                (Some(Chain::read(made.as_bytes()).ok()?), None)
            };
            let kept = Parts::new(key, chain, csr).ok()?.keep().ok()?.value?;
            kept.bytes.expose(|json| String::from_utf8(json.to_vec()).ok())
        };
        [example(false), example(true)].into_iter().flatten().collect()
    }
}

#[cfg(test)]
#[path = "x509/tests.rs"]
mod tests;
