//! Files: the log, the server's configuration, and what a client needs.

use super::SetupError;
use super::machine::{self, Owner};
use super::plan::{Site, Standing, Step};
use super::texts;
use crate::error::CliError;
use crate::state::Draft;
use rustix::fs::{Gid, Uid};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

pub(super) fn steps(site: &Site) -> Vec<Box<dyn Step>> {
    let mut steps: Vec<Box<dyn Step>> = vec![
        Box::new(Log),
        Box::new(Text {
            path: site.config_folder().join("convection-secrets.toml"),
            what: "the server's configuration",
            key: "server_config_root",
            mode: 0o600,
            of_server: true,
            says: texts::server_config,
        }),
    ];
    if site.answers.yes("generate_tls") {
        steps.push(Box::new(ClientAuthority));
    }
    steps.push(Box::new(Text {
        path: site.path("client_config_file"),
        what: "the client's configuration",
        key: "client_config_file",
        mode: 0o644,
        of_server: false,
        says: texts::client_config,
    }));
    steps
}

/// Writes a file wholly or not at all, with its mode, for its owner.
pub(super) fn put(path: &Path, bytes: &[u8], mode: u32, owner: Option<Owner>) -> Result<(), SetupError> {
    let write = || -> io::Result<()> {
        let mut draft = Draft::beside(path, 0o600)?;
        draft.file.write_all(bytes)?;
        if let Some(owner) = owner.filter(|owner| *owner != Owner::me()) {
            rustix::fs::fchown(&draft.file, Some(Uid::from_raw(owner.uid)), Some(Gid::from_raw(owner.gid)))?;
        }
        rustix::fs::fchmod(&draft.file, rustix::fs::Mode::from_raw_mode(mode))?;
        draft.finish()
    };
    write().map_err(SetupError::io("write", path))
}

/// Reads a file of text, if there is one.
pub(super) fn read(path: &Path) -> Result<Option<Vec<u8>>, SetupError> {
    match std::fs::metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Ok(metadata) if !metadata.is_file() => {
            return Err(SetupError::WrongKind { path: path.to_owned(), wanted: "file" });
        }
        _ => {}
    }
    std::fs::read(path).map(Some).map_err(SetupError::io("read", path))
}

/// The log file, made for the server, which cannot make it in a folder of root's.
struct Log;

impl Step for Log {
    fn title(&self, site: &Site) -> String {
        format!("log file {}", site.path("server_log_file").display())
    }

    fn look(&self, site: &Site) -> Result<Standing, SetupError> {
        let path = site.path("server_log_file");
        if path.is_dir() {
            return Err(SetupError::WrongKind { path, wanted: "file" });
        }
        if path.exists() {
            return Ok(Standing::Done);
        }
        Ok(Standing::due(format!("make the log file {}, mode 0640", path.display()), site.takes_root(&path)))
    }

    fn apply(&self, site: &Site) -> Result<(), CliError> {
        Ok(put(&site.path("server_log_file"), b"", 0o640, Some(site.owner_now()?))?)
    }
}

/// A file whose text follows from the answers. One that says something else stays, and nothing goes on.
struct Text {
    path: PathBuf,
    what: &'static str,
    key: &'static str,
    mode: u32,
    of_server: bool,
    says: fn(&Site) -> String,
}

impl Step for Text {
    fn title(&self, _: &Site) -> String {
        format!("{} {}", self.what, self.path.display())
    }

    fn look(&self, site: &Site) -> Result<Standing, SetupError> {
        match read(&self.path)? {
            Some(found) if found == (self.says)(site).as_bytes() => Ok(Standing::Done),
            Some(_) => Err(SetupError::Differs { path: self.path.clone(), key: self.key }),
            None => {
                let root =
                    if self.of_server { site.takes_root(&self.path) } else { !machine::may_make(&self.path) };
                Ok(Standing::due(format!("write {} {}", self.what, self.path.display()), root))
            }
        }
    }

    fn apply(&self, site: &Site) -> Result<(), CliError> {
        let owner = if self.of_server { Some(site.owner_now()?) } else { None };
        Ok(put(&self.path, (self.says)(site).as_bytes(), self.mode, owner)?)
    }
}

/// A copy of the authority's certificate where clients can read it: the server's own folder is closed to them.
struct ClientAuthority;

impl Step for ClientAuthority {
    fn title(&self, site: &Site) -> String {
        format!("authority for clients {}", texts::client_authority(site).display())
    }

    fn look(&self, site: &Site) -> Result<Standing, SetupError> {
        let copy = texts::client_authority(site);
        // the folder may be closed to who runs this
        let authority = std::fs::read(super::tls::authority(site)).ok();
        if authority.is_some() && read(&copy)? == authority {
            return Ok(Standing::Done);
        }
        let what = format!("copy the authority's certificate to {}", copy.display());
        Ok(Standing::due(what, !machine::may_make(&copy)))
    }

    fn apply(&self, site: &Site) -> Result<(), CliError> {
        let authority = super::tls::authority(site);
        let text = std::fs::read(&authority).map_err(SetupError::io("read", &authority))?;
        // it lies in a folder of the server's, and a link there may lead to what nobody else should read
        if !is_certificate(&text) {
            return Err(SetupError::WrongKind { path: authority, wanted: "certificate" }.into());
        }
        Ok(put(&texts::client_authority(site), &text, 0o644, None)?)
    }
}

/// Whether a text is a certificate, or some, and nothing else.
fn is_certificate(text: &[u8]) -> bool {
    let Ok(whole) = std::str::from_utf8(text) else { return false };
    let mut within = false;
    for line in whole.lines() {
        within = match (within, line) {
            (false, "-----BEGIN CERTIFICATE-----") => true,
            (true, "-----END CERTIFICATE-----") => false,
            (true, line) if !line.starts_with('-') => true,
            _ => return false,
        };
    }
    !within && strongroom_x509::inspect(text).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use strongroom_ambient::Ambient;
    use strongroom_x509::Authority;

    #[test]
    fn clients_get_a_certificate_and_nothing_else() {
        let made = Authority::generate(&Ambient::system(), "a test").unwrap();
        let certificate = made.certificate_pem();
        assert!(is_certificate(certificate.as_bytes()));
        assert!(is_certificate([certificate, certificate].concat().as_bytes()));
        made.private_key_pem().expose(|key| {
            assert!(!is_certificate(key));
            assert!(!is_certificate(&[certificate.as_bytes(), key].concat()));
            assert!(!is_certificate(&[key, certificate.as_bytes()].concat()));
        });
        for text in
            ["", "root:$6$x:1::::::\n", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"]
        {
            assert!(!is_certificate(text.as_bytes()), "{text}");
        }
        assert!(!is_certificate([certificate, "root:$6$x:1::::::\n", certificate].concat().as_bytes()));
    }
}
