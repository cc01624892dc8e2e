//! Addresses and networks.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::tag;

/// An IPv4-mapped address is the IPv4 address.
pub(super) fn read(value: &str) -> Option<IpAddr> {
    value.parse::<IpAddr>().ok().map(|address| address.to_canonical())
}

pub(super) fn write_ip(value: &str, out: &mut Vec<u8>) -> Option<()> {
    match read(value)? {
        IpAddr::V4(address) => put(tag::IPV4, &address.octets(), out),
        IpAddr::V6(address) => put(tag::IPV6, &address.octets(), out),
    }
    Some(())
}

pub(super) fn write_ipv4(value: &str, out: &mut Vec<u8>) -> Option<()> {
    let IpAddr::V4(address) = read(value)? else { return None };
    put(tag::IPV4, &address.octets(), out);
    Some(())
}

pub(super) fn write_ipv6(value: &str, out: &mut Vec<u8>) -> Option<()> {
    let IpAddr::V6(address) = read(value)? else { return None };
    put(tag::IPV6, &address.octets(), out);
    Some(())
}

fn put(tag: u8, bytes: &[u8], out: &mut Vec<u8>) {
    out.push(tag);
    out.extend_from_slice(bytes);
}

/// A network: its address without the bits behind the length, then the length.
pub(super) fn write_network(value: &str, out: &mut Vec<u8>) -> Option<()> {
    let (address, length) = match value.split_once('/') {
        Some((address, length)) => (address, Some(super::name::number(length, 128)?)),
        None => (value, None),
    };
    // the length counts the bits as the address is written: no unmapping before it is looked at
    let address = match (address.parse::<IpAddr>().ok()?, length) {
        (address, None) => address.to_canonical(),
        (address, Some(_)) => address,
    };
    let length = length.map_or(Some(None), |length| u8::try_from(length).ok().map(Some))?;
    write_masked(address, length, out)
}

/// The network of an address.
pub(crate) fn write_masked(address: IpAddr, length: Option<u8>, out: &mut Vec<u8>) -> Option<()> {
    match address {
        IpAddr::V4(address) => {
            let length = length.unwrap_or(32);
            let mask = u32::MAX.checked_shl(32_u32.checked_sub(length.into())?).unwrap_or(0);
            put(tag::NETWORK4, &(u32::from(address) & mask).to_be_bytes(), out);
            out.push(length);
        }
        IpAddr::V6(address) => {
            let length = length.unwrap_or(128);
            let mask = u128::MAX.checked_shl(128_u32.checked_sub(length.into())?).unwrap_or(0);
            put(tag::NETWORK6, &(u128::from(address) & mask).to_be_bytes(), out);
            out.push(length);
        }
    }
    Some(())
}

pub(super) fn show(bytes: &[u8], f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let (address, length) = parts(bytes);
    if let Some(address) = address {
        write!(f, "{address}")?;
    }
    length.map_or(Ok(()), |length| write!(f, "/{length}"))
}

/// Address and length of a canonical address or network.
pub(crate) fn parts(bytes: &[u8]) -> (Option<IpAddr>, Option<u8>) {
    let v4 = |bytes: &[u8; 4]| IpAddr::V4(Ipv4Addr::from(*bytes));
    let v6 = |bytes: &[u8; 16]| IpAddr::V6(Ipv6Addr::from(*bytes));
    match bytes.len() {
        4 | 5 => (bytes.first_chunk().map(v4), bytes.get(4).copied()),
        16 | 17 => (bytes.first_chunk().map(v6), bytes.get(16).copied()),
        _ => (None, None),
    }
}
