//! Proofs of what a collector put into an epoch.

use proptest::prelude::*;

use super::*;

fn token(number: u16) -> Token {
    Token(u128::from(number).to_be_bytes())
}

/// A tree over tokens of these numbers: each has as many records as its number's last digit and one.
fn tree(numbers: impl IntoIterator<Item = u16>) -> ProofTree {
    let mut builder = ProofBuilder::new();
    let numbers: Vec<u16> = numbers.into_iter().collect();
    for sequence in 1..=10 {
        let own = numbers.iter().filter(|number| u64::from(**number % 10) < sequence);
        builder.add(sequence, &[u8::try_from(sequence).unwrap(); 32], own.map(|number| token(*number)));
    }
    builder.finish()
}

#[test]
fn presence_and_absence_are_proven_in_trees_of_every_shape() {
    for size in 0..40_u16 {
        let tree = tree((0..size).map(|number| number * 2 + 1));
        let (root, leaves) = (tree.root(), u64::from(size));
        for number in 0..=size * 2 {
            let path = ProofPath::parse(&tree.path(&token(number)).to_bytes()).unwrap();
            let proof = path.verify(&token(number), &root, leaves).unwrap();
            match proof {
                Proof::Present(tally) => {
                    assert_eq!(number % 2, 1);
                    assert_eq!(tally.count, 10 - u64::from(number % 10));
                }
                Proof::Absent => assert_eq!(number % 2, 0),
            }
            for other in 0..=size * 2 {
                let proof = path.verify(&token(other), &root, leaves);
                let truth = tree.path(&token(other)).verify(&token(other), &root, leaves);
                assert!(proof.is_err() || proof == truth, "{number} proves something false of {other}");
            }
        }
    }
}

#[test]
fn a_tally_is_of_the_records_in_their_order_however_they_were_found() {
    let tree = tree([7]);
    let found = vec![(10, [10; 32]), (8, [8; 32]), (9, [9; 32]), (8, [8; 32])];
    assert_eq!(tree.leaves()[0].tally, Tally::of(found));
    assert_ne!(tree.leaves()[0].tally, Tally::of(vec![(10, [10; 32]), (8, [8; 32])]), "one is withheld");
    assert_ne!(tree.leaves()[0].tally, Tally::of(vec![(10, [10; 32]), (8, [8; 32]), (9, [0; 32])]));
}

#[test]
fn a_path_of_another_tree_or_size_proves_nothing() {
    let (one, other) = (tree([1, 3, 5]), tree([1, 3, 5, 7]));
    let path = one.path(&token(3));
    assert_eq!(path.verify(&token(3), &other.root(), 4), Err(ProofError::Root));
    assert_eq!(path.verify(&token(3), &one.root(), 0), Err(ProofError::Root));
    let empty = tree([]).path(&token(3));
    assert_eq!(empty.verify(&token(3), &tree([]).root(), 0), Ok(Proof::Absent));
    assert_eq!(
        empty.verify(&token(3), &one.root(), 3),
        Err(ProofError::Token),
        "nothing is no proof of absence"
    );
    assert_eq!(empty.verify(&token(3), &one.root(), 0), Err(ProofError::Token));
}

#[test]
fn absence_needs_neighbours() {
    let tree = tree([1, 3, 5, 7]);
    // the path of 4 has 3 and 5; one of 2 has 1 and 3: neither says anything of 6
    for number in [2, 4] {
        let path = tree.path(&token(number));
        assert_eq!(path.verify(&token(6), &tree.root(), 4), Err(ProofError::Token));
    }
    // neighbours that are none: the bytes of 2's left and 4's right
    let (left, right) = (tree.path(&token(2)).to_bytes(), tree.path(&token(4)).to_bytes());
    let half = (left.len() - 2) / 2;
    let forged = [&left[..2 + half], &right[2 + half..]].concat();
    let forged = ProofPath::parse(&forged).unwrap();
    assert_eq!(forged.verify(&token(3), &tree.root(), 4), Err(ProofError::Token));
}

#[test]
fn trees_and_paths_have_one_encoding() {
    let tree = tree([1, 3, 5]);
    let bytes = tree.to_bytes();
    let again = ProofTree::parse(&bytes).unwrap();
    assert_eq!((again.root(), again.to_bytes()), (tree.root(), bytes.clone()));
    for cut in 0..bytes.len() {
        assert!(ProofTree::parse(&bytes[..cut]).is_err());
    }
    let mut huge = bytes.clone();
    huge[1] = 0xff;
    assert!(ProofTree::parse(&huge).is_err(), "a count beyond what is there allocates nothing");
    let mut leaves = tree.leaves().to_vec();
    leaves.swap(0, 1);
    assert!(ProofTree::new(leaves).is_err());
    let path = tree.path(&token(3)).to_bytes();
    for cut in 0..path.len() {
        assert!(ProofPath::parse(&path[..cut]).is_err());
    }
    assert!(ProofPath::parse(&vec![1; MAX_PATH_BYTES + 1]).is_err());
}

proptest! {
    #[test]
    fn a_changed_path_proves_nothing_false(
        numbers in prop::collection::btree_set(0..200_u16, 1..60),
        asked in 0..200_u16,
        at in any::<prop::sample::Index>(),
        bit in 0..8_u8,
    ) {
        let tree = tree(numbers.iter().copied());
        let leaves = u64::try_from(numbers.len()).unwrap();
        let honest = tree.path(&token(asked));
        let truth = honest.verify(&token(asked), &tree.root(), leaves).unwrap();
        prop_assert_eq!(matches!(truth, Proof::Present(_)), numbers.contains(&asked));
        let mut bytes = honest.to_bytes();
        let at = at.index(bytes.len());
        bytes[at] ^= 1 << bit;
        if let Ok(changed) = ProofPath::parse(&bytes) {
            let proof = changed.verify(&token(asked), &tree.root(), leaves);
            prop_assert!(proof.is_err() || proof == Ok(truth));
        }
    }
}
