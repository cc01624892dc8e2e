//! PEM (RFC 7468): whether a file is whole.

use crate::error::{Fault, ImportError};

/// How many blocks a file has; none: it is no PEM. A block that is begun must be whole, or the file is half a secret. Text
/// around the blocks is allowed, as the tools that write it do; headers inside of them too (RFC 1421).
pub fn pem_blocks(bytes: &[u8]) -> Result<usize, ImportError> {
    let mut blocks = 0;
    let mut open: Option<(&[u8], u64, bool)> = None;
    let mut number = 0;
    for line in bytes.split(|byte| *byte == b'\n') {
        number += 1;
        let line = line.trim_ascii_end();
        open = match (open, label(line, b"-----BEGIN "), label(line, b"-----END ")) {
            (None, Some(label), _) => Some((label, number, true)),
            (None, None, Some(_)) => return Err(ImportError::at(number, Fault::PemEnd)),
            (None, None, None) => None,
            (Some((begun, _, _)), _, Some(ended)) if begun == ended => {
                blocks += 1;
                None
            }
            (Some((begun, at, _)), Some(_), _) | (Some((begun, at, _)), _, Some(_)) => {
                return Err(cut(begun, at));
            }
            (Some((begun, at, headers)), None, None) => Some((begun, at, body(line, number, headers)?)),
        };
    }
    match open {
        Some((begun, at, _)) => Err(cut(begun, at)),
        None => Ok(blocks),
    }
}

fn cut(label: &[u8], line: u64) -> ImportError {
    ImportError::at(line, Fault::PemCut { label: String::from_utf8_lossy(label).into_owned() })
}

/// The label of a boundary: upper case, digits and spaces, so that it can be repeated in an error.
fn label<'a>(line: &'a [u8], mark: &[u8]) -> Option<&'a [u8]> {
    let label = line.strip_prefix(mark)?.strip_suffix(b"-----")?;
    let plain = |byte: &u8| byte.is_ascii_uppercase() || byte.is_ascii_digit() || *byte == b' ';
    (label.len() <= 64 && label.iter().all(plain)).then_some(label)
}

/// A line of a block; whether headers may still follow.
fn body(line: &[u8], number: u64, headers: bool) -> Result<bool, ImportError> {
    if headers && (line.contains(&b':') || line.starts_with(b" ")) {
        return Ok(true);
    }
    let base64 = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'=');
    if line.iter().all(base64) {
        // an empty line ends the headers
        return Ok(false);
    }
    Err(ImportError::at(number, Fault::PemBase64))
}

#[cfg(test)]
mod tests {
    use super::pem_blocks;

    const BLOCK: &str = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";

    #[test]
    fn whole_blocks_are_counted() {
        assert_eq!(pem_blocks(BLOCK.as_bytes()), Ok(1));
        assert_eq!(pem_blocks(format!("text\n{BLOCK}\nmore\n{BLOCK}").as_bytes()), Ok(2));
        assert_eq!(pem_blocks(BLOCK.replace('\n', "\r\n").as_bytes()), Ok(1));
        assert_eq!(pem_blocks(b"a readme"), Ok(0));
        assert_eq!(pem_blocks(&[0xff, 0]), Ok(0));
        let headers = "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: A,B\n\nAAAA\n";
        assert_eq!(pem_blocks(format!("{headers}-----END RSA PRIVATE KEY-----").as_bytes()), Ok(1));
    }

    #[test]
    fn half_a_block_is_told_with_its_line() {
        for (text, fault) in [
            ("x\n-----BEGIN A-----\nAAAA", "2: the A that begins here does not end"),
            ("-----BEGIN A-----\n-----END B-----", "1: the A that begins"),
            ("-----BEGIN A-----\n-----BEGIN A-----", "1: the A that begins"),
            ("\n\n-----END A-----", "3: a PEM end without its beginning"),
            ("-----BEGIN A-----\nAA!A\n-----END A-----", "2: not base64 inside of a PEM block"),
        ] {
            let error = pem_blocks(text.as_bytes()).unwrap_err().to_string();
            assert!(error.starts_with(fault), "{text:?}: {error}");
        }
    }
}
