//! Lists the types of store: each file in `src/types` is one, with a `TYPE` in it. So a further type is a further file.

use std::env;
use std::fmt::Write as _;
use std::fs;
use std::path::PathBuf;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let folder = PathBuf::from(env::var("CARGO_MANIFEST_DIR")?).join("src/types");
    println!("cargo::rerun-if-changed={}", folder.display());
    let mut names = Vec::new();
    for entry in fs::read_dir(&folder)? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "rs") {
            names.extend(path.file_stem().and_then(|stem| stem.to_str()).map(str::to_owned));
        }
    }
    names.sort();
    let mut text = String::new();
    for name in &names {
        // a raw text: the folder may have a backslash in it
        writeln!(text, "#[path = r\"{}\"]\nmod {name};", folder.join(format!("{name}.rs")).display())?;
    }
    writeln!(text, "pub(crate) static ALL: &[&dyn StoreType] = &[")?;
    for name in &names {
        writeln!(text, "    &{name}::TYPE,")?;
    }
    writeln!(text, "];")?;
    fs::write(PathBuf::from(env::var("OUT_DIR")?).join("types.rs"), text)?;
    Ok(())
}
