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

mod set;
#[cfg(test)]
mod tests;

pub use set::ActionSet;

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
