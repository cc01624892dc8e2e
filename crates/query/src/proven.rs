//! Completeness: what collectors signed for at the end of an epoch, held against what the exchange gave.
//!
//! A collector says for each token how many of its records of the epoch have it, and a digest over them. So it is enough to
//! fetch *all* records of few tokens, of which every record in question has one, and to count.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use data_encoding::{BASE64, HEXLOWER};
use strongroom_blindindex::Token;
use strongroom_crypto::Digest;
use strongroom_envelope::{Proof, ProofPath, SealedRecord, Tally};
use strongroom_sharing::TokenText;
use strongroom_sharing::exchange::{AskProofs, EpochProof, MAX_QUERY_TOKENS, Proofs, Where};

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
}

/// Records that came, by the tokens that were asked for.
#[derive(Default)]
pub(crate) struct Tallies {
    found: HashMap<(Section, Token), Vec<(u64, Digest)>>,
    sections: HashMap<(strongroom_sharing::MemberId, Token), Section>,
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
                Ok(Some(tallies)) => known.extend(tallies),
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

    /// What to ask the exchange: few tokens of each section, of which each record in question has one.
    pub(crate) fn conditions(&mut self, plan: &Plan) -> (Vec<Where>, Tallies) {
        let mut tallies = Tallies::default();
        let mut all = Vec::new();
        for (section, known) in self.sections.iter().rev() {
            let weigh = |token: Token| match known {
                Ok(known) => known.get(&token).map_or(0, |tally| tally.count),
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

/// What a collector signed for of some tokens; `None` where there is no word of it.
fn check(
    section: Section,
    tokens: &[Token],
    given: &Proofs,
    signers: &Signers,
) -> Result<Option<HashMap<Token, Tally>>, &'static str> {
    let Some(signed) = &given.signed else { return Ok(None) };
    let word: EpochProof = signers
        .document(section.collector, signed, EPOCH)
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
    Ok(Some(known))
}
