//! Directories that the original wrote (`data/write.py`), opened and planned.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test: what fails here is its finding")]

use serde_json::Value;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use strongroom_convection::fernet::FernetKey;
use strongroom_convection::moving::{AclReport, Kind, Plan, RuleCovers, Wishes};
use strongroom_convection::storage::{FileFault, Folder, Opened, Opening};

fn data(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data").join(name)
}

fn expected() -> Value {
    serde_json::from_slice(&std::fs::read(data("expected.json")).unwrap()).unwrap()
}

fn key(place: usize) -> FernetKey {
    FernetKey::parse(expected()["unlock_keys"][place].as_str().unwrap().as_bytes()).unwrap()
}

fn files(of: &Path, within: &str, into: &mut Vec<(String, Vec<u8>)>) {
    for entry in std::fs::read_dir(of).unwrap() {
        let entry = entry.unwrap();
        let name = format!("{within}{}", entry.file_name().to_str().unwrap());
        if entry.file_type().unwrap().is_dir() {
            files(&entry.path(), &format!("{name}/"), into);
        } else {
            into.push((name, std::fs::read(entry.path()).unwrap()));
        }
    }
}

/// The directory, with some files changed: `None` takes one away.
fn folder(name: &str, changes: &[(&str, Option<&[u8]>)]) -> Folder {
    let mut found = Vec::new();
    files(&data(name), "", &mut found);
    found.retain(|(file, _)| !changes.iter().any(|(changed, _)| changed == file));
    let mut folder = Folder::default();
    for (file, bytes) in found {
        folder.add(file, bytes);
    }
    for (file, bytes) in changes.iter().filter_map(|(file, bytes)| Some((*file, (*bytes)?))) {
        folder.add(file, bytes.to_vec());
    }
    folder
}

fn open(name: &str, how: &Opening) -> Opened {
    folder(name, &[]).open(&key(0), how).unwrap()
}

fn wishes() -> Wishes {
    let mut wishes = Wishes::default();
    wishes.renames.add("store:team/app=team-app").unwrap();
    wishes
}

#[track_caller]
fn holds_everything(opened: &Opened) {
    assert_eq!(opened.faults, []);
    assert_eq!(opened.strays, [""; 0]);
    let expected = expected();
    let stores = expected["stores"].as_object().unwrap();
    assert_eq!(opened.stores.len(), stores.len());
    for store in &opened.stores {
        let known = &stores[&store.name];
        assert_eq!(
            (&store.store_type, store.keyset()),
            (&known["type"].as_str().unwrap().to_owned(), known["keyset"].as_str().unwrap())
        );
        let secrets = known["secrets"].as_object().unwrap();
        assert_eq!(store.contents.secrets.len(), secrets.len(), "{}", store.name);
        for secret in &store.contents.secrets {
            let value: Value = secret.value.expose(|json| serde_json::from_slice(json).unwrap());
            assert_eq!(value, secrets[&secret.name], "{}", secret.name);
            assert!(!secret.told_as_text);
        }
    }
    let people = opened.people.as_ref().unwrap();
    let users: BTreeSet<&str> = people.users.iter().map(|user| user.name.as_str()).collect();
    assert_eq!(users, ["ann", "bob", "recovery", "root", "zoë"].into());
    for user in &people.users {
        let ids: Vec<_> = user.keys.iter().map(|key| Value::from(key.id.as_str())).collect();
        let known =
            expected["users"][&user.name].as_array().unwrap().iter().map(|key| key["access_key_id"].clone());
        assert_eq!(ids, known.collect::<Vec<_>>(), "{}", user.name);
    }
    assert_eq!(
        people.groups.iter().map(|group| group.name.as_str()).collect::<Vec<_>>(),
        ["devs", "empty", "ops ü"]
    );
    assert_eq!(people.acls.len(), 2 + expected["acls"].as_object().unwrap().len());
}

#[test]
fn a_directory_opens_with_each_of_its_unlock_keys() {
    for place in [0, 1] {
        let opened = folder("whole", &[]).open(&key(place), &Opening::default()).unwrap();
        holds_everything(&opened);
        assert_eq!(opened.keysets, ["vault-keys", "web-keys"]);
        assert!(opened.mapped && opened.stores.iter().all(|store| store.opened_by == store.keyset()));
    }
}

#[test]
fn a_rotation_that_broke_off_loses_nothing_and_is_told() {
    let opened = open("half-rotated", &Opening::default());
    holds_everything(&opened);
    assert_eq!(opened.keysets, ["vault-keys", "web-keys"]);
    let by = |name: &str| &opened.stores.iter().find(|store| store.name == name).unwrap().opened_by;
    assert_eq!((by("web").as_str(), by("team/app").as_str()), ("ROTATED_web-keys", "web-keys"));
}

#[test]
fn without_a_map_keysets_are_tried_or_given() {
    let opened = open("no-keymap", &Opening::default());
    holds_everything(&opened);
    assert!(!opened.mapped);
    let map =
        |keyset: &str| Opening { map: [("web".to_owned(), keyset.to_owned())].into(), ..Opening::default() };
    holds_everything(&open("no-keymap", &map("web-keys")));
    for (keyset, fault) in [
        ("vault-keys", FileFault::NoKeyset { tried: vec!["vault-keys".to_owned()] }),
        ("others", FileFault::NoSuchKeyset { keyset: "others".to_owned() }),
    ] {
        let opened = open("no-keymap", &map(keyset));
        assert_eq!(opened.faults.len(), 1);
        assert_eq!((opened.faults[0].file.as_str(), &opened.faults[0].fault), ("secrets/web", &fault));
    }
}

#[test]
fn what_is_wrong_is_told_with_its_file() {
    let other = FernetKey::parse(b"cw_0x689RpI-jtRR7oE8h_eQsKImvJapLeSbXpwF4e4=").unwrap();
    let wrong = folder("whole", &[]).open(&other, &Opening::default()).unwrap_err();
    assert_eq!((wrong.file.as_str(), wrong.fault), ("root.key", FileFault::UnlockKey { count: 2 }));
    let at_once: [(&str, Option<&[u8]>, &str); 4] = [
        ("root.key", None, "root.key: is not there"),
        ("root.key", Some(b""), "root.key: is empty"),
        ("root.key", Some(b"hello\n"), "root.key: not a Fernet token, or a damaged one"),
        ("keymap.db", Some(b"gAAA"), "keymap.db: not a Fernet token, or a damaged one"),
    ];
    for (file, bytes, told) in at_once {
        let fault = folder("whole", &[(file, bytes)]).open(&key(0), &Opening::default()).unwrap_err();
        assert_eq!(fault.to_string(), told);
    }
    let gathered: [(&str, Option<&[u8]>, &str); 4] = [
        ("secrets/web", Some(b""), "secrets/web: is empty"),
        ("secrets/web", None, "secrets/web: is not there"),
        ("auth.db", Some(b" \n"), "auth.db: is empty"),
        (
            "web-keys.key",
            Some(b"x"),
            "secrets/web: it needs keyset web-keys, whose file web-keys.key does not open",
        ),
    ];
    for (file, bytes, told) in gathered {
        let opened = folder("whole", &[(file, bytes)]).open(&key(0), &Opening::default()).unwrap();
        assert!(opened.faults.iter().any(|fault| fault.to_string() == told), "{:?}", opened.faults);
    }
    let how = Opening { leave_out: ["web".to_owned()].into(), ..Opening::default() };
    let opened = folder("whole", &[("secrets/web", Some(b""))]).open(&key(0), &how).unwrap();
    assert_eq!((opened.faults, opened.stores.len()), (vec![], 4));
}

/// Every prefix, and a flipped bit in every tenth byte, of every file.
#[test]
fn no_damage_goes_unnoticed() {
    let mut found = Vec::new();
    files(&data("whole"), "", &mut found);
    for (file, bytes) in found {
        let cut = |length: usize| bytes[..length].to_vec();
        let flipped = |at: usize| {
            let mut bytes = bytes.clone();
            bytes[at] ^= 1;
            bytes
        };
        let step = bytes.len() / 12;
        let cuts = (0..12).map(|part| cut(part * step));
        let damaged = cuts.chain((0..12).map(|part| flipped(part * step + step / 2)));
        for damaged in damaged.filter(|damaged| !(file == "root.key" && damaged.len() == bytes.len())) {
            let opened = folder("whole", &[(&file, Some(&damaged))]).open(&key(0), &Opening::default());
            let noticed = match &opened {
                Ok(opened) => !opened.faults.is_empty() || !opened.unneeded.is_empty(),
                Err(_) => true,
            };
            // of two sealings of the root key one is enough
            assert!(noticed || file == "root.key", "{file}");
        }
    }
}

#[test]
fn a_plan_takes_everything_that_can_be_taken_and_says_what_cannot() {
    let plan = Plan::of(open("whole", &Opening::default()), &wishes());
    assert_eq!(plan.refused, []);
    assert_eq!(plan.lost_denies, [""; 0]);
    assert_eq!((plan.secrets(), plan.secret_faults().count()), (19, 0));
    let bob = plan.users.iter().find(|user| user.name == "bob").unwrap();
    assert_eq!((bob.keys.len(), bob.key_faults.len()), (1, 1));
    assert!(bob.key_faults[0].1.to_string().contains("1024 bits"), "{:?}", bob.key_faults);
    let root = plan.users.iter().find(|user| user.name == "root").unwrap();
    assert!(root.keys.is_empty() && root.acls.is_empty());
    let pw = plan.stores.iter().find(|store| store.name == "pw").unwrap();
    assert_eq!(pw.store_type, "user");
    pw.secrets[0]
        .value
        .expose(|json| assert_eq!(json, r#"{"username":"given","password":"by-hand é"}"#.as_bytes()));
    let unnamed = Plan::of(open("whole", &Opening::default()), &Wishes::default());
    assert_eq!(unnamed.refused.len(), 1);
    assert_eq!((unnamed.refused[0].kind, unnamed.refused[0].proposed.as_str()), (Kind::Store, "team-app"));
}

#[test]
fn acls_keep_their_reach_or_say_how_it_changes() {
    let plan = Plan::of(open("whole", &Opening::default()), &wishes());
    let covers = |name: &str| &plan.acls.iter().find(|acl| acl.name == name).unwrap().rule.covers;
    let texts = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
    assert_eq!(
        *covers("web-read"),
        RuleCovers::Stores { stores: texts(&[".*web.*"]), secrets: texts(&[".*"]) }
    );
    assert_eq!(
        *covers("web-write"),
        RuleCovers::Stores { stores: texts(&["web"]), secrets: texts(&["app/.*"]) }
    );
    assert_eq!(*covers("get-only"), RuleCovers::Commands(texts(&[".*get_secret.*", "authorize"])));
    assert_eq!(*covers("anything"), RuleCovers::Everything);
    let RuleCovers::Commands(all) = covers("root_any_command") else { panic!("commands") };
    assert!(all.len() > 30 && all.contains(&"create_acl".to_owned()), "never what the original did not have");
    let report = |name: &str| &plan.acl_report.iter().find(|(of, _)| of == name).unwrap().1;
    assert!(report("get-only").contains(&AclReport::OpensNoSecret(vec!["get_secret"])));
    assert!(report("no-delete").iter().any(|one| matches!(one, AclReport::DeniesAll(_))));
    assert!(
        report("web-read")
            .iter()
            .any(|one| matches!(one, AclReport::TooNarrow(commands) if commands.contains(&"create_secret")))
    );
    // ann: get_secret was open everywhere by get-only; web-read was too narrow for web-write's writing
    let of = |user: &str, command: &str| {
        plan.reach
            .differences
            .iter()
            .filter(move |one| one.users.iter().any(|name| name == user) && one.command == command)
            .collect::<Vec<_>>()
    };
    let lost = of("ann", "get_secret");
    assert!(
        lost.iter().any(|one| one.store.as_deref() == Some("vault") && !one.now && one.count == 1),
        "{lost:?}"
    );
    let won = of("ann", "update_secret");
    assert_eq!((won.len(), won[0].now, won[0].examples.clone()), (1, true, texts(&["app/über"])), "{won:?}");
    // a deny of everything denied everything, and does
    assert!(of("bob", "get_secret").is_empty() && of("bob", "list_users").is_empty());
    // everything but the vault
    assert_eq!(of("zoë", "get_secret"), Vec::<&strongroom_convection::moving::Difference>::new());
    assert!(plan.reach.unknown.is_empty() && !plan.reach.cut && plan.reach.asked > 200);
}
