//! A convection client that is slow, silent, greedy or gone, in a time of its own: each costs a bounded time and room.

use serde_json::{Value, json};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use strongroom_door_convection::{ConvectionDoor, Parts, Terms, Visit};
use strongroom_gate::Verdict;
use strongroom_model::Origin;
use strongroom_testkit::TestWorld;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::time::Instant;

const TERMS: Terms = Terms {
    idle: Duration::from_secs(75),
    arrival: Duration::from_secs(30),
    unread: Duration::from_secs(20),
    answer: Duration::from_mins(1),
};

/// One connection, and what it takes to watch it.
struct Line {
    io: DuplexStream,
    served: JoinHandle<()>,
    stop: oneshot::Sender<()>,
    open: Arc<AtomicBool>,
}

fn door(world: &TestWorld) -> ConvectionDoor {
    ConvectionDoor::new(Parts {
        gate: Arc::clone(&world.gate),
        operator: Arc::clone(&world.operator),
        identity: Arc::clone(&world.identity),
        is_install_token: Box::new(|text| text == "install"),
        is_paced: Box::new(|_| true),
    })
}

fn line(world: &TestWorld, room: usize) -> Line {
    let (io, theirs) = tokio::io::duplex(room);
    let (stop, stopped) = oneshot::channel::<()>();
    let (door, open) = (door(world), Arc::new(AtomicBool::new(true)));
    let may_ask = {
        let open = Arc::clone(&open);
        move || if open.load(Ordering::Relaxed) { Ok(()) } else { Err("not now") }
    };
    let served = tokio::spawn(async move {
        let visit = Visit { origin: Origin::Local { uid: 1_000 }, terms: TERMS, may_ask: Box::new(may_ask) };
        let stop = async {
            let _ = stopped.await;
        };
        door.serve(theirs, &visit, stop).await;
    });
    Line { io, served, stop, open }
}

impl Line {
    async fn hear(&mut self) -> Value {
        let mut heard = Vec::new();
        loop {
            let mut piece = [0; 256];
            let length = self.io.read(&mut piece).await.expect("a read");
            assert!(length > 0, "it hung up after {:?}", String::from_utf8_lossy(&heard));
            heard.extend_from_slice(&piece[..length]);
            if let Ok(value) = serde_json::from_slice(&heard) {
                return value;
            }
        }
    }

    async fn ask(&mut self, text: &str) -> Value {
        self.io.write_all(text.as_bytes()).await.expect("a write");
        self.hear().await
    }
}

fn said(answer: &Value) -> String {
    answer["result"]["messages"].to_string()
}

#[tokio::test(start_paused = true)]
async fn who_says_nothing_is_let_go_after_the_idle_time() {
    let world = TestWorld::unlocked().await;
    let mut line = line(&world, 4_096);
    assert_eq!(line.ask("status").await["locked"], false);
    let began = Instant::now();
    assert_eq!(line.io.read(&mut [0; 8]).await.unwrap(), 0, "it hangs up");
    assert!(began.elapsed() >= TERMS.idle && began.elapsed() < TERMS.idle * 2);
    line.served.await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn who_dribbles_a_request_is_answered_and_let_go() {
    let world = TestWorld::unlocked().await;
    let line = line(&world, 4_096);
    let began = Instant::now();
    let (mut ear, mut mouth) = tokio::io::split(line.io);
    let dribble = tokio::spawn(async move {
        mouth.write_all(b"status {").await.unwrap();
        while mouth.write_all(b" ").await.is_ok() {
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
    });
    let mut heard = Vec::new();
    ear.read_to_end(&mut heard).await.unwrap();
    let answer: Value = serde_json::from_slice(&heard).unwrap();
    assert!(said(&answer).contains("too long"), "{answer}");
    assert!(began.elapsed() < TERMS.arrival * 2, "{:?}", began.elapsed());
    line.served.await.unwrap();
    dribble.abort();
}

#[tokio::test(start_paused = true)]
async fn a_proof_with_anything_behind_it_ends_the_offer() {
    let world = TestWorld::unlocked().await;
    let mut line = line(&world, 4_096);
    for more in ["x", " {}", &"f".repeat(40)] {
        let offered = line.ask("authorize {\"access_key_id\": \"0\"}").await;
        assert!(offered["response"].is_string(), "{offered}");
        assert!(said(&line.ask(&format!("{}{more}", "f".repeat(32))).await).contains("Authorization Failed"));
        assert!(
            said(&line.ask(&"f".repeat(32)).await).contains("Invalid Command"),
            "there is no offer any more"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_request_that_stops_in_its_middle_is_answered_when_its_time_is_up() {
    let world = TestWorld::unlocked().await;
    let mut line = line(&world, 4_096);
    let began = Instant::now();
    let answer = line.ask("unlock {\"unlock_key\": \"sr").await;
    assert!(said(&answer).contains("too long"), "{answer}");
    assert!(began.elapsed() >= TERMS.arrival && began.elapsed() < TERMS.arrival * 2);
    line.served.await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn what_may_go_on_is_waited_for_a_moment_and_no_longer() {
    let world = TestWorld::unlocked().await;
    let mut line = line(&world, 4_096);
    line.io.write_all(b"unl").await.unwrap();
    tokio::time::sleep(Duration::from_millis(100)).await;
    line.io.write_all(b"ock ").await.unwrap();
    tokio::time::sleep(Duration::from_millis(100)).await;
    let answer = line.ask("{}").await;
    assert!(said(&answer).contains("'unlock_key'"), "{answer}");
    let began = Instant::now();
    let answer = line.ask("unlock").await;
    assert!(said(&answer).contains("Empty Request Data"), "{answer}");
    assert!(began.elapsed() < Duration::from_secs(1));
    let answer = line.ask("unl").await;
    assert!(said(&answer).contains("No Such command: 'unl'"), "{answer}");
}

#[tokio::test(start_paused = true)]
async fn who_does_not_read_is_let_go() {
    let world = TestWorld::unlocked().await;
    let mut line = line(&world, 16);
    let began = Instant::now();
    line.io.write_all(b"status {}").await.unwrap();
    line.served.await.unwrap();
    assert!(began.elapsed() >= TERMS.unread && began.elapsed() < TERMS.unread * 2);
}

#[tokio::test(start_paused = true)]
async fn told_to_stop_it_ends_between_two_requests() {
    let world = TestWorld::unlocked().await;
    let mut line = line(&world, 4_096);
    line.ask("status").await;
    line.stop.send(()).unwrap();
    assert_eq!(line.io.read(&mut [0; 8]).await.unwrap(), 0);
    line.served.await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn who_may_not_ask_now_is_told_why_and_may_ask_later() {
    let world = TestWorld::unlocked().await;
    let mut line = line(&world, 4_096);
    line.open.store(false, Ordering::Relaxed);
    assert!(said(&line.ask("status").await).contains("not now"));
    line.open.store(true, Ordering::Relaxed);
    assert_eq!(line.ask("status").await["result"]["state"], true);
}

#[tokio::test(start_paused = true)]
async fn several_unlock_keys_come_one_by_one() {
    let world = TestWorld::initialised(3, 2).await;
    let mut line = line(&world, 4_096);
    let present = |key: &str| format!("unlock {}", json!({ "unlock_key": key }));
    let first = line.ask(&present(&world.keys[0])).await;
    assert_eq!(
        (&first["result"]["state"], said(&first).contains("1 more of 2")),
        (&json!(true), true),
        "{first}"
    );
    let again = line.ask(&present(&world.keys[0])).await;
    assert_eq!(again["result"]["state"], false, "{again}");
    assert_eq!(line.ask("status").await["locked"], true);
    let last = line.ask(&present(&world.keys[2])).await;
    assert_eq!((&last["result"]["state"], said(&last).as_str()), (&json!(true), "[]"));
    assert_eq!(line.ask("status").await["locked"], false);
}

#[tokio::test(start_paused = true)]
async fn an_authorize_that_is_left_half_done_leaves_its_entries_and_no_token() {
    let world = TestWorld::unlocked().await;
    world.root_caller().await.unwrap();
    let (tokens, before) = (world.gate.token_count().await.unwrap(), world.head());
    let mut gone = line(&world, 4_096);
    let ask = format!("authorize {}", json!({ "access_key_id": "0".repeat(32) }));
    let offered = gone.ask(&ask).await;
    assert_eq!(said(&offered), r#"["Auth Initiated"]"#);
    drop(gone.io);
    gone.served.await.unwrap();
    let trail = world.trail(before + 1).await.unwrap();
    let left: Vec<_> = trail.iter().map(|line| (line.action.name(), line.verdict)).collect();
    assert_eq!(left, [("token.challenge", Verdict::Released), ("token.authorize", Verdict::Refused)]);
    assert_eq!(world.gate.token_count().await.unwrap(), tokens);
    // what is awaited is a proof: nothing else is carried out
    let mut line = line(&world, 4_096);
    line.ask(&ask).await;
    let other = line.ask("status {\"a\": \"0123456789012345\"}").await;
    assert_eq!(said(&other), r#"["Authorization Failed"]"#, "{other}");
}
