//! The programs of the sharing system.

mod attributes;
mod collector;
mod enroll;
mod query;

pub(crate) use attributes::{
    AddAdminArgs, AttributesCommand, AuthorityArgs, CollectorsCommand, CreateMemberArgs, GroupFileArgs,
};
pub(crate) use collector::{CollectorArgs, CollectorPlace, CollectorWord, SendArgs};
pub(crate) use enroll::EnrollArgs;
pub(crate) use query::{QueryArgs, QueryFormat, QueryKind, QueryWord};

use clap::Args;
use std::num::NonZeroU32;
use std::path::PathBuf;
use strongroom_exchange::{Plaintext, Said};

#[derive(Debug, Args)]
pub(crate) struct ExchangeArgs {
    /// A file with the same words, TOML; what is said here comes before it
    #[arg(short = 'c', long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// Where to listen [default: 127.0.0.1:5001]
    #[arg(long, value_name = "IP:PORT")]
    listen: Option<String>,
    /// Where records are kept: a directory, or `postgres://...` (one with a password goes into --store-file)
    #[arg(long, value_name = "DIR|URL")]
    store: Option<String>,
    /// The file that holds `postgres://...`
    #[arg(long, value_name = "FILE", conflicts_with = "store")]
    store_file: Option<PathBuf>,
    /// The attribute authority, which says who the members are
    #[arg(long, value_name = "URL")]
    authority: Option<String>,
    /// The authority's signing key, PEM or base64
    #[arg(long, value_name = "FILE")]
    authority_key: Option<PathBuf>,
    /// The authorities that the attribute authority's certificate may come from, PEM [default: the system's]
    #[arg(long, value_name = "FILE")]
    authority_ca: Option<PathBuf>,
    /// Certificate to serve HTTPS with, PEM
    #[arg(long, value_name = "FILE")]
    tls_cert: Option<PathBuf>,
    /// Its key, PEM
    #[arg(long, value_name = "FILE")]
    tls_key: Option<PathBuf>,
    /// The authority of certificates that members may show in place of tokens, PEM
    #[arg(long, value_name = "FILE")]
    client_ca: Option<PathBuf>,
    /// Days that records are kept [default: for ever]
    #[arg(long, value_name = "N")]
    retention_days: Option<u32>,
    /// Requests a second that one member may make [default: any number]
    #[arg(long, value_name = "N")]
    requests_per_second: Option<NonZeroU32>,
    /// Say `declared` to speak plain HTTP where others than this host can come, as in a container
    #[arg(long, value_name = "WORD", value_parser = ["declared"])]
    plaintext: Option<String>,
    /// What to log [default: info]
    #[arg(long, value_name = "FILTER")]
    log: Option<String>,
}

impl ExchangeArgs {
    /// What is said here.
    pub(crate) fn said(self) -> Said {
        Said {
            listen: self.listen,
            store: self.store,
            store_file: self.store_file,
            authority: self.authority,
            authority_key: self.authority_key,
            authority_ca: self.authority_ca,
            tls_cert: self.tls_cert,
            tls_key: self.tls_key,
            client_ca: self.client_ca,
            retention_days: self.retention_days,
            requests_per_second: self.requests_per_second,
            plaintext: self.plaintext.map(|_| Plaintext::Declared),
            log: self.log,
        }
    }
}
