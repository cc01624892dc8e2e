//! Rules on manifests: arrows point down, only `crypto` names algorithm crates, every crate is in the house.

use super::finding::Finding;
use super::house::{HOUSE, Layer, room_of};
use super::manifest::{Manifest, OURS};

/// Crates that compute with keys, or make randomness: whoever names one could go round `crypto` and `ambient`.
const ALGORITHMS: &[&str] = &[
    "aws-lc-rs",
    "aws-lc-sys",
    "ring",
    "openssl",
    "openssl-sys",
    "argon2",
    "scrypt",
    "pbkdf2",
    "bcrypt",
    "blst",
    "bls12_381",
    "sha1",
    "sha2",
    "sha3",
    "blake2",
    "blake3",
    "md-5",
    "hmac",
    "hkdf",
    "aead",
    "aes",
    "aes-gcm",
    "aes-gcm-siv",
    "chacha20",
    "chacha20poly1305",
    "ed25519",
    "ed25519-dalek",
    "x25519-dalek",
    "curve25519-dalek",
    "p256",
    "p384",
    "p521",
    "k256",
    "ecdsa",
    "rsa",
    "rcgen",
    "rustls",
    "tokio-rustls",
    "getrandom",
    "rand",
    "rand_core",
    "rand_chacha",
    "fastrand",
    "uuid",
    "sharks",
    "vsss-rs",
    "x-wing",
    "ml-kem",
];

/// Who may name one all the same, and why: crate, package, reason.
const ALGORITHM_TABLE: &[(&str, &str, &str)] = &[
    ("crypto", "aws-lc-rs", "its only importer"),
    ("crypto", "argon2", "its only importer"),
    ("crypto", "x-wing", "wraps keys for members; `abe` has the keys of rights"),
    ("ambient", "getrandom", "the source of entropy"),
    ("model", "uuid", "the form of an identifier; its generators are disallowed methods"),
    ("ambient", "uuid", "makes request ids from its own clock and entropy"),
    (
        "query",
        "uuid",
        "ids of STIX objects by name, which the standard makes with UUIDv5; nothing relies on them",
    ),
    ("x509", "rcgen", "writes certificates"),
    ("abe", "blst", "its only importer: the groups of BLS12-381"),
    ("abe", "x-wing", "the keys of rights, whose ciphertexts are part of its headers"),
    ("server", "rustls", "terminates TLS"),
    ("server", "tokio-rustls", "terminates TLS"),
    ("member", "rustls", "speaks TLS to authority and exchange"),
    ("member", "tokio-rustls", "speaks TLS to authority and exchange"),
    ("exchange", "rustls", "speaks TLS to PostgreSQL"),
    ("exchange", "tokio-rustls", "speaks TLS to PostgreSQL"),
    ("collector", "rustls", "terminates TLS of its inputs"),
    ("collector", "tokio-rustls", "terminates TLS of its inputs"),
    ("commands", "rustls", "speaks TLS"),
    ("commands", "tokio-rustls", "speaks TLS"),
    ("load", "rustls", "speaks TLS; not shipped"),
];

/// Who may lift the ban on unsafe code in one module, and why: its lints are the workspace's, with `deny` for `forbid`.
const UNSAFE_TABLE: &[(&str, &str)] = &[
    ("abe", "blst offers its group operations as C functions only"),
    ("idle", "tells the kernel which pages of the program it may drop"),
];

/// Tests of these may use TLS and make certificates, to be a client of what they test.
const TLS_IN_TESTS: &[&str] =
    &["x509", "server", "member", "commands", "cli", "door-native", "door-convection", "testkit"];

/// Checks all manifests.
pub(crate) fn check(manifests: &[Manifest]) -> Vec<Finding> {
    let mut found: Vec<Finding> = manifests.iter().flat_map(check_one).collect();
    let missing = HOUSE
        .iter()
        .filter(|room| !room.name.is_empty() && !manifests.iter().any(|crate_| crate_.name == room.name));
    found.extend(
        missing.map(|room| Finding::of(room.name, "is in the table of the house but not in crates/")),
    );
    found
}

fn check_one(manifest: &Manifest) -> Vec<Finding> {
    let mut found = form(manifest);
    found.extend(arrows(manifest));
    found.extend(algorithms(manifest));
    found
}

fn form(manifest: &Manifest) -> Vec<Finding> {
    let place = &manifest.name;
    let mut found = Vec::new();
    if manifest.package("name") != Some(format!("{OURS}{place}").as_str()) {
        found.push(Finding::of(place, "its package is not named strongroom-<folder>"));
    }
    if manifest.package("description").is_none_or(|text| text.trim().is_empty()) {
        found.push(Finding::of(place, "has no description"));
    }
    let calls_foreign_code = UNSAFE_TABLE.iter().any(|row| row.0 == place);
    if !(manifest.inherits_lints() || calls_foreign_code && manifest.has_lints_with_unsafe_denied()) {
        found.push(Finding::of(place, "does not say [lints] workspace = true"));
    }
    found
}

fn arrows(manifest: &Manifest) -> Vec<Finding> {
    let Some(room) = room_of(&manifest.name) else {
        return vec![Finding::of(&manifest.name, "is not in the table of the house (xtask, tidy/house.rs)")];
    };
    let mut found = Vec::new();
    for target in Manifest::ours(&manifest.normal) {
        let Some(below) = room_of(target) else {
            found
                .push(Finding::of(&manifest.name, format!("depends on {target}, which is not in the table")));
            continue;
        };
        let beside =
            room.layer == below.layer && (room.beside.contains(&target) || room.layer == Layer::Tools);
        if room.never.contains(&target) {
            found.push(Finding::of(&manifest.name, format!("must never depend on {target}")));
        } else if below.layer >= room.layer && !beside {
            let (here, there) = (room.layer, below.layer);
            found.push(Finding::of(
                &manifest.name,
                format!("({here:?}) must not depend on {target} ({there:?})"),
            ));
        }
    }
    found
}

fn algorithms(manifest: &Manifest) -> Vec<Finding> {
    let name = manifest.name.as_str();
    let listed = |package: &str| ALGORITHM_TABLE.iter().any(|row| (row.0, row.1) == (name, package));
    let in_tests =
        |package: &str| (package.ends_with("rustls") || package == "rcgen") && TLS_IN_TESTS.contains(&name);
    let normal = manifest.normal.iter().filter(|package| !listed(package));
    let dev = manifest.dev.iter().filter(|package| !listed(package) && !in_tests(package));
    let named = normal.chain(dev).filter(|package| ALGORITHMS.contains(&package.as_str()));
    named
        .map(|package| {
            Finding::of(name, format!("names the algorithm crate {package}: go through crypto or ambient"))
        })
        .collect()
}
