//! The span program of a policy: a linear secret sharing scheme whose matrix is never written down.
//!
//! A policy over `n` leaves is a matrix `M` of `n` rows. What a ciphertext needs of it is `M` times a vector (a base a
//! column), and that is computed from gate to gate: a gate gets the share of its parent and a fresh column for each of the
//! `k - 1` coefficients that it draws, and gives each of its `n` terms a share.
//!
//! - `or`: the share itself.
//! - `and`: `s + c1`, `c2 - c1`, ..., `-c(n-1)`: their sum is `s` (Lewko and Waters 2011, appendix G).
//! - `k of`: `p(1)` to `p(n)` of the polynomial of degree `k - 1` with `p(0) = s`. Its coefficients belong to the basis
//!   of binomials `x over j`, so that the next value comes from the last by additions alone (Newton's differences).
//!
//! What opens it is Lagrange's formula at zero, whatever the basis.

use crate::attribute::Attribute;
use crate::curve::Scalar;
use crate::policy::{Node, Policy};

/// A leaf with its label: which use of its attribute it is. The scheme's proof asks that no label repeats, so that the
/// second place of an attribute is a label of its own (Lewko and others 2010, section 2.3; Agrawal and Chase 2017,
/// section 4.1).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Label {
    pub(crate) attribute: Attribute,
    pub(crate) use_number: u8,
}

/// The labels of a policy from left to right; `None` if an attribute stands in more places than keys have uses.
pub(crate) fn labels(policy: &Policy, uses: u8) -> Option<Vec<Label>> {
    let mut seen = std::collections::BTreeMap::<Attribute, u8>::new();
    let (mut all, mut fits) = (Vec::with_capacity(policy.leaves()), true);
    policy.root().each_leaf(&mut |attribute| {
        let places = seen.entry(attribute.clone()).or_default();
        fits &= *places < uses;
        all.push(Label { attribute: attribute.clone(), use_number: *places });
        *places = places.saturating_add(1);
    });
    fits.then_some(all)
}

/// How many columns the matrix has.
pub(crate) fn columns(node: &Node) -> usize {
    1 + drawn(node)
}

fn drawn(node: &Node) -> usize {
    match node {
        Node::Leaf(_) => 0,
        Node::Gate { need, of } => need.saturating_sub(1) + of.iter().map(drawn).sum::<usize>(),
    }
}

/// What can be shared.
pub(crate) trait Linear: Clone {
    fn plus(&self, other: &Self) -> Self;
    fn minus(&self, other: &Self) -> Self;
    fn zero() -> Self;
}

/// The shares of all leaves from left to right. `columns` gives the columns in order; the first is the secret.
pub(crate) fn shares<T: Linear>(node: &Node, columns: &mut impl Iterator<Item = T>) -> Vec<T> {
    let mut out = Vec::with_capacity(node.leaves());
    if let Some(secret) = columns.next() {
        share(node, secret, columns, &mut out);
    }
    out
}

fn share<T: Linear>(node: &Node, own: T, columns: &mut impl Iterator<Item = T>, out: &mut Vec<T>) {
    let Node::Gate { need, of } = node else { return out.push(own) };
    let drawn: Vec<T> = columns.take(need.saturating_sub(1)).collect();
    let shares = match *need {
        1 => vec![own; of.len()],
        need if need == of.len() => chain(own, &drawn),
        _ => values(own, drawn, of.len()),
    };
    for (term, own) in of.iter().zip(shares) {
        share(term, own, columns, out);
    }
}

/// Shares that add up to the secret.
fn chain<T: Linear>(secret: T, drawn: &[T]) -> Vec<T> {
    let mut carried = secret;
    let mut out = Vec::with_capacity(drawn.len() + 1);
    for next in drawn {
        out.push(carried.plus(next));
        carried = T::zero().minus(next);
    }
    out.push(carried);
    out
}

/// Values of the polynomial at 1, 2, and so on.
fn values<T: Linear>(secret: T, drawn: Vec<T>, count: usize) -> Vec<T> {
    let mut differences: Vec<T> = std::iter::once(secret).chain(drawn).collect();
    let mut out = Vec::with_capacity(count);
    for _ in 0..count {
        // from the lowest: each takes in the next while that is still the old one
        for at in 1..differences.len() {
            let (low, high) = differences.split_at_mut(at);
            if let (Some(last), Some(next)) = (low.last_mut(), high.first()) {
                *last = last.plus(next);
            }
        }
        out.extend(differences.first().cloned());
    }
    out
}

/// A leaf that takes part in opening, and what its share is multiplied by; `None` is one.
pub(crate) struct Part {
    pub(crate) row: usize,
    pub(crate) factor: Option<Scalar>,
}

/// How held leaves open the secret, with as few of them as each gate allows; `None` if they do not.
pub(crate) fn parts(node: &Node, is_held: &impl Fn(&Attribute) -> bool) -> Option<Vec<Part>> {
    choose(node, &mut 0, is_held)
}

fn choose(node: &Node, row: &mut usize, is_held: &impl Fn(&Attribute) -> bool) -> Option<Vec<Part>> {
    let Node::Gate { need, of } = node else {
        let own = *row;
        *row += 1;
        let Node::Leaf(attribute) = node else { return None };
        return is_held(attribute).then(|| vec![Part { row: own, factor: None }]);
    };
    let terms = of.iter().zip(1_u64..).map(|(term, place)| (place, choose(term, row, is_held)));
    let mut open: Vec<(u64, Vec<Part>)> =
        terms.filter_map(|(place, parts)| parts.map(|parts| (place, parts))).collect();
    open.sort_by_key(|(_, parts)| parts.len());
    open.truncate(*need);
    if open.len() < *need {
        return None;
    }
    if *need == 1 || *need == of.len() {
        return Some(open.into_iter().flat_map(|(_, parts)| parts).collect());
    }
    let places: Vec<u64> = open.iter().map(|(place, _)| *place).collect();
    let scaled = open.into_iter().map(|(place, parts)| scaled(parts, &lagrange(place, &places)));
    Some(scaled.flatten().collect())
}

fn scaled(parts: Vec<Part>, by: &Scalar) -> Vec<Part> {
    let scale = |factor: Option<Scalar>| factor.map_or_else(|| by.clone(), |own| own.mul(by));
    parts.into_iter().map(|part| Part { row: part.row, factor: Some(scale(part.factor)) }).collect()
}

/// What the value at `place` is multiplied by in the value at zero.
fn lagrange(place: u64, places: &[u64]) -> Scalar {
    let (mut above, mut below) = (Scalar::from_u64(1), Scalar::from_u64(1));
    for other in places.iter().filter(|other| **other != place) {
        above = above.mul(&Scalar::from_u64(*other));
        below = below.mul(&Scalar::from_u64(*other).sub(&Scalar::from_u64(place)));
    }
    above.mul(&below.inverse())
}

#[cfg(test)]
mod tests;
