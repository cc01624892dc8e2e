//! A setup that has begun to initialise: a file beside the store from before the unlock keys hold until everything is made,
//! so that one that was interrupted in between is noticed, and goes on.

use super::SetupError;
use super::files::{put, read};
use super::plan::Site;
use std::io::ErrorKind;
use std::path::PathBuf;

/// It holds root's access key id, which is no secret.
const NAME: &str = "setup-begun";

fn path(site: &Site) -> PathBuf {
    site.path("secrets_dir").join(NAME)
}

pub(super) fn begin(site: &Site, root_id: &str) -> Result<(), SetupError> {
    put(&path(site), root_id.as_bytes(), 0o600, Some(site.owner_now()?))
}

/// Root's access key id, if a setup is under way.
pub(super) fn root_id(site: &Site) -> Result<Option<String>, SetupError> {
    Ok(read(&path(site))?.map(|text| String::from_utf8_lossy(&text).trim().to_owned()))
}

pub(super) fn end(site: &Site) -> Result<(), SetupError> {
    let path = path(site);
    match std::fs::remove_file(&path) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(SetupError::io("remove", &path)(error)),
        _ => Ok(()),
    }
}
