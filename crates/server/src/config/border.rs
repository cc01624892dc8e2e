//! What stands between a TCP listener and the network: `[nacl.NAME]`, and the keys of a listener that are about who
//! may come, for whom, and under which name. All of it is read again on HUP.

use super::reader::{Reader, Section};
use super::{Config, Door, Fault, Finding, Listener, units};
use crate::names::Names;
use std::net::IpAddr;
use std::sync::Arc;
use strongroom_gate::{ActionSet, Mode, Nacl, NaclRule};
use strongroom_model::Network;

/// Whom a TCP listener takes requests from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Border {
    /// The network ACL, by its name.
    pub nacl: Option<String>,
    /// The floor: where clients must be. Empty: anywhere.
    pub addresses: Vec<Network>,
    /// Whether each connection begins with a header of the PROXY protocol, version 2.
    pub proxy_protocol: bool,
    /// Proxies that are believed when they name the client.
    pub trusted_proxies: Vec<Network>,
    /// The names that requests may be for, in place of those of the certificate and this host.
    pub names: Option<Names>,
    /// Who is shown metrics.
    pub metrics_addresses: Vec<Network>,
}

impl Default for Border {
    fn default() -> Self {
        Self {
            nacl: None,
            addresses: Vec::new(),
            proxy_protocol: false,
            trusted_proxies: Vec::new(),
            names: None,
            metrics_addresses: LOOPBACK.to_vec(),
        }
    }
}

const LOOPBACK: [Network; 2] = [Network::LOOPBACK_V4, Network::LOOPBACK_V6];

impl Border {
    /// Whether a client's address lies within the floor.
    pub fn admits(&self, client: IpAddr) -> bool {
        self.addresses.is_empty() || holds(&self.addresses, client)
    }

    /// Whether a peer is a proxy that is believed.
    pub fn trusts(&self, peer: IpAddr) -> bool {
        holds(&self.trusted_proxies, peer)
    }

    /// Whether a client is shown metrics.
    pub fn shows_metrics(&self, client: IpAddr) -> bool {
        holds(&self.metrics_addresses, client)
    }
}

fn holds(networks: &[Network], address: IpAddr) -> bool {
    networks.iter().any(|network| network.contains(address))
}

/// The keys of a listener that make its border.
pub(super) const KEYS: [&str; 6] =
    ["nacl", "addresses", "proxy_protocol", "trusted_proxies", "names", "metrics_addresses"];

pub(super) fn border<'t>(reader: &mut Reader<'t>, section: &mut Section<'t>) -> Border {
    let proxy_protocol = reader.flag(section, "proxy_protocol").unwrap_or(false);
    if proxy_protocol && !section.contains("trusted_proxies") {
        let key = format!("{}.trusted_proxies", section.path());
        reader.report(section.place(), &key, Fault::Missing);
    }
    let name = |text: &str| Ok(text.to_owned());
    Border {
        nacl: reader.text(section, "nacl", name),
        addresses: networks(reader, section, "addresses", false).unwrap_or_default(),
        proxy_protocol,
        trusted_proxies: networks(reader, section, "trusted_proxies", true).unwrap_or_default(),
        names: some(reader, section, "names", units::host_name).map(Names::of),
        metrics_addresses: networks(reader, section, "metrics_addresses", false)
            .unwrap_or_else(|| LOOPBACK.to_vec()),
    }
}

/// A list that, if it is there, names something.
fn some<'t, T>(
    reader: &mut Reader<'t>,
    section: &mut Section<'t>,
    name: &str,
    parse: impl Fn(&str) -> Result<T, Fault>,
) -> Option<Vec<T>> {
    let empty = section.is_empty_list(name);
    let list = reader.list(section, name, parse);
    if empty {
        reader.report_key(&format!("{}.{name}", section.path()), Fault::NamesNothing);
    }
    list
}

fn networks<'t>(
    reader: &mut Reader<'t>,
    section: &mut Section<'t>,
    name: &str,
    some_only: bool,
) -> Option<Vec<Network>> {
    let parse = |text: &str| match network(text) {
        Ok(found) if some_only && found.iter().any(Network::is_everything) => Err(Fault::TrustsEverybody),
        other => other,
    };
    some(reader, section, name, parse).map(|found| found.into_iter().flatten().collect())
}

/// An address, a network, or the word for this host's own.
fn network(text: &str) -> Result<Vec<Network>, Fault> {
    if text == "loopback" {
        Ok(LOOPBACK.to_vec())
    } else {
        text.parse().map(|one| vec![one]).map_err(Fault::NotANetwork)
    }
}

/// The network ACLs, compiled, by name.
pub(super) fn nacls<'t>(reader: &mut Reader<'t>, root: &mut Section<'t>) -> Vec<(String, Arc<Nacl>)> {
    let all = reader.section(root, "nacl");
    let named = reader.named_sections(all);
    named.into_iter().map(|(name, section)| (name.clone(), nacl(reader, &name, section))).collect()
}

fn nacl<'t>(reader: &mut Reader<'t>, name: &str, mut section: Section<'t>) -> Arc<Nacl> {
    if units::listener_name(name).is_err() {
        reader.report(section.place(), section.path(), Fault::NotANaclName);
    }
    let rules = reader.required_tables(&mut section, "rules");
    reader.close(&section);
    let rules = rules.into_iter().filter_map(|section| rule(reader, section)).collect();
    Arc::new(Nacl::new(name, rules))
}

fn rule<'t>(reader: &mut Reader<'t>, mut section: Section<'t>) -> Option<NaclRule> {
    let mode = |text: &str| match text {
        "allow" => Ok(Mode::Allow),
        "deny" => Ok(Mode::Deny),
        _ => Err(Fault::NotOneOf { allowed: "allow, deny" }),
    };
    let mode = reader.required(&mut section, "type", mode);
    let of_commands = section.contains("commands");
    for list in ["addresses", "actions"] {
        if !(section.contains(list) || list == "actions" && of_commands) {
            let key = format!("{}.{list}", section.path());
            reader.report(section.place(), &key, Fault::Missing);
        }
    }
    let networks = networks(reader, &mut section, "addresses", false);
    let named = some(reader, &mut section, "actions", |pattern| {
        let mut actions = ActionSet::default();
        if actions.add(pattern) == 0 { Err(Fault::NamesNoAction) } else { Ok(actions) }
    });
    let commands = some(reader, &mut section, "commands", |pattern| {
        let mut actions = ActionSet::default();
        if actions.add_command(pattern) == 0 { Err(Fault::NamesNoCommand) } else { Ok(actions) }
    });
    reader.close(&section);
    if of_commands && commands.is_none() {
        return None;
    }
    let named = if of_commands { named.unwrap_or_default() } else { named? };
    let all = named.into_iter().chain(commands.unwrap_or_default());
    let actions = all.fold(ActionSet::default(), ActionSet::with);
    Some(NaclRule { mode: mode?, networks: networks?, actions })
}

/// A listener's ACL must be there.
pub(super) fn nacls_exist(reader: &mut Reader<'_>, config: &Config) {
    for listener in &config.listeners {
        let Some(wanted) = &listener.border.nacl else { continue };
        if !config.nacls.iter().any(|(name, _)| name == wanted) {
            reader.report_key(&format!("listener.{}.nacl", listener.name), Fault::NoSuchNacl);
        }
    }
}

/// Listeners that anybody may reach, or listen to on the way.
pub(super) fn warnings(config: &Config) -> Vec<Finding> {
    let open = |listener: &Listener| {
        // the convection door has a network ACL of its own, if no other
        let guarded = matches!(listener.door, Door::Convection(_));
        let bounded = listener.border.nacl.is_some() || !listener.border.addresses.is_empty();
        (listener.is_reachable() && !guarded && !bounded).then_some(Fault::OpenToTheNetwork)
    };
    let plain = |listener: &Listener| listener.is_readable_on_the_way().then_some(Fault::DeclaredPlaintext);
    let found = config.listeners.iter().flat_map(|listener| {
        open(listener).into_iter().chain(plain(listener)).map(|fault| {
            let key = format!("listener.{}.address", listener.name);
            let place = config.places.get(&key).copied().unwrap_or_default();
            Finding { place, key, fault }
        })
    });
    found.collect()
}
