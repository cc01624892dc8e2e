//! What lasts: over restarts, damage, backups, rotations of keys.

use crate::house::{House, PASSWORD, text};
use strongroom_attributes::{AuthorityError, Sharing};
use strongroom_gate::{BarrierError, Denied};
use strongroom_store::{Change, Range, Txn};

/// All rows of the authority.
async fn rows(house: &House) -> Vec<strongroom_store::Row> {
    house.world.store().list(Range::prefix(vec![0x18], 1_000)).await.unwrap()
}

async fn write(house: &House, change: Change) {
    let store = house.world.store();
    let slot = store.reserve().unwrap();
    let txn = Txn { changes: vec![change], ..Txn::default() };
    store.commit(slot, txn).await.unwrap();
}

#[tokio::test]
async fn the_authority_is_the_same_after_a_restart() {
    let house = House::new().await;
    let ann = house.member("ann", &["A"], 1).await;
    let before = (house.abe().await.as_bytes().to_vec(), house.manifest().await);
    let bundle = house.keys(&ann, None, 1).await.unwrap();
    let house = house.restarted().await;
    let after = (house.abe().await.as_bytes().to_vec(), house.manifest().await);
    assert_eq!(before.0, after.0);
    assert_eq!((before.1.token_keys, before.1.members), (after.1.token_keys, after.1.members));
    assert!(house.opens(&bundle, "A", 1).await);
}

#[tokio::test]
async fn a_damaged_or_missing_authority_is_an_error_and_never_a_new_one() {
    let house = House::new().await;
    house.member("ann", &["A"], 1).await;
    let kept = rows(&house).await;
    let mut house = house;
    for row in &kept {
        let mut damaged = row.value.clone();
        *damaged.last_mut().unwrap() ^= 1;
        write(&house, Change::Put(row.key.clone(), damaged.clone())).await;
        house = house.restarted().await;
        let refused = house.login("boss", PASSWORD).await;
        assert!(matches!(refused, Err(AuthorityError::Denied(Denied::Corrupt { .. }))), "{refused:?}");
        assert!(matches!(
            house.attributes.upkeep().await,
            Err(AuthorityError::Barrier(BarrierError::Corrupt { .. }))
        ));
        let found = house.world.store().get(&row.key).await.unwrap().unwrap();
        assert_eq!(found.value, damaged, "nothing was put in its place");
        write(&house, Change::Put(row.key.clone(), row.value.clone())).await;
    }
    house = house.restarted().await;
    house.login("boss", PASSWORD).await.unwrap();
    // a row that is gone: the keys or the authority itself are missed; nothing is made anew
    let mut missed = 0;
    for row in &kept {
        write(&house, Change::Delete(row.key.clone())).await;
        house = house.restarted().await;
        let permit = house.permit(&house.world.stranger(), Sharing::whole()).await;
        let outcome: Result<_, AuthorityError> = match permit {
            Ok(permit) => house.attributes.manifest(permit).await.map(drop),
            Err(fault) => Err(fault),
        };
        missed += usize::from(outcome.is_err());
        assert!(house.world.store().get(&row.key).await.unwrap().is_none());
        write(&house, Change::Put(row.key.clone(), row.value.clone())).await;
        house = house.restarted().await;
    }
    assert_eq!(missed, 2);
}

#[tokio::test]
async fn a_restored_authority_begins_a_later_epoch_and_its_tokens_are_void() {
    let house = House::new().await;
    house.member("ann", &["A"], 1).await;
    let token = house.login("ann", PASSWORD).await.unwrap();
    let backup = house.world.backup().await.unwrap();
    house.suspend("ann").await;
    let epoch = house.manifest().await.epoch;
    let restored = House::over(house.world.restored(&backup).unwrap());
    restored.world.unlock().await.unwrap();
    assert!(matches!(restored.bearer(&token).await, Err(AuthorityError::Unauthenticated)));
    let manifest = restored.manifest().await;
    assert!(manifest.epoch > epoch, "{} {epoch}", manifest.epoch);
    assert!(manifest.revoked.is_empty(), "as it was then");
    let token = restored.login("ann", PASSWORD).await.unwrap();
    let ann = restored.bearer(&token).await.unwrap();
    let bundle = restored.keys(&ann, Some("1-5000"), 1).await.unwrap();
    assert_eq!(bundle.epochs.keys().copied().collect::<Vec<_>>(), [1, manifest.epoch], "none between");
}

#[tokio::test]
async fn a_rotation_of_keys_takes_the_authority_along() {
    let mut house = House::new().await;
    let ann = house.member("ann", &["A"], 1).await;
    let bundle = house.keys(&ann, None, 1).await.unwrap();
    assert_eq!(house.world.terms_in(&[0x18]).await, [(1, rows(&house).await.len())].into());
    let new = house.world.rotate_root(&house.world.keys, None, None).await.unwrap();
    let keys: Vec<String> = new.keys.iter().map(text).collect();
    house.world.rotate_all(&keys).await.unwrap();
    house.login("ann", PASSWORD).await.unwrap();
    house.world.operator.finish_jobs().await.unwrap();
    assert_eq!(house.world.terms_in(&[0x18]).await, [(2, rows(&house).await.len())].into());
    house.world.keep_keys(new);
    let house = house.restarted().await;
    assert!(house.opens(&bundle, "A", 1).await);
    house.login("ann", PASSWORD).await.unwrap();
}

#[tokio::test]
async fn nothing_of_the_authority_lies_in_the_store_in_clear() {
    let house = House::new().await;
    house.member("annotated", &["RAREATTRIBUTE"], 1).await;
    for row in rows(&house).await {
        let text = String::from_utf8_lossy(&row.value).into_owned();
        assert!(!text.contains("annotated") && !text.contains("RAREATTRIBUTE") && !text.contains("argon2"));
    }
}
