//! Rights: a set of ACLs, compiled for fast decisions; shared by all who have the same.
//!
//! What reaches what:
//!
//! | upon | everything | commands | stores: allows | stores: denies |
//! | --- | --- | --- | --- | --- |
//! | a secret | yes | denies only | store and path match | store and path match |
//! | names of a store's secrets | yes | denies only | store matches | store matches, and all its secrets |
//! | what a store is | yes | yes | store matches | store matches, and all its secrets |
//! | such a listing over all stores | yes | as above | always | all stores and all secrets |
//! | making, changing, removing a store | yes | yes | never | store matches |
//! | anything else | yes | yes | never | never |
//! | installing | never | never | never | never |

use crate::acl::{Acl, Covers};
use crate::actions::{self, Area, CODES, area};
use crate::paths::Paths;
use crate::pattern::Pattern;
use crate::rules::Mode;
use crate::target::Target;
use crate::text::OpenText;
use crate::verdict::Verdict;
use arc_swap::ArcSwap;
use std::collections::HashMap;
use std::sync::Arc;
use strongroom_model::{Access, Action, Command};

/// Most stores whose rules a set keeps at hand; beyond it they are gathered anew.
const MAX_KEPT_STORES: usize = 128;

/// A set of ACLs, compiled.
pub(crate) struct Rights {
    acls: Vec<Arc<Acl>>,
    everything: Verdict,
    /// By action, where no command is asked for; without ACLs of commands, empty.
    actions: Vec<Verdict>,
    /// By command and action, where one is.
    commands: HashMap<(Command, Action), Verdict>,
    all_stores: Verdict,
    stores: ArcSwap<HashMap<OpenText, Arc<OfStore>>>,
}

/// What ACLs of stores say about one store.
#[derive(Default)]
pub(crate) struct OfStore {
    /// The store itself, and the names in it.
    itself: Verdict,
    /// Making, changing, removing it.
    administration: Verdict,
    /// The secrets in it.
    paths: Paths,
}

impl Rights {
    /// From ACLs in the order in which they are to be named as reasons.
    pub(crate) fn new(acls: Vec<Arc<Acl>>) -> Self {
        let mut rights = Self {
            everything: Verdict::default(),
            actions: Vec::new(),
            commands: HashMap::new(),
            all_stores: Verdict::default(),
            stores: ArcSwap::default(),
            acls: Vec::new(),
        };
        for (place, acl) in (0..).zip(&acls) {
            rights.add(place, acl);
        }
        rights.acls = acls;
        rights
    }

    fn add(&mut self, place: u32, acl: &Acl) {
        let verdict = &Verdict::of(place, acl);
        match acl.covers() {
            Covers::Everything => self.everything.merge(verdict),
            Covers::Commands(_) => {
                self.actions.resize(CODES, Verdict::default());
                for action in Action::ALL.iter().copied() {
                    let said = Verdict::with(place, acl, acl.speaks(action, None));
                    if let Some(known) = self.actions.get_mut(actions::index(action)) {
                        known.merge(&said);
                    }
                    for command in action.commands() {
                        let said = Verdict::with(place, acl, acl.speaks(action, Some(command)));
                        self.commands.entry((command, action)).or_default().merge(&said);
                    }
                }
            }
            Covers::Stores { stores, secrets } => {
                if acl.mode() == Mode::Allow || any(stores) && any(secrets) {
                    self.all_stores.merge(verdict);
                }
            }
        }
    }

    /// The ACLs, in order.
    pub(crate) fn acls(&self) -> &[Arc<Acl>] {
        &self.acls
    }

    /// What ACLs of commands say of an action, asked for by a command if there is one.
    fn command(&self, action: Action, command: Option<Command>) -> Option<&Verdict> {
        let asked = command.and_then(|command| self.commands.get(&(command, action)));
        asked.or_else(|| self.actions.get(actions::index(action)))
    }

    /// What the ACLs say.
    pub(crate) fn verdict(
        &self,
        action: Action,
        command: Option<Command>,
        access: Access,
        target: &Target<'_>,
    ) -> Verdict {
        let area = area(action);
        let mut verdict = if area == Area::Installing { Verdict::default() } else { self.everything };
        if let Some(command) = self.command(action, command) {
            match area {
                Area::Secrets => verdict.merge(&command.denials()),
                Area::StoresRead | Area::StoresAdmin | Area::Other => verdict.merge(command),
                Area::Installing => {}
            }
        }
        match (area, target) {
            (Area::Secrets, Target::Secret { store, path }) => {
                verdict.merge(&self.store(store).paths.of(path, access));
            }
            (Area::Secrets | Area::StoresRead, Target::Store(store)) => {
                verdict.merge(&self.store(store).itself);
            }
            (Area::Secrets | Area::StoresRead, Target::Server) if lists(action) => {
                verdict.merge(&self.all_stores);
            }
            (Area::StoresAdmin, Target::Store(store)) => verdict.merge(&self.store(store).administration),
            _ => {}
        }
        verdict
    }

    /// Which of a store's names an action may see.
    pub(crate) fn names(&self, action: Action, command: Option<Command>, store: &str) -> Names {
        let access = action.access();
        let mut beyond = self.everything;
        if let Some(command) = self.command(action, command) {
            beyond.merge(&command.denials());
        }
        if beyond.denied(access).is_some() {
            return Names::None;
        }
        let store = self.store(store);
        if store.paths.all(access) { Names::All } else { Names::Some { store, beyond, access } }
    }

    fn store(&self, name: &str) -> Arc<OfStore> {
        if let Some(known) = self.stores.load().get(name) {
            return Arc::clone(known);
        }
        let found = Arc::new(self.gather(name));
        let mut kept = HashMap::clone(&self.stores.load());
        if kept.len() >= MAX_KEPT_STORES {
            kept.clear();
        }
        kept.insert(OpenText::from(name), Arc::clone(&found));
        // of two at once one is kept, and the other is gathered again
        self.stores.store(Arc::new(kept));
        found
    }

    fn gather(&self, store: &str) -> OfStore {
        let mut found = OfStore::default();
        for (place, acl) in (0..).zip(&self.acls) {
            let Covers::Stores { stores, secrets } = acl.covers() else { continue };
            if !stores.iter().any(|pattern| pattern.matches(store)) {
                continue;
            }
            let verdict = Verdict::of(place, acl);
            found.administration.merge(&verdict.denials());
            found.itself.merge(&verdict.allowances());
            if any(secrets) {
                found.itself.merge(&verdict.denials());
            }
            for pattern in secrets {
                found.paths.add(pattern, &verdict);
            }
        }
        found.paths.finish();
        found
    }
}

/// Which names of a store are seen.
pub(crate) enum Names {
    All,
    None,
    Some { store: Arc<OfStore>, beyond: Verdict, access: Access },
}

impl Names {
    pub(crate) fn shows(&self, path: &str) -> bool {
        match self {
            Self::All => true,
            Self::None => false,
            Self::Some { store, beyond, access } => {
                let mut verdict = *beyond;
                verdict.merge(&store.paths.of(path, *access));
                verdict.denied(*access).is_none() && verdict.allowed(*access).is_some()
            }
        }
    }
}

fn any(patterns: &[Pattern]) -> bool {
    patterns.iter().any(Pattern::is_any)
}

/// Whether an action upon the server is a listing that is then filtered name by name.
const fn lists(action: Action) -> bool {
    matches!(action, Action::ListStores | Action::ListSecrets | Action::ListExpiring)
}
