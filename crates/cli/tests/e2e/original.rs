//! What breaks in the system that this one follows, row by row of its table of defects: each row with the tests that
//! show it impossible here, and those tests that stand nowhere else.

use crate::client::Client;
use crate::served::Served;
use crate::shared::World;
use serde_json::json;
use std::path::Path;
use strongroom_crypto::{PrivateKey, generate_ed25519_pkcs8, public_key_pem};

/// A row's number, what breaks there, and where that is shown impossible: `FILE: TEST`, below `crates`.
const ROWS: &[(u8, &str, &[&str])] = &[
    // the whole server
    (
        1,
        "a request over 1,024 bytes ends the listener",
        &[
            "cli/tests/e2e/bodies.rs: a_value_has_at_most_one_mebibyte_and_exactly_that_is_kept",
            "cli/tests/e2e/bodies.rs: a_body_beyond_the_limit_is_refused_with_and_without_its_length",
            "cli/tests/e2e/convection.rs: whatever_is_said_gets_an_answer_and_ends_no_listener",
            "cli/tests/e2e/convection_original.rs: the_originals_client_lives_its_whole_life_at_our_door",
        ],
    ),
    (
        2,
        "so does malformed JSON",
        &[
            "cli/tests/e2e/bodies.rs: malformed_and_truncated_json_is_refused",
            "cli/tests/e2e/convection.rs: whatever_is_said_gets_an_answer_and_ends_no_listener",
        ],
    ),
    (
        3,
        "so does an unknown access key",
        &[
            "cli/tests/e2e/tokens.rs: an_unknown_key_looks_like_a_known_one",
            "cli/tests/e2e/convection.rs: no_token_is_made_for_who_does_not_decrypt",
        ],
    ),
    (
        4,
        "so does a client that dies between the two steps of a login",
        &[
            "cli/tests/e2e/original.rs: a_client_that_dies_in_the_middle_of_a_login_disturbs_nobody",
            "cli/tests/e2e/convection.rs: no_token_is_made_for_who_does_not_decrypt",
        ],
    ),
    (
        5,
        "so does a list or a null as payload",
        &[
            "cli/tests/e2e/bodies.rs: unknown_fields_and_wrong_types_are_refused",
            "cli/tests/e2e/convection.rs: whatever_is_said_gets_an_answer_and_ends_no_listener",
            "cli/tests/e2e/original.rs: a_client_that_dies_in_the_middle_of_a_login_disturbs_nobody",
            "cli/tests/e2e/convection_defects.rs: what_lost_data_there_loses_none_with_the_originals_client",
        ],
    ),
    (
        6,
        "one idle connection blocks all others",
        &[
            "cli/tests/e2e/network.rs: ten_thousand_idle_connections_keep_nobody_waiting",
            "cli/tests/e2e/convection.rs: two_hundred_silent_connections_keep_nobody_waiting",
            "cli/tests/e2e/convection.rs: a_hundred_clients_at_once_are_served_on_each_listener",
        ],
    ),
    (
        7,
        "SIGHUP ends the process",
        &[
            "cli/tests/e2e/process.rs: hup_swaps_the_certificate_and_keeps_connections",
            "cli/tests/e2e/convection.rs: hup_under_load_drops_nobody_and_leaves_it_unlocked",
        ],
    ),
    (
        8,
        "over a WebSocket nothing is served without the network, and nobody is ever logged in",
        &[
            "cli/tests/e2e/convection.rs: a_websocket_alone_is_served_and_logged_in_to",
            "cli/tests/e2e/convection.rs: a_token_is_got_over_every_way_and_is_one_of_the_cores",
            "cli/tests/e2e/convection_network.rs: a_websocket_client_authorises_in_two_steps_and_keeps_to_the_rules",
        ],
    ),
    // access control
    (
        9,
        "a right to one store is a right to every command that names it",
        &[
            "authz/tests/semantics.rs: a_store_acl_never_grants_a_command",
            "cli/tests/e2e/rights.rs: a_store_acl_is_no_way_to_any_command",
            "door-convection/src/commands/tests/escalations.rs: a_stores_name_beside_a_command_gives_no_command",
            "cli/tests/e2e/convection_defects.rs: whoever_has_one_store_gets_no_further_with_the_originals_library",
        ],
    ),
    (
        10,
        "a right to a command is a right to every store",
        &[
            "authz/tests/semantics.rs: a_command_acl_never_opens_a_secret",
            "cli/tests/e2e/rights.rs: a_command_acl_is_no_way_into_any_store",
            "door-convection/src/commands/tests/escalations.rs: a_command_gives_no_store_and_a_store_is_what_is_used",
        ],
    ),
    (
        11,
        "one name is checked and another used",
        &[
            "cli/tests/e2e/rights.rs: what_is_checked_is_what_is_used",
            "door-convection/src/commands/tests/escalations.rs: a_command_gives_no_store_and_a_store_is_what_is_used",
            "cli/tests/e2e/convection_defects.rs: whoever_has_one_store_gets_no_further_with_the_originals_library",
        ],
    ),
    (
        12,
        "patterns match parts of names",
        &[
            "authz/tests/semantics.rs: a_pattern_never_matches_part_of_a_name",
            "authz/src/pattern/tests.rs: nothing_in_a_pattern_reaches_over_its_anchors",
            "door-convection/src/commands/tests/escalations.rs: a_pattern_is_matched_whole_and_a_narrow_allow_takes_nothing_away",
        ],
    ),
    (
        13,
        "an allow that is too narrow denies",
        &[
            "authz/tests/semantics.rs: a_too_narrow_allow_is_no_match",
            "door-convection/src/commands/tests/escalations.rs: a_pattern_is_matched_whole_and_a_narrow_allow_takes_nothing_away",
        ],
    ),
    (
        14,
        "an access key's id is enough to learn what its user may do",
        &[
            "cli/tests/e2e/rights.rs: without_a_token_nobody_is_told_what_somebody_may_do",
            "cli/tests/e2e/matrix.rs: every_row_asks_the_rules",
            "cli/tests/e2e/convection_defects.rs: whoever_has_one_store_gets_no_further_with_the_originals_library",
        ],
    ),
    (
        15,
        "a listing crashes for a limited user, or shows wrong entries",
        &[
            "testkit/tests/world/rights.rs: listings_show_what_the_caller_may_see_and_nothing_else",
            "door-convection/src/commands/tests/escalations.rs: a_listing_shows_what_one_may_see_and_what_is_missing_is_refused_like_what_is_not",
        ],
    ),
    (
        16,
        "whoever is first owns the system",
        &[
            "testkit/tests/world/initialise.rs: only_an_installer_may",
            "cli/tests/e2e/operator.rs: initialising_over_the_network_takes_the_one_time_token",
            "cli/tests/e2e/operator.rs: a_second_initialisation_is_refused",
        ],
    ),
    (
        17,
        "names become keys of answers",
        &[
            "cli/tests/e2e/rights.rs: names_are_values_and_never_keys",
            "door-convection/src/commands/tests/people.rs: somebody_named_result_does_not_break_an_answer",
        ],
    ),
    // data loss
    (
        18,
        "a store's name overwrites the root key's file",
        &[
            "cli/tests/e2e/original.rs: a_store_is_no_file_and_overwrites_none",
            "cli/tests/e2e/convection_defects.rs: what_lost_data_there_loses_none_with_the_originals_client",
        ],
    ),
    (
        19,
        "two stores share a file, and making the second empties the first",
        &[
            "cli/tests/e2e/original.rs: a_store_is_no_file_and_overwrites_none",
            "cli/tests/e2e/races.rs: of_many_who_create_the_same_one_does",
        ],
    ),
    (
        20,
        "a keyset's name writes a file elsewhere",
        &[
            "testkit/tests/world/keysets.rs: names_that_were_paths_elsewhere_are_names_here",
            "cli/tests/e2e/rotation.rs: keysets_are_made_and_removed_and_their_names_go_nowhere",
            "cli/tests/e2e/convection_defects.rs: what_lost_data_there_loses_none_with_the_originals_client",
        ],
    ),
    (
        21,
        "rotating a keyset in use fails, and its stores cannot be read",
        &[
            "testkit/tests/world/keysets.rs: a_new_term_seals_at_once_and_the_old_one_goes_when_nothing_needs_it",
            "cli/tests/e2e/rotation.rs: a_rotation_killed_with_9_amid_writers_comes_to_its_end_and_every_value_is_there",
            "testkit/tests/property_rotation.rs: whatever_happens_at_once_every_value_is_what_was_written",
            "cli/tests/e2e/convection_defects.rs: what_lost_data_there_loses_none_with_the_originals_client",
        ],
    ),
    (
        22,
        "a rotation that failed is not rolled back, nor can it be rescued",
        &[
            "testkit/tests/world/keysets.rs: whatever_goes_wrong_at_any_commit_of_a_rotation_it_comes_to_its_end",
            "testkit/tests/world/keysets.rs: a_job_given_up_leaves_both_terms_and_the_next_rotation_takes_up_the_rest",
            "testkit/tests/world/keysets.rs: a_full_disk_makes_the_job_wait_and_it_goes_on_by_itself",
        ],
    ),
    (
        23,
        "what users and rights are sealed with is never rotated",
        &["testkit/tests/world/rekey.rs: everything_is_another_after_a_compromise"],
    ),
    (
        24,
        "a crash in the middle of a write loses a store",
        &[
            "testkit/tests/crash_engines.rs: the_world_stops_at_every_commit_and_nothing_acknowledged_is_lost",
            "store-sqlite/tests/crash/kill.rs: killed_at_any_moment_it_keeps_what_it_acknowledged",
            "store-sqlite/tests/crash/power.rs: cut_at_any_moment_it_keeps_what_it_acknowledged",
            "store-sqlite/tests/crash/trace.rs: no_acknowledgement_precedes_the_flush_that_covers_it",
            "cli/tests/e2e/crashes.rs: what_was_acknowledged_survives_kill_9_in_the_middle_of_writes",
        ],
    ),
    (
        25,
        "rotating the root rewrites keys in place, without a way back",
        &[
            "testkit/tests/world/rotate.rs: old_keys_open_until_it_is_confirmed_and_new_ones_from_then_on",
            "cli/tests/e2e/convection_original.rs: the_originals_client_lives_its_whole_life_at_our_door",
            "testkit/tests/world/rotate.rs: an_answer_lost_at_any_commit_loses_nothing",
            "testkit/tests/world/rekey.rs: a_rotation_of_everything_stopped_at_any_commit_loses_nothing",
        ],
    ),
    (
        26,
        "removing a user's last access key fails half-way, and the half is kept",
        &[
            "cli/tests/e2e/original.rs: the_last_access_key_goes_wholly_and_a_protected_users_never",
            "testkit/tests/world/people.rs: the_protected_are_never_lost",
            "door-convection/src/commands/tests/people.rs: a_protected_user_stays_and_keeps_a_key",
        ],
    ),
];

/// Whether a file has a test of this name.
fn has_test(file: &str, name: &str) -> bool {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(file);
    let text = std::fs::read_to_string(&path).unwrap_or_else(|fault| panic!("{}: {fault}", path.display()));
    let head = format!("fn {name}(");
    let Some((before, _)) = text.split_once(&head) else { return false };
    // an attribute stands above, perhaps with an `async` between
    before.trim_end().trim_end_matches("async").trim_end().ends_with(']')
}

#[test]
fn every_row_has_its_tests() {
    let rows: Vec<u8> = ROWS.iter().map(|(row, ..)| *row).collect();
    assert_eq!(rows, (1..=26).collect::<Vec<u8>>());
    for (row, defect, shown) in ROWS {
        assert!(!shown.is_empty(), "{row}: {defect}");
        for place in *shown {
            let (file, name) = place.split_once(": ").unwrap();
            assert!(has_test(file, name), "row {row} ({defect}) is shown by {place}, which is not there");
        }
    }
    assert!(!has_test("cli/tests/e2e/original.rs", "has_test"), "a function is no test");
}

const JSON: &[(&str, &str)] = &[("content-type", "application/json")];

/// Rows 4 and 5: a connection that ends without a word between challenge and proof, and payloads of other kinds.
#[test]
fn a_client_that_dies_in_the_middle_of_a_login_disturbs_nobody() {
    let world = World::shared();
    let store = world.store("row-four");
    let id = store.client.get("/auth/token").ok()["access_key_id"].as_str().unwrap().to_owned();
    let stranger = world.served.client();
    let body = json!({ "access_key_id": id }).to_string();
    for _ in 0..20 {
        let mut wire = stranger.connect();
        wire.ask(&stranger.request("POST /api/v1/auth/challenge", JSON, body.as_bytes())).ok();
        let proof = stranger.request("POST /api/v1/auth/authorize", JSON, body.as_bytes());
        wire.write(&proof[..proof.len() - 5]).unwrap();
        drop(wire);
    }
    for (path, body) in [
        ("/auth/challenge", "[]"),
        ("/auth/challenge", r#"{"access_key_id":null}"#),
        ("/auth/authorize", "null"),
        ("/auth/authorize", r#"["a","b","c"]"#),
        ("/auth/login", "[{}]"),
    ] {
        stranger.post(path, body).is(400, "invalid_request");
    }
    store.client.post("/stores", r#"{"name":"row-five","settings":null}"#).is(400, "invalid_request");
    store.client.post("/stores", r#"["row-five"]"#).is(400, "invalid_request");
    store.client.get("/stores/row-five").is(404, "not_found");
    world.home.run(&["login"]).ok();
    store.unharmed(&[]);
}

/// Rows 18 and 19: a store's name was a file's, that of the root key too, and two names could be one file.
#[test]
fn a_store_is_no_file_and_overwrites_none() {
    let world = World::new();
    let store = world.store("web");
    for name in
        ["/root.key", "/auth.db", "/keymap.db", "secrets/web", "./web", "../web", "web/", "/web", "web\0"]
    {
        store.client.post("/stores", json!({ "name": name }).to_string()).is(400, "invalid_name");
    }
    // what is no path is a name like any other, and nothing else has it
    for name in ["root.key", "auth.db", "strongroom.db", "web.db", "WEB"] {
        store.client.post("/stores", json!({ "name": name }).to_string()).ok();
        store.client.put(&format!("/stores/{name}/secrets/keep"), r#"{"value":"another"}"#).ok();
    }
    for again in [r#"{"name":"web"}"#, r#"{"name":"web","type":"user"}"#] {
        store.client.post("/stores", again).is(409, "already_exists");
    }
    store.unharmed(&[]);
    for name in ["root.key", "auth.db", "strongroom.db", "web.db"] {
        assert_eq!(store.client.delete(&format!("/stores/{name}")).status, 204);
    }
    world.home.run(&["lock"]).ok();
    world.home.feed(&["unlock", "--key-file", "-"], &world.served.unlock_keys()[0]).ok();
    let World { served, home } = world;
    served.kill();
    let world = World { served: Served::dev(&home), home };
    world.home.run(&["login"]).ok();
    store.on(&world).unharmed(&[]);
    assert_eq!(world.client().get("/stores/WEB/secrets/keep").ok()["value"], "another");
}

/// Row 26: the user whose last key was removed was half gone, in memory first and in the file with the next write.
#[test]
fn the_last_access_key_goes_wholly_and_a_protected_users_never() {
    let world = World::new();
    let store = world.store("row-twenty-six");
    let root = world.client();
    let key = PrivateKey::from_pkcs8(&generate_ed25519_pkcs8().unwrap().expose(<[u8]>::to_vec)).unwrap();
    let public_key = public_key_pem(&key.public_key().unwrap());
    let made = root.post("/users", json!({ "name": "ann", "public_key": public_key }).to_string()).ok();
    let only = format!("/users/ann/access-keys/{}", made["access_key_id"].as_str().unwrap());
    let roots = root.get("/users/root").ok()["access_keys"][0].as_str().unwrap().to_owned();
    // not another user's by the same id, and not one that is not there
    root.delete(&only.replace("ann", "root")).is(404, "not_found");
    root.delete(&format!("/users/ann/access-keys/{roots}")).is(404, "not_found");
    assert_eq!(root.delete(&only).status, 204);
    root.delete(&only).is(404, "not_found");
    for path in [format!("/users/root/access-keys/{roots}"), format!("/self/access-keys/{roots}")] {
        root.delete(&path).is(409, "protected_user");
    }
    let bare = |root: &Client| {
        let ann = root.get("/users/ann").ok();
        assert_eq!((&ann["access_keys"], &ann["enabled"]), (&json!([]), &json!(true)), "{ann}");
        assert_eq!(root.get("/users/root").ok()["access_keys"], json!([roots]));
    };
    bare(&root);
    // a further write, and what is on the disk, say the same
    root.post("/groups", r#"{"name":"devs"}"#).ok();
    root.put("/groups/devs/members/ann", b"").ok();
    let World { served, home } = world;
    served.kill();
    let world = World { served: Served::dev(&home), home };
    bare(&world.client());
    let given = json!({ "public_key": public_key }).to_string();
    world.client().post("/users/ann/access-keys", given).ok();
    store.on(&world).unharmed(&[]);
}
