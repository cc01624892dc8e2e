//! Who there is, what each organisation decided, and, told a second time and in other words, what follows from it.
//!
//! The configuration that an organisation's collector reads and the table by which the oracle judges are written by hand,
//! each by itself: nothing here derives one from the other.

/// A member that reads.
#[derive(Debug, Clone, Copy)]
pub struct Reader {
    /// The name that is asked for,
    pub name: &'static str,
    /// and the one that is registered.
    pub registered: &'static str,
    /// What it has.
    pub attributes: &'static [&'static str],
}

/// The three who read.
pub const READERS: [Reader; 3] = [
    Reader { name: "ines cert", registered: "ines_cert", attributes: &["CERT", "ANALYST", "EU"] },
    Reader { name: "boris/bank", registered: "boris__bank", attributes: &["BANK", "ANALYST"] },
    Reader { name: "chen", registered: "chen", attributes: &["RESEARCH"] },
];
/// The one who is suspended in the middle; it reads what the first one does until then.
pub const SUSPENDED: Reader =
    Reader { name: "dora", registered: "dora", attributes: &["CERT", "ANALYST", "EU"] };

/// What the oracle knows of a field.
#[derive(Debug, Clone, Copy)]
pub struct Rule {
    /// Which.
    pub field: &'static str,
    /// Who reads it: any of these sets of attributes, wholly. None at all: it was removed.
    pub who: &'static [&'static [&'static str]],
    /// Whether it can be searched for.
    pub searchable: bool,
}

/// An organisation and its collector.
#[derive(Debug, Clone, Copy)]
pub struct Organisation {
    /// The name of its collector, as registered.
    pub name: &'static str,
    /// Of ten records that are made, how many are its own.
    pub share: u64,
    /// The policy part of its collector's configuration.
    pub policy: &'static str,
    /// What follows from it.
    pub rules: &'static [Rule],
}

const fn rule(field: &'static str, who: &'static [&'static [&'static str]], searchable: bool) -> Rule {
    Rule { field, who, searchable }
}

const EVERYBODY: &[&[&str]] = &[&["ANALYST"], &["RESEARCH"]];
const REMOVED: &[&[&str]] = &[];

/// A bank: analysts of banks read all, a CERT what is needed to act, research next to nothing. Passphrases never leave.
const BANK: Organisation = Organisation {
    name: "nordbank-soc",
    share: 5,
    policy: r#"
policy:
  default:
    abe_pol: "BANK and ANALYST"
  index:
    exact:
      - match: honeypot_record
      - match: attacker_addr
      - match: sensor_port
      - match: attacker_country
      - match: payload_sha256
      - match: sensor_codename
      - match: threat_record
      - match: threat_title
    regex:
      - match: "fetched_"
  timestamp:
    exact: [observed_at]
  exact:
    - match: honeypot_record
      abe_pol: "ANALYST or RESEARCH"
    - match: threat_record
      abe_pol: "ANALYST or RESEARCH"
    - match: observed_at
      abe_pol: "ANALYST or RESEARCH"
    - match: passphrase_tried
      remove: true
    - match: attacker_country
      abe_pol: "RESEARCH or ANALYST"
  regex:
    - match: "attacker_"
      abe_pol: "CERT or (BANK and ANALYST)"
    - match: "payload_.*"
      abe_pol: "2 of (CERT, ANALYST, BANK)"
"#,
    rules: &[
        rule("honeypot_record", EVERYBODY, true),
        rule("observed_at", EVERYBODY, false),
        rule("attacker_addr", &[&["CERT"], &["BANK", "ANALYST"]], true),
        rule("attacker_port", &[&["CERT"], &["BANK", "ANALYST"]], false),
        rule("sensor_addr", &[&["BANK", "ANALYST"]], false),
        rule("sensor_port", &[&["BANK", "ANALYST"]], true),
        rule("protocol_spoken", &[&["BANK", "ANALYST"]], false),
        rule("attacker_country", EVERYBODY, true),
        rule("login_name_tried", &[&["BANK", "ANALYST"]], false),
        rule("passphrase_tried", REMOVED, false),
        rule("fetched_url", &[&["BANK", "ANALYST"]], true),
        rule("fetched_domain", &[&["BANK", "ANALYST"]], true),
        rule("payload_sha256", &[&["CERT", "ANALYST"], &["CERT", "BANK"], &["ANALYST", "BANK"]], true),
        rule("client_banner", &[&["BANK", "ANALYST"]], false),
        rule("sensor_codename", &[&["BANK", "ANALYST"]], true),
        rule("session_note", &[&["BANK", "ANALYST"]], false),
        rule("threat_record", EVERYBODY, true),
        rule("threat_kind", &[&["BANK", "ANALYST"]], false),
        rule("threat_title", &[&["BANK", "ANALYST"]], true),
        rule("threat_body", &[&["BANK", "ANALYST"]], false),
    ],
};

/// A hospital: the CERT of the union reads; logins are removed although a pattern would index them.
const HOSPITAL: Organisation = Organisation {
    name: "klinik_west",
    share: 3,
    policy: r#"
policy:
  default:
    abe_pol: "CERT and EU"
  index:
    exact:
      - match: honeypot_record
      - match: attacker_addr
      - match: payload_sha256
      - match: sensor_codename
      - match: threat_record
      - match: threat_kind
    regex:
      - match: "login_"
      - match: "protocol"
  timestamp:
    regex: ["observed"]
  exact:
    - match: honeypot_record
      abe_pol: "ANALYST or RESEARCH"
    - match: threat_record
      abe_pol: "ANALYST or RESEARCH"
    - match: observed_at
      abe_pol: "ANALYST or RESEARCH"
    - match: login_name_tried
      remove: true
    - match: passphrase_tried
      remove: true
  regex:
    - match: "(client|protocol)_"
      abe_pol: "RESEARCH or CERT"
"#,
    rules: &[
        rule("honeypot_record", EVERYBODY, true),
        rule("observed_at", EVERYBODY, false),
        rule("attacker_addr", &[&["CERT", "EU"]], true),
        rule("attacker_port", &[&["CERT", "EU"]], false),
        rule("sensor_addr", &[&["CERT", "EU"]], false),
        rule("sensor_port", &[&["CERT", "EU"]], false),
        rule("protocol_spoken", &[&["RESEARCH"], &["CERT"]], true),
        rule("attacker_country", &[&["CERT", "EU"]], false),
        rule("login_name_tried", REMOVED, false),
        rule("passphrase_tried", REMOVED, false),
        rule("fetched_url", &[&["CERT", "EU"]], false),
        rule("fetched_domain", &[&["CERT", "EU"]], false),
        rule("payload_sha256", &[&["CERT", "EU"]], true),
        rule("client_banner", &[&["RESEARCH"], &["CERT"]], false),
        rule("sensor_codename", &[&["CERT", "EU"]], true),
        rule("session_note", &[&["CERT", "EU"]], false),
        rule("threat_record", EVERYBODY, true),
        rule("threat_kind", &[&["CERT", "EU"]], true),
        rule("threat_title", &[&["CERT", "EU"]], false),
        rule("threat_body", &[&["CERT", "EU"]], false),
    ],
};

/// A university: nearly all is for nearly everybody, but who was asleep at the sensor.
const UNIVERSITY: Organisation = Organisation {
    name: "uni-lab",
    share: 2,
    policy: r#"
policy:
  default:
    abe_pol: "RESEARCH or ANALYST"
  index:
    regex:
      - match: "honeypot|attacker_addr|sensor_port|fetched_domain|login|payload|sensor_code|threat_[rkt]"
  timestamp:
    exact: [observed_at]
  exact:
    - match: sensor_addr
      abe_pol: "RESEARCH"
  regex:
    - match: "sensor_"
      abe_pol: "RESEARCH or CERT"
    - match: "session"
      abe_pol: "RESEARCH and ANALYST"
"#,
    rules: &[
        rule("honeypot_record", EVERYBODY, true),
        rule("observed_at", EVERYBODY, false),
        rule("attacker_addr", EVERYBODY, true),
        rule("attacker_port", EVERYBODY, false),
        rule("sensor_addr", &[&["RESEARCH"]], false),
        rule("sensor_port", &[&["RESEARCH"], &["CERT"]], true),
        rule("protocol_spoken", EVERYBODY, false),
        rule("attacker_country", EVERYBODY, false),
        rule("login_name_tried", EVERYBODY, true),
        rule("passphrase_tried", EVERYBODY, false),
        rule("fetched_url", EVERYBODY, false),
        rule("fetched_domain", EVERYBODY, true),
        rule("payload_sha256", EVERYBODY, true),
        rule("client_banner", EVERYBODY, false),
        rule("sensor_codename", &[&["RESEARCH"], &["CERT"]], true),
        rule("session_note", &[&["RESEARCH", "ANALYST"]], false),
        rule("threat_record", EVERYBODY, true),
        rule("threat_kind", EVERYBODY, true),
        rule("threat_title", EVERYBODY, true),
        rule("threat_body", EVERYBODY, false),
    ],
};

/// The three that collect.
pub const ORGANISATIONS: [Organisation; 3] = [BANK, HOSPITAL, UNIVERSITY];

/// How values of fields are compared: (field, form), for all configurations alike.
pub const FORMS: [(&str, &str); 14] = [
    ("honeypot_record", "text"),
    ("attacker_addr", "ip"),
    ("sensor_port", "port"),
    ("protocol_spoken", "text"),
    ("attacker_country", "text"),
    ("login_name_tried", "text"),
    ("fetched_url", "url"),
    ("fetched_domain", "domain"),
    ("payload_sha256", "hash"),
    ("sensor_codename", "text"),
    ("observed_at", "text"),
    ("threat_record", "text"),
    ("threat_kind", "text"),
    ("threat_title", "text"),
];

/// Whose record a number is.
pub fn organisation_of(number: u64) -> usize {
    let mut of_ten = number % 10;
    for (at, organisation) in ORGANISATIONS.iter().enumerate() {
        if of_ten < organisation.share {
            return at;
        }
        of_ten -= organisation.share;
    }
    0
}

impl Rule {
    /// Whether the field was removed: it is nowhere.
    pub const fn is_removed(&self) -> bool {
        self.who.is_empty()
    }

    /// Whether who has these attributes reads it.
    pub fn opens(&self, attributes: &[&str]) -> bool {
        self.who.iter().any(|set| set.iter().all(|needed| attributes.contains(needed)))
    }
}

impl Organisation {
    /// The rule of a field.
    pub fn rule(&self, field: &str) -> Option<&'static Rule> {
        self.rules.iter().find(|rule| rule.field == field)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::honeypot::FIELDS;
    use crate::threat;

    #[test]
    fn each_organisation_decides_on_each_field() {
        for organisation in ORGANISATIONS {
            let fields: Vec<&str> = organisation.rules.iter().map(|rule| rule.field).collect();
            assert_eq!(fields, [&FIELDS[..], &threat::FIELDS[..]].concat(), "{}", organisation.name);
        }
        assert_eq!(ORGANISATIONS.iter().map(|each| each.share).sum::<u64>(), 10);
        let owners: Vec<usize> = (0..10).map(organisation_of).collect();
        assert_eq!(owners, [0, 0, 0, 0, 0, 1, 1, 1, 2, 2]);
    }

    #[test]
    fn the_three_readers_see_different_things() {
        let sees = |reader: &Reader| -> Vec<(usize, &str)> {
            let each = ORGANISATIONS.iter().enumerate();
            let rules =
                each.flat_map(|(at, organisation)| organisation.rules.iter().map(move |rule| (at, rule)));
            rules
                .filter(|(_, rule)| rule.opens(reader.attributes))
                .map(|(at, rule)| (at, rule.field))
                .collect()
        };
        let [ines, boris, chen] = READERS.each_ref().map(sees);
        assert!(ines != boris && boris != chen && ines != chen);
        assert_eq!((ines.len(), boris.len(), chen.len()), (43, 38, 28));
    }
}
