//! Records as a honeypot makes them: sixteen fields, values that repeat as they do in the wild, each record a function of
//! seed and number, so that nothing needs to be kept to know what it was.

use crate::random::Random;
use serde_json::{Value, json};

/// The fields, in the order in which a record has them. Their names are distinctive: whoever finds one in what the exchange
/// keeps has found a leak.
pub const FIELDS: [&str; 16] = [
    "honeypot_record",
    "observed_at",
    "attacker_addr",
    "attacker_port",
    "sensor_addr",
    "sensor_port",
    "protocol_spoken",
    "attacker_country",
    "login_name_tried",
    "passphrase_tried",
    "fetched_url",
    "fetched_domain",
    "payload_sha256",
    "client_banner",
    "sensor_codename",
    "session_note",
];

/// When the first record was observed: seconds since 1970.
pub const FIRST_OBSERVED: u64 = 1_793_000_000;
/// Seconds from one record to the next.
pub const INTERVAL_SECS: u64 = 2;

const PORTS: [u64; 12] = [22, 23, 80, 445, 443, 3_389, 8_080, 2_222, 5_900, 25, 1_433, 6_379];
const PROTOCOLS: [&str; 8] = ["ssh", "telnet", "http", "smb", "rdp", "vnc", "smtp", "redis"];
const COUNTRIES: [&str; 20] = [
    "CN", "US", "RU", "NL", "DE", "IN", "BR", "VN", "KR", "FR", "GB", "SG", "ID", "UA", "TW", "HK", "IR",
    "PL", "RO", "ZA",
];
const NAMES: [&str; 10] =
    ["root", "admin", "ubuntu", "postgres", "oracle", "git", "pi", "deploy", "backup", "jenkins"];
const BANNERS: [&str; 6] = [
    "SSH-2.0-libssh_0.9.6",
    "SSH-2.0-Go",
    "SSH-2.0-PuTTY_Release_0.78",
    "masscan/1.3",
    "Mozilla/5.0 zgrab/0.x",
    "curl/7.88.1",
];
/// What sensors are called.
pub const SENSORS: [&str; 12] = [
    "kestrel-01",
    "kestrel-02",
    "merlin-11",
    "merlin-12",
    "harrier-21",
    "harrier-22",
    "goshawk-31",
    "osprey-41",
    "osprey-42",
    "buzzard-51",
    "peregrine-61",
    "gyrfalcon-71",
];

/// Makes the records of one seed.
#[derive(Debug, Clone, Copy)]
pub struct Honeypot {
    /// The seed.
    pub seed: u64,
}

impl Honeypot {
    /// The record of this number: (name, value) in the order of [`FIELDS`].
    pub fn record(self, number: u64) -> Vec<(&'static str, Value)> {
        FIELDS.into_iter().zip(self.values(number)).collect()
    }

    /// The same as a line of JSON, without its end.
    pub fn line(self, number: u64) -> String {
        let fields = self.record(number).into_iter().map(|(name, value)| format!("\"{name}\":{value}"));
        format!("{{{}}}", fields.collect::<Vec<_>>().join(","))
    }

    fn values(self, number: u64) -> [Value; 16] {
        let mut random = Random::new(self.seed ^ number.wrapping_mul(0xd6e8_feb8_6659_fd93));
        let random = &mut random;
        let domain = domain(random);
        [
            json!(name_of(number)),
            json!(FIRST_OBSERVED + number * INTERVAL_SECS),
            json!(address(random.skewed(50_000))),
            json!(1_024 + random.below(64_000)),
            json!(format!("192.0.2.{}", 1 + random.skewed(40))),
            json!(port(random)),
            json!(random.pick(&PROTOCOLS)),
            json!(random.pick(&COUNTRIES)),
            json!(login_name(random)),
            json!(passphrase(random)),
            json!(format!("http://{}/{:x}/run.sh", domain.to_lowercase(), random.skewed(30_000))),
            json!(domain),
            json!(digest(random)),
            json!(random.pick(&BANNERS)),
            json!(random.pick(&SENSORS)),
            json!(format!("session {:016x} \u{2013} lasted {} s", random.next(), random.skewed(3_600))),
        ]
    }
}

/// What the first field of a record says.
pub fn name_of(number: u64) -> String {
    format!("hp-{number:09}")
}

/// The number of a record by its first field.
pub fn number_of(name: &str) -> Option<u64> {
    name.strip_prefix("hp-")?.parse().ok()
}

/// The address of a rank: the same rank is the same attacker. One in sixteen is of version 6.
fn address(rank: u64) -> String {
    let bits = Random::new(rank ^ 0xadd7).next();
    let part = |at: u32| (bits >> (8 * at)) & 0xff;
    if rank % 16 == 15 {
        format!("2001:db8:{:x}:{:x}::{:x}", 1 + bits % 60_000, 1 + (bits >> 20) % 60_000, 1 + part(7))
    } else {
        format!("{}.{}.{}.{}", 11 + part(0) % 90, part(1), part(2), 1 + part(3) % 250)
    }
}

fn port(random: &mut Random) -> u64 {
    let at = usize::try_from(random.skewed(PORTS.len() as u64)).unwrap_or_default();
    PORTS.get(at).copied().unwrap_or(22)
}

/// Each twentieth as someone typed it: what differs in case only is the same domain.
fn domain(random: &mut Random) -> String {
    let rank = random.skewed(20_000);
    let domain = format!("cdn-{:08x}.dropper.example", Random::new(rank ^ 0xd0a1).next() >> 32);
    if random.below(20) == 0 { domain.to_uppercase() } else { domain }
}

fn login_name(random: &mut Random) -> String {
    match random.below(4) {
        0 => format!("svc-{:06x}", random.skewed(5_000).wrapping_mul(7_919)),
        _ => random.pick(&NAMES).into(),
    }
}

/// What makes trouble to those who quote badly, too.
fn passphrase(random: &mut Random) -> String {
    let word = random.skewed(8_000);
    match random.below(8) {
        0 => format!("p\"{word}\\\u{e4}\u{1f511}"),
        1 => String::new(),
        _ => format!("hunter{word}!"),
    }
}

/// A SHA-256 in hexadecimal digits; each tenth in capital ones, which is the same digest.
fn digest(random: &mut Random) -> String {
    let mut of_rank = Random::new(random.skewed(10_000) ^ 0x5a5a);
    let [one, two, three, four] = std::array::from_fn(|_| of_rank.next());
    let digits = format!("{one:016x}{two:016x}{three:016x}{four:016x}");
    if random.below(10) == 0 { digits.to_uppercase() } else { digits }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    #[test]
    fn a_record_is_its_number() {
        let honeypot = Honeypot { seed: 5 };
        let line = honeypot.line(17);
        assert_eq!(line, honeypot.line(17));
        assert_ne!(line, honeypot.line(18));
        let read: Value = serde_json::from_str(&line).unwrap();
        assert_eq!(read.as_object().unwrap().len(), FIELDS.len());
        assert_eq!(read["honeypot_record"].as_str().and_then(number_of), Some(17));
    }

    #[test]
    fn values_repeat_and_are_many() {
        let honeypot = Honeypot { seed: 5 };
        let mut seen: BTreeMap<(&str, String), u32> = BTreeMap::new();
        for number in 0..2_000 {
            for (name, value) in honeypot.record(number) {
                *seen.entry((name, value.to_string())).or_default() += 1;
            }
        }
        let of = |field: &str| seen.iter().filter(|((name, _), _)| *name == field).collect::<Vec<_>>();
        assert_eq!(of("session_note").len(), 2_000);
        for field in ["attacker_addr", "login_name_tried", "payload_sha256", "fetched_domain"] {
            let (values, most) = (of(field).len(), of(field).iter().map(|(_, count)| **count).max().unwrap());
            assert!(values > 100 && most >= 5, "{field}: {values} values, one of them {most} times");
        }
        assert!(seen.keys().any(|(name, value)| *name == "attacker_addr" && value.contains("db8")));
    }
}
