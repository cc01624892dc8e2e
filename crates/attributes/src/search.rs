//! Tokens of what a reader looks for: of collectors and epochs that it may search, and no others.

use crate::actions::AskTokens;
use crate::error::fail;
use crate::groups::MAX_FIELD_BYTES;
use crate::secrets::Secrets;
use crate::spans::{readable_epochs, set_of};
use crate::upkeep::off_the_workers;
use crate::{Attributes, AuthorityError};
use std::collections::BTreeSet;
use std::sync::Arc;
use strongroom_abe::{AttributeSet, Policy};
use strongroom_blindindex::{Canonical, Form, IndexRoot, Term};
use strongroom_gate::{CollectorsRecord, MemberRecord, Permit, SharingView, Standing};
use strongroom_sharing::authority::{AskTokens as Asked, TokenOf, Tokens, Wanted};
use strongroom_sharing::{MemberId, TokenText};

/// Most values of one request.
pub const MAX_VALUES: usize = 64;
/// Most tokens of one answer.
pub const MAX_TOKENS: usize = 16_384;
/// Most epochs that are looked at for one request.
const MAX_SEARCHED_EPOCHS: usize = 4_096;

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
        let values = u32::try_from(terms.len()).unwrap_or(u32::MAX);
        let (allowed, now) = (self.settings.load().values_per_minute, self.gate.ambient().clock.monotonic());
        let taken = self.limits.take(me.id, values, allowed, now);
        taken.map_err(|wait| AuthorityError::Throttled { wait })?;
        let (from, to) = (asked.from_epoch, asked.to_epoch);
        let (epochs, more) = readable_epochs(&me, &authority, from, to, MAX_SEARCHED_EPOCHS);
        if more {
            let expected = "a range with at most 4096 epochs";
            return Err(AuthorityError::Malformed { what: "from_epoch", expected });
        }
        let search = Search::new(view, &asked.field, &epochs)?;
        let (places, refused) = search.places(view, asked.collectors.as_deref());
        if places.len().saturating_mul(terms.len()) > MAX_TOKENS {
            let expected =
                "fewer: name fewer collectors, or a shorter range of epochs (16384 tokens an answer)";
            return Err(AuthorityError::Malformed { what: "number of tokens", expected });
        }
        let secrets = Secrets::open(view).await?;
        off_the_workers(move || {
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
    /// Epochs that it may read, with what it has in each.
    epochs: Vec<(u64, AttributeSet)>,
    /// Groups that say something of the field: whose records, and the policies of who may.
    groups: Vec<(Arc<CollectorsRecord>, Vec<Option<Policy>>)>,
}

impl Search {
    fn new(
        view: &SharingView,
        field: &str,
        epochs: &[(u64, BTreeSet<String>)],
    ) -> Result<Self, AuthorityError> {
        let with_set = |(epoch, attributes): &(u64, BTreeSet<String>)| Ok((*epoch, set_of(attributes)?));
        let epochs = epochs.iter().map(with_set).collect::<Result<_, AuthorityError>>()?;
        let mut groups = Vec::new();
        for group in view.groups() {
            let about = group.rules.iter().filter(|rule| rule.field == "*" || rule.field == field);
            let policy = |text: &Option<String>| text.as_deref().map(Policy::parse).transpose();
            let policies = about.map(|rule| policy(&rule.policy)).collect::<Result<Vec<_>, _>>()?;
            if !policies.is_empty() {
                groups.push((group, policies));
            }
        }
        Ok(Self { epochs, groups })
    }

    /// Collectors and epochs whose tokens the reader is given, and collectors of which it is given none.
    fn places(&self, view: &SharingView, only: Option<&[MemberId]>) -> (Vec<(MemberId, u64)>, Vec<MemberId>) {
        let (mut places, mut refused) = (Vec::new(), Vec::new());
        for collector in view.members() {
            let asked_for = only.is_none_or(|only| only.contains(&collector.id));
            if collector.signing_keys.is_empty() || !asked_for {
                continue;
            }
            let allowed: Vec<u64> = self.allowed(&collector).collect();
            if allowed.is_empty() {
                refused.push(collector.id);
            }
            let own = allowed.into_iter().filter(|epoch| was_there(&collector, *epoch));
            places.extend(own.map(|epoch| (collector.id, epoch)));
        }
        (places, refused)
    }

    fn allowed<'s>(&'s self, collector: &MemberRecord) -> impl Iterator<Item = u64> + 's {
        let names = |group: &CollectorsRecord| {
            group.collectors.as_ref().is_none_or(|named| named.contains(&collector.id))
        };
        let of_it = self.groups.iter().filter(|(group, _)| names(group));
        let policies: Vec<&Option<Policy>> = of_it.flat_map(|(_, policies)| policies).collect();
        let allows = move |attributes: &AttributeSet| {
            policies
                .iter()
                .any(|policy| policy.as_ref().is_none_or(|policy| policy.is_satisfied_by(attributes)))
        };
        self.epochs.iter().filter(move |(_, attributes)| allows(attributes)).map(|(epoch, _)| *epoch)
    }
}

/// Whether a collector was a member in an epoch, and so may have records in it.
fn was_there(collector: &MemberRecord, epoch: u64) -> bool {
    let within = |span: &strongroom_gate::Span| span.from <= epoch && span.to.is_none_or(|to| epoch <= to);
    collector.spans.iter().any(within)
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
