use proptest::prelude::*;

use super::*;
use crate::attribute::AttributeSet;
use crate::tests::any_policy;

impl Linear for Scalar {
    fn plus(&self, other: &Self) -> Self {
        self.add(other)
    }

    fn minus(&self, other: &Self) -> Self {
        self.sub(other)
    }

    fn zero() -> Self {
        Self::from_u64(0)
    }
}

/// Shares of a secret with arbitrary other columns, opened by whoever holds some attributes.
fn opened(policy: &Policy, held: &AttributeSet) -> Option<bool> {
    let count = columns(policy.root());
    let numbers: Vec<Scalar> =
        (0..count).map(|at| Scalar::from_wide(&[u8::try_from(at % 251).unwrap() + 3; 64])).collect();
    let mut columns = numbers.iter().cloned();
    let shares = shares(policy.root(), &mut columns);
    assert!(columns.next().is_none(), "as many columns are drawn as are counted");
    assert_eq!(shares.len(), policy.leaves());
    let parts = parts(policy.root(), &|attribute| held.contains(attribute))?;
    let sum = parts.iter().fold(Scalar::from_u64(0), |sum, part| {
        let share = &shares[part.row];
        sum.add(&part.factor.as_ref().map_or_else(|| share.clone(), |factor| share.mul(factor)))
    });
    Some(sum == numbers[0])
}

fn set(names: &[&str]) -> AttributeSet {
    AttributeSet::parse(names.iter().copied()).unwrap()
}

#[test]
fn every_gate_opens_for_those_who_satisfy_it() {
    for (text, held) in [
        ("A", &["A"][..]),
        ("A and B and C", &["A", "B", "C"]),
        ("A or B", &["B"]),
        ("2 of (A, B, C)", &["A", "C"]),
        ("3 of (A, B, C, D, E)", &["B", "D", "E"]),
        ("A and 2 of (B, C and D, E or F)", &["A", "C", "D", "F"]),
    ] {
        assert_eq!(opened(&Policy::parse(text).unwrap(), &set(held)), Some(true), "{text}");
    }
    assert_eq!(opened(&Policy::parse("3 of (A, B, C, D)").unwrap(), &set(&["A", "D"])), None);
}

/// The share of a gate's terms, written as a matrix, has the values of a polynomial: `p(x) = s + c1 x + c2 x(x-1)/2`.
#[test]
fn thresholds_are_values_of_a_polynomial() {
    let number = Scalar::from_u64;
    let policy = Policy::parse("3 of (A, B, C, D)").unwrap();
    let shares = shares(policy.root(), &mut [number(7), number(2), number(10)].into_iter());
    for (share, expected) in shares.iter().zip([9, 21, 43, 75]) {
        assert!(*share == number(expected));
    }
}

#[test]
fn a_label_never_repeats_and_uses_are_bounded() {
    let policy = Policy::parse("(A and B) or (A and C) or (A and D)").unwrap();
    assert!(labels(&policy, 2).is_none());
    let mut labels = labels(&policy, 3).unwrap();
    labels.sort();
    labels.dedup();
    assert_eq!(labels.len(), policy.leaves());
}

proptest! {
    #[test]
    fn shares_open_exactly_for_those_who_satisfy(text in any_policy(), held in 0_u8..64) {
        let Ok(policy) = Policy::parse(&text) else { return Ok(()) };
        let names = ["A", "B", "C", "D", "E", "F"];
        let held = names.into_iter().enumerate().filter(|(at, _)| held >> at & 1 == 1).map(|(_, name)| name);
        let held = AttributeSet::parse(held).unwrap();
        let expected = policy.is_satisfied_by(&held).then_some(true);
        prop_assert_eq!(opened(&policy, &held), expected);
    }
}
