//! Only `gate` makes permits, and only `gate` and the wiring hold the barrier.

use quote::ToTokens;
use syn::visit::{self, Visit};

use super::finding::Finding;
use super::source::Source;

/// Where permits are made.
const GATE: &str = "gate";
/// The types that let an engine act.
const PERMITS: &[&str] = &["Permit", "SystemPermit"];
/// Who may name the barrier: itself, its holder, the trail that seals by it, backups of its rows, and those that put it there.
const BARRIER_HOLDERS: &[&str] = &["barrier", "gate", "audit", "backup", "server", "testkit"];

/// Checks one file.
pub(crate) fn check(source: &Source) -> Vec<Finding> {
    let mut visitor = Permits { source, within: None, found: Vec::new() };
    visitor.visit_file(&source.whole);
    visitor.found.extend(barrier(source));
    visitor.found
}

fn barrier(source: &Source) -> Vec<Finding> {
    if BARRIER_HOLDERS.contains(&source.room.as_str()) {
        return Vec::new();
    }
    let hits = source.paths.iter().filter(|named| {
        named.begins("strongroom_barrier") || named.begins("Barrier") && named.path.len() > 1
    });
    hits.map(|named| Finding::at(&source.path, named.line, "reaches for the barrier: only the gate holds it"))
        .collect()
}

struct Permits<'a> {
    source: &'a Source,
    within: Option<String>,
    found: Vec<Finding>,
}

fn is_permit(name: &impl ToString) -> bool {
    PERMITS.contains(&name.to_string().as_str())
}

fn names_permit(tokens: &impl ToTokens) -> bool {
    let text = tokens.to_token_stream().to_string();
    text.split(|letter: char| !letter.is_alphanumeric() && letter != '_').any(|word| is_permit(&word))
}

impl Permits<'_> {
    fn is_gate(&self) -> bool {
        self.source.room == GATE
    }

    fn push(&mut self, line: usize, what: &str) {
        self.found.push(Finding::at(&self.source.path, line, what));
    }

    /// A permit's fields are private, and nothing copies it.
    fn guard(&mut self, item: &syn::ItemStruct) {
        let line = item.ident.span().start().line;
        if !self.is_gate() {
            self.push(line, "a permit is a type of the gate's only");
        }
        if item.fields.iter().any(|field| matches!(field.vis, syn::Visibility::Public(_))) {
            self.push(line, "a permit has a public field");
        }
        let derives = item.attrs.iter().filter(|attribute| attribute.path().is_ident("derive"));
        let names: String = derives.map(|attribute| attribute.meta.to_token_stream().to_string()).collect();
        if ["Clone", "Copy", "Default", "Deserialize"].iter().any(|name| names.contains(name)) {
            self.push(line, "a permit can be copied or made from nothing");
        }
    }
}

impl<'ast> Visit<'ast> for Permits<'_> {
    fn visit_item_struct(&mut self, item: &'ast syn::ItemStruct) {
        if is_permit(&item.ident) {
            self.guard(item);
        }
        visit::visit_item_struct(self, item);
    }

    fn visit_item_impl(&mut self, item: &'ast syn::ItemImpl) {
        let of = item.self_ty.to_token_stream().to_string();
        let name = of.split([' ', '<']).next().unwrap_or_default().to_owned();
        let copies =
            item.trait_.as_ref().and_then(|(_, path, _)| path.segments.last()).is_some_and(|segment| {
                ["Clone", "Copy", "Default", "From"].iter().any(|banned| segment.ident == banned)
            });
        if copies && is_permit(&name) {
            let line = item.impl_token.span.start().line;
            self.push(line, "a permit can be copied or made from nothing");
        }
        let before = self.within.replace(name);
        visit::visit_item_impl(self, item);
        self.within = before;
    }

    /// In the gate, only `Gate` hands permits out.
    fn visit_impl_item_fn(&mut self, item: &'ast syn::ImplItemFn) {
        let is_public = matches!(item.vis, syn::Visibility::Public(_));
        let by_gate = self.within.as_deref() == Some("Gate");
        if self.is_gate() && is_public && !by_gate && names_permit(&item.sig.output) {
            self.push(item.sig.ident.span().start().line, "hands a permit out, and is no method of Gate");
        }
        visit::visit_impl_item_fn(self, item);
    }

    fn visit_item_fn(&mut self, item: &'ast syn::ItemFn) {
        let is_public = matches!(item.vis, syn::Visibility::Public(_));
        if self.is_gate() && is_public && names_permit(&item.sig.output) {
            self.push(item.sig.ident.span().start().line, "hands a permit out, and is no method of Gate");
        }
        visit::visit_item_fn(self, item);
    }

    fn visit_expr_struct(&mut self, item: &'ast syn::ExprStruct) {
        let last = item.path.segments.last();
        if !self.is_gate() && last.is_some_and(|segment| is_permit(&segment.ident)) {
            let line = item.brace_token.span.open().start().line;
            self.push(line, "makes a permit: only the gate does");
        }
        visit::visit_expr_struct(self, item);
    }

    fn visit_expr_path(&mut self, item: &'ast syn::ExprPath) {
        let segments = &item.path.segments;
        let owner = segments.iter().rev().nth(1);
        if !self.is_gate() && owner.is_some_and(|segment| is_permit(&segment.ident)) {
            let line = segments.first().map_or(0, |segment| segment.ident.span().start().line);
            self.push(line, "calls a function of the permit's type: only the gate makes permits");
        }
        visit::visit_expr_path(self, item);
    }
}
