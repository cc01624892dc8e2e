//! The crate as a whole: who reads what, and what a liar gets away with.

mod hostile;
mod members;
mod proofs;
mod roundtrip;
mod vectors;

use strongroom_abe::{AttributeSet, MasterKey, Policy, RightKeys, Suite, rights_of};
use strongroom_ambient::{Ambient, FakeClock, SeededEntropy, UnixMillis};
use strongroom_blindindex::{CollectorEpochKey, IndexRoot, Token};
use strongroom_crypto::{PrivateKey, PublicKey};
use strongroom_sharing::MemberId;

use crate::*;

pub(crate) const NORTH: MemberId = MemberId([0x4e; 16]);
pub(crate) const SOUTH: MemberId = MemberId([0x53; 16]);
pub(crate) const EPOCH: u64 = 37;

/// The policies of most tests: analysts, one organisation, and one of the post-quantum suite.
pub(crate) const POLICIES: [(&str, Suite); 3] = [
    ("ANALYST and (CERT or UNR)", Suite::Pairing),
    ("UNR", Suite::Pairing),
    ("CERT", Suite::PairingAndRights),
];

pub(crate) fn ambient(seed: u64) -> Ambient {
    Ambient {
        clock: std::sync::Arc::new(FakeClock::at(UnixMillis(0))),
        entropy: std::sync::Arc::new(SeededEntropy::new(seed)),
    }
}

pub(crate) fn set(names: &[&str]) -> AttributeSet {
    AttributeSet::parse(names.iter().copied()).unwrap()
}

pub(crate) fn given(text: &str, suite: Suite) -> PolicyAndSuite {
    PolicyAndSuite { policy: Policy::parse(text).unwrap(), suite }
}

/// An authority with a collector that seals, and readers.
pub(crate) struct World {
    pub(crate) ambient: Ambient,
    pub(crate) master: MasterKey,
    pub(crate) signer: PrivateKey,
    pub(crate) index: CollectorEpochKey,
}

impl World {
    pub(crate) fn new(seed: u64) -> Self {
        let ambient = ambient(seed);
        let master = MasterKey::generate(&ambient, 2).unwrap();
        let signer = PrivateKey::ed25519_from_seed(&ambient.random()).unwrap();
        let index = IndexRoot::generate(&ambient).collector_epoch(&NORTH.to_string(), EPOCH);
        Self { ambient, master, signer, index }
    }

    pub(crate) fn verifier(&self) -> PublicKey {
        self.signer.public_key().unwrap()
    }

    /// The keys of all rights of the policies in an epoch.
    pub(crate) fn rights(&self, epoch: u64) -> RightKeys {
        let all = POLICIES.iter().flat_map(|(text, _)| rights_of(&Policy::parse(text).unwrap()).unwrap());
        let all: Vec<_> = all.map(|right| right_at(&right, epoch).unwrap()).collect();
        RightKeys::of(&self.master, &all)
    }

    pub(crate) fn policies(&self, epoch: u64) -> PolicySet {
        let all: Vec<_> = POLICIES.iter().map(|(text, suite)| given(text, *suite)).collect();
        PolicySet::prepare(self.master.public(), epoch, &all, &self.rights(epoch)).unwrap()
    }

    /// What the authority delivers to a member.
    pub(crate) fn bundle(&self, names: &[&str], epochs: &[u64]) -> KeyBundle {
        let mut bundle = KeyBundle::default();
        let (mut attributes, mut registered) = (AttributeSet::default(), Vec::new());
        for epoch in epochs {
            let own = attributes_at(&set(names), *epoch).unwrap();
            bundle.epochs.insert(*epoch, self.master.member_key(&self.ambient, &own).to_bytes());
            own.iter().for_each(|attribute| attributes.insert(attribute.clone()).unwrap());
            registered.extend(self.rights(*epoch).iter().map(|(right, _)| right.clone()));
        }
        bundle.rights = self.master.rights_for(&attributes, &registered).to_bytes();
        bundle
    }

    pub(crate) fn reader(&self, names: &[&str], epochs: &[u64]) -> Reader {
        Reader::with_bundle(self.master.public().clone(), &self.bundle(names, epochs)).unwrap()
    }

    pub(crate) fn label(&self, name: &str) -> [u8; 16] {
        self.index.field_label(name).0
    }

    pub(crate) fn field<'a>(&self, name: &'a str, value: &'a str, policy: u16) -> PlainField<'a> {
        PlainField { label: self.label(name), name, value: value.as_bytes(), policy }
    }

    /// A record with a field for each policy and two tokens.
    pub(crate) fn seal(&self, batch: &mut Batch, chain: &mut Chain) -> Vec<u8> {
        let fields = [
            self.field("src_ip", "\"203.0.113.7\"", 0),
            self.field("port", "22", 1),
            self.field("user", "\"root\"", 2),
            self.field("password", "\"hunter2\"", 0),
        ];
        let mut out = Vec::new();
        batch.seal(chain, &self.signer, &fields, &[Token([9; 16]), Token([3; 16])], &mut out).unwrap();
        out
    }

    /// A batch of records.
    pub(crate) fn batch(&self, records: usize) -> (BatchHeader, Vec<Vec<u8>>) {
        self.batch_after(&mut Chain::new(NORTH), records)
    }

    pub(crate) fn batch_after(&self, chain: &mut Chain, records: usize) -> (BatchHeader, Vec<Vec<u8>>) {
        let (mut batch, header) = Batch::begin(&self.ambient, NORTH, &self.policies(EPOCH)).unwrap();
        (header, (0..records).map(|_| self.seal(&mut batch, chain)).collect())
    }
}

/// Names of the fields that are open.
pub(crate) fn names(record: &OpenedRecord) -> Vec<&str> {
    let mut names: Vec<&str> = record
        .fields
        .iter()
        .filter_map(|field| match field {
            OpenedField::Open { name, .. } => Some(name.as_str()),
            _ => None,
        })
        .collect();
    names.sort_unstable();
    names
}
