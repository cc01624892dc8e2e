//! Strongroom: one command, then the client.

use std::path::Path;
use std::time::Duration;

use super::people;
use super::product::{Product, Request};
use crate::local::Local;
use crate::{Outcome, clock};

/// Starts it with people and rules in force, as one of whom the bench asks.
pub(super) fn start_peopled(binary: &Path, home: &Path, value: &str) -> Outcome<Product> {
    let mut local = Local::start(binary, home)?;
    local.ready()?;
    local.client.cli(&["store", "create", "bench"])?;
    let person = people::settle(&local)?;
    let mut product = product("Strongroom with people", local, binary, home, value)?;
    product.token = format!("Authorization: Bearer {}", person.token()?);
    Ok(product)
}

/// Starts it, and times the way to the first secret.
pub(super) fn start(binary: &Path, home: &Path, value: &str) -> Outcome<Product> {
    let began = clock::now();
    let mut local = Local::start(binary, home)?;
    local.ready()?;
    let first = home.join("first");
    std::fs::write(&first, "the first secret")?;
    let from = format!("@{}", first.display());
    local.client.cli(&["store", "create", "bench"])?;
    local.client.cli(&["secret", "put", "bench", "first", "--value", &from])?;
    let read = local.client.cli(&["secret", "get", "bench", "first"])?;
    let to_first_secret = began.elapsed();
    if !read.contains("the first secret") {
        return Err("the first secret came back as another".into());
    }
    Ok(Product { to_first_secret, ..product("Strongroom", local, binary, home, value)? })
}

fn product(name: &'static str, local: Local, binary: &Path, home: &Path, value: &str) -> Outcome<Product> {
    let body = home.join("body.json");
    std::fs::write(&body, format!("{{\"value\":\"{value}\"}}"))?;
    let at = |folder: &str| format!("/api/v1/stores/bench/secrets/{folder}/{{n}}");
    let put = |folder: &str| Request { method: "PUT", path: at(folder), body_file: Some(body.clone()) };
    Ok(Product {
        name,
        url: local.url.clone(),
        token: format!("Authorization: Bearer {}", local.client.token()?),
        authority: local.client.authority()?,
        lookup: Request::get("/api/v1/auth/token"),
        read: Request::get(at("hot")),
        fill_hot: put("hot"),
        write: put("write"),
        fill_list: put("list"),
        fill_more: put("more"),
        list: Request::get("/api/v1/stores/bench/secrets?prefix=list/&limit=100000"),
        to_first_secret: Duration::ZERO,
        binary: binary.to_owned(),
        client: Some(local.client),
        server: local.server,
    })
}
