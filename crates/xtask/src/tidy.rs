//! `cargo xtask tidy`: proves from manifests and sources what the design promises of the code's shape.

mod arrows;
mod finding;
mod house;
mod manifest;
mod papers;
mod permits;
mod rules;
mod sizes;
mod source;
#[cfg(test)]
mod tests;

use std::path::Path;

use finding::Finding;
use source::Source;

use crate::Outcome;

/// Runs every rule, prints the largest things and every finding. Whether all is tidy.
pub(crate) fn run(root: &Path) -> Outcome<bool> {
    let manifests = manifest::read_all(root)?;
    let sources = read_sources(root, &manifests)?;
    let sizes = sizes::measure(&sources);
    let mut found = arrows::check(&manifests);
    found.extend(check_sources(&sources));
    found.extend(sizes.findings());
    found.extend(papers::check(root));
    sizes.print();
    for finding in &found {
        println!("untidy: {finding}");
    }
    println!("tidy: {} crates, {} files, {} findings", manifests.len(), sources.len(), found.len());
    Ok(found.is_empty())
}

fn read_sources(root: &Path, manifests: &[manifest::Manifest]) -> Outcome<Vec<Source>> {
    let mut sources = Vec::new();
    for manifest in manifests {
        sources.extend(source::read_crate(root, &manifest.folder)?);
    }
    Ok(sources)
}

fn check_sources(sources: &[Source]) -> Vec<Finding> {
    sources.iter().flat_map(|source| rules::check(source).into_iter().chain(permits::check(source))).collect()
}
