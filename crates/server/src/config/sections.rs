//! Section by section, with defaults and bounds.

mod audit;
mod listeners;

use super::reader::{Reader, Section};
use super::{
    Address, AutoUnlock, Config, Fault, Finding, Limits, Listener, Server, Tokens, border, sharing, units,
};
use std::collections::{BTreeMap, HashMap};
use std::num::NonZeroU32;
use std::path::{Path, PathBuf};
use std::time::Duration;

const DEFAULT_RUN_DIR: &str = "/run/strongroom";
pub(super) const DAY: Duration = Duration::from_hours(24);

/// Reads everything that can be read; what cannot takes its default and is found wrong.
pub(super) fn read(text: &str) -> (Config, Vec<Finding>) {
    let (mut reader, mut root) = Reader::open(text);
    let server = server(&mut reader, &mut root);
    let mut config = Config {
        listeners: listeners::listeners(&mut reader, &mut root, &server.run_dir),
        server,
        nacls: border::nacls(&mut reader, &mut root),
        limits: limits(&mut reader, &mut root),
        tokens: tokens(&mut reader, &mut root),
        auto_unlock: auto_unlock(&mut reader, &mut root),
        audit: audit::audit(&mut reader, &mut root),
        sharing: sharing::sharing(&mut reader, &mut root),
        places: BTreeMap::new(),
    };
    reader.close(&root);
    addresses_differ(&mut reader, &config.listeners);
    border::nacls_exist(&mut reader, &config);
    secrets_lie_outside(&mut reader, &config);
    config.places = std::mem::take(&mut reader.places);
    // what a broken text lacks was perhaps in its broken part
    let broken = reader.findings.iter().any(|finding| matches!(finding.fault, Fault::Syntax(_)));
    reader.findings.retain(|finding| !broken || matches!(finding.fault, Fault::Syntax(_)));
    (config, reader.findings)
}

fn server<'t>(reader: &mut Reader<'t>, root: &mut Section<'t>) -> Server {
    let mut section = reader.section(root, "server");
    let data_dir = reader.required(&mut section, "data_dir", units::absolute);
    let run_dir = reader.text(&mut section, "run_dir", units::absolute);
    let mut server =
        Server::at(data_dir.unwrap_or_default(), run_dir.unwrap_or_else(|| DEFAULT_RUN_DIR.into()));
    server.pid_file = reader.text(&mut section, "pid_file", units::absolute);
    if let Some(log) = reader.text(&mut section, "log", log_filter) {
        server.log = log;
    }
    server.log_file = reader.text(&mut section, "log_file", units::absolute);
    if let Some(reserve) = reader.size(&mut section, "reserve", 1 << 20..=64 << 30) {
        server.reserve_bytes = reserve;
    }
    let threads = reader.number(&mut section, "worker_threads", 1..=512);
    server.worker_threads = threads.and_then(|threads| usize::try_from(threads).ok());
    reader.close(&section);
    server
}

fn log_filter(text: &str) -> Result<String, Fault> {
    crate::logging::is_filter(text).then(|| text.to_owned()).ok_or(Fault::NotAFilter)
}

pub(super) fn refuse<'t>(
    reader: &mut Reader<'t>,
    section: &mut Section<'t>,
    names: &[&str],
    when: &'static str,
) {
    for name in names {
        reader.refuse(section, name, &Fault::OutOfPlace { when });
    }
}

fn limits<'t>(reader: &mut Reader<'t>, root: &mut Section<'t>) -> Limits {
    let mut section = reader.section(root, "limits");
    let mut limits = Limits::default();
    let from = &mut section;
    count(reader, from, "connections", 1..=1_000_000, &mut limits.connections);
    count(reader, from, "connections_per_address", 1..=1_000_000, &mut limits.connections_per_address);
    bytes(reader, from, "body_bytes", 64 << 10..=64 << 20, &mut limits.body_bytes);
    bytes(reader, from, "header_bytes", 8 << 10..=1 << 20, &mut limits.header_bytes);
    count(reader, from, "headers", 16..=1_000, &mut limits.headers);
    bytes(reader, from, "path_bytes", 2 << 10..=64 << 10, &mut limits.path_bytes);
    seconds(reader, from, "handshake_timeout_secs", &mut limits.handshake_timeout);
    seconds(reader, from, "header_timeout_secs", &mut limits.header_timeout);
    seconds(reader, from, "body_timeout_secs", &mut limits.body_timeout);
    seconds(reader, from, "idle_timeout_secs", &mut limits.idle_timeout);
    seconds(reader, from, "request_timeout_secs", &mut limits.request_timeout);
    let streams =
        reader.number(from, "http2_streams", 1..=10_000).and_then(|streams| streams.try_into().ok());
    limits.http2_streams = streams.unwrap_or(limits.http2_streams);
    limits.requests_per_second_per_address = rate(reader, from, "requests_per_second_per_address");
    limits.requests_per_second_per_user = rate(reader, from, "requests_per_second_per_user");
    reader.close(&section);
    if limits.path_bytes > limits.header_bytes {
        reader.report_key("limits.path_bytes", Fault::MoreThan { other: "limits.header_bytes" });
    }
    limits
}

fn rate<'t>(reader: &mut Reader<'t>, from: &mut Section<'t>, name: &str) -> Option<NonZeroU32> {
    let number = reader.number(from, name, 1..=1_000_000)?;
    u32::try_from(number).ok().and_then(NonZeroU32::new)
}

type Bounds = std::ops::RangeInclusive<u64>;

fn count<'t>(reader: &mut Reader<'t>, from: &mut Section<'t>, name: &str, bounds: Bounds, into: &mut usize) {
    let number = reader.number(from, name, bounds).and_then(|number| usize::try_from(number).ok());
    *into = number.unwrap_or(*into);
}

fn bytes<'t>(reader: &mut Reader<'t>, from: &mut Section<'t>, name: &str, bounds: Bounds, into: &mut usize) {
    let size = reader.size(from, name, bounds).and_then(|size| usize::try_from(size).ok());
    *into = size.unwrap_or(*into);
}

fn seconds<'t>(reader: &mut Reader<'t>, from: &mut Section<'t>, name: &str, into: &mut Duration) {
    *into = reader.number(from, name, 1..=3_600).map_or(*into, Duration::from_secs);
}

fn tokens<'t>(reader: &mut Reader<'t>, root: &mut Section<'t>) -> Tokens {
    let mut section = reader.section(root, "tokens");
    let mut tokens = Tokens::default();
    let (minute, year) = (Duration::from_mins(1), DAY * 366);
    let default_ttl = reader.text(&mut section, "default_ttl", within(minute, year));
    let max_ttl = reader.text(&mut section, "max_ttl", within(minute, year));
    tokens.default_ttl = default_ttl.unwrap_or(tokens.default_ttl);
    tokens.max_ttl = max_ttl.unwrap_or(tokens.max_ttl);
    count(reader, &mut section, "max_access_keys", 1..=100, &mut tokens.max_access_keys);
    reader.close(&section);
    if tokens.default_ttl > tokens.max_ttl {
        reader.report_key("tokens.default_ttl", Fault::MoreThan { other: "tokens.max_ttl" });
    }
    tokens
}

fn auto_unlock<'t>(reader: &mut Reader<'t>, root: &mut Section<'t>) -> Option<AutoUnlock> {
    let mut unlock = reader.section(root, "unlock");
    let wanted = unlock.contains("auto");
    let mut section = reader.section(&mut unlock, "auto");
    let key_file = if wanted { reader.required(&mut section, "key_file", units::absolute) } else { None };
    reader.close(&section);
    reader.close(&unlock);
    key_file.map(|key_file| AutoUnlock { key_file })
}

pub(super) fn within(least: Duration, most: Duration) -> impl Fn(&str) -> Result<Duration, Fault> {
    move |text| {
        let duration = units::duration(text)?;
        let outside =
            || Fault::OutOfBounds { least: units::show_duration(least), most: units::show_duration(most) };
        if (least..=most).contains(&duration) { Ok(duration) } else { Err(outside()) }
    }
}

fn addresses_differ(reader: &mut Reader<'_>, listeners: &[Listener]) {
    let mut taken: HashMap<&Address, &str> = HashMap::new();
    for listener in listeners {
        // port 0 asks for any free port
        let any_port = matches!(listener.address, Address::Tcp(address) if address.port() == 0);
        if any_port {
            continue;
        }
        if let Some(other) = taken.insert(&listener.address, &listener.name) {
            let other = other.to_owned();
            reader.report_key(&format!("listener.{}.address", listener.name), Fault::AddressTaken { other });
        }
    }
}

/// What lies beside the data is in every copy of the data.
fn secrets_lie_outside(reader: &mut Reader<'_>, config: &Config) {
    let data_dir = config.server.data_dir.as_path();
    let inside = |path: &Path| data_dir != Path::new("") && path.starts_with(data_dir);
    let auto = config.auto_unlock.iter().map(|auto| ("unlock.auto.key_file", &auto.key_file));
    let anchor = config.audit.checkpoint_file.iter().map(|file| ("audit.checkpoint_file", file));
    let jwt = config.sharing.jwt_secret_file.iter().map(|file| ("sharing.jwt_secret_file", file));
    let found: Vec<(&str, &PathBuf)> =
        auto.chain(anchor).chain(jwt).filter(|(_, path)| inside(path)).collect();
    for (key, _) in found {
        reader.report_key(key, Fault::InsideDataDir);
    }
}
