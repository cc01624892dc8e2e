//! What this program says about itself to shells and to `man`.

use crate::args::{Cli, Global};
use crate::error::CliError;
use crate::output::{self, Output};
use clap::CommandFactory as _;
use std::path::Path;

/// A completion script.
pub(super) fn completions(shell: clap_complete::Shell) -> Result<(), CliError> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "strongroom", &mut script);
    output::bytes(&script)
}

/// A page a command, in section 1.
pub(super) fn pages(global: &Global, folder: &Path) -> Result<(), CliError> {
    std::fs::create_dir_all(folder).map_err(CliError::file(folder))?;
    let mut command = Cli::command().disable_help_subcommand(true).color(clap::ColorChoice::Never);
    command.build();
    let pages = write(&command, folder)?;
    let out = Output::new(global);
    if out.json() {
        return output::line(&serde_json::json!({ "pages": pages, "folder": folder }).to_string());
    }
    output::line(&format!(
        "Wrote {pages} pages to {}: man -l {}",
        folder.display(),
        folder.join("strongroom.1").display()
    ))
}

fn write(command: &clap::Command, folder: &Path) -> Result<usize, CliError> {
    let mut pages = 1;
    for below in command.get_subcommands().filter(|below| !below.is_hide_set()) {
        pages += write(below, folder)?;
    }
    // the date would make each build another
    let page =
        clap_mangen::Man::new(command.clone()).source(concat!("strongroom ", env!("CARGO_PKG_VERSION")));
    page.generate_to(folder).map_err(CliError::file(folder))?;
    Ok(pages)
}
