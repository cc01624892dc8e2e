//! Encryption: FAME (Agrawal and Chase, CCS 2017, section 3) as a KEM.

use std::sync::Arc;

use strongroom_ambient::Ambient;
use strongroom_crypto::{Digest, sha256};
use strongroom_secret::SecretArray;

use crate::bases::{BASES, Of, Six};
use crate::curve::{Comb, Digits, G1, G1Affine, G2, Scalar, Target, TargetComb, affines};
use crate::header::{Header, ROW_BYTES, Suite, ZERO_BYTES};
use crate::policy::Policy;
use crate::public::PublicKey;
use crate::rights::{self, Right, RightKeys, RightsError, rights_of};
use crate::span::{self, Label, Linear};
use crate::transcript::{Bound, SharedKey};

/// Why nothing can be encrypted under a policy.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EncapsulateError {
    /// An attribute stands in more places than members' keys have uses.
    #[error("an attribute stands in more places of the policy than the authority's keys have uses ({uses})")]
    TooManyUses {
        /// What the authority provides for.
        uses: u8,
    },
    /// Too many rights.
    #[error(transparent)]
    Rights(#[from] RightsError),
    /// A right of the policy has no key.
    #[error("right {right} is not registered with the authority")]
    UnknownRight {
        /// The right.
        right: Right,
    },
}

/// A policy made ready under a public key: for a batch of records after the other, or for reading many headers.
#[derive(Clone)]
pub struct Prepared(Arc<Ready>);

struct Ready {
    public: PublicKey,
    policy: Policy,
    labels: Vec<Label>,
    /// Six points a leaf, in the order of [`crate::bases::Bases::of`].
    bases: Vec<G1Affine>,
    /// The same as tables; empty if they were not asked for.
    combs: Vec<Comb>,
}

/// The ciphertext of a pairing encryption: what two that are equal have equal.
pub(crate) struct Sealed {
    pub(crate) points: Vec<u8>,
    pub(crate) masked: SecretArray<32>,
    pub(crate) digest: Digest,
}

impl PublicKey {
    /// Makes a policy ready for a few uses.
    pub fn prepare(&self, policy: &Policy) -> Result<Prepared, EncapsulateError> {
        let too_many = EncapsulateError::TooManyUses { uses: self.uses() };
        let labels = span::labels(policy, self.uses()).ok_or(too_many)?;
        let columns = 1..=u16::try_from(span::columns(policy.root())).unwrap_or(u16::MAX);
        let mut columns = columns.map(|number| Six::of(&self.bases().of(&Of::Column(number))));
        let shares = span::shares(policy.root(), &mut columns);
        let of_label = |label: &Label| Six::of(&self.bases().of(&Of::Label(label.clone())));
        let folded: Vec<G1> =
            labels.iter().zip(shares).flat_map(|(label, share)| of_label(label).plus(&share).0).collect();
        let (public, policy, bases) = (self.clone(), policy.clone(), affines(&folded));
        Ok(Prepared(Arc::new(Ready { public, policy, labels, bases, combs: Vec::new() })))
    }

    /// A fresh key for whoever satisfies the policy, and the header that carries it. `context` is not in the header: who
    /// opens must name the same.
    ///
    /// ```
    /// use strongroom_abe::{AttributeSet, MasterKey, Policy, RightSecrets};
    /// # let ambient = strongroom_ambient::Ambient::system();
    /// let master = MasterKey::generate(&ambient, 1)?;
    /// let policy = Policy::parse("ANALYST and (CERT or UNR)")?;
    /// let (header, key) = master.public().encapsulate(&ambient, &policy, b"batch 7")?;
    ///
    /// let member = master.member_key(&ambient, &AttributeSet::parse(["ANALYST", "UNR"])?);
    /// let opened = master.public().decapsulate(&member, &RightSecrets::none(), &header, b"batch 7")?;
    /// assert!(opened.same_as(&key));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn encapsulate(
        &self,
        ambient: &Ambient,
        policy: &Policy,
        context: &[u8],
    ) -> Result<(Header, SharedKey), EncapsulateError> {
        Ok(self.prepare(policy)?.encapsulate(ambient, context))
    }
}

impl Prepared {
    /// With tables: worth their making from the third use on. Takes 18 kB a leaf.
    #[must_use]
    pub fn with_tables(&self) -> Self {
        let Ready { public, policy, labels, bases, .. } = &*self.0;
        let (public, policy, labels, bases) = (public.clone(), policy.clone(), labels.clone(), bases.clone());
        let combs = Comb::all(&bases);
        Self(Arc::new(Ready { public, policy, labels, bases, combs }))
    }

    /// Memory that the tables take, in bytes.
    pub fn table_bytes(&self) -> usize {
        self.0.combs.len() * Comb::BYTES
    }

    /// The policy.
    pub fn policy(&self) -> &Policy {
        &self.0.policy
    }

    /// The public key that it was made ready under.
    pub fn public(&self) -> &PublicKey {
        &self.0.public
    }

    /// A fresh key for whoever satisfies the policy, protected by the pairing alone.
    pub fn encapsulate(&self, ambient: &Ambient, context: &[u8]) -> (Header, SharedKey) {
        let bound = self.bound(Suite::Pairing, context);
        let seed = SecretArray::filled(|bytes| ambient.entropy.fill(bytes));
        let sealed = self.seal(&seed, &bound);
        let (key, commitment) = bound.finish(&seed, &sealed.digest, None);
        (self.header(Suite::Pairing, sealed, Vec::new(), commitment), key)
    }

    /// A fresh key for whoever satisfies the policy, protected by the pairing and by a post-quantum key a right: for data
    /// that must stay secret for long.
    pub fn encapsulate_with_rights(
        &self,
        ambient: &Ambient,
        keys: &RightKeys,
        context: &[u8],
    ) -> Result<(Header, SharedKey), EncapsulateError> {
        let bound = self.bound(Suite::PairingAndRights, context);
        let rights = rights_of(&self.0.policy)?;
        let (second, wrapped) = rights::wrap(ambient, keys, &rights, &bound)
            .map_err(|right| EncapsulateError::UnknownRight { right })?;
        let seed = SecretArray::filled(|bytes| ambient.entropy.fill(bytes));
        let sealed = self.seal(&seed, &bound);
        let (key, commitment) = bound.finish(&seed, &sealed.digest, Some((&second, &sha256(&wrapped))));
        Ok((self.header(Suite::PairingAndRights, sealed, wrapped, commitment), key))
    }

    pub(crate) fn bound(&self, suite: Suite, context: &[u8]) -> Bound {
        Bound::new(suite, &self.0.public, self.0.policy.as_str(), context)
    }

    fn header(&self, suite: Suite, sealed: Sealed, rights: Vec<u8>, commitment: Digest) -> Header {
        let (authority, policy) = (*self.0.public.digest(), self.0.policy.clone());
        let masked = sealed.masked.expose(|masked| *masked);
        Header { suite, authority, policy, points: sealed.points, masked, rights, commitment }
    }

    /// The encryption of a seed; its randomness comes from the seed.
    pub(crate) fn seal(&self, seed: &SecretArray<32>, bound: &Bound) -> Sealed {
        let exponents = bound.exponents(seed);
        let (points, mut target) = self.encrypt(&exponents);
        let points_digest = sha256(&points);
        let masked = bound.mask(&mut target, &points_digest, seed);
        let digest = masked.expose(|masked| Header::pairing_part(&points_digest, masked));
        Sealed { points, masked, digest }
    }

    /// The points of a ciphertext, and the target element that they hide.
    pub(crate) fn encrypt(&self, exponents: &[Scalar; 2]) -> (Vec<u8>, Target) {
        let [s1, s2] = exponents;
        let public = &self.0.public;
        let [raised1, raised2] = public.raised();
        let zero = [raised1.point().mul(s1), raised2.point().mul(s2), G2::generator().mul(&s1.add(s2))];
        let digits = [Digits::of(s1), Digits::of(s2)];
        let rows = affines(&self.rows(exponents, &digits));
        let mut points = Vec::with_capacity(ZERO_BYTES + self.0.labels.len() * ROW_BYTES);
        points.extend(zero.iter().flat_map(|point| point.affine().bytes()));
        points.extend(rows.iter().flat_map(G1Affine::bytes));
        let [first, second] = public.targets();
        let [digits1, digits2] = &digits;
        (points, TargetComb::pow_pair(first, digits1, second, digits2))
    }

    /// Three points a leaf: each is one base to the first exponent times another to the second.
    fn rows(&self, exponents: &[Scalar; 2], digits: &[Digits; 2]) -> Vec<G1> {
        let ([s1, s2], [digits1, digits2]) = (exponents, digits);
        if self.0.combs.is_empty() {
            let (pairs, _) = self.0.bases.as_chunks::<2>();
            return pairs.iter().map(|[one, two]| one.point().mul(s1).add(&two.point().mul(s2))).collect();
        }
        let (pairs, _) = self.0.combs.as_chunks::<2>();
        pairs.iter().map(|[one, two]| one.mul_pair(digits1, two, digits2)).collect()
    }

    pub(crate) fn labels(&self) -> &[Label] {
        &self.0.labels
    }
}

impl std::fmt::Debug for Prepared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Prepared({})", self.0.policy)
    }
}

const _: () = assert!(BASES == 6, "three components, two exponents");
