//! Network ACLs: which actions an address may ask for, before anybody asks who is asking.
//!
//! The dialect is that of the system that Strongroom grew out of: rules allow or deny actions to addresses; those that
//! match both are candidates; one that denies wins, and where none is a candidate the answer is no. After the
//! operator's rules come [`Nacl::BUILT_IN`] ones, so that a server is never cut off from its own host by silence. They
//! give way to a rule that denies.

use crate::{Decision, Mode};
use std::net::IpAddr;
use std::sync::Arc;
use strongroom_model::{Action, Network, Origin};

/// Addresses and actions, and whether they go together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NaclRule {
    /// Allows or denies.
    pub mode: Mode,
    /// To whom.
    pub networks: Vec<Network>,
    /// What.
    pub actions: ActionSet,
}

/// Rules with a name, in their order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Nacl {
    rules: Vec<(Arc<str>, NaclRule)>,
    silence: Arc<str>,
}

impl Nacl {
    /// What follows the operator's rules: how a server is set up, unlocked and logged in to from its own host, and what
    /// no network may ask for.
    pub const BUILT_IN: [(Mode, &[&str]); 2] = [
        (
            Mode::Allow,
            &[
                "operator.initialise",
                "operator.confirm_initialise",
                "operator.unlock",
                "operator.rotate_root",
                "operator.confirm_rotate_root",
                "operator.cancel_rotate_root",
                "token.challenge",
                "token.authorize",
                "token.login",
                "token.lookup",
                "token.deauth",
            ],
        ),
        (Mode::Deny, &["operator.start", "operator.stop"]),
    ];

    /// The rules of a name, and the built-in ones.
    pub fn new(name: &str, rules: Vec<NaclRule>) -> Self {
        let numbered = |kind: &str, number: usize| Arc::from(format!("nacl {name} {kind} {number}"));
        let own = rules.into_iter().enumerate().map(|(at, rule)| (numbered("rule", at + 1), rule));
        let built_in =
            built_in().into_iter().enumerate().map(|(at, rule)| (numbered("built-in rule", at + 1), rule));
        Self {
            rules: own.chain(built_in).collect(),
            silence: format!("nacl {name}: no rule allows it").into(),
        }
    }

    /// Whether an address may ask for an action, and the rule that decided.
    pub fn decide(&self, address: IpAddr, action: Action) -> Decision {
        let address = address.to_canonical();
        let mut allowed = None;
        for (name, rule) in self.rules.iter().filter(|(_, rule)| rule.actions.has(action)) {
            if rule.networks.iter().any(|network| network.contains(address)) {
                match rule.mode {
                    Mode::Deny => return Decision { allowed: false, rule: Arc::clone(name) },
                    Mode::Allow => allowed = allowed.or(Some(name)),
                }
            }
        }
        Decision { allowed: allowed.is_some(), rule: Arc::clone(allowed.unwrap_or(&self.silence)) }
    }
}

fn built_in() -> Vec<NaclRule> {
    let everywhere = ["0.0.0.0/0", "::/0"].iter().filter_map(|text| text.parse().ok()).collect();
    let here = vec![Network::LOOPBACK_V4, Network::LOOPBACK_V6];
    let whom = [here, everywhere];
    let rule = |((mode, names), networks): ((Mode, &[&str]), Vec<Network>)| {
        let mut actions = ActionSet::default();
        for name in names {
            actions.add(name);
        }
        NaclRule { mode, networks, actions }
    };
    Nacl::BUILT_IN.into_iter().zip(whom).map(rule).collect()
}

/// The network ACLs of a server's listeners.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Nacls {
    /// One a listener; `None` as a whole where nobody opened listeners.
    listeners: Option<Vec<Option<Arc<Nacl>>>>,
}

impl Nacls {
    /// By entrance, in the order in which listeners were opened.
    pub fn new(listeners: Vec<Option<Arc<Nacl>>>) -> Self {
        Self { listeners: Some(listeners) }
    }

    /// What the network's rules say; `None` where no rule of the network stands in between: on the local socket, for
    /// the server itself, and at a listener without a network ACL.
    pub fn decide(&self, origin: Origin, action: Action) -> Option<Decision> {
        let (Origin::Network(client), Some(listeners)) = (origin, &self.listeners) else { return None };
        match listeners.get(usize::from(client.entrance.0)) {
            Some(nacl) => nacl.as_ref().map(|nacl| nacl.decide(client.address, action)),
            None => Some(Decision { allowed: false, rule: "nacl: no such listener".into() }),
        }
    }
}

/// A set of actions, as bits by their numbers.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ActionSet {
    words: Vec<u64>,
}

impl ActionSet {
    /// Adds what a pattern covers: a name such as `secret.get`, or one in which `*` stands for any text. Gives the number
    /// of actions that it names; none is most likely an error of its writer's.
    pub fn add(&mut self, pattern: &str) -> usize {
        let named = Action::ALL.iter().filter(|action| matches(pattern, action.name()));
        let mut count = 0;
        for action in named {
            let (word, bit) = place(*action);
            if self.words.len() <= word {
                self.words.resize(word + 1, 0);
            }
            if let Some(bits) = self.words.get_mut(word) {
                *bits |= bit;
            }
            count += 1;
        }
        count
    }

    /// Both sets in one.
    #[must_use]
    pub fn with(mut self, other: Self) -> Self {
        self.words.resize(self.words.len().max(other.words.len()), 0);
        self.words.iter_mut().zip(other.words).for_each(|(word, more)| *word |= more);
        self
    }

    /// Whether an action is in it.
    pub fn has(&self, action: Action) -> bool {
        let (word, bit) = place(action);
        self.words.get(word).is_some_and(|bits| bits & bit != 0)
    }
}

fn place(action: Action) -> (usize, u64) {
    (usize::from(action.code() / 64), 1 << (action.code() % 64))
}

/// Whether a whole text is what a pattern describes, `*` standing for any text. Parts are found from left to right, the
/// last at the end: no part is looked for twice, so time is bounded by the product of both lengths.
fn matches(pattern: &str, text: &str) -> bool {
    let Some((first, rest)) = pattern.split_once('*') else { return pattern == text };
    let Some(mut left) = text.strip_prefix(first) else { return false };
    let mut parts: Vec<&str> = rest.split('*').collect();
    let last = parts.pop().unwrap_or_default();
    for part in parts {
        match left.find(part) {
            Some(at) => left = left.get(at + part.len()..).unwrap_or_default(),
            None => return false,
        }
    }
    left.ends_with(last)
}

#[cfg(test)]
mod tests {
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

    #[test]
    fn patterns_are_anchored_and_a_star_is_any_text() {
        let table = [
            ("secret.get", "secret.get", true),
            ("secret.get", "secret.gets", false),
            ("ecret.get", "secret.get", false),
            ("secret.*", "secret.get", true),
            ("secret.*", "secrets", false),
            ("*.list", "store.list", true),
            ("*.list", "store.lists", false),
            ("*", "", true),
            ("a*a", "a", false),
            ("a*b*c", "axbyc", true),
            ("a*b*c", "axcyb", false),
            ("*ab*ab", "ab", false),
            ("**", "x", true),
        ];
        for (pattern, text, expected) in table {
            assert_eq!(matches(pattern, text), expected, "{pattern} {text}");
        }
        assert_eq!(ActionSet::default().add("secret.steal"), 0);
        let mut all = ActionSet::default();
        assert_eq!(all.add("*"), Action::ALL.len());
        assert!(Action::ALL.iter().all(|action| all.has(*action)));
        assert!(Action::ALL.iter().all(|action| !ActionSet::default().has(*action)));
    }

    #[test]
    fn a_pattern_of_many_stars_takes_no_time() {
        let pattern = "*a".repeat(20_000);
        assert!(!matches(&pattern, &"a".repeat(19_999)));
        assert!(matches(&pattern, &"a".repeat(20_000)));
    }
}
