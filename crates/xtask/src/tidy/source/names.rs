//! Names as they are written, wherever they stand.

use proc_macro2::{TokenStream, TokenTree};
use quote::ToTokens;
use syn::visit::{self, Visit};

/// A path in a source.
pub(crate) struct Named {
    pub(crate) path: Vec<String>,
    pub(crate) line: usize,
}

impl Named {
    /// Whether the path begins with these segments, written `a::b`.
    pub(crate) fn begins(&self, prefix: &str) -> bool {
        let mut own = self.path.iter();
        prefix.split("::").all(|segment| own.next().is_some_and(|name| name == segment))
    }

    /// Whether these segments stand in the path, one after the other.
    pub(crate) fn holds(&self, part: &str) -> bool {
        let part: Vec<&str> = part.split("::").collect();
        self.path.windows(part.len()).any(|window| window.iter().eq(part.iter()))
    }
}

/// Every path of a file: those of `use` groups spelt out, those in macros too.
pub(super) fn paths(file: &syn::File) -> Vec<Named> {
    let mut found = Paths(Vec::new());
    found.visit_file(file);
    chains(file.to_token_stream(), &mut found.0);
    found.0
}

/// The paths of `use` trees, groups spelt out.
struct Paths(Vec<Named>);

impl<'ast> Visit<'ast> for Paths {
    fn visit_item_use(&mut self, item: &'ast syn::ItemUse) {
        self.spell(&item.tree, &mut Vec::new());
        visit::visit_item_use(self, item);
    }
}

impl Paths {
    fn spell(&mut self, tree: &syn::UseTree, prefix: &mut Vec<String>) {
        match tree {
            syn::UseTree::Path(path) => {
                prefix.push(path.ident.to_string());
                self.spell(&path.tree, prefix);
                prefix.pop();
            }
            syn::UseTree::Group(group) => group.items.iter().for_each(|tree| self.spell(tree, prefix)),
            syn::UseTree::Name(name) => self.leaf(prefix, &name.ident),
            syn::UseTree::Rename(name) => self.leaf(prefix, &name.ident),
            syn::UseTree::Glob(glob) => {
                let line = glob.star_token.span.start().line;
                self.0.push(Named { path: prefix.clone(), line });
            }
        }
    }

    fn leaf(&mut self, prefix: &[String], name: &proc_macro2::Ident) {
        let path = prefix.iter().cloned().chain([name.to_string()]).collect();
        self.0.push(Named { path, line: name.span().start().line });
    }
}

/// `a::b::c` wherever it stands in tokens, inside macros too; attributes of documentation are strings and do not count.
fn chains(tokens: TokenStream, found: &mut Vec<Named>) {
    let mut chain: Option<Named> = None;
    let mut colons = 0;
    for tree in tokens {
        match tree {
            TokenTree::Ident(name) => {
                if let Some(chain) = chain.as_mut().filter(|_| colons == 2) {
                    chain.path.push(name.to_string());
                } else {
                    found.extend(chain.take());
                    chain = Some(Named { path: vec![name.to_string()], line: name.span().start().line });
                }
                colons = 0;
            }
            TokenTree::Punct(mark) if mark.as_char() == ':' => colons += 1,
            TokenTree::Group(group) => {
                colons = 0;
                chains(group.stream(), found);
            }
            TokenTree::Punct(_) | TokenTree::Literal(_) => colons = 0,
        }
    }
    found.extend(chain);
}
