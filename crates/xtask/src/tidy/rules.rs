//! Rules on sources that hold crate by crate: no I/O below custody, the clock only in `ambient`, clean attributes.

use syn::visit::{self, Visit};

use super::finding::Finding;
use super::house::{PURE_LAYERS, is_tool, room_of};
use super::source::{Named, Source, may_panic};

/// The outside world, which words and mechanisms do not know.
const OUTSIDE: &[&str] = &[
    "std::fs",
    "std::net::TcpStream",
    "std::net::TcpListener",
    "std::net::UdpSocket",
    "std::net::ToSocketAddrs",
    "std::os",
    "std::process::Command",
    "std::env",
    "std::thread",
    "std::io::stdin",
    "std::io::stdout",
    "std::io::stderr",
    "tokio",
    "rusqlite",
    "rustix",
    "libc",
    "hyper",
    "axum",
];

/// Clock and entropy.
const CLOCK_AND_ENTROPY: &[&str] = &[
    "Instant::now",
    "SystemTime::now",
    "Timestamp::now",
    "Zoned::now",
    "Uuid::now_v7",
    "Uuid::new_v4",
    "SystemRandom::new",
    "RandomState::new",
    "getrandom",
    "rand",
    "fastrand",
    "tokio::time",
];

/// Who may use one all the same, and why: crate, name, reason.
const CLOCK_TABLE: &[(&str, &str, &str)] = &[
    ("ambient", "Instant::now", "the clock itself"),
    ("ambient", "SystemTime::now", "the clock itself"),
    ("ambient", "getrandom", "the entropy itself"),
    ("crypto", "SystemRandom::new", "keys and signatures are made inside the algorithm crate"),
    ("server", "tokio::time", "time limits of connections are the runtime's timers"),
    ("door-convection", "tokio::time", "time limits of requests are the runtime's timers"),
    ("door-native", "tokio::time", "time limits of requests are the runtime's timers"),
    ("gate", "tokio::time", "a wait for the writer is bounded by the runtime's timer"),
    ("exchange", "tokio::time", "time limits of requests and statements are the runtime's timers"),
    ("member", "tokio::time", "time limits of requests are the runtime's timers"),
    ("collector", "tokio::time", "time limits of connections and pauses are the runtime's timers"),
    ("store-sqlite", "tokio::time", "a wait for the writer is bounded by the runtime's timer"),
    ("commands", "tokio::time", "time limits of a client are the runtime's timers"),
];

/// Checks one file.
pub(crate) fn check(source: &Source) -> Vec<Finding> {
    let mut found = Vec::new();
    found.extend(outside(source));
    found.extend(clock(source));
    found.extend(marks(source));
    found.extend(attributes(source));
    found.extend(crate_docs(source));
    found
}

fn outside(source: &Source) -> Vec<Finding> {
    let is_pure = room_of(&source.room).is_some_and(|room| PURE_LAYERS.contains(&room.layer));
    if !is_pure {
        return Vec::new();
    }
    let hits = source
        .paths
        .iter()
        .filter_map(|named| Some((named, OUTSIDE.iter().find(|name| named.begins(name))?)));
    hits.map(|(named, name)| {
        Finding::at(&source.path, named.line, format!("uses {name}: {} does no I/O", source.room))
    })
    .collect()
}

fn clock(source: &Source) -> Vec<Finding> {
    if is_tool(&source.room) {
        return Vec::new();
    }
    let listed = |name: &str| CLOCK_TABLE.iter().any(|row| (row.0, row.1) == (source.room.as_str(), name));
    // `use tokio::time::Instant` makes a short `Instant::now` the runtime's, which has a row of its own
    let is_runtimes = source.paths.iter().any(|named| named.begins("tokio::time::Instant"));
    let is_short = |named: &Named| is_runtimes && named.path == ["Instant", "now"];
    let long = source.paths.iter().filter(|named| named.path.len() > 1 && !is_short(named));
    let hits =
        long.filter_map(|named| Some((named, CLOCK_AND_ENTROPY.iter().find(|name| named.holds(name))?)));
    let hits = hits.filter(|(_, name)| !listed(name));
    hits.map(|(named, name)| {
        Finding::at(&source.path, named.line, format!("uses {name}: take it from ambient"))
    })
    .collect()
}

/// Marks of unfinished work, in comments too; this file names them in halves.
fn marks(source: &Source) -> Vec<Finding> {
    let marks = [concat!("TO", "DO"), concat!("FIX", "ME"), concat!("X", "XX")];
    let lines = source.text.lines().enumerate();
    let hits = lines.filter_map(|(at, line)| Some((at + 1, marks.iter().find(|mark| has_word(line, mark))?)));
    hits.map(|(line, mark)| Finding::at(&source.path, line, format!("says {mark}: finish it or file it")))
        .collect()
}

fn has_word(line: &str, word: &str) -> bool {
    let is_edge = |next: Option<char>| next.is_none_or(|next| !next.is_alphanumeric() && next != '_');
    line.match_indices(word).any(|(at, _)| {
        let (before, after) =
            (line.get(..at).unwrap_or_default(), line.get(at + word.len()..).unwrap_or_default());
        is_edge(before.chars().next_back()) && is_edge(after.chars().next())
    })
}

fn attributes(source: &Source) -> Vec<Finding> {
    let mut found = Attributes { path: &source.path, found: Vec::new() };
    found.visit_file(&source.whole);
    let mut calls = Calls { path: &source.path, expected: source.may_panic, found: found.found };
    calls.visit_file(&source.shipped);
    calls.found
}

/// No `allow`, no `expect` without its reason: in tests too.
struct Attributes<'a> {
    path: &'a str,
    found: Vec<Finding>,
}

impl<'ast> Visit<'ast> for Attributes<'_> {
    fn visit_attribute(&mut self, attribute: &'ast syn::Attribute) {
        let Ok(list) = attribute.meta.require_list() else { return };
        let text = list.tokens.to_string();
        let line = list.path.segments.first().map_or(0, |segment| segment.ident.span().start().line);
        let (name, text) = (list.path.clone(), text.as_str());
        let is_allow = name.is_ident("allow") || name.is_ident("cfg_attr") && has_word(text, "allow");
        if is_allow {
            self.found.push(Finding::at(self.path, line, "#[allow]: say #[expect] and why"));
        } else if name.is_ident("expect") && !has_word(text, "reason") {
            self.found.push(Finding::at(self.path, line, "#[expect] without a reason"));
        }
    }
}

/// No `unwrap`, `expect`, `todo!`, `unimplemented!`, `dbg!` in what is shipped, unless an `#[expect]` says why.
struct Calls<'a> {
    path: &'a str,
    expected: bool,
    found: Vec<Finding>,
}

impl Calls<'_> {
    fn within(&mut self, attributes: &[syn::Attribute], visit: impl FnOnce(&mut Self)) {
        let before = self.expected;
        self.expected |= may_panic(attributes);
        visit(self);
        self.expected = before;
    }
}

impl<'ast> Visit<'ast> for Calls<'_> {
    fn visit_item_fn(&mut self, item: &'ast syn::ItemFn) {
        self.within(&item.attrs, |calls| visit::visit_item_fn(calls, item));
    }

    fn visit_impl_item_fn(&mut self, item: &'ast syn::ImplItemFn) {
        self.within(&item.attrs, |calls| visit::visit_impl_item_fn(calls, item));
    }

    fn visit_item_mod(&mut self, item: &'ast syn::ItemMod) {
        self.within(&item.attrs, |calls| visit::visit_item_mod(calls, item));
    }

    fn visit_local(&mut self, local: &'ast syn::Local) {
        self.within(&local.attrs, |calls| visit::visit_local(calls, local));
    }

    fn visit_expr_method_call(&mut self, call: &'ast syn::ExprMethodCall) {
        let is_panic = call.method == "unwrap" && call.args.is_empty()
            || call.method == "expect" && call.args.len() == 1;
        if is_panic && !(self.expected || may_panic(&call.attrs)) {
            let line = call.method.span().start().line;
            self.found.push(Finding::at(self.path, line, format!(".{}() outside tests", call.method)));
        }
        visit::visit_expr_method_call(self, call);
    }

    fn visit_macro(&mut self, call: &'ast syn::Macro) {
        let Some(name) = call.path.segments.last() else { return };
        if ["todo", "unimplemented", "dbg"].iter().any(|banned| name.ident == banned) {
            let line = name.ident.span().start().line;
            self.found.push(Finding::at(self.path, line, format!("{}! is unfinished work", name.ident)));
        }
    }
}

/// `lib.rs` and `main.rs` begin with documentation of more than a line's worth.
fn crate_docs(source: &Source) -> Option<Finding> {
    let is_root = ["src/lib.rs", "src/main.rs"].iter().any(|end| source.path.ends_with(end));
    let is_documented = source.whole.attrs.iter().any(|attribute| attribute.path().is_ident("doc"));
    (is_root && !is_documented).then(|| Finding::of(&source.path, "has no crate documentation"))
}
