//! The three writings say the same.

use super::*;

fn shown(node: &Node, out: &mut String) {
    use std::fmt::Write as _;
    match &node.item {
        Item::Null => out.push('-'),
        Item::Flag(flag) => write!(out, "{flag}").unwrap(),
        Item::Integer(number) => write!(out, "{number}").unwrap(),
        Item::Other(text) => write!(out, "?{text}").unwrap(),
        Item::Text(text) => write!(out, "'{}'", text.as_str()).unwrap(),
        Item::List(nodes) => {
            out.push('[');
            for node in nodes {
                shown(node, out);
                out.push(' ');
            }
            out.push(']');
        }
        Item::Table(members) => {
            out.push('{');
            for Member { name, node } in members {
                write!(out, "{name}@{}=", node.line).unwrap();
                shown(node, out);
                out.push(' ');
            }
            out.push('}');
        }
    }
}

fn tree(writing: Writing, text: &str) -> Result<String, String> {
    let members = read_tree(writing, text.as_bytes()).map_err(|error| error.to_string())?;
    let mut out = String::new();
    shown(&Node { line: 1, item: Item::Table(members) }, &mut out);
    Ok(out)
}

#[test]
fn three_writings_give_one_tree_with_its_lines() {
    let toml = "b = 'x'\na = 1\n\n[t]\nf = true\nl = ['p', 2]\n";
    let yaml = "b: x\na: 1\n\nt:\n  f: true\n  l: [p, 2]\n";
    let json = "{\"b\": \"x\",\n\"a\": 1,\n\n\"t\": {\n\"f\": true,\n\"l\": [\"p\", 2]}}";
    let want = "{b@1='x' a@2=1 t@4={f@5=true l@6=['p' 2 ] } }";
    for (writing, text) in [(Writing::Toml, toml), (Writing::Yaml, yaml), (Writing::Json, json)] {
        assert_eq!(tree(writing, text).unwrap(), want, "{writing:?}");
        assert_eq!(tree(writing, "").unwrap(), "{}", "{writing:?}");
        assert_eq!(tree(writing, "\u{feff}").unwrap(), "{}", "{writing:?}");
    }
    assert_eq!(tree(Writing::Yaml, "# only words\n").unwrap(), "{}");
    assert_eq!(tree(Writing::Json, "{\"a\": 1.5, \"b\": null}").unwrap(), "{a@1=?1.5 b@1=- }");
}

#[test]
fn a_fault_names_its_line_and_no_value() {
    for (writing, text, fault) in [
        (Writing::Toml, "a = 1\na = 'hunter2'", "2: not acceptable TOML"),
        (Writing::Toml, "a = 1\nb = 'hunter2", "2: not acceptable TOML"),
        (Writing::Yaml, "a: 1\na: hunter2", "2: a stands here again"),
        (Writing::Yaml, "a: &x hunter2", "1: YAML anchors are not read"),
        (Writing::Yaml, "a: !!python/object:os.system {x: hunter2}", "1: YAML tags are not read"),
        (Writing::Yaml, "hunter2", "1: expected an object"),
        (Writing::Yaml, "a: 1\n---\nb: hunter2", "2: YAML several documents are not read"),
        (Writing::Json, "{\"a\": 1,\n\"a\": \"hunter2\"}", "2: not acceptable JSON: duplicate key"),
        (Writing::Json, "[\"hunter2\"]", "1: expected an object"),
        (Writing::Json, "{\"a\": \"hunter2", "1: not acceptable JSON: text ends too early"),
    ] {
        let found = tree(writing, text).unwrap_err();
        assert!(found.starts_with(fault) && !found.contains("hunter2"), "{text:?}: {found}");
    }
    assert_eq!(read_tree(Writing::Toml, b"a = 1\n\xff").unwrap_err().to_string(), "2: not UTF-8 text");
}

#[test]
fn size_depth_and_number_are_bounded() {
    let deep = format!("{{\"a\":{}{}}}", "[".repeat(40), "]".repeat(40));
    let deep_toml = format!("a = {}{}", "[".repeat(40), "]".repeat(40));
    let deep_yaml = format!("a: {}{}", "[".repeat(40), "]".repeat(40));
    let many = format!("{{\"a\":[{}1]}}", "1,".repeat(MAX_DOCUMENT_VALUES));
    for (writing, text) in [
        (Writing::Json, &deep),
        (Writing::Toml, &deep_toml),
        (Writing::Yaml, &deep_yaml),
        (Writing::Json, &many),
        (Writing::Yaml, &many),
    ] {
        assert!(tree(writing, text).is_err(), "{writing:?}");
    }
    let large = format!("a = '{}'", "x".repeat(MAX_DOCUMENT_BYTES));
    assert_eq!(tree(Writing::Toml, &large).unwrap_err(), "1: larger than 1048576 bytes");
}

#[test]
fn a_text_is_not_printed() {
    let members = read_tree(Writing::Toml, b"a = 'hunter2'").unwrap();
    assert!(!format!("{members:?}").contains("hunter2"));
}

#[test]
fn a_writing_is_known_by_its_ending() {
    for (path, writing) in [
        ("a.toml", Some(Writing::Toml)),
        ("a/b.YML", Some(Writing::Yaml)),
        ("a.yaml", Some(Writing::Yaml)),
        ("a.json", Some(Writing::Json)),
        ("toml", None),
        ("a.txt", None),
    ] {
        assert_eq!(Writing::of(Path::new(path)), writing, "{path}");
    }
}
