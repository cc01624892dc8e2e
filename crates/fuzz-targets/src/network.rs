//! What the network says: headers of proxies, and the rules about addresses.

use std::net::IpAddr;
use strongroom_gate::{ActionCode, ActionSet, Mode, Nacl, NaclRule};
use strongroom_model::Network;
use strongroom_server::listen::{forwarded, proxy};
use strongroom_server::names::{Authority, Names};

/// A header that is accepted lies within the bytes, does not depend on what follows, and names no mapped address.
pub(crate) fn proxy_v2(data: &[u8]) -> bool {
    let Ok((announced, length)) = proxy::parse(data) else { return false };
    let header = data.get(..length).expect("the header lies within the bytes");
    assert_eq!(proxy::parse(header), Ok((announced, length)), "what follows changes the header");
    let cut = header.split_last().is_some_and(|(_, cut)| proxy::parse(cut).is_ok());
    assert!(!cut, "a header that lacks its end is accepted");
    if let proxy::Announced::Client(address) = announced {
        assert_eq!(address, address.to_canonical());
    }
    true
}

/// A field that is accepted reads the same with another element before it, and names one of its own addresses.
pub(crate) fn forwarded(data: &[u8]) -> bool {
    let Ok(field) = std::str::from_utf8(data) else { return false };
    let Ok(nodes) = forwarded::parse(field) else { return false };
    let trusts = |address: IpAddr| address.is_loopback();
    if let Ok(client) = forwarded::client(field, trusts) {
        assert!(nodes.contains(&Some(client)), "an address that the field does not name");
        if !trusts(client) && nodes.len() < 32 {
            let lied = format!("for=192.0.2.99, {field}");
            assert_eq!(forwarded::client(&lied, trusts), Ok(client), "hearsay decides");
        }
    }
    true
}

/// A name that is accepted is itself among names, and reads the same with a port.
pub(crate) fn host(data: &[u8]) -> bool {
    let Some(text) = std::str::from_utf8(data).ok() else { return false };
    let Some(authority) = Authority::parse(text) else { return false };
    assert!(!text.contains(['@', '/', ' ', '\\']), "no host is written so");
    if authority.port.is_none() && !text.ends_with(':') {
        let with_port = format!("{text}:8200");
        let again = Authority::parse(&with_port).expect("a host with a port");
        assert_eq!(again.host, authority.host);
    }
    assert!(!Names::default().has(authority.host), "nothing is among no names");
    true
}

/// Lines of `NETWORK PATTERN`: what is accepted is shown as it reads, holds its own first address, and decides as a
/// second, naive reading of the rules does.
pub(crate) fn nacl(data: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(data) else { return false };
    let mut rules = Vec::new();
    for (at, line) in text.lines().take(16).enumerate() {
        let Some((network, pattern)) = line.split_once(' ') else { return false };
        let Ok(network) = network.parse::<Network>() else { return false };
        let again: Network = network.to_string().parse().expect("what is shown reads back");
        assert_eq!(again, network);
        let mut actions = ActionSet::default();
        let count = actions.add(pattern);
        let has = ActionCode::ALL.iter().filter(|action| actions.has(**action)).count();
        assert_eq!(has, count, "{pattern}");
        let naive = ActionCode::ALL.iter().all(|action| actions.has(*action) == glob(pattern, action.name()));
        assert!(naive, "{pattern}");
        let mode = if at % 2 == 0 { Mode::Allow } else { Mode::Deny };
        rules.push(NaclRule { mode, networks: vec![network], actions });
    }
    if rules.is_empty() {
        return false;
    }
    let nacl = Nacl::new("fuzz", rules.clone());
    for address in ["203.0.113.7", "10.0.0.1", "2001:db8::7"].iter().filter_map(|text| text.parse().ok()) {
        for action in [ActionCode::GetSecret, ActionCode::Lock] {
            let of = |mode| {
                let candidates = rules.iter().filter(|rule| rule.mode == mode && rule.actions.has(action));
                candidates.flat_map(|rule| &rule.networks).any(|network| network.contains(address))
            };
            assert_eq!(nacl.decide(address, action).allowed, of(Mode::Allow) && !of(Mode::Deny));
        }
    }
    true
}

/// Whether a text is what a pattern describes: which beginnings of the text each beginning of the pattern reaches.
fn glob(pattern: &str, text: &str) -> bool {
    let mut reached = vec![false; text.len() + 1];
    if let Some(start) = reached.first_mut() {
        *start = true;
    }
    for wanted in pattern.bytes() {
        let mut before = false;
        let mut next = Vec::with_capacity(reached.len());
        for (at, here) in reached.iter().copied().enumerate() {
            let letter = at.checked_sub(1).and_then(|at| text.as_bytes().get(at)).copied();
            let star = next.last().copied().unwrap_or(false) || here;
            next.push(if wanted == b'*' { star } else { before && letter == Some(wanted) });
            before = here;
        }
        reached = next;
    }
    reached.last().copied().unwrap_or(false)
}
