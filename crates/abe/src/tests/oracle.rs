//! The algebra again, as the paper writes it, in another implementation of the curve (arkworks).

use ark_bls12_381::{Bls12_381, Fq, Fq2, Fq6, Fq12, Fr, G1Affine as OtherG1, G2Affine as OtherG2};
use ark_ec::pairing::{Pairing, PairingOutput};
use ark_ec::{AffineRepr, CurveGroup};
use ark_ff::{Field, PrimeField};
use ark_serialize::{CanonicalDeserialize, CanonicalSerialize};

use super::{World, policy, set};
use crate::bases::Of;
use crate::curve::{Scalar, TARGET_BYTES};
use crate::span::Label;

type Gt = PairingOutput<Bls12_381>;

const TEXT: &str = "A and 2 of (B, C, D)";
/// The leaves in the order of the canonical text, with their rows, by hand from the rules in `span.rs`.
const ROWS: [(&str, [i64; 3]); 4] = [("B", [1, 1, 1]), ("C", [1, 1, 2]), ("D", [1, 1, 3]), ("A", [0, -1, 0])];

fn number(scalar: &Scalar) -> Fr {
    scalar.bytes().expose(|bytes| Fr::from_le_bytes_mod_order(bytes))
}

fn g1(bytes: &[u8]) -> OtherG1 {
    OtherG1::deserialize_compressed(bytes).unwrap()
}

fn g2(bytes: &[u8]) -> OtherG2 {
    OtherG2::deserialize_compressed(bytes).unwrap()
}

fn written(point: &impl CanonicalSerialize) -> Vec<u8> {
    let mut out = Vec::new();
    point.serialize_compressed(&mut out).unwrap();
    out
}

fn gt(bytes: &[u8]) -> Gt {
    let numbers: Vec<Fq> = bytes.chunks(48).map(Fq::from_be_bytes_mod_order).collect();
    let two = |third: usize, half: usize| {
        let at = third * 4 + half * 2;
        Fq2::new(numbers[at], numbers[at + 1])
    };
    let six = |half: usize| Fq6::new(two(0, half), two(1, half), two(2, half));
    PairingOutput(Fq12::new(six(0), six(1)))
}

fn small(number: i64) -> Fr {
    let size = Fr::from(number.unsigned_abs());
    if number < 0 { -size } else { size }
}

/// `H(name, component, exponent)`, hashed here and read there.
fn base(of: &Of, component: usize, exponent: usize) -> OtherG1 {
    let point = crate::bases::Bases::default().of(of)[2 * component + exponent];
    g1(&point.bytes())
}

fn label(name: &str) -> Of {
    Of::Label(Label { attribute: crate::Attribute::new(name).unwrap(), use_number: 0 })
}

#[test]
fn encryption_is_the_papers() {
    let world = World::new();
    let public = world.master.public();
    assert_eq!(policy(TEXT).as_str(), "2 of (B, C, D) and A");
    let (s1, s2) = (Scalar::from_wide(&[41; 64]), Scalar::from_wide(&[42; 64]));
    let prepared = public.prepare(&policy(TEXT)).unwrap();
    let (points, target) = prepared.encrypt(&[s1.clone(), s2.clone()]);
    let s = [number(&s1), number(&s2)];

    let bytes = public.as_bytes();
    let raised = [g2(&bytes[2..98]), g2(&bytes[98..194])];
    let zero = [raised[0] * s[0], raised[1] * s[1], OtherG2::generator() * (s[0] + s[1])];
    let mut expected: Vec<u8> = zero.iter().flat_map(|point| written(&point.into_affine())).collect();
    for (name, row) in ROWS {
        for component in 0..3 {
            let mut sum = OtherG1::zero().into_group();
            for (exponent, s) in s.iter().enumerate() {
                sum += base(&label(name), component, exponent) * s;
                for (column, entry) in (1..).zip(row) {
                    sum += base(&Of::Column(column), component, exponent) * (*s * small(entry));
                }
            }
            expected.extend(written(&sum.into_affine()));
        }
    }
    assert_eq!(points, expected);
    let targets = [gt(&bytes[194..][..TARGET_BYTES]), gt(&bytes[194 + TARGET_BYTES..])];
    assert!(gt(&target.bytes()) == targets[0] * s[0] + targets[1] * s[1]);
}

#[test]
fn decryption_is_the_papers() {
    let world = World::new();
    let prepared = world.master.public().prepare(&policy(TEXT)).unwrap();
    let (points, target) = prepared.encrypt(&[Scalar::from_wide(&[51; 64]), Scalar::from_wide(&[52; 64])]);
    let member = world.master.member_key(&world.ambient, &set(&["A", "B", "D"]));
    let half = Fr::from(2).inverse().unwrap();
    let factors = [("B", 0, Fr::from(3) * half), ("D", 2, -half), ("A", 3, Fr::from(1))];

    let row = |row: usize, component: usize| g1(&points[288 + row * 144 + component * 48..][..48]);
    let mut opened = Gt::default();
    for component in 0..3 {
        let (mut theirs, mut mine) = (OtherG1::zero().into_group(), OtherG1::zero().into_group());
        mine += g1(&member.common()[component].bytes());
        for (name, at, factor) in factors {
            theirs += row(at, component) * factor;
            let part = member.part(&crate::Attribute::new(name).unwrap(), 0).unwrap();
            mine += g1(&part[component].bytes()) * factor;
        }
        opened += Bls12_381::pairing(mine, g2(&points[component * 96..][..96]));
        opened -= Bls12_381::pairing(theirs, g2(&member.zero()[component].bytes()));
    }
    // pairings of the two implementations differ by a fixed power: both may be raised to it
    let generators = Bls12_381::pairing(OtherG1::generator(), OtherG2::generator());
    let ours = crate::curve::Target::pairings(&[(
        crate::curve::G1::generator().affine(),
        crate::curve::G2::generator().affine(),
    )]);
    assert!(generators == gt(&ours.bytes()), "the pairings are the same");
    assert!(opened == gt(&target.bytes()));
}
