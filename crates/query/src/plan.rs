//! What is asked of the authority, and what records are held against.
//!
//! Each term of the question becomes a leaf: a handful of lookups, any of which is enough. Each lookup becomes a token for
//! every collector and epoch that the member may search.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use strongroom_blindindex::{Canonical, Form, FormError, NetworksError, Token};
use strongroom_sharing::authority::{AskTokens, Tokens};
use strongroom_sharing::exchange::{MAX_QUERY_TOKENS, Where};
use strongroom_sharing::{MemberId, TokenText};

use crate::language::{Condition, Question, Term, Wanted};
use crate::settings::Fields;

mod lookup;

pub use lookup::Lookup;
use lookup::lookups;

/// The most lookups of a question: each is counted by the authority.
pub const MAX_LOOKUPS: usize = 1024;
/// Values of one request to the authority.
const MAX_VALUES: usize = 64;

/// A question, made out for the authority.
#[derive(Debug)]
pub struct Plan {
    root: Node,
    leaves: Vec<Leaf>,
    /// Collectors whose field the member may not search, by field.
    refused: BTreeMap<MemberId, BTreeSet<String>>,
}

#[derive(Debug)]
enum Node {
    Leaf(usize),
    Unlike(Unlike),
    All(Vec<Node>),
    Any(Vec<Node>),
}

/// `field!=value`.
#[derive(Debug)]
pub(crate) struct Unlike {
    pub(crate) field: String,
    pub(crate) form: Form,
    pub(crate) value: Canonical,
}

/// A term: any of its lookups is enough.
#[derive(Debug)]
struct Leaf {
    lookups: Vec<Lookup>,
    tokens: HashMap<(MemberId, Token), At>,
}

/// Where a token is from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct At {
    lookup: usize,
    epoch: u64,
}

/// Records of one collector in one epoch have tokens of their own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Section {
    /// First, so that the newest come last.
    pub epoch: u64,
    /// Whose.
    pub collector: MemberId,
}

/// Why a question cannot be asked.
#[derive(Debug, thiserror::Error)]
pub enum PlanError {
    /// A value for every field, and no fields are known.
    #[error(
        "column {column}: in which field? Write `field=value`, or list the searchable fields under `fields:` in the \
         configuration"
    )]
    NoFields {
        /// Where.
        column: usize,
    },
    /// A value that cannot be indexed.
    #[error("column {column}: {source}")]
    Form {
        /// Where.
        column: usize,
        /// Why.
        source: FormError,
    },
    /// A network that cannot be asked for.
    #[error("column {column}: {source}")]
    Network {
        /// Where.
        column: usize,
        /// Why.
        source: NetworksError,
    },
    /// No field is indexed by network or suffix.
    #[error(
        "column {column}: no field under `fields:` in the configuration has `{option}`; write `FIELD {word} ...`"
    )]
    NotOpted {
        /// Where.
        column: usize,
        /// The option.
        option: &'static str,
        /// The word of the query.
        word: &'static str,
    },
    /// Too many lookups.
    #[error("the question becomes more than {MAX_LOOKUPS} values to look for: ask for less at once")]
    TooMany,
    /// Too many tokens for one collector and epoch.
    #[error(
        "the question has more than {MAX_QUERY_TOKENS} tokens for one collector and epoch: ask for less at once"
    )]
    TooManyTokens,
    /// The authority answered something else than was asked.
    #[error("the authority answered {found} lists of tokens, asked were {asked}")]
    Answer {
        /// How many.
        found: usize,
        /// How many were asked for.
        asked: usize,
    },
}

/// One request to the authority, and the lookups that its values are.
pub struct Asking {
    /// The request.
    pub ask: AskTokens,
    places: Vec<(usize, usize)>,
}

impl Plan {
    /// Makes out a question.
    pub fn new(question: &Question, fields: &Fields) -> Result<Self, PlanError> {
        let mut plan = Self { root: Node::All(Vec::new()), leaves: Vec::new(), refused: BTreeMap::new() };
        plan.root = plan.node(&question.condition, fields)?;
        let lookups: usize = plan.leaves.iter().map(|leaf| leaf.lookups.len()).sum();
        if lookups > MAX_LOOKUPS { Err(PlanError::TooMany) } else { Ok(plan) }
    }

    fn node(&mut self, condition: &Condition, fields: &Fields) -> Result<Node, PlanError> {
        let mut several = |parts: &[Condition]| -> Result<Vec<Node>, PlanError> {
            parts.iter().map(|part| self.node(part, fields)).collect()
        };
        Ok(match condition {
            Condition::All(parts) => Node::All(several(parts)?),
            Condition::Any(parts) => Node::Any(several(parts)?),
            Condition::Term(Term { field: Some(field), wanted: Wanted::Unlike(value), column }) => {
                let canonical = fields.spec(field).canonical(field, value);
                let (form, value) =
                    canonical.map_err(|source| PlanError::Form { column: *column, source })?;
                Node::Unlike(Unlike { field: field.clone(), form, value })
            }
            Condition::Term(term) => {
                let lookups = lookups(term, fields)?;
                self.leaves.push(Leaf { lookups, tokens: HashMap::new() });
                Node::Leaf(self.leaves.len() - 1)
            }
        })
    }

    /// What to ask the authority: a request a field and form, of bounded size.
    pub fn asks(&self) -> Vec<Asking> {
        let mut groups: BTreeMap<(&str, Form), Vec<(usize, usize)>> = BTreeMap::new();
        for (at, leaf) in self.leaves.iter().enumerate() {
            for (place, lookup) in leaf.lookups.iter().enumerate() {
                groups.entry((&lookup.field, lookup.form)).or_default().push((at, place));
            }
        }
        let one = |((field, form), places): ((&str, Form), Vec<(usize, usize)>)| {
            let asking = |places: &[(usize, usize)]| {
                let wire = |(leaf, place): &(usize, usize)| Some(self.lookup(*leaf, *place)?.wire.clone());
                let values = places.iter().filter_map(wire).collect();
                let (field, form) = (field.to_owned(), form.name().to_owned());
                let ask =
                    AskTokens { field, form, values, from_epoch: None, to_epoch: None, collectors: None };
                Asking { ask, places: places.to_vec() }
            };
            places.chunks(MAX_VALUES).map(asking).collect::<Vec<_>>()
        };
        groups.into_iter().flat_map(one).collect()
    }

    fn lookup(&self, leaf: usize, place: usize) -> Option<&Lookup> {
        self.leaves.get(leaf)?.lookups.get(place)
    }

    /// Takes the authority's answer to a request.
    pub fn answered(&mut self, asking: &Asking, tokens: Tokens) -> Result<(), PlanError> {
        let (found, asked) = (tokens.tokens.len(), asking.places.len());
        if found != asked {
            return Err(PlanError::Answer { found, asked });
        }
        for ((leaf, lookup), tokens) in asking.places.iter().zip(tokens.tokens) {
            let Some(leaf) = self.leaves.get_mut(*leaf) else { continue };
            for token in tokens {
                let at = At { lookup: *lookup, epoch: token.epoch };
                leaf.tokens.insert((token.collector, Token(token.token.0)), at);
            }
        }
        for collector in tokens.refused {
            self.refused.entry(collector).or_default().insert(asking.ask.field.clone());
        }
        Ok(())
    }

    /// Collectors whose fields the member may not search.
    pub fn refused(&self) -> &BTreeMap<MemberId, BTreeSet<String>> {
        &self.refused
    }

    /// Whether something is looked at after opening.
    pub fn has_unlike(&self) -> bool {
        fn has(node: &Node) -> bool {
            match node {
                Node::Leaf(_) => false,
                Node::Unlike(_) => true,
                Node::All(parts) | Node::Any(parts) => parts.iter().any(has),
            }
        }
        has(&self.root)
    }

    /// All collectors and epochs that there are tokens of.
    pub fn sections(&self) -> BTreeSet<Section> {
        let tokens = self.leaves.iter().flat_map(|leaf| &leaf.tokens);
        tokens.map(|((collector, _), at)| Section { epoch: at.epoch, collector: *collector }).collect()
    }

    /// The tokens of a section: each once.
    pub fn tokens_of(&self, section: Section) -> BTreeSet<Token> {
        let own = |((collector, token), at): (&(MemberId, Token), &At)| {
            (*collector == section.collector && at.epoch == section.epoch).then_some(*token)
        };
        self.leaves.iter().flat_map(|leaf| leaf.tokens.iter().filter_map(own)).collect()
    }

    /// The conditions to ask the exchange, newest epochs first. A record is of one collector and one epoch, so conditions
    /// over disjoint sections together are the condition over all; each has at most as many tokens as the exchange takes.
    pub fn conditions(&self) -> Result<Vec<Where>, PlanError> {
        let mut counts: BTreeMap<Section, usize> = BTreeMap::new();
        for ((collector, _), at) in self.leaves.iter().flat_map(|leaf| &leaf.tokens) {
            *counts.entry(Section { epoch: at.epoch, collector: *collector }).or_default() += 1;
        }
        let mut bundles: Vec<(usize, BTreeSet<Section>)> = Vec::new();
        for (section, count) in counts.into_iter().rev() {
            if count > MAX_QUERY_TOKENS {
                return Err(PlanError::TooManyTokens);
            }
            match bundles.last_mut().filter(|(total, _)| *total + count <= MAX_QUERY_TOKENS) {
                Some((total, bundle)) => {
                    *total += count;
                    bundle.insert(section);
                }
                None => bundles.push((count, BTreeSet::from([section]))),
            }
        }
        Ok(bundles.iter().filter_map(|(_, bundle)| self.condition(&self.root, bundle)).collect())
    }

    /// What of a part can be asked; `None` where nothing can satisfy it.
    fn condition(&self, node: &Node, sections: &BTreeSet<Section>) -> Option<Where> {
        match node {
            Node::Leaf(at) => {
                let own = self.leaves.get(*at)?.tokens.iter();
                let own = own.filter(|((collector, _), at)| {
                    sections.contains(&Section { epoch: at.epoch, collector: *collector })
                });
                let mut tokens: Vec<TokenText> = own.map(|((_, token), _)| TokenText(token.0)).collect();
                tokens.sort_unstable();
                (!tokens.is_empty()).then_some(Where::Any(tokens))
            }
            Node::Unlike(_) => None,
            Node::All(parts) => {
                let asked = parts.iter().filter(|part| !matches!(part, Node::Unlike(_)));
                let parts: Option<Vec<Where>> = asked.map(|part| self.condition(part, sections)).collect();
                one_or(parts?, Where::And)
            }
            Node::Any(parts) => {
                one_or(parts.iter().filter_map(|part| self.condition(part, sections)).collect(), Where::Or)
            }
        }
    }

    /// Tokens of which every matching record of a section has one, as few records as can be: `weigh` says how many records
    /// have a token.
    pub fn cover(&self, section: Section, weigh: &impl Fn(Token) -> u64) -> BTreeSet<Token> {
        self.covered(&self.root, section, weigh).map(|(_, tokens)| tokens).unwrap_or_default()
    }

    fn covered(
        &self,
        node: &Node,
        section: Section,
        weigh: &impl Fn(Token) -> u64,
    ) -> Option<(u64, BTreeSet<Token>)> {
        match node {
            Node::Leaf(at) => {
                let own = self.leaves.get(*at)?.tokens.iter();
                let own = own.filter(|((collector, _), at)| {
                    *collector == section.collector && at.epoch == section.epoch
                });
                let tokens: BTreeSet<Token> = own.map(|((_, token), _)| *token).collect();
                Some((tokens.iter().map(|token| weigh(*token)).sum(), tokens))
            }
            Node::Unlike(_) => None,
            Node::All(parts) => {
                let parts = parts.iter().filter_map(|part| self.covered(part, section, weigh));
                parts.min_by_key(|(weight, _)| *weight)
            }
            Node::Any(parts) => {
                let mut all = (0_u64, BTreeSet::new());
                for part in parts {
                    let (weight, tokens) = self.covered(part, section, weigh)?;
                    all.0 = all.0.saturating_add(weight);
                    all.1.extend(tokens);
                }
                Some(all)
            }
        }
    }

    /// Holds a record against the question by its signed tokens; `unlike` says whether a `!=` leaves it in.
    pub(crate) fn is_met(
        &self,
        collector: MemberId,
        tokens: &BTreeSet<Token>,
        unlike: &dyn Fn(&Unlike) -> bool,
    ) -> bool {
        self.met(&self.root, collector, tokens, unlike)
    }

    fn met(
        &self,
        node: &Node,
        collector: MemberId,
        tokens: &BTreeSet<Token>,
        unlike: &dyn Fn(&Unlike) -> bool,
    ) -> bool {
        let part = |part: &Node| self.met(part, collector, tokens, unlike);
        match node {
            Node::Leaf(at) => self.leaves.get(*at).is_some_and(|leaf| {
                tokens.iter().any(|token| leaf.tokens.contains_key(&(collector, *token)))
            }),
            Node::Unlike(own) => unlike(own),
            Node::All(parts) => parts.iter().all(part),
            Node::Any(parts) => parts.iter().any(part),
        }
    }

    /// The tokens of a record that it was looked for by: what its fields must bear out.
    pub(crate) fn claimed<'a>(
        &'a self,
        collector: MemberId,
        tokens: &'a BTreeSet<Token>,
    ) -> impl Iterator<Item = (Token, &'a Lookup)> {
        self.leaves.iter().flat_map(move |leaf| {
            let own =
                tokens.iter().filter_map(move |token| Some((*token, leaf.tokens.get(&(collector, *token))?)));
            own.filter_map(|(token, at)| Some((token, leaf.lookups.get(at.lookup)?)))
        })
    }
}

fn one_or(mut parts: Vec<Where>, join: fn(Vec<Where>) -> Where) -> Option<Where> {
    match parts.len() {
        0 => None,
        1 => parts.pop(),
        _ => Some(join(parts)),
    }
}

#[cfg(test)]
mod tests;
