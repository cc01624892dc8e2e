//! The convection door, spoken to byte by byte: what broke the system it comes from does nothing here.

use crate::clock;
use crate::home::Home;
use crate::served::production;
use crate::site::Site;
use crate::talk::{Credential, OPEN, Talk, WAYS, Way};
use crate::talk::{address_of, done, failed, messages, over_tcp, over_unix, site, site_with};
use rustix::process::Signal;
use serde_json::{Value, json};
use std::io::{Read as _, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use strongroom_crypto::{PrivateKey, generate_ed25519_pkcs8, public_key_pem};

/// Asserts that the door still serves, over every way.
#[track_caller]
fn unharmed(site: &Site) {
    for way in WAYS {
        let status = done(Talk::begin(site, way).ask("status", &json!({})));
        assert_eq!(status["initialized"], true, "{way:?}");
    }
}

#[test]
fn a_life_from_the_first_start_to_the_next_unlock_keys() {
    let site = Site::bare(OPEN);
    let mut talk = Talk::begin(&site, Way::Unix);
    assert_eq!(
        std::fs::metadata(site.home.join("convection.sock")).unwrap().permissions().mode() & 0o777,
        0o660
    );
    let status = done(talk.raw(b"status"));
    assert_eq!((&status["initialized"], &status["locked"]), (&json!(false), &json!(true)));
    site.key_pair("rsa");
    let public = std::fs::read_to_string(site.home.join("root.pub")).unwrap();
    let wanted = json!({ "num_keys": 3, "root_public_key": public });
    // over the network it takes the one-time token
    let stranger = failed(&Talk::begin(&site, Way::Tcp).ask("initialize", &wanted));
    assert!(stranger.starts_with("Permission Denied|"), "{stranger}");
    let token = std::fs::read_to_string(site.home.join("run/init-token")).unwrap();
    let mut with_token = wanted.clone();
    with_token["install_token"] = json!(token.trim());
    done(Talk::begin(&site, Way::Tcp).ask("initialize", &with_token));
    let made = done(talk.ask("initialize", &wanted));
    assert_eq!(messages(&made)[0], "New RootKey Generated");
    let keys = made["keys"].as_array().unwrap();
    assert_eq!(keys.len(), 3);
    let id = made["root_access_key_id"].as_str().unwrap();
    assert!(id.len() == 32 && id.bytes().all(|byte| byte.is_ascii_hexdigit()), "{id}");
    assert_eq!(done(talk.raw(b"status"))["locked"], true);
    let locked = talk.ask("list_users", &json!({ "access_key_id": id, "auth_token": "0".repeat(32) }));
    assert_eq!(failed(&locked), "Authorization Required SystemLockedWarning - ");
    for wrong in ["", "nonsense", &keys[0].as_str().unwrap().replace(['a', 'b'], "c")] {
        failed(&talk.ask("unlock", &json!({ "unlock_key": wrong })));
    }
    done(talk.ask("unlock", &json!({ "unlock_key": keys[1] })));
    assert_eq!(done(talk.raw(b"status"))["locked"], false);
    failed(&talk.ask("initialize", &wanted));

    let root = talk.authorize(&site.home, "root.key", id);
    let lists = done(talk.ask("list_hook_types", &root.with(json!({}))));
    assert_eq!(lists["hook_types"], json!([]));
    let rotated = done(talk.ask("rotate_root_keys", &root.with(json!({ "num_keys": "4" }))));
    let fresh = rotated["keys"].as_array().unwrap();
    assert_eq!((fresh.len(), done(talk.raw(b"status"))["locked"].clone()), (4, json!(true)));
    // until a new one has come, an old one does
    done(talk.ask("unlock", &json!({ "unlock_key": keys[2] })));
    let ended = talk.ask("list_hook_types", &root.with(json!({})));
    assert_eq!(failed(&ended), "Authorization Required (Already Deauthed)", "a lock ends every token");
    let root = talk.authorize(&site.home, "root.key", id);
    done(talk.ask("lock", &root.with(json!({}))));
    done(talk.ask("unlock", &json!({ "unlock_key": fresh[3] })));
    let root = talk.authorize(&site.home, "root.key", id);
    done(talk.ask("lock", &root.with(json!({}))));
    failed(&talk.ask("unlock", &json!({ "unlock_key": keys[0] })));
    done(talk.ask("unlock", &json!({ "unlock_key": fresh[0] })));
    let root = talk.authorize(&site.home, "root.key", id);
    assert_eq!(messages(&done(talk.ask("deauth", &root.with(json!({}))))), ["Deauthenticated"]);
    assert!(failed(&talk.ask("deauth", &root.with(json!({})))).contains("Already Deauthed"));
}

#[test]
fn a_token_is_got_over_every_way_and_is_one_of_the_cores() {
    let (site, _, root) = site();
    for way in WAYS {
        let mut talk = Talk::begin(&site, way);
        let got = talk.authorize(&site.home, "root.key", &root.id);
        done(talk.ask("list_hook_types", &got.with(json!({}))));
        let native = site.served().client().with_token(&got.token);
        let known = native.get("/auth/token").ok();
        assert_eq!((&known["user"], &known["way"]), (&json!("root"), &json!("access_key")), "{way:?}");
        assert!(known["ttl_secs"].as_u64().unwrap() <= 1_800, "{known}");
        native.post("/auth/token/renew", "{}").ok();
        native.delete("/auth/token").ok();
        let ended = talk.ask("list_hook_types", &got.with(json!({})));
        assert_eq!(failed(&ended), "Authorization Required (Already Deauthed)", "{way:?}");
    }
    unharmed(&site);
}

#[test]
fn a_token_that_was_got_natively_holds_here_too() {
    let (site, _, root) = site();
    let native = site.served().client();
    let public = std::fs::read_to_string(site.home.join("root.pub")).unwrap();
    let bo = json!({ "name": "bo", "password": "a long way to here", "public_key": public });
    let made = native.with_token(&root.token).post("/users", bo.to_string()).ok();
    let login = json!({ "user": "bo", "password": "a long way to here" });
    let token = native.post("/auth/login", login.to_string()).ok()["token"].as_str().unwrap().to_owned();
    let id = made["access_key_id"].as_str().unwrap().replace('-', "");
    let mut talk = Talk::begin(&site, Way::Unix);
    let (bo, stolen) = (Credential { id, token: token.clone() }, Credential { id: root.id, token });
    assert!(failed(&talk.ask("deauth", &stolen.with(json!({})))).contains("Already Deauthed"));
    done(talk.ask("deauth", &bo.with(json!({}))));
    assert_eq!(native.with_token(&bo.token).get("/auth/token").status, 401);
    assert!(failed(&talk.ask("deauth", &bo.with(json!({})))).contains("Already Deauthed"));
}

#[test]
fn no_token_is_made_for_who_does_not_decrypt() {
    let (site, _, root) = site();
    let client = site.served().client().with_token(&root.token);
    let count = || client.get("/tokens").ok()["tokens"].as_array().unwrap().len();
    let before = count();
    for way in WAYS {
        let mut talk = Talk::begin(&site, way);
        let unknown = "0123456789abcdef0123456789abcdef";
        let answers = [0, 1].map(|_| talk_about(&mut talk, unknown));
        assert_eq!(
            answers[0].len(),
            answers[1].len(),
            "an unknown key has a size of its own, always the same"
        );
        let real = talk.challenge(&site.home, "root.key", &root.id);
        let wrong = if real.starts_with('0') { "1".repeat(32) } else { "0".repeat(32) };
        assert_eq!(failed(&talk.raw(wrong.as_bytes())), "Authorization Failed");
        // the right one comes too late
        let late = failed(&talk.raw(real.as_bytes()));
        assert!(late.contains("Invalid Command"), "{late}");
        let without =
            talk.ask("list_hook_types", &Credential { id: root.id.clone(), token: real }.with(json!({})));
        assert_eq!(failed(&without), "Authorization Required (Already Deauthed)");
        // and who hangs up in between leaves nothing
        Talk::begin(&site, way).challenge(&site.home, "root.key", &root.id);
    }
    unharmed(&site);
    assert_eq!(count(), before);
    clock::soon("the refusals are in the trail", || {
        let trail = client.get("/audit/entries?tail=true&limit=50").ok();
        let entries = trail["entries"].as_array().unwrap().clone();
        entries.iter().any(|entry| entry["action"] == "token.authorize" && entry["outcome"] == "refused")
    });
}

/// The first step for a key, answered by a second that cannot be right.
fn talk_about(talk: &mut Talk, id: &str) -> String {
    let offered = done(talk.ask("authorize", &json!({ "access_key_id": id })));
    assert_eq!(failed(&talk.raw("f".repeat(32).as_bytes())), "Authorization Failed");
    offered["response"].as_str().unwrap().to_owned()
}

#[test]
fn another_users_key_does_not_go_with_a_token() {
    let (site, _, root) = site();
    let client = site.served().client().with_token(&root.token);
    let public = std::fs::read_to_string(site.home.join("root.pub")).unwrap();
    let made = client.post("/users", json!({ "name": "ada", "public_key": public }).to_string()).ok();
    let ada = made["access_key_id"].as_str().unwrap().replace('-', "");
    let mut talk = Talk::begin(&site, Way::Tcp);
    let stolen = Credential { id: ada.clone(), token: root.token.clone() };
    assert!(failed(&talk.ask("list_hook_types", &stolen.with(json!({})))).contains("Already Deauthed"));
    let key = PrivateKey::from_pkcs8(&generate_ed25519_pkcs8().unwrap().expose(<[u8]>::to_vec)).unwrap();
    let another = json!({ "public_key": public_key_pem(&key.public_key().unwrap()) });
    let own = client.post("/users/root/access-keys", another.to_string()).ok();
    let second = own["id"].as_str().unwrap().replace('-', "");
    let either = Credential { id: second, token: root.token.clone() };
    done(talk.ask("list_hook_types", &either.with(json!({}))));
    let odd = Credential { id: root.id.clone(), token: "not hexadecimal".to_owned() };
    assert!(failed(&talk.ask("list_hook_types", &odd.with(json!({})))).contains("InvalidAuthTokenError"));
    let none = talk.ask("list_hook_types", &json!({ "access_key_id": null }));
    assert_eq!(failed(&none), "Authorization Required KeyError - 'access_key_id'");
    assert_eq!(failed(&talk.raw(b"list_hook_types")), "Authorization Required|Received No Data");
}

/// Rows 1, 2, 3 and 5 of what ended a listener there.
#[test]
fn whatever_is_said_gets_an_answer_and_ends_no_listener() {
    let (site, ..) = site();
    let sized = |bytes: usize| format!("status {{\"a\": \"{}\"}}", "x".repeat(bytes - 15)).into_bytes();
    let list = |text: &str| text.as_bytes().to_vec();
    for way in WAYS {
        for (text, state) in [
            (sized(1_025), true),
            (sized(1 << 20), true),
            (list("status {bad"), false),
            (list("status {\"a\": 1"), false),
            (list("status [1, 2]"), false),
            (list("status {\"a\": 1} {\"b\": 2}"), false),
            (list("status\n"), false),
            (list("\n"), false),
            (list("STATUS"), false),
            (list("authorize {\"access_key_id\": 5}"), false),
            (list("authorize {}"), false),
            (list("authorize"), false),
            (list("unlock []"), false),
            (b"status {\"a\": \"\xff\"}".to_vec(), false),
            (b"\xff\xfe\x00".to_vec(), false),
            (sized(4 << 20), false),
        ] {
            let shown = String::from_utf8_lossy(&text[..text.len().min(40)]).into_owned();
            if text == b"status {\"a\": 1" && way != Way::Web {
                // what is not whole is waited for, until its sender gives up
                Talk::begin(&site, way).say(&text);
                continue;
            }
            let answer = Talk::begin(&site, way).raw(&text);
            assert_eq!(answer["result"]["state"], state, "{way:?} {shown}: {answer}");
        }
        let mut talk = Talk::begin(&site, way);
        failed(&talk.raw(b"status {bad"));
        done(talk.raw(b"status"));
        assert_eq!(failed(&talk.raw(b"nonsense")), "Invalid Command|No Such command: 'nonsense'");
        talk.say(b"close");
        // it has no answer that could be waited for
        clock::pause(Duration::from_millis(300));
        done(talk.raw(b"status {}"));
    }
    unharmed(&site);
}

#[test]
fn a_request_may_come_in_any_pieces_and_an_answer_comes_in_one() {
    let (site, ..) = site();
    let mut stream = over_unix(&site);
    // a word alone may be all, and is waited for no longer than a moment; what has begun with a brace is waited for
    stream.write_all(b"status {").unwrap();
    for byte in b"\"a\": [1, \"}\"]}" {
        stream.write_all(&[*byte]).unwrap();
        stream.flush().unwrap();
    }
    let mut answer = [0; 1_024];
    let length = stream.read(&mut answer).unwrap();
    let whole: Value = serde_json::from_slice(&answer[..length]).unwrap();
    done(whole);
    assert_eq!(stream.conn.protocol_version(), Some(rustls::ProtocolVersion::TLSv1_3));
    assert_eq!(stream.conn.alpn_protocol(), None);
    for (version, spoken) in [("-tls1_3", true), ("-tls1_2", false)] {
        let address = address_of(&site, "wire").to_string();
        let mut openssl = std::process::Command::new("openssl");
        openssl.args(["s_client", "-connect", &address, version]).stdin(std::process::Stdio::null());
        assert_eq!(openssl.output().unwrap().status.success(), spoken, "{version}");
    }
    // gone without a word: neither the socket nor anybody else minds
    drop(stream);
    unharmed(&site);
}

/// Row 6.
#[test]
fn two_hundred_silent_connections_keep_nobody_waiting() {
    let (site, ..) = site();
    let idle: Vec<_> = (0..200)
        .map(|at| {
            let mut stream = over_tcp(&site, if at % 2 == 0 { "wire" } else { "web" });
            if at % 3 != 0 {
                stream.conn.complete_io(&mut stream.sock).unwrap();
            }
            stream
        })
        .collect();
    unharmed(&site);
    drop(idle);
    unharmed(&site);
}

#[test]
fn a_hundred_clients_at_once_are_served_on_each_listener() {
    let (site, _, root) = site();
    for way in WAYS {
        std::thread::scope(|scope| {
            for _ in 0..100 {
                scope.spawn(|| {
                    let mut talk = Talk::begin(&site, way);
                    for _ in 0..3 {
                        done(talk.ask("list_hook_types", &root.with(json!({}))));
                    }
                });
            }
        });
    }
    unharmed(&site);
}

/// Row 7.
#[test]
fn hup_under_load_drops_nobody_and_leaves_it_unlocked() {
    let (site, _, root) = site();
    let over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        for way in WAYS {
            let (site, root, over) = (&site, &root, &over);
            scope.spawn(move || {
                let mut talk = Talk::begin(site, way);
                while !over.load(Ordering::Relaxed) {
                    done(talk.ask("list_hook_types", &root.with(json!({}))));
                }
            });
        }
        for _ in 0..5 {
            site.served().signal(Signal::HUP);
            clock::pause(Duration::from_millis(100));
        }
        clock::soon("it has reloaded", || site.served().log_text().matches("reloaded").count() >= 1);
        over.store(true, Ordering::Relaxed);
    });
    assert_eq!(done(Talk::begin(&site, Way::Tcp).raw(b"status"))["locked"], false);
}

/// Row 8.
#[test]
fn a_websocket_alone_is_served_and_logged_in_to() {
    let sections: Vec<&str> =
        OPEN.split("\n\n").filter(|section| !section.contains("listener.wire")).collect();
    let (site, _, root) = site_with(&sections.join("\n\n"));
    let mut talk = Talk::begin(&site, Way::Web);
    let got = talk.authorize(&site.home, "root.key", &root.id);
    done(talk.ask("list_hook_types", &got.with(json!({}))));
    // a page of another site opens no socket, and what is no WebSocket is none
    let address = address_of(&site, "web");
    for lines in ["origin: https://evil.example\r\n", "host: evil.example\r\n"] {
        let host = if lines.starts_with("host") { String::new() } else { format!("host: {address}\r\n") };
        let request = format!(
            "GET / HTTP/1.1\r\n{host}{lines}connection: upgrade\r\nupgrade: websocket\r\n\
             sec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
        );
        let mut stream = over_tcp(&site, "web");
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer);
        let answer = String::from_utf8_lossy(&answer);
        assert!(answer.starts_with("HTTP/1.1 403") || answer.starts_with("HTTP/1.1 421"), "{answer}");
    }
    let mut plain = over_tcp(&site, "web");
    plain.write_all(b"status {}").unwrap();
    drop(plain);
    done(Talk::begin(&site, Way::Web).raw(b"status"));
}

#[test]
fn abrt_ends_it_in_good_order() {
    let (mut site, ..) = site();
    assert_eq!(site.served.take().unwrap().stop(Signal::ABORT).code(), Some(0));
    assert!(!site.home.join("convection.sock").exists(), "the socket is gone");
}

#[test]
fn a_log_file_is_opened_anew_at_hup() {
    let home = Home::new();
    let (log, moved) = (home.join("server.log"), home.join("server.log.1"));
    let named = format!("log = \"info\"\nlog_file = \"{}\"", log.display());
    let config = production(&home, "").replace("log = \"info\"", &named);
    let site = Site::of(home, config);
    std::fs::rename(&log, &moved).unwrap();
    site.served().signal(Signal::HUP);
    clock::soon("a new file", || std::fs::read_to_string(&log).is_ok_and(|text| text.contains("reloaded")));
    assert!(std::fs::read_to_string(&moved).unwrap().contains("listening"));
}
