//! What the sharing system does when one of its programs lies or is away: completeness that is proven or not, and a
//! collector without a fresh manifest. Real programs; what lies is the exchange's own store, changed behind its back.

use crate::clock;
use crate::home::Done;
use crate::sharing_kms::{JWT, Kms, PASSWORD, curl};
use crate::sharing_query::{COLLECTS, Program, READS, RECORDS, World, free_port, records};
use data_encoding::BASE64;
use rusqlite::Connection;
use serde_json::{Value, json};
use std::path::Path;

/// Who happens to have been at this address: ten of the records.
const ASKED: &str = "src_ip=203.0.113.1";

/// Sends records, and ends when the exchange has them, the authority knows of it, and proofs of ended epochs are posted.
fn collect(world: &World, config: &str, records: &[Value]) {
    let lines: Vec<String> = records.iter().map(|record| format!("{record}\n")).collect();
    let run = |lines: String| {
        let done = world.home.feed(&["collector", config], lines);
        assert_eq!(done.code, Some(0), "{done:?}");
        done.err.contains(" 0 wait for the exchange")
    };
    // an exchange asks who is new only every few seconds
    let is_there = run(lines.concat());
    clock::soon("the exchange takes the records", || is_there || run(String::new()));
}

/// Begins an epoch.
fn next_epoch(world: &World) {
    world.kms.post("/user/rekey", &world.admin, &json!({ "username": "spare" })).is(201);
}

/// The exchange of another store: a copy of this one in which something was changed.
fn lie(world: &mut World, store: &str, change: impl FnOnce(&Connection)) {
    world.stop_exchange();
    let folder = world.home.join(store);
    std::fs::create_dir(&folder).unwrap();
    for entry in std::fs::read_dir(world.home.join("records")).unwrap().map(Result::unwrap) {
        std::fs::copy(entry.path(), folder.join(entry.file_name())).unwrap();
    }
    let database = open(&folder);
    change(&database);
    database.close().unwrap();
    world.replace_exchange(store);
}

fn open(store: &Path) -> Connection {
    Connection::open(store.join("exchange.db")).unwrap()
}

/// Does one thing to the store, to something that is there.
fn execute(database: &Connection, sql: &str) {
    assert!(database.execute(sql, []).unwrap() > 0, "{sql}");
}

/// A collector's records of an epoch that has ended; then some of the present one.
fn world_with_an_ended_epoch() -> (World, String) {
    let world = World::new();
    world.home.file("admin.token", &world.admin);
    let create =
        ["attributes", "create", "spare", "--password-file", "password", "--token-file", "admin.token"];
    let made = world.home.run(&[&create[..], &["--kms", &world.kms.address]].concat()).ok();
    assert!(made.ends_with("attributes:\n"), "a member needs no attribute: {made}");
    world.enrolled("query", "spare", READS);
    let config = format!("{COLLECTS}inputs: [{{stdin: true}}]\n");
    let collects = world.member("collector", "north", &["SENDER"], &config);
    let reads = world.member("query", "both", &["ANALYST", "CERT"], READS);
    collect(&world, &collects, &records());
    next_epoch(&world);
    // with the new epoch it says what it put into the old one
    collect(&world, &collects, &[]);
    (world, reads)
}

fn found(done: &Done) -> usize {
    done.out.lines().count()
}

#[test]
fn completeness_of_ended_epochs_is_proven_and_a_withheld_record_is_told() {
    let (mut world, reads) = world_with_an_ended_epoch();
    let prove = |world: &World| world.query(&["--prove", &reads, ASKED, "-"]);
    let done = prove(&world);
    assert!(done.err.contains("completeness: proven for") && done.code == Some(0), "{done:?}");
    assert_eq!(found(&done), 10);
    let done = world.query(&["--prove", "-q", "count", &reads, "port=22 AND src_ip=203.0.113.2", "-"]);
    assert!(done.err.contains("completeness: proven for") && done.out == "Count: 10\n", "{done:?}");
    // who has no attribute finds them, and reads nothing of them
    let sealed = world.rows("spare/config.yaml", ASKED);
    let is_sealed = |row: &Value| row.as_object().unwrap().keys().all(|name| name.starts_with("sealed:"));
    assert!(sealed.len() == 10 && sealed.iter().all(is_sealed), "{sealed:?}");

    // a record of which the index says nothing any more
    let matching = "SELECT MAX(arrival) FROM records WHERE sequence = 6";
    lie(&mut world, "silent", |store| {
        execute(store, &format!("DELETE FROM tokens WHERE arrival = ({matching})"));
    });
    let plain = world.query(&[&reads, ASKED, "-"]);
    assert!(plain.err.contains("completeness: not proven") && plain.code == Some(0), "{plain:?}");
    assert_eq!(found(&plain), 9);
    let told = prove(&world);
    assert!(
        told.err.contains("withheld: the collector signed for 10 records, the exchange gave 9"),
        "{told:?}"
    );
    assert!(told.err.contains("completeness: not proven") && told.err.contains("1 contradicted"), "{told:?}");
    assert_eq!((told.code, found(&told)), (Some(1), 9), "what is good is shown all the same");
    // a copy needs no index: it has the record, and is whole
    let copied = world.query(&["--sync", "whole", &reads, ASKED, "-"]);
    assert!(copied.err.contains("completeness: proven up to the heads"), "{copied:?}");
    assert_eq!((copied.code, found(&copied)), (Some(0), 10));

    // without the collector's word nothing is proven, and nothing is contradicted
    lie(&mut world, "mute", |store| execute(store, "DELETE FROM proofs"));
    let told = prove(&world);
    assert!(
        told.err.contains("completeness: not proven") && told.err.contains("without a proof"),
        "{told:?}"
    );
    assert_eq!(found(&told), 10);
}

#[test]
fn a_copy_tells_what_is_missing_cut_off_or_out_of_order() {
    let (mut world, reads) = world_with_an_ended_epoch();
    let bytes_of = |number: u32| format!("(SELECT bytes FROM records WHERE sequence = {number})");
    let digest_of = |number: u32| format!("(SELECT digest FROM records WHERE sequence = {number})");
    let last = RECORDS - 3;
    let cut = [
        format!("DELETE FROM records WHERE sequence > {last}"),
        format!(
            "UPDATE collectors SET sequence = {last}, digest = (SELECT digest FROM records WHERE sequence = {last})"
        ),
    ];
    let swapped = [
        format!("CREATE TEMP TABLE other AS SELECT {} AS bytes, {} AS digest", bytes_of(7), digest_of(7)),
        format!("UPDATE records SET bytes = {}, digest = {} WHERE sequence = 7", bytes_of(8), digest_of(8)),
        "UPDATE records SET bytes = (SELECT bytes FROM other), digest = (SELECT digest FROM other) \
         WHERE sequence = 8"
            .to_owned(),
    ];
    let holes = ["DELETE FROM records WHERE sequence = 6".to_owned()];
    for (name, changes, record, said) in [
        ("hole", &holes[..], 6, "is missing: another number was given in its place"),
        (
            "cut",
            &cut,
            last + 1,
            "withheld: the collector told the authority of more records than the exchange gave",
        ),
        ("swapped", &swapped, 7, "is missing: another number was given in its place"),
    ] {
        lie(&mut world, name, |store| store.execute_batch(&changes.join(";")).unwrap());
        let done = world.query(&["--sync", &format!("copy-{name}"), &reads]);
        assert!(done.err.contains(&format!("record {record}: {said}")), "{name}: {done:?}");
        assert!(
            done.err.contains("not proven up to its head, 40") && done.code == Some(1),
            "{name}: {done:?}"
        );
    }
    // a copy that was whole does not become less by what the exchange forgets, and says that it is no longer told all
    world.replace_exchange("records");
    world.query(&["--sync", "kept", &reads]).ok();
    world.replace_exchange("cut");
    let done = world.query(&["--sync", "kept", &reads, ASKED, "-"]);
    assert_eq!((done.code, found(&done)), (Some(0), 10), "{done:?}");
}

#[test]
fn without_a_fresh_manifest_records_wait_sealed_and_go_on_by_themselves() {
    let config = format!("{JWT}manifest_max_age: 10s\n");
    let mut world = World::with(&config);
    let reads = world.member("query", "both", &["ANALYST", "CERT"], READS);
    let collects = world.member("collector", "north", &["SENDER"], COLLECTS);
    let port = free_port();
    let words = ["collector", "--bind", &format!("127.0.0.1:{port}"), &collects];
    let collector = Program::start(&world.home, "collector", &words).listens(&world.home, "collector", port);
    let send = |name: &str, records: &[Value]| {
        let lines: Vec<String> = records.iter().map(|record| format!("{record}\n")).collect();
        world.home.file(name, lines.concat());
        world.home.run(&["collector", "send", "-p", &port.to_string(), name]).ok();
    };
    let kept = || -> i64 {
        let store = open(&world.home.join("records"));
        store.query_row("SELECT COUNT(*) FROM records", [], |row| row.get(0)).unwrap()
    };
    let (early, late) = (&records()[..4], &records()[4..]);
    send("early", early);
    clock::soon("the first records come", || kept() == 4);

    // a token that was logged out is refused by the exchange when it has looked again
    let login = json!({ "username": "both", "password": PASSWORD });
    let token = world.kms.post("/login", "", &login).is(200)["access_token"].as_str().unwrap().to_owned();
    let heads = format!("http://127.0.0.1:{}/sync/heads", world.port);
    let asked = || curl(&["-H", &format!("X-Authorization: Bearer {token}"), &heads]).status;
    assert_eq!(asked(), 200);
    world.kms.post("/logout", &token, &json!({})).is(200);
    clock::soon("the exchange refuses the token", || asked() == 401);

    let address = world.kms.address.strip_prefix("http://").unwrap().to_owned();
    world.kms.kill();
    let said = || std::fs::read_to_string(world.home.join("collector.log")).unwrap();
    clock::soon("the manifest grows stale", || said().contains("no fresh manifest, nothing is encrypted"));
    clock::soon("the exchange lets nobody in either", || asked() == 503);
    send("late", late);
    // acknowledged, and encrypted for nobody
    clock::pause(std::time::Duration::from_secs(2));
    assert_eq!(kept(), 4);
    let spool = world.home.join("north/secrets/spool");
    for entry in std::fs::read_dir(&spool).unwrap().map(Result::unwrap).filter(|entry| entry.path().is_file())
    {
        let bytes = std::fs::read(entry.path()).unwrap();
        let plain = [b"203.0.113".as_slice(), b"root3", b"src_ip"];
        assert!(!plain.iter().any(|word| bytes.windows(word.len()).any(|part| part == *word)), "{entry:?}");
    }

    world.kms = Kms::start_at(&world.home, &address, &config);
    clock::soon("what waited is sealed and sent", || kept() == 40);
    assert_eq!(world.query(&["-q", "count", &reads, "port=22 OR port=23", "-"]).ok(), "Count: 40\n");
    drop(collector);
}

#[test]
fn records_outlive_the_key_that_signed_them_in_the_exchange_and_in_the_spool() {
    let (mut world, reads) = world_with_an_ended_epoch();
    let collects = "north/config.yaml";
    let record = |number: u64| json!({ "src_ip": "198.51.100.1", "port": 22, "n": number });
    world.stop_exchange();
    let lines: Vec<String> = (0..5).map(|number| format!("{}\n", record(number))).collect();
    let done = world.home.feed(&["collector", collects], lines.concat());
    assert!(done.err.contains(" 5 wait for the exchange"), "{done:?}");
    let words =
        ["collector", "enroll", "--replace", "--password-file", "password", "--user", "north", collects];
    world.home.run(&words).ok();
    world.replace_exchange("records");
    collect(&world, collects, &(5..10).map(record).collect::<Vec<_>>());

    let manifest = curl(&[&format!("{}/get/manifest", world.kms.address)]).is(200);
    let payload = BASE64.decode(manifest["payload"].as_str().unwrap().as_bytes()).unwrap();
    let manifest: Value = serde_json::from_slice(&payload).unwrap();
    let members = manifest["members"].as_array().unwrap();
    let replaced: Vec<&Value> = members.iter().map(|member| &member["replaced"][0]["last"]).collect();
    assert!(replaced.contains(&&json!(RECORDS + 5)), "up to the last of the spool: {replaced:?}");
    // the old ones, those that waited, and those of the new key: all count
    let done = world.query(&["--prove", &reads, ASKED, "-"]);
    assert_eq!((done.code, found(&done)), (Some(0), 10), "{done:?}");
    assert_eq!(world.rows(&reads, "src_ip=198.51.100.1").len(), 10);
    let done = world.query(&["--sync", "all", &reads]);
    assert!(done.code == Some(0) && done.err.contains("copy: 50 new records"), "{done:?}");
}
