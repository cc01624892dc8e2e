//! Rights: whole conjunctions of attributes, each with a post-quantum key of its own (X-Wing).
//!
//! A policy is the disjunction of its rights: `A and (B or C)` is `A and B`, or `A and C`. Who has one of them has the
//! second secret. A right is whole, so that there is nothing to put together from two members' keys. The price: rights are
//! finitely many, registered with the authority beforehand, and their names go with their keys.

use std::collections::BTreeMap;

use strongroom_ambient::Ambient;
use strongroom_crypto::{Digest, sha256_parts};
use strongroom_secret::{SecretArray, SecretBytes};
use x_wing::{
    CIPHERTEXT_SIZE, Ciphertext, Decapsulate, DecapsulationKey, Decapsulator, ENCAPSULATION_KEY_SIZE,
    EncapsulationKey, KeyExport,
};

use crate::attribute::{Attribute, AttributeSet, MAX_ATTRIBUTES};
use crate::master::MasterKey;
use crate::policy::{MAX_LEAVES, Node, Policy};
use crate::transcript::Bound;
use crate::wire::{Fields, FormatError, put_short};

/// Most rights of one policy.
pub const MAX_RIGHTS: usize = 64;
/// Length of the public key of a right.
pub const RIGHT_KEY_BYTES: usize = ENCAPSULATION_KEY_SIZE;
/// A ciphertext and the masked secret.
pub(crate) const WRAPPED_BYTES: usize = CIPHERTEXT_SIZE + 32;

/// Comparisons of conjunctions on the way to the rights of a policy: some milliseconds.
const MAX_WORK: usize = 4_000_000;
const WHAT: &str = "secrets of rights";

/// Attributes that must all be had.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Right(AttributeSet);

/// A policy is more than [`MAX_RIGHTS`] conjunctions, or too many on the way there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("policy is more than {MAX_RIGHTS} conjunctions of attributes: too many for the rights mode")]
pub struct RightsError;

impl Right {
    /// The right of those who have all of these.
    pub fn new(attributes: AttributeSet) -> Self {
        Self(attributes)
    }

    /// What must be had.
    pub fn attributes(&self) -> &AttributeSet {
        &self.0
    }

    /// What keys and masks are derived by: names with their lengths, in order.
    pub(crate) fn digest(&self) -> Digest {
        let mut text = Vec::new();
        for attribute in self.0.iter() {
            text.push(u8::try_from(attribute.as_str().len()).unwrap_or(u8::MAX));
            text.extend_from_slice(attribute.as_str().as_bytes());
        }
        sha256_parts(&[b"strongroom-abe right", &text])
    }

    fn order(&self) -> Vec<&Attribute> {
        self.0.iter().collect()
    }
}

impl PartialOrd for Right {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Right {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.order().cmp(&other.order())
    }
}

impl std::fmt::Display for Right {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for (at, attribute) in self.0.iter().enumerate() {
            write!(f, "{}{attribute}", if at == 0 { "" } else { " and " })?;
        }
        Ok(())
    }
}

/// The rights of a policy: any one of them satisfies it. In order, none implied by another.
pub fn rights_of(policy: &Policy) -> Result<Vec<Right>, RightsError> {
    let names: Vec<Attribute> = policy.attributes().iter().cloned().collect();
    let mut search = Search { names: &names, work: MAX_WORK };
    let found = search.conjunctions(policy.root())?;
    if found.len() > MAX_RIGHTS {
        return Err(RightsError);
    }
    let mut rights: Vec<Right> = found.iter().map(|bits| search.right(bits)).collect();
    rights.sort();
    Ok(rights)
}

/// A conjunction: a bit for each attribute of the policy, of which there are at most 256.
type Bits = [u64; MAX_LEAVES / 64];

/// The way from a policy, which may be a stranger's, to its conjunctions; as long as its allowance of work lasts.
struct Search<'a> {
    names: &'a [Attribute],
    work: usize,
}

impl Search<'_> {
    fn spend(&mut self, work: usize) -> Result<(), RightsError> {
        self.work = self.work.checked_sub(work).ok_or(RightsError)?;
        Ok(())
    }

    /// The smallest conjunctions that satisfy a node.
    fn conjunctions(&mut self, node: &Node) -> Result<Vec<Bits>, RightsError> {
        let (need, of) = match node {
            Node::Leaf(attribute) => return Ok(vec![self.bit(attribute)]),
            Node::Gate { need, of } => (*need, of),
        };
        // after each term: at place k, the conjunctions that satisfy k of the terms so far
        let mut chosen: Vec<Vec<Bits>> = vec![Vec::new(); need + 1];
        if let Some(none) = chosen.first_mut() {
            none.push(Bits::default());
        }
        for (term, left) in of.iter().zip((0..of.len()).rev()) {
            let own = self.conjunctions(term)?;
            // with fewer than `least` by now, the terms that are left would not do
            let least = need.saturating_sub(left).saturating_sub(1);
            for at in (least..need).rev() {
                let before = chosen.get(at).map_or(&[][..], Vec::as_slice);
                let mut with = self.both(before, &own)?;
                if let Some(next) = chosen.get_mut(at + 1) {
                    with.append(next);
                    *next = self.smallest(with)?;
                }
            }
        }
        Ok(chosen.pop().unwrap_or_default())
    }

    fn bit(&self, attribute: &Attribute) -> Bits {
        let mut bits = Bits::default();
        if let Ok(place) = self.names.binary_search(attribute)
            && let Some(word) = bits.get_mut(place / 64)
        {
            *word = 1 << (place % 64);
        }
        bits
    }

    fn both(&mut self, left: &[Bits], right: &[Bits]) -> Result<Vec<Bits>, RightsError> {
        self.spend(left.len() * right.len())?;
        let join = |one: &Bits, other: &Bits| std::array::from_fn(|at| word(one, at) | word(other, at));
        Ok(left.iter().flat_map(|one| right.iter().map(move |other| join(one, other))).collect())
    }

    /// Without those that contain another.
    fn smallest(&mut self, mut all: Vec<Bits>) -> Result<Vec<Bits>, RightsError> {
        self.spend(all.len() * all.len() + 1)?;
        all.sort_by_key(|bits| bits.iter().map(|word| word.count_ones()).sum::<u32>());
        let mut kept: Vec<Bits> = Vec::with_capacity(all.len());
        for bits in all {
            let has = |smaller: &Bits| smaller.iter().zip(&bits).all(|(inner, outer)| inner & !outer == 0);
            if !kept.iter().any(has) {
                kept.push(bits);
            }
        }
        Ok(kept)
    }

    fn right(&self, bits: &Bits) -> Right {
        let names = self.names.iter().enumerate();
        let held = names.filter(|(place, _)| word(bits, place / 64) >> (place % 64) & 1 == 1);
        Right(AttributeSet::of_policy(held.map(|(_, name)| name.clone())))
    }
}

fn word(bits: &Bits, at: usize) -> u64 {
    bits.get(at).copied().unwrap_or_default()
}

strongroom_secret::purpose! {
    /// The secret of a right: the seed of its X-Wing key.
    pub struct RightSecret([u8; 32]);
}

impl RightSecret {
    fn key(&self) -> DecapsulationKey {
        self.expose(|seed| DecapsulationKey::from(*seed))
    }
}

/// The public keys of registered rights.
#[derive(Clone, Default, PartialEq)]
pub struct RightKeys(BTreeMap<Right, EncapsulationKey>);

impl RightKeys {
    /// The keys of these rights, as their authority makes them.
    pub fn of<'a>(master: &MasterKey, rights: impl IntoIterator<Item = &'a Right>) -> Self {
        let key = |right| master.right_secret(right).key().encapsulation_key().clone();
        Self(rights.into_iter().map(|right| (right.clone(), key(right))).collect())
    }

    /// Adds a key that the authority published; that it did is for a signature around the bytes to say.
    pub fn insert(&mut self, right: Right, bytes: &[u8]) -> Result<(), FormatError> {
        let key = EncapsulationKey::try_from(bytes)
            .map_err(|_| FormatError::Field { what: "key of a right", field: "number" })?;
        self.0.insert(right, key);
        Ok(())
    }

    /// Rights and the encodings of their keys, each of [`RIGHT_KEY_BYTES`].
    pub fn iter(&self) -> impl Iterator<Item = (&Right, Vec<u8>)> {
        self.0.iter().map(|(right, key)| (right, key.to_bytes().to_vec()))
    }

    pub(crate) fn get(&self, right: &Right) -> Option<&EncapsulationKey> {
        self.0.get(right)
    }
}

impl std::fmt::Debug for RightKeys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.0.keys().map(ToString::to_string)).finish()
    }
}

/// The secrets of the rights that a member has.
#[derive(Default)]
pub struct RightSecrets(BTreeMap<Right, RightSecret>);

impl RightSecrets {
    /// Of a member who has none, or reads nothing that asks for them.
    pub fn none() -> Self {
        Self::default()
    }

    /// The rights.
    pub fn rights(&self) -> impl Iterator<Item = &Right> {
        self.0.keys()
    }

    /// Takes others over, such as those of a later delivery.
    pub fn extend(&mut self, others: Self) {
        self.0.extend(others.0);
    }

    /// For a file or a sealed record of the member.
    pub fn to_bytes(&self) -> SecretBytes {
        let names: usize =
            self.0.keys().flat_map(|right| right.0.iter()).map(|name| name.as_str().len()).sum();
        let attributes: usize = self.0.keys().map(|right| right.0.len()).sum();
        let mut out = Vec::with_capacity(3 + self.0.len() * 34 + names + attributes);
        out.push(1);
        put_short(&mut out, self.0.len());
        for (right, secret) in &self.0 {
            put_short(&mut out, right.0.len());
            for attribute in right.0.iter() {
                out.push(u8::try_from(attribute.as_str().len()).unwrap_or(u8::MAX));
                out.extend_from_slice(attribute.as_str().as_bytes());
            }
            secret.expose(|seed| out.extend_from_slice(seed));
        }
        SecretBytes::new(out)
    }

    /// Reads what [`RightSecrets::to_bytes`] wrote.
    pub fn from_bytes(bytes: &SecretBytes) -> Result<Self, FormatError> {
        bytes.expose(|bytes| {
            let mut fields = Fields::of(WHAT, bytes)?;
            let mut all = BTreeMap::new();
            for _ in 0..fields.short()? {
                let right = read_right(&mut fields)?;
                let is_next = all.last_key_value().is_none_or(|(last, _)| *last < right);
                fields.field("order of rights", is_next.then_some(()))?;
                let secret = RightSecret::copied(fields.array::<32>()?);
                all.insert(right, fields.field("secret", secret)?);
            }
            fields.end()?;
            Ok(Self(all))
        })
    }

    pub(crate) fn get(&self, right: &Right) -> Option<&RightSecret> {
        self.0.get(right)
    }
}

fn read_right(fields: &mut Fields<'_>) -> Result<Right, FormatError> {
    let count = fields.short()?;
    fields.field("number of attributes", (1..=MAX_ATTRIBUTES).contains(&count).then_some(()))?;
    let mut attributes: Vec<Attribute> = Vec::new();
    for _ in 0..count {
        let attribute = crate::member::read_attribute(fields)?;
        let is_next = attributes.last().is_none_or(|last| *last < attribute);
        fields.field("order of attributes", is_next.then_some(()))?;
        attributes.push(attribute);
    }
    let set = AttributeSet::parse(attributes.iter().map(Attribute::as_str));
    fields.field("attribute", set.ok()).map(Right)
}

impl FromIterator<(Right, RightSecret)> for RightSecrets {
    fn from_iter<I: IntoIterator<Item = (Right, RightSecret)>>(rights: I) -> Self {
        Self(rights.into_iter().collect())
    }
}

impl std::fmt::Debug for RightSecrets {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("RightSecrets")
    }
}

/// The second secret for whoever has one of the rights; all of them must have a key.
pub(crate) fn wrap(
    ambient: &Ambient,
    keys: &RightKeys,
    rights: &[Right],
    bound: &Bound,
) -> Result<(SecretArray<32>, Vec<u8>), Right> {
    let secret = SecretArray::<32>::filled(|bytes| ambient.entropy.fill(bytes));
    let mut out = Vec::with_capacity(rights.len() * WRAPPED_BYTES);
    for right in rights {
        let key = keys.get(right).ok_or_else(|| right.clone())?;
        let randomness = SecretArray::<64>::filled(|bytes| ambient.entropy.fill(bytes));
        let (ciphertext, shared) = randomness.expose(|bytes| key.encapsulate_deterministic(&(*bytes).into()));
        let shared = kept(shared);
        out.extend_from_slice(&ciphertext);
        bound.right_mask(&shared, right, &secret).expose(|masked| out.extend_from_slice(masked));
    }
    Ok((secret, out))
}

/// The second secret by one of the rights that are had; `None` if none is.
pub(crate) fn unwrap(
    secrets: &RightSecrets,
    rights: &[Right],
    wrapped: &[u8],
    bound: &Bound,
) -> Option<SecretArray<32>> {
    let places = rights.iter().zip(wrapped.chunks_exact(WRAPPED_BYTES));
    let (right, own, secret) =
        places.into_iter().find_map(|(right, own)| Some((right, own, secrets.get(right)?)))?;
    let (ciphertext, masked) = own.split_at_checked(CIPHERTEXT_SIZE)?;
    let shared = secret.key().decapsulate(&Ciphertext::try_from(ciphertext).ok()?);
    let masked = SecretArray::copied(masked)?;
    Some(bound.right_mask(&kept(shared), right, &masked))
}

/// Takes a shared secret over into a type that is wiped.
fn kept(mut shared: x_wing::SharedKey) -> SecretArray<32> {
    let kept = SecretArray::filled(|out| out.copy_from_slice(&shared));
    strongroom_secret::wipe(shared.as_mut_slice());
    kept
}
