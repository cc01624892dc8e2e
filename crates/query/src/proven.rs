//! Completeness: what collectors signed for at the end of an epoch, held against what the exchange gave.
//!
//! A collector says for each token how many of its records of the epoch have it, and a digest over them. So it is enough to
//! fetch *all* records of few tokens, of which every record in question has one, and to count.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use data_encoding::{BASE64, HEXLOWER};
use strongroom_blindindex::Token;
use strongroom_crypto::Digest;
use strongroom_envelope::{Proof, ProofPath, SealedRecord, Tally};
use strongroom_sharing::authority::Head;
use strongroom_sharing::exchange::{AskProofs, EpochProof, MAX_QUERY_TOKENS, Proofs, Where};
use strongroom_sharing::{MemberId, TokenText};

use crate::plan::{Plan, Section};
use crate::ports::{AskError, Exchange};
use crate::signers::Signers;
use crate::summary::{Completeness, Finding, Unproven};

/// What a collector signs the end of an epoch as.
const EPOCH: &str = "strongroom sharing epoch v1";
/// Tokens of one request.
const MAX_ASKED: usize = 512;

/// What collectors signed for.
#[derive(Default)]
pub(crate) struct Proven {
    sections: BTreeMap<Section, Result<HashMap<Token, Tally>, Unproven>>,
    cover: BTreeMap<Section, BTreeSet<Token>>,
    /// The first and the last record of a collector in an epoch, where it said so.
    spans: BTreeMap<MemberId, BTreeMap<u64, (u64, u64)>>,
    /// Members that told the authority of no record at all.
    silent: BTreeSet<MemberId>,
}

/// Records that came, by the tokens that were asked for.
#[derive(Default)]
pub(crate) struct Tallies {
    found: HashMap<(Section, Token), Vec<(u64, Digest)>>,
    sections: HashMap<(MemberId, Token), Section>,
}

impl Tallies {
    /// Takes a signed record; whether it has any token that was asked for.
    pub(crate) fn add(&mut self, record: &SealedRecord<'_>, tokens: &BTreeSet<Token>) -> bool {
        let collector = record.id().collector;
        let mut is_asked = false;
        for token in tokens {
            let Some(section) = self.sections.get(&(collector, *token)) else { continue };
            is_asked = true;
            self.found.entry((*section, *token)).or_default().push((record.id().sequence, record.digest()));
        }
        is_asked
    }
}

impl Proven {
    /// Asks for a collector's word on an epoch.
    pub(crate) async fn fetch(
        &mut self,
        section: Section,
        tokens: &BTreeSet<Token>,
        exchange: &impl Exchange,
        signers: &Signers,
    ) -> Result<Vec<Finding>, AskError> {
        let all: Vec<Token> = tokens.iter().copied().collect();
        let mut known = HashMap::new();
        if section.epoch >= signers.epoch() {
            self.sections.insert(section, Err(Unproven::Present));
            return Ok(Vec::new());
        }
        for asked in all.chunks(MAX_ASKED) {
            let texts = asked.iter().map(|token| TokenText(token.0)).collect();
            let ask = AskProofs { collector: section.collector, epoch: section.epoch, tokens: texts };
            match check(section, asked, &exchange.proofs(&ask).await?, signers) {
                Ok(Some((span, tallies))) => {
                    self.spans.entry(section.collector).or_default().insert(section.epoch, span);
                    known.extend(tallies);
                }
                Ok(None) => {
                    self.sections.insert(section, Err(Unproven::Missing));
                    return Ok(Vec::new());
                }
                Err(why) => {
                    self.sections.insert(section, Err(Unproven::False));
                    let Section { collector, epoch } = section;
                    return Ok(vec![Finding::Proof { collector, epoch, why }]);
                }
            }
        }
        self.sections.insert(section, Ok(known));
        Ok(Vec::new())
    }

    /// What can be said of epochs without a proof: a collector that wrote nothing in one has none. Its records before and
    /// behind such an epoch adjoin, or the last one before it is its head.
    pub(crate) fn settle(&mut self, heads: &BTreeMap<MemberId, Head>) {
        for (section, known) in &mut self.sections {
            if *known != Err(Unproven::Missing) {
                continue;
            }
            let spans = self.spans.get(&section.collector);
            let before = spans.and_then(|spans| spans.range(..section.epoch).next_back());
            let behind = spans.and_then(|spans| spans.range(section.epoch..).next());
            let head = heads.get(&section.collector);
            let is_empty = match (before, behind) {
                (Some((_, (_, last))), Some((_, (first, _)))) => last.checked_add(1) == Some(*first),
                (None, Some((_, (first, _)))) => *first == 1,
                (Some((_, (_, last))), None) => head.is_some_and(|head| head.sequence == *last),
                (None, None) => false,
            };
            if is_empty {
                *known = Ok(HashMap::new());
            } else if spans.is_none() && head.is_none() {
                self.silent.insert(section.collector);
            }
        }
    }

    /// What to ask the exchange: few tokens of each section, of which each record in question has one.
    pub(crate) fn conditions(&mut self, plan: &Plan) -> (Vec<Where>, Tallies) {
        let mut tallies = Tallies::default();
        let mut all = Vec::new();
        for (section, known) in self.sections.iter().rev() {
            let weigh = |token: Token| match known {
                // a settled epoch has nothing in it; it is asked for all the same, for the exchange may have something
                Ok(known) => known.get(&token).map_or(1, |tally| tally.count),
                Err(_) => 1,
            };
            let cover = plan.cover(*section, &weigh);
            tallies.sections.extend(cover.iter().map(|token| ((section.collector, *token), *section)));
            // what the collector says it has not need not be asked for
            all.extend(cover.iter().filter(|token| weigh(**token) > 0).map(|token| TokenText(token.0)));
            self.cover.insert(*section, cover);
        }
        (all.chunks(MAX_QUERY_TOKENS).map(|tokens| Where::Any(tokens.to_vec())).collect(), tallies)
    }

    /// Holds what came against what was signed for.
    pub(crate) fn held_against(
        self,
        mut tallies: Tallies,
        is_cut: bool,
        present: u64,
    ) -> (Completeness, Vec<Finding>) {
        let mut completeness = Completeness { is_asked: true, is_cut, ..Completeness::default() };
        let mut findings = Vec::new();
        for (section, known) in self.sections {
            let known = match known {
                Ok(known) => known,
                Err(why) => {
                    let own = |(own, _): &(Section, Token)| *own == section;
                    if why == Unproven::Missing
                        && self.silent.contains(&section.collector)
                        && !tallies.found.keys().any(own)
                    {
                        // it has told nobody of a record, and there is none
                        continue;
                    }
                    let why = if section.epoch >= present { Unproven::Present } else { why };
                    completeness.open.insert(section, why);
                    continue;
                }
            };
            if is_cut {
                continue;
            }
            let cover = self.cover.get(&section).cloned().unwrap_or_default();
            let (mut signed, mut found, mut is_whole) = (0, 0, true);
            for token in cover {
                let expected = known.get(&token).copied().unwrap_or_default();
                let came = Tally::of(tallies.found.remove(&(section, token)).unwrap_or_default());
                (signed, found) = (signed + expected.count, found + came.count);
                is_whole &= expected == came;
            }
            if is_whole {
                completeness.proven.insert(section);
            } else {
                completeness.open.insert(section, Unproven::False);
                let Section { collector, epoch } = section;
                findings.push(Finding::Withheld { collector, epoch, signed, found });
            }
        }
        (completeness, findings)
    }
}

/// The first and the last record of an epoch, and what there is of some tokens.
type Word = ((u64, u64), HashMap<Token, Tally>);

/// What a collector signed for; `None` where there is no word of it.
fn check(
    section: Section,
    tokens: &[Token],
    given: &Proofs,
    signers: &Signers,
) -> Result<Option<Word>, &'static str> {
    let Some(signed) = &given.signed else { return Ok(None) };
    let word: EpochProof = signers
        .document(section.collector, signed, EPOCH, |word: &EpochProof| word.last)
        .map_err(|_| "it is not signed by the collector")?;
    if word.collector != section.collector || word.epoch != section.epoch {
        return Err("it is of another collector or epoch");
    }
    let root = HEXLOWER.decode(word.root.as_bytes()).ok().and_then(|root| Digest::try_from(root).ok());
    let root = root.ok_or("its root is no digest")?;
    if given.paths.len() != tokens.len() {
        return Err("it does not speak of every token that was asked for");
    }
    let mut known = HashMap::new();
    for (token, path) in tokens.iter().zip(&given.paths) {
        let path = BASE64.decode(path.as_bytes()).ok().and_then(|path| ProofPath::parse(&path).ok());
        let path = path.ok_or("a path of it cannot be read")?;
        match path.verify(token, &root, word.leaves).map_err(|_| "a path of it does not lead to its root")? {
            Proof::Present(tally) => known.insert(*token, tally),
            Proof::Absent => known.insert(*token, Tally::default()),
        };
    }
    Ok(Some(((word.first, word.last), known)))
}
