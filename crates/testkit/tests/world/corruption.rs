//! A flipped bit in any stored row is without effect or told with its place, never a wrong or an absent answer.

use std::collections::BTreeMap;
use strongroom_gate::Denied;
use strongroom_gate::{BarrierError, CommitError};
use strongroom_identity::IdentityError;
use strongroom_operator::OperatorError;
use strongroom_secrets::SecretsError;
use strongroom_store::{Range, RowKey};
use strongroom_testkit::{TestWorld, WorldError, copy_of};

async fn world() -> TestWorld {
    let world = TestWorld::unlocked().await;
    world.create_store("web").await.expect("a store");
    world.put("web", "a", "1").await.expect("a secret");
    world.put("web", "a", "2").await.expect("a version");
    world.put("web", "b", "3").await.expect("a secret");
    world.root_caller().await.expect("a token");
    world.checkpoint().await.expect("a checkpoint");
    world
}

/// Whether it is told as damage, with a place.
fn is_damage(fault: &WorldError) -> bool {
    let barrier =
        |fault: &BarrierError| matches!(fault, BarrierError::Corrupt { place } if !place.is_empty());
    match fault {
        WorldError::Denied(Denied::Corrupt { place }) => !place.is_empty(),
        WorldError::Operator(OperatorError::Barrier(fault))
        | WorldError::Identity(IdentityError::Barrier(fault))
        | WorldError::Secrets(SecretsError::Barrier(fault)) => barrier(fault),
        // the root record tells the byte; a commit has only one face for damage
        WorldError::Operator(OperatorError::Record(_))
        | WorldError::Secrets(SecretsError::Commit(CommitError::Corrupt)) => true,
        _ => false,
    }
}

/// Does everything; gives the first damage that is told.
async fn exercise(world: &TestWorld) -> Result<(), WorldError> {
    world.unlock().await?;
    assert!(world.gate.is_unlocked(), "neither unlocked nor refused");
    // whoever has a token finds damage under it; a fresh one is got by the key
    let token = world.token().expect("a token");
    let mut caller = world.stranger();
    world.identity.authenticate(&mut caller, &token).await?;
    world.authorize(None).await?;
    assert_eq!(world.stores().await?, ["web"]);
    assert_eq!(world.list("web").await?, ["a", "b"]);
    assert_eq!(world.read_store("web").await?.secrets, 2);
    assert_eq!(world.keysets().await?.len(), 1);
    assert!(world.unlock_keys().await?[0].made.is_some());
    let versions = world.metadata("web", "a").await?.expect("a secret").versions;
    assert_eq!(versions.iter().map(|version| version.version).collect::<Vec<_>>(), [2, 1]);
    assert_eq!(world.get("web", "a").await?.as_deref(), Some("2"));
    assert_eq!(world.get_bytes("web", "a", Some(1)).await?.expect("a version").2, b"1");
    assert_eq!(world.get("web", "b").await?.as_deref(), Some("3"));
    assert_eq!(world.get("web", "c").await?, None);
    assert_eq!(world.put("web", "a", "4").await?, 3);
    assert_eq!(world.put("web", "c", "5").await?, 1);
    assert_eq!(world.get("web", "a").await?.as_deref(), Some("4"));
    let report = world.verify(None).await?;
    match report.bad {
        None => Ok(()),
        Some((seq, fault)) => {
            Err(WorldError::Denied(Denied::Corrupt { place: format!("entry {seq}: {fault}") }))
        }
    }
}

#[tokio::test]
async fn undamaged_nothing_is_told() {
    let world = world().await;
    let copy = copy_of(&world.store(), u64::MAX, Some).await;
    exercise(&world.reopen_over(copy)).await.unwrap();
}

#[tokio::test]
async fn a_flipped_bit_in_any_row_is_told_or_without_effect() {
    let world = world().await;
    let rows = world.store().list(Range::prefix(Vec::new(), 1_000)).await.unwrap();
    let mut tables = BTreeMap::<u8, (usize, usize)>::new();
    for (at, row) in rows.iter().enumerate() {
        // every byte once, and a different bit in each
        for byte in 0..row.value.len() {
            let below = world.store();
            let flip = |mut found: strongroom_store::Row| {
                if found.key == row.key {
                    found.value[byte] ^= 1 << ((at + byte) % 8);
                }
                Some(found)
            };
            let damaged = world.reopen_over(copy_of(&below, u64::MAX, flip).await);
            let told = tables.entry(row.key.as_bytes()[0]).or_default();
            match exercise(&damaged).await {
                Ok(()) => told.1 += 1,
                Err(fault) => {
                    assert!(is_damage(&fault), "row {:?} byte {byte}: {fault}", row.key);
                    told.0 += 1;
                }
            }
        }
    }
    let silent: Vec<_> =
        tables.iter().filter(|(table, (_, silent))| **table != 0x10 && *silent > 0).collect();
    assert!(silent.is_empty(), "without effect where everything is exercised: {silent:?} of {tables:?}");
    assert!(tables.len() >= 10, "{tables:?}");
}

#[tokio::test]
async fn a_row_that_is_gone_is_told() {
    let world = world().await;
    let rows = world.store().list(Range::prefix(Vec::new(), 1_000)).await.unwrap();
    for row in &rows {
        let table = row.key.as_bytes()[0];
        // Without its row the server is not initialised, an access key is unknown, a token is no token, and a
        // checkpoint was never signed: only what is kept elsewhere tells of these. The authorisation revision is begun
        // anew: it orders changes among themselves, and says nothing else.
        if matches!(table, 0x01 | 0x0a | 0x0b | 0x0d | 0x10) {
            continue;
        }
        // a secret that lost its newest version is an older secret: a rollback, found against an outside anchor
        if table == 0x05 && row.key.as_bytes().ends_with(&[2]) {
            continue;
        }
        let below = world.store();
        let lost = |found: strongroom_store::Row| (found.key != row.key).then_some(found);
        let damaged = world.reopen_over(copy_of(&below, u64::MAX, lost).await);
        let outcome = told(exercise(&damaged)).await;
        assert!(outcome, "row {:?} of table {table:#x} is gone and nothing tells", row.key);
    }
}

/// Whether it ends in damage told; an assertion about an answer that fails is a wrong or absent answer.
async fn told(exercise: impl Future<Output = Result<(), WorldError>>) -> bool {
    match exercise.await {
        Ok(()) => false,
        Err(fault) => is_damage(&fault),
    }
}

#[tokio::test]
async fn two_rows_that_changed_places_are_told() {
    let world = world().await;
    let rows = world.store().list(Range::prefix(Vec::new(), 1_000)).await.unwrap();
    for table in [0x03_u8, 0x04, 0x05, 0x08] {
        let alike: Vec<_> = rows.iter().filter(|row| row.key.as_bytes()[0] == table).collect();
        let (one, two) = (alike[0], alike[1]);
        let swap = |mut found: strongroom_store::Row| {
            let other: Option<&RowKey> = match &found.key {
                key if *key == one.key => Some(&two.key),
                key if *key == two.key => Some(&one.key),
                _ => None,
            };
            if let Some(other) = other {
                found.key = other.clone();
            }
            Some(found)
        };
        let below = world.store();
        let damaged = world.reopen_over(copy_of(&below, u64::MAX, swap).await);
        assert!(told(exercise(&damaged)).await, "table {table:#x}");
    }
}
