//! What an ACL of commands covers: actions by their own names, and by those of the commands that stand for them.

use crate::actions::ActionSet;
use crate::pattern::Pattern;
use crate::rules::Mode;
use crate::verdict::BITS;
use strongroom_model::{Access, Action, Command};

/// A set of commands, as bits by their numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub(crate) struct CommandSet(u64);

impl CommandSet {
    pub(crate) fn add(&mut self, command: Command) {
        self.0 |= 1 << (command as u8);
    }

    pub(crate) fn has(self, command: Command) -> bool {
        self.0 & (1 << (command as u8)) != 0
    }

    pub(crate) fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

/// The actions and the commands that patterns name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Coverage {
    actions: ActionSet,
    commands: CommandSet,
}

impl Coverage {
    /// Adds what a pattern names. False: it names nothing.
    pub(crate) fn add(&mut self, pattern: &Pattern) -> bool {
        let before = *self;
        self.actions.add(Action::ALL.iter().copied().filter(|action| pattern.matches(action.name())));
        let commands = Command::ALL.iter().filter(|command| pattern.matches(command.name()));
        commands.for_each(|command| self.commands.add(*command));
        before != *self || names_something(pattern)
    }

    /// The access with which an action is covered.
    ///
    /// Where a command is asked for, the name of that command decides. Where none is, what denies a command denies
    /// every action that it stands for, and what allows commands allows an action that is made of them: nobody gets
    /// more through one door than through another.
    pub(crate) fn of(&self, mode: Mode, action: Action, command: Option<Command>) -> Access {
        if self.actions.has(action) {
            return Access::ALL;
        }
        if let Some(command) = command.filter(|command| command.actions().contains(&action)) {
            return if self.commands.has(command) { Access::ALL } else { Access::NONE };
        }
        let named = |command: Command| self.commands.has(command);
        match mode {
            Mode::Deny => Command::ALL
                .iter()
                .filter(|command| named(**command))
                .fold(Access::NONE, |access, command| access.with(command.denies(action))),
            Mode::Allow => {
                BITS.into_iter().filter(|bit| action.is_made_of(*bit, named)).fold(Access::NONE, Access::with)
            }
        }
    }
}

fn names_something(pattern: &Pattern) -> bool {
    let action = Action::ALL.iter().any(|action| pattern.matches(action.name()));
    action || Command::ALL.iter().any(|command| pattern.matches(command.name()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn coverage(patterns: &[&str]) -> Coverage {
        let mut coverage = Coverage::default();
        for pattern in patterns {
            assert!(coverage.add(&Pattern::new(pattern).unwrap()), "{pattern}");
        }
        coverage
    }

    #[test]
    fn a_command_fits_the_set() {
        assert!(Command::ALL.len() <= 64);
        let mut set = CommandSet::default();
        set.add(Command::GetSecret);
        assert!(Command::ALL.iter().all(|other| set.has(*other) == (*other == Command::GetSecret)));
    }

    #[test]
    fn every_action_and_every_command_is_named_by_its_name_and_by_the_widest_pattern() {
        let all = coverage(&[".*"]);
        for action in Action::ALL.iter().copied() {
            assert_eq!(all.of(Mode::Allow, action, None), Access::ALL);
            let one = coverage(&[&regex_syntax::escape(action.name())]);
            assert_eq!(one.of(Mode::Allow, action, None), Access::ALL, "{action:?}");
            for command in action.commands() {
                assert_eq!(one.of(Mode::Allow, action, Some(command)), Access::ALL);
                let named = coverage(&[command.name()]);
                assert_eq!(named.of(Mode::Allow, action, Some(command)), Access::ALL, "{command:?}");
                assert_ne!(named.of(Mode::Deny, action, None), Access::NONE, "{command:?}");
            }
        }
    }

    #[test]
    fn one_command_does_not_bring_another_along() {
        let attach = coverage(&["attach_group"]);
        let of = |command| attach.of(Mode::Allow, Action::UpdateGroup, command);
        assert_eq!(of(Some(Command::AttachGroup)), Access::ALL);
        assert_eq!(of(Some(Command::DetachGroup)), Access::NONE);
        assert_eq!(of(None), Access::NONE);
        // a command that does not stand for the action says nothing about it
        assert_eq!(of(Some(Command::GetSecret)), Access::NONE);
        assert_eq!(attach.of(Mode::Deny, Action::UpdateGroup, None), Access::MODIFY);
        // nobody who may make no ACL changes one natively, and nobody who may make one changes others
        let acls = coverage(&["create_acl"]);
        assert_eq!(acls.of(Mode::Deny, Action::UpdateAcl, None), Access::MODIFY);
        assert_eq!(acls.of(Mode::Allow, Action::UpdateAcl, None), Access::NONE);
        let create = coverage(&["create_secret"]);
        assert_eq!(create.of(Mode::Deny, Action::PutSecret, Some(Command::UpdateSecret)), Access::NONE);
        assert_eq!(create.of(Mode::Deny, Action::PutSecret, None), Access::WRITE);
        assert_eq!(create.of(Mode::Deny, Action::GetSecret, None), Access::NONE);
    }

    #[test]
    fn what_names_nothing_is_told() {
        for pattern in ["create_users", "user", "list", "STATUS", "stop", "rotate"] {
            assert!(!Coverage::default().add(&Pattern::new(pattern).unwrap()), "{pattern}");
        }
        // named a second time it still names something
        assert!(coverage(&["list_.*"]).add(&Pattern::new("list_users").unwrap()));
    }
}
