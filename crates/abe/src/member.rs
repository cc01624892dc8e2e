//! The key of a member: what its attributes open.

use std::collections::BTreeMap;

use strongroom_crypto::Digest;
use strongroom_secret::SecretBytes;

use crate::attribute::{Attribute, AttributeSet, MAX_ATTRIBUTES};
use crate::curve::{G1, G1_BYTES, G1Affine, G2, G2_BYTES, G2Affine, affines};
use crate::public::{MAX_USES, PublicKey};
use crate::wire::{Fields, FormatError, put_short};

const WHAT: &str = "member key";

/// Three points of one label.
pub(crate) type Triple = [G1Affine; 3];

/// A member's key. Wiped on drop.
pub struct MemberKey {
    authority: Digest,
    uses: u8,
    zero: [G2Affine; 3],
    common: Triple,
    parts: BTreeMap<Attribute, Vec<Triple>>,
}

impl MemberKey {
    /// `parts` are those of each attribute and use in order.
    pub(crate) fn new(
        public: &PublicKey,
        attributes: &AttributeSet,
        zero: &[G2; 3],
        common: &[G1; 3],
        parts: &[[G1; 3]],
    ) -> Self {
        let points = affines(parts.as_flattened());
        let (triples, _) = points.as_chunks::<3>();
        let uses = public.uses();
        let own = triples.chunks(usize::from(uses)).map(<[Triple]>::to_vec);
        let parts = attributes.iter().cloned().zip(own).collect();
        let (zero, common) = (zero.map(|point| point.affine()), common.map(|point| point.affine()));
        Self { authority: *public.digest(), uses, zero, common, parts }
    }

    /// Reads what [`MemberKey::to_bytes`] wrote, and proves that every point lies in its group.
    pub fn from_bytes(bytes: &SecretBytes) -> Result<Self, FormatError> {
        bytes.expose(Self::read)
    }

    fn read(bytes: &[u8]) -> Result<Self, FormatError> {
        let mut fields = Fields::of(WHAT, bytes)?;
        let uses = fields.byte()?;
        fields.field("number of uses", (1..=MAX_USES).contains(&uses).then_some(()))?;
        let authority = *fields.array()?;
        let zero = [read_g2(&mut fields)?, read_g2(&mut fields)?, read_g2(&mut fields)?];
        let common = read_triple(&mut fields)?;
        let mut key = Self { authority, uses, zero, common, parts: BTreeMap::new() };
        let count = fields.short()?;
        fields.field("number of attributes", (count <= MAX_ATTRIBUTES).then_some(()))?;
        for _ in 0..count {
            let attribute = read_attribute(&mut fields)?;
            let is_next = key.parts.last_key_value().is_none_or(|last| *last.0 < attribute);
            fields.field("order of attributes", is_next.then_some(()))?;
            let own = (0..uses).map(|_| read_triple(&mut fields)).collect::<Result<_, _>>()?;
            key.parts.insert(attribute, own);
        }
        fields.end()?;
        Ok(key)
    }

    /// For a file or a sealed record of the member.
    pub fn to_bytes(&self) -> SecretBytes {
        let triple = 3 * G1_BYTES;
        let part = 1 + crate::MAX_ATTRIBUTE_BYTES + usize::from(self.uses) * triple;
        // the whole length at once: a vector that grows leaves copies behind
        let mut out = Vec::with_capacity(36 + 3 * G2_BYTES + triple + self.parts.len() * part);
        out.extend_from_slice(&[1, self.uses]);
        out.extend_from_slice(&self.authority);
        out.extend(self.zero.iter().flat_map(G2Affine::bytes));
        out.extend(self.common.iter().flat_map(G1Affine::bytes));
        put_short(&mut out, self.parts.len());
        for (attribute, triples) in &self.parts {
            let name = attribute.as_str().as_bytes();
            out.push(u8::try_from(name.len()).unwrap_or(u8::MAX));
            out.extend_from_slice(name);
            out.extend(triples.iter().flatten().flat_map(G1Affine::bytes));
        }
        SecretBytes::new(out)
    }

    /// The authority that made it, by the digest of its public key.
    pub fn authority(&self) -> &Digest {
        &self.authority
    }

    /// What the member may open by it.
    pub fn attributes(&self) -> impl Iterator<Item = &Attribute> {
        self.parts.keys()
    }

    pub(crate) fn has(&self, attribute: &Attribute) -> bool {
        self.parts.contains_key(attribute)
    }

    pub(crate) fn zero(&self) -> &[G2Affine; 3] {
        &self.zero
    }

    pub(crate) fn common(&self) -> &Triple {
        &self.common
    }

    pub(crate) fn part(&self, attribute: &Attribute, use_number: u8) -> Option<&Triple> {
        self.parts.get(attribute)?.get(usize::from(use_number))
    }
}

fn read_g2(fields: &mut Fields<'_>) -> Result<G2Affine, FormatError> {
    let point = G2Affine::from_bytes(fields.array()?);
    fields.field("point", point)
}

fn read_triple(fields: &mut Fields<'_>) -> Result<Triple, FormatError> {
    let mut point = || {
        let point = G1Affine::from_bytes(fields.array()?).filter(G1Affine::in_subgroup);
        fields.field("point", point)
    };
    Ok([point()?, point()?, point()?])
}

/// A name in the one form that it is written in.
pub(crate) fn read_attribute(fields: &mut Fields<'_>) -> Result<Attribute, FormatError> {
    let length = fields.byte()?;
    let bytes = fields.bytes(usize::from(length))?;
    let name = std::str::from_utf8(bytes)
        .ok()
        .and_then(|name| Attribute::new(name).ok().filter(|attribute| attribute.as_str() == name));
    fields.field("attribute", name)
}

impl Drop for MemberKey {
    fn drop(&mut self) {
        self.zero.iter_mut().for_each(G2Affine::wipe);
        let parts = self.parts.values_mut().flatten();
        parts.chain([&mut self.common]).flatten().for_each(G1Affine::wipe);
    }
}

impl std::fmt::Debug for MemberKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("MemberKey")
    }
}
