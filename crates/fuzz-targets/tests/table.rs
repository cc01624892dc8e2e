//! The table, libFuzzer's files and the corpora name the same targets.

#![expect(clippy::unwrap_used, reason = "a test: what fails here is its finding")]

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use strongroom_fuzz_targets::TARGETS;

fn fuzz(folder: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz").join(folder)
}

fn stems(folder: &str) -> BTreeSet<String> {
    let entries = std::fs::read_dir(fuzz(folder)).unwrap();
    entries.map(|entry| entry.unwrap().path().file_stem().unwrap().to_str().unwrap().to_owned()).collect()
}

fn table() -> BTreeSet<String> {
    TARGETS.iter().map(|row| row.0.to_owned()).collect()
}

#[test]
fn every_target_has_its_file_for_libfuzzer() {
    assert_eq!(stems("fuzz_targets"), table());
    let manifest = std::fs::read_to_string(fuzz("Cargo.toml")).unwrap();
    for (name, _) in TARGETS {
        assert!(manifest.contains(&format!("name = \"{name}\"")), "{name} is no [[bin]] of fuzz/Cargo.toml");
        let file = std::fs::read_to_string(fuzz("fuzz_targets").join(format!("{name}.rs"))).unwrap();
        assert!(file.contains(&format!("run(\"{name}\", data)")), "{name}.rs runs another target");
    }
}

#[test]
fn every_corpus_has_an_input_that_is_accepted_and_one_that_is_not() {
    assert_eq!(stems("corpus"), table());
    for (name, target) in TARGETS {
        let inputs = std::fs::read_dir(fuzz("corpus").join(name)).unwrap();
        let verdicts: BTreeSet<bool> =
            inputs.map(|input| target(&std::fs::read(input.unwrap().path()).unwrap())).collect();
        assert_eq!(verdicts.len(), 2, "{name}: all inputs have the verdict {verdicts:?}");
    }
}
