//! The way out against exchanges that are down, deaf, behind a proxy, set back or hold something else.

use super::*;
use crate::keeper::refresh;
use crate::testing::{World, incoming};
use strongroom_member::fake::Response;

async fn filled(world: &World, count: usize) -> Arc<Pipeline> {
    let pipeline = world.pipeline();
    refresh(&pipeline).await.unwrap();
    more(&pipeline, count);
    pipeline
}

fn more(pipeline: &Pipeline, count: usize) {
    for n in 0..count {
        pipeline.accept(&[incoming(&format!(r#"{{"n":{n}}}"#))]).unwrap();
    }
}

#[tokio::test]
async fn what_an_exchange_or_its_proxy_refuses_is_kept_and_posted_later() {
    let world = World::new().await;
    let pipeline = filled(&world, 3).await;
    for (answer, wanted) in [
        (Response::of_proxy(401), "check basic_auth"),
        (Response::of_proxy(500), "status 500"),
        (Response::refused(503, "busy"), "busy"),
        (
            Response::json(201, &serde_json::json!({"accepted": 0, "repeated": 0, "refused": [], "next": 1})),
            "answered for 0 records, 3 were sent",
        ),
        (Response { cut: Some(4), ..Response::refused(500, "cut") }, "lost"),
    ] {
        world.exchange.lock().unwrap().instead.push(answer);
        let error = post_all(pipeline.clone()).await.unwrap_err().to_string();
        assert!(error.contains(wanted), "{error} / {wanted}");
        assert_eq!(pipeline.level().waiting, 3);
    }
    post_all(pipeline.clone()).await.unwrap();
    assert_eq!((pipeline.level().waiting, world.opened(&pipeline).await.len()), (0, 3));
}

#[tokio::test]
async fn an_answer_that_was_lost_doubles_nothing() {
    let world = World::new().await;
    let pipeline = filled(&world, 3).await;
    world.exchange.lock().unwrap().deaf = true;
    assert!(post_all(pipeline.clone()).await.is_err());
    world.exchange.lock().unwrap().deaf = false;
    post_all(pipeline.clone()).await.unwrap();
    assert_eq!(world.opened(&pipeline).await, ["n=0", "n=1", "n=2"]);
    assert!(world.exchange.lock().unwrap().repeated >= 3);
}

#[tokio::test]
async fn a_new_start_posts_only_what_is_missing() {
    let world = World::new().await;
    let pipeline = filled(&world, 3).await;
    post_all(pipeline.clone()).await.unwrap();
    drop(pipeline);
    let pipeline = filled(&world, 2).await;
    post_all(pipeline.clone()).await.unwrap();
    assert_eq!(world.opened(&pipeline).await.len(), 5);
    assert_eq!(world.exchange.lock().unwrap().repeated, 0);
}

#[tokio::test]
async fn an_exchange_that_was_set_back_gets_what_is_still_here_or_it_is_told() {
    let world = World::new().await;
    let pipeline = filled(&world, 5).await;
    post_all(pipeline.clone()).await.unwrap();
    // it was brought back from a copy that has two of five
    world.exchange.lock().unwrap().records.retain(|number, _| *number <= 2);
    more(&pipeline, 1);
    post_all(pipeline.clone()).await.unwrap();
    assert_eq!(world.opened(&pipeline).await.len(), 6);
    // and once more, when those are no longer here
    world.authority.known().epoch = 2;
    refresh(&pipeline).await.unwrap();
    more(&pipeline, 1);
    post_all(pipeline.clone()).await.unwrap();
    world.exchange.lock().unwrap().records.retain(|number, _| *number <= 2);
    more(&pipeline, 1);
    let error = post_all(pipeline.clone()).await.unwrap_err();
    assert!(matches!(error, PostError::SetBack { expected: 3 }), "{error}");
    assert_eq!(pipeline.level().waiting, 1);
}

#[tokio::test]
async fn another_record_of_the_same_number_holds_everything_up_so_that_nothing_is_lost() {
    let world = World::new().await;
    let pipeline = filled(&world, 1).await;
    post_all(pipeline.clone()).await.unwrap();
    let squatter = world.exchange.lock().unwrap().records[&1].clone();
    world.exchange.lock().unwrap().records.insert(2, squatter);
    more(&pipeline, 2);
    let error = post_all(pipeline.clone()).await.unwrap_err();
    assert!(matches!(&error, PostError::Refused { record: 2, error, .. } if error == "conflict"), "{error}");
    assert_eq!(pipeline.level().waiting, 2);
}

#[tokio::test]
async fn a_spool_that_was_lost_is_gone_on_with_behind_what_the_exchange_has() {
    let world = World::new().await;
    let pipeline = filled(&world, 3).await;
    post_all(pipeline.clone()).await.unwrap();
    drop(pipeline);
    std::fs::remove_dir_all(&world.config.spool.folder).unwrap();
    // while the exchange does not answer, nothing is numbered
    world.exchange.lock().unwrap().instead.push(Response::of_proxy(502));
    let pipeline = world.pipeline();
    assert!(refresh(&pipeline).await.is_err());
    more(&pipeline, 1);
    assert_eq!(pipeline.level().raw, 1);
    refresh(&pipeline).await.unwrap();
    more(&pipeline, 1);
    while pipeline.drain().unwrap() {}
    drop(pipeline);
    let pipeline = filled(&world, 1).await;
    post_all(pipeline.clone()).await.unwrap();
    assert_eq!(world.opened(&pipeline).await.len(), 6);
}

#[tokio::test]
async fn a_head_that_is_not_this_members_is_not_believed() {
    let world = World::new().await;
    let pipeline = filled(&world, 1).await;
    post_all(pipeline.clone()).await.unwrap();
    drop(pipeline);
    std::fs::remove_dir_all(&world.config.spool.folder).unwrap();
    for bytes in world.exchange.lock().unwrap().records.values_mut() {
        let last = bytes.len() - 1;
        bytes[last] ^= 1;
    }
    let error = refresh(&world.pipeline()).await.unwrap_err().to_string();
    assert!(error.contains("not this member's last record"), "{error}");
}

#[tokio::test]
async fn many_records_are_cut_into_bodies_that_the_exchange_takes() {
    let world = World::new().await;
    let pipeline = world.pipeline();
    refresh(&pipeline).await.unwrap();
    let large = format!(r#"{{"n":"{}"}}"#, "x".repeat(900_000));
    let group: Vec<_> = (0..10).map(|_| incoming(&large)).collect();
    assert!(pipeline.accept(&group).unwrap().iter().all(Result::is_ok));
    let mut scan = Scan::default();
    let (mut records, mut bodies) = (0, 0);
    while let Some(chunk) = scan.next(&pipeline.spool, MAX_INSERT_BYTES).unwrap() {
        let body = serde_json::to_vec(&chunk.insert()).unwrap();
        assert!(body.len() <= MAX_INSERT_BYTES, "{}", body.len());
        (records, bodies) = (records + chunk.records.len(), bodies + 1);
    }
    assert_eq!((records, bodies), (10, 2));
    post_all(pipeline.clone()).await.unwrap();
    assert_eq!(world.opened(&pipeline).await.len(), 10);
}

#[tokio::test]
async fn what_does_not_get_through_is_posted_in_smaller_parts() {
    let world = World::new().await;
    let pipeline = world.pipeline();
    refresh(&pipeline).await.unwrap();
    let large = format!(r#"{{"n":"{}"}}"#, "x".repeat(40_000));
    let group: Vec<_> = (0..30).map(|_| incoming(&large)).collect();
    assert!(pipeline.accept(&group).unwrap().iter().all(Result::is_ok));
    world.exchange.lock().unwrap().most_bytes = Some(200_000);
    let mut poster = Poster::new(pipeline.clone());
    let mut failures = 0;
    loop {
        match poster.step().await {
            Ok(true) => {}
            Ok(false) => break,
            Err(_) => failures += 1,
        }
        assert!(failures < 40, "it does not get through");
    }
    assert_eq!((pipeline.level().waiting, world.opened(&pipeline).await.len()), (0, 30));
}

#[tokio::test]
async fn it_goes_on_when_the_exchange_comes_back_and_stops_when_told() {
    let world = World::new().await;
    let pipeline = filled(&world, 2).await;
    world.exchange.lock().unwrap().instead.push(Response::refused(503, "busy"));
    let (stop, stopped) = watch::channel(false);
    let task = tokio::spawn(post(pipeline.clone(), 0, stopped));
    while pipeline.level().waiting > 0 {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    more(&pipeline, 1);
    while pipeline.level().waiting > 0 {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    stop.send_replace(true);
    task.await.unwrap();
    // its last word
    assert!(!world.authority.known().heads.is_empty());
}
