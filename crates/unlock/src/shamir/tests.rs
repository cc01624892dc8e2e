use super::*;
use proptest::prelude::*;
use std::collections::BTreeSet;
use std::sync::Arc;
use strongroom_ambient::{FakeClock, SeededEntropy, UnixMillis};

fn seeded(seed: u64) -> Ambient {
    Ambient { clock: Arc::new(FakeClock::at(UnixMillis(0))), entropy: Arc::new(SeededEntropy::new(seed)) }
}

fn copy(share: &Share) -> Share {
    Share { x: share.x, y: share.y.expose(|y| SecretBytes::new(y.to_vec())) }
}

fn combined(shares: &[Share]) -> Vec<u8> {
    combine(shares).unwrap().expose(<[u8]>::to_vec)
}

/// Every subset of the shares, as copies.
fn subsets(shares: &[Share]) -> impl Iterator<Item = Vec<Share>> + '_ {
    (1_u32..1 << shares.len()).map(|chosen| {
        shares
            .iter()
            .enumerate()
            .filter(|(place, _)| chosen >> place & 1 == 1)
            .map(|(_, s)| copy(s))
            .collect()
    })
}

/// Multiplication of polynomials over GF(2), then the remainder by `0x11b`: by the book, not by the same steps.
fn schoolbook(left: u8, right: u8) -> u8 {
    let mut product: u32 = 0;
    for bit in 0..8 {
        if right >> bit & 1 == 1 {
            product ^= u32::from(left) << bit;
        }
    }
    for bit in (8..15).rev() {
        if product >> bit & 1 == 1 {
            product ^= 0x11b << (bit - 8);
        }
    }
    u8::try_from(product).unwrap()
}

#[test]
fn every_product_is_the_schoolbooks() {
    for left in 0..=255 {
        for right in 0..=255 {
            assert_eq!(multiply(left, right), schoolbook(left, right), "{left} * {right}");
        }
    }
}

/// FIPS 197, section 4.2 and 4.2.1.
#[test]
fn the_field_is_that_of_aes() {
    assert_eq!(multiply(0x57, 0x83), 0xc1);
    assert_eq!(multiply(0x57, 0x13), 0xfe);
}

#[test]
fn every_element_but_zero_has_an_inverse() {
    assert_eq!(invert(0), 0);
    let inverses: BTreeSet<u8> = (1..=255).map(invert).collect();
    assert_eq!(inverses.len(), 255);
    assert!((1..=255).all(|value| multiply(value, invert(value)) == 1));
}

#[test]
fn multiplication_distributes_over_addition() {
    for a in 0..=255_u8 {
        for b in 0..=255_u8 {
            let c = a.rotate_left(3) ^ b.wrapping_mul(31) ^ 0x5a;
            assert_eq!(multiply(a, b ^ c), multiply(a, b) ^ multiply(a, c));
            assert_eq!(multiply(a, b), multiply(b, a));
            assert_eq!(multiply(multiply(a, b), c), multiply(a, multiply(b, c)));
        }
    }
}

/// All thresholds of up to six shares: every subset of at least the threshold combines, no smaller one does.
#[test]
fn exactly_the_subsets_of_enough_shares_combine() {
    let secret: [u8; 32] = seeded(9).random();
    for count in 1..=6_u8 {
        for threshold in 1..=count {
            let ambient = seeded(u64::from(count) << 8 | u64::from(threshold));
            let shares = split(&ambient, &secret, count, threshold).unwrap();
            for subset in subsets(&shares) {
                let enough = subset.len() >= usize::from(threshold);
                assert_eq!(combined(&subset) == secret, enough, "{threshold} of {count}, {subset:?}");
            }
        }
    }
}

#[test]
fn the_order_of_shares_does_not_matter() {
    let mut shares = split(&seeded(1), b"secret", 255, 3).unwrap();
    shares.reverse();
    assert_eq!(combined(&shares[..3]), b"secret");
    shares.swap(0, 200);
    assert_eq!(combined(&shares[..3]), b"secret");
}

/// Pearson's chi-squared over 256 values of 2^18 draws a power: 255 degrees of freedom, mean 255, standard deviation
/// 22.6. A source without zeros would stand at 1,029 or above, in every power.
#[test]
fn coefficients_of_every_power_are_uniform_with_zero() {
    const LENGTH: usize = 1 << 18;
    const THRESHOLD: u8 = 4;
    let drawn = draw_coefficients(&seeded(77), LENGTH, THRESHOLD);
    drawn.expose(|drawn| {
        assert_eq!(drawn.len(), LENGTH * 3);
        for power in drawn.chunks(LENGTH) {
            let mut counts = [0_i64; 256];
            for value in power {
                counts[usize::from(*value)] += 1;
            }
            let chi_squared: i64 =
                counts.iter().map(|count| (count - 1024) * (count - 1024)).sum::<i64>() / 1024;
            assert!((140..400).contains(&chi_squared), "{chi_squared}");
            assert!((850..1200).contains(&counts[0]), "{} zeros", counts[0]);
        }
    });
}

/// The same from outside: with the leading coefficient uniform, one share of two is uniform whatever the secret is,
/// the secret's own value included.
#[test]
fn a_share_below_the_threshold_may_equal_the_secret() {
    let shares = split(&seeded(3), &vec![0x42; 1 << 16], 2, 2).unwrap();
    let equal = shares[0].y.expose(|y| y.iter().map(|value| u32::from(*value == 0x42)).sum::<u32>());
    assert!((180..340).contains(&equal), "{equal} of 65536, 256 expected");
}

#[test]
fn impossible_requests_are_refused() {
    let refused =
        |secret: &[u8], shares, threshold| split(&seeded(1), secret, shares, threshold).unwrap_err();
    assert_eq!(refused(b"", 2, 2), ShamirError::Empty);
    assert_eq!(refused(b"s", 2, 0), ShamirError::Threshold { threshold: 0, shares: 2 });
    assert_eq!(refused(b"s", 2, 3), ShamirError::Threshold { threshold: 3, shares: 2 });
    assert_eq!(refused(b"s", 0, 0), ShamirError::Threshold { threshold: 0, shares: 0 });
}

#[test]
fn zero_duplicate_and_uneven_shares_are_refused() {
    let share = |x, y: &[u8]| Share { x, y: SecretBytes::new(y.to_vec()) };
    let refused = |shares: &[Share]| combine(shares).unwrap_err();
    assert_eq!(refused(&[]), ShamirError::Empty);
    assert_eq!(refused(&[share(1, b""), share(2, b"")]), ShamirError::Empty);
    assert_eq!(refused(&[share(1, b"a"), share(0, b"b")]), ShamirError::ZeroCoordinate);
    assert_eq!(
        refused(&[share(7, b"a"), share(2, b"b"), share(7, b"a")]),
        ShamirError::DuplicateCoordinate { x: 7 }
    );
    assert_eq!(refused(&[share(1, b"a"), share(2, b"bc")]), ShamirError::Length);
}

proptest! {
    #[test]
    fn any_secret_combines_from_any_threshold_of_shares(
        secret in proptest::collection::vec(any::<u8>(), 1..80),
        (count, threshold) in (1..=255_u8).prop_flat_map(|count| (Just(count), 1..=count.min(12))),
        seed in any::<u64>(),
        start in any::<prop::sample::Index>(),
    ) {
        let mut shares = split(&seeded(seed), &secret, count, threshold).unwrap();
        shares.rotate_left(start.index(count.into()));
        prop_assert_eq!(combined(&shares[..threshold.into()]), secret);
    }
}

/// `vectors/unlock/openbao-shares.json`: shares of a real server. That their secret is right was seen when that
/// server took our shares of it (`examples/resplit.rs`, ADR 4).
#[test]
fn openbaos_shares_combine_to_one_secret() {
    let text = include_str!("../../../../vectors/unlock/openbao-shares.json");
    let vector: serde_json::Value = serde_json::from_str(text).unwrap();
    let shares: Vec<Share> = vector["shares"].as_array().unwrap().iter().map(openbao_share).collect();
    let secret = combined(&shares);
    assert_eq!((shares.len(), secret.len()), (5, 32));
    for subset in subsets(&shares) {
        assert_eq!(combined(&subset) == secret, subset.len() >= 3, "{subset:?}");
    }
}

fn openbao_share(text: &serde_json::Value) -> Share {
    let bytes = data_encoding::HEXLOWER.decode(text.as_str().unwrap().as_bytes()).unwrap();
    let (x, y) = bytes.split_last().unwrap();
    Share { x: *x, y: SecretBytes::new(y.to_vec()) }
}
