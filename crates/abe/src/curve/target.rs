//! The group that pairings end in.

use blst::{
    blst_bendian_from_fp, blst_fp, blst_fp_from_bendian, blst_fp12, blst_fp12_cyclotomic_sqr, blst_fp12_mul,
};
use strongroom_secret::wipe;

use super::{G1Affine, G2Affine};

/// Length of an encoded element: twelve numbers of 48 bytes.
pub(crate) const TARGET_BYTES: usize = 12 * NUMBER_BYTES;
const NUMBER_BYTES: usize = 48;

/// An element of the target group.
#[derive(Clone, Copy)]
pub(crate) struct Target(pub(super) blst_fp12);

impl Target {
    /// The neutral element.
    pub(crate) fn one() -> Self {
        Self(blst_fp12::default())
    }

    /// The product of pairings, with one final exponentiation.
    pub(crate) fn pairings(pairs: &[(G1Affine, G2Affine)]) -> Self {
        if pairs.is_empty() {
            return Self::one();
        }
        let first: Vec<_> = pairs.iter().map(|pair| pair.0.0).collect();
        let second: Vec<_> = pairs.iter().map(|pair| pair.1.0).collect();
        Self(blst_fp12::miller_loop_n(&second, &first).final_exp())
    }

    pub(crate) fn mul(&self, other: &Self) -> Self {
        let mut out = blst_fp12::default();
        // SAFETY: all are whole values
        unsafe { blst_fp12_mul(&raw mut out, &raw const self.0, &raw const other.0) };
        Self(out)
    }

    /// The square, by the short formula that holds in this group.
    pub(crate) fn square(&self) -> Self {
        let mut out = blst_fp12::default();
        // SAFETY: both are whole values
        unsafe { blst_fp12_cyclotomic_sqr(&raw mut out, &raw const self.0) };
        Self(out)
    }

    /// The encoding: the coefficients as `blst` orders them, each 48 bytes, highest byte first.
    pub(crate) fn bytes(&self) -> [u8; TARGET_BYTES] {
        self.0.to_bendian()
    }

    /// An element of the group and not its neutral one, from its only encoding.
    pub(crate) fn from_bytes(bytes: &[u8; TARGET_BYTES]) -> Option<Self> {
        let mut out = blst_fp12::default();
        let (numbers, _) = bytes.as_chunks::<NUMBER_BYTES>();
        for (place, number) in numbers.iter().enumerate() {
            let (third, half, part) = (place / 4, place / 2 % 2, place % 2);
            *out.fp6.get_mut(half)?.fp2.get_mut(third)?.fp.get_mut(part)? = number_from_bytes(number)?;
        }
        let element = Self(out);
        (out.in_group() && element.bytes() != Self::one().bytes()).then_some(element)
    }

    /// Wipes an element that was a secret.
    pub(crate) fn wipe(&mut self) {
        let numbers = self.0.fp6.iter_mut().flat_map(|six| &mut six.fp2).flat_map(|two| &mut two.fp);
        numbers.for_each(|number| wipe(&mut number.l));
    }
}

/// A number below the modulus; others have no encoding.
fn number_from_bytes(bytes: &[u8; NUMBER_BYTES]) -> Option<blst_fp> {
    let (mut out, mut back) = (blst_fp::default(), [0; NUMBER_BYTES]);
    // SAFETY: the functions read and write the 48 bytes of the arrays and whole values
    unsafe {
        blst_fp_from_bendian(&raw mut out, bytes.as_ptr());
        blst_bendian_from_fp(back.as_mut_ptr(), &raw const out);
    }
    (&back == bytes).then_some(out)
}
