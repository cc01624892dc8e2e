//! The PROXY protocol, version 2 (HAProxy's `proxy-protocol.txt`, section 2.2): who the client is, told by a proxy that
//! passes on its bytes, TLS and all.
//!
//! Only the binary header, only TCP. A command `LOCAL` is the proxy itself, asking after our health. Extensions (TLVs)
//! are passed over. What names no client although it should is refused: to take the proxy for the client would give
//! every client the proxy's rights.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use tokio::io::{AsyncRead, AsyncReadExt as _};

const SIGNATURE: [u8; 12] = *b"\r\n\r\n\0\r\nQUIT\n";
/// Signature, version and command, family, length.
const FIXED_BYTES: usize = 16;
/// Addresses and extensions; a header of a real proxy has a few hundred bytes.
const MAX_REST_BYTES: usize = 4_096;

/// For whom a connection is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Announced {
    /// A client, with its address as the proxy saw it.
    Client(IpAddr),
    /// The proxy itself.
    Itself,
}

/// Why a header is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ProxyHeaderError {
    /// Something else: TLS without a header, version 1, noise.
    #[error("no header of the PROXY protocol")]
    Signature,
    /// Another version, or a command that is not known.
    #[error("unknown version or command")]
    Version,
    /// Longer than any proxy's.
    #[error("header of more than 4096 bytes")]
    Length,
    /// No TCP over IPv4 or IPv6: the client has no address.
    #[error("no TCP client is named")]
    Family,
    /// It ends before its addresses do.
    #[error("header ends within the addresses")]
    Cut,
}

impl From<ProxyHeaderError> for io::Error {
    fn from(fault: ProxyHeaderError) -> Self {
        Self::new(io::ErrorKind::InvalidData, fault)
    }
}

/// Reads a header from bytes: for whom the connection is, and how many bytes the header has.
///
/// # Errors
/// If it is none, or names no client that it should.
pub fn parse(bytes: &[u8]) -> Result<(Announced, usize), ProxyHeaderError> {
    let (fixed, after) = bytes.split_first_chunk().ok_or(ProxyHeaderError::Signature)?;
    let (length, rest) = rest_of(fixed)?;
    let rest = after.get(..length).ok_or(ProxyHeaderError::Cut).map(|bytes| announced(rest, bytes))??;
    Ok((rest, FIXED_BYTES + length))
}

/// Reads a header and not a byte beyond it: what follows is TLS.
pub(super) async fn read(stream: &mut (impl AsyncRead + Unpin)) -> io::Result<Announced> {
    let mut fixed = [0; FIXED_BYTES];
    stream.read_exact(&mut fixed).await?;
    let (length, kind) = rest_of(&fixed)?;
    let mut rest = vec![0; length];
    stream.read_exact(&mut rest).await?;
    Ok(announced(kind, &rest)?)
}

/// What the fixed part says of the rest.
#[derive(Clone, Copy)]
enum Rest {
    Itself,
    V4,
    V6,
}

fn rest_of(fixed: &[u8; FIXED_BYTES]) -> Result<(usize, Rest), ProxyHeaderError> {
    let (signature, fields) = fixed.split_at(SIGNATURE.len());
    let &[command, family, high, low] = fields else { return Err(ProxyHeaderError::Signature) };
    if signature != SIGNATURE {
        return Err(ProxyHeaderError::Signature);
    }
    let rest = match (command, family) {
        (0x20, _) => Rest::Itself,
        (0x21, 0x11) => Rest::V4,
        (0x21, 0x21) => Rest::V6,
        (0x21, _) => return Err(ProxyHeaderError::Family),
        _ => return Err(ProxyHeaderError::Version),
    };
    let length = usize::from(u16::from_be_bytes([high, low]));
    if length > MAX_REST_BYTES { Err(ProxyHeaderError::Length) } else { Ok((length, rest)) }
}

/// The source address; destination, ports and extensions are nobody's concern here.
fn announced(kind: Rest, rest: &[u8]) -> Result<Announced, ProxyHeaderError> {
    let whole = |bytes| rest.get(..bytes).ok_or(ProxyHeaderError::Cut);
    let address = match kind {
        Rest::Itself => return Ok(Announced::Itself),
        Rest::V4 => whole(12)?.first_chunk().map(|bytes: &[u8; 4]| IpAddr::V4(Ipv4Addr::from(*bytes))),
        Rest::V6 => whole(36)?.first_chunk().map(|bytes: &[u8; 16]| IpAddr::V6(Ipv6Addr::from(*bytes))),
    };
    address.map(|address| Announced::Client(address.to_canonical())).ok_or(ProxyHeaderError::Cut)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header(command: u8, family: u8, rest: &[u8]) -> Vec<u8> {
        let length = u16::try_from(rest.len()).unwrap().to_be_bytes();
        [&SIGNATURE[..], &[command, family], &length, rest].concat()
    }

    const V4: [u8; 12] = [203, 0, 113, 7, 10, 0, 0, 2, 0xc0, 0, 0x20, 0x08];

    fn v6(source: &str) -> Vec<u8> {
        let source: Ipv6Addr = source.parse().unwrap();
        [&source.octets()[..], &[0; 16], &[0, 1, 0, 2]].concat()
    }

    #[test]
    fn clients_are_named_and_extensions_passed_over() {
        let client = |text: &str| Announced::Client(text.parse().unwrap());
        assert_eq!(parse(&header(0x21, 0x11, &V4)), Ok((client("203.0.113.7"), 28)));
        let with_extension = [&V4[..], &[0x04, 0, 2, 9, 9, 0xff, 0xff]].concat();
        let mut bytes = header(0x21, 0x11, &with_extension);
        bytes.extend(b"\x16\x03\x01");
        assert_eq!(parse(&bytes), Ok((client("203.0.113.7"), 35)), "what follows is not the header's");
        assert_eq!(parse(&header(0x21, 0x21, &v6("2001:db8::7"))), Ok((client("2001:db8::7"), 52)));
        assert_eq!(parse(&header(0x21, 0x21, &v6("::ffff:203.0.113.7"))).unwrap().0, client("203.0.113.7"));
    }

    #[test]
    fn a_local_command_is_the_proxy_itself_whatever_else_it_says() {
        for (family, rest) in [(0, &[][..]), (0x11, &V4[..]), (0x31, &[1, 2, 3][..])] {
            assert_eq!(parse(&header(0x20, family, rest)).unwrap().0, Announced::Itself);
        }
    }

    #[test]
    fn what_names_no_client_is_refused() {
        use ProxyHeaderError as E;
        let table = [
            (b"PROXY TCP4 203.0.113.7 10.0.0.2 1 2\r\n".to_vec(), E::Signature),
            (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03aaaaaaa".to_vec(), E::Signature),
            (Vec::new(), E::Signature),
            (header(0x21, 0x11, &V4)[..15].to_vec(), E::Signature),
            (header(0x21, 0x11, &V4)[..27].to_vec(), E::Cut),
            (header(0x21, 0x11, &V4[..11]), E::Cut),
            (header(0x21, 0x21, &V4), E::Cut),
            (header(0x21, 0x00, &[]), E::Family),
            (header(0x21, 0x12, &V4), E::Family),
            (header(0x21, 0x31, &[0; 216]), E::Family),
            (header(0x11, 0x11, &V4), E::Version),
            (header(0x22, 0x11, &V4), E::Version),
            (header(0x21, 0x11, &[0; 4_097]), E::Length),
            (header(0x20, 0x11, &[0; 4_097]), E::Length),
        ];
        for (bytes, expected) in table {
            assert_eq!(parse(&bytes), Err(expected), "{bytes:?}");
        }
    }

    #[tokio::test]
    async fn a_stream_is_read_to_the_headers_end_and_no_further() {
        let bytes = [&header(0x21, 0x11, &V4)[..], b"TLS"].concat();
        let mut stream = &bytes[..];
        assert_eq!(read(&mut stream).await.unwrap(), Announced::Client([203, 0, 113, 7].into()));
        assert_eq!(stream, b"TLS");
        let mut cut = &bytes[..20];
        assert_eq!(read(&mut cut).await.unwrap_err().kind(), io::ErrorKind::UnexpectedEof);
        let mut noise = &b"GET / HTTP/1.1\r\nhost: a\r\n\r\n"[..];
        assert_eq!(read(&mut noise).await.unwrap_err().kind(), io::ErrorKind::InvalidData);
    }
}
