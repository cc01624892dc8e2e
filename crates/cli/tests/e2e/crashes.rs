//! Killed in the middle of writes.

use crate::home::Home;
use crate::served::Served;
use crate::shared::World;
use serde_json::json;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};

const CLIENTS: usize = 8;
/// Acknowledgements after which the server is killed.
const ENOUGH: usize = 300;

/// Writes until the server is gone; gives what was acknowledged, by path.
fn write(world: &World, round: usize, client: usize, acknowledged: &AtomicUsize) -> BTreeMap<String, String> {
    let asker = world.client();
    let mut wire = asker.connect();
    let mut kept = BTreeMap::new();
    for number in 0.. {
        let (path, value) = (format!("{round}/{client}/{number}"), format!("v{round}-{client}-{number}"));
        let line = format!("PUT /api/v1/stores/torture/secrets/{path}");
        let body = json!({ "value": value }).to_string();
        let request = asker.request(&line, &[("content-type", "application/json")], body.as_bytes());
        let Ok(answer) = wire.write(&request).and_then(|()| wire.answer()) else { break };
        assert_eq!(answer.ok()["version"], 1);
        kept.insert(path, value);
        acknowledged.fetch_add(1, Ordering::Relaxed);
    }
    kept
}

#[test]
fn what_was_acknowledged_survives_kill_9_in_the_middle_of_writes() {
    let home = Home::new();
    let mut world = World { served: Served::dev(&home), home };
    world.client().post("/stores", r#"{"name":"torture"}"#).ok();
    let mut all = BTreeMap::new();
    for round in 0..3 {
        let acknowledged = AtomicUsize::new(0);
        let pid = rustix::process::Pid::from_raw(world.served.pid().try_into().unwrap()).unwrap();
        std::thread::scope(|scope| {
            let (world, acknowledged) = (&world, &acknowledged);
            let writers: Vec<_> = (0..CLIENTS)
                .map(|client| scope.spawn(move || write(world, round, client, acknowledged)))
                .collect();
            while acknowledged.load(Ordering::Relaxed) < ENOUGH {
                assert!(
                    !writers.iter().all(std::thread::ScopedJoinHandle::is_finished),
                    "nobody writes any more"
                );
                std::thread::yield_now();
            }
            rustix::process::kill_process(pid, rustix::process::Signal::KILL).unwrap();
            all.extend(writers.into_iter().flat_map(|writer| writer.join().unwrap()));
        });
        let World { served, home } = world;
        served.kill();
        world = World { served: Served::dev(&home), home };
        let client = world.client();
        let mut wire = client.connect();
        for (path, value) in &all {
            let line = format!("GET /api/v1/stores/torture/secrets/{path}");
            let found = wire.ask(&client.request(&line, &[], b"")).ok();
            assert_eq!((&found["value"], &found["version"]), (&json!(value), &json!(1)), "{path}");
        }
        let report = world.home.run(&["audit", "verify", "--output", "json"]).json();
        assert_eq!(report["ok"], true, "{report}");
        println!(
            "round {round}: {} acknowledged values are all there; {} entries hold",
            all.len(),
            report["entries"]
        );
    }
    let listed = world.client().get("/stores/torture/secrets?limit=100000").ok();
    let listed = listed["secrets"].as_array().unwrap().len();
    assert!(listed >= all.len() && listed <= all.len() + 3 * CLIENTS, "{listed} of {}", all.len());
}
