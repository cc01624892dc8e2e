//! The first group: attributes, keys of members, rows of ciphertexts.

use blst::{
    BLST_ERROR, MultiPoint, blst_hash_to_g1, blst_p1, blst_p1_add_or_double, blst_p1_add_or_double_affine,
    blst_p1_affine, blst_p1_affine_compress, blst_p1_affine_in_g1, blst_p1_affine_is_inf, blst_p1_cneg,
    blst_p1_double, blst_p1_from_affine, blst_p1_generator, blst_p1_mult, blst_p1_to_affine,
    blst_p1_uncompress, p1_affines,
};
use strongroom_secret::wipe;

use super::Scalar;

/// Length of a compressed point.
pub(crate) const G1_BYTES: usize = 48;

/// A point in the coordinates that are quick to compute in.
#[derive(Clone, Copy)]
pub(crate) struct G1(blst_p1);

/// A point in the coordinates that are quick to add and to write.
#[derive(Clone, Copy)]
pub(crate) struct G1Affine(pub(super) blst_p1_affine);

impl G1 {
    /// The neutral element.
    pub(crate) fn identity() -> Self {
        Self(blst_p1::default())
    }

    /// The generator of the standard.
    pub(crate) fn generator() -> Self {
        // SAFETY: the function returns the address of a constant
        Self(unsafe { *blst_p1_generator() })
    }

    /// Hashes to a point of which nobody knows the discrete logarithm: `hash_to_curve` of RFC 9380, suite
    /// `BLS12381G1_XMD:SHA-256_SSWU_RO_`.
    pub(crate) fn hash(message: &[u8], domain: &[u8]) -> Self {
        let mut out = blst_p1::default();
        // SAFETY: pointers go with the lengths of their slices; an augmentation of no bytes is never read
        unsafe {
            blst_hash_to_g1(
                &raw mut out,
                message.as_ptr(),
                message.len(),
                domain.as_ptr(),
                domain.len(),
                std::ptr::null(),
                0,
            );
        }
        Self(out)
    }

    pub(crate) fn mul(&self, scalar: &Scalar) -> Self {
        scalar.bytes().expose(|bytes| {
            let mut out = blst_p1::default();
            // SAFETY: 255 bits lie within the 32 bytes of the scalar
            unsafe { blst_p1_mult(&raw mut out, &raw const self.0, bytes.as_ptr(), 255) };
            Self(out)
        })
    }

    pub(crate) fn add(&self, other: &Self) -> Self {
        let mut out = blst_p1::default();
        // SAFETY: all are whole values
        unsafe { blst_p1_add_or_double(&raw mut out, &raw const self.0, &raw const other.0) };
        Self(out)
    }

    pub(crate) fn add_affine(&self, other: &G1Affine) -> Self {
        let mut out = blst_p1::default();
        // SAFETY: all are whole values
        unsafe { blst_p1_add_or_double_affine(&raw mut out, &raw const self.0, &raw const other.0) };
        Self(out)
    }

    pub(crate) fn sub(&self, other: &Self) -> Self {
        self.add(&other.neg())
    }

    pub(crate) fn double(&self) -> Self {
        let mut out = blst_p1::default();
        // SAFETY: both are whole values
        unsafe { blst_p1_double(&raw mut out, &raw const self.0) };
        Self(out)
    }

    pub(crate) fn neg(&self) -> Self {
        let mut out = self.0;
        // SAFETY: the value is whole
        unsafe { blst_p1_cneg(&raw mut out, true) };
        Self(out)
    }

    pub(crate) fn affine(&self) -> G1Affine {
        let mut out = blst_p1_affine::default();
        // SAFETY: both are whole values
        unsafe { blst_p1_to_affine(&raw mut out, &raw const self.0) };
        G1Affine(out)
    }
}

impl G1Affine {
    /// A point on the curve and not the neutral element, from its only encoding. Whether it lies in the subgroup is
    /// [`G1Affine::in_subgroup`].
    pub(crate) fn from_bytes(bytes: &[u8; G1_BYTES]) -> Option<Self> {
        let mut out = blst_p1_affine::default();
        // SAFETY: the function reads the 48 bytes of the array
        let error = unsafe { blst_p1_uncompress(&raw mut out, bytes.as_ptr()) };
        // SAFETY: the value is whole
        let is_point = error == BLST_ERROR::BLST_SUCCESS && !unsafe { blst_p1_affine_is_inf(&raw const out) };
        is_point.then_some(Self(out))
    }

    pub(crate) fn in_subgroup(&self) -> bool {
        // SAFETY: the value is whole
        unsafe { blst_p1_affine_in_g1(&raw const self.0) }
    }

    /// The encoding: 48 bytes, compressed, as ZCash and the IETF draft on BLS signatures write them.
    pub(crate) fn bytes(&self) -> [u8; G1_BYTES] {
        let mut out = [0; G1_BYTES];
        // SAFETY: the function writes the 48 bytes of the array
        unsafe { blst_p1_affine_compress(out.as_mut_ptr(), &raw const self.0) };
        out
    }

    pub(crate) fn point(&self) -> G1 {
        let mut out = blst_p1::default();
        // SAFETY: both are whole values
        unsafe { blst_p1_from_affine(&raw mut out, &raw const self.0) };
        G1(out)
    }

    /// Wipes a point of somebody's key.
    pub(crate) fn wipe(&mut self) {
        wipe(&mut self.0.x.l);
        wipe(&mut self.0.y.l);
    }
}

/// Many points at once, with one inversion for all.
pub(crate) fn affines(points: &[G1]) -> Vec<G1Affine> {
    let raw: Vec<blst_p1> = points.iter().map(|point| point.0).collect();
    if raw.is_empty() {
        return Vec::new();
    }
    p1_affines::from(&raw).as_slice().iter().copied().map(G1Affine).collect()
}

/// The sum of points, each times its scalar; `None` is one. The time depends on the scalars, which must be public.
pub(crate) fn sum_public<'a>(terms: impl Iterator<Item = (&'a G1Affine, Option<&'a Scalar>)>) -> G1 {
    let (mut sum, mut points, mut scalars) = (G1::identity(), Vec::new(), Vec::new());
    for (point, scalar) in terms {
        match scalar {
            None => sum = sum.add_affine(point),
            Some(scalar) => {
                points.push(point.0);
                scalar.bytes().expose(|bytes| scalars.extend_from_slice(bytes));
            }
        }
    }
    if points.is_empty() { sum } else { sum.add(&G1(points.as_slice().mult(&scalars, 255))) }
}
