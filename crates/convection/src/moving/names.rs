//! Names: those that are taken as they are, those that are given anew, and those that have to be.

use std::cell::Cell;
use std::collections::BTreeSet;
use strongroom_model::{MAX_COMPONENT_BYTES, MAX_PATH_BYTES, Name, NameError, SecretPath};
use unicode_normalization::UnicodeNormalization as _;

/// What has a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// A user.
    User,
    /// A group.
    Group,
    /// An ACL.
    Acl,
    /// A keyset.
    Keyset,
    /// A store.
    Store,
    /// A secret: its store's name as it was, a slash, its name.
    Secret,
}

const KINDS: [(&str, Kind); 6] = [
    ("user", Kind::User),
    ("group", Kind::Group),
    ("acl", Kind::Acl),
    ("keyset", Kind::Keyset),
    ("store", Kind::Store),
    ("secret", Kind::Secret),
];

impl std::fmt::Display for Kind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(KINDS.iter().find(|(_, kind)| kind == self).map_or("", |(word, _)| word))
    }
}

impl Kind {
    /// `KIND:NAME`, if it begins with one.
    pub fn split(text: &str) -> (Option<Self>, &str) {
        let known =
            |(word, rest)| KINDS.iter().find(|(name, _)| *name == word).map(|(_, kind)| (Some(*kind), rest));
        text.split_once(':').and_then(known).unwrap_or((None, text))
    }

    fn check(self, name: &str) -> Result<(), NameError> {
        match self {
            Self::Secret => SecretPath::new(name).map(drop),
            _ => Name::new(name).map(drop),
        }
    }
}

/// Names that are given anew.
#[derive(Debug, Default)]
pub struct Renames {
    given: Vec<(Option<Kind>, String, String, Cell<bool>)>,
    as_proposed: bool,
}

impl Renames {
    /// None yet; what has to be renamed gets the proposed name, or is refused.
    pub fn new(as_proposed: bool) -> Self {
        Self { given: Vec::new(), as_proposed }
    }

    /// Adds `[KIND:]OLD=NEW`; nothing if it is not of this form.
    pub fn add(&mut self, text: &str) -> Option<()> {
        let (old, new) = text.rsplit_once('=')?;
        let (kind, old) = Kind::split(old);
        self.given.push((kind, old.to_owned(), new.to_owned(), Cell::new(false)));
        Some(())
    }

    fn of(&self, kind: Kind, old: &str) -> Option<&str> {
        let same = |of: &Option<Kind>| of.is_none_or(|of| of == kind);
        let (.., new, used) = self.given.iter().find(|(of, name, ..)| same(of) && name == old)?;
        used.set(true);
        Some(new)
    }

    /// Those that named nothing.
    pub fn unused(&self) -> Vec<String> {
        let unused = self.given.iter().filter(|(.., used)| !used.get());
        unused.map(|(_, old, new, _)| format!("{old}={new}")).collect()
    }
}

/// Why a name cannot stay.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Taken {
    /// It is no name here.
    #[error("{0}")]
    Name(#[from] NameError),
    /// Another one has it.
    #[error("another one has this name")]
    Twice,
}

/// A name that is refused, and another that is not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    /// Of what.
    pub kind: Kind,
    /// The name as it was.
    pub old: String,
    /// Why it cannot stay.
    pub fault: Taken,
    /// What it could be.
    pub proposed: String,
}

/// Gives names of one kind, within one store or the whole.
pub(super) struct Naming<'a> {
    kind: Kind,
    renames: &'a Renames,
    refused: &'a mut Vec<Refused>,
}

impl<'a> Naming<'a> {
    pub(super) fn new(kind: Kind, renames: &'a Renames, refused: &'a mut Vec<Refused>) -> Self {
        Self { kind, renames, refused }
    }

    /// The new names of old ones, in their order; those that are refused keep their proposal, and are told.
    pub(super) fn names<'b>(&mut self, old: impl IntoIterator<Item = &'b str>, within: &str) -> Vec<String> {
        let old: Vec<&str> = old.into_iter().collect();
        let mut used = BTreeSet::new();
        let mut names: Vec<Result<String, Taken>> = Vec::with_capacity(old.len());
        for name in &old {
            let whole = format!("{within}{name}");
            let wanted = self.renames.of(self.kind, &whole).unwrap_or(name);
            let checked = self.kind.check(wanted).map_err(Taken::from);
            names.push(checked.and_then(|()| {
                if used.insert(wanted.to_owned()) { Ok(wanted.to_owned()) } else { Err(Taken::Twice) }
            }));
        }
        let mut given = Vec::with_capacity(old.len());
        for (name, found) in old.into_iter().zip(names) {
            given.push(found.unwrap_or_else(|fault| {
                let proposed = self.free(name, &used);
                used.insert(proposed.clone());
                if !self.renames.as_proposed {
                    let old = format!("{within}{name}");
                    self.refused.push(Refused { kind: self.kind, old, fault, proposed: proposed.clone() });
                }
                proposed
            }));
        }
        given
    }

    fn free(&self, old: &str, used: &BTreeSet<String>) -> String {
        let proposal = proposal(self.kind, old);
        let numbered = (2..).map(|number| format!("{proposal}-{number}"));
        let mut all = std::iter::once(proposal.clone()).chain(numbered);
        all.find(|name| !used.contains(name)).unwrap_or(proposal)
    }
}

/// A name that is as near to the old one as may be.
fn proposal(kind: Kind, old: &str) -> String {
    let allowed = |character: char| {
        if Name::new(character.encode_utf8(&mut [0; 4])).is_ok() || character == '.' {
            character
        } else {
            '_'
        }
    };
    let plain = |text: &str| -> String {
        // a character that combines with the one before it is judged with it
        text.nfc().map(|character| if character.is_control() { '_' } else { character }).collect()
    };
    let component = |text: &str| -> String {
        let text = plain(text);
        let text: String = if Name::new(&text).is_ok() { text } else { text.chars().map(allowed).collect() };
        match text.as_str() {
            "" | "." | ".." => "unnamed".to_owned(),
            _ => cut(&text, MAX_COMPONENT_BYTES - 8),
        }
    };
    if kind != Kind::Secret {
        return component(&old.trim_matches('/').replace('/', "-"));
    }
    let components: Vec<String> = old.split('/').filter(|part| !part.is_empty()).map(component).collect();
    if components.is_empty() { "unnamed".to_owned() } else { cut(&components.join("/"), MAX_PATH_BYTES - 8) }
}

fn cut(text: &str, bytes: usize) -> String {
    let end = text.char_indices().map(|(at, character)| at + character.len_utf8());
    let end = end.take_while(|end| *end <= bytes).last().unwrap_or(0);
    text.get(..end).unwrap_or_default().trim_end_matches('/').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn given(kind: Kind, old: &[&str], renames: &[&str]) -> (Vec<String>, Vec<(String, Taken)>) {
        let mut all = Renames::default();
        for rename in renames {
            all.add(rename).unwrap();
        }
        let mut refused = Vec::new();
        let names = Naming::new(kind, &all, &mut refused).names(old.iter().copied(), "");
        assert!(names.iter().all(|name| kind.check(name).is_ok()), "{names:?}");
        assert_eq!(names.iter().collect::<BTreeSet<_>>().len(), names.len(), "{names:?}");
        (names, refused.into_iter().map(|one| (one.old, one.fault)).collect())
    }

    #[test]
    fn good_names_stay_and_others_get_the_nearest_one_that_is_free() {
        let (names, refused) =
            given(Kind::Store, &["team-app", "team/app", "/x/", "e\u{301}", "..", "", "a\nb"], &[]);
        assert_eq!(names, ["team-app", "team-app-2", "x", "é", "unnamed", "unnamed-2", "a_b"]);
        assert_eq!(refused.len(), 6);
        let (names, refused) = given(Kind::Secret, &["a/b", "/a//b", "a/../c"], &[]);
        assert_eq!(names, ["a/b", "a/b-2", "a/unnamed/c"]);
        assert_eq!(refused.len(), 2);
        let long = "ü".repeat(300);
        assert_eq!(given(Kind::User, &[&long], &[]).1.len(), 1);
    }

    #[test]
    fn renaming_is_by_kind_and_never_onto_another() {
        let (names, refused) = given(Kind::Store, &["a", "b/c"], &["store:b/c=d", "user:a=z"]);
        assert_eq!((names, refused), (vec!["a".to_owned(), "d".to_owned()], vec![]));
        let (_, refused) = given(Kind::Store, &["a", "b"], &["b=a"]);
        assert_eq!(refused, [("b".to_owned(), Taken::Twice)]);
        let mut renames = Renames::default();
        renames.add("store:x=y").unwrap();
        assert_eq!(renames.unused(), ["x=y"]);
        assert!(renames.add("x").is_none());
    }
}
