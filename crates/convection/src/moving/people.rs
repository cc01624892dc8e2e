//! Users and groups.

use super::PROTECTED;
use crate::storage::{OldKey, OldUser};
use data_encoding::BASE64;
use strongroom_crypto::{KeyError, PublicKey, public_key_pem};

/// Why an access key is left out.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeyFault {
    /// Its public half.
    #[error("{0}")]
    Key(#[from] KeyError),
    /// Its id.
    #[error("its id is not of 32 hexadecimal digits")]
    Id,
    /// The user has it already.
    #[error("the user has this key twice")]
    Twice,
    /// root's keys are not taken unless that is said.
    #[error("keys of root are brought over with --with-root only")]
    Root,
}

/// An access key that is brought over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlannedKey {
    /// Its id, as it was.
    pub id: String,
    /// Its public half, PEM.
    pub public_key: String,
    /// SHA-256 of its `SubjectPublicKeyInfo`, hexadecimal.
    pub fingerprint: String,
}

/// A user who is brought over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlannedUser {
    /// The user's name as it was.
    pub old: String,
    /// The user's name.
    pub name: String,
    /// The user's access keys.
    pub keys: Vec<PlannedKey>,
    /// Access keys that are left out, and why.
    pub key_faults: Vec<(String, KeyFault)>,
    /// ACLs that are attached, by their new names.
    pub acls: Vec<String>,
    /// Tokens, which are not brought over.
    pub tokens: usize,
}

/// A group that is brought over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlannedGroup {
    /// Its name as it was.
    pub old: String,
    /// Its name.
    pub name: String,
    /// Its members, by their new names.
    pub members: Vec<String>,
    /// ACLs that are attached, by their new names.
    pub acls: Vec<String>,
}

impl PlannedUser {
    pub(super) fn of(user: &OldUser, name: String, acls: Vec<String>, with_root: bool) -> Self {
        let mut planned = Self {
            old: user.name.clone(),
            name,
            keys: Vec::new(),
            key_faults: Vec::new(),
            acls,
            tokens: user.tokens,
        };
        for key in &user.keys {
            let read = if user.name == "root" && !with_root { Err(KeyFault::Root) } else { planned_key(key) };
            match read {
                Ok(key) if planned.keys.iter().any(|known| known.public_key == key.public_key) => {
                    planned.key_faults.push((key.id, KeyFault::Twice));
                }
                Ok(key) => planned.keys.push(key),
                Err(fault) => planned.key_faults.push((key.id.clone(), fault)),
            }
        }
        planned
    }

    /// Whether it is one of the users whom no ACL reaches.
    pub fn is_protected(&self) -> bool {
        PROTECTED.contains(&self.name.as_str())
    }
}

fn planned_key(key: &OldKey) -> Result<PlannedKey, KeyFault> {
    if key.id.len() != 32 || !key.id.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Err(KeyFault::Id);
    }
    let lines: String = key.public_key.split_ascii_whitespace().collect();
    let der = BASE64.decode(lines.as_bytes()).map_err(|_| KeyError::Malformed)?;
    let public = match PublicKey::from_spki(&der) {
        // the first and the last line of a PEM are not kept, and with them what it was
        Err(KeyError::Malformed | KeyError::Unsupported) => PublicKey::from_spki(&spki_of_pkcs1(&der)),
        read => read,
    }?;
    let fingerprint = data_encoding::HEXLOWER.encode(&public.fingerprint());
    Ok(PlannedKey { id: key.id.to_ascii_lowercase(), public_key: public_key_pem(&public), fingerprint })
}

/// An `RSAPublicKey` (RFC 8017, appendix A.1.1) within a `SubjectPublicKeyInfo`.
fn spki_of_pkcs1(der: &[u8]) -> Vec<u8> {
    // AlgorithmIdentifier { rsaEncryption, NULL }
    const ALGORITHM: [u8; 15] = [0x30, 13, 6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 1, 5, 0];
    let bits = [&[0], der].concat();
    element(0x30, &[ALGORITHM.as_slice(), &element(3, &bits)].concat())
}

/// A DER element.
fn element(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = content.len().to_be_bytes();
    let short = length.iter().position(|byte| *byte != 0).unwrap_or(length.len() - 1);
    let digits = length.get(short..).unwrap_or_default();
    let mut out = vec![tag];
    match (digits, u8::try_from(digits.len())) {
        ([one], _) if *one < 0x80 => out.push(*one),
        (_, Ok(count)) => out.extend([&[0x80 | count], digits].concat()),
        _ => {}
    }
    out.extend_from_slice(content);
    out
}
