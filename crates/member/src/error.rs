//! Why a member cannot go on.

use crate::folder::FolderError;
use crate::http::HttpError;

/// Why a member cannot go on.
#[derive(Debug, thiserror::Error)]
pub enum MemberError {
    /// The secrets folder.
    #[error(transparent)]
    Folder(#[from] FolderError),
    /// A server.
    #[error(transparent)]
    Http(#[from] HttpError),
    /// No keys of its own yet.
    #[error("this member is not enrolled: run `strongroom {program} enroll {config}`", config = config.display())]
    NotEnrolled {
        /// `collector` or `query`.
        program: &'static str,
        /// The configuration.
        config: std::path::PathBuf,
    },
    /// Keys of its own already.
    #[error("this member is enrolled already; `--replace` registers new keys in place of the present ones")]
    Enrolled,
    /// Nothing to show to the authority.
    #[error("no token: put the member's one into kms_access_key, or name the user")]
    NoToken,
    /// A password that is no text.
    #[error("the password is not UTF-8 text")]
    Password,
    /// Administrators have no keys.
    #[error("{name} is an administrator: it has no keys, and neither sends nor reads records")]
    Administrator {
        /// Its name.
        name: String,
    },
    /// A manifest that is not the authority's.
    #[error("the manifest is refused: {0}")]
    Manifest(#[from] ManifestError),
    /// The public key is of another authority than the manifest's.
    #[error("the public key is not that of the manifest's authority")]
    OtherAuthority,
    /// Something that the authority sent cannot be read.
    #[error("what the authority sent as {what} cannot be used: {why}")]
    Unusable {
        /// What.
        what: &'static str,
        /// Why.
        why: String,
    },
    /// The authority gave no key for what is needed now.
    #[error("the authority gave no {what} of epoch {epoch}")]
    NoKey {
        /// Which key.
        what: &'static str,
        /// Of which epoch.
        epoch: u64,
    },
    /// Policies that nothing can be sealed for.
    #[error(transparent)]
    Policy(#[from] strongroom_envelope::PolicyError),
    /// The member's own key cannot sign.
    #[error("the member's signing key cannot be used")]
    Signing,
}

/// Why a manifest is not believed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ManifestError {
    /// Not signed by the authority's key.
    #[error("{0}; if the authority was made anew, remove authority.pub from the secrets folder")]
    Signature(#[from] strongroom_envelope::SignedError),
    /// The pinned key and the folder's are two.
    #[error("kms.public_key is not the key in authority.pub")]
    TwoKeys,
    /// It goes back.
    #[error("it goes back: {what} {got}, seen before was {had}")]
    Rollback {
        /// `epoch`, or `time`.
        what: &'static str,
        /// What was seen.
        had: u64,
        /// What it says.
        got: u64,
    },
    /// It was issued in the future.
    #[error("it was issued {ahead_secs} s from now: the clock here, or the authority's, is wrong")]
    Future {
        /// How far ahead.
        ahead_secs: u64,
    },
    /// It cannot be read.
    #[error("its {field} cannot be read")]
    Field {
        /// Which field.
        field: &'static str,
    },
}

impl MemberError {
    /// Whether asking again later may help, without anybody changing anything here.
    pub fn may_pass(&self) -> bool {
        matches!(self, Self::Http(error) if error.may_pass())
    }
}
