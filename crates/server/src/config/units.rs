//! Sizes, durations, addresses, modes: a value's text to its type.

use super::{Address, Fault};
use std::net::SocketAddr;
use std::path::{Component, Path, PathBuf};
use std::time::Duration;

/// `512KiB`, `256MiB`, `1GiB`, or a plain number of bytes.
pub(super) fn size(text: &str) -> Result<u64, Fault> {
    let (number, unit) = split(text).ok_or(Fault::NotASize)?;
    let factor = match unit {
        "" | "B" => 1,
        "KiB" => 1 << 10,
        "MiB" => 1 << 20,
        "GiB" => 1 << 30,
        _ => return Err(Fault::NotASize),
    };
    number.checked_mul(factor).ok_or(Fault::NotASize)
}

/// `30s`, `15m`, `8h`, `7d`.
pub(super) fn duration(text: &str) -> Result<Duration, Fault> {
    let (number, unit) = split(text).ok_or(Fault::NotADuration)?;
    let factor = match unit {
        "s" => 1,
        "m" => 60,
        "h" => 3_600,
        "d" => 86_400,
        _ => return Err(Fault::NotADuration),
    };
    number.checked_mul(factor).map(Duration::from_secs).ok_or(Fault::NotADuration)
}

/// A duration as it would be written: the largest unit that divides it.
pub(super) fn show_duration(duration: Duration) -> String {
    let seconds = duration.as_secs();
    let (factor, unit) = [(86_400, "d"), (3_600, "h"), (60, "m")]
        .into_iter()
        .find(|(factor, _)| seconds > 0 && seconds.is_multiple_of(*factor))
        .unwrap_or((1, "s"));
    format!("{}{unit}", seconds / factor)
}

/// A size as it would be written.
pub(super) fn show_size(bytes: u64) -> String {
    let (factor, unit) = [(1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB")]
        .into_iter()
        .find(|(factor, _)| bytes > 0 && bytes.is_multiple_of(*factor))
        .unwrap_or((1, ""));
    format!("{}{unit}", bytes / factor)
}

fn split(text: &str) -> Option<(u64, &str)> {
    let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    Some((number.parse().ok()?, unit.trim_start()))
}

/// `host:port` with a literal IP address, or `unix:/path`.
pub(super) fn address(text: &str) -> Result<Address, Fault> {
    match text.strip_prefix("unix:") {
        Some(path) => absolute(path).map(Address::Unix),
        None => tcp(text).map(Address::Tcp),
    }
}

/// `host:port` with a literal IP address.
pub(super) fn tcp(text: &str) -> Result<SocketAddr, Fault> {
    let named = || text.rsplit_once(':').is_some_and(|(host, _)| host.eq_ignore_ascii_case("localhost"));
    text.parse().map_err(|_| if named() { Fault::Localhost } else { Fault::NotAnAddress })
}

/// A path that means the same from everywhere.
pub(super) fn absolute(text: &str) -> Result<PathBuf, Fault> {
    let path = Path::new(text);
    let plain = path.components().all(|part| matches!(part, Component::RootDir | Component::Normal(_)));
    if path.is_absolute() && plain && !text.contains('\0') {
        Ok(path.components().collect())
    } else {
        Err(Fault::NotAbsolute)
    }
}

/// `"0660"`: read and write for owner and group, never for others.
pub(super) fn mode(text: &str) -> Result<u32, Fault> {
    let octal = text.len() == 4 && text.bytes().all(|digit| (b'0'..=b'7').contains(&digit));
    match u32::from_str_radix(text, 8) {
        Ok(mode) if octal && mode & !0o660 == 0 && mode & 0o600 == 0o600 => Ok(mode),
        _ => Err(Fault::NotAMode),
    }
}

/// A name or address that a certificate may carry.
pub(super) fn host_name(text: &str) -> Result<String, Fault> {
    let label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    let name = text.strip_prefix("*.").unwrap_or(text);
    let good = text.parse::<std::net::IpAddr>().is_ok() || (text.len() <= 253 && name.split('.').all(label));
    if good { Ok(text.to_owned()) } else { Err(Fault::NotAHostName) }
}

/// A listener's name: it becomes a label of metrics and a word of log lines.
pub(super) fn listener_name(text: &str) -> Result<String, Fault> {
    let fits = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'-' | b'_');
    let good = (1..=32).contains(&text.len()) && text.bytes().all(fits);
    if good { Ok(text.to_owned()) } else { Err(Fault::NotAListenerName) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_have_binary_units() {
        let table = [("0", 0), ("17", 17), ("17B", 17), ("16KiB", 16_384), ("256 MiB", 268_435_456)];
        for (text, bytes) in table {
            assert_eq!(size(text), Ok(bytes), "{text}");
        }
        for text in ["", "MiB", "1.5MiB", "-1", "1MB", "1mib", "99999999999GiB", "99999999999999999999"] {
            assert_eq!(size(text), Err(Fault::NotASize), "{text}");
        }
    }

    #[test]
    fn durations_have_units() {
        for (text, seconds) in [("30s", 30), ("15m", 900), ("8h", 28_800), ("7d", 604_800)] {
            assert_eq!(duration(text), Ok(Duration::from_secs(seconds)), "{text}");
        }
        for text in ["", "30", "h", "1w", "-1s", "1.5h", "1h30m", "999999999999999999d"] {
            assert_eq!(duration(text), Err(Fault::NotADuration), "{text}");
        }
    }

    #[test]
    fn what_is_shown_reads_back() {
        for seconds in [0, 1, 59, 60, 3_600, 5_400, 86_400] {
            let duration_of = Duration::from_secs(seconds);
            assert_eq!(duration(&show_duration(duration_of)), Ok(duration_of));
        }
        for bytes in [0, 1, 1_024, 1_025, 1 << 20, 3 << 30] {
            assert_eq!(size(&show_size(bytes)), Ok(bytes));
        }
    }

    #[test]
    fn addresses_are_literal_or_sockets() {
        assert_eq!(address("127.0.0.1:8200"), Ok(Address::Tcp(([127, 0, 0, 1], 8200).into())));
        assert_eq!(address("unix:/run/s.sock"), Ok(Address::Unix("/run/s.sock".into())));
        assert!(matches!(address("[::1]:8200"), Ok(Address::Tcp(_))));
        assert_eq!(address("localhost:8200"), Err(Fault::Localhost));
        for text in ["", "localhosts:8200", "127.0.0.1", ":8200", "127.0.0.1:70000"] {
            assert_eq!(address(text), Err(Fault::NotAnAddress), "{text}");
        }
        for text in ["unix:", "unix:relative", "unix:/a/../b"] {
            assert_eq!(address(text), Err(Fault::NotAbsolute), "{text}");
        }
    }

    #[test]
    fn socket_modes_never_admit_others() {
        assert_eq!(mode("0660"), Ok(0o660));
        assert_eq!(mode("0600"), Ok(0o600));
        for text in ["660", "0666", "0770", "0060", "0o66", "", "1660", "066x"] {
            assert_eq!(mode(text), Err(Fault::NotAMode), "{text}");
        }
    }

    #[test]
    fn host_names_are_names_or_addresses() {
        for text in ["localhost", "a.example.org", "*.example.org", "10.0.0.1", "::1"] {
            assert_eq!(host_name(text).as_deref(), Ok(text));
        }
        for text in ["", ".", "a..b", "-a", "a b", "https://a", "a_b"] {
            assert_eq!(host_name(text), Err(Fault::NotAHostName), "{text}");
        }
    }

    #[test]
    fn listener_names_are_plain_words() {
        assert_eq!(listener_name("local-2").as_deref(), Ok("local-2"));
        for text in ["", "Main", "a b", "ü", &"x".repeat(33)] {
            assert_eq!(listener_name(text), Err(Fault::NotAListenerName), "{text}");
        }
    }
}
