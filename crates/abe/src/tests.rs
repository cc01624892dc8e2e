//! The crate as a whole: who opens what, and what nobody opens.

mod oracle;
mod vectors;

use proptest::prelude::*;
use strongroom_ambient::{Ambient, FakeClock, SeededEntropy, UnixMillis};
use strongroom_secret::SecretBytes;

use crate::curve::{G1, G1_BYTES, G1Affine, Scalar};
use crate::header::{ROW_BYTES, ZERO_BYTES};
use crate::*;

pub(crate) fn ambient(seed: u64) -> Ambient {
    Ambient {
        clock: std::sync::Arc::new(FakeClock::at(UnixMillis(0))),
        entropy: std::sync::Arc::new(SeededEntropy::new(seed)),
    }
}

/// Texts of policies over six attributes, most of them good.
pub(crate) fn any_policy() -> impl Strategy<Value = String> {
    let leaf = prop::sample::select(vec!["a", "B", "c", "D", "e", "F"]).prop_map(str::to_owned);
    leaf.prop_recursive(4, 24, 5, |inner| {
        let terms = prop::collection::vec(inner, 1..5);
        (terms, 0..3_usize, any::<prop::sample::Index>()).prop_map(|(terms, kind, need)| match kind {
            0 => format!("({})", terms.join(" and ")),
            1 => format!("({})", terms.join(" or ")),
            _ => format!("{} of ({})", need.index(terms.len()) + 1, terms.join(", ")),
        })
    })
}

pub(crate) fn set(names: &[&str]) -> AttributeSet {
    AttributeSet::parse(names.iter().copied()).unwrap()
}

pub(crate) fn policy(text: &str) -> Policy {
    Policy::parse(text).unwrap()
}

/// An authority, and a header under `text`.
struct World {
    ambient: Ambient,
    master: MasterKey,
}

impl World {
    fn new() -> Self {
        let ambient = ambient(7);
        let master = MasterKey::generate(&ambient, 2).unwrap();
        Self { ambient, master }
    }

    fn member(&self, names: &[&str]) -> MemberKey {
        self.master.member_key(&self.ambient, &set(names))
    }

    fn seal(&self, text: &str) -> (Header, SharedKey) {
        self.master.public().encapsulate(&self.ambient, &policy(text), b"context").unwrap()
    }

    fn open(&self, member: &MemberKey, header: &Header) -> Result<SharedKey, DecapsulateError> {
        self.master.public().decapsulate(member, &RightSecrets::none(), header, b"context")
    }
}

fn refused(result: Result<SharedKey, DecapsulateError>) -> DecapsulateError {
    result.map(|_| "a key").expect_err("must not open")
}

#[test]
fn who_satisfies_the_policy_gets_the_key_and_nobody_else() {
    let world = World::new();
    for (text, yes, no) in [
        ("A", &["A"][..], &["B"][..]),
        ("A and B", &["A", "B"], &["A"]),
        ("A or B", &["B"], &[]),
        ("2 of (A, B, C)", &["A", "C"], &["C", "D"]),
        ("A and 2 of (B, C and D, E or F)", &["A", "C", "D", "F"], &["A", "C", "F"]),
        ("(A and B) or (A and C)", &["A", "C"], &["B", "C"]),
    ] {
        let (header, key) = world.seal(text);
        let header = Header::parse(&header.to_bytes()).unwrap();
        assert!(world.open(&world.member(yes), &header).unwrap().same_as(&key), "{text}");
        assert_eq!(refused(world.open(&world.member(no), &header)), DecapsulateError::NotSatisfied, "{text}");
    }
}

#[test]
fn tables_make_the_same_headers_and_open_them() {
    let world = World::new();
    let plain = world.master.public().prepare(&policy("A and 2 of (B, C, D)")).unwrap();
    let tables = plain.with_tables();
    assert_eq!(plain.table_bytes(), 0);
    assert_eq!(tables.table_bytes(), 4 * 6 * 31 * 96);
    let (one, one_key) = plain.encapsulate(&ambient(1), b"x");
    let (other, other_key) = tables.encapsulate(&ambient(1), b"x");
    assert!(one == other && one_key.same_as(&other_key));
    let member = world.member(&["A", "B", "D"]);
    assert!(tables.decapsulate(&member, &RightSecrets::none(), &one, b"x").unwrap().same_as(&one_key));
}

/// Two keys that only together satisfy a policy: whatever parts of them are put together, it does not open.
#[test]
fn two_members_together_open_nothing_that_neither_opens() {
    let world = World::new();
    let (header, _) = world.seal("A and B");
    let bytes = |member: &MemberKey| member.to_bytes().expose(<[u8]>::to_vec);
    let (one, other) = (bytes(&world.member(&["A"])), bytes(&world.member(&["B"])));
    let both = bytes(&world.member(&["A", "B"]));
    assert!(world.open(&MemberKey::from_bytes(&SecretBytes::new(both.clone())).unwrap(), &header).is_ok());
    // head (with the parts that belong to the whole key) | count | A with two uses | B with two uses
    let part = 2 + 2 * 3 * G1_BYTES;
    let head = one.len() - part - 2;
    let (a, b) = (&one[head + 2..], &other[head + 2..]);
    for head in [&one[..head], &other[..head], &both[..head]] {
        for (a, b) in [(a, b), (&both[head.len() + 2..][..part], b), (a, &both[head.len() + 2 + part..])] {
            let forged = SecretBytes::new([head, &[0, 2], a, b].concat());
            let forged = MemberKey::from_bytes(&forged).unwrap();
            assert_eq!(refused(world.open(&forged, &header)), DecapsulateError::Rejected);
        }
    }
}

/// A key for one attribute never opens another's ciphertext after public manipulation: sums, differences and
/// multiples of its points, and points of one label under the name of another.
#[test]
fn a_key_is_not_turned_into_another_attributes_key() {
    let world = World::new();
    let (header, _) = world.seal("B");
    let member = world.member(&["A"]).to_bytes().expose(<[u8]>::to_vec);
    let name = member.len() - 2 * 3 * G1_BYTES - 1;
    let mut renamed = member.clone();
    renamed[name] = b'B';
    let forged = MemberKey::from_bytes(&SecretBytes::new(renamed.clone())).unwrap();
    assert_eq!(refused(world.open(&forged, &header)), DecapsulateError::Rejected);
    let points: Vec<G1> = (0..6)
        .map(|at| {
            let bytes = &renamed[name + 1 + at * G1_BYTES..][..G1_BYTES];
            G1Affine::from_bytes(bytes.try_into().unwrap()).unwrap().point()
        })
        .collect();
    for (left, right, by) in [(0, 3, 1), (0, 0, 2), (3, 0, 5)] {
        let mut forged = renamed.clone();
        for at in 0..3 {
            let point = points[left + at].add(&points[right + at].mul(&Scalar::from_u64(by)));
            forged[name + 1 + at * G1_BYTES..][..G1_BYTES].copy_from_slice(&point.affine().bytes());
        }
        let forged = MemberKey::from_bytes(&SecretBytes::new(forged)).unwrap();
        assert_eq!(refused(world.open(&forged, &header)), DecapsulateError::Rejected);
    }
}

#[test]
fn a_header_opens_only_as_it_was_written() {
    let world = World::new();
    let (header, _) = world.seal("A or B");
    let (other, _) = world.seal("A or B");
    let member = world.member(&["A"]);
    let bytes = header.to_bytes();
    let points = bytes.len() - 64 - 2 * ROW_BYTES - ZERO_BYTES;
    let mut places: Vec<usize> = (2..34).step_by(31).collect();
    places.extend((points..bytes.len()).step_by(19));
    places.push(bytes.len() - 1);
    for place in places {
        let mut forged = bytes.clone();
        forged[place] ^= 1;
        if let Ok(forged) = Header::parse(&forged) {
            assert!(world.open(&member, &forged).is_err(), "byte {place}");
        }
    }
    // parts of two good headers
    for range in [
        points..points + 96,
        points + ZERO_BYTES..points + ZERO_BYTES + 48,
        bytes.len() - 64..bytes.len() - 32,
    ] {
        let mut mixed = bytes.clone();
        mixed[range.clone()].copy_from_slice(&other.to_bytes()[range]);
        assert_eq!(refused(world.open(&member, &Header::parse(&mixed).unwrap())), DecapsulateError::Rejected);
    }
    assert_eq!(
        refused(world.master.public().decapsulate(&member, &RightSecrets::none(), &header, b"other")),
        DecapsulateError::Rejected
    );
}

/// Rewriting that keeps the seed: the pairing's ciphertext is malleable, the header is not.
#[test]
fn rewriting_a_row_that_the_reader_does_not_use_is_found() {
    let world = World::new();
    let (header, _) = world.seal("A or B");
    let member = world.member(&["A"]);
    let outsider = crate::curve::outsider().bytes();
    let generator = G1::generator().affine().bytes();
    for (row, bytes) in [(1, generator), (1, outsider), (0, outsider), (0, generator)] {
        let mut forged = header.clone();
        forged.points[ZERO_BYTES + row * ROW_BYTES..][..G1_BYTES].copy_from_slice(&bytes);
        let forged = Header::parse(&forged.to_bytes()).unwrap();
        assert_eq!(refused(world.open(&member, &forged)), DecapsulateError::Rejected);
    }
    // a point of small order added to a good one: on the curve, outside the subgroup, and the sum of rows is as well
    let row: &[u8; G1_BYTES] = header.points[ZERO_BYTES..][..G1_BYTES].try_into().unwrap();
    let good = G1Affine::from_bytes(row).unwrap().point();
    let moved = good.add(&crate::curve::outsider().point());
    let mut forged = header.clone();
    forged.points[ZERO_BYTES..][..G1_BYTES].copy_from_slice(&moved.affine().bytes());
    assert_eq!(refused(world.open(&member, &forged)), DecapsulateError::Rejected);
}

#[test]
fn a_policy_cannot_be_put_before_another_policys_points() {
    let world = World::new();
    let (header, _) = world.seal("A and B");
    for text in ["A or B", "A and C", "2 of (A, B, C)"] {
        let mut forged = header.clone();
        forged.policy = policy(text);
        let all = world.member(&["A", "B", "C"]);
        assert_eq!(refused(world.open(&all, &forged)), DecapsulateError::Rejected, "{text}");
    }
}

#[test]
fn authorities_do_not_mix() {
    let (world, ambient) = (World::new(), ambient(8));
    let other = MasterKey::generate(&ambient, 2).unwrap();
    let (header, _) = world.seal("A");
    let foreign = other.member_key(&ambient, &set(&["A"]));
    assert_eq!(refused(world.open(&foreign, &header)), DecapsulateError::OtherAuthority);
    let mut forged = header.clone();
    forged.authority = *other.public().digest();
    let opened = other.public().decapsulate(&foreign, &RightSecrets::none(), &forged, b"context");
    assert_eq!(refused(opened), DecapsulateError::Rejected);
    let prepared = world.master.public().prepare(&policy("A or B")).unwrap();
    let opened = prepared.decapsulate(&world.member(&["A"]), &RightSecrets::none(), &header, b"context");
    assert_eq!(refused(opened), DecapsulateError::OtherAuthority);
}

#[test]
fn an_attribute_has_as_many_places_as_keys_have_uses() {
    let world = World::new();
    let thrice = policy("(A and B) or (A and C) or (A and D)");
    let refused = world.master.public().encapsulate(&world.ambient, &thrice, b"").map(|_| "a key");
    assert_eq!(refused, Err(EncapsulateError::TooManyUses { uses: 2 }));
    assert!(MasterKey::generate(&world.ambient, 0).is_err());
    assert!(MasterKey::generate(&world.ambient, MAX_USES + 1).is_err());
}

#[test]
fn keys_survive_their_encoding_and_damage_is_refused() {
    let world = World::new();
    let (header, key) = world.seal("A and B");
    let master = MasterKey::from_bytes(&world.master.to_bytes()).unwrap();
    assert_eq!(master.public(), world.master.public());
    let public = PublicKey::from_bytes(master.public().as_bytes()).unwrap();
    assert_eq!(public.as_bytes().len(), PUBLIC_KEY_BYTES);
    let bytes = world.member(&["A", "B"]).to_bytes().expose(<[u8]>::to_vec);
    let read = |bytes: &[u8]| MemberKey::from_bytes(&SecretBytes::new(bytes.to_vec()));
    let opened = public.decapsulate(&read(&bytes).unwrap(), &RightSecrets::none(), &header, b"context");
    assert!(opened.unwrap().same_as(&key));
    for end in [0, 1, 40, bytes.len() - 1] {
        assert!(matches!(read(&bytes[..end]), Err(FormatError::Length { .. })), "{end}");
    }
    assert!(read(&[bytes.as_slice(), &[0]].concat()).is_err());
    let mut outside = bytes.clone();
    let last = bytes.len() - G1_BYTES;
    outside[last..].copy_from_slice(&crate::curve::outsider().bytes());
    assert_eq!(read(&outside).unwrap_err(), FormatError::Field { what: "member key", field: "point" });
    for (place, field) in [(0, "format"), (1, "number of uses")] {
        let mut damaged = bytes.clone();
        damaged[place] = 77;
        assert!(read(&damaged).unwrap_err().to_string().contains(field));
    }
    assert!(PublicKey::from_bytes(&public.as_bytes()[1..]).is_err());
}

#[test]
fn the_rights_mode_asks_for_both() {
    let world = World::new();
    let text = policy("A and (B or C)");
    let rights = rights_of(&text).unwrap();
    assert_eq!(rights.iter().map(ToString::to_string).collect::<Vec<_>>(), ["A and B", "A and C"]);
    let keys = RightKeys::of(&world.master, &rights);
    let prepared = world.master.public().prepare(&text).unwrap();
    let (header, key) = prepared.encapsulate_with_rights(&world.ambient, &keys, b"context").unwrap();
    let header = Header::parse(&header.to_bytes()).unwrap();
    assert_eq!(header.suite(), Suite::PairingAndRights);
    let open = |names: &[&str], secrets: &RightSecrets, header: &Header| {
        world.master.public().decapsulate(&world.member(names), secrets, header, b"context")
    };
    let secrets = |names: &[&str]| world.master.rights_for(&set(names), &rights);
    for names in [["A", "B"], ["A", "C"]] {
        let secrets = RightSecrets::from_bytes(&secrets(&names).to_bytes()).unwrap();
        assert!(open(&names, &secrets, &header).unwrap().same_as(&key));
    }
    assert_eq!(secrets(&["A", "D"]).rights().count(), 0);
    assert_eq!(refused(open(&["A", "B"], &RightSecrets::none(), &header)), DecapsulateError::NotSatisfied);
    assert_eq!(refused(open(&["A"], &secrets(&["A", "B"]), &header)), DecapsulateError::NotSatisfied);
    // taking the rights away, or another's part
    let mut stripped = header.clone();
    (stripped.suite, stripped.rights) = (Suite::Pairing, Vec::new());
    assert_eq!(refused(open(&["A", "B"], &secrets(&["A", "B"]), &stripped)), DecapsulateError::Rejected);
    for place in [0, 1100, 1120, 1151, 1152, 2303] {
        let mut forged = header.clone();
        forged.rights[place] ^= 1;
        assert_eq!(refused(open(&["A", "B"], &secrets(&["A", "B"]), &forged)), DecapsulateError::Rejected);
    }
}

#[test]
fn a_right_without_a_key_stops_encryption() {
    let world = World::new();
    let text = policy("A or B");
    let keys = RightKeys::of(&world.master, &rights_of(&policy("A")).unwrap());
    let prepared = world.master.public().prepare(&text).unwrap();
    let refused = prepared.encapsulate_with_rights(&world.ambient, &keys, b"").map(|_| "a key");
    let right = Right::new(set(&["B"]));
    assert_eq!(refused, Err(EncapsulateError::UnknownRight { right }));
    let mut read = RightKeys::default();
    for (right, bytes) in keys.iter() {
        assert_eq!(bytes.len(), RIGHT_KEY_BYTES);
        read.insert(right.clone(), &bytes).unwrap();
        assert!(read.insert(right.clone(), &bytes[1..]).is_err());
    }
    assert!(read == keys);
}

#[test]
fn rights_are_the_smallest_conjunctions_and_bounded() {
    let names = |text: &str| -> Vec<String> {
        rights_of(&policy(text)).unwrap().iter().map(ToString::to_string).collect()
    };
    assert_eq!(names("2 of (A, B, C)"), ["A and B", "A and C", "B and C"]);
    assert_eq!(names("2 of (A, A and B, C)"), ["A and B", "A and C"]);
    assert_eq!(names("(A or B) and (A or C)"), ["A", "B and C"]);
    let all: Vec<String> = (0..MAX_LEAVES).map(|at| format!("A{at}")).collect();
    assert_eq!(rights_of(&policy(&all.join(" and "))).unwrap().len(), 1);
    assert_eq!(rights_of(&policy(&all[..MAX_RIGHTS].join(" or "))).unwrap().len(), MAX_RIGHTS);
    assert_eq!(rights_of(&policy(&all.join(" or "))), Err(RightsError));
    let pairs: Vec<String> = (0..12).map(|at| format!("(A{at} or B{at})")).collect();
    assert_eq!(rights_of(&policy(&pairs.join(" and "))), Err(RightsError));
    // a stranger's policy costs no more than the allowance
    assert_eq!(rights_of(&policy(&format!("255 of ({})", all.join(", ")))), Err(RightsError));
    assert_eq!(rights_of(&policy(&format!("128 of ({})", all.join(", ")))), Err(RightsError));
    let most = rights_of(&policy(&format!("63 of ({})", all[..64].join(", ")))).unwrap();
    assert!(most.len() == 64 && most.iter().all(|right| right.attributes().len() == 63));
    let many: Vec<String> = (0..20).map(|at| format!("A{at}")).collect();
    assert_eq!(rights_of(&policy(&format!("10 of ({})", many.join(", ")))), Err(RightsError));
}

#[test]
fn headers_of_any_length_are_read_or_refused() {
    let world = World::new();
    let (header, _) = world.seal("A and B");
    let bytes = header.to_bytes();
    for end in 0..bytes.len() {
        assert!(Header::parse(&bytes[..end]).is_err(), "{end}");
    }
    assert!(Header::parse(&[bytes.as_slice(), &[0]].concat()).is_err());
    assert!(Header::parse(&vec![1; MAX_HEADER_BYTES + 1]).is_err());
    // another text for the same policy
    let mut forged = bytes.clone();
    let at = bytes.windows(7).position(|window| window == b"A and B").unwrap();
    forged[at..at + 7].copy_from_slice(b"B and A");
    assert_eq!(Header::parse(&forged), Err(FormatError::Field { what: "header", field: "policy" }));
}
