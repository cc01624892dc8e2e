//! The server's own certificate authority, and certificates that people keep.
//!
//! **What it is for.** An authority (ECDSA P-256, ten years) that issues server certificates (90 days) for the names
//! that the server is reached by, and a look into certificates that came from elsewhere.
//!
//! **What it promises.** Certificates are of RFC 5280's profile, with random serial numbers of 126 bits, and never
//! outlive their authority. Private keys leave only as [`SecretBytes`](strongroom_secret::SecretBytes) and are wiped
//! on drop. Input that is no certificate or no key is told by a typed error.
//!
//! Certificates that people keep ([`Chain`]) are read within bounds; each is checked to be issued by the next.
//!
//! **What it does not know.** Where certificates are stored, who serves with them, when anyone looks at
//! [`needs_renewal`]. It trusts no chain: whether a connection may is for `rustls`.
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
mod kept;
mod template;

pub use authority::{Authority, Issued};
pub use info::{CertificateInfo, common_name, inspect, needs_renewal};
pub use kept::{
    Chain, MAX_BUNDLE_BYTES, MAX_CHAIN, MAX_VALIDITY, Wanted, check_request, request, self_signed,
};
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
    /// More text than certificates need.
    #[error("certificates have more than {MAX_BUNDLE_BYTES} bytes")]
    TooLarge,
    /// Too many certificates.
    #[error("more than {MAX_CHAIN} certificates above the first")]
    ChainLength,
    /// A certificate was not issued by the next one, or that one may not issue.
    #[error("certificate {at} was not issued by the one after it")]
    ChainOrder {
        /// Which, from 1.
        at: usize,
    },
    /// A certificate's signature does not verify with the next one's key, or is of a scheme that is no longer trusted.
    #[error("the signature of certificate {at} does not verify with the key of the one after it")]
    ChainSignature {
        /// Which, from 1.
        at: usize,
    },
    /// There is no certification request in the PEM text, or its signature does not verify.
    #[error("no sound certification request in the PEM text")]
    NoRequest,
    /// A life of nothing, or of more than ten years.
    #[error("validity is not from 1 day to 10 years")]
    Validity,
    /// A distinguished name needs a common name of 1 to 64 characters, without control characters.
    #[error("subject is not 1 to 64 printable characters")]
    Subject,
    /// The cryptographic library made no key or no signature.
    #[error("the cryptographic library refused to make a key or a signature")]
    Library,
}
