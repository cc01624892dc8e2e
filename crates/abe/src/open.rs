//! Opening: decryption, and encryption again to see that the ciphertext is the one that the seed makes.
//!
//! Nothing here gives out a key before that, and there is no other way in. Bytes that are no points are refused at once,
//! which tells nobody anything. After that every check is made before any of them decides, and which one refused is not
//! told: an early answer would let a forger ask what a key decrypts to.

use strongroom_crypto::sha256;
use strongroom_secret::SecretArray;

use crate::curve::{G1, G1Affine, G2Affine, Target, sum_public};
use crate::header::{Header, ROW_BYTES, Suite, ZERO_BYTES};
use crate::member::MemberKey;
use crate::public::PublicKey;
use crate::rights::{self, RightSecrets, rights_of};
use crate::seal::Prepared;
use crate::span::{self, Part};
use crate::transcript::{Bound, SharedKey, all_same};

/// Why a header does not open.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DecapsulateError {
    /// Header, member's key and public key are not of one authority, or the header was prepared for another policy.
    #[error("header and key are of different authorities")]
    OtherAuthority,
    /// The attributes of the key do not satisfy the policy, or no right of the policy is had.
    #[error("attributes do not satisfy the policy")]
    NotSatisfied,
    /// The header is not what its maker wrote, or was made for another context.
    #[error("header is rejected")]
    Rejected,
}

impl PublicKey {
    /// The key of a header, if the member's attributes satisfy its policy and the header is whole.
    pub fn decapsulate(
        &self,
        member: &MemberKey,
        rights: &RightSecrets,
        header: &Header,
        context: &[u8],
    ) -> Result<SharedKey, DecapsulateError> {
        check_authority(self, member, header)?;
        check_satisfied(member, header)?;
        // who has an honest header has a policy within the authority's uses
        let prepared = self.prepare(&header.policy).map_err(|_| DecapsulateError::Rejected)?;
        prepared.decapsulate(member, rights, header, context)
    }
}

impl Prepared {
    /// As [`PublicKey::decapsulate`], for many headers of one policy.
    pub fn decapsulate(
        &self,
        member: &MemberKey,
        rights: &RightSecrets,
        header: &Header,
        context: &[u8],
    ) -> Result<SharedKey, DecapsulateError> {
        check_authority(self.public(), member, header)?;
        if header.policy != *self.policy() {
            return Err(DecapsulateError::OtherAuthority);
        }
        let parts = check_satisfied(member, header)?;
        let bound = self.bound(header.suite, context);
        let second = second_secret(rights, header, &bound)?;
        let mut target = self.target(member, header, &parts).ok_or(DecapsulateError::Rejected)?;
        let masked = SecretArray::filled(|out| out.copy_from_slice(&header.masked));
        let seed = bound.mask(&mut target, &sha256(&header.points), &masked);
        self.check(&seed, second.as_ref(), header, &bound)
    }

    /// Encrypts again, and gives out the key only if all is the same.
    fn check(
        &self,
        seed: &SecretArray<32>,
        second: Option<&SecretArray<32>>,
        header: &Header,
        bound: &Bound,
    ) -> Result<SharedKey, DecapsulateError> {
        let again = self.seal(seed, bound);
        let rights_part = sha256(&header.rights);
        let second = second.map(|second| (second, &rights_part));
        let (key, commitment) = bound.finish(seed, &again.digest, second);
        let is_same = again.masked.expose(|masked| {
            all_same(&[
                (&again.points, &header.points),
                (masked, &header.masked),
                (&commitment, &header.commitment),
            ])
        });
        if is_same { Ok(key) } else { Err(DecapsulateError::Rejected) }
    }

    /// The target element by six pairings, whatever the number of leaves. Points of the leaves that take part are added
    /// up before the sums are checked to lie in the subgroup; the others are checked by encrypting again.
    fn target(&self, member: &MemberKey, header: &Header, parts: &[Part]) -> Option<Target> {
        let (zero, rows) = header.points.split_at_checked(ZERO_BYTES)?;
        let (zero, _) = zero.as_chunks();
        let zero: Vec<G2Affine> = zero.iter().map(G2Affine::from_bytes).collect::<Option<_>>()?;
        let rows = read_rows(rows, parts)?;
        let own = |part: &Part| {
            let label = self.labels().get(part.row)?;
            member.part(&label.attribute, label.use_number)
        };
        let own: Vec<_> = parts.iter().map(own).collect::<Option<_>>()?;
        let factors = || parts.iter().map(|part| part.factor.as_ref());
        let mut pairs = Vec::with_capacity(6);
        for component in 0..3 {
            let theirs = rows.iter().filter_map(|row| row.get(component)).zip(factors());
            let sum = sum_public(theirs).neg().affine();
            if !sum.in_subgroup() {
                return None;
            }
            pairs.push((sum, *member.zero().get(component)?));
            let mine = own.iter().filter_map(|triple| triple.get(component)).zip(factors());
            let sum: G1 = sum_public(mine).add_affine(member.common().get(component)?);
            pairs.push((sum.affine(), *zero.get(component)?));
        }
        Some(Target::pairings(&pairs))
    }
}

fn read_rows(rows: &[u8], parts: &[Part]) -> Option<Vec<[G1Affine; 3]>> {
    let (rows, _) = rows.as_chunks::<ROW_BYTES>();
    let row = |part: &Part| {
        let (points, _) = rows.get(part.row)?.as_chunks();
        let [first, second, third] = points else { return None };
        Some([G1Affine::from_bytes(first)?, G1Affine::from_bytes(second)?, G1Affine::from_bytes(third)?])
    };
    parts.iter().map(row).collect()
}

fn check_authority(public: &PublicKey, member: &MemberKey, header: &Header) -> Result<(), DecapsulateError> {
    let is_one = header.authority == *public.digest() && member.authority() == public.digest();
    if is_one { Ok(()) } else { Err(DecapsulateError::OtherAuthority) }
}

/// How the member's attributes open the policy: both are public.
fn check_satisfied(member: &MemberKey, header: &Header) -> Result<Vec<Part>, DecapsulateError> {
    span::parts(header.policy.root(), &|attribute| member.has(attribute))
        .ok_or(DecapsulateError::NotSatisfied)
}

fn second_secret(
    secrets: &RightSecrets,
    header: &Header,
    bound: &Bound,
) -> Result<Option<SecretArray<32>>, DecapsulateError> {
    if header.suite == Suite::Pairing {
        return Ok(None);
    }
    let rights = rights_of(&header.policy).map_err(|_| DecapsulateError::Rejected)?;
    rights::unwrap(secrets, &rights, &header.rights, bound).ok_or(DecapsulateError::NotSatisfied).map(Some)
}
