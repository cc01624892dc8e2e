//! Exponents: integers modulo the order of the groups.

use blst::{
    blst_fr, blst_fr_add, blst_fr_cneg, blst_fr_from_scalar, blst_fr_from_uint64, blst_fr_inverse,
    blst_fr_mul, blst_fr_sub, blst_scalar, blst_scalar_from_be_bytes, blst_scalar_from_fr,
};
use strongroom_secret::{SecretArray, wipe};

/// An exponent; wiped on drop.
pub(crate) struct Scalar(blst_fr);

impl Scalar {
    /// A small number.
    pub(crate) fn from_u64(number: u64) -> Self {
        let (mut out, limbs) = (blst_fr::default(), [number, 0, 0, 0]);
        // SAFETY: both are whole values of the lengths that the function reads and writes
        unsafe { blst_fr_from_uint64(&raw mut out, limbs.as_ptr()) };
        Self(out)
    }

    /// 512 uniform bits, reduced: the bias is below 2^-256.
    pub(crate) fn from_wide(bytes: &[u8; 64]) -> Self {
        let (mut scalar, mut out) = (blst_scalar::default(), blst_fr::default());
        // SAFETY: the length handed over is the array's; the outputs are whole values
        unsafe {
            blst_scalar_from_be_bytes(&raw mut scalar, bytes.as_ptr(), bytes.len());
            blst_fr_from_scalar(&raw mut out, &raw const scalar);
        }
        Self(out)
    }

    /// The number, lowest byte first.
    pub(crate) fn bytes(&self) -> SecretArray<32> {
        let mut scalar = blst_scalar::default();
        // SAFETY: both are whole values
        unsafe { blst_scalar_from_fr(&raw mut scalar, &raw const self.0) };
        SecretArray::filled(|out| out.copy_from_slice(&scalar.b))
    }

    pub(crate) fn add(&self, other: &Self) -> Self {
        let mut out = blst_fr::default();
        // SAFETY: all are whole values
        unsafe { blst_fr_add(&raw mut out, &raw const self.0, &raw const other.0) };
        Self(out)
    }

    pub(crate) fn sub(&self, other: &Self) -> Self {
        let mut out = blst_fr::default();
        // SAFETY: all are whole values
        unsafe { blst_fr_sub(&raw mut out, &raw const self.0, &raw const other.0) };
        Self(out)
    }

    pub(crate) fn mul(&self, other: &Self) -> Self {
        let mut out = blst_fr::default();
        // SAFETY: all are whole values
        unsafe { blst_fr_mul(&raw mut out, &raw const self.0, &raw const other.0) };
        Self(out)
    }

    pub(crate) fn neg(&self) -> Self {
        let mut out = blst_fr::default();
        // SAFETY: both are whole values
        unsafe { blst_fr_cneg(&raw mut out, &raw const self.0, true) };
        Self(out)
    }

    /// The inverse; of zero, zero.
    pub(crate) fn inverse(&self) -> Self {
        let mut out = blst_fr::default();
        // SAFETY: both are whole values
        unsafe { blst_fr_inverse(&raw mut out, &raw const self.0) };
        Self(out)
    }
}

impl Clone for Scalar {
    fn clone(&self) -> Self {
        Self(self.0)
    }
}

impl PartialEq for Scalar {
    fn eq(&self, other: &Self) -> bool {
        bool::from(strongroom_secret::ct_eq(&self.bytes(), &other.bytes()))
    }
}

impl Drop for Scalar {
    fn drop(&mut self) {
        wipe(&mut self.0.l);
    }
}

impl std::fmt::Debug for Scalar {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Scalar")
    }
}
