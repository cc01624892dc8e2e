//! ACLs: written anew so that they reach what they reached, and told where that cannot be.

use super::meaning::{self, Meaning, Scope};
use super::pattern::{Untranslatable, anchored};
use crate::storage::{AccessMode, AclKind, OldAcl};
use std::fmt;
use strongroom_authz::{Acl, AclError, Covers, List, MAX_PATTERNS, Mode, Pattern};
use strongroom_model::{Access, Action, Command, Name};

/// What an ACL covers here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RuleCovers {
    /// Everything.
    Everything,
    /// Commands, by patterns.
    Commands(Vec<String>),
    /// Stores and secrets, by patterns.
    Stores {
        /// Of stores.
        stores: Vec<String>,
        /// Of secrets in them.
        secrets: Vec<String>,
    },
}

/// An ACL as it is written here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    /// Whether it allows or denies.
    pub mode: AccessMode,
    /// Which access.
    pub access: Access,
    /// To what.
    pub covers: RuleCovers,
}

/// An ACL that is brought over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlannedAcl {
    /// Its name as it was.
    pub old: String,
    /// Its name.
    pub name: String,
    /// What it is here.
    pub rule: Rule,
}

/// What is not as it was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AclReport {
    /// Commands that it was too narrow for and so denied.
    TooNarrow(Vec<&'static str>),
    /// It denied whatever its letters said, and so it has all of them here.
    DeniesAll(Access),
    /// Commands of secrets that it opened in every store.
    OpensNoSecret(Vec<&'static str>),
    /// Commands of stores that it opened, and with a store's name in the request any other.
    OpensNoCommand(Vec<&'static str>),
    /// Commands that need fewer letters here, so that it opens them too.
    Wider(Vec<&'static str>),
    /// It reaches what the original did not have.
    BeyondTheOriginal,
    /// Its patterns reach more than the commands of the original, and so these are named one by one.
    NamedOneByOne,
    /// A list without patterns named nothing.
    EmptyList(&'static str),
    /// It meant nothing and is not made.
    MeansNothing(&'static str),
    /// It is not made, because its patterns cannot be written here.
    NotMade(String),
}

impl fmt::Display for AclReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooNarrow(commands) => write!(
                f,
                "it denied {}, whose access it does not have; here an allow that is too narrow says nothing",
                commands.join(", ")
            ),
            Self::DeniesAll(access) => write!(
                f,
                "it was written with {access} and denied every access all the same; it is made with rwmd, so that \
                 nothing opens: give it {access} if that was meant"
            ),
            Self::OpensNoSecret(commands) => write!(
                f,
                "it opened every secret of every store for {}; here an ACL of commands opens no secret, an ACL of \
                 stores does",
                commands.join(", ")
            ),
            Self::OpensNoCommand(commands) => write!(
                f,
                "it opened {}, and every other command to whoever added the store's name to the request; here it opens \
                 the secrets, their list, and what the store is",
                commands.join(", ")
            ),
            Self::Wider(commands) => {
                write!(f, "it did not open {}, which need fewer letters here: it opens them now", commands.join(", "))
            }
            Self::BeyondTheOriginal => {
                f.write_str("it covers also what the original did not have: the trail, backups, jobs, passwords")
            }
            Self::NamedOneByOne => f.write_str(
                "its patterns are replaced by the names of the commands that they found and that it allowed: here they \
                 would reach more",
            ),
            Self::EmptyList(list) => write!(f, "its {list} are empty, which named none; here they are all of them"),
            Self::MeansNothing(why) => write!(f, "it is not made: {why}"),
            Self::NotMade(why) => write!(f, "it is not made: {why}"),
        }
    }
}

/// What has another name here: old, new.
pub(super) type Renamed<'a> = [(&'a str, &'a str)];

/// What became of an ACL.
pub(super) struct Outcome {
    pub(super) rule: Option<Rule>,
    pub(super) report: Vec<AclReport>,
    /// Whether something that was closed would be open without it.
    pub(super) lost_deny: bool,
}

/// Writes an ACL anew. `stores` and `secrets` are those that have another name here.
pub(super) fn translated(acl: &OldAcl, stores: &Renamed<'_>, secrets: &Renamed<'_>) -> Outcome {
    let mut report = Vec::new();
    let made = match Meaning::of(acl) {
        Ok(meaning) => rule(acl, &meaning, stores, secrets, &mut report),
        Err(fault) => Err(AclReport::NotMade(fault.to_string())),
    };
    let made = made.and_then(|rule| match check(&rule) {
        Ok(()) => Ok(rule),
        Err(fault) => Err(AclReport::NotMade(fault.to_string())),
    });
    match made {
        Ok(rule) => Outcome { rule: Some(rule), report, lost_deny: false },
        Err(why) => {
            let lost_deny = acl.mode == AccessMode::Deny && matches!(why, AclReport::NotMade(_));
            Outcome { rule: None, report: vec![why], lost_deny }
        }
    }
}

fn rule(
    acl: &OldAcl,
    meaning: &Meaning,
    stores: &Renamed<'_>,
    secrets: &Renamed<'_>,
    report: &mut Vec<AclReport>,
) -> Result<Rule, AclReport> {
    let denies = acl.mode == AccessMode::Deny;
    if acl.access == Access::NONE && !denies {
        return Err(AclReport::MeansNothing("it allows no access"));
    }
    let named = |command: &Command| meaning.is_candidate(*command, Some(""), Some(""));
    let covers = match &acl.kind {
        AclKind::Object => {
            let all: Vec<Command> = asked().collect();
            everything(acl, &all, report);
            RuleCovers::Everything
        }
        AclKind::Command { commands } => {
            let named: Vec<Command> = Command::ALL.iter().copied().filter(named).collect();
            of_commands(acl, meaning, commands, &named, report)?
        }
        AclKind::Store { store_paths, secret_names } => {
            of_stores(acl, store_paths, secret_names, stores, secrets, report)?
        }
    };
    let access = if denies { Access::ALL } else { acl.access };
    if denies && acl.access != Access::ALL {
        report.push(AclReport::DeniesAll(acl.access));
    }
    Ok(Rule { mode: acl.mode, access, covers })
}

/// Commands that the original asks its ACLs about, less those that everybody may ask for here.
fn asked() -> impl Iterator<Item = Command> {
    Command::ALL.iter().copied().filter(|command| !meaning::is_everybodys(*command))
}

fn names(commands: impl IntoIterator<Item = Command>) -> Vec<&'static str> {
    commands.into_iter().map(Command::name).collect()
}

fn too_narrow(acl: &OldAcl, commands: &[Command], report: &mut Vec<AclReport>) {
    let narrow = commands.iter().filter(|command| !acl.access.has(meaning::required(**command)));
    let narrow = names(narrow.copied());
    if !narrow.is_empty() {
        report.push(AclReport::TooNarrow(narrow));
    }
}

fn everything(acl: &OldAcl, all: &[Command], report: &mut Vec<AclReport>) {
    if acl.mode == AccessMode::Deny {
        return;
    }
    too_narrow(acl, all, report);
    let wider = all
        .iter()
        .copied()
        .filter(|command| !acl.access.has(meaning::required(*command)) && acl.access.has(needed(*command)));
    let wider = names(wider);
    if !wider.is_empty() {
        report.push(AclReport::Wider(wider));
    }
    report.push(AclReport::BeyondTheOriginal);
}

/// The access that the action needs that a command asks for.
fn needed(command: Command) -> Access {
    super::reach::action(command).map_or(Access::ALL, |action| command.covers(action))
}

fn of_commands(
    acl: &OldAcl,
    meaning: &Meaning,
    patterns: &[String],
    named: &[Command],
    report: &mut Vec<AclReport>,
) -> Result<RuleCovers, AclReport> {
    let allows = acl.mode == AccessMode::Allow;
    let spoken: Vec<Command> =
        named.iter().copied().filter(|command| !allows || meaning.allows(*command)).collect();
    if allows {
        too_narrow(acl, named, report);
        let secrets = spoken.iter().copied().filter(|one| opens_secrets(*one));
        let secrets = names(secrets);
        if !secrets.is_empty() {
            report.push(AclReport::OpensNoSecret(secrets));
        }
    }
    if spoken.is_empty() {
        return Err(AclReport::MeansNothing("it opens no command"));
    }
    // a deny may reach further than the commands of the original, an allow must not
    let written: Option<Vec<String>> = patterns.iter().map(|pattern| anchored(pattern).ok()).collect();
    let same = |patterns: &Vec<String>| {
        let reaches =
            |name: &str| patterns.iter().any(|text| Pattern::new(text).is_ok_and(|one| one.matches(name)));
        patterns.len() <= MAX_PATTERNS
            && Command::ALL.iter().all(|command| reaches(command.name()) == spoken.contains(command))
            && (!allows || !Action::ALL.iter().any(|action| reaches(action.name())))
            && patterns.iter().all(|text| check(&alone(text)).is_ok())
    };
    if let Some(patterns) = written.filter(same) {
        return Ok(RuleCovers::Commands(patterns));
    }
    report.push(AclReport::NamedOneByOne);
    Ok(RuleCovers::Commands(names(spoken).into_iter().map(str::to_owned).collect()))
}

fn alone(pattern: &str) -> Rule {
    let covers = RuleCovers::Commands(vec![pattern.to_owned()]);
    Rule { mode: AccessMode::Allow, access: Access::ALL, covers }
}

fn opens_secrets(command: Command) -> bool {
    meaning::scope(command) == Scope::Secret || command == Command::ListSecrets
}

fn of_stores(
    acl: &OldAcl,
    store_paths: &[String],
    secret_names: &[String],
    renamed_stores: &Renamed<'_>,
    renamed_secrets: &Renamed<'_>,
    report: &mut Vec<AclReport>,
) -> Result<RuleCovers, AclReport> {
    if store_paths.is_empty() {
        return Err(AclReport::MeansNothing("it names no store, and every request about a secret names one"));
    }
    let stores = list(List::Stores, store_paths, renamed_stores)?;
    let secrets = if secret_names.is_empty() {
        if acl.mode == AccessMode::Allow {
            return Err(AclReport::MeansNothing("it names no secret"));
        }
        report.push(AclReport::EmptyList("secret_names"));
        vec![".*".to_owned()]
    } else {
        list(List::Secrets, secret_names, renamed_secrets)?
    };
    if acl.mode == AccessMode::Allow {
        use Command as C;
        let all = [C::CreateStore, C::RemoveStore, C::StoreInfo, C::StoreConfig, C::ListSecrets];
        let all =
            [all.as_slice(), &[C::CreateSecret, C::UpdateSecret, C::GetSecret, C::DestroySecret]].concat();
        too_narrow(acl, &all, report);
        let opened = [C::CreateStore, C::RemoveStore].into_iter();
        let opened = names(opened.filter(|command| acl.access.has(meaning::required(*command))));
        if !opened.is_empty() {
            report.push(AclReport::OpensNoCommand(opened));
        }
    }
    Ok(RuleCovers::Stores { stores, secrets })
}

/// Patterns that match whole names. Of what has another name here, the new name is added where the old one was found
/// and the pattern does not match the new one.
fn list(list: List, patterns: &[String], renamed: &Renamed<'_>) -> Result<Vec<String>, AclReport> {
    let not_made = |fault: Untranslatable| AclReport::NotMade(format!("{list}: {fault}"));
    let mut written = Vec::with_capacity(patterns.len());
    let mut fault = None;
    for pattern in patterns {
        let text = anchored(pattern).map_err(not_made)?;
        match fits(list, &text) {
            Ok(()) => written.push(text),
            Err(reason) => drop(fault.get_or_insert(reason)),
        }
    }
    let found = super::pattern::Found::of(patterns).map_err(not_made)?;
    for (old, new) in renamed {
        let matches = |text: &String| Pattern::new(text).is_ok_and(|pattern| pattern.matches(new));
        if found.any(old) && !written.iter().any(matches) {
            written.push(regex_syntax::escape(new));
        }
    }
    match fault {
        // what no name here can be like, and what had such a name has another
        Some(reason) if written.is_empty() => Err(AclReport::NotMade(reason.to_string())),
        _ => Ok(written),
    }
}

fn fits(list: List, text: &str) -> Result<(), AclError> {
    let any = || vec![".*".to_owned()];
    let covers = match list {
        List::Stores => RuleCovers::Stores { stores: vec![text.to_owned()], secrets: any() },
        _ => RuleCovers::Stores { stores: any(), secrets: vec![text.to_owned()] },
    };
    check(&Rule { mode: AccessMode::Allow, access: Access::ALL, covers })
}

fn check(rule: &Rule) -> Result<(), AclError> {
    // whatever its name will be
    match Name::new("acl") {
        Ok(name) => compiled(name, rule).map(drop),
        Err(_) => Ok(()),
    }
}

/// The ACL as the server makes it.
pub(super) fn compiled(name: Name, rule: &Rule) -> Result<Acl, AclError> {
    let mode = match rule.mode {
        AccessMode::Allow => Mode::Allow,
        AccessMode::Deny => Mode::Deny,
    };
    let patterns = |list, texts: &[String]| Acl::patterns(list, texts.iter().map(String::as_str));
    let covers = match &rule.covers {
        RuleCovers::Everything => Covers::Everything,
        RuleCovers::Commands(commands) => Covers::Commands(patterns(List::Commands, commands)?),
        RuleCovers::Stores { stores, secrets } => Covers::Stores {
            stores: patterns(List::Stores, stores)?,
            secrets: patterns(List::Secrets, secrets)?,
        },
    };
    Acl::new(name, mode, rule.access, covers)
}
