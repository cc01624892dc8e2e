use super::*;
use crate::yaml::Value;

const ORIGINAL: &str = r#"
kms_access_key: "eyJhbGciOi.x.y"
#basic_auth:
#  user: "johndoe"
#  pass: "secret"
kms:
  url: "https://cybexp-priv.example.com:5002"
backend_server:
  url: "http://127.0.0.1:5001/"
  max_post_retries: 3
web_conn_listen: 5
enc_worker_threads: 10
key_files:
  de: "secrets/DE_key.pem"
  ore: "secrets/ORE_key.bin"
debug:
  process_only_one: false
  do_not_post_data: false
policy:
  default: {abe_pol: "DEFAULT", de_encrypt: false}
  index:
    exact:
      - match: "src_ip"
"#;

fn parse(text: &str) -> Result<Config, String> {
    Config::parse(text, Path::new("/etc/x/config.yaml"), None).map_err(|error| error.to_string())
}

fn minimal(more: &str) -> String {
    format!("kms: {{url: 'http://127.0.0.1:5002'}}\nbackend_server: {{url: 'http://127.0.0.1:5001'}}\n{more}")
}

#[test]
fn the_originals_file_is_accepted_and_tells_what_is_ignored() {
    let config = parse(ORIGINAL).unwrap();
    assert_eq!(config.kms.to_string(), "https://cybexp-priv.example.com:5002");
    assert_eq!(config.exchange.to_string(), "http://127.0.0.1:5001");
    assert_eq!((config.max_post_retries, config.enc_worker_threads), (3, Some(10)));
    assert_eq!(config.web_conn_listen.as_deref(), Some("5"));
    assert!(config.basic_auth.is_none());
    assert_eq!(config.secrets, Path::new("/etc/x/secrets"));
    assert_eq!(config.spool.folder, Path::new("/etc/x/secrets/spool"));
    let told: Vec<_> = config.ignored.iter().map(|ignored| (ignored.line, ignored.key.as_str())).collect();
    assert_eq!(told, [(13, "key_files")]);
    let policy = config.policy.unwrap();
    assert_eq!(policy.get("default").unwrap().get("abe_pol").unwrap().value, Value::Text("DEFAULT".into()));
}

#[test]
fn basic_auth_serves_when_it_is_whole() {
    let config = parse(&minimal("basic_auth:\n  user: johndoe\n  pass: 1234\n")).unwrap();
    let auth = config.basic_auth.unwrap();
    assert_eq!(auth.user, "johndoe");
    auth.pass.expose(|pass| assert_eq!(pass, b"1234"));
    assert!(parse(&minimal("basic_auth:\n")).unwrap().basic_auth.is_none());
}

#[test]
fn what_is_wrong_is_named_with_its_line_and_without_its_value() {
    for (more, told) in [
        ("kms_acess_key: hunter2\n", "config.yaml:3: unknown key kms_acess_key"),
        ("basic_auth:\n  user: a\n", "config.yaml:3: user and pass go together"),
        ("basic_auth:\n  user: a:b\n  pass: c\n", "config.yaml:3: basic_auth.user cannot have a colon"),
        ("spool:\n  folder: x\n  max_byte: 1\n", "config.yaml:5: unknown key spool.max_byte"),
        ("batch:\n  max_records: 0\n", "config.yaml:4: batch.max_records is from 1 to 1000000"),
        ("batch: [1]\n", "config.yaml:3: batch is a mapping, not a list"),
        ("enc_worker_threads: many\n", "config.yaml:3: enc_worker_threads is a number, not a text"),
        ("tls:\n  client_cert: a.pem\n", "config.yaml:3: client_cert and client_key go together"),
        ("a: b: c\n", "config.yaml:3: not YAML"),
    ] {
        let error = parse(&minimal(more)).err().unwrap();
        assert!(error.contains(told) && !error.contains("hunter2"), "{error} / {told}");
    }
    assert!(parse("kms: {url: 'ftp://x'}\n").err().unwrap().contains(":1: kms.url"));
    assert!(parse("kms: {url: 'http://127.0.0.1:1'}\n").err().unwrap().contains("backend_server is missing"));
}
