//! ACLs: named rules that are attached to users and groups.

use crate::coverage::Coverage;
use crate::pattern::{Form, Pattern, PatternError};
use crate::rules::Mode;
use strongroom_model::{Access, Action, Command, Name, SecretPath};

/// Most patterns in one list of an ACL.
pub const MAX_PATTERNS: usize = 64;

/// What an ACL covers; each kind is named after it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Covers {
    /// Everything (seed: `ACLObject`).
    Everything,
    /// Actions and commands by name (seed: `ACLCommand`): of an allow, those that are about no secret.
    Commands(Vec<Pattern>),
    /// Stores and the secrets in them (seed: `ACLStore`).
    Stores {
        /// Names of stores.
        stores: Vec<Pattern>,
        /// Paths of secrets in them.
        secrets: Vec<Pattern>,
    },
}

impl Covers {
    /// Its name: `everything`, `commands`, `stores`.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Everything => "everything",
            Self::Commands(_) => "commands",
            Self::Stores { .. } => "stores",
        }
    }
}

/// Which list of patterns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum List {
    /// Of commands.
    Commands,
    /// Of stores.
    Stores,
    /// Of secrets.
    Secrets,
}

impl std::fmt::Display for List {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Commands => "commands",
            Self::Stores => "stores",
            Self::Secrets => "secrets",
        })
    }
}

/// Why something is no ACL.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AclError {
    /// No access at all.
    #[error("the ACL has no access: name some of r, w, m, d")]
    NoAccess,
    /// A list without patterns.
    #[error("the ACL names no {0}: '.*' names all of them")]
    Empty(List),
    /// Too many patterns.
    #[error("the ACL has {count} patterns in {list}, allowed are {allowed}")]
    TooMany {
        /// The list.
        list: List,
        /// How many there are.
        count: usize,
        /// The limit.
        allowed: usize,
    },
    /// A pattern that is none.
    #[error("{list}: {fault}")]
    Pattern {
        /// The list.
        list: List,
        /// What is wrong.
        fault: PatternError,
    },
    /// A pattern that can match nothing that exists or may come to exist.
    #[error("{list}: pattern '{pattern}' matches nothing: {reason}")]
    NamesNothing {
        /// The list.
        list: List,
        /// The pattern.
        pattern: String,
        /// Why.
        reason: &'static str,
    },
}

/// A named rule: allows or denies some access to what it covers.
#[derive(Debug, Clone)]
pub struct Acl {
    name: Name,
    mode: Mode,
    access: Access,
    covers: Covers,
    coverage: Coverage,
}

impl Acl {
    /// Checks and compiles.
    pub fn new(name: Name, mode: Mode, access: Access, covers: Covers) -> Result<Self, AclError> {
        if access == Access::NONE {
            return Err(AclError::NoAccess);
        }
        let mut coverage = Coverage::default();
        match &covers {
            Covers::Everything => {}
            Covers::Commands(commands) => {
                check_list(List::Commands, commands)?;
                for pattern in commands {
                    if !coverage.add(pattern) {
                        return Err(nothing(List::Commands, pattern, "there is no such command"));
                    }
                }
            }
            Covers::Stores { stores, secrets } => {
                check_list(List::Stores, stores)?;
                check_list(List::Secrets, secrets)?;
                stores.iter().try_for_each(|pattern| check_names(List::Stores, pattern))?;
                secrets.iter().try_for_each(|pattern| check_names(List::Secrets, pattern))?;
            }
        }
        Ok(Self { name, mode, access, covers, coverage })
    }

    /// Compiles a list of texts, for [`Covers`].
    pub fn patterns<'a>(
        list: List,
        texts: impl IntoIterator<Item = &'a str>,
    ) -> Result<Vec<Pattern>, AclError> {
        let compile = |text| Pattern::new(text).map_err(|fault| AclError::Pattern { list, fault });
        let texts: Vec<&str> = texts.into_iter().take(MAX_PATTERNS + 1).collect();
        check_count(list, texts.len())?;
        texts.into_iter().map(compile).collect()
    }

    /// Its name.
    pub fn name(&self) -> &Name {
        &self.name
    }

    /// Whether it allows or denies.
    pub fn mode(&self) -> Mode {
        self.mode
    }

    /// Which access.
    pub fn access(&self) -> Access {
        self.access
    }

    /// To what.
    pub fn covers(&self) -> &Covers {
        &self.covers
    }

    /// The access with which its patterns of commands name an action, asked for by a command if there is one.
    pub(crate) fn covered(&self, action: Action, command: Option<Command>) -> Access {
        self.coverage.of(self.mode, action, command)
    }

    /// The access that it allows or denies by them.
    pub(crate) fn speaks(&self, action: Action, command: Option<Command>) -> Access {
        self.access.and(self.covered(action, command))
    }
}

fn check_count(list: List, count: usize) -> Result<(), AclError> {
    match count {
        0 => Err(AclError::Empty(list)),
        count if count > MAX_PATTERNS => Err(AclError::TooMany { list, count, allowed: MAX_PATTERNS }),
        _ => Ok(()),
    }
}

fn check_list(list: List, patterns: &[Pattern]) -> Result<(), AclError> {
    check_count(list, patterns.len())
}

fn nothing(list: List, pattern: &Pattern, reason: &'static str) -> AclError {
    AclError::NamesNothing { list, pattern: pattern.as_str().to_owned(), reason }
}

/// Its name is wiped with it, and its patterns wipe theirs: at a lock, but for requests that are still at work.
impl Drop for Acl {
    fn drop(&mut self) {
        self.name.end(strongroom_secret::wipe);
    }
}

/// Refuses a pattern that no valid name can match, as far as its form tells.
fn check_names(list: List, pattern: &Pattern) -> Result<(), AclError> {
    let valid = |text: &str| match list {
        List::Secrets => SecretPath::new(text).is_ok(),
        List::Commands | List::Stores => Name::new(text).is_ok(),
    };
    let limit = match list {
        List::Secrets => strongroom_model::MAX_PATH_BYTES,
        List::Commands | List::Stores => strongroom_model::MAX_COMPONENT_BYTES,
    };
    let possible = match pattern.form() {
        Form::Any => true,
        Form::Automaton { hir, .. } => {
            hir.properties().minimum_len().is_some_and(|shortest| shortest <= limit)
        }
        Form::Literals(literals) => literals.iter().any(|literal| valid(literal)),
        // its last component goes on; what comes before stands
        Form::Prefix(prefix) => match (list, prefix.rsplit_once('/')) {
            _ if prefix.len() + usize::from(prefix.ends_with('/')) > limit => false,
            (List::Secrets, Some((folders, _))) => valid(folders),
            (_, None) => true,
            (_, Some(_)) => false,
        },
    };
    if possible {
        return Ok(());
    }
    Err(nothing(list, pattern, "no valid name is like that"))
}

#[cfg(test)]
mod tests;
