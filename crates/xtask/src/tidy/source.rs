//! Reads sources as the compiler does: what is a comment, a string or a test is known, not guessed.

mod cut;
mod names;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

pub(crate) use names::Named;

use crate::Outcome;

/// One file, with its tests cut out.
pub(crate) struct Source {
    /// From the root of the repository.
    pub(crate) path: String,
    /// Folder under `crates/`.
    pub(crate) room: String,
    /// The text as it stands.
    pub(crate) text: String,
    /// Everything, tests too.
    pub(crate) whole: syn::File,
    /// What is shipped: empty for a file of tests.
    pub(crate) shipped: syn::File,
    /// Names as they are written, such as `std::time::Instant::now`; shipped only.
    pub(crate) paths: Vec<Named>,
    /// Whether a module around the file says with a reason that it may panic.
    pub(crate) may_panic: bool,
    /// Lines that are not tests.
    pub(crate) lines: usize,
}

/// Reads every source of one crate; files that only tests include are known as tests.
pub(crate) fn read_crate(root: &Path, folder: &Path) -> Outcome<Vec<Source>> {
    let files = parse_all(folder)?;
    let context = Context {
        root,
        folder,
        tests: files.iter().flat_map(|file| cut::test_modules(&file.path, &file.whole)).collect(),
        may_panic: files
            .iter()
            .filter(|file| may_panic(&file.whole.attrs))
            .map(|file| cut::home(&file.path))
            .collect(),
    };
    Ok(files.into_iter().map(|file| context.source(file)).collect())
}

/// Whether attributes expect panics, which `allow_attributes_without_reason` makes say why.
pub(crate) fn may_panic(attributes: &[syn::Attribute]) -> bool {
    let lists = attributes.iter().filter(|attribute| attribute.path().is_ident("expect"));
    lists.filter_map(|attribute| attribute.meta.require_list().ok()).any(|list| {
        let text = list.tokens.to_string();
        text.contains("unwrap_used") || text.contains("expect_used")
    })
}

struct Parsed {
    path: PathBuf,
    text: String,
    whole: syn::File,
}

fn parse_all(folder: &Path) -> Outcome<Vec<Parsed>> {
    let mut files = Vec::new();
    for entry in walkdir::WalkDir::new(folder).sort_by_file_name() {
        let path = entry?.into_path();
        if path.extension().is_none_or(|extension| extension != "rs") {
            continue;
        }
        let text = std::fs::read_to_string(&path)?;
        match syn::parse_file(&text) {
            Ok(whole) => files.push(Parsed { path, text, whole }),
            Err(_) if is_shown_failing(folder, &path) => {}
            Err(error) => return Err(format!("{}: {error}", path.display()).into()),
        }
    }
    Ok(files)
}

/// Texts that a test compiles to see them fail: they need not even parse.
fn is_shown_failing(folder: &Path, path: &Path) -> bool {
    let inner = path.strip_prefix(folder).unwrap_or(path);
    inner.starts_with("tests") && inner.components().count() > 2
}

/// What must be known of a crate to read one of its files.
struct Context<'a> {
    root: &'a Path,
    folder: &'a Path,
    /// Modules that only tests include, without extension.
    tests: BTreeSet<PathBuf>,
    /// Folders of modules that say that they may panic.
    may_panic: BTreeSet<PathBuf>,
}

impl Context<'_> {
    fn source(&self, file: Parsed) -> Source {
        let mut shipped = file.whole.clone();
        let mut tests = 0;
        if self.is_test(&file.path) {
            tests = file.text.lines().count();
            shipped.items.clear();
        } else {
            cut::cut_tests(&mut shipped.items, &mut tests);
        }
        Source {
            path: file.path.strip_prefix(self.root).unwrap_or(&file.path).display().to_string(),
            room: self.folder.file_name().and_then(|name| name.to_str()).unwrap_or_default().to_owned(),
            paths: names::paths(&shipped),
            may_panic: file.path.with_extension("").ancestors().any(|around| self.may_panic.contains(around)),
            lines: file.text.lines().count().saturating_sub(tests),
            text: file.text,
            whole: file.whole,
            shipped,
        }
    }

    fn is_test(&self, path: &Path) -> bool {
        let inner = path.strip_prefix(self.folder).unwrap_or(path);
        let is_outside = !inner.starts_with("src") && inner != Path::new("build.rs");
        is_outside || path.with_extension("").ancestors().any(|around| self.tests.contains(around))
    }
}
