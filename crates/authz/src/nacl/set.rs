//! What a rule of a network ACL names: actions and commands, by their names or by patterns.

use crate::Mode;
use crate::coverage::CommandSet;
use strongroom_model::{Action, Command, RESERVED_WORDS, ROTATE_WORD};

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

    pub(super) fn has_command(&self, command: Command) -> bool {
        self.everything || self.commands.has(command)
    }

    /// Whether it names a word that is no command.
    pub(super) fn has_word(&self, word: &str, mode: Mode) -> bool {
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
