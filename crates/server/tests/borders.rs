//! What the configuration says about the network: understood whole, or refused with each fault and its line.

#![expect(clippy::unwrap_used, clippy::panic, reason = "helpers of tests fail them")]

use std::net::IpAddr;
use strongroom_gate::{ActionCode as Action, NetworkAsk};
use strongroom_model::NetworkError;
use strongroom_server::config::{Border, Config, ConfigError, Fault, Finding};

fn server(rest: &str) -> String {
    format!("[server]\ndata_dir = \"/var/lib/strongroom\"\n{rest}\n")
}

fn listener(rest: &str) -> String {
    server(&format!("[listener.a]\naddress = \"127.0.0.1:1\"\n{rest}"))
}

fn findings(text: &str) -> Vec<Finding> {
    match Config::parse(text, "test.toml") {
        Err(ConfigError::Invalid(findings)) => findings.found,
        other => panic!("findings, not {other:?}"),
    }
}

/// The only finding: its line, key and fault.
fn fault(text: &str) -> (usize, String, Fault) {
    let mut found = findings(text);
    assert_eq!(found.len(), 1, "{found:?}");
    let finding = found.remove(0);
    (finding.place.line, finding.key, finding.fault)
}

fn address(text: &str) -> IpAddr {
    text.parse().unwrap()
}

#[test]
fn rules_are_read_in_their_order_however_they_are_written() {
    let in_brackets = r#"
[nacl.edge]
rules = [
  { type = "allow", addresses = ["10.0.0.0/8", "loopback"], actions = ["secret.*", "token.authorize"] },
  { type = "deny", addresses = ["10.0.0.13"], actions = ["*"] },
]
"#;
    let one_by_one = r#"
[[nacl.edge.rules]]
type = "allow"
addresses = ["10.0.0.0/8", "loopback"]
actions = ["secret.*", "token.authorize"]

[[nacl.edge.rules]]
type = "deny"
addresses = ["10.0.0.13"]
actions = ["*"]
"#;
    for rules in [in_brackets, one_by_one] {
        let config = Config::parse(&listener(&format!("nacl = \"edge\"\n{rules}")), "test.toml").unwrap();
        let nacl = config.nacl_of(&config.listeners[0]).unwrap();
        let decide = |from: &str, action| {
            let decision = nacl.decide(address(from), action);
            (decision.allowed, decision.rule.to_string())
        };
        assert_eq!(decide("10.1.1.1", Action::GetSecret), (true, "nacl edge rule 1".to_owned()));
        assert_eq!(decide("::1", Action::GetSecret), (true, "nacl edge rule 1".to_owned()));
        assert_eq!(decide("10.0.0.13", Action::GetSecret), (false, "nacl edge rule 2".to_owned()));
        assert!(!decide("10.1.1.1", Action::Lock).0);
    }
}

#[test]
fn a_rule_may_name_commands_of_the_old_protocol() {
    let text = listener(
        "nacl = \"n\"\n[[nacl.n.rules]]\ntype = \"allow\"\naddresses = [\"10.0.0.0/8\"]\n\
         commands = [\"get_secret\", \"list_secrets\", \"rotate\"]\n[[nacl.n.rules]]\ntype = \"deny\"\n\
         addresses = [\"0.0.0.0/0\"]\ncommands = [\"service-stop\", \"stop\", \"service-start\", \"start\"]",
    );
    let config = Config::parse(&text, "test.toml").unwrap();
    let nacl = config.nacl_of(&config.listeners[0]).unwrap();
    let asks = |word| nacl.decide(address("10.1.1.1"), NetworkAsk::Command(word)).allowed;
    assert!(asks("get_secret") && asks("rotate_root_keys"));
    assert!(!asks("create_secret") && !asks("stop") && !asks("status"));
    assert!(nacl.decide(address("10.1.1.1"), Action::GetSecret).allowed);
    assert!(!nacl.decide(address("10.1.1.1"), Action::PutSecret).allowed);

    let text = "nacl = \"n\"\n[[nacl.n.rules]]\ntype = \"allow\"\naddresses = [\"10.0.0.0/8\"]\n\
        commands = [\n\"get_secret\",\n\"get_secrets\"]";
    assert_eq!(fault(&listener(text)), (11, "nacl.n.rules.1.commands".to_owned(), Fault::NamesNoCommand));
}

#[test]
fn a_border_is_read_and_a_listener_without_one_shows_metrics_to_its_host_alone() {
    let text = listener(
        "addresses = [\"10.0.0.0/8\"]\nproxy_protocol = true\ntrusted_proxies = [\"10.0.0.2\", \"fd00::/8\"]\n\
         names = [\"vault.example.org\"]\nmetrics_addresses = [\"10.9.0.0/16\"]",
    );
    let config = Config::parse(&text, "test.toml").unwrap();
    let border = &config.listeners[0].border;
    assert!(border.proxy_protocol);
    assert!(border.admits(address("10.1.1.1")) && !border.admits(address("127.0.0.1")));
    assert!(border.trusts(address("fd00::7")) && !border.trusts(address("10.0.0.3")));
    assert!(border.shows_metrics(address("10.9.1.1")) && !border.shows_metrics(address("127.0.0.1")));

    let bare = Border::default();
    assert!(bare.admits(address("203.0.113.7")) && !bare.trusts(address("127.0.0.1")));
    assert!(bare.shows_metrics(address("::1")) && !bare.shows_metrics(address("203.0.113.7")));
}

#[test]
fn every_fault_has_its_line() {
    let rule = |rest: &str| listener(&format!("nacl = \"n\"\n[nacl.n]\nrules = [\n  {{ {rest} }},\n]"));
    let wrong = |expected, found| Fault::WrongType { expected, found };
    let table = [
        (listener("nacl = \"n\""), 5, "listener.a.nacl", Fault::NoSuchNacl),
        (listener("nacl = 1"), 5, "listener.a.nacl", wrong("a string", "integer")),
        (listener("addresses = []"), 5, "listener.a.addresses", Fault::NamesNothing),
        (
            listener("addresses = [\n\"10.0.0.0/8\",\n\"10.0.0.1/8\"]"),
            7,
            "listener.a.addresses",
            Fault::NotANetwork(NetworkError::HostBits { meant: "10.0.0.0/8".parse().unwrap() }),
        ),
        (
            listener("addresses = [\"everywhere\"]"),
            5,
            "listener.a.addresses",
            Fault::NotANetwork(NetworkError::Malformed),
        ),
        (
            listener("proxy_protocol = \"v2\""),
            5,
            "listener.a.proxy_protocol",
            wrong("true or false", "string"),
        ),
        (listener("proxy_protocol = true"), 3, "listener.a.trusted_proxies", Fault::Missing),
        (
            listener("trusted_proxies = [\"0.0.0.0/0\"]"),
            5,
            "listener.a.trusted_proxies",
            Fault::TrustsEverybody,
        ),
        (listener("names = [\"a b\"]"), 5, "listener.a.names", Fault::NotAHostName),
        (listener("names = []"), 5, "listener.a.names", Fault::NamesNothing),
        (server("[nacl.N]\nrules = []"), 3, "nacl.N", Fault::NotANaclName),
        (server("[nacl.n]"), 3, "nacl.n.rules", Fault::Missing),
        (server("[nacl.n]\nrules = \"all\""), 4, "nacl.n.rules", wrong("a list of tables", "string")),
        (server("[nacl.n]\nrules = [1]"), 4, "nacl.n.rules.1", wrong("a table", "integer")),
        (
            rule("type = \"maybe\", addresses = [\"10.0.0.1\"], actions = [\"*\"]"),
            8,
            "nacl.n.rules.1.type",
            Fault::NotOneOf { allowed: "allow, deny" },
        ),
        (rule("type = \"deny\", addresses = [\"10.0.0.1\"]"), 8, "nacl.n.rules.1.actions", Fault::Missing),
        (rule("type = \"deny\", actions = [\"*\"]"), 8, "nacl.n.rules.1.addresses", Fault::Missing),
        (rule("addresses = [\"::1\"], actions = [\"*\"]"), 8, "nacl.n.rules.1.type", Fault::Missing),
        (
            rule("type = \"deny\", addresses = [\"::1\"], actions = [\"secret.*\", \"secret.steal\"]"),
            8,
            "nacl.n.rules.1.actions",
            Fault::NamesNoAction,
        ),
        (
            rule("type = \"deny\", addresses = [\"::1\"], actions = [\"*\"], action = \"x\""),
            8,
            "nacl.n.rules.1.action",
            Fault::Unknown,
        ),
    ];
    for (text, line, key, expected) in table {
        assert_eq!(fault(&text), (line, key.to_owned(), expected), "{text}");
    }
    let socket = server("[listener.a]\naddress = \"unix:/s\"\nnacl = \"n\"");
    assert_eq!(fault(&socket).2, Fault::OutOfPlace { when: "on a socket" });
}

#[test]
fn a_listener_that_anybody_may_reach_is_warned_of() {
    let warned = |rest: &str| Config::parse(&server(rest), "test.toml").unwrap().warnings();
    let open = warned("[listener.a]\naddress = \"0.0.0.0:1\"");
    assert_eq!(open.len(), 1);
    assert_eq!((open[0].place.line, open[0].key.as_str()), (4, "listener.a.address"));
    assert_eq!(open[0].fault, Fault::OpenToTheNetwork);
    assert_eq!(warned("[listener.a]\naddress = \"[::]:1\"").len(), 1);
    assert_eq!(warned("[listener.a]\naddress = \"127.0.0.2:1\""), []);
    assert_eq!(warned("[listener.a]\naddress = \"[::1]:1\""), []);
    assert_eq!(warned("[listener.a]\naddress = \"0.0.0.0:1\"\naddresses = [\"10.0.0.0/8\"]"), []);
    assert_eq!(
        warned(
            "[listener.a]\naddress = \"0.0.0.0:1\"\nnacl = \"n\"\n[[nacl.n.rules]]\ntype = \"deny\"\naddresses = [\"10.0.0.0/8\"]\nactions = [\"*\"]"
        ),
        []
    );
}
