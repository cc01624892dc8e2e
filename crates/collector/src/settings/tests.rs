use super::*;
use crate::policy::{Rules, Treatment};

fn settings(more: &str) -> Result<Settings, String> {
    let servers = "kms: {url: 'http://127.0.0.1:5002'}\nbackend_server: {url: 'http://127.0.0.1:5001'}\n";
    let text = format!("{servers}{more}");
    let config =
        Config::parse(&text, Path::new("/etc/x/config.yaml"), None).map_err(|error| error.to_string())?;
    Settings::read(&config).map_err(|error| error.to_string())
}

const POLICY: &str = "policy: {default: {abe_pol: 'ANALYST'}}\n";

#[test]
fn the_originals_sections_are_read_as_they_are() {
    let text = r#"
policy:
  default:
    abe_pol: "DEFAULT or (A and B)"
    de_encrypt: true
  index:
    full_index_overwrite: false
    exact:
      - match: "src_ip"
      - dst_ip
    regex:
      - match: "ip.*"
  timestamp:
    exact: ["timestamp"]
    regex: ["time.*"]
  exact:
    - match: "password"
      remove: true
    - match: "user"
      abe_pol: "ADMIN"
    - match: "kept"
  regex:
    - match: "src.*"
      abe_pol: "A"
      post_quantum: true
debug:
  process_only_one: true
  show_keys: true
"#;
    let settings = settings(text).unwrap();
    let policy = &settings.policy;
    assert_eq!(policy.index.exact, [(11, "src_ip".to_owned()), (12, "dst_ip".to_owned())]);
    assert_eq!((policy.index.regex.len(), policy.timestamp.regex.len()), (1, 1));
    let treatments: Vec<bool> = policy.exact.iter().map(|rule| rule.treatment == Treatment::Remove).collect();
    assert_eq!(treatments, [true, false, false]);
    assert_eq!(policy.exact[2].treatment, Treatment::Default { post_quantum: false });
    assert!(Rules::compile(policy).is_ok());
    assert!(settings.debug.process_only_one && !settings.debug.do_not_post_data);
    assert_eq!(settings.inputs, [Input::usual()]);
    let told = settings.notices.join("\n");
    for word in ["de_encrypt", "full_index_overwrite", "debug.show_keys"] {
        assert!(told.contains(word), "{told}");
    }
}

#[test]
fn inputs_are_read_with_their_addresses_and_formats() {
    let text = format!(
        "{POLICY}inputs:\n- tcp: 6000\n- http: 127.0.0.1:6080\n  cert: a.pem\n  key: a.key\n- file: log.json\n  format: stix\n- stdin: true\n- syslog_udp: '0.0.0.0:514'\n"
    );
    let inputs = settings(&text).unwrap().inputs;
    let kinds: Vec<&InputKind> = inputs.iter().map(|input| &input.kind).collect();
    let path = PathBuf::from("/etc/x/log.json");
    assert_eq!(*kinds[0], InputKind::Tcp("127.0.0.1:6000".parse().unwrap()));
    assert_eq!(*kinds[2], InputKind::File { path, format: Format::Stix });
    assert_eq!(*kinds[3], InputKind::Stdin(Format::Json));
    assert_eq!(inputs[1].tls.as_ref().unwrap().cert, Path::new("/etc/x/a.pem"));
    let exposed: Vec<bool> = inputs.iter().map(Input::is_exposed).collect();
    assert_eq!(exposed, [false, false, false, false, true]);
}

#[test]
fn what_is_wrong_is_named_with_its_line() {
    for (more, told) in [
        ("", "abe_pol is missing"),
        ("policy:\n  default: {}\n", "line 4: policy.default: abe_pol is missing"),
        ("policy:\n  default: {abe_pol: A}\n  extra: 1\n", "config.yaml:5: unknown key policy.extra"),
        (
            "policy:\n  default: {abe_pol: A}\n  exact:\n  - {abe_pol: B}\n",
            ":6: policy.exact.match is missing",
        ),
        (
            "policy:\n  default: {abe_pol: A}\n  exact:\n  - {match: b, abe_pol: B, remove: true}\n",
            "line 6: policy",
        ),
        ("policy: {default: {abe_pol: A}}\nfields: {a: colour}\n", "line 4: fields: expected one of ip"),
        (
            "policy: {default: {abe_pol: A}}\nfields: {a: {networks: [40]}}\n",
            "networks have 1 to 32 bits, not 40",
        ),
        ("policy: {default: {abe_pol: A}}\ninputs: [{tcp: 'localhost:6000'}]\n", "use 127.0.0.1"),
        ("policy: {default: {abe_pol: A}}\ninputs: [{tcp: 'eth0:6000'}]\n", "write the interface's address"),
        ("policy: {default: {abe_pol: A}}\ninputs: [{tcp: 1, http: 2}]\n", "one of tcp, http"),
        (
            "policy: {default: {abe_pol: A}}\ninputs: [{file: x, format: xml}]\n",
            "json, syslog, text, stix or misp",
        ),
        ("policy: {default: {abe_pol: A}}\ninputs: [{stdin: true}, {stdin: true}]\n", "stdin once"),
        ("policy: {default: {abe_pol: A}}\ninputs: [{tcp: 1, cert: x}]\n", "cert and key go together"),
        (
            "policy: {default: {abe_pol: A}}\ninputs: [{syslog_udp: 1, cert: x, key: y}]\n",
            "cert and key only",
        ),
    ] {
        let error = settings(more).unwrap_err();
        assert!(error.contains(told), "{error} / {told}");
    }
}

#[test]
fn a_bind_of_localhost_is_refused() {
    assert_eq!(bind_address("localhost:6000"), Err(BindError::Localhost));
    assert_eq!(bind_address("LOCALHOST"), Err(BindError::Localhost));
    assert_eq!(bind_address("6000"), Ok("127.0.0.1:6000".parse().unwrap()));
    assert_eq!(bind_address("[::1]:6000"), Ok("[::1]:6000".parse().unwrap()));
    for text in ["", "eth0:6000", "70000", "1.2.3.4", "::1:x"] {
        assert!(matches!(bind_address(text), Err(BindError::NoAddress { .. })), "{text}");
    }
}
