//! What holds of every type of store that is registered. A new type is judged by being there.

use crate::store_type::{Accepted, Order, TypeRef};
use crate::{TypeError, Value};
use strongroom_ambient::Ambient;
use strongroom_model::{JsonLimits, JsonText, MAX_VALUE_BYTES, ValueKind};
use strongroom_secret::SecretBytes;

fn json(text: &str) -> JsonText {
    JsonText::new(text.as_bytes(), JsonLimits::VALUE).unwrap()
}

fn text(value: &Value) -> String {
    value.bytes.expose(|bytes| String::from_utf8(bytes.to_vec()).unwrap())
}

fn accepted(known: TypeRef, example: &str) -> (Value, Accepted) {
    let value = Value::json(&json(example));
    let accepted = known.accept(&value, None).unwrap_or_else(|fault| panic!("{}: {fault}", known.name()));
    (value, accepted)
}

/// An example as it is kept.
fn kept(known: TypeRef, example: &str) -> Value {
    let (value, accepted) = accepted(known, example);
    accepted.value.unwrap_or(value)
}

/// What a type generates for the order that most of them understand.
fn generated(known: TypeRef, settings: &str) -> Option<Accepted> {
    let (settings, ambient) = (json(settings), Ambient::system());
    ["{}", r#"{"username":"app"}"#, r#"{"common_name":"a.example.org"}"#].into_iter().find_map(|wanted| {
        let wanted = json(wanted);
        let order = Order { wanted: &wanted, settings: &settings, beneath: None, ambient: &ambient };
        known.generate(&order).ok()
    })
}

#[test]
fn every_file_of_a_type_is_registered_once() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src/types");
    let mut files: Vec<String> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "rs"))
        .map(|path| path.file_stem().unwrap().to_str().unwrap().to_owned())
        .collect();
    files.sort();
    let mut names: Vec<&str> = TypeRef::all().map(|known| known.name()).collect();
    names.sort_unstable();
    assert_eq!(names, files);
    assert!(names.len() >= 4, "{names:?}");
}

#[test]
fn numbers_and_names_are_unique_and_lead_back() {
    for known in TypeRef::all() {
        assert_eq!(TypeRef::from_number(known.number()), Some(known));
        for name in known.aliases().iter().chain([&known.name()]) {
            assert_eq!(TypeRef::from_name(name), Some(known), "{name}");
        }
        assert!(known.version() >= 1 && !known.about().is_empty());
    }
    assert_eq!(TypeRef::from_name("nonsense"), None);
    assert_eq!(TypeRef::usual().name(), "generic");
}

#[test]
fn examples_are_accepted_and_what_is_kept_is_accepted_as_it_is() {
    for known in TypeRef::all() {
        assert!(!known.examples().is_empty(), "{}", known.name());
        for example in known.examples() {
            let kept = kept(known, &example);
            assert!(kept.bytes.len() <= MAX_VALUE_BYTES);
            let again = known.accept(&kept, None).unwrap();
            assert_eq!(again.facts, accepted(known, &example).1.facts, "{}", known.name());
            assert_eq!(again.value.map_or_else(|| text(&kept), |again| text(&again)), text(&kept));
        }
    }
}

#[test]
fn facts_are_an_object_and_tell_no_secret() {
    for known in TypeRef::all() {
        for example in known.examples() {
            let facts = accepted(known, &example).1.facts;
            if !facts.json.is_empty() {
                assert!(serde_json::from_str::<serde_json::Value>(&facts.json).unwrap().is_object());
            }
            assert_no_secret(known, &example, &facts.json);
            assert!(facts.expires.is_none() || known.expires());
        }
    }
}

/// No text of a secret field of an example stands in what may be told.
fn assert_no_secret(known: TypeRef, example: &str, told: &str) {
    let serde_json::Value::Object(fields) = serde_json::from_str(example).unwrap() else { return };
    for name in ["private_key", "password"] {
        if let Some(secret) = fields.get(name).and_then(|secret| secret.as_str()) {
            let line = secret.lines().find(|line| !line.starts_with('-')).unwrap_or(secret);
            assert!(!told.contains(line), "{} tells its {name}", known.name());
        }
    }
}

#[test]
fn public_halves_are_objects_without_the_secret_one_or_refused_by_name() {
    for known in TypeRef::all() {
        for example in known.examples() {
            match known.public(&kept(known, &example)) {
                Ok(public) => {
                    assert!(serde_json::from_str::<serde_json::Value>(public.as_str()).unwrap().is_object());
                    assert_no_secret(known, &example, public.as_str());
                }
                Err(fault) => assert_eq!(fault, TypeError::NoPublicHalf, "{}", known.name()),
            }
        }
    }
}

#[test]
fn settings_are_checked() {
    for known in TypeRef::all() {
        known.check_settings(&json("{}")).unwrap();
        for wrong in ["[]", "null", "7", r#"{"nonsense":1}"#] {
            assert!(known.check_settings(&json(wrong)).is_err(), "{} takes {wrong}", known.name());
        }
        for (name, about) in known.settings() {
            let wrong = format!("{{\"{name}\":{{}}}}");
            assert!(known.check_settings(&json(&wrong)).is_err(), "{} takes {wrong}", known.name());
            assert!(!about.is_empty());
        }
    }
}

#[test]
fn what_is_generated_is_accepted_and_never_comes_twice() {
    for known in TypeRef::all() {
        let Some(one) = generated(known, "{}").map(|made| made.value.unwrap()) else {
            let (wanted, settings, ambient) = (json("{}"), json("{}"), Ambient::system());
            let order = Order { wanted: &wanted, settings: &settings, beneath: None, ambient: &ambient };
            assert_eq!(known.generate(&order).unwrap_err(), TypeError::NoGenerator);
            continue;
        };
        assert!(known.accept(&one, None).is_ok());
        let two = generated(known, "{}").unwrap().value.unwrap();
        assert_ne!(text(&one), text(&two), "{}", known.name());
    }
}

#[test]
fn no_input_is_answered_by_a_panic_or_by_its_own_text() {
    let garbage: [&[u8]; 9] = [
        b"",
        b"null",
        b"{}",
        b"[[]]",
        b"\"hunter2hunter2\"",
        br#"{"username":"hunter2hunter2","password":17}"#,
        br#"{"private_key":"hunter2hunter2"}"#,
        br#"{"certificate":"hunter2hunter2","private_key":"-----BEGIN PRIVATE KEY-----\nhunter2hunter2"}"#,
        b"-----BEGIN PRIVATE KEY-----\nhunter2hunter2\n-----END PRIVATE KEY-----\n",
    ];
    for known in TypeRef::all() {
        for bytes in garbage {
            for kind in [ValueKind::Json, ValueKind::Bytes] {
                let value = Value { kind, bytes: SecretBytes::new(bytes.to_vec()) };
                if let Err(fault) = known.accept(&value, None) {
                    assert!(!fault.to_string().contains("hunter2"), "{}: {fault}", known.name());
                }
            }
        }
        for example in known.examples() {
            for cut in (0..example.len()).step_by(example.len() / 40 + 1) {
                let value = Value::bytes(SecretBytes::new(example.as_bytes()[..cut].to_vec()));
                let _verdict = known.accept(&value, None);
                let _verdict = known.builds_upon(&value);
            }
        }
    }
}

#[test]
fn a_store_decides_what_its_generator_makes() {
    let user = TypeRef::from_name("user").unwrap();
    let password = |settings: &str| {
        let made = generated(user, settings).unwrap();
        let fields: serde_json::Value = serde_json::from_str(&text(&made.value.unwrap())).unwrap();
        (fields["password"].as_str().unwrap().to_owned(), made.facts.json)
    };
    for (settings, length, allowed, bits) in [
        ("{}", 24, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789", "142.9"),
        (r#"{"length":40,"alphabet":"hex"}"#, 40, "0123456789abcdef", "160.0"),
        (r#"{"length":12,"characters":"xyz"}"#, 12, "xyz", "19.0"),
        (r#"{"length":4,"alphabet":"digits"}"#, 4, "0123456789", "13.2"),
    ] {
        let (made, facts) = password(settings);
        assert_eq!(made.chars().count(), length);
        assert!(made.chars().all(|character| allowed.contains(character)), "{settings}");
        assert_eq!(facts, format!("{{\"length\":{length},\"entropy_bits\":{bits}}}"));
    }
}
