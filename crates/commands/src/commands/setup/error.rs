//! Why a setup does not go on.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;

/// Why a setup does not go on.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SetupError {
    /// Questions that nobody answered.
    #[error(
        "nobody is there to answer {}; answer in a file with --data, or take the defaults with --defaults",
        .0.join(", ")
    )]
    Unanswered(Vec<&'static str>),
    /// A question that was answered wrongly too often.
    #[error("{key}: not answered")]
    GivenUp {
        /// Its key.
        key: &'static str,
    },
    /// Steps that only root can do.
    #[error("these steps need root:\n{}", .0.iter().map(|step| format!("  {step}")).collect::<Vec<_>>().join("\n"))]
    NeedsRoot(Vec<String>),
    /// More than one thing.
    #[error("{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))]
    Several(Vec<SetupError>),
    /// The system says no.
    #[error("cannot {action} {path}: {source}", path = path.display())]
    Io {
        /// What was tried.
        action: &'static str,
        /// With what.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Something of another kind stands there.
    #[error("{path} is no {wanted}", path = path.display())]
    WrongKind {
        /// The path.
        path: PathBuf,
        /// What should be there.
        wanted: &'static str,
    },
    /// A folder that others can enter, or that belongs to somebody else.
    #[error(
        "{path} is there, is not empty, and has mode {mode:04o} and owner {owner}; it must have mode 0700 and belong to \
         {wanted}: take another folder, or change this one by hand",
        path = path.display()
    )]
    Folder {
        /// The folder.
        path: PathBuf,
        /// Its mode.
        mode: u32,
        /// Its owner's number.
        owner: u32,
        /// Who should own it.
        wanted: String,
    },
    /// A file that says something else.
    #[error("{path} is there and says something else; move it away, or answer {key} with another path", path = path.display())]
    Differs {
        /// The file.
        path: PathBuf,
        /// The question that it comes from.
        key: &'static str,
    },
    /// A file that must be there is not.
    #[error("{path} is not there; {instead}", path = path.display())]
    Missing {
        /// The file.
        path: PathBuf,
        /// What to answer.
        instead: &'static str,
    },
    /// There is no such user or group, and none is to be made.
    #[error("there is no {what} {name}; answer create_server_user with Yes, or name another")]
    NoAccount {
        /// User, group.
        what: &'static str,
        /// Its name.
        name: String,
    },
    /// A user whom somebody could log in as, or whose home is in the wrong place.
    #[error("user {name} {fault}")]
    UnsafeAccount {
        /// The user.
        name: String,
        /// What is wrong.
        fault: &'static str,
    },
    /// A folder or file that the server could not write.
    #[error(
        "user {user} cannot {what} {path}: answer {key} with a path in a folder of theirs (such as \
         /var/run/convection-secrets/), or let them write there; setup changes no folder that is there already",
        path = path.display()
    )]
    OutOfReach {
        /// The user.
        user: String,
        /// Make, write.
        what: &'static str,
        /// The file.
        path: PathBuf,
        /// The question that it comes from.
        key: &'static str,
    },
    /// A port that somebody else listens on.
    #[error(
        "{address} is taken{holder}: end what listens there, or answer {key} with another port",
        holder = .holder.as_ref().map_or_else(String::new, |holder| format!(" by {holder}"))
    )]
    PortTaken {
        /// Where the server would listen.
        address: SocketAddr,
        /// The question that it comes from.
        key: &'static str,
        /// Who listens, if the system tells it.
        holder: Option<String>,
    },
    /// One port for two listeners.
    #[error("{address} cannot carry both: answer listen_port and websocket_port with two ports")]
    SamePort {
        /// Both.
        address: SocketAddr,
    },
    /// An address that nobody can listen on here.
    #[error("cannot listen on {address}: {source}; answer listen_ip or {key} with another")]
    Port {
        /// Where the server would listen.
        address: SocketAddr,
        /// The question that its port comes from.
        key: &'static str,
        /// Why.
        source: io::Error,
    },
    /// Two halves of different pairs.
    #[error("{private} and {public} are no pair", private = private.display(), public = public.display())]
    NoPair {
        /// The private key, or the certificate's key.
        private: PathBuf,
        /// The public key, or the certificate.
        public: PathBuf,
    },
    /// A key that cannot be used.
    #[error("{path}: {source}", path = path.display())]
    Key {
        /// The file.
        path: PathBuf,
        /// Why.
        source: strongroom_crypto::KeyError,
    },
    /// A certificate that cannot be made or used.
    #[error("{path}: {source}", path = path.display())]
    Certificate {
        /// The file.
        path: PathBuf,
        /// Why.
        source: strongroom_x509::X509Error,
    },
    /// A program of the system's that failed.
    #[error("{program} failed: {said}")]
    Program {
        /// Its name.
        program: &'static str,
        /// What it said.
        said: String,
    },
    /// The server ended before it served.
    #[error("the server did not start: {said}")]
    ServerEnded {
        /// What it said.
        said: String,
    },
    /// The server does not answer.
    #[error("the server does not answer on {path}", path = path.display())]
    Silent {
        /// Its socket.
        path: PathBuf,
    },
    /// A step that did not bring about what it should have.
    #[error("{step}: done, and still not so")]
    WithoutEffect {
        /// The step.
        step: String,
    },
    /// No home folder for `~`.
    #[error("HOME is not set, so nobody knows what ~ is")]
    NoHome,
}

impl SetupError {
    /// Whether the command line is to blame.
    pub(crate) fn is_usage(&self) -> bool {
        matches!(self, Self::Unanswered(_))
    }

    pub(super) fn io(action: &'static str, path: &std::path::Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Io { action, path, source }
    }
}
