//! Tokens of what a reader looks for: of collectors and epochs that it may search, and no others.

use crate::actions::AskTokens;
use crate::error::fail;
use crate::groups::MAX_FIELD_BYTES;
use crate::secrets::Secrets;
use crate::spans::{readable_epochs, set_of};
use crate::upkeep::off_the_workers;
use crate::{Attributes, AuthorityError};
use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::sync::Arc;
use strongroom_abe::{AttributeSet, Policy};
use strongroom_blindindex::{Canonical, Form, IndexRoot, Term};
use strongroom_gate::{CollectorsRecord, MemberRecord, Permit, RuleRecord, SharingView, Standing};
use strongroom_sharing::authority::{AskTokens as Asked, TokenOf, Tokens, Wanted};
use strongroom_sharing::{MemberId, TokenText};

/// Most values of one request.
pub const MAX_VALUES: usize = 64;
/// Most tokens of one answer.
pub const MAX_TOKENS: usize = 16_384;
/// Most epochs that are looked at for one request.
const MAX_SEARCHED_EPOCHS: usize = 4_096;
/// Most looks at rules and collectors for one request: some hundred milliseconds.
const MAX_STEPS: usize = 4_000_000;
/// So many looks count as one value more.
const STEPS_A_VALUE: usize = 20_000;
/// A policy is read, which takes as long as so many looks.
const PARSE_STEPS: usize = 200;

impl Attributes {
    /// Tokens of the values, one for each collector and epoch that the caller may search by this field. The permit is
    /// about `Sharing::own(&caller)`.
    pub async fn tokens(&self, permit: Permit<AskTokens>, asked: Asked) -> Result<Tokens, AuthorityError> {
        let (view, mut entry) = permit.open();
        let field = asked.field.chars().take(128).collect::<String>();
        match self.make_tokens(&view, asked).await {
            Ok(tokens) if view.still_holds() => {
                let count: usize = tokens.tokens.iter().map(Vec::len).sum();
                entry.note(format!("field {field}: {} values, {count} tokens", tokens.tokens.len()));
                self.release(entry, tokens).await
            }
            Ok(_) => fail(entry, AuthorityError::Unauthenticated).await,
            Err(fault) => {
                let fault = told(fault);
                fail(entry, fault).await
            }
        }
    }

    async fn make_tokens(&self, view: &SharingView, asked: Asked) -> Result<Tokens, AuthorityError> {
        let authority = self.ready(view).await?;
        let me = view.me().filter(|me| me.standing == Standing::Active && !me.admin);
        let me = me.ok_or(AuthorityError::Unauthenticated)?;
        let terms = terms_of(&asked)?;
        let (from, to) = (asked.from_epoch, asked.to_epoch);
        let (epochs, more) = readable_epochs(&me, &authority, from, to, MAX_SEARCHED_EPOCHS);
        if more {
            let expected = "a range with at most 4096 epochs";
            return Err(AuthorityError::Malformed { what: "from_epoch", expected });
        }
        let search = Search::new(view, &asked, epochs);
        let steps = search.steps();
        if steps > MAX_STEPS {
            let expected = "less: name fewer collectors, or a shorter range of epochs (rules, collectors and epochs \
                            multiply to more than 4000000 looks)";
            return Err(AuthorityError::Malformed { what: "amount of work", expected });
        }
        let (allowed, now) = (self.settings.load().values_per_minute, self.gate.ambient().clock.monotonic());
        let count = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
        // much work counts as many values, but alone it is never too many
        let values = count(terms.len());
        let work = count(steps / STEPS_A_VALUE).min(allowed.saturating_sub(values));
        let taken = self.limits.take(me.id, values.saturating_add(work), allowed, now);
        taken.map_err(|wait| AuthorityError::Throttled { wait })?;
        let secrets = Secrets::open(view).await?;
        off_the_workers(move || {
            let (places, refused) = search.places(MAX_TOKENS / terms.len().max(1))?;
            Ok(Tokens { tokens: derive(&secrets.index, &asked.field, &places, &terms), refused })
        })
        .await
    }
}

/// A value that is no value is not told back: it may be one.
fn told(fault: AuthorityError) -> AuthorityError {
    match fault {
        AuthorityError::Value(_) => {
            AuthorityError::Malformed { what: "values", expected: "of the named form" }
        }
        other => other,
    }
}

fn terms_of(asked: &Asked) -> Result<Vec<Term>, AuthorityError> {
    let wrong = |what, expected| AuthorityError::Malformed { what, expected };
    if asked.field.is_empty() || asked.field.len() > MAX_FIELD_BYTES {
        return Err(wrong("field", "the name of a field"));
    }
    if !(1..=MAX_VALUES).contains(&asked.values.len()) {
        return Err(wrong("values", "a list of 1 to 64"));
    }
    let expected = "ip, ipv4, ipv6, cidr, domain, url, email, hash, port or text";
    let form = Form::named(&asked.form).ok_or_else(|| wrong("form", expected))?;
    let term = |wanted: &Wanted| {
        Ok(match wanted {
            Wanted::Exact(value) => Term::Exact(Canonical::lenient(form, value)?),
            Wanted::Network(network) => Term::Network(Canonical::new(Form::Cidr, network)?),
            Wanted::Suffix(domain) => Term::suffix(domain)?,
            Wanted::OnDay(value, day) => Term::Day { value: Canonical::lenient(form, value)?, day: *day },
        })
    };
    asked.values.iter().map(term).collect()
}

/// What one reader may search by one field.
struct Search {
    /// Epochs that it may read, with the place of what it has in each.
    epochs: Vec<(u64, usize)>,
    /// What it has in any of them, each once: few, for attributes change seldom.
    sets: Vec<BTreeSet<String>>,
    /// Groups that say something of the field.
    groups: Vec<Arc<CollectorsRecord>>,
    field: String,
    collectors: Vec<Arc<MemberRecord>>,
    /// Rules that there are, and rules about the field.
    rules: (usize, usize),
}

/// A group, as far as the reader has to do with it.
struct Granted {
    /// Whose records; absent: everybody's.
    named: Option<HashSet<MemberId>>,
    /// For each of the reader's sets, whether it may search with it.
    with: Vec<bool>,
}

impl Search {
    fn new(view: &SharingView, asked: &Asked, readable: Vec<(u64, BTreeSet<String>)>) -> Self {
        let mut places: BTreeMap<BTreeSet<String>, usize> = BTreeMap::new();
        let mut epochs = Vec::with_capacity(readable.len());
        for (epoch, set) in readable {
            let next = places.len();
            epochs.push((epoch, *places.entry(set).or_insert(next)));
        }
        let mut sets: Vec<_> = places.into_iter().collect();
        sets.sort_by_key(|(_, place)| *place);
        let (mut groups, mut all, mut about) = (view.groups(), 0, 0);
        groups.retain(|group| {
            let own = group.rules.iter().filter(|rule| is_about(rule, &asked.field)).count();
            (all, about) = (all + group.rules.len(), about + own);
            own > 0
        });
        let only: Option<HashSet<&MemberId>> = asked.collectors.as_ref().map(|only| only.iter().collect());
        let mut collectors = view.members();
        collectors.retain(|collector| {
            let asked_for = only.as_ref().is_none_or(|only| only.contains(&collector.id));
            asked_for && !collector.signing_keys.is_empty()
        });
        let sets = sets.into_iter().map(|(set, _)| set).collect();
        Self { epochs, sets, groups, field: asked.field.clone(), collectors, rules: (all, about) }
    }

    /// How much there is to look at, in looks of some ten nanoseconds.
    fn steps(&self) -> usize {
        let (all, about) = self.rules;
        let named = self.groups.iter().filter_map(|group| group.collectors.as_ref()).map(Vec::len);
        let parsed = about.saturating_mul(PARSE_STEPS.saturating_add(self.sets.len().saturating_mul(4)));
        let of_each = self.groups.len().saturating_mul(self.sets.len()).saturating_add(self.epochs.len());
        let looked = self.collectors.len().saturating_mul(of_each.saturating_add(1));
        [all, parsed, looked, self.epochs.len()].into_iter().chain(named).fold(0, usize::saturating_add)
    }

    /// Collectors and epochs whose tokens the reader is given, and collectors of which it is given none.
    fn places(&self, most: usize) -> Result<Places, AuthorityError> {
        let sets = self.sets.iter().map(set_of).collect::<Result<Vec<AttributeSet>, _>>()?;
        let granted = self.groups.iter().map(|group| self.granted(group, &sets));
        let granted = granted.collect::<Result<Vec<Granted>, AuthorityError>>()?;
        let (mut places, mut refused) = (Vec::new(), Vec::new());
        for collector in &self.collectors {
            let names =
                |group: &&Granted| group.named.as_ref().is_none_or(|named| named.contains(&collector.id));
            let mut with = vec![false; sets.len()];
            for group in granted.iter().filter(names) {
                with.iter_mut().zip(&group.with).for_each(|(may, own)| *may |= own);
            }
            let may = |place: usize| with.get(place).copied().unwrap_or(false);
            if !self.epochs.iter().any(|(_, place)| may(*place)) {
                refused.push(collector.id);
                continue;
            }
            let allowed = self.epochs.iter().filter(|(_, place)| may(*place)).map(|(epoch, _)| *epoch);
            places.extend(
                allowed.filter(|epoch| was_there(collector, *epoch)).map(|epoch| (collector.id, epoch)),
            );
            if places.len() > most {
                let expected =
                    "fewer: name fewer collectors, or a shorter range of epochs (16384 tokens an answer)";
                return Err(AuthorityError::Malformed { what: "number of tokens", expected });
            }
        }
        Ok((places, refused))
    }

    fn granted(&self, group: &CollectorsRecord, sets: &[AttributeSet]) -> Result<Granted, AuthorityError> {
        let mut with = vec![false; sets.len()];
        for rule in group.rules.iter().filter(|rule| is_about(rule, &self.field)) {
            let policy = rule.policy.as_deref().map(Policy::parse).transpose()?;
            for (may, set) in with.iter_mut().zip(sets) {
                *may |= policy.as_ref().is_none_or(|policy| policy.is_satisfied_by(set));
            }
        }
        let named = group.collectors.as_ref().map(|named| named.iter().copied().collect());
        Ok(Granted { named, with })
    }
}

/// Collectors and epochs; and collectors that are refused.
type Places = (Vec<(MemberId, u64)>, Vec<MemberId>);

fn is_about(rule: &RuleRecord, field: &str) -> bool {
    rule.field == "*" || rule.field == field
}

/// Whether a collector was a member in an epoch, and so may have records in it.
fn was_there(collector: &MemberRecord, epoch: u64) -> bool {
    // one after the other: the last that has begun decides
    let begun = collector.spans.partition_point(|span| span.from <= epoch);
    let last = begun.checked_sub(1).and_then(|place| collector.spans.get(place));
    last.is_some_and(|span| span.to.is_none_or(|to| epoch <= to))
}

fn derive(root: &IndexRoot, field: &str, places: &[(MemberId, u64)], terms: &[Term]) -> Vec<Vec<TokenOf>> {
    let mut tokens: Vec<Vec<TokenOf>> = terms.iter().map(|_| Vec::with_capacity(places.len())).collect();
    for (collector, epoch) in places {
        let key = root.collector_epoch(&collector.to_string(), *epoch).field(field);
        for (own, term) in tokens.iter_mut().zip(terms) {
            let token = TokenText(term.token(&key).0);
            own.push(TokenOf { collector: *collector, epoch: *epoch, token });
        }
    }
    tokens
}
