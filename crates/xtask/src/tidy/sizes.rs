//! The ten largest files and functions, and the limits past which a seam must be found.

use syn::spanned::Spanned;
use syn::visit::{self, Visit};

use super::finding::Finding;
use super::source::Source;

/// Lines of a file without its tests.
const FILE_LIMIT: usize = 800;
/// Lines of a function.
const FUNCTION_LIMIT: usize = 120;
/// How many of each are printed.
const SHOWN: usize = 10;

/// Something with a size.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Sized {
    pub(crate) lines: usize,
    pub(crate) name: String,
}

/// What is large.
pub(crate) struct Sizes {
    files: Vec<Sized>,
    functions: Vec<Sized>,
}

/// Measures what is shipped.
pub(crate) fn measure(sources: &[Source]) -> Sizes {
    let mut files: Vec<Sized> =
        sources.iter().map(|source| Sized { lines: source.lines, name: source.path.clone() }).collect();
    let mut functions: Vec<Sized> = sources.iter().flat_map(functions_of).collect();
    files.sort_by(|left, right| right.cmp(left));
    functions.sort_by(|left, right| right.cmp(left));
    Sizes { files, functions }
}

impl Sizes {
    /// The ten largest of each, and the medians.
    pub(crate) fn print(&self) {
        show("largest files (lines without tests)", &self.files);
        show("largest functions", &self.functions);
    }

    /// What is over a limit.
    pub(crate) fn findings(&self) -> Vec<Finding> {
        let over = |all: &[Sized], limit: usize| -> Vec<Finding> {
            let large = all.iter().filter(|sized| sized.lines > limit);
            large
                .map(|sized| Finding::of(&sized.name, format!("has {} lines, over {limit}", sized.lines)))
                .collect()
        };
        let mut found = over(&self.files, FILE_LIMIT);
        found.extend(over(&self.functions, FUNCTION_LIMIT));
        found
    }
}

fn show(title: &str, all: &[Sized]) {
    let some: Vec<&Sized> = all.iter().filter(|sized| sized.lines > 0).collect();
    let median = some.get(some.len() / 2).map_or(0, |sized| sized.lines);
    println!("{title}; {} in all, median {median}", some.len());
    for sized in some.iter().take(SHOWN) {
        println!("  {:>5}  {}", sized.lines, sized.name);
    }
}

fn functions_of(source: &Source) -> Vec<Sized> {
    let mut found = Functions { path: &source.path, found: Vec::new() };
    found.visit_file(&source.shipped);
    found.found
}

struct Functions<'a> {
    path: &'a str,
    found: Vec<Sized>,
}

impl Functions<'_> {
    fn push(&mut self, signature: &syn::Signature, block: &syn::Block) {
        let (first, last) = (signature.span().start().line, block.span().end().line);
        let name = format!("{}:{first} {}", self.path, signature.ident);
        self.found.push(Sized { lines: last + 1 - first.min(last), name });
    }
}

impl<'ast> Visit<'ast> for Functions<'_> {
    fn visit_item_fn(&mut self, item: &'ast syn::ItemFn) {
        self.push(&item.sig, &item.block);
        visit::visit_item_fn(self, item);
    }

    fn visit_impl_item_fn(&mut self, item: &'ast syn::ImplItemFn) {
        self.push(&item.sig, &item.block);
        visit::visit_impl_item_fn(self, item);
    }

    fn visit_trait_item_fn(&mut self, item: &'ast syn::TraitItemFn) {
        if let Some(block) = &item.default {
            self.push(&item.sig, block);
        }
        visit::visit_trait_item_fn(self, item);
    }
}
