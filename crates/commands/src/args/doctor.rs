//! The look at everything around.

use clap::Args;
use std::path::PathBuf;

#[derive(Debug, Args)]
pub(crate) struct DoctorArgs {
    /// The server's configuration: looks at files, certificates, disk and process on this machine as well
    #[arg(short = 'c', long = "config", value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// Look at everything that is stored: asks the server, or, with -c, looks at the data of one that is stopped
    #[arg(long)]
    pub(crate) deep: bool,
}
