//! What is said about it: what was opened by what, what becomes of each thing, what an ACL means now and meant then, what
//! users can do and could. Names, never values.

use super::super::Session;
use crate::args::ConvectionArgs;
use crate::error::CliError;
use crate::{output, state};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use strongroom_convection::moving::{Difference, Plan};
use strongroom_convection::storage::Opened;

/// What has become of something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum State {
    /// It is not there.
    New,
    /// It is there, and the same.
    There,
    /// It was made.
    Made,
    /// It is there, and not the same.
    Conflict(String),
    /// It could not be made.
    Failed(String),
}

impl State {
    fn word(&self) -> &'static str {
        match self {
            Self::New => "missing",
            Self::There => "there",
            Self::Made => "made",
            Self::Conflict(_) => "conflict",
            Self::Failed(_) => "failed",
        }
    }

    fn reason(&self) -> &str {
        match self {
            Self::Conflict(why) | Self::Failed(why) => why,
            _ => "",
        }
    }
}

/// What was in the directory, beside what is planned.
pub(super) struct Source {
    mapped: bool,
    people: bool,
    unneeded: Vec<String>,
    strays: Vec<String>,
}

impl Source {
    pub(super) fn of(opened: &Opened) -> Self {
        Self {
            mapped: opened.mapped,
            people: opened.people.is_some(),
            unneeded: opened.unneeded.iter().map(ToString::to_string).collect(),
            strays: opened.strays.clone(),
        }
    }
}

/// The report.
pub(super) struct Report<'a> {
    source: &'a Source,
    plan: &'a Plan,
    rows: BTreeMap<(&'static str, String), State>,
    /// How many secrets were read back and are as they were.
    pub(super) verified: usize,
    /// Access keys that are there under other ids: user, old id, id.
    pub(super) other_ids: Vec<(String, String, String)>,
}

impl<'a> Report<'a> {
    pub(super) fn new(source: &'a Source, plan: &'a Plan) -> Self {
        Self { source, plan, rows: BTreeMap::new(), verified: 0, other_ids: Vec::new() }
    }

    pub(super) fn set(&mut self, kind: &'static str, name: &str, state: State) {
        self.rows.insert((kind, name.to_owned()), state);
    }

    fn state(&self, kind: &'static str, name: &str) -> Option<&State> {
        self.rows.get(&(kind, name.to_owned()))
    }

    pub(super) fn is_new(&self, kind: &'static str, name: &str) -> bool {
        self.state(kind, name) == Some(&State::New)
    }

    /// Whether it is there now.
    pub(super) fn stands(&self, kind: &'static str, name: &str) -> bool {
        matches!(self.state(kind, name), Some(State::There | State::Made))
    }

    pub(super) fn count(&self, which: impl Fn(&State) -> bool) -> usize {
        self.rows.values().filter(|state| which(state)).count()
    }

    pub(super) fn any_failed(&self, kinds: &[&str]) -> bool {
        self.rows.iter().any(|((kind, _), state)| kinds.contains(kind) && matches!(state, State::Failed(_)))
    }

    /// Writes the file that was asked for, for its owner's eyes only.
    pub(super) fn write(&self, args: &ConvectionArgs) -> Result<(), CliError> {
        let Some(path) = &args.report else { return Ok(()) };
        let json = path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("json"));
        let text = if json { format!("{:#}\n", self.json()) } else { self.text() };
        state::write_whole(path, text.as_bytes(), 0o600).map_err(CliError::file(path))
    }

    /// Shows it.
    pub(super) fn show(&self, session: &Session, nothing_written: bool) -> Result<(), CliError> {
        if session.out.json() {
            return output::line(&self.json().to_string());
        }
        let text = self.text();
        output::line(text.trim_end())?;
        if nothing_written { output::line("\nNothing was written.") } else { Ok(()) }
    }

    fn json(&self) -> Value {
        let plan = self.plan;
        let counts = self.counts().into_iter().map(|(kind, of)| (kind.replace(' ', "_"), json!(of)));
        let rows = self.rows.iter().filter(|(_, state)| !state.reason().is_empty());
        let rows = rows.map(|((kind, name), state)| {
            json!({ "kind": kind, "name": name, "state": state.word(), "reason": state.reason() })
        });
        let stores = plan.stores.iter().map(|store| {
            json!({
                "old": store.old, "name": store.name, "type": store.store_type, "keyset": store.keyset,
                "attached": store.attached, "opened_by": store.opened_by, "secrets": store.secrets.len(),
                "left_out": store.left_out, "told_as_text": store.told_as_text,
            })
        });
        let names = plan.refused.iter().map(|one| {
            json!({ "kind": one.kind.to_string(), "old": one.old, "reason": one.fault.to_string(), "proposed": one.proposed })
        });
        let acls = plan.acl_report.iter().map(|(acl, changes)| {
            json!({ "acl": acl, "changes": changes.iter().map(ToString::to_string).collect::<Vec<_>>() })
        });
        let reach = plan.reach.differences.iter().map(|one| {
            json!({
                "users": one.users, "command": one.command, "store": one.store, "then": !one.now, "now": one.now,
                "count": one.count, "of": one.of, "examples": one.examples,
            })
        });
        let values = plan
            .secret_faults()
            .map(|(store, name, fault)| json!({ "store": store, "name": name, "reason": fault.to_string() }));
        let left_out = plan.left_out.iter().map(|one| json!({ "what": one.what, "reason": one.why }));
        let ids =
            self.other_ids.iter().map(|(user, old, new)| json!({ "user": user, "old": old, "new": new }));
        json!({
            "counts": counts.collect::<serde_json::Map<_, _>>(),
            "verified": self.verified,
            "rows": rows.collect::<Vec<_>>(),
            "stores": stores.collect::<Vec<_>>(),
            "refused_names": names.collect::<Vec<_>>(),
            "refused_values": values.collect::<Vec<_>>(),
            "lost_denies": plan.lost_denies,
            "acls": acls.collect::<Vec<_>>(),
            "reach": {
                "questions": plan.reach.asked, "complete": !plan.reach.cut, "unknown": plan.reach.unknown,
                "differences": reach.collect::<Vec<_>>(),
            },
            "access_key_ids": ids.collect::<Vec<_>>(),
            "left_out": left_out.collect::<Vec<_>>(),
            "unneeded_keysets": self.source.unneeded,
            "stray_files": self.source.strays,
            "keymap": self.source.mapped,
        })
    }

    /// How many of each kind are in which state.
    fn counts(&self) -> BTreeMap<&'static str, BTreeMap<&'static str, usize>> {
        let mut counts: BTreeMap<_, BTreeMap<_, usize>> = BTreeMap::new();
        for ((kind, _), state) in &self.rows {
            *counts.entry(*kind).or_default().entry(state.word()).or_default() += 1;
        }
        counts
    }

    fn text(&self) -> String {
        let mut out = String::new();
        let plan = self.plan;
        self.overview(&mut out);
        let refused = plan.refused.iter().map(|one| {
            format!(
                "{} {}: {}; --rename {}:{}={}",
                one.kind, one.old, one.fault, one.kind, one.old, one.proposed
            )
        });
        section(&mut out, "Names that are refused here", refused);
        let values = plan.secret_faults().map(|(store, name, fault)| format!("{store}/{name}: {fault}"));
        section(&mut out, "Values that cannot be kept", values);
        let rows = self.rows.iter().filter(|(_, state)| !state.reason().is_empty());
        let rows = rows.map(|((kind, name), state)| format!("{kind} {name}: {}", state.reason()));
        section(&mut out, "Not the same, or not made", rows);
        let told =
            plan.stores.iter().flat_map(|store| store.told_as_text.iter().map(move |name| (store, name)));
        let told = told.map(|(store, name)| format!("{}/{name}", store.old));
        section(&mut out, "Values of which a part became a text, because JSON has no such value", told);
        let acls = plan
            .acl_report
            .iter()
            .flat_map(|(acl, changes)| changes.iter().map(move |change| format!("{acl}: {change}")));
        section(&mut out, "What ACLs meant, and mean", acls);
        let (now, before): (Vec<_>, Vec<_>) = plan.reach.differences.iter().partition(|one| one.now);
        section(&mut out, "What users could not do and can do now", now.into_iter().map(difference));
        section(&mut out, "What users could do and cannot do any more", before.into_iter().map(difference));
        section(
            &mut out,
            "Users of whom that is not known, for an ACL of theirs cannot be read here",
            plan.reach.unknown.iter().cloned(),
        );
        let ids = self.other_ids.iter().map(|(user, old, new)| format!("{user}: {old} is {new} here"));
        section(&mut out, "Access keys that have other ids", ids);
        section(
            &mut out,
            "Not brought over",
            plan.left_out.iter().map(|one| format!("{}: {}", one.what, one.why)),
        );
        section(
            &mut out,
            "Keysets that do not open, and that nothing needs",
            self.source.unneeded.iter().cloned(),
        );
        section(&mut out, "Files that belong to nothing", self.source.strays.iter().cloned());
        out
    }

    fn overview(&self, out: &mut String) {
        // a text written into memory cannot fail
        if !self.source.mapped {
            let _ = writeln!(out, "There is no keymap.db: keysets were tried until one opened a store.");
        }
        if !self.source.people {
            let _ = writeln!(out, "There is no auth.db: no users, groups, ACLs.");
        }
        for store in &self.plan.stores {
            let renamed = if store.old == store.name { String::new() } else { format!(" as {}", store.name) };
            let by = match &store.attached {
                Some(attached) if *attached == store.opened_by => String::new(),
                Some(attached) => format!(", attached to {attached} and opened by {}", store.opened_by),
                None => format!(", opened by {}", store.opened_by),
            };
            let (old, kind, keyset, count) =
                (&store.old, store.store_type, &store.keyset, store.secrets.len());
            let _ = writeln!(out, "store {old}{renamed}: {kind}, keyset {keyset}{by}, {count} secrets");
        }
        for (kind, states) in self.counts() {
            let states: Vec<String> = states.iter().map(|(word, count)| format!("{count} {word}")).collect();
            let _ = writeln!(out, "{kind}: {}", states.join(", "));
        }
        if self.verified > 0 {
            let _ = writeln!(out, "{} secrets were read back and are as they were.", self.verified);
        }
        let reach = &self.plan.reach;
        if reach.asked > 0 {
            let cut = if reach.cut { ", and no more: the rest was not compared" } else { "" };
            let _ = writeln!(out, "{} questions were put to the ACLs of then and of now{cut}.", reach.asked);
        }
    }
}

fn difference(one: &Difference) -> String {
    let whom = one.users.join(", ");
    let within = one.store.as_ref().map_or_else(String::new, |store| format!(" in {store}"));
    let upon = match one.count {
        0 => String::new(),
        count => {
            let more = if count > one.examples.len() { ", ..." } else { "" };
            format!(", {count} of {}: {}{more}", one.of, one.examples.join(", "))
        }
    };
    format!("{whom}: {}{within}{upon}", one.command)
}

fn section(out: &mut String, title: &str, lines: impl Iterator<Item = String>) {
    let mut lines = lines.peekable();
    if lines.peek().is_some() {
        let _ = writeln!(out, "\n{title}:");
        lines.for_each(|line| {
            let _ = writeln!(out, "  {line}");
        });
    }
}
