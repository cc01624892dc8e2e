//! Shamir's secret sharing (Communications of the ACM 22 (11), 1979) over GF(2^8), byte by byte.
//!
//! The field is that of AES (FIPS 197, section 4.2), polynomial `0x11b`, so shares are those of Vault and OpenBao.
//! Arithmetic has no table and no branch on a secret. Coefficients are uniform, zero included, the leading one too:
//! leaving zero out would tell a holder of `threshold - 1` shares what the secret is not.

use std::hint::black_box;
use strongroom_ambient::Ambient;
use strongroom_secret::SecretBytes;

/// One share of a secret.
#[derive(Debug)]
pub struct Share {
    /// Where the polynomials were evaluated: 1 to 255, not a secret.
    pub x: u8,
    /// Their values there, one byte for each byte of the secret.
    pub y: SecretBytes,
}

/// Why a secret cannot be shared or shares cannot be combined.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ShamirError {
    /// The secret has no bytes, or no share was given.
    #[error("nothing to share or to combine")]
    Empty,
    /// The threshold is zero or above the number of shares.
    #[error("a threshold of {threshold} is not possible with {shares} shares")]
    Threshold {
        /// Shares asked for to combine.
        threshold: u8,
        /// Shares asked for in all.
        shares: u8,
    },
    /// A share lies at zero, where the secret itself is.
    #[error("a share cannot lie at zero")]
    ZeroCoordinate,
    /// Two shares lie at the same place.
    #[error("two shares lie at {x}")]
    DuplicateCoordinate {
        /// The place.
        x: u8,
    },
    /// Shares are of different lengths.
    #[error("shares differ in length")]
    Length,
}

/// Shares a secret: any `threshold` of the `shares` combine to it, fewer say nothing about it but its length.
/// The shares lie at 1, 2, and so on.
pub fn split(ambient: &Ambient, secret: &[u8], shares: u8, threshold: u8) -> Result<Vec<Share>, ShamirError> {
    if secret.is_empty() {
        return Err(ShamirError::Empty);
    }
    if threshold == 0 || threshold > shares {
        return Err(ShamirError::Threshold { threshold, shares });
    }
    let coefficients = draw_coefficients(ambient, secret.len(), threshold);
    Ok(coefficients.expose(|drawn| (1..=shares).map(|x| share_at(x, secret, drawn)).collect()))
}

/// Combines shares to the secret. With fewer shares than the threshold, or with altered ones, the answer is some
/// other byte string: whether it is the secret must be known otherwise.
pub fn combine(shares: &[Share]) -> Result<SecretBytes, ShamirError> {
    check_coordinates(shares)?;
    let length = shares.first().ok_or(ShamirError::Empty)?.y.len();
    if length == 0 {
        return Err(ShamirError::Empty);
    }
    if shares.iter().any(|share| share.y.len() != length) {
        return Err(ShamirError::Length);
    }
    let mut secret = vec![0; length];
    for share in shares {
        let weight = weight_at_zero(share.x, shares);
        share.y.expose(|y| add_scaled(&mut secret, y, weight));
    }
    Ok(SecretBytes::new(secret))
}

/// One uniform byte for each byte of the secret and each power from the highest down to 1.
fn draw_coefficients(ambient: &Ambient, length: usize, threshold: u8) -> SecretBytes {
    let mut drawn = vec![0; length * usize::from(threshold.saturating_sub(1))];
    ambient.entropy.fill(&mut drawn);
    SecretBytes::new(drawn)
}

/// All polynomials at `x`, by Horner's rule; `drawn` holds their coefficients power by power.
fn share_at(x: u8, secret: &[u8], drawn: &[u8]) -> Share {
    let mut y = vec![0; secret.len()];
    for coefficients in drawn.chunks(secret.len()).chain([secret]) {
        for (value, coefficient) in y.iter_mut().zip(coefficients) {
            *value = multiply(*value, x) ^ coefficient;
        }
    }
    Share { x, y: SecretBytes::new(y) }
}

fn check_coordinates(shares: &[Share]) -> Result<(), ShamirError> {
    let mut seen = [false; 256];
    for share in shares {
        if share.x == 0 {
            return Err(ShamirError::ZeroCoordinate);
        }
        if let Some(place) = seen.get_mut(usize::from(share.x))
            && std::mem::replace(place, true)
        {
            return Err(ShamirError::DuplicateCoordinate { x: share.x });
        }
    }
    Ok(())
}

/// Lagrange's weight of the share at `x` for the value at zero: the product of `other / (other - x)`.
fn weight_at_zero(x: u8, shares: &[Share]) -> u8 {
    let others = || shares.iter().map(|share| share.x).filter(|other| *other != x);
    let above = others().fold(1, multiply);
    let below = others().fold(1, |product, other| multiply(product, other ^ x));
    multiply(above, invert(below))
}

fn add_scaled(sum: &mut [u8], values: &[u8], weight: u8) {
    for (sum, value) in sum.iter_mut().zip(values) {
        *sum ^= multiply(*value, weight);
    }
}

/// The product in GF(2^8), eight steps whatever the operands are.
fn multiply(mut left: u8, right: u8) -> u8 {
    let mut product = 0;
    for bit in 0..8 {
        product ^= left & all_or_none(right >> bit);
        left = (left << 1) ^ (0x1b & all_or_none(left >> 7));
    }
    product
}

/// The inverse as the 254th power (Fermat); zero's is zero.
fn invert(value: u8) -> u8 {
    let mut power = value;
    for _ in 0..6 {
        power = multiply(multiply(power, power), value);
    }
    multiply(power, power)
}

/// All bits set if the lowest one is, else none; opaque to the compiler, so that it does not make a branch of it.
fn all_or_none(bit: u8) -> u8 {
    black_box(0_u8.wrapping_sub(bit & 1))
}

#[cfg(test)]
mod tests;
