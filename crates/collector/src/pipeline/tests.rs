//! Records into the spool: by a fresh manifest, without one, across epochs, under kills.

use super::*;
use crate::keeper::refresh;
use crate::poster::post_all;
use crate::record::Mark;
use crate::testing::{World, incoming};
use std::io::{BufRead as _, BufReader};
use std::process::{Command, Stdio};
use strongroom_member::fake::Response;

fn accept(pipeline: &Pipeline, texts: &[&str]) -> Vec<Result<(), RecordError>> {
    let group: Vec<Incoming> = texts.iter().map(|text| incoming(text)).collect();
    pipeline.accept(&group).unwrap()
}

#[tokio::test]
async fn records_are_sealed_for_who_may_read_them_and_a_bad_one_stops_no_other() {
    let world = World::new().await;
    let pipeline = world.pipeline();
    refresh(&pipeline).await.unwrap();
    let results = accept(&pipeline, &[r#"{"ip":"10.0.0.1","n":1}"#, "[1]", r#"{"n":2}"#, r#"{"a":"#]);
    assert_eq!(results.iter().map(Result::is_ok).collect::<Vec<_>>(), [true, false, true, false]);
    post_all(pipeline.clone()).await.unwrap();
    assert_eq!(world.opened(&pipeline).await, [r#"ip="10.0.0.1" n=1"#, "n=2"]);
    let spooled = std::fs::read_dir(pipeline.spool.folder()).unwrap();
    for entry in spooled.map(|entry| entry.unwrap().path()).filter(|path| path.is_file()) {
        let bytes = std::fs::read(entry).unwrap();
        assert!(!bytes.windows(8).any(|window| window == b"10.0.0.1"));
    }
}

#[tokio::test]
async fn without_a_fresh_manifest_nothing_is_encrypted_and_nothing_is_lost() {
    let world = World::new().await;
    let pipeline = world.pipeline();
    world.authority.known().down = Some(Response::of_proxy(502));
    assert!(refresh(&pipeline).await.is_err());
    let results = accept(&pipeline, &[r#"{"ip":"10.0.0.1"}"#, "nonsense", r#"{"n":2}"#]);
    assert_eq!(results.iter().filter(|result| result.is_ok()).count(), 2);
    assert_eq!((pipeline.level().raw, pipeline.level().waiting), (2, 0));
    assert!(!pipeline.drain().unwrap());
    drop(pipeline);
    // the log holds them sealed, and a new start finds them
    let pipeline = world.pipeline();
    let bytes = std::fs::read(crate::spool::segment_path(pipeline.spool.folder(), 1)).unwrap();
    assert!(!bytes.windows(8).any(|window| window == b"10.0.0.1"));
    world.authority.known().down = None;
    refresh(&pipeline).await.unwrap();
    accept(&pipeline, &[r#"{"n":3}"#]);
    while pipeline.drain().unwrap() {}
    assert_eq!(pipeline.level().raw, 0);
    post_all(pipeline.clone()).await.unwrap();
    assert_eq!(world.opened(&pipeline).await, ["n=3", r#"ip="10.0.0.1""#, "n=2"]);
}

#[tokio::test]
async fn a_manifest_that_has_grown_stale_ends_encryption() {
    let world = World::new().await;
    world.authority.known().max_age_secs = 0;
    let pipeline = world.pipeline();
    refresh(&pipeline).await.unwrap();
    accept(&pipeline, &[r#"{"n":1}"#]);
    assert_eq!((pipeline.level().raw, pipeline.level().waiting), (1, 0));
}

#[tokio::test]
async fn a_raw_record_that_turns_out_bad_is_told_once_and_stops_no_other() {
    let world = World::new().await;
    let pipeline = world.pipeline();
    // without keys it cannot be seen that nothing is left of it
    assert!(accept(&pipeline, &["{}", r#"{"n":1}"#]).iter().all(Result::is_ok));
    refresh(&pipeline).await.unwrap();
    while pipeline.drain().unwrap() {}
    assert_eq!(*world.rejected.lock().unwrap(), [b"{}".to_vec()]);
    assert_eq!((pipeline.level().raw, pipeline.level().waiting), (0, 1));
}

#[tokio::test]
async fn a_new_epoch_ends_the_batch_and_its_end_is_proven() {
    let world = World::new().await;
    let pipeline = world.pipeline();
    refresh(&pipeline).await.unwrap();
    accept(&pipeline, &[r#"{"ip":"10.0.0.1"}"#, r#"{"ip":"10.0.0.1"}"#, r#"{"ip":"10.0.0.2"}"#]);
    world.authority.known().epoch = 2;
    refresh(&pipeline).await.unwrap();
    accept(&pipeline, &[r#"{"ip":"10.0.0.3"}"#]);
    post_all(pipeline.clone()).await.unwrap();
    assert_eq!(world.opened(&pipeline).await.len(), 4);
    let exchange = world.exchange.lock().unwrap();
    assert_eq!(exchange.headers.len(), 2);
    let [proof] = exchange.proofs.as_slice() else { panic!("{:?}", exchange.proofs.len()) };
    let proof: strongroom_sharing::exchange::PostProof = serde_json::from_value(proof.clone()).unwrap();
    let signed = strongroom_envelope::Signed::<strongroom_sharing::exchange::EpochProof>::from(proof.signed);
    let said = signed.verify(pipeline.session().identity().public(), "strongroom sharing epoch v1").unwrap();
    assert_eq!((said.epoch, said.first, said.last, said.leaves), (1, 1, 3, 2));
    let leaves = data_encoding::BASE64.decode(proof.leaves.as_bytes()).unwrap();
    let tree = strongroom_envelope::ProofTree::parse(&leaves).unwrap();
    assert_eq!(data_encoding::HEXLOWER.encode(&tree.root()), said.root);
    let mut counts: Vec<u64> = tree.leaves().iter().map(|leaf| leaf.tally.count).collect();
    counts.sort_unstable();
    assert_eq!(counts, [1, 2]);
    assert_eq!(world.authority.known().heads.len(), 1);
    assert!(!pipeline.spool.folder().join("proofs/1").exists());
}

#[tokio::test]
async fn a_batch_ends_by_number() {
    let mut world = World::new().await;
    world.config.batch.max_records = 2;
    let pipeline = world.pipeline();
    refresh(&pipeline).await.unwrap();
    accept(&pipeline, &[r#"{"n":1}"#, r#"{"n":2}"#, r#"{"n":3}"#, r#"{"n":4}"#, r#"{"n":5}"#]);
    post_all(pipeline.clone()).await.unwrap();
    assert_eq!((world.opened(&pipeline).await.len(), world.exchange.lock().unwrap().headers.len()), (5, 3));
}

#[tokio::test]
async fn a_full_spool_refuses_and_lets_go_again() {
    let mut world = World::new().await;
    world.config.spool.max_bytes = 1 << 20;
    let pipeline = world.pipeline();
    refresh(&pipeline).await.unwrap();
    let large = format!(r#"{{"n":"{}"}}"#, "x".repeat(300_000));
    let mut taken = 0;
    while let Ok(results) = pipeline.accept(&[incoming(&large)]) {
        assert!(results[0].is_ok());
        taken += 1;
    }
    assert!(matches!(pipeline.accept(&[incoming(&large)]), Err(PipelineError::Full { .. })));
    post_all(pipeline.clone()).await.unwrap();
    assert_eq!(world.exchange.lock().unwrap().records.len(), taken);
    // the segment that is written is not given up before it ends
    world.authority.known().epoch = 2;
    refresh(&pipeline).await.unwrap();
    post_all(pipeline.clone()).await.unwrap();
    accept(&pipeline, &[r#"{"n":1}"#]);
}

#[tokio::test]
async fn groups_of_many_threads_keep_one_chain() {
    let world = World::new().await;
    let pipeline = world.pipeline();
    refresh(&pipeline).await.unwrap();
    std::thread::scope(|scope| {
        for thread in 0..4 {
            let pipeline = &pipeline;
            scope.spawn(move || {
                for group in 0..5 {
                    let texts: Vec<String> =
                        (0..10).map(|n| format!(r#"{{"n":"{thread}-{group}-{n}"}}"#)).collect();
                    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
                    assert!(accept(pipeline, &texts).iter().all(Result::is_ok));
                }
            });
        }
    });
    post_all(pipeline.clone()).await.unwrap();
    let mut all = world.opened(&pipeline).await;
    all.sort();
    all.dedup();
    assert_eq!(all.len(), 200);
}

/// What the child of the next test works with.
const CHILD: &str = "STRONGROOM_TEST_SPOOL";

/// Run by the next test as a process of its own: takes records for ever, and says of each group that it is durable. Run
/// alone it does nothing.
#[tokio::test]
async fn child_that_is_killed() {
    let Some(told) = std::env::var_os(CHILD) else { return };
    let told = told.into_string().unwrap();
    let (home, servers) = told.split_once('|').unwrap();
    let (kms, exchange) = servers.split_once('|').unwrap();
    let config = crate::testing::config(std::path::Path::new(home), kms, exchange);
    let session = Session::open(&config, strongroom_member::Program::Collector, Ambient::system()).unwrap();
    let rules = crate::testing::rules();
    let pipeline =
        Pipeline::open(Arc::new(session), rules, config.batch, &config.spool, Box::new(|_, _| ())).unwrap();
    let pipeline = Arc::new(pipeline);
    let mut next = pipeline.mark("numbers").map_or(0, |mark| u64::from_be_bytes(mark.try_into().unwrap()));
    // at first without a manifest, so that raw records are under way as well
    for round in 0..10_000_u64 {
        let group: Vec<Incoming> = (next..next + 7)
            .map(|n| Incoming {
                json: format!(r#"{{"n":{n}}}"#).into_bytes(),
                mark: Some(Mark { source: "numbers".to_owned(), position: (n + 1).to_be_bytes().to_vec() }),
            })
            .collect();
        assert!(pipeline.accept(&group).unwrap().iter().all(Result::is_ok));
        next += 7;
        println!("durable {next}");
        if round == 3 {
            refresh(&pipeline).await.unwrap();
        }
        if round >= 3 {
            pipeline.drain().unwrap();
        }
    }
}

#[tokio::test]
async fn killed_again_and_again_it_loses_and_doubles_nothing() {
    let world = World::new().await;
    let exchange = world.config.exchange.to_string();
    let told = format!("{}|{}|{exchange}", world.home.path().display(), world.config.kms);
    let mut durable = 0;
    for round in 0..8 {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "pipeline::tests::child_that_is_killed", "--nocapture"])
            .env(CHILD, &told)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        // killed at another place each time, in the midst of what comes after it
        let said =
            lines.map_while(Result::ok).filter_map(|line| line.strip_prefix("durable ")?.parse::<u64>().ok());
        durable = said.take(1 + round * 3).last().unwrap();
        child.kill().unwrap();
        child.wait().unwrap();
    }
    let pipeline = world.pipeline();
    let marked = u64::from_be_bytes(pipeline.mark("numbers").unwrap().try_into().unwrap());
    assert!(marked >= durable, "{marked} {durable}");
    refresh(&pipeline).await.unwrap();
    while pipeline.drain().unwrap() {}
    post_all(pipeline.clone()).await.unwrap();
    let opened = world.opened(&pipeline).await;
    let mut numbers: Vec<u64> = opened.iter().map(|text| text[2..].parse().unwrap()).collect();
    numbers.sort_unstable();
    assert_eq!(numbers, (0..marked).collect::<Vec<_>>());
}
