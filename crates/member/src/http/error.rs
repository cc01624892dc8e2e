//! Why there is no good answer.

use rustls::AlertDescription;
use std::error::Error as _;
use std::io;
use std::path::PathBuf;
use std::time::Duration;
use strongroom_sharing::Refusal;

/// Why a question to a server failed.
#[derive(Debug, thiserror::Error)]
pub enum HttpError {
    /// Nobody listens there.
    #[error("no server at {server}: {source}")]
    NoServer {
        /// Where.
        server: String,
        /// Why.
        source: io::Error,
    },
    /// No connection in time.
    #[error("no connection to {server} within {seconds} s")]
    NoConnection {
        /// Where.
        server: String,
        /// How long.
        seconds: u64,
    },
    /// The server is not whom it should be.
    #[error("{server} is not to be trusted: {source}")]
    Untrusted {
        /// Where.
        server: String,
        /// Why.
        source: io::Error,
    },
    /// The server does not take this member's certificate.
    #[error("{server} does not take the certificate that tls.client_cert names: {alert:?}")]
    Certificate {
        /// Who.
        server: String,
        /// What it said.
        alert: AlertDescription,
    },
    /// No authorities to trust.
    #[error("no authorities to check a server with: name one under tls.ca, or set SSL_CERT_FILE")]
    NoRoots,
    /// The library knows no version of TLS.
    #[error("TLS cannot be set up")]
    NoTls,
    /// A file for TLS that is none.
    #[error("{path}: not {what}", path = path.display())]
    BadFile {
        /// The file.
        path: PathBuf,
        /// What it should be.
        what: &'static str,
    },
    /// No answer in time.
    #[error("{server} gave no answer within {seconds} s")]
    NoAnswer {
        /// Who.
        server: String,
        /// How long.
        seconds: u64,
    },
    /// The connection broke before the answer was whole.
    #[error("{server}: the connection was lost: {source}{cause}", cause = cause(source))]
    Lost {
        /// Who.
        server: String,
        /// Why.
        source: hyper::Error,
    },
    /// More than is read.
    #[error("{server}: the answer is larger than {most} bytes")]
    TooLarge {
        /// Who.
        server: String,
        /// The limit.
        most: usize,
    },
    /// Not what the interface says.
    #[error("{server}: the answer to {asked} is not what was expected: {why}")]
    Strange {
        /// Who.
        server: String,
        /// What was asked.
        asked: &'static str,
        /// What is wrong with it.
        why: String,
    },
    /// The proxy before the server wants user and password.
    #[error("the proxy before {server} answered {status}: check basic_auth in the configuration")]
    Proxy {
        /// Who.
        server: String,
        /// 401 or 403.
        status: u16,
    },
    /// The proxy before the server takes no body of this size.
    #[error(
        "the proxy before {server} takes no body of this size (413): raise its limit (client_max_body_size of nginx)"
    )]
    BodyLimit {
        /// Who.
        server: String,
    },
    /// The server said no, and why.
    #[error("{server}: {message} ({error})", message = refusal.message, error = refusal.error)]
    Refused {
        /// Who.
        server: String,
        /// The status.
        status: u16,
        /// What it said.
        refusal: Refusal,
        /// Seconds after which to ask again, if it said so.
        retry_after: Option<u64>,
    },
    /// No success, and none of ours.
    #[error("{server} answered with status {status}")]
    Status {
        /// Who.
        server: String,
        /// The status.
        status: u16,
    },
    /// The question could not be put together.
    #[error("the request cannot be made: {0}")]
    Request(#[from] http::Error),
}

impl HttpError {
    /// The status, if there was an answer.
    pub fn status(&self) -> Option<u16> {
        match self {
            Self::Proxy { status, .. } | Self::Refused { status, .. } | Self::Status { status, .. } => {
                Some(*status)
            }
            Self::BodyLimit { .. } => Some(413),
            _ => None,
        }
    }

    /// How long to wait before asking again, if the server refuses only because it is asked too often (429): at least a
    /// second.
    pub fn wait(&self) -> Option<Duration> {
        match self {
            Self::Refused { status: 429, retry_after: Some(seconds), .. } => {
                Some(Duration::from_secs((*seconds).max(1)))
            }
            _ => None,
        }
    }

    /// The server's stable word for it, if it is the server's.
    pub fn code(&self) -> Option<&str> {
        match self {
            Self::Refused { refusal, .. } => Some(&refusal.error),
            _ => None,
        }
    }

    /// Whether the server itself (no proxy) does not take the token.
    pub fn is_unauthenticated(&self) -> bool {
        matches!(self, Self::Refused { status: 401, .. })
    }

    /// Whether asking again later may help, without anybody changing anything here.
    pub fn may_pass(&self) -> bool {
        match self {
            Self::NoServer { .. } | Self::NoConnection { .. } | Self::NoAnswer { .. } | Self::Lost { .. } => {
                true
            }
            _ => self.status().is_some_and(|status| matches!(status, 408 | 429 | 500..)),
        }
    }
}

/// What lies below an error of the connection.
fn cause(error: &hyper::Error) -> String {
    below(error).fold(String::new(), |text, cause| text + ": " + &cause.to_string())
}

/// The causes of an error, one below the other.
fn below<'a>(error: &'a hyper::Error) -> impl Iterator<Item = &'a (dyn std::error::Error + 'static)> {
    std::iter::successors(error.source(), |cause: &&'a (dyn std::error::Error + 'static)| (*cause).source())
}

/// What a server says of a certificate that it does not take, where an error is that.
pub(super) fn certificate_alert(error: &io::Error) -> Option<AlertDescription> {
    let inner = error.get_ref()?.downcast_ref::<rustls::Error>()?;
    let rustls::Error::AlertReceived(alert) = inner else { return None };
    let is_of_certificate = matches!(
        alert,
        AlertDescription::BadCertificate
            | AlertDescription::UnsupportedCertificate
            | AlertDescription::CertificateRevoked
            | AlertDescription::CertificateExpired
            | AlertDescription::CertificateUnknown
            | AlertDescription::CertificateRequired
            | AlertDescription::UnknownCA
            | AlertDescription::AccessDenied
            | AlertDescription::DecryptError
    );
    is_of_certificate.then_some(*alert)
}

/// The same below an error of hyper's.
pub(super) fn alert_below(error: &hyper::Error) -> Option<AlertDescription> {
    below(error).filter_map(|cause| cause.downcast_ref::<io::Error>()).find_map(certificate_alert)
}
