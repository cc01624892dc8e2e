//! Passwords: argon2id (RFC 9106), kept as a PHC string.

use crate::Rejected;
use argon2::{Algorithm, Argon2, Block, Params, Version};
use data_encoding::BASE64_NOPAD;
use strongroom_ambient::Ambient;
use strongroom_secret::SecretBytes;

const SALT_BYTES: usize = 16;
const HASH_BYTES: usize = 32;
/// What a stored hash may ask for at most: a damaged one must not eat the machine.
const MAX_MEMORY_KIB: u32 = 1 << 20;
const MAX_PASSES: u32 = 64;

/// What a hash costs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PasswordCost {
    /// Memory, in KiB.
    pub memory_kib: u32,
    /// Passes over it.
    pub passes: u32,
    /// Lanes.
    pub lanes: u32,
}

impl PasswordCost {
    /// The second recommended option of RFC 9106, section 4: 64 MiB, 3 passes, 4 lanes.
    pub const RECOMMENDED: Self = Self { memory_kib: 64 * 1024, passes: 3, lanes: 4 };

    fn params(self) -> Option<Params> {
        let bounded = self.memory_kib <= MAX_MEMORY_KIB && self.passes <= MAX_PASSES;
        bounded
            .then(|| Params::new(self.memory_kib, self.passes, self.lanes, Some(HASH_BYTES)).ok())
            .flatten()
    }
}

/// The hash of a password, with its salt and cost.
#[derive(Clone, PartialEq, Eq)]
pub struct PasswordHash {
    cost: PasswordCost,
    salt: [u8; SALT_BYTES],
    hash: [u8; HASH_BYTES],
}

impl PasswordHash {
    /// Hashes a password under a fresh salt. Takes the time and memory that the cost says.
    pub fn make(ambient: &Ambient, password: &SecretBytes, cost: PasswordCost) -> Result<Self, Rejected> {
        let salt = ambient.random();
        Ok(Self { cost, salt, hash: derive(password, &salt, cost)? })
    }

    /// A hash that is no password's, and costs as much to ask.
    pub fn decoy(ambient: &Ambient, cost: PasswordCost) -> Self {
        Self { cost, salt: ambient.random(), hash: ambient.random() }
    }

    /// Whether it is this password's. Takes as long for a wrong one.
    pub fn verify(&self, password: &SecretBytes) -> Result<(), Rejected> {
        let hash = derive(password, &self.salt, self.cost)?;
        if strongroom_secret::bytes_eq(&hash, &self.hash) { Ok(()) } else { Err(Rejected) }
    }

    /// What it cost.
    pub fn cost(&self) -> PasswordCost {
        self.cost
    }

    /// `$argon2id$v=19$m=..,t=..,p=..$SALT$HASH`.
    pub fn to_phc(&self) -> String {
        let PasswordCost { memory_kib, passes, lanes } = self.cost;
        let (salt, hash) = (BASE64_NOPAD.encode(&self.salt), BASE64_NOPAD.encode(&self.hash));
        format!("$argon2id$v=19$m={memory_kib},t={passes},p={lanes}${salt}${hash}")
    }

    /// Reads a PHC string that [`Self::to_phc`] wrote.
    pub fn from_phc(text: &str) -> Option<Self> {
        let mut parts = text.strip_prefix("$argon2id$v=19$")?.split('$');
        let (cost, salt, hash) = (parts.next()?, parts.next()?, parts.next()?);
        let mut numbers = cost
            .split(',')
            .zip(["m=", "t=", "p="])
            .map(|(part, name)| part.strip_prefix(name).and_then(|digits| digits.parse::<u32>().ok()));
        let cost =
            PasswordCost { memory_kib: numbers.next()??, passes: numbers.next()??, lanes: numbers.next()?? };
        let decode = |text: &str| BASE64_NOPAD.decode(text.as_bytes()).ok();
        let read = Self { cost, salt: decode(salt)?.try_into().ok()?, hash: decode(hash)?.try_into().ok()? };
        // no other spelling of the same is taken
        (cost.params().is_some() && read.to_phc() == text).then_some(read)
    }
}

impl std::fmt::Debug for PasswordHash {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("PasswordHash")
    }
}

fn derive(password: &SecretBytes, salt: &[u8], cost: PasswordCost) -> Result<[u8; HASH_BYTES], Rejected> {
    let params = cost.params().ok_or(Rejected)?;
    let mut memory = vec![Block::default(); params.block_count()];
    let argon = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
    let mut hash = [0; HASH_BYTES];
    let done =
        password.expose(|bytes| argon.hash_password_into_with_memory(bytes, salt, &mut hash, &mut memory));
    strongroom_secret::wipe(&mut memory);
    done.map(|()| hash).map_err(|_| Rejected)
}

#[cfg(test)]
mod tests {
    use super::*;

    const CHEAP: PasswordCost = PasswordCost { memory_kib: 64, passes: 1, lanes: 1 };

    fn secret(text: &str) -> SecretBytes {
        SecretBytes::new(text.as_bytes().to_vec())
    }

    #[test]
    fn a_password_verifies_and_another_does_not() {
        let hash = PasswordHash::make(&Ambient::system(), &secret("correct horse"), CHEAP).unwrap();
        assert_eq!(hash.verify(&secret("correct horse")), Ok(()));
        for wrong in ["", "correct hors", "correct horse ", "Correct horse"] {
            assert_eq!(hash.verify(&secret(wrong)), Err(Rejected), "{wrong}");
        }
        let again = PasswordHash::make(&Ambient::system(), &secret("correct horse"), CHEAP).unwrap();
        assert_ne!(hash, again, "another salt");
    }

    #[test]
    fn the_phc_string_round_trips_and_says_its_cost() {
        let hash = PasswordHash::make(&Ambient::system(), &secret("x"), CHEAP).unwrap();
        let text = hash.to_phc();
        assert!(text.starts_with("$argon2id$v=19$m=64,t=1,p=1$"), "{text}");
        assert_eq!(PasswordHash::from_phc(&text), Some(hash));
    }

    #[test]
    fn broken_and_greedy_strings_are_refused() {
        let text = PasswordHash::make(&Ambient::system(), &secret("x"), CHEAP).unwrap().to_phc();
        for bad in [
            text.replace("argon2id", "argon2i"),
            text.replace("m=64", "m=064"),
            text.replace("m=64", "m=4294967295"),
            text.replace("t=1", "t=65"),
            text.replace("p=1", "p=0"),
            format!("{text}$"),
            format!("{text}A"),
            text[..text.len() - 1].to_owned(),
            String::new(),
        ] {
            assert_eq!(PasswordHash::from_phc(&bad), None, "{bad}");
        }
    }

    /// Made by the reference implementation (argon2-cffi), with 64 KiB, 2 passes, 1 lane.
    #[test]
    fn a_hash_that_others_made_verifies() {
        let text =
            "$argon2id$v=19$m=64,t=2,p=1$c2FsdHNhbHRzYWx0c2FsdA$i6P6cCvSwI/Gp4MO3l8wvjoXUe1JLzHNfXagpIByW1o";
        let hash = PasswordHash::from_phc(text).unwrap();
        assert_eq!(hash.verify(&secret("password")), Ok(()));
        assert_eq!(hash.verify(&secret("passwore")), Err(Rejected));
    }
}
