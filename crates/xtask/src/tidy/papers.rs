//! Rules on documents: decisions are in their index, formats have vectors, links lead somewhere.

use std::path::{Path, PathBuf};

use super::finding::Finding;

/// How a format's document says that it has no vectors, and why.
const NO_VECTORS: &str = "No vectors:";

/// Checks the documents of the repository.
pub(crate) fn check(root: &Path) -> Vec<Finding> {
    let mut found = index(root);
    found.extend(formats(root));
    found.extend(documents(root).iter().flat_map(|path| links(root, path)));
    found
}

fn markdown_in(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).into_iter().flatten();
    let mut files: Vec<PathBuf> = entries.filter_map(|entry| entry.ok().map(|entry| entry.path())).collect();
    files.retain(|path| path.extension().is_some_and(|extension| extension == "md"));
    files.sort();
    files
}

fn name_of(path: &Path) -> &str {
    path.file_name().and_then(|name| name.to_str()).unwrap_or_default()
}

fn inside<'a>(root: &Path, path: &'a Path) -> std::path::Display<'a> {
    path.strip_prefix(root).unwrap_or(path).display()
}

fn index(root: &Path) -> Vec<Finding> {
    let folder = root.join("docs/adr");
    let index = std::fs::read_to_string(folder.join("README.md")).unwrap_or_default();
    let decisions = markdown_in(&folder).into_iter().filter(|path| name_of(path) != "README.md");
    let missing = decisions.filter(|path| !index.contains(&format!("({})", name_of(path))));
    missing
        .map(|path| Finding::of(inside(root, &path).to_string(), "is not linked from docs/adr/README.md"))
        .collect()
}

/// A format's document names a file in `vectors/` that exists, or says why there is none.
fn formats(root: &Path) -> Vec<Finding> {
    let files =
        markdown_in(&root.join("docs/formats")).into_iter().filter(|path| name_of(path) != "README.md");
    let lacking = files.filter(|path| {
        let text = std::fs::read_to_string(path).unwrap_or_default();
        !(text.contains(NO_VECTORS) || vector_files(&text).any(|name| root.join(name).exists()))
    });
    let what = format!("names no file in vectors/ that exists, and has no line \"{NO_VECTORS} ...\"");
    lacking.map(|path| Finding::of(inside(root, &path).to_string(), &what)).collect()
}

fn vector_files(text: &str) -> impl Iterator<Item = &str> {
    let words = text.split(|letter: char| letter.is_whitespace() || "`()[]\"',;".contains(letter));
    let words = words.map(|word| word.trim_start_matches("../").trim_end_matches(['.', ':']));
    words.filter(|word| word.strip_prefix("vectors/").is_some_and(|name| !name.is_empty()))
}

fn documents(root: &Path) -> Vec<PathBuf> {
    let folders = ["", "docs", "docs/adr", "docs/formats", "bench", "fuzz", "vectors"];
    folders.iter().flat_map(|folder| markdown_in(&root.join(folder))).collect()
}

/// Links to files that are not there.
fn links(root: &Path, path: &Path) -> Vec<Finding> {
    let text = std::fs::read_to_string(path).unwrap_or_default();
    let home = path.parent().unwrap_or(root);
    let mut found = Vec::new();
    for (at, line) in text.lines().enumerate() {
        for target in targets(line).filter(|target| !home.join(target).exists()) {
            found.push(Finding::at(
                inside(root, path).to_string(),
                at + 1,
                format!("links to {target}, which is not there"),
            ));
        }
    }
    found
}

/// Targets of `[text](target)` that are files, without their anchors.
fn targets(line: &str) -> impl Iterator<Item = &str> {
    let pieces = line.split("](").skip(1).filter_map(|piece| piece.split_once(')').map(|pair| pair.0));
    let files = pieces.filter(|target| {
        !target.contains("://") && !target.starts_with('#') && !target.starts_with("mailto:")
    });
    files.map(|target| target.split('#').next().unwrap_or(target)).filter(|target| !target.is_empty())
}
