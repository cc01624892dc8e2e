use super::*;
use crate::{Judgement, Progress};
use proptest::prelude::*;
use std::collections::BTreeSet;
use std::sync::Arc;
use strongroom_ambient::{FakeClock, SeededEntropy, UnixMillis};

fn seeded(seed: u64) -> Ambient {
    Ambient { clock: Arc::new(FakeClock::at(UnixMillis(0))), entropy: Arc::new(SeededEntropy::new(seed)) }
}

fn root() -> RootKey {
    RootKey::filled(|bytes| *bytes = [0xa5; 32])
}

fn set(keys: u8, threshold: u8, seed: u64) -> (UnlockSet, Vec<UnlockKey>) {
    UnlockSet::generate(&seeded(seed), &root(), 7, keys, threshold).unwrap()
}

fn is_root(judgement: &Judgement) -> bool {
    matches!(judgement, Judgement::Complete(opened) if opened.same_as(&root()))
}

#[test]
fn impossible_sets_are_refused() {
    let refused = |keys, threshold| UnlockSet::generate(&seeded(1), &root(), 1, keys, threshold).unwrap_err();
    assert_eq!(refused(0, 0), SetError::NoKeys);
    assert_eq!(refused(0, 1), SetError::NoKeys);
    assert_eq!(refused(1, 2), SetError::Threshold { threshold: 2, keys: 1 });
    assert_eq!(refused(5, 0), SetError::Threshold { threshold: 0, keys: 5 });
    assert_eq!(refused(5, 6), SetError::Threshold { threshold: 6, keys: 5 });
}

#[test]
fn with_threshold_one_each_key_unlocks_by_itself() {
    let (set, keys) = set(255, 1, 2);
    assert_eq!(set.indices().collect::<Vec<_>>(), (1..=255).collect::<Vec<_>>());
    for key in &keys {
        assert!(is_root(&Progress::new(&set).present(&set, key)), "{}", key.index());
    }
}

#[test]
fn the_largest_threshold_takes_every_key() {
    let (set, keys) = set(255, 255, 2);
    let mut progress = Progress::new(&set);
    let (last, others) = keys.split_last().unwrap();
    for (before, key) in others.iter().enumerate() {
        let Judgement::Accepted { have, need: 255 } = progress.present(&set, key) else {
            panic!("not accepted")
        };
        assert_eq!(usize::from(have), before + 1);
    }
    assert!(is_root(&progress.present(&set, last)));
}

#[test]
fn a_wrong_key_is_told_apart() {
    for threshold in [1, 3] {
        let (set, keys) = set(5, threshold, 3);
        let altered = UnlockKey::new(set.id(), 2, SecretArray::filled(|bytes| *bytes = [1; 32]));
        let swapped =
            UnlockKey::new(set.id(), 2, keys[0].secret().expose(|bytes| SecretArray::copied(bytes)).unwrap());
        let unmade = UnlockKey::new(set.id(), 6, SecretArray::filled(|_| ()));
        for wrong in [altered, swapped, unmade] {
            assert!(matches!(Progress::new(&set).present(&set, &wrong), Judgement::Wrong));
        }
    }
}

#[test]
fn a_key_of_another_set_is_told_apart() {
    let (ours, _) = set(5, 3, 4);
    let (_, theirs) = set(5, 3, 5);
    assert!(matches!(Progress::new(&ours).present(&ours, &theirs[0]), Judgement::OtherSet));
}

#[test]
fn a_bad_key_leaves_the_progress_as_it_was() {
    let (ours, keys) = set(5, 3, 4);
    let (_, theirs) = set(5, 3, 5);
    let wrong = UnlockKey::new(ours.id(), 4, SecretArray::filled(|_| ()));
    let mut progress = Progress::new(&ours);
    assert!(matches!(progress.present(&ours, &keys[0]), Judgement::Accepted { have: 1, need: 3 }));
    assert!(matches!(progress.present(&ours, &wrong), Judgement::Wrong));
    assert!(matches!(progress.present(&ours, &theirs[1]), Judgement::OtherSet));
    assert!(matches!(progress.present(&ours, &keys[0]), Judgement::Repeated { have: 1, need: 3 }));
    assert!(matches!(progress.present(&ours, &keys[3]), Judgement::Accepted { have: 2, need: 3 }));
    assert!(is_root(&progress.present(&ours, &keys[2])));
    assert_eq!(progress.have(), 0);
}

#[test]
fn progress_of_a_set_that_was_replaced_is_dropped() {
    let (old, old_keys) = set(5, 2, 4);
    let (new, new_keys) = set(5, 3, 5);
    let mut progress = Progress::new(&old);
    assert!(matches!(progress.present(&old, &old_keys[0]), Judgement::Accepted { have: 1, need: 2 }));
    assert!(matches!(progress.present(&new, &old_keys[1]), Judgement::OtherSet));
    assert!(matches!(progress.present(&new, &new_keys[0]), Judgement::Accepted { have: 1, need: 3 }));
    assert!(matches!(progress.present(&new, &new_keys[1]), Judgement::Accepted { have: 2, need: 3 }));
    assert!(is_root(&progress.present(&new, &new_keys[2])));
}

#[test]
fn a_revoked_key_opens_nothing_and_the_others_still_do() {
    let (mut set, keys) = set(3, 1, 6);
    set.revoke(2).unwrap();
    assert_eq!((set.key_count(), set.indices().collect::<Vec<_>>()), (2, vec![1, 3]));
    let mut progress = Progress::new(&set);
    assert!(matches!(progress.present(&set, &keys[1]), Judgement::Wrong));
    assert!(is_root(&progress.present(&set, &keys[0])));
    assert!(is_root(&progress.present(&set, &keys[2])));
    assert_eq!(set.revoke(2), Err(RevokeError::UnknownKey { index: 2 }));
}

#[test]
fn the_last_key_and_a_share_cannot_be_revoked() {
    let (mut single, keys) = set(2, 1, 6);
    single.revoke(1).unwrap();
    assert_eq!(single.revoke(2), Err(RevokeError::LastKey));
    assert!(is_root(&Progress::new(&single).present(&single, &keys[1])));
    let (mut shared, _) = set(3, 2, 6);
    assert_eq!(shared.revoke(1), Err(RevokeError::Shared));
    assert_eq!(shared.key_count(), 3);
}

/// What binds a wrapping: set id, index, threshold, root generation.
#[test]
fn a_wrapping_moved_elsewhere_is_damaged() {
    let judge = |alter: fn(&mut UnlockSet)| {
        let (mut set, keys) = set(3, 1, 8);
        alter(&mut set);
        Progress::new(&set).present(&set, &keys[0])
    };
    assert!(is_root(&judge(|_| ())));
    assert!(matches!(judge(|set| set.root_generation += 1), Judgement::Damaged));
    assert!(matches!(judge(|set| set.keys[0].wrapping = set.keys[1].wrapping), Judgement::Damaged));
    assert!(matches!(judge(|set| set.keys[0].wrapping = None), Judgement::Damaged));
}

#[test]
fn a_damaged_shared_wrapping_is_told_and_empties_the_progress() {
    let (mut set, keys) = set(3, 2, 8);
    set.shared.as_mut().unwrap()[20] ^= 1;
    let mut progress = Progress::new(&set);
    assert!(matches!(progress.present(&set, &keys[0]), Judgement::Accepted { have: 1, need: 2 }));
    assert!(matches!(progress.present(&set, &keys[1]), Judgement::Damaged));
    assert_eq!(progress.have(), 0);
}

/// The share of a key is not what the server keeps, and no two purposes of a key share bytes.
#[test]
fn nothing_kept_repeats_a_secret() {
    for threshold in [1, 2] {
        let (set, keys) = set(2, threshold, 9);
        let mut kept = Vec::new();
        set.encode_into(&mut kept);
        let holds =
            |secret: &[u8]| kept.windows(8).any(|window| secret.windows(8).any(|part| part == window));
        assert!(!root().expose(|bytes| holds(bytes)));
        assert!(keys.iter().all(|key| !key.secret().expose(|bytes| holds(bytes))));
    }
}

/// One step of a replayable log.
#[derive(Debug, Clone, Copy)]
enum Step {
    Ours(u8),
    Wrong(u8),
    Foreign(u8),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let index = || 1..=7_u8;
    let step = prop_oneof![
        4 => index().prop_map(Step::Ours),
        1 => index().prop_map(Step::Wrong),
        1 => index().prop_map(Step::Foreign),
    ];
    proptest::collection::vec(step, 0..40)
}

/// Whether the key was new, how many there are, how many are needed.
fn counts(judged: &Judgement) -> Option<(bool, usize, u8)> {
    match judged {
        Judgement::Accepted { have, need } => Some((true, usize::from(*have), *need)),
        Judgement::Repeated { have, need } => Some((false, usize::from(*have), *need)),
        _ => None,
    }
}

proptest! {
    /// Against a model: a set of the indices accepted so far.
    #[test]
    fn any_sequence_of_keys_is_judged_as_the_model_says(
        (count, threshold) in (1..=7_u8).prop_flat_map(|count| (Just(count), 1..=count)),
        steps in steps(),
        seed in any::<u64>(),
    ) {
        let (ours, keys) = set(count, threshold, seed);
        let (_, foreign) = set(7, threshold, seed ^ 1);
        let mut progress = Progress::new(&ours);
        let mut accepted = BTreeSet::new();
        for step in steps {
            let known = |index: u8| keys.get(usize::from(index) - 1);
            match step {
                Step::Foreign(index) => {
                    let judged = progress.present(&ours, &foreign[usize::from(index) - 1]);
                    prop_assert!(matches!(judged, Judgement::OtherSet), "{judged:?}");
                }
                Step::Ours(index) if known(index).is_some() => {
                    let judged = progress.present(&ours, known(index).unwrap());
                    let fresh = accepted.insert(index);
                    if accepted.len() == usize::from(threshold) {
                        prop_assert!(is_root(&judged), "{judged:?}");
                        accepted.clear();
                    } else {
                        prop_assert_eq!(counts(&judged), Some((fresh, accepted.len(), threshold)));
                    }
                }
                Step::Ours(index) | Step::Wrong(index) => {
                    let wrong = UnlockKey::new(ours.id(), index, SecretArray::filled(|_| ()));
                    let judged = progress.present(&ours, &wrong);
                    prop_assert!(matches!(judged, Judgement::Wrong), "{judged:?}");
                }
            }
            prop_assert_eq!(usize::from(progress.have()), accepted.len());
        }
    }
}
