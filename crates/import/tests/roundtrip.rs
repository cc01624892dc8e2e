//! What is written is read again.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test: what fails here is its finding")]

use proptest::prelude::*;
use strongroom_import::{Entry, Format, Reading, Value, env_file, json_file, read, yaml_file};
use strongroom_model::SecretPath;
use strongroom_secret::SecretBytes;

/// A value that can be made twice.
#[derive(Debug, Clone)]
enum Made {
    Text(String),
    Json(String),
    Bytes(Vec<u8>),
}

impl Made {
    fn value(&self) -> Value {
        match self {
            Self::Text(text) => Value::text(text),
            Self::Json(json) => Value::json(json),
            Self::Bytes(bytes) => Value::Bytes(SecretBytes::new(bytes.clone())),
        }
    }
}

fn texts() -> impl Strategy<Value = Made> {
    prop_oneof![any::<String>(), "[ -~\n\r\t'\"`$#\\\\]{0,40}", "(?s).{0,40}"].prop_map(Made::Text)
}

fn json() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        Just("null".to_owned()),
        any::<bool>().prop_map(|value| value.to_string()),
        any::<i128>().prop_map(|number| number.to_string()),
        "-?[1-9][0-9]{0,30}\\.[0-9]{1,9}([eE][+-]?[0-9]{1,4})?",
        any::<String>().prop_map(|text| serde_json::to_string(&text).unwrap()),
    ];
    leaf.prop_recursive(4, 30, 6, |inner| {
        let array =
            prop::collection::vec(inner.clone(), 0..5).prop_map(|items| format!("[{}]", items.join(", ")));
        let name = prop_oneof![any::<String>(), "[a-z]{90,130}"];
        let object = prop::collection::btree_map(name, inner, 0..5).prop_map(|members| {
            let member = |(name, value)| format!("{} : {value}", serde_json::to_string(&name).unwrap());
            format!("{{{}}}", members.into_iter().map(member).collect::<Vec<_>>().join(","))
        });
        prop_oneof![array, object]
    })
}

fn anything() -> impl Strategy<Value = Made> {
    prop_oneof![
        texts(),
        json().prop_map(Made::Json),
        prop::collection::vec(any::<u8>(), 0..100).prop_map(Made::Bytes)
    ]
}

fn paths() -> impl Strategy<Value = String> {
    prop_oneof!["[a-zA-Z0-9_.:~ -]{1,12}(/[a-zü#&*!|>%@'\"]{1,12}){0,3}", "[ä-ü]{80,120}"]
        .prop_filter("a path", |path| SecretPath::new(path).is_ok())
}

fn named(
    names: impl Strategy<Value = String>,
    values: impl Strategy<Value = Made>,
) -> impl Strategy<Value = Vec<(String, Value)>> {
    prop::collection::btree_map(names, values, 0..12)
        .prop_map(|all| all.into_iter().map(|(name, made)| (name, made.value())).collect())
}

fn again(format: Format, file: &SecretBytes) -> Vec<Entry> {
    file.expose(|bytes| {
        read(format, bytes, &Reading::default())
            .unwrap_or_else(|error| panic!("{error}\n{}", String::from_utf8_lossy(bytes)))
    })
}

fn borrowed(entries: &[(String, Value)]) -> impl Clone + Iterator<Item = (&str, &Value)> {
    entries.iter().map(|(path, value)| (path.as_str(), value))
}

fn shown(value: &Value) -> String {
    let text = |bytes: &SecretBytes| bytes.expose(|bytes| String::from_utf8_lossy(bytes).into_owned());
    match value {
        Value::Json(json) => text(json),
        Value::Bytes(bytes) => format!("bytes {}", text(bytes)),
    }
}

/// Without the spaces between tokens: numbers keep their digits.
fn tight(json: &str) -> String {
    use serde_json::value::RawValue;
    match json.as_bytes().first() {
        Some(b'[') => {
            let items: Vec<&RawValue> = serde_json::from_str(json).unwrap();
            format!("[{}]", items.iter().map(|item| tight(item.get())).collect::<Vec<_>>().join(","))
        }
        Some(b'{') => {
            let members: std::collections::BTreeMap<String, &RawValue> = serde_json::from_str(json).unwrap();
            let member = |(name, value): (&String, &&RawValue)| format!("{name:?}:{}", tight(value.get()));
            format!("{{{}}}", members.iter().map(member).collect::<Vec<_>>().join(","))
        }
        Some(b'"') => serde_json::from_str::<String>(json).unwrap(),
        _ => json.to_owned(),
    }
}

fn same(found: &[Entry], entries: &[(String, Value)], same: impl Fn(&Value, &Value) -> bool) {
    assert_eq!(found.len(), entries.len());
    for (path, value) in entries {
        let entry = found.iter().find(|entry| entry.path.as_str() == path).unwrap();
        assert!(same(&entry.value, value), "{path}: {} is not {}", shown(&entry.value), shown(value));
    }
}

proptest! {
    #[test]
    fn json_comes_back_to_the_byte(entries in named(paths(), anything())) {
        let file = json_file(&borrowed(&entries));
        same(&again(Format::Json, &file), &entries, Value::same_as);
    }

    #[test]
    fn yaml_comes_back_but_for_spaces(entries in named(paths(), anything())) {
        let file = yaml_file(&borrowed(&entries));
        same(&again(Format::Yaml, &file), &entries, |found, value| match (found, value) {
            (Value::Json(_), Value::Json(_)) => tight(&shown(found)) == tight(&shown(value)),
            _ => found.same_as(value),
        });
    }

    #[test]
    fn texts_come_back_from_an_env_file(entries in named("[A-Z_][A-Z0-9_]{0,20}[A-Z]", texts())) {
        let nul = entries.iter().any(|(_, value)| value.as_text().unwrap().expose(|text| text.contains(&0)));
        match env_file(borrowed(&entries)) {
            Ok(file) => same(&again(Format::Env, &file), &entries, Value::same_as),
            Err(error) => assert!(nul, "{error}"),
        }
    }

    #[test]
    fn a_shell_reads_an_env_file_as_it_is(text in "[ -&(-~\n]{0,60}") {
        let value = Value::text(&text);
        let file = env_file([("A", &value)]).unwrap();
        let script = file.expose(|file| format!("{}printf %s \"$A\"", String::from_utf8_lossy(file)));
        let shell = std::process::Command::new("/bin/sh").arg("-c").arg(script).output().unwrap();
        prop_assert_eq!(String::from_utf8(shell.stdout).unwrap(), text);
    }

    #[test]
    fn nothing_read_panics(bytes in prop::collection::vec(any::<u8>(), 0..200), flatten in any::<bool>()) {
        let reading = Reading { flatten, prefix: "x".to_owned() };
        for format in [Format::Env, Format::Json, Format::Yaml] {
            if let Ok(entries) = read(format, &bytes, &reading) {
                prop_assert!(entries.iter().all(|entry| entry.path.as_str().starts_with("x/")));
            }
        }
    }
}

#[test]
fn two_secrets_of_one_name_are_refused() {
    let value = Value::text("x");
    let error = env_file([("a/b", &value), ("a-b", &value)]).unwrap_err();
    assert_eq!(error.to_string(), "a/b and a-b would both be A_B; write JSON or YAML instead");
}

#[test]
fn what_is_too_large_is_refused() {
    let large = format!("A=1\nB={}\n", "x".repeat(1024 * 1024));
    let error = read(Format::Env, large.as_bytes(), &Reading::default()).unwrap_err();
    assert_eq!(error.to_string(), "2: the value of B is larger than 1048576 bytes");
    let huge = vec![b'#'; strongroom_import::MAX_FILE_BYTES + 1];
    let error = read(Format::Env, &huge, &Reading::default()).unwrap_err();
    assert_eq!(error.to_string(), "1: the file is larger than 100000000 bytes");
}

#[test]
fn half_a_text_is_told_with_its_line() {
    for format in [Format::Env, Format::Json, Format::Yaml] {
        let error = read(format, b"A=1\nB=\xff\xfe", &Reading::default()).unwrap_err();
        assert_eq!(error.to_string(), "2: not UTF-8 text");
    }
}
