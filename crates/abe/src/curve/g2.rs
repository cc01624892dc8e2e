//! The second group: what pairs with the first.

use blst::{
    BLST_ERROR, blst_p2, blst_p2_affine, blst_p2_affine_compress, blst_p2_affine_in_g2,
    blst_p2_affine_is_inf, blst_p2_from_affine, blst_p2_generator, blst_p2_mult, blst_p2_to_affine,
    blst_p2_uncompress,
};
use strongroom_secret::wipe;

use super::Scalar;

/// Length of a compressed point.
pub(crate) const G2_BYTES: usize = 96;

/// A point in the coordinates that are quick to compute in.
#[derive(Clone, Copy)]
pub(crate) struct G2(blst_p2);

/// A point in the coordinates that are quick to write and to pair.
#[derive(Clone, Copy)]
pub(crate) struct G2Affine(pub(super) blst_p2_affine);

impl G2 {
    /// The generator of the standard.
    pub(crate) fn generator() -> Self {
        // SAFETY: the function returns the address of a constant
        Self(unsafe { *blst_p2_generator() })
    }

    pub(crate) fn mul(&self, scalar: &Scalar) -> Self {
        scalar.bytes().expose(|bytes| {
            let mut out = blst_p2::default();
            // SAFETY: 255 bits lie within the 32 bytes of the scalar
            unsafe { blst_p2_mult(&raw mut out, &raw const self.0, bytes.as_ptr(), 255) };
            Self(out)
        })
    }

    pub(crate) fn affine(&self) -> G2Affine {
        let mut out = blst_p2_affine::default();
        // SAFETY: both are whole values
        unsafe { blst_p2_to_affine(&raw mut out, &raw const self.0) };
        G2Affine(out)
    }
}

impl G2Affine {
    /// A point of the subgroup and not the neutral element, from its only encoding.
    pub(crate) fn from_bytes(bytes: &[u8; G2_BYTES]) -> Option<Self> {
        let mut out = blst_p2_affine::default();
        // SAFETY: the function reads the 96 bytes of the array
        let error = unsafe { blst_p2_uncompress(&raw mut out, bytes.as_ptr()) };
        let is_member = error == BLST_ERROR::BLST_SUCCESS
            // SAFETY: the value is whole
            && unsafe { !blst_p2_affine_is_inf(&raw const out) && blst_p2_affine_in_g2(&raw const out) };
        is_member.then_some(Self(out))
    }

    /// The encoding: 96 bytes, compressed.
    pub(crate) fn bytes(&self) -> [u8; G2_BYTES] {
        let mut out = [0; G2_BYTES];
        // SAFETY: the function writes the 96 bytes of the array
        unsafe { blst_p2_affine_compress(out.as_mut_ptr(), &raw const self.0) };
        out
    }

    pub(crate) fn point(&self) -> G2 {
        let mut out = blst_p2::default();
        // SAFETY: both are whole values
        unsafe { blst_p2_from_affine(&raw mut out, &raw const self.0) };
        G2(out)
    }

    /// Wipes a point of somebody's key.
    pub(crate) fn wipe(&mut self) {
        self.0.x.fp.iter_mut().chain(&mut self.0.y.fp).for_each(|number| wipe(&mut number.l));
    }
}
