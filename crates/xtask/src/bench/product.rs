//! The two products, as a load sees them.

use std::path::PathBuf;
use std::time::Duration;

use crate::local::Client;
use crate::shell::Running;

/// One request of a kind; `{n}` in its path is a number.
#[derive(Debug, Clone)]
pub(super) struct Request {
    pub(super) method: &'static str,
    pub(super) path: String,
    pub(super) body_file: Option<PathBuf>,
}

impl Request {
    pub(super) fn get(path: impl Into<String>) -> Self {
        Self { method: "GET", path: path.into(), body_file: None }
    }
}

/// A product that runs.
pub(super) struct Product {
    pub(super) name: &'static str,
    pub(super) server: Running,
    pub(super) url: String,
    /// A whole header: the limited token.
    pub(super) token: String,
    pub(super) lookup: Request,
    /// Whom to trust for its certificate.
    pub(super) authority: PathBuf,
    /// Reads `hot/{n}`.
    pub(super) read: Request,
    /// Writes `hot/{n}`, to have something to read.
    pub(super) fill_hot: Request,
    /// Writes `write/{n}`.
    pub(super) write: Request,
    /// Writes `list/{n}`.
    pub(super) fill_list: Request,
    /// Writes `more/{n}`.
    pub(super) fill_more: Request,
    /// Lists `list`.
    pub(super) list: Request,
    /// From the start of the process to the first secret, read back.
    pub(super) to_first_secret: Duration,
    pub(super) binary: PathBuf,
    /// Of ours: who installed it, at the client.
    pub(super) client: Option<Client>,
}

impl Product {
    pub(super) fn pid(&self) -> u32 {
        self.server.pid()
    }
}
