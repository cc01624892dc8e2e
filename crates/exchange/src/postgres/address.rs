//! The database's address, `postgres://...`, and what is said of TLS in it: libpq's words, taken strictly.
//!
//! Wherever TLS is spoken, the server's certificate must come from a trusted authority and bear its name; so `require`,
//! `verify-ca` and `verify-full` are one. A database on another host that has no `sslmode` is spoken to by TLS or not at all.

use crate::storage::StorageError;
use std::path::PathBuf;
use tokio_postgres::Config;
use tokio_postgres::config::{Host, SslMode};

/// Where a database is.
#[derive(Debug)]
pub(super) struct Address {
    pub(super) config: Config,
    /// The authorities that its certificate may come from (`sslrootcert`); absent: the environment's or the system's.
    pub(super) roots: Option<PathBuf>,
}

/// Reads one. What is wrong with it is said without the text, which may hold a password.
pub(super) fn read(url: &str) -> Result<Address, StorageError> {
    let wrong = |context: &str| StorageError::Unavailable { context: context.to_owned() };
    let (place, query) = url.split_once('?').unwrap_or((url, ""));
    let (mut roots, mut has_mode, mut others) = (None, false, Vec::new());
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        match pair.split_once('=') {
            Some(("sslrootcert", path)) => roots = Some(PathBuf::from(path)),
            Some(("sslmode", mode)) => {
                has_mode = true;
                others.push(match mode {
                    "disable" | "prefer" => pair,
                    "require" | "verify-ca" | "verify-full" => "sslmode=require",
                    _ => {
                        return Err(wrong(
                            "sslmode of the database is one of disable, prefer, require, verify-full",
                        ));
                    }
                });
            }
            _ => others.push(pair),
        }
    }
    let text = if others.is_empty() { place.to_owned() } else { format!("{place}?{}", others.join("&")) };
    let unreadable = |_| wrong("the address of the database cannot be read");
    let mut config: Config = text.parse().map_err(unreadable)?;
    if !has_mode && is_elsewhere(&config) {
        config.ssl_mode(SslMode::Require);
    }
    Ok(Address { config, roots })
}

/// Whether it is reached over a network.
fn is_elsewhere(config: &Config) -> bool {
    let is_far = |host: &Host| match host {
        Host::Unix(_) => false,
        Host::Tcp(name) => {
            name != "localhost" && !name.parse().is_ok_and(|ip: std::net::IpAddr| ip.is_loopback())
        }
    };
    let addresses = config.get_hostaddrs();
    if addresses.is_empty() {
        return config.get_hosts().iter().any(is_far);
    }
    addresses.iter().any(|address| !address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mode(url: &str) -> SslMode {
        read(url).unwrap().config.get_ssl_mode()
    }

    #[test]
    fn libpqs_words_are_taken_and_mean_no_less() {
        for strict in ["require", "verify-ca", "verify-full"] {
            assert_eq!(mode(&format!("postgres://u:p@db.example.com/d?sslmode={strict}")), SslMode::Require);
        }
        let all =
            read("postgres://u@h/d?sslmode=verify-full&sslrootcert=/etc/db.pem&connect_timeout=3").unwrap();
        assert_eq!(all.roots, Some(PathBuf::from("/etc/db.pem")));
        assert_eq!(all.config.get_dbname(), Some("d"));
        for bad in [
            "postgres://u:hunter2@h/d?sslmode=allow",
            "postgres://u:hunter2@h:x/d",
            "postgres://u:hunter2@h/d?x=y",
        ] {
            let said = read(bad).unwrap_err().to_string();
            assert!(!said.contains("hunter2") && said.contains("of the database"), "{said}");
        }
    }

    #[test]
    fn a_database_elsewhere_is_not_spoken_to_in_clear_unless_that_is_said() {
        for far in [
            "postgres://u@db.example.com/d",
            "postgres://u@192.0.2.1/d",
            "postgres://u@h/d?hostaddr=192.0.2.1",
        ] {
            assert_eq!(mode(far), SslMode::Require, "{far}");
        }
        for near in ["postgres://u@127.0.0.1/d", "postgres://u@localhost/d", "postgres://u@/d?host=/run/pg"] {
            assert_eq!(mode(near), SslMode::Prefer, "{near}");
        }
        assert_eq!(mode("postgres://u@db.example.com/d?sslmode=prefer"), SslMode::Prefer);
        assert_eq!(mode("postgres://u@db.example.com/d?sslmode=disable"), SslMode::Disable);
    }
}
