//! Links by which the binary acts as other programs.

use crate::args::{Global, LinksArgs};
use crate::error::CliError;
use crate::names::NAMES;
use crate::output::Output;
use std::io;
use std::path::Path;

/// Makes them in a folder; those that lead here already stay.
pub(super) fn run(global: &Global, args: &LinksArgs) -> Result<(), CliError> {
    let program = std::env::current_exe().map_err(CliError::file(Path::new("/proc/self/exe")))?;
    // all are looked at before any is made
    let mut wanted = Vec::new();
    for name in NAMES {
        let link = args.dir.join(name.called);
        let leads = std::fs::read_link(&link).is_ok_and(|to| to == program);
        if !leads && !args.force && link.symlink_metadata().is_ok() {
            let taken = io::Error::new(io::ErrorKind::AlreadyExists, "is there already; --force replaces it");
            return Err(CliError::File { path: link, source: taken });
        }
        wanted.push((name, link, leads));
    }
    let mut rows = Vec::new();
    for (name, link, leads) in wanted {
        if !leads {
            place(&program, &link)?;
        }
        let state = if leads { "already so" } else { "made" };
        rows.push(vec![link.display().to_string(), state.to_owned(), name.does.to_owned()]);
    }
    Output::new(global).table(&["LINK", "", "ACTS AS"], rows)
}

/// Makes the link under another name and moves it there, so that at no moment there is none.
fn place(program: &Path, link: &Path) -> Result<(), CliError> {
    let draft = link.with_extension(format!("{}.new", std::process::id()));
    std::os::unix::fs::symlink(program, &draft).map_err(CliError::file(link))?;
    let moved = std::fs::rename(&draft, link);
    if moved.is_err() {
        // nothing can be done if even this fails
        let _ = std::fs::remove_file(&draft);
    }
    moved.map_err(CliError::file(link))
}
