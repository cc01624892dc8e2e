//! Files of secrets.

use strongroom_import::{
    Entry, Format, Item, MAX_DOCUMENT_DEPTH, MAX_DOCUMENT_VALUES, Node, Reading, Value, Writing, json_file,
    pem_blocks, read, read_tree,
};
use strongroom_model::MAX_VALUE_BYTES;

/// A `.env` file is texts.
pub(crate) fn env(data: &[u8]) -> bool {
    let Some(entries) = accepted(Format::Env, data, false) else { return false };
    assert!(entries.iter().all(|entry| entry.value.as_text().is_some()), "a value that is no text");
    true
}

/// What flattening accepts is accepted without it: it only adds names that may collide.
pub(crate) fn json(data: &[u8]) -> bool {
    accepted(Format::Json, data, true);
    accepted(Format::Json, data, false).is_some()
}

/// The same of YAML.
pub(crate) fn yaml(data: &[u8]) -> bool {
    accepted(Format::Yaml, data, true);
    accepted(Format::Yaml, data, false).is_some()
}

/// A file without a beginning has no block.
pub(crate) fn pem(data: &[u8]) -> bool {
    let Ok(blocks) = pem_blocks(data) else { return false };
    let begins = data.windows(11).filter(|window| window == b"-----BEGIN ").count();
    assert!(blocks <= begins, "{blocks} blocks, {begins} beginnings");
    blocks > 0
}

/// What is accepted is bounded, and the same when it is written and read again.
fn accepted(format: Format, data: &[u8], flatten: bool) -> Option<Vec<Entry>> {
    let reading = Reading { flatten, ..Reading::default() };
    let entries = read(format, data, &reading).ok()?;
    let file = json_file(&entries.iter().map(|entry| (entry.path.as_str(), &entry.value)));
    let again = file.expose(|file| read(Format::Json, file, &Reading::default()));
    let again = again.expect("what was read is written so that it can be read");
    assert_eq!(again.len(), entries.len());
    for entry in &entries {
        assert!(entry.value.size() <= MAX_VALUE_BYTES);
        let same = again.iter().find(|found| found.path.as_str() == entry.path.as_str());
        let same = same.expect("each path is written");
        assert!(same.value.same_as(&entry.value), "a value changed");
        assert!(matches!(
            (&same.value, &entry.value),
            (Value::Json(_), Value::Json(_)) | (Value::Bytes(_), Value::Bytes(_))
        ));
    }
    Some(entries)
}

/// What the first byte says that the rest is written in.
pub(crate) fn written(data: &[u8]) -> Option<(Writing, &[u8])> {
    let (writing, text) = data.split_first()?;
    let writing = [Writing::Json, Writing::Yaml, Writing::Toml].get(usize::from(*writing) % 3)?;
    Some((*writing, text))
}

/// A document is within its bounds, its lines are its own, and no name comes twice.
pub(crate) fn tree(data: &[u8]) -> bool {
    let Some((writing, text)) = written(data) else { return false };
    let Ok(members) = read_tree(writing, text) else { return false };
    let lines =
        1 + u64::try_from(text.iter().filter(|byte| matches!(byte, b'\n' | b'\r')).count()).unwrap_or(0);
    let is_empty = members.is_empty();
    let table = Node { line: 1, item: Item::Table(members) };
    let values = counted(&table, lines, 0);
    assert!(values <= MAX_DOCUMENT_VALUES + 1, "{values} values");
    // a file with nothing in it says nothing, in each writing; numbers are kept as they are written, however large
    if writing == Writing::Json && !is_empty {
        let text = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text);
        assert!(serde_json::from_slice::<serde::de::IgnoredAny>(text).is_ok(), "it is no JSON to others");
    }
    true
}

fn counted(node: &Node, lines: u64, depth: usize) -> usize {
    assert!((1..=lines).contains(&node.line), "line {} of {lines}", node.line);
    assert!(depth <= MAX_DOCUMENT_DEPTH + 1, "too deep");
    1 + match &node.item {
        Item::List(nodes) => nodes.iter().map(|node| counted(node, lines, depth + 1)).sum::<usize>(),
        Item::Table(members) => {
            let mut names: Vec<&str> = members.iter().map(|member| member.name.as_str()).collect();
            names.sort_unstable();
            names.dedup();
            assert_eq!(names.len(), members.len(), "a name comes twice");
            members.iter().map(|member| counted(&member.node, lines, depth + 1)).sum()
        }
        _ => 0,
    }
}
