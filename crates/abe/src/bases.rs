//! Hashed bases: the points that belong to labels and to columns.
//!
//! Each is `hash_to_curve` (RFC 9380) of a message that says what it is of, with a length before the name, so that no
//! two things have the same message. Nobody knows a relation between two of them, which is what keeps members' keys apart.

use std::collections::BTreeMap;
use std::sync::Arc;

use parking_lot::Mutex;

use crate::curve::{G1, G1Affine, affines};
use crate::span::{Label, Linear};

/// The domain of the hash (RFC 9380, section 3.1).
pub(crate) const DOMAIN: &[u8] = b"STRONGROOM-ABE-FAME-V01-with-BLS12381G1_XMD:SHA-256_SSWU_RO_";

/// Points of a label or column: one for each of three components and two exponents.
pub(crate) const BASES: usize = 6;

/// Sets of points that are remembered; each has 576 bytes.
const REMEMBERED: usize = 4096;

/// What points are of.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Of {
    /// A leaf of a policy, an attribute of a key.
    Label(Label),
    /// A column of the matrix, from 1.
    Column(u16),
}

impl Of {
    /// The message of component `component` (1 to 3) and exponent `exponent` (1 or 2).
    pub(crate) fn message(&self, component: u8, exponent: u8) -> Vec<u8> {
        let mut message = Vec::with_capacity(160);
        match self {
            Self::Label(label) => {
                let name = label.attribute.as_str();
                message.push(1);
                // names have at most 128 bytes
                message.push(u8::try_from(name.len()).unwrap_or(u8::MAX));
                message.extend_from_slice(name.as_bytes());
                message.push(label.use_number);
            }
            Self::Column(number) => {
                message.push(2);
                message.extend_from_slice(&number.to_be_bytes());
            }
        }
        message.extend_from_slice(&[component, exponent]);
        message
    }

    fn hash(&self) -> Vec<G1Affine> {
        let pairs = (1..=3).flat_map(|component| [(component, 1), (component, 2)]);
        let points: Vec<G1> = pairs.map(|(of, by)| G1::hash(&self.message(of, by), DOMAIN)).collect();
        affines(&points)
    }
}

/// Points that were hashed before: they are public, and the same for every authority.
#[derive(Default)]
pub(crate) struct Bases(Mutex<BTreeMap<Of, Arc<[G1Affine]>>>);

impl Bases {
    /// The points of a label or column, in the order (1,1), (1,2), (2,1), (2,2), (3,1), (3,2).
    pub(crate) fn of(&self, what: &Of) -> Arc<[G1Affine]> {
        if let Some(found) = self.0.lock().get(what) {
            return Arc::clone(found);
        }
        let points: Arc<[G1Affine]> = what.hash().into();
        let mut known = self.0.lock();
        if known.len() >= REMEMBERED {
            known.clear();
        }
        known.insert(what.clone(), Arc::clone(&points));
        points
    }
}

/// Six points that are shared together.
#[derive(Clone)]
pub(crate) struct Six(pub(crate) [G1; BASES]);

impl Six {
    pub(crate) fn of(points: &[G1Affine]) -> Self {
        let mut six = Self::zero();
        six.0.iter_mut().zip(points).for_each(|(to, from)| *to = from.point());
        six
    }
}

impl Linear for Six {
    fn plus(&self, other: &Self) -> Self {
        let mut out = self.clone();
        out.0.iter_mut().zip(&other.0).for_each(|(to, from)| *to = to.add(from));
        out
    }

    fn minus(&self, other: &Self) -> Self {
        let mut out = self.clone();
        out.0.iter_mut().zip(&other.0).for_each(|(to, from)| *to = to.sub(from));
        out
    }

    fn zero() -> Self {
        Self([G1::identity(); BASES])
    }
}
