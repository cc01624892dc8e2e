//! kill -9 at any moment: nothing acknowledged is lost, nothing is there by half.

use crate::{child, verify};
use strongroom_store::Store;

const ROUNDS: usize = 24;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_at_any_moment_it_keeps_what_it_acknowledged() {
    let dir = tempfile::tempdir().unwrap();
    let mut acknowledged = Vec::new();
    let mut dice = 0x2545_f491_4f6c_dd1d_u64;
    for round in 0..ROUNDS {
        dice = dice.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let (mut child, mut lines) = child::start("endless", dir.path(), &format!("r{round}"));
        acknowledged.extend(child::read_acks(&mut lines, usize::try_from(dice >> 56).unwrap() + 1));
        child.kill().unwrap();
        // what it said before it died counts
        acknowledged.extend(child::read_acks(&mut lines, usize::MAX));
        child.wait().unwrap();
        // every third time the next child finds the log as the dead one left it
        if round % 3 != 0 {
            drop(verify(dir.path(), &acknowledged).await);
        }
    }
    let store = verify(dir.path(), &acknowledged).await;
    assert!(acknowledged.len() > ROUNDS);
    store.close().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_while_it_is_made_it_is_made_anew() {
    for _ in 0..8 {
        let dir = tempfile::tempdir().unwrap();
        let (mut child, _lines) = child::start("endless", dir.path(), "new");
        while !dir.path().join("strongroom.db.new").exists() && !dir.path().join("strongroom.db").exists() {
            std::thread::yield_now();
        }
        child.kill().unwrap();
        child.wait().unwrap();
        verify(dir.path(), &[]).await.close().await.unwrap();
    }
}
