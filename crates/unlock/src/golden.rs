//! Every root record and unlock key that a release could have written opens for ever.

use crate::{
    AutoUnlock, AutoWrapping, Judgement, KeyFile, Pending, PendingPurpose, Progress, RootRecord, UnlockKey,
    UnlockSet,
};
use data_encoding::HEXLOWER;
use serde_json::{Value, json};
use std::sync::Arc;
use strongroom_ambient::{Ambient, FakeClock, SeededEntropy, UnixMillis};
use strongroom_keyring::RootKey;
use strongroom_secret::SecretBytes;

const VECTOR: &str = include_str!("../../../vectors/unlock/unlock-set-v1.json");

fn vector() -> Value {
    serde_json::from_str(VECTOR).unwrap()
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap()
}

fn hex(value: &Value) -> Vec<u8> {
    HEXLOWER.decode(text(value).as_bytes()).unwrap()
}

fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().unwrap().iter()
}

fn printable(secret: &SecretBytes) -> String {
    secret.expose(|bytes| String::from_utf8(bytes.to_vec()).unwrap())
}

/// Presents keys, as typed, until the root key opens.
fn unlock<'a>(set: &UnlockSet, typed: impl Iterator<Item = &'a Value>) -> RootKey {
    let mut progress = Progress::new(set);
    for typed in typed {
        let key = UnlockKey::parse(text(typed).as_bytes()).unwrap();
        match progress.present(set, &key) {
            Judgement::Accepted { .. } => {}
            Judgement::Complete(root) => return root,
            other => panic!("{other:?}"),
        }
    }
    panic!("too few keys")
}

fn assert_is(root: &RootKey, expected: &Value) {
    assert_eq!(root.expose(|bytes| HEXLOWER.encode(bytes)), text(expected));
}

#[test]
fn the_first_format_opens() {
    for case in list(&vector()["cases"]) {
        let record = RootRecord::decode(&hex(&case["record"])).unwrap();
        assert_eq!(record.encode(), hex(&case["record"]));
        let need = usize::from(record.current.threshold());
        let typed: Vec<&Value> = list(&case["unlock_keys"]).collect();
        for first in 0..=typed.len() - need {
            assert_is(&unlock(&record.current, typed[first..].iter().copied()), &case["root_key"]);
        }
        for auto in record.autos() {
            let file = KeyFile::parse(text(&case["key_file"]).as_bytes()).unwrap();
            assert_is(&file.unwrap(auto.blob(), &record.auto_context()).unwrap(), &case["root_key"]);
        }
        if let Some(pending) = &record.pending {
            assert_is(&unlock(&pending.set, list(&case["pending_unlock_keys"])), &case["pending_root_key"]);
        }
    }
}

/// The program still writes what the vectors hold, from the same seeds: a change of layout cannot slip in.
#[test]
fn the_first_format_is_what_is_written() {
    for case in list(&vector()["cases"]) {
        let number = |name: &str| case[name].as_u64().unwrap();
        let small = |name: &str| u8::try_from(number(name)).unwrap();
        let made = write_case(
            number("seed"),
            small("keys"),
            small("threshold"),
            case["pending_root_key"].is_string(),
        );
        assert_eq!(made, *case);
    }
}

fn write_case(seed: u64, keys: u8, threshold: u8, everything: bool) -> Value {
    let ambient = Ambient {
        clock: Arc::new(FakeClock::at(UnixMillis(1_763_780_000_000))),
        entropy: Arc::new(SeededEntropy::new(seed)),
    };
    let root = RootKey::filled(|bytes| ambient.entropy.fill(bytes));
    let (set, made) = UnlockSet::generate(&ambient, &root, seed, keys, threshold).unwrap();
    let mut record = RootRecord::new(ambient.random(), set);
    let mut case = json!({
        "seed": seed, "keys": keys, "threshold": threshold,
        "root_key": root.expose(|bytes| HEXLOWER.encode(bytes)),
        "unlock_keys": texts(&made),
    });
    if everything {
        add_everything(&ambient, &root, &mut record, &mut case);
    }
    case["record"] = HEXLOWER.encode(&record.encode()).into();
    case
}

fn texts(keys: &[UnlockKey]) -> Vec<String> {
    keys.iter().map(|key| printable(&key.to_text())).collect()
}

fn add_everything(ambient: &Ambient, root: &RootKey, record: &mut RootRecord, case: &mut Value) {
    let next = RootKey::filled(|bytes| ambient.entropy.fill(bytes));
    let (set, made) = UnlockSet::generate(ambient, &next, record.root_generation() + 1, 4, 2).unwrap();
    record.pending = Some(Pending { purpose: PendingPurpose::Rotation, set });
    let file = KeyFile::generate(ambient);
    let blob = file.wrap(ambient, root, &record.auto_context()).unwrap();
    record.put_auto(AutoWrapping::new(file.name(), blob, ambient.now().0).unwrap()).unwrap();
    (record.confirmed, record.auto_held) = (true, true);
    case["key_file"] = printable(&file.to_text()).into();
    case["pending_root_key"] = next.expose(|bytes| HEXLOWER.encode(bytes)).into();
    case["pending_unlock_keys"] = texts(&made).into();
}
