//! Which parts of a crate are tests, by their attributes.

use std::path::{Path, PathBuf};

use proc_macro2::{TokenStream, TokenTree};
use quote::ToTokens;

/// Takes `#[cfg(test)]` and `#[test]` items out, and counts their lines.
pub(super) fn cut_tests(items: &mut Vec<syn::Item>, cut: &mut usize) {
    items.retain(|item| {
        let is_test = attributes(item).iter().any(is_test_attribute);
        if is_test {
            *cut += span_lines(item);
        }
        !is_test
    });
    for item in items {
        match item {
            syn::Item::Mod(syn::ItemMod { content: Some((_, inner)), .. }) => cut_tests(inner, cut),
            syn::Item::Impl(block) => block.items.retain(|item| !is_test_function(item)),
            _ => {}
        }
    }
}

/// Lines that something covers.
fn span_lines(node: &impl ToTokens) -> usize {
    let mut lines = (usize::MAX, 0);
    for token in node.to_token_stream() {
        lines = (lines.0.min(token.span().start().line), lines.1.max(token.span().end().line));
    }
    (lines.1 + 1).saturating_sub(lines.0)
}

fn is_test_function(item: &syn::ImplItem) -> bool {
    matches!(item, syn::ImplItem::Fn(function) if function.attrs.iter().any(is_test_attribute))
}

/// Whether an attribute makes its item a test: `#[test]`, `#[tokio::test]`, `#[cfg(test)]`, `#[cfg(all(test, ..))]`.
fn is_test_attribute(attribute: &syn::Attribute) -> bool {
    let path = attribute.path();
    if path.segments.last().is_some_and(|segment| segment.ident == "test") {
        return true;
    }
    let syn::Meta::List(list) = &attribute.meta else { return false };
    path.is_ident("cfg") && demands_test(list.tokens.clone())
}

/// Of the predicate of a `cfg`: `test`, or an `all` of which one is `test`.
fn demands_test(tokens: TokenStream) -> bool {
    let trees: Vec<TokenTree> = tokens.into_iter().collect();
    match trees.as_slice() {
        [TokenTree::Ident(name)] => name == "test",
        [TokenTree::Ident(name), TokenTree::Group(group)] if name == "all" => {
            let parts: Vec<TokenTree> = group.stream().into_iter().collect();
            parts
                .split(|part| part.to_string() == ",")
                .any(|part| demands_test(part.iter().cloned().collect()))
        }
        _ => false,
    }
}

fn attributes(item: &syn::Item) -> &[syn::Attribute] {
    use syn::Item::{Const, Enum, ExternCrate, Fn, Impl, Macro, Mod, Static, Struct, Trait, Type, Use};
    match item {
        Const(item) => &item.attrs,
        Enum(item) => &item.attrs,
        ExternCrate(item) => &item.attrs,
        Fn(item) => &item.attrs,
        Impl(item) => &item.attrs,
        Macro(item) => &item.attrs,
        Mod(item) => &item.attrs,
        Static(item) => &item.attrs,
        Struct(item) => &item.attrs,
        Trait(item) => &item.attrs,
        Type(item) => &item.attrs,
        Use(item) => &item.attrs,
        _ => &[],
    }
}

/// Where `#[cfg(test)] mod name;` lies, without extension: the file and the folder of that name.
pub(super) fn test_modules(path: &Path, file: &syn::File) -> Vec<PathBuf> {
    let modules = file.items.iter().filter_map(|item| match item {
        syn::Item::Mod(module) if module.content.is_none() => Some(module),
        _ => None,
    });
    let tests = modules.filter(|module| module.attrs.iter().any(is_test_attribute));
    tests.map(|module| module_file(path, module)).collect()
}

fn module_file(path: &Path, module: &syn::ItemMod) -> PathBuf {
    let elsewhere = module.attrs.iter().filter_map(|attribute| attribute.meta.require_name_value().ok());
    let elsewhere = elsewhere.filter(|pair| pair.path.is_ident("path")).find_map(|pair| literal(&pair.value));
    match elsewhere {
        Some(file) => path.with_file_name(file).with_extension(""),
        None => home(path).join(module.ident.to_string()),
    }
}

fn literal(value: &syn::Expr) -> Option<String> {
    match value {
        syn::Expr::Lit(syn::ExprLit { lit: syn::Lit::Str(text), .. }) => Some(text.value()),
        _ => None,
    }
}

/// Where the modules of a file lie: beside `lib.rs`, `main.rs` and `mod.rs`, else in the folder of the file's name.
pub(super) fn home(path: &Path) -> PathBuf {
    match path.file_stem().and_then(|stem| stem.to_str()) {
        Some("lib" | "main" | "mod") => path.parent().unwrap_or(path).to_owned(),
        _ => path.with_extension(""),
    }
}
