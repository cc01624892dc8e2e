//! The plan: steps in their order, each of which knows whether it is done.

use super::machine::{self, Owner};
use super::{SetupError, accounts, files, folders, initialise, ports, reach, rsa, service, tls};
use crate::args::{Global, SetupArgs};
use crate::error::CliError;
use crate::original::from_home;
use crate::output::{self, Output};
use std::path::PathBuf;
use strongroom_convection::answers::Answers;

/// What a setup stands on.
pub(super) struct Site {
    pub(super) answers: Answers,
    /// Whether to say more.
    pub(super) verbose: bool,
    /// An unlock key, should a setup that was interrupted need one.
    pub(super) key_file: Option<PathBuf>,
}

impl Site {
    pub(super) fn new(answers: Answers, args: &SetupArgs) -> Result<Self, SetupError> {
        if crate::original::home().is_none() {
            return Err(SetupError::NoHome);
        }
        Ok(Self { answers, verbose: args.verbose, key_file: args.key_file.clone() })
    }

    /// The path that a question was answered with.
    pub(super) fn path(&self, key: &str) -> PathBuf {
        // of its components, so that a slash at the end makes no difference
        from_home(self.answers.text(key)).components().collect()
    }

    /// The folder of the server's configuration.
    pub(super) fn config_folder(&self) -> PathBuf {
        self.path("server_config_root").join("convection-secrets")
    }

    /// The server's user.
    pub(super) fn user(&self) -> &str {
        self.answers.text("server_user_name")
    }

    /// The server's group.
    pub(super) fn group(&self) -> &str {
        self.answers.text("server_group_name")
    }

    /// The numbers of both, if both are there.
    pub(super) fn owner(&self) -> Option<Owner> {
        Some(Owner { uid: machine::user(self.user())?.uid, gid: machine::group(self.group())? })
    }

    /// The numbers of both.
    pub(super) fn owner_now(&self) -> Result<Owner, SetupError> {
        let no_user = || SetupError::NoAccount { what: "user or group", name: self.user().to_owned() };
        self.owner().ok_or_else(no_user)
    }

    /// Whether making something of the server's there takes root: its owner is somebody else, or the folder is not ours.
    pub(super) fn takes_root(&self, path: &std::path::Path) -> bool {
        self.owner() != Some(Owner::me()) || !machine::may_make(path)
    }
}

/// How a step stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Standing {
    /// Nothing is to be done.
    Done,
    /// This is to be done.
    Due {
        /// What, as an order: `make the folder /x`.
        what: String,
        /// Whether only root can.
        root: bool,
    },
}

impl Standing {
    pub(super) fn due(what: impl Into<String>, root: bool) -> Self {
        Self::Due { what: what.into(), root: root && !machine::is_root() }
    }
}

/// One thing that a setup brings about.
pub(super) trait Step {
    /// What there will be: `folder /x, mode 0700`.
    fn title(&self, site: &Site) -> String;

    /// Looks, and changes nothing.
    fn look(&self, site: &Site) -> Result<Standing, SetupError>;

    /// Brings it about; called only while it is due.
    fn apply(&self, site: &Site) -> Result<(), CliError>;
}

/// Steps in their order.
pub(super) struct Plan {
    steps: Vec<Box<dyn Step>>,
}

impl Plan {
    /// The steps that the answers ask for.
    pub(super) fn of(site: &Site) -> Self {
        let mut steps: Vec<Box<dyn Step>> = Vec::new();
        steps.extend(ports::steps(site));
        steps.extend(accounts::steps());
        steps.extend(folders::steps(site));
        steps.extend(tls::steps(site));
        steps.extend(files::steps(site));
        steps.extend(rsa::steps(site));
        steps.extend(reach::steps());
        steps.extend(service::steps(site));
        steps.extend(initialise::steps(site));
        Self { steps }
    }

    /// Of these steps.
    #[cfg(test)]
    pub(super) fn with(steps: Vec<Box<dyn Step>>) -> Self {
        Self { steps }
    }

    /// Looks at every step; what is wrong is told all at once.
    fn look(&self, site: &Site) -> Result<Vec<Standing>, SetupError> {
        let (mut standings, mut faults) = (Vec::new(), Vec::new());
        for step in &self.steps {
            match step.look(site) {
                Ok(standing) => standings.push(standing),
                Err(fault) => faults.push(fault),
            }
        }
        match (faults.len(), faults.pop()) {
            (0, _) | (_, None) => Ok(standings),
            (1, Some(fault)) => Err(fault),
            (_, Some(fault)) => Err(SetupError::Several(faults.into_iter().chain([fault]).collect())),
        }
    }

    /// Shows what would be done.
    pub(super) fn show(&self, site: &Site, global: &Global) -> Result<(), CliError> {
        let standings = self.look(site)?;
        let rows = self.steps.iter().zip(standings).map(|(step, standing)| match standing {
            Standing::Done => vec!["already so".to_owned(), step.title(site)],
            Standing::Due { what, root } => {
                vec![if root { "would, as root," } else { "would" }.to_owned(), what]
            }
        });
        Output::new(global).table(&["", "STEP"], rows)
    }

    /// Does what is due, and looks again at each.
    pub(super) fn carry_out(&self, site: &Site, global: &Global) -> Result<(), CliError> {
        let standings = self.look(site)?;
        let need_root: Vec<String> = standings
            .into_iter()
            .filter_map(|standing| match standing {
                Standing::Due { what, root: true } => Some(what),
                _ => None,
            })
            .collect();
        if !need_root.is_empty() {
            return Err(SetupError::NeedsRoot(need_root).into());
        }
        let quiet = Output::new(global).json();
        for step in &self.steps {
            let said = match step.look(site)? {
                Standing::Done => format!("already so: {}", step.title(site)),
                Standing::Due { .. } => {
                    step.apply(site)?;
                    if step.look(site)? != Standing::Done {
                        return Err(SetupError::WithoutEffect { step: step.title(site) }.into());
                    }
                    format!("done: {}", step.title(site))
                }
            };
            if !quiet {
                output::note(&said);
            }
        }
        Ok(())
    }
}
