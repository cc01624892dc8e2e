//! Each rule is shown a bad crate in a temporary house, and finds it; and a good one, and keeps quiet.

use std::path::{Path, PathBuf};

use super::manifest::Manifest;
use super::source::Source;
use super::{arrows, manifest, papers, permits, rules, sizes, source};

struct House(tempfile::TempDir);

impl House {
    fn new() -> Self {
        let house = Self(tempfile::tempdir().unwrap());
        house.write("Cargo.toml", "[workspace]\n[workspace.dependencies]\nalias = { package = \"rsa\" }\n");
        house
    }

    fn root(&self) -> &Path {
        self.0.path()
    }

    fn write(&self, path: &str, text: &str) -> &Self {
        let path = self.root().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
        self
    }

    fn crate_(&self, name: &str, dependencies: &str) -> &Self {
        let head = format!(
            "[package]\nname = \"strongroom-{name}\"\ndescription = \"x\"\n[lints]\nworkspace = true\n"
        );
        self.write(&format!("crates/{name}/Cargo.toml"), &format!("{head}{dependencies}"))
    }

    fn manifests(&self) -> Vec<Manifest> {
        manifest::read_all(self.root()).unwrap()
    }

    fn sources(&self, name: &str) -> Vec<Source> {
        let folder: PathBuf = self.root().join("crates").join(name);
        source::read_crate(self.root(), &folder).unwrap()
    }
}

/// What the manifest rules say of `name` when it depends on `dependencies`.
fn arrows_of(name: &str, dependencies: &str) -> Vec<String> {
    let house = House::new();
    house.crate_(name, dependencies);
    let found = arrows::check(&house.manifests());
    found
        .into_iter()
        .filter(|finding| !finding.what.contains("not in crates/"))
        .map(|finding| finding.to_string())
        .collect()
}

/// What the source rules say of one file.
fn rules_of(room: &str, text: &str) -> Vec<String> {
    let house = House::new();
    house.write(&format!("crates/{room}/src/lib.rs"), &format!("//! Docs.\n{text}"));
    let sources = house.sources(room);
    let found =
        sources.iter().flat_map(|source| rules::check(source).into_iter().chain(permits::check(source)));
    found.map(|finding| finding.to_string()).collect()
}

fn assert_found(found: &[String], part: &str) {
    assert!(found.iter().any(|line| line.contains(part)), "{part:?} not in {found:?}");
}

fn assert_clean(found: &[String]) {
    assert!(found.is_empty(), "{found:?}");
}

#[test]
fn an_arrow_that_points_up_is_found() {
    let found = arrows_of("model", "[dependencies]\nstrongroom-gate = { path = \"../gate\" }\n");
    assert_found(&found, "model: (Words) must not depend on gate (Custody)");
}

#[test]
fn an_engine_that_imports_an_engine_is_found() {
    let found = arrows_of("secrets", "[dependencies]\nstrongroom-identity.workspace = true\n");
    assert_found(&found, "secrets: (Engines) must not depend on identity (Engines)");
}

#[test]
fn a_door_that_imports_a_store_is_found() {
    let found = arrows_of("door-native", "[dependencies]\nstrongroom-store-sqlite.workspace = true\n");
    assert_found(&found, "door-native: must never depend on store-sqlite");
}

#[test]
fn a_target_dependency_is_an_arrow_too() {
    let found = arrows_of("model", "[target.'cfg(unix)'.dependencies]\nstrongroom-store.workspace = true\n");
    assert_found(&found, "must not depend on store");
}

#[test]
fn listed_arrows_and_tests_are_free() {
    assert_clean(&arrows_of(
        "unlock",
        "[dependencies]\nstrongroom-keyring.workspace = true\nstrongroom-secret.workspace = true\n",
    ));
    assert_clean(&arrows_of("secrets", "[dev-dependencies]\nstrongroom-testkit.workspace = true\n"));
}

#[test]
fn an_algorithm_crate_outside_crypto_is_found_by_its_package_name() {
    assert_found(
        &arrows_of("gate", "[dependencies]\nalias.workspace = true\n"),
        "names the algorithm crate rsa",
    );
    assert_found(
        &arrows_of("gate", "[dependencies]\nx = { package = \"ring\", version = \"1\" }\n"),
        "crate ring",
    );
    assert_found(&arrows_of("gate", "[dev-dependencies]\nrand = \"1\"\n"), "crate rand");
    assert_clean(&arrows_of("crypto", "[dependencies]\naws-lc-rs.workspace = true\n"));
    assert_clean(&arrows_of("server", "[dependencies]\nrustls.workspace = true\n"));
}

#[test]
fn an_unknown_or_formless_crate_is_found() {
    assert_found(&arrows_of("shed", ""), "shed: is not in the table");
    let house = House::new();
    house.write("crates/model/Cargo.toml", "[package]\nname = \"model\"\n");
    let found: Vec<String> = arrows::check(&house.manifests()).iter().map(ToString::to_string).collect();
    assert_found(&found, "has no description");
    assert_found(&found, "does not say [lints]");
    assert_found(&found, "not named strongroom-<folder>");
}

#[test]
fn lints_may_differ_in_unsafe_code_alone_and_only_where_it_is_listed() {
    let lints = |name: &str, unsafe_code: &str, docs: &str| {
        let house = House::new();
        house.write(
            "Cargo.toml",
            "[workspace.lints.rust]\nunsafe_code = \"forbid\"\nmissing_docs = \"warn\"\n",
        );
        let lints = format!("[lints.rust]\nunsafe_code = \"{unsafe_code}\"\nmissing_docs = \"{docs}\"\n");
        let head = format!("[package]\nname = \"strongroom-{name}\"\ndescription = \"x\"\n{lints}");
        house.write(&format!("crates/{name}/Cargo.toml"), &head);
        let found = arrows::check(&house.manifests());
        found.iter().any(|finding| finding.what.contains("does not say [lints]"))
    };
    assert!(!lints("abe", "deny", "warn"));
    assert!(lints("abe", "allow", "warn") && lints("abe", "forbid", "warn") && lints("abe", "deny", "allow"));
    assert!(lints("model", "deny", "warn"));
}

#[test]
fn io_in_a_mechanism_is_found_in_groups_and_macros() {
    assert_found(&rules_of("crypto", "use std::{fs, fmt};"), "lib.rs:2: uses std::fs");
    assert_found(
        &rules_of("model", "fn f() { print(vec![std::net::TcpStream::connect]) }"),
        "uses std::net::TcpStream",
    );
    assert_found(&rules_of("keyring", "use tokio::sync::Mutex;"), "uses tokio");
    assert_clean(&rules_of("store", "use std::fs;"));
    assert_clean(&rules_of("crypto", "// std::fs\nconst A: &str = \"std::fs\";"));
}

#[test]
fn clock_and_entropy_outside_ambient_are_found() {
    assert_found(&rules_of("gate", "fn f() { let _ = std::time::Instant::now(); }"), "uses Instant::now");
    assert_found(
        &rules_of("commands", "use std::time::SystemTime;\nfn f() { SystemTime::now(); }"),
        "uses SystemTime::now",
    );
    assert_found(&rules_of("gate", "fn f() { rand::random::<u8>(); }"), "uses rand");
    assert_found(&rules_of("secrets", "use tokio::{time, sync};"), "uses tokio::time");
    assert_clean(&rules_of("server", "use tokio::time::timeout;"));
    assert_clean(&rules_of("server", "use tokio::time::{Instant, Sleep};\nfn f() { Instant::now(); }"));
    assert_found(
        &rules_of("server", "use tokio::time::Sleep;\nfn f() { Instant::now(); }"),
        "uses Instant::now",
    );
    assert_clean(&rules_of("ambient", "fn f() { std::time::Instant::now(); }"));
    assert_clean(&rules_of("gate", "fn f(rand: u8) -> u8 { rand }"));
}

#[test]
fn tests_may_do_what_the_shipped_may_not() {
    assert_clean(&rules_of(
        "crypto",
        "#[cfg(test)]\nmod tests { use std::fs; fn f() { Some(1).unwrap(); } }",
    ));
    assert_clean(&rules_of("crypto", "#[cfg(all(test, unix))]\nuse std::fs;"));
    assert_found(&rules_of("crypto", "#[cfg(not(test))]\nuse std::fs;"), "uses std::fs");
    let house = House::new();
    house.write("crates/crypto/src/lib.rs", "//! Docs.\n#[cfg(test)]\nmod tests;");
    house
        .write("crates/crypto/src/tests.rs", "use std::fs;")
        .write("crates/crypto/src/tests/deep.rs", "use std::fs;");
    house.write("crates/crypto/src/seal.rs", "#[cfg(test)]\n#[path = \"seal_tests.rs\"]\nmod tests;");
    house.write("crates/crypto/src/seal_tests.rs", "use std::fs;");
    assert!(house.sources("crypto").iter().all(|source| rules::check(source).is_empty()));
}

#[test]
fn attributes_must_give_reasons() {
    assert_found(&rules_of("model", "#[allow(dead_code)]\nfn f() {}"), "lib.rs:2: #[allow]");
    assert_found(&rules_of("model", "#[cfg_attr(test, allow(dead_code))]\nfn f() {}"), "#[allow]");
    assert_found(&rules_of("model", "#[expect(dead_code)]\nfn f() {}"), "without a reason");
    assert_clean(&rules_of("model", "#[expect(dead_code, reason = \"kept\")]\nfn f() {}"));
}

#[test]
fn panics_and_unfinished_work_are_found() {
    assert_found(&rules_of("model", "fn f() { Some(1).unwrap(); }"), ".unwrap() outside tests");
    assert_found(&rules_of("model", "fn f() { Some(1).expect(\"x\"); }"), ".expect() outside tests");
    assert_found(&rules_of("model", "fn f() { todo!() }"), "todo!");
    assert_found(&rules_of("model", &format!("// {} later", concat!("TO", "DO"))), "finish it");
    let reasoned =
        "#[expect(clippy::expect_used, reason = \"never empty\")]\nfn f() { Some(1).expect(\"x\"); }";
    assert_clean(&rules_of("model", reasoned));
    assert_clean(&rules_of("model", "fn f() { Some(1).unwrap_or(2); }"));
    assert_clean(&rules_of("model", "fn f() { self.expect(head, own); }"));
    let house = House::new();
    house
        .write("crates/store/src/suite.rs", "#![expect(clippy::unwrap_used, reason = \"tests\")]\nmod deep;");
    house.write("crates/store/src/suite/deep.rs", "fn f() { Some(1).unwrap(); }");
    assert!(house.sources("store").iter().all(|source| rules::check(source).is_empty()));
}

#[test]
fn a_permit_made_outside_the_gate_is_found() {
    assert_found(&rules_of("secrets", "fn f() { let _ = Permit { inner: 1 }; }"), "makes a permit");
    assert_found(
        &rules_of("testkit", "fn f() { strongroom_gate::Permit::forge(); }"),
        "calls a function of the permit's",
    );
    assert_found(&rules_of("secrets", "struct Permit<A>(A);"), "a type of the gate's only");
    assert_clean(&rules_of("secrets", "fn read(permit: Permit<Read>) { permit.open(); }"));
}

#[test]
fn a_leaky_permit_in_the_gate_is_found() {
    assert_found(&rules_of("gate", "pub struct Permit { pub inner: u8 }"), "public field");
    assert_found(&rules_of("gate", "#[derive(Clone)]\npub struct Permit { inner: u8 }"), "can be copied");
    assert_found(&rules_of("gate", "impl Default for Permit { }"), "can be copied or made from nothing");
    assert_found(
        &rules_of("gate", "impl Other { pub fn f() -> Option<Permit> { None } }"),
        "no method of Gate",
    );
    assert_found(&rules_of("gate", "pub fn f() -> Permit { g() }"), "no method of Gate");
    assert_clean(&rules_of(
        "gate",
        "impl Gate { pub fn admit(&self) -> Option<Permit> { Some(Permit { inner: 1 }) } }",
    ));
}

#[test]
fn the_barrier_is_out_of_an_engines_reach() {
    assert_found(&rules_of("secrets", "use strongroom_barrier::View;"), "reaches for the barrier");
    assert_clean(&rules_of("gate", "use strongroom_barrier::Barrier;"));
    assert_clean(&rules_of("secrets", "fn f() { std::sync::Barrier::new(2); }"));
}

#[test]
fn sizes_over_the_limit_are_found_and_tests_do_not_count() {
    let house = House::new();
    let body = "    let _ = 1;\n".repeat(130);
    let tests = "#[cfg(test)]\nmod tests {\n    const A: u8 = 1;\n}\n".to_owned() + &"\n".repeat(10);
    house.write("crates/model/src/lib.rs", &format!("fn long() {{\n{body}}}\n{tests}"));
    house.write("crates/model/src/tall.rs", &"const A: u8 = 1;\n".repeat(801));
    let found: Vec<String> =
        sizes::measure(&house.sources("model")).findings().iter().map(ToString::to_string).collect();
    assert_found(&found, "lib.rs:1 long: has 132 lines");
    assert_found(&found, "tall.rs: has 801 lines");
    assert_eq!(found.len(), 2, "{found:?}");
}

#[test]
fn papers_without_index_vectors_or_target_are_found() {
    let house = House::new();
    house.write("docs/adr/README.md", "- [one](0001-one.md)\n- [gone](0009-gone.md)");
    house.write("docs/adr/0001-one.md", "").write("docs/adr/0002-two.md", "");
    house
        .write("docs/formats/record.md", "see `vectors/record.json`")
        .write("docs/formats/names.md", "vectors/none.json");
    house.write("docs/formats/api.md", "No vectors: it is text.").write("vectors/record.json", "{}");
    let found: Vec<String> = papers::check(house.root()).iter().map(ToString::to_string).collect();
    assert_found(&found, "docs/adr/0002-two.md: is not linked");
    assert_found(&found, "docs/formats/names.md: names no file in vectors/");
    assert_found(&found, "docs/adr/README.md:2: links to 0009-gone.md");
    assert_eq!(found.len(), 3, "{found:?}");
}
