use serde_json::Value;

use super::*;

fn hex(text: &str) -> Vec<u8> {
    data_encoding::HEXLOWER.decode(text.as_bytes()).unwrap()
}

fn scalar(number: u8) -> Scalar {
    Scalar::from_wide(&[number; 64])
}

/// The affine x coordinate, without the bits that say how it is compressed.
fn x_of(point: &G1) -> Vec<u8> {
    let mut bytes = point.affine().bytes().to_vec();
    bytes[0] &= 0x1f;
    bytes
}

/// A point of the curve outside the subgroup: almost all have that property.
pub(crate) fn outsider() -> G1Affine {
    let points = (1..=u8::MAX).filter_map(|x| {
        let mut bytes = [0; G1_BYTES];
        (bytes[0], bytes[G1_BYTES - 1]) = (0x80, x);
        G1Affine::from_bytes(&bytes)
    });
    points.into_iter().find(|point| !point.in_subgroup()).unwrap()
}

/// RFC 9380, appendix J.9.1.
#[test]
fn hashing_to_the_curve_is_the_standards() {
    let text = include_str!("../../../../vectors/abe/rfc9380-bls12381g1-xmd-sha256-sswu-ro.json");
    let file: Value = serde_json::from_str(text).unwrap();
    let vectors = file["vectors"].as_array().unwrap();
    assert_eq!(vectors.len(), 5);
    for vector in vectors {
        let domain = file["dst"].as_str().unwrap().as_bytes();
        let point = G1::hash(vector["msg"].as_str().unwrap().as_bytes(), domain);
        assert_eq!(x_of(&point), hex(vector["x"].as_str().unwrap()));
        // the sign bit of the encoding says whether y is the larger of the two roots
        let modulus_half = hex(concat!(
            "0d0088f51cbff34d258dd3db21a5d66bb23ba5c279c2895fb39869507b587b12",
            "0f55ffff58a9ffffdcff7fffffffd555"
        ));
        let is_large = hex(vector["y"].as_str().unwrap()) > modulus_half;
        assert_eq!(point.affine().bytes()[0] & 0x20 != 0, is_large);
    }
}

#[test]
fn tables_multiply_as_multiplication_does() {
    let bases = [G1::hash(b"one", b"test"), G1::hash(b"two", b"test")].map(|point| point.affine());
    let combs = Comb::all(&bases);
    for (left, right) in [(1, 2), (0, 7), (255, 128), (0, 0)] {
        let (left, right) = (scalar(left), scalar(right));
        let pair = combs[0].mul_pair(&Digits::of(&left), &combs[1], &Digits::of(&right));
        let plain = bases[0].point().mul(&left).add(&bases[1].point().mul(&right));
        assert_eq!(pair.affine().bytes(), plain.affine().bytes());
    }
}

#[test]
fn tables_raise_pairings_as_the_pairing_of_products_does() {
    let pairing =
        |by: &Scalar| Target::pairings(&[(G1::generator().mul(by).affine(), G2::generator().affine())]);
    let (base, other) = (pairing(&scalar(3)), pairing(&scalar(4)));
    let (left, right) = (scalar(5), scalar(6));
    let power =
        TargetComb::of(&base).pow_pair(&Digits::of(&left), &TargetComb::of(&other), &Digits::of(&right));
    let sum = scalar(3).mul(&left).add(&scalar(4).mul(&right));
    assert_eq!(power.bytes(), pairing(&sum).bytes());
}

#[test]
fn target_elements_have_one_encoding_and_others_are_refused() {
    let element = Target::pairings(&[(G1::generator().affine(), G2::generator().affine())]);
    let bytes = element.bytes();
    assert_eq!(Target::from_bytes(&bytes).unwrap().bytes(), bytes);
    assert!(Target::from_bytes(&Target::one().bytes()).is_none());
    assert!(Target::from_bytes(&[0; TARGET_BYTES]).is_none());
    for place in [0, 47, 300, TARGET_BYTES - 1] {
        let mut other = bytes;
        other[place] ^= 1;
        assert!(Target::from_bytes(&other).is_none(), "byte {place}");
    }
    // the same number with the modulus added has the same meaning and is another encoding
    let modulus = hex(concat!(
        "1a0111ea397fe69a4b1ba7b6434bacd764774b84f38512bf6730d2a0f6b0f624",
        "1eabfffeb153ffffb9feffffffffaaab"
    ));
    let mut carry = 0;
    let mut raised = bytes;
    for place in (0..48).rev() {
        let sum = u16::from(bytes[place]) + u16::from(modulus[place]) + carry;
        raised[place] = u8::try_from(sum & 0xff).unwrap();
        carry = sum >> 8;
    }
    assert_eq!(carry, 0);
    assert!(Target::from_bytes(&raised).is_none());
}

#[test]
fn points_outside_the_subgroup_are_told_apart() {
    let outsider = outsider();
    assert!(!outsider.in_subgroup());
    assert!(G1::generator().affine().in_subgroup());
    assert!(G1Affine::from_bytes(&[0xff; G1_BYTES]).is_none());
    let mut neutral = [0; G1_BYTES];
    neutral[0] = 0xc0;
    assert!(G1Affine::from_bytes(&neutral).is_none());
    let mut neutral = [0; G2_BYTES];
    neutral[0] = 0xc0;
    assert!(G2Affine::from_bytes(&neutral).is_none());
}

#[test]
fn sums_with_public_factors_are_sums() {
    let points: Vec<G1Affine> = (0..9_u8).map(|name| G1::hash(&[name], b"test").affine()).collect();
    let factors: Vec<Option<Scalar>> = (0..9).map(|at| (at % 3 != 0).then(|| scalar(at))).collect();
    let sum = sum_public(points.iter().zip(factors.iter().map(Option::as_ref)));
    let plain = points.iter().zip(&factors).fold(G1::identity(), |sum, (point, factor)| {
        sum.add(&factor.as_ref().map_or_else(|| point.point(), |factor| point.point().mul(factor)))
    });
    assert_eq!(sum.affine().bytes(), plain.affine().bytes());
    assert_eq!(affines(&[sum, G1::identity()]).len(), 2);
}

#[test]
fn exponents_are_a_field() {
    let (one, five) = (Scalar::from_u64(1), scalar(5));
    assert!(five.mul(&five.inverse()) == one);
    assert!(five.add(&five.neg()) == Scalar::from_u64(0));
    assert!(five.sub(&one).add(&one) == five);
    assert_eq!(Scalar::from_u64(258).bytes().expose(|bytes| [bytes[0], bytes[1], bytes[2]]), [2, 1, 0]);
}
