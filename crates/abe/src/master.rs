//! The master key of an authority, and the keys that it makes.

use strongroom_ambient::Ambient;
use strongroom_crypto::{derive_key, sha256_parts};
use strongroom_secret::{SecretArray, SecretBytes};

use crate::attribute::AttributeSet;
use crate::bases::Of;
use crate::curve::{G1, G1Affine, G2, Scalar, Target};
use crate::member::MemberKey;
use crate::public::{MAX_USES, PublicKey};
use crate::rights::{Right, RightSecret, RightSecrets};
use crate::span::Label;
use crate::wire::{Fields, FormatError};

const WHAT: &str = "master key";

/// Everything an authority knows. All of it comes from 32 random bytes.
pub struct MasterKey {
    seed: SecretArray<32>,
    public: PublicKey,
    /// `b1`, `b2`.
    b: [Scalar; 2],
    /// `1/a1`, `1/a2`.
    a_inverse: [Scalar; 2],
    /// `g^d1`, `g^d2`, `g^d3`.
    d: [G1; 3],
}

/// A number of uses that no authority has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an attribute can have 1 to {MAX_USES} uses in a policy, not {uses}")]
pub struct UsesError {
    /// The number that was asked for.
    pub uses: u8,
}

impl MasterKey {
    /// A new authority. `uses` says in how many places of one policy an attribute may stand; members' keys grow with it.
    pub fn generate(ambient: &Ambient, uses: u8) -> Result<Self, UsesError> {
        let seed = SecretArray::filled(|bytes| ambient.entropy.fill(bytes));
        if (1..=MAX_USES).contains(&uses) { Ok(Self::from_seed(seed, uses)) } else { Err(UsesError { uses }) }
    }

    /// Reads what [`MasterKey::to_bytes`] wrote.
    pub fn from_bytes(bytes: &SecretBytes) -> Result<Self, FormatError> {
        bytes.expose(|bytes| {
            let mut fields = Fields::of(WHAT, bytes)?;
            let uses = fields.byte()?;
            fields.field("number of uses", (1..=MAX_USES).contains(&uses).then_some(()))?;
            let seed = SecretArray::copied(fields.array::<32>()?);
            let seed = fields.field("seed", seed)?;
            fields.end()?;
            Ok(Self::from_seed(seed, uses))
        })
    }

    /// For the seal: whoever reads these bytes reads everything.
    pub fn to_bytes(&self) -> SecretBytes {
        self.seed.expose(|seed| SecretBytes::new([&[1, self.public.uses()], seed.as_slice()].concat()))
    }

    fn from_seed(seed: SecretArray<32>, uses: u8) -> Self {
        let of = |name: &[u8; 2]| scalar(&seed, &[b"strongroom-abe master", name]);
        let (a1, a2, d1, d2, d3) = (of(b"a1"), of(b"a2"), of(b"d1"), of(b"d2"), of(b"d3"));
        let (first, second) = (G1::generator(), G2::generator());
        let target = |exponent: &Scalar| Target::pairings(&[(first.mul(exponent).affine(), second.affine())]);
        let targets = [target(&d1.mul(&a1).add(&d3)), target(&d2.mul(&a2).add(&d3))];
        let raised = [second.mul(&a1).affine(), second.mul(&a2).affine()];
        let public = PublicKey::new(uses, &raised, &targets);
        let d = [&d1, &d2, &d3].map(|exponent| first.mul(exponent));
        let (b, a_inverse) = ([of(b"b1"), of(b"b2")], [a1.inverse(), a2.inverse()]);
        Self { seed, public, b, a_inverse, d }
    }

    /// The public key.
    pub fn public(&self) -> &PublicKey {
        &self.public
    }

    /// A new key for a member with these attributes. Two keys never combine, not even two of one member.
    pub fn member_key(&self, ambient: &Ambient, attributes: &AttributeSet) -> MemberKey {
        let draw = Draw::new(self, ambient);
        let common = {
            let [first, second, third] = self.part(&draw, &Of::Column(1), &draw.sigma(0, 0));
            let [d1, d2, d3] = &self.d;
            [first.add(d1), second.add(d2), third.add(d3)]
        };
        let mut parts = Vec::with_capacity(attributes.len() * usize::from(self.public.uses()));
        for (attribute, number) in attributes.iter().zip(1_u32..) {
            for use_number in 0..self.public.uses() {
                let label = Of::Label(Label { attribute: attribute.clone(), use_number });
                parts.push(self.part(&draw, &label, &draw.sigma(number, use_number)));
            }
        }
        MemberKey::new(&self.public, attributes, &draw.zero, &common, &parts)
    }

    /// Three points of a label or column.
    fn part(&self, draw: &Draw, of: &Of, sigma: &Scalar) -> [G1; 3] {
        let bases = self.public.bases().of(of);
        let g = G1::generator();
        let [first, second] = &self.a_inverse;
        let component = |a_inverse: &Scalar, exponent: usize| {
            let own = bases.iter().skip(exponent).step_by(2).zip(&draw.exponents);
            let start = g.mul(&sigma.mul(a_inverse));
            own.fold(start, |sum, (base, by): (&G1Affine, _)| sum.add(&base.point().mul(&by.mul(a_inverse))))
        };
        [component(first, 0), component(second, 1), g.mul(&sigma.neg())]
    }

    /// The secret of a right for members who have all of its attributes: of the registered rights those that the
    /// attributes cover, and no other.
    pub fn rights_for<'a>(
        &self,
        attributes: &AttributeSet,
        registered: impl IntoIterator<Item = &'a Right>,
    ) -> RightSecrets {
        let covered = registered.into_iter().filter(|right| attributes.contains_all(right.attributes()));
        covered.map(|right| (right.clone(), self.right_secret(right))).collect()
    }

    /// The secret of a right.
    pub(crate) fn right_secret(&self, right: &Right) -> RightSecret {
        let seed = self.seed.expose(|seed| derive_key(seed, &[b"strongroom-abe right", &right.digest()]));
        RightSecret::filled(|out| seed.expose(|bytes| out.copy_from_slice(bytes)))
    }
}

impl std::fmt::Debug for MasterKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("MasterKey")
    }
}

/// What is drawn for one key.
struct Draw {
    seed: SecretArray<32>,
    /// `b1 r1`, `b2 r2`, `r1 + r2`.
    exponents: [Scalar; 3],
    /// The same of `h`.
    zero: [G2; 3],
}

impl Draw {
    /// Entropy that failed would not repeat a key of other attributes, because the master's seed is in it as well.
    fn new(master: &MasterKey, ambient: &Ambient) -> Self {
        let fresh = SecretArray::<32>::filled(|bytes| ambient.entropy.fill(bytes));
        let seed = master.seed.expose(|seed| {
            fresh.expose(|fresh| derive_key(seed, &[b"strongroom-abe member", &sha256_parts(&[fresh])]))
        });
        let (r1, r2) = (scalar(&seed, &[b"r1"]), scalar(&seed, &[b"r2"]));
        let [b1, b2] = &master.b;
        let exponents = [b1.mul(&r1), b2.mul(&r2), r1.add(&r2)];
        let zero = exponents.each_ref().map(|exponent| G2::generator().mul(exponent));
        Self { seed, exponents, zero }
    }

    fn sigma(&self, attribute: u32, use_number: u8) -> Scalar {
        scalar(&self.seed, &[b"sigma", &attribute.to_be_bytes(), &[use_number]])
    }
}

/// A uniform exponent that belongs to a seed and a context of fixed width.
pub(crate) fn scalar(seed: &SecretArray<32>, context: &[&[u8]]) -> Scalar {
    let half = |which: &[u8; 1]| {
        let context: Vec<&[u8]> = context.iter().copied().chain([which.as_slice()]).collect();
        seed.expose(|seed| derive_key(seed, &context))
    };
    let (high, low) = (half(&[0]), half(&[1]));
    let wide = SecretArray::<64>::filled(|wide| {
        let (first, second) = wide.split_at_mut(32);
        high.expose(|bytes| first.copy_from_slice(bytes));
        low.expose(|bytes| second.copy_from_slice(bytes));
    });
    wide.expose(Scalar::from_wide)
}
