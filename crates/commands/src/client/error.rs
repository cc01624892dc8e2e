//! Why there is no good answer.

use crate::context::Address;
use serde::Deserialize;
use std::io;
use std::path::PathBuf;

/// Why a request failed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ClientError {
    /// The server said no, and why.
    #[error("{0}")]
    Refused(Refusal),
    /// Nobody listens there.
    #[error("no server at {address}: {source}")]
    NoServer {
        /// Where.
        address: Address,
        /// Why.
        source: io::Error,
    },
    /// Nobody answers there.
    #[error("no connection to {address} within {seconds} s")]
    ConnectTimeout {
        /// Where.
        address: Address,
        /// How long.
        seconds: u64,
    },
    /// No answer in time.
    #[error("no answer within {seconds} s (request {request})")]
    AnswerTimeout {
        /// How long.
        seconds: u64,
        /// The request.
        request: String,
    },
    /// The server is not whom it should be.
    #[error("{address} is not to be trusted: {source}")]
    Untrusted {
        /// Where.
        address: Address,
        /// Why.
        source: io::Error,
    },
    /// Nothing to trust.
    #[error(
        "no authority to check {address} with: give --cacert FILE, set STRONGROOM_CACERT, or use a context that \
         pins one"
    )]
    NoAuthority {
        /// Where.
        address: Address,
    },
    /// An authority that is none.
    #[error("{path}: no usable certificate in PEM", path = path.display())]
    BadAuthority {
        /// The file.
        path: PathBuf,
    },
    /// The connection broke before the answer was whole.
    #[error("the connection was lost: {source} (request {request})")]
    Lost {
        /// Why.
        source: hyper::Error,
        /// The request.
        request: String,
    },
    /// A write of which nobody knows whether it happened.
    #[error(
        "it is not known whether the change was made: {source} (request {request}, asked {attempts} times); look \
         before you repeat it"
    )]
    Unknown {
        /// Why.
        source: Box<ClientError>,
        /// The request.
        request: String,
        /// How often it was said.
        attempts: u32,
    },
    /// More than is read into memory.
    #[error("the answer is larger than {max} bytes")]
    TooLarge {
        /// The limit.
        max: usize,
    },
    /// Not what the interface says.
    #[error("the answer is not what was expected: {0}")]
    Strange(#[from] serde_json::Error),
    /// A success that is none of ours.
    #[error("{address} answered with status {status}; is it a Strongroom server?")]
    NotOurs {
        /// Where.
        address: Address,
        /// What it said.
        status: u16,
    },
    /// The request could not be put together.
    #[error("the request cannot be made: {0}")]
    Request(#[from] http::Error),
    /// What was done with the answer failed.
    #[error("writing the answer: {0}")]
    Sink(#[source] io::Error),
}

/// A problem, read without trusting that its code is one we know.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(crate) struct Refusal {
    /// What the code means.
    pub(crate) title: String,
    /// Stable code.
    pub(crate) code: String,
    /// What was wrong this time.
    #[serde(default)]
    pub(crate) detail: Option<String>,
    /// The request.
    #[serde(default)]
    pub(crate) request_id: Option<String>,
}

impl Refusal {
    /// A long answer that could not be given to its end says so in its last line: for each line, whether it is that.
    pub(crate) fn check(line: &[u8]) -> Result<(), ClientError> {
        match serde_json::from_slice::<Self>(line) {
            Ok(refusal) => Err(ClientError::Refused(refusal)),
            Err(_) => Ok(()),
        }
    }
}

impl std::fmt::Display for Refusal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.title)?;
        if let Some(detail) = &self.detail {
            write!(f, ": {detail}")?;
        }
        write!(f, " ({}", self.code)?;
        if let Some(request) = &self.request_id {
            write!(f, ", request {request}")?;
        }
        f.write_str(")")
    }
}

impl ClientError {
    /// The stable code, if the server gave one.
    pub(crate) fn code(&self) -> Option<&str> {
        match self {
            Self::Refused(refusal) => Some(&refusal.code),
            _ => None,
        }
    }

    /// Whether the command line is to blame.
    pub(crate) fn is_usage(&self) -> bool {
        matches!(self, Self::NoAuthority { .. })
    }

    /// Whether the server may have done it without saying so.
    pub(super) fn leaves_doubt(&self) -> bool {
        matches!(self, Self::Lost { .. } | Self::AnswerTimeout { .. })
            || self.code() == Some("outcome_unknown")
    }

    /// Whether it says what became of a write that was said before: not what is answered before anyone looks.
    pub(super) fn settles(&self) -> bool {
        self.code().is_some_and(|code| {
            !matches!(
                code,
                "locked"
                    | "not_initialised"
                    | "busy"
                    | "trail_unavailable"
                    | "unauthenticated"
                    | "refused"
                    | "too_many_requests"
                    | "timeout"
            )
        })
    }

    /// What to do about it.
    pub(crate) fn hint(&self) -> Option<&'static str> {
        match self {
            Self::NoServer { .. } | Self::ConnectTimeout { .. } => {
                Some("start one with `strongroom dev`, or say where it is with --address")
            }
            Self::Unknown { source, .. } => source.hint(),
            _ => match self.code()? {
                "locked" => Some("strongroom unlock"),
                "unauthenticated" => Some("strongroom login"),
                "not_initialised" => Some("strongroom init"),
                _ => None,
            },
        }
    }
}
