//! Who may ask for what, as tables.

use super::*;
use strongroom_model::{Client, Entrance};

fn rule(mode: Mode, networks: &[&str], patterns: &[&str]) -> NaclRule {
    let networks = networks.iter().map(|text| text.parse().unwrap()).collect();
    let mut actions = ActionSet::default();
    for pattern in patterns {
        assert!(actions.add(pattern) > 0, "{pattern}");
    }
    NaclRule { mode, networks, actions }
}

fn decide(nacl: &Nacl, address: &str, action: Action) -> (bool, String) {
    let decision = nacl.decide(address.parse().unwrap(), action);
    (decision.allowed, decision.rule.to_string())
}

fn edge() -> Nacl {
    Nacl::new(
        "edge",
        vec![
            rule(Mode::Allow, &["10.0.0.0/8", "2001:db8::/32"], &["secret.*", "token.*"]),
            rule(Mode::Deny, &["10.0.0.13"], &["*"]),
            rule(Mode::Allow, &["10.0.0.0/8"], &["secret.get"]),
        ],
    )
}

#[test]
fn candidates_match_address_and_action_and_deny_wins() {
    let table = [
        ("10.1.1.1", Action::GetSecret, true, "nacl edge rule 1"),
        ("::ffff:10.1.1.1", Action::GetSecret, true, "nacl edge rule 1"),
        ("2001:db8::7", Action::PutSecret, true, "nacl edge rule 1"),
        ("10.0.0.13", Action::GetSecret, false, "nacl edge rule 2"),
        ("10.0.0.13", Action::Unlock, false, "nacl edge rule 2"),
        ("10.1.1.1", Action::Lock, false, "nacl edge: no rule allows it"),
        ("11.1.1.1", Action::GetSecret, false, "nacl edge: no rule allows it"),
        ("2001:db9::7", Action::GetSecret, false, "nacl edge: no rule allows it"),
    ];
    for (address, action, allowed, name) in table {
        assert_eq!(decide(&edge(), address, action), (allowed, name.to_owned()), "{address} {action:?}");
    }
}

/// The whole of what an empty ACL lets through, as one reviewed table.
#[test]
fn the_built_in_rules_let_a_host_set_itself_up_and_nobody_stop_it() {
    use Action as A;
    let empty = Nacl::new("empty", Vec::new());
    for action in A::ALL.iter().copied() {
        let minimal = matches!(
            action,
            A::Initialise
                | A::ConfirmInitialise
                | A::Unlock
                | A::RotateRoot
                | A::ConfirmRotateRoot
                | A::CancelRotateRoot
                | A::Challenge
                | A::Authorize
                | A::Login
                | A::LookupToken
                | A::Deauth
        );
        for loopback in ["127.0.0.1", "127.255.0.1", "::1", "::ffff:127.0.0.1"] {
            assert_eq!(decide(&empty, loopback, action).0, minimal, "{loopback} {action:?}");
        }
        for other in ["10.0.0.1", "::2", "128.0.0.1", "::ffff:10.0.0.1"] {
            assert!(!decide(&empty, other, action).0, "{other} {action:?}");
        }
    }
    assert_eq!(decide(&empty, "::1", A::Unlock).1, "nacl empty built-in rule 1");
    let open = Nacl::new("open", vec![rule(Mode::Allow, &["0.0.0.0/0"], &["*"])]);
    assert_eq!(decide(&open, "127.0.0.1", A::Stop), (false, "nacl open built-in rule 2".to_owned()));
    let shut = Nacl::new("shut", vec![rule(Mode::Deny, &["127.0.0.0/8"], &["*"])]);
    assert_eq!(decide(&shut, "127.0.0.1", A::Unlock), (false, "nacl shut rule 1".to_owned()));
}

fn of_commands(mode: Mode, networks: &[&str], names: &[&str]) -> NaclRule {
    let mut rule = rule(mode, networks, &[]);
    for name in names {
        assert!(rule.actions.add_command(name) > 0, "{name}");
    }
    rule
}

#[test]
fn an_empty_acl_lets_a_host_ask_for_six_commands_and_nobody_for_four_words() {
    let empty = Nacl::new("empty", Vec::new());
    let ask = |nacl: &Nacl, address: &str, word| {
        nacl.decide(address.parse().unwrap(), NetworkAsk::Command(word)).allowed
    };
    let minimal = ["initialize", "status", "unlock", "rotate_root_keys", "authorize", "deauth"];
    for command in Command::ALL {
        let name = command.name();
        for loopback in ["127.0.0.1", "::1"] {
            assert_eq!(ask(&empty, loopback, name), minimal.contains(&name), "{name}");
        }
        assert!(!ask(&empty, "10.0.0.1", name), "{name}");
    }
    let open = Nacl::new("open", vec![of_commands(Mode::Allow, &["0.0.0.0/0"], &["*"])]);
    for command in Command::ALL {
        assert!(ask(&open, "10.0.0.1", command.name()));
    }
    // a word that is no command is let in to be told so, but for those that nobody may ask for
    assert!(ask(&open, "10.0.0.1", "gett_secret") && !ask(&empty, "127.0.0.1", "gett_secret"));
    for word in RESERVED_WORDS {
        assert!(!ask(&open, "127.0.0.1", word), "{word}");
    }
    let shut = Nacl::new("shut", vec![of_commands(Mode::Deny, &["127.0.0.0/8"], &["rotate"])]);
    assert!(!ask(&shut, "127.0.0.1", "rotate_root_keys") && ask(&shut, "127.0.0.1", "unlock"));
}

#[test]
fn commands_and_actions_are_two_names_for_one_thing() {
    let everywhere = ["0.0.0.0/0"];
    let table: [(NaclRule, &[&str], &[Action]); 4] = [
        (
            of_commands(Mode::Allow, &everywhere, &["get_secret", "create_secret"]),
            &["get_secret", "create_secret"],
            &[Action::GetSecret, Action::ReadPublic],
        ),
        (
            of_commands(Mode::Allow, &everywhere, &["create_secret", "update_secret"]),
            &["create_secret", "update_secret"],
            &[Action::PutSecret, Action::GenerateSecret, Action::UndeleteSecret],
        ),
        (
            rule(Mode::Allow, &everywhere, &["secret.get", "secret.public", "secret.put"]),
            &["get_secret"],
            &[Action::GetSecret, Action::ReadPublic, Action::PutSecret],
        ),
        (of_commands(Mode::Allow, &everywhere, &["attach_group"]), &["attach_group"], &[]),
    ];
    let from = "10.0.0.1".parse().unwrap();
    for (rule, commands, actions) in table {
        let nacl = Nacl::new("n", vec![rule]);
        for command in Command::ALL {
            let allowed = nacl.decide(from, NetworkAsk::Command(command.name())).allowed;
            assert_eq!(allowed, commands.contains(&command.name()), "{command:?}");
        }
        for action in Action::ALL {
            assert_eq!(nacl.decide(from, *action).allowed, actions.contains(action), "{action:?}");
        }
    }
}

#[test]
fn what_denies_a_command_denies_every_action_of_it_and_the_other_way_about() {
    let open = || of_commands(Mode::Allow, &["0.0.0.0/0"], &["*"]);
    let from = "10.0.0.1".parse().unwrap();
    let nacl = Nacl::new("n", vec![open(), of_commands(Mode::Deny, &["10.0.0.1"], &["destroy_secret"])]);
    for action in [Action::RemoveSecret, Action::DestroySecret, Action::DeleteSecret] {
        assert!(!nacl.decide(from, action).allowed);
    }
    assert!(nacl.decide(from, Action::GetSecret).allowed);
    let nacl = Nacl::new("n", vec![open(), rule(Mode::Deny, &["10.0.0.1"], &["user.remove"])]);
    assert!(!nacl.decide(from, NetworkAsk::Command("remove_access")).allowed);
    assert!(nacl.decide(from, NetworkAsk::Command("create_user")).allowed);
    let nacl = Nacl::new("n", vec![open(), of_commands(Mode::Deny, &["10.0.0.1"], &["create_acl"])]);
    assert!(!nacl.decide(from, Action::UpdateAcl).allowed && nacl.decide(from, Action::ReadAcl).allowed);
    let nacl = Nacl::new("n", vec![open(), of_commands(Mode::Deny, &["10.0.0.1"], &["authorize"])]);
    assert!(!nacl.decide(from, Action::Login).allowed, "with a password as little as with a key");
    assert_eq!(ActionSet::default().add_command("get_secrets"), 0);
    assert_eq!(ActionSet::default().add_command("stop "), 0);
}

#[test]
fn each_listener_has_its_own_and_sockets_have_none() {
    let nacls = Nacls::new(vec![None, Some(Arc::new(edge()))]);
    let from = |entrance| {
        let address = [11, 1, 1, 1].into();
        Origin::Network(Client { address, via: None, entrance: Entrance(entrance) })
    };
    let decide = |origin| nacls.decide(origin, Action::GetSecret).map(|decision| decision.allowed);
    assert_eq!(decide(from(0)), None);
    assert_eq!(decide(from(1)), Some(false));
    assert_eq!(decide(from(2)), Some(false), "a listener that nobody opened lets nobody in");
    assert_eq!(decide(Origin::Local { uid: 7 }), None);
    assert_eq!(decide(Origin::Internal), None);
    assert_eq!(Nacls::default().decide(from(2), Action::GetSecret), None);
}
