//! The slow look at everything that is stored finds what no reader has come across yet.

use strongroom_gate::Server;
use strongroom_operator::DeepCheck;
use strongroom_store::Row;
use strongroom_testkit::{TestWorld, copy_of};

async fn world() -> TestWorld {
    let world = TestWorld::unlocked().await;
    world.create_store("web").await.unwrap();
    for name in ["a", "b", "c"] {
        world.put("web", name, "1").await.unwrap();
    }
    world
}

/// What is wrong with a world whose rows were altered below it.
async fn wrong(world: &TestWorld, alter: impl FnMut(Row) -> Option<Row>) -> Vec<String> {
    let altered = world.reopen_over(copy_of(&world.store(), u64::MAX, alter).await);
    altered.unlock().await.unwrap();
    let caller = altered.root_caller().await.unwrap();
    let permit = altered.gate.admit::<DeepCheck>(&caller, Server).await.unwrap();
    let report = altered.gate.release(altered.operator.deep_check(permit).await.unwrap()).await.unwrap();
    assert!(report.records > 5, "{report:?}");
    report.wrong
}

#[tokio::test]
async fn what_is_whole_has_no_findings() {
    assert_eq!(wrong(&world().await, Some).await, Vec::<String>::new());
}

#[tokio::test]
async fn a_flipped_bit_in_a_version_is_found_with_its_place_and_no_name() {
    let world = world().await;
    let mut first = true;
    let found = wrong(&world, |mut row| {
        if row.key.as_bytes()[0] == 0x05 && std::mem::take(&mut first) {
            *row.value.last_mut().unwrap() ^= 1;
        }
        Some(row)
    });
    let found = found.await;
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(found[0].starts_with("row 05") && found[0].ends_with("does not open"), "{found:?}");
}
