//! Network ACLs: which actions an address may ask for, before anybody asks who is asking.
//!
//! The dialect is that of the system that Strongroom grew out of: rules allow or deny actions to addresses; those that
//! match both are candidates; one that denies wins, and where none is a candidate the answer is no. After the
//! operator's rules come [`Nacl::BUILT_IN`] ones, so that a server is never cut off from its own host by silence. They
//! give way to a rule that denies.
//!
//! A rule names actions, or commands of the convection protocol, and holds for both: a rule that allows a command allows
//! the actions that are made of it, one that denies it denies every action that it stands for, and the other way about.
//! So one ACL may guard listeners of either kind, and is nowhere wider than it was written.

use crate::coverage::CommandSet;
use crate::{Decision, Mode};
use std::net::IpAddr;
use std::sync::Arc;
use strongroom_model::{Access, Action, Command, Network, Origin, RESERVED_WORDS, ROTATE_WORD};

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

/// What is asked of the network's rules.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NetworkAsk<'a> {
    /// An action.
    Action(Action),
    /// A command, by its name; or a word that is none.
    Command(&'a str),
}

/// Rules with a name, in their order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Nacl {
    rules: Vec<(Arc<str>, NaclRule)>,
    silence: Arc<str>,
}

impl NaclRule {
    /// Whether it speaks about what is asked: a rule that denies if it names any of it, one that allows if it names all.
    fn covers(&self, ask: NetworkAsk<'_>) -> bool {
        let named = &self.actions;
        let command = match ask {
            NetworkAsk::Action(action) => return named.has(action) || self.covers_by_commands(action),
            NetworkAsk::Command(word) => match Command::from_name(word) {
                Some(command) => command,
                None => return named.has_word(word, self.mode),
            },
        };
        let mut actions = command.actions().iter().map(|action| named.has(*action));
        let by_actions = match self.mode {
            Mode::Deny => actions.any(|has| has),
            Mode::Allow => actions.len() > 0 && actions.all(|has| has),
        };
        by_actions || named.has_command(command)
    }

    fn covers_by_commands(&self, action: Action) -> bool {
        let named = |command| self.actions.has_command(command);
        match self.mode {
            Mode::Deny => {
                let mut denied = Command::ALL.iter().filter(|command| command.denies(action) != Access::NONE);
                denied.any(|command| named(*command))
            }
            Mode::Allow => {
                let bits = [Access::READ, Access::WRITE, Access::MODIFY, Access::DELETE];
                let mut needed = bits.into_iter().filter(|bit| action.access().has(*bit)).peekable();
                needed.peek().is_some() && needed.all(|bit| action.is_made_of(bit, named))
            }
        }
    }
}

impl From<Action> for NetworkAsk<'_> {
    fn from(action: Action) -> Self {
        Self::Action(action)
    }
}

/// A built-in rule: its mode, actions and commands.
type BuiltIn = (Mode, &'static [&'static str], &'static [&'static str]);

impl Nacl {
    /// What follows the operator's rules: how a server is set up, unlocked and logged in to from its own host, and what
    /// no network may ask for.
    pub const BUILT_IN: [BuiltIn; 2] = [
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
            &["initialize", "status", "unlock", ROTATE_WORD, "authorize", "deauth"],
        ),
        (Mode::Deny, &["operator.start", "operator.stop"], &RESERVED_WORDS),
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

    /// Whether an address may ask for something, and the rule that decided.
    pub fn decide<'a>(&self, address: IpAddr, ask: impl Into<NetworkAsk<'a>>) -> Decision {
        let (address, ask) = (address.to_canonical(), ask.into());
        let mut allowed = None;
        for (name, rule) in self.rules.iter().filter(|(_, rule)| rule.covers(ask)) {
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
    let rule = |((mode, names, commands), networks): (BuiltIn, Vec<Network>)| {
        let mut actions = ActionSet::default();
        for name in names {
            actions.add(name);
        }
        for command in commands {
            actions.add_command(command);
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
    pub fn decide<'a>(&self, origin: Origin, ask: impl Into<NetworkAsk<'a>>) -> Option<Decision> {
        let (Origin::Network(client), Some(listeners)) = (origin, &self.listeners) else { return None };
        match listeners.get(usize::from(client.entrance.0)) {
            Some(nacl) => nacl.as_ref().map(|nacl| nacl.decide(client.address, ask)),
            None => Some(Decision { allowed: false, rule: "nacl: no such listener".into() }),
        }
    }
}

/// What a rule names: actions, as bits by their numbers, and commands.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ActionSet {
    words: Vec<u64>,
    commands: CommandSet,
    /// The words that are no commands: [`RESERVED_WORDS`] that were named, by their places.
    reserved: [bool; RESERVED_WORDS.len()],
    /// Whatever can be asked for, be it a command or not.
    everything: bool,
}

impl ActionSet {
    /// Adds what a pattern covers: a name such as `secret.get`, or one in which `*` stands for any text. Gives the number
    /// of actions that it names; none is most likely an error of its writer's.
    pub fn add(&mut self, pattern: &str) -> usize {
        self.everything |= is_any(pattern);
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

    /// Adds commands by name, or by a pattern as above; `*` is whatever can be asked for. Gives the number of names that it
    /// covers. The words of old configurations that are no commands are known too.
    pub fn add_command(&mut self, pattern: &str) -> usize {
        if is_any(pattern) {
            return self.add(pattern);
        }
        let mut count = 0;
        for command in Command::ALL.iter().copied() {
            let old = command == Command::RotateRootKeys && pattern == ROTATE_WORD;
            if old || matches(pattern, command.name()) {
                self.commands.add(command);
                count += 1;
            }
        }
        for (named, word) in self.reserved.iter_mut().zip(RESERVED_WORDS) {
            let is = pattern == word;
            *named |= is;
            count += usize::from(is);
        }
        count
    }

    /// Both sets in one.
    #[must_use]
    pub fn with(mut self, other: Self) -> Self {
        self.commands = self.commands.with(other.commands);
        self.reserved.iter_mut().zip(other.reserved).for_each(|(own, more)| *own |= more);
        self.everything |= other.everything;
        self.words.resize(self.words.len().max(other.words.len()), 0);
        self.words.iter_mut().zip(other.words).for_each(|(word, more)| *word |= more);
        self
    }

    fn has_command(&self, command: Command) -> bool {
        self.everything || self.commands.has(command)
    }

    /// Whether it names a word that is no command.
    fn has_word(&self, word: &str, mode: Mode) -> bool {
        let reserved =
            || RESERVED_WORDS.iter().zip(self.reserved).any(|(known, named)| named && *known == word);
        self.everything || mode == Mode::Deny && reserved()
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

fn is_any(pattern: &str) -> bool {
    !pattern.is_empty() && pattern.bytes().all(|byte| byte == b'*')
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
