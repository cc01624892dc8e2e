//! Key pairs of root and recovery: RSA, for that is what the original's client logs in with.

use super::SetupError;
use super::files::{self, put};
use super::machine;
use super::plan::{Site, Standing, Step};
use crate::error::CliError;
use crate::state;
use std::path::{Path, PathBuf};
use strongroom_crypto::{KeyMaterial, MaterialKind, PublicKey};

pub(super) fn steps(site: &Site) -> Vec<Box<dyn Step>> {
    let root = Pair::of(site, "root");
    let recovery = (site.answers.yes("initialize") && site.answers.yes("use_recovery"))
        .then(|| Pair::of(site, "recovery"));
    [Some(root), recovery].into_iter().flatten().map(|pair| Box::new(pair) as Box<dyn Step>).collect()
}

/// One pair.
pub(super) struct Pair {
    user: &'static str,
    pub(super) private: PathBuf,
    pub(super) public: PathBuf,
    generate: bool,
    bits: usize,
}

impl Pair {
    pub(super) fn of(site: &Site, user: &'static str) -> Self {
        Self {
            user,
            private: site.path(&format!("{user}_private_key")),
            public: site.path(&format!("{user}_public_key")),
            generate: site.answers.yes(&format!("generate_{user}_key")),
            bits: usize::try_from(site.answers.number("generated_key_size")).unwrap_or_default(),
        }
    }
}

/// The private key of a file.
fn private(path: &Path) -> Result<Option<KeyMaterial>, CliError> {
    if !path.exists() {
        return Ok(None);
    }
    let wrong = |source| SetupError::Key { path: path.to_owned(), source };
    Ok(Some(state::read_private(path)?.expose(KeyMaterial::read).map_err(wrong)?))
}

impl Step for Pair {
    fn title(&self, _: &Site) -> String {
        format!("key pair of {}: {}, {}", self.user, self.private.display(), self.public.display())
    }

    fn look(&self, _: &Site) -> Result<Standing, SetupError> {
        let public = files::read(&self.public)?;
        if let Some(text) = &public {
            let wrong = |source| SetupError::Key { path: self.public.clone(), source };
            let key = PublicKey::from_pem(text).map_err(wrong)?;
            // whoever keeps the private half elsewhere does well
            let private = private(&self.private).ok().flatten();
            return match private {
                Some(private) if private.spki() != key.spki() => {
                    Err(SetupError::NoPair { private: self.private.clone(), public: self.public.clone() })
                }
                _ => Ok(Standing::Done),
            };
        }
        if !self.generate {
            let instead = "answer the question for its key pair with Yes, or for its public key with the file that there is";
            return Err(SetupError::Missing { path: self.public.clone(), instead });
        }
        let root = !machine::may_make(&self.private) || !machine::may_make(&self.public);
        let what = format!(
            "generate an RSA key pair of {} bits for {}: {}",
            self.bits,
            self.user,
            self.private.display()
        );
        Ok(Standing::due(what, root))
    }

    /// A private key that an interrupted setup left is used, not replaced.
    fn apply(&self, _: &Site) -> Result<(), CliError> {
        let pair = if let Some(pair) = private(&self.private)? {
            pair
        } else {
            let pair =
                KeyMaterial::generate(MaterialKind::Rsa(self.bits)).map_err(|_| CliError::KeyMaking)?;
            pair.private_pem().expose(|pem| put(&self.private, pem, 0o600, None))?;
            pair
        };
        Ok(put(&self.public, pair.public_pem().as_bytes(), 0o644, None)?)
    }
}
