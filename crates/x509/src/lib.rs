//! The server's own certificate authority: what a first start and `dev` serve TLS with.
//!
//! **What it is for.** An authority (ECDSA P-256, ten years) that issues server certificates (90 days) for the names
//! that the server is reached by, and a look into certificates that came from elsewhere.
//!
//! **What it promises.** Certificates are of RFC 5280's profile, with random serial numbers of 126 bits, and never
//! outlive their authority. Private keys leave only as [`SecretBytes`](strongroom_secret::SecretBytes) and are wiped
//! on drop. Input that is no certificate or no key is told by a typed error.
//!
//! **What it does not know.** Where certificates are stored, who serves with them, when anyone looks at
//! [`needs_renewal`]. It judges no chain of others: `rustls` does.
//!
//! **Where to start.** [`Authority::generate`], then [`Authority::issue_server`].
//!
//! ```
//! use strongroom_ambient::Ambient;
//! use strongroom_x509::{Authority, SERVER_VALIDITY, inspect, local_names, needs_renewal};
//!
//! let ambient = Ambient::system();
//! let authority = Authority::generate(&ambient, "Strongroom of vault.example.org")?;
//! let issued = authority.issue_server(&ambient, &local_names("vault.example.org"), SERVER_VALIDITY)?;
//! let info = inspect(issued.chain_pem.as_bytes())?;
//! assert_eq!(info.sans, ["localhost", "127.0.0.1", "::1", "vault.example.org"]);
//! assert!(!needs_renewal(&info, ambient.now()));
//! # Ok::<(), strongroom_x509::X509Error>(())
//! ```

mod authority;
mod info;
mod template;

pub use authority::{Authority, Issued};
pub use info::{CertificateInfo, inspect, needs_renewal};
pub use template::{AUTHORITY_VALIDITY, BACKDATE, MAX_NAMES, SERVER_VALIDITY, local_names};

/// Why a certificate was not made or read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum X509Error {
    /// There is no certificate in the PEM text, or its frame is broken.
    #[error("no certificate in the PEM text")]
    NoCertificate,
    /// What the PEM text frames is no certificate of X.509.
    #[error("malformed certificate")]
    MalformedCertificate,
    /// There is no private key of PKCS#8 in the PEM text, or not one of a known algorithm.
    #[error("no usable PKCS#8 private key in the PEM text")]
    MalformedKey,
    /// The private key is not that of the certificate.
    #[error("the private key does not belong to the certificate")]
    KeyMismatch,
    /// The certificate may not issue others.
    #[error("the certificate is not an authority's")]
    NotAnAuthority,
    /// The authority has expired, or is not valid yet.
    #[error("the authority is not valid at this time")]
    AuthorityExpired,
    /// A server certificate needs 1 to [`MAX_NAMES`] names.
    #[error("a server certificate has 1 to {MAX_NAMES} names")]
    NameCount,
    /// A name is neither a DNS name nor an IP address.
    #[error("`{name}` is neither a DNS name nor an IP address")]
    Name {
        /// The name, as it was given.
        name: String,
    },
    /// The cryptographic library made no key or no signature.
    #[error("the cryptographic library refused to make a key or a signature")]
    Library,
}
