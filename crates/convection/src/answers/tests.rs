//! Questions and answers.

use super::*;

struct Nothing;

impl Machine for Nothing {
    fn has(&self, _: &str) -> bool {
        false
    }
}

struct Everything;

impl Machine for Everything {
    fn has(&self, _: &str) -> bool {
        true
    }
}

fn all_defaults(mut answers: Answers, machine: &dyn Machine) -> Answers {
    while let Some(question) = answers.next() {
        let default = question.default(&answers, machine);
        assert!(answers.set(question, &default).is_ok(), "{}: {default:?}", question.key);
    }
    answers
}

#[test]
fn every_default_is_an_answer() {
    let answers = all_defaults(Answers::default(), &Nothing);
    for (key, value) in [
        ("server_user_name", "convection_sm"),
        ("secrets_dir", "/var/secrets/"),
        ("pid_dir", "/var/run/convection-secrets/"),
        ("socket_path", "/var/run/convection-secrets/convection.secrets.sock"),
        ("generate_tls", "Yes"),
        ("use_network", "No"),
        ("use_websocket", "No"),
        ("token_max_expire", "1h"),
        ("num_unlock_keys", "5"),
        ("create_auth_file", "No"),
    ] {
        assert_eq!(answers.get(key), Some(value), "{key}");
    }
    for key in ["listen_ip", "listen_port", "websocket_port", "network_allow", "auth_file"] {
        assert_eq!(answers.get(key), None, "{key} has no meaning");
    }
    assert_eq!(all_defaults(Answers::default(), &Everything).get("generate_tls"), Some("No"));
}

#[test]
fn for_root_the_defaults_are_the_originals() {
    let given = Answers::read(Writing::Yaml, b"server_user_name: root\n").unwrap();
    let answers = all_defaults(given, &Nothing);
    assert_eq!(answers.text("pid_dir"), "/var/run/");
    assert_eq!(answers.text("socket_path"), "/var/run/convection.secrets.sock");
}

#[test]
fn a_file_of_answers_is_read_as_it_is_written() {
    let given = b"use_network: true\nlisten_port: 19670\nnetwork_allow: 10.0.0.0/8, ::1\n";
    let answers = all_defaults(Answers::read(Writing::Yaml, given).unwrap(), &Nothing);
    assert_eq!((answers.number("listen_port"), answers.yes("use_network")), (19_670, true));
    for writing in [Writing::Toml, Writing::Yaml, Writing::Json] {
        let text = answers.to_text(writing);
        let again = Answers::read(writing, text.as_bytes()).unwrap();
        assert_eq!(again, answers, "{text}");
        assert!(again.next().is_none(), "nothing is left to ask");
    }
}

#[test]
fn every_key_of_the_original_is_known() {
    let keys = "server_user_name server_group_name create_server_user server_config_root server_log_file \
                client_config_file client_log_file secrets_dir pid_dir generated_key_size socket_path generate_tls \
                tls_cert tls_key tls_ca use_network use_websocket listen_ip listen_port websocket_port \
                keydb_key_count token_max_expire install_service initialize num_unlock_keys generate_root_key \
                root_private_key root_public_key use_recovery generate_recovery_key recovery_private_key \
                recovery_public_key";
    for key in keys.split_whitespace() {
        assert!(QUESTIONS.iter().any(|question| question.key == key), "{key}");
        assert!(table().contains(&format!("| `{key}` |")));
    }
}

#[test]
fn what_is_no_answer_is_named_with_its_line() {
    let text = "server_user_name: Bad Name\nsecrets_dir: here\nlisten_port: 0\ngenerated_key_size: 1024\n\
                use_network: perhaps\ntoken_max_expire: soon\nlisten_ip: here\nnum_unlock_keys: 256\n\
                keydb_key_count: [1]\nnetwork_allow: 10.0.0.0/33\nsecret_dir: /x\npid_dir: \"/a\\nb\"\n";
    let error = Answers::read(Writing::Yaml, text.as_bytes()).unwrap_err().to_string();
    for (line, key) in [
        (1, "server_user_name: must be a name"),
        (2, "secrets_dir: must be a path"),
        (3, "listen_port: must be a port"),
        (4, "generated_key_size: must be 2048"),
        (5, "use_network: must be yes or no"),
        (6, "token_max_expire: must be a time"),
        (7, "listen_ip: must be an IP address"),
        (8, "num_unlock_keys: must be a number from 1 to 255"),
        (9, "keydb_key_count: must be a number from 1 to 1000, is a list"),
        (10, "network_allow: must be addresses"),
        (11, "secret_dir: unknown key"),
        (12, "pid_dir: must be a path"),
    ] {
        assert!(error.contains(&format!("line {line}: {key}")), "{key}: {error}");
    }
}
