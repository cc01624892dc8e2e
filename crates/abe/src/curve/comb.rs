//! Tables of fixed bases: a multiplication is 51 doublings and an addition a doubling and base (Lim and Lee 1994).
//!
//! Exponents are secret, so that an entry is chosen by reading all of them: the time and the addresses are the same
//! whatever the exponent.

use blst::{blst_fp, blst_fp6, blst_fp12, blst_p1_affine};
use strongroom_secret::wipe;

use super::{G1, G1Affine, Scalar, Target, affines};

/// Bits of an exponent that make one choice.
const TEETH: usize = 5;
/// Choices an exponent: 5 times 51 is 255.
const CHOICES: usize = 51;
/// Entries beside the neutral one.
const ENTRIES: usize = (1 << TEETH) - 1;

/// An exponent as choices, first the one that is worth least; wiped on drop.
pub(crate) struct Digits([u8; CHOICES]);

impl Digits {
    /// The choices of an exponent.
    pub(crate) fn of(scalar: &Scalar) -> Self {
        let mut digits = [0; CHOICES];
        scalar.bytes().expose(|bytes| {
            for (choice, digit) in digits.iter_mut().enumerate() {
                for tooth in 0..TEETH {
                    let place = tooth * CHOICES + choice;
                    let byte = bytes.get(place / 8).copied().unwrap_or_default();
                    *digit |= (byte >> (place % 8) & 1) << tooth;
                }
            }
        });
        Self(digits)
    }
}

impl Drop for Digits {
    fn drop(&mut self) {
        wipe(&mut self.0);
    }
}

/// The table of one base of the first group.
pub(crate) struct Comb(Vec<G1Affine>);

impl Comb {
    /// Memory of a table in bytes.
    pub(crate) const BYTES: usize = ENTRIES * size_of::<blst_p1_affine>();

    /// The tables of many bases at once.
    pub(crate) fn all(bases: &[G1Affine]) -> Vec<Self> {
        let entries: Vec<G1> = bases.iter().flat_map(|base| entries(&base.point())).collect();
        affines(&entries).chunks(ENTRIES).map(|table| Self(table.to_vec())).collect()
    }

    /// The sum of two bases, each times its exponent, with the doublings in common.
    pub(crate) fn mul_pair(&self, digits: &Digits, other: &Self, other_digits: &Digits) -> G1 {
        let choices = digits.0.iter().zip(&other_digits.0).rev();
        choices.fold(G1::identity(), |sum, (digit, other_digit)| {
            sum.double().add_affine(&self.choose(*digit)).add_affine(&other.choose(*other_digit))
        })
    }

    /// The entry of a choice; all zeros is the neutral element.
    fn choose(&self, digit: u8) -> G1Affine {
        let mut out = blst_p1_affine::default();
        for (entry, number) in self.0.iter().zip(1_u8..) {
            let mask = mask(digit, number);
            take(&mut out.x, &entry.0.x, mask);
            take(&mut out.y, &entry.0.y, mask);
        }
        G1Affine(out)
    }
}

/// Every sum of the base's multiples by 2^0, 2^51, 2^102, 2^153, 2^204, in the order of their bits, from 1.
fn entries(base: &G1) -> Vec<G1> {
    let mut all = vec![G1::identity()];
    let mut tooth = *base;
    for _ in 0..TEETH {
        let with: Vec<G1> = all.iter().map(|sum| sum.add(&tooth)).collect();
        all.extend(with);
        tooth = (0..CHOICES).fold(tooth, |point, _| point.double());
    }
    all.split_off(1)
}

/// The table of one base of the target group.
pub(crate) struct TargetComb(Vec<Target>);

impl TargetComb {
    /// The table of a base.
    pub(crate) fn of(base: &Target) -> Self {
        let mut all = vec![Target::one()];
        let mut tooth = *base;
        for _ in 0..TEETH {
            let with: Vec<Target> = all.iter().map(|product| product.mul(&tooth)).collect();
            all.extend(with);
            tooth = (0..CHOICES).fold(tooth, |element, _| element.square());
        }
        Self(all)
    }

    /// The product of two bases, each to its exponent, with the squarings in common.
    pub(crate) fn pow_pair(&self, digits: &Digits, other: &Self, other_digits: &Digits) -> Target {
        let choices = digits.0.iter().zip(&other_digits.0).rev();
        choices.fold(Target::one(), |product, (digit, other_digit)| {
            product.square().mul(&self.choose(*digit)).mul(&other.choose(*other_digit))
        })
    }

    fn choose(&self, digit: u8) -> Target {
        let mut out = blst_fp12 { fp6: [blst_fp6::default(); 2] };
        for (entry, number) in self.0.iter().zip(0_u8..) {
            let mask = mask(digit, number);
            for (to, from) in out.fp6.iter_mut().zip(&entry.0.fp6) {
                for (to, from) in to.fp2.iter_mut().zip(&from.fp2) {
                    to.fp.iter_mut().zip(&from.fp).for_each(|(to, from)| take(to, from, mask));
                }
            }
        }
        Target(out)
    }
}

/// Adds a number to zero if the mask is all ones.
#[inline]
fn take(to: &mut blst_fp, from: &blst_fp, mask: u64) {
    to.l.iter_mut().zip(&from.l).for_each(|(to, from)| *to |= from & mask);
}

/// All ones if the numbers are the same, else zero, without a branch.
fn mask(left: u8, right: u8) -> u64 {
    let differs = u64::from(left ^ right);
    std::hint::black_box((differs.wrapping_sub(1) >> 63).wrapping_neg())
}
