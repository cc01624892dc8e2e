//! Moving in from a storage directory that the original wrote (`crates/convection/tests/data`).

use crate::home::{Done, Home};
use crate::served::Served;
use serde_json::{Value, json};
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

fn data(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../convection/tests/data").join(name)
}

fn expected() -> Value {
    serde_json::from_slice(&std::fs::read(data("expected.json")).unwrap()).unwrap()
}

/// A server, and a user of it whose home has an unlock key.
fn ready() -> (Home, Served) {
    let home = Home::new();
    let served = Served::dev(&home);
    home.file("unlock.key", format!("{}\n", expected()["unlock_keys"][1].as_str().unwrap()));
    (home, served)
}

fn import(home: &Home, dir: &Path, more: &[&str]) -> Done {
    let line = [
        "import",
        "convection",
        dir.to_str().unwrap(),
        "--unlock-key-file",
        "unlock.key",
        "--output",
        "json",
    ];
    home.run(&[line.as_slice(), more].concat())
}

const RENAMED: [&str; 2] = ["--rename", "store:team/app=team-app"];

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).unwrap();
        }
    }
}

/// The names of what there is: stores, users, ACLs.
fn names(home: &Home) -> Vec<String> {
    let of = |command: &str, rows: &str| {
        let list = home.run(&[command, "list", "--output", "json"]).json();
        let names = list[rows].as_array().unwrap().iter().map(|row| row["name"].as_str().unwrap().to_owned());
        names.collect::<Vec<_>>()
    };
    [of("store", "stores"), of("user", "users"), of("acl", "acls"), of("keyset", "keysets")].concat()
}

fn states(report: &Value, state: &str) -> u64 {
    report["counts"].as_object().unwrap().values().filter_map(|of| of[state].as_u64()).sum()
}

#[test]
fn everything_is_brought_over_and_a_second_run_changes_nothing() {
    let (home, _served) = ready();
    let (expected, before) = (expected(), names(&home));

    let refused = import(&home, &data("whole"), &[]);
    let report: Value = serde_json::from_str(&refused.out).unwrap();
    assert_eq!(report["refused_names"][0]["proposed"], "team-app");
    assert!(refused.refused().contains("nothing was written"));
    let planned = import(&home, &data("whole"), &[RENAMED.as_slice(), &["--dry-run"]].concat()).json();
    assert_eq!((states(&planned, "made"), &planned["verified"]), (0, &json!(0)));
    assert_eq!(names(&home), before, "nothing was written so far");

    let report =
        import(&home, &data("whole"), &[RENAMED.as_slice(), &["--report", "report.json"]].concat()).json();
    assert_eq!(
        (states(&report, "missing"), states(&report, "failed"), &report["verified"]),
        (0, 0, &json!(19))
    );
    let written: Value =
        serde_json::from_str(&std::fs::read_to_string(home.join("report.json")).unwrap()).unwrap();
    assert_eq!(written, report);
    assert!(!report.to_string().contains("by-hand"), "a value in the report");
    for (store, known) in expected["stores"].as_object().unwrap() {
        let (store, of_users) = (store.replace('/', "-"), known["type"] == "passdb");
        let info = home.run(&["store", "show", &store, "--output", "json"]).json();
        assert_eq!(
            (&info["keyset"], &info["type"]),
            (&known["keyset"], &json!(if of_users { "user" } else { "generic" }))
        );
        let secrets = known["secrets"].as_object().unwrap();
        assert_eq!(info["secrets"], secrets.len());
        for (name, value) in secrets {
            let got = home.run(&["secret", "get", &store, name, "--output", "json"]).json();
            let value = if of_users { json!({ "username": name, "password": value }) } else { value.clone() };
            assert_eq!(got["value"], value, "{store} {name}");
        }
    }
    let group = home.run(&["group", "show", "devs", "--output", "json"]).json();
    let sorted = |of: &str| {
        let mut names: Vec<_> =
            group[of].as_array().unwrap().iter().map(|name| name.as_str().unwrap()).collect();
        names.sort_unstable();
        names.join(" ")
    };
    assert_eq!((sorted("members"), sorted("acls")), ("ann bob".to_owned(), "get-only web-read".to_owned()));

    let again = import(&home, &data("whole"), &RENAMED).json();
    assert_eq!(
        (states(&again, "made"), states(&again, "there")),
        (0, states(&report, "made") + states(&report, "there"))
    );
    assert_eq!(again["verified"], 19);
    home.file("value", "\"other\"");
    home.run(&["secret", "put", "web", "db", "--value", "@value", "--json"]).ok();
    home.run(&["acl", "remove", "web-read", "--force"]).ok();
    let conflict = import(&home, &data("whole"), &RENAMED);
    let report: Value = serde_json::from_str(&conflict.out).unwrap();
    assert_eq!((&report["rows"][0]["name"], states(&report, "missing")), (&json!("web/db"), 2));
    assert!(conflict.refused().contains("nothing was written"));
    assert!(!names(&home).contains(&"web-read".to_owned()));
    // what an interrupted run left undone is done by the next
    import(&home, &data("whole"), &[RENAMED.as_slice(), &["--leave-out", "secret:web/db"]].concat()).ok();
    assert!(names(&home).contains(&"web-read".to_owned()));
}

#[test]
fn users_go_on_with_their_access_keys_and_their_ids() {
    let (home, served) = ready();
    import(&home, &data("whole"), &RENAMED).ok();
    let ann = Home::new();
    let place = ["--address", &served.address, "--cacert", served.authority.to_str().unwrap()];
    let run = |line: &[&str]| ann.run(&[line, &place].concat());
    let login = |user: &str| {
        let known = expected();
        let key = &known["users"][user][0];
        ann.file("key.pem", key["private_key"].as_str().unwrap());
        run(&["login", "--access-key-id", key["access_key_id"].as_str().unwrap(), "--key", "key.pem"])
    };
    login("ann").ok();
    assert_eq!(run(&["secret", "get", "web", "app/über"]).ok(), "naïve 中文 😀");
    run(&["secret", "get", "vault", "only"]).refused();
    login("zoë").ok();
    assert_eq!(run(&["secret", "get", "team-app", "key"]).ok(), "in a folder");
    run(&["secret", "get", "vault", "only"]).refused();
    login("recovery").ok();
    assert_eq!(run(&["secret", "get", "vault", "only"]).ok(), "here");
    login("root").refused();
    // an id is one key's
    let id = expected()["users"]["ann"][0]["access_key_id"].clone();
    let root = std::fs::read_to_string(home.join(".local/state/strongroom/tokens/dev")).unwrap();
    let client = served.client().with_token(root.trim());
    let pem = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAw x";
    for (id, status) in [(id, 409), (json!("00000000000000000000000000000000"), 409), (json!("x"), 400)] {
        let body = json!({ "public_key": pem, "id": id }).to_string();
        assert_eq!(client.post("/users/bob/access-keys", body).status, status);
    }
}

#[test]
fn a_broken_rotation_and_a_lost_map_are_overcome_and_told() {
    let (home, _served) = ready();
    let store = |report: &Value, name: &str| {
        let stores = report["stores"].as_array().unwrap().clone();
        stores.into_iter().find(|store| store["old"] == name).unwrap()
    };
    let report = import(&home, &data("half-rotated"), &[RENAMED.as_slice(), &["--dry-run"]].concat()).json();
    let web = store(&report, "web");
    assert_eq!((&web["attached"], &web["opened_by"]), (&json!("web-keys"), &json!("ROTATED_web-keys")));
    assert_eq!(store(&report, "team/app")["opened_by"], "web-keys");
    assert!(states(&report, "missing") > 40, "{report}");

    let more = ["--map", "web=web-keys", "--rename-as-proposed", "--dry-run"];
    let report = import(&home, &data("no-keymap"), &more).json();
    assert_eq!((&report["keymap"], &store(&report, "pw")["type"]), (&json!(false), &json!("user")));
    let wrong =
        import(&home, &data("no-keymap"), &["--map", "web=vault-keys", "--rename-as-proposed"]).refused();
    assert!(wrong.contains("secrets/web: no keyset opens it; tried: vault-keys"), "{wrong}");
    let unknown = import(&home, &data("whole"), &["--map", "wob=web-keys"]).refused();
    assert!(unknown.contains("nothing has the name in wob"), "{unknown}");
}

/// What is done to a directory of the original's.
type Change<'a> = &'a dyn Fn(&Path);

#[test]
fn what_is_damaged_foreign_or_too_much_is_named_and_nothing_is_written() {
    let (home, _served) = ready();
    let before = names(&home);
    let dir = home.join("original");
    let said = |change: &dyn Fn(&Path)| {
        let _ = std::fs::remove_dir_all(&dir);
        copy(&data("whole"), &dir);
        change(&dir);
        import(&home, &dir, &RENAMED).refused()
    };
    let web = |dir: &Path| dir.join("secrets/web");
    let changes: [(Change<'_>, &str); 6] = [
        (
            &|dir| std::fs::write(web(dir), &std::fs::read(web(dir)).unwrap()[..500]).unwrap(),
            "original/secrets/web: not a Fernet token",
        ),
        (&|dir| std::fs::write(dir.join("auth.db"), "").unwrap(), "original/auth.db: is empty"),
        (&|dir| std::fs::remove_file(dir.join("root.key")).unwrap(), "original/root.key: is not there"),
        (
            &|dir| symlink("/etc/passwd", dir.join("secrets/link")).unwrap(),
            "original/secrets/link: is a symbolic link",
        ),
        (
            &|dir| std::fs::File::create(web(dir)).unwrap().set_len(100_000_001).unwrap(),
            "original/secrets/web: is larger than",
        ),
        (
            &|dir| drop(std::os::unix::net::UnixListener::bind(dir.join("s")).unwrap()),
            "original/s: neither a file nor a folder",
        ),
    ];
    for (change, told) in changes {
        let said = said(change);
        assert!(said.contains(told), "{said}");
    }
    home.file("unlock.key", "cw_0x689RpI-jtRR7oE8h_eQsKImvJapLeSbXpwF4e4=");
    let wrong = said(&|_| ());
    assert!(wrong.contains("original/root.key: the unlock key opens none of the 2 keys in it"), "{wrong}");
    assert!(import(&home, Path::new("nowhere"), &[]).refused().contains("nowhere: "));
    home.file("unlock.key", "hunter2");
    let wrong = said(&|_| ());
    assert!(wrong.contains("not a Fernet key") && !wrong.contains("hunter2"), "{wrong}");
    assert_eq!(names(&home), before);
}

#[test]
fn a_configuration_is_translated_and_what_it_does_not_know_is_named() {
    let home = Home::new();
    std::fs::create_dir_all(home.join("etc/convection-secrets")).unwrap();
    let file = "etc/convection-secrets/convection-secrets.toml";
    home.file(
        file,
        "[service]\nsocket_path = \"/run/c.sock\"\nuse_network = true\n[config]\npath = \"/srv/c\"\n",
    );
    let translated = home.run(&["import", "convection", "--config", "etc"]).ok();
    assert!(
        translated.contains("data_dir = \"/srv/c\"") && translated.contains("unix:/run/c.sock"),
        "{translated}"
    );
    assert!(translated.contains("127.0.0.1:9670"), "{translated}");
    home.file(file, "colour = 1\n[service]\nsocket_path = \"/run/c.sock\"\n");
    let done = home.run(&["import", "convection", "--config", file]);
    assert!(
        done.out.contains("unix:/run/c.sock") && done.err.contains("line 1: colour: unknown key"),
        "{done:?}"
    );
    done.refused();
    assert_eq!(home.run(&["import", "convection"]).code, Some(2));
}
