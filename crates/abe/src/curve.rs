//! Groups of BLS12-381 over `blst`: the one place of the crate where foreign code is called.
//!
//! `blst` offers group operations to Rust only as C functions. Each is wrapped here by a function that hands it whole,
//! initialised values by reference, so that nothing outside this module can break a promise. Scalar multiplications are
//! `blst`'s constant-time ones; where a function takes public values only, its name says so. Points that come from bytes
//! lie on the curve; whether they lie in the subgroup of prime order is asked apart, because it costs more.
#![expect(unsafe_code, reason = "blst's group operations are C functions; ADR 46 tells why no wrapper crate")]

mod comb;
mod g1;
mod g2;
mod scalar;
mod target;

pub(crate) use comb::{Comb, Digits, TargetComb};
pub(crate) use g1::{G1, G1_BYTES, G1Affine, affines, sum_public};
pub(crate) use g2::{G2, G2_BYTES, G2Affine};
pub(crate) use scalar::Scalar;
pub(crate) use target::{TARGET_BYTES, Target};

#[cfg(test)]
pub(crate) use tests::outsider;

#[cfg(test)]
mod tests;
