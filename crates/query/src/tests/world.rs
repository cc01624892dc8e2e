//! An authority, two collectors and an exchange, all in memory; the exchange lies as it is told to.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use data_encoding::{BASE64, HEXLOWER};
use strongroom_abe::{AttributeSet, MasterKey, Policy, RightKeys, Suite};
use strongroom_ambient::{Ambient, FakeClock, SeededEntropy, UnixMillis};
use strongroom_blindindex::{Form, IndexRoot, Networks, Spec, Term, Token};
use strongroom_crypto::PrivateKey;
use strongroom_envelope::{
    Batch, BatchHeader, Chain, KeyBundle, PlainField, PolicyAndSuite, PolicySet, ProofBuilder, ProofTree,
    Reader, SealedRecord, Signed, attributes_at,
};
use strongroom_sharing::authority::{AskTokens, Head, Manifest, MemberOf, TokenOf, Tokens, Wanted};
use strongroom_sharing::exchange::{
    AskProofs, Batches, Count, EpochProof, Found, HeadAt, Page, Proofs, Query, Where,
};
use strongroom_sharing::{BatchId, MemberId, SignedText, TokenText};

use crate::*;

pub(crate) const NORTH: MemberId = MemberId([0x4e; 16]);
pub(crate) const SOUTH: MemberId = MemberId([0x53; 16]);
/// An epoch that has ended, and the present one.
pub(crate) const EPOCHS: [u64; 2] = [3, 4];
const POLICIES: [&str; 2] = ["ANALYST", "UNR"];

/// A record before it is sealed: JSON, and whether its index is a lie.
pub(crate) type Plain<'a> = &'a [(&'a str, &'a str, u16)];

pub(crate) struct World {
    pub(crate) ambient: Ambient,
    master: MasterKey,
    pub(crate) root: IndexRoot,
    signers: BTreeMap<MemberId, PrivateKey>,
    chains: RefCell<BTreeMap<MemberId, Chain>>,
    pub(crate) exchange: FakeExchange,
}

/// Records and headers, and what is done to them before they are given.
#[derive(Default)]
pub(crate) struct FakeExchange {
    pub(crate) records: RefCell<Vec<(u64, Vec<u8>)>>,
    pub(crate) headers: RefCell<HashMap<BatchId, Vec<u8>>>,
    pub(crate) proofs: RefCell<HashMap<(MemberId, u64), Signature>>,
    pub(crate) lie: RefCell<Option<Lie>>,
    pub(crate) asked: RefCell<Vec<Query>>,
}

/// A collector's word and what it is on.
type Signature = (SignedText, Arc<ProofTree>);
pub(crate) type Lie = Box<dyn Fn(&mut Vec<Vec<u8>>)>;

impl World {
    pub(crate) fn new(seed: u64) -> Self {
        let ambient = Ambient {
            clock: Arc::new(FakeClock::at(UnixMillis(0))),
            entropy: Arc::new(SeededEntropy::new(seed)),
        };
        let master = MasterKey::generate(&ambient, 2).unwrap();
        let root = IndexRoot::generate(&ambient);
        let signer = || PrivateKey::ed25519_from_seed(&ambient.random()).unwrap();
        let signers = BTreeMap::from([(NORTH, signer()), (SOUTH, signer())]);
        let chains = [NORTH, SOUTH].map(|collector| (collector, Chain::new(collector)));
        let exchange = FakeExchange::default();
        Self { ambient, master, root, signers, chains: RefCell::new(chains.into()), exchange }
    }

    /// Two collectors' records, in both epochs.
    pub(crate) fn filled() -> Self {
        let world = Self::new(11);
        for (collector, epoch) in [(NORTH, 3), (SOUTH, 3), (NORTH, 4)] {
            let day = if epoch == 3 { "2026-11-01" } else { "2026-11-09" };
            let time = format!("\"{day}T10:00:00Z\"");
            let hit = |port: &'static str| {
                [
                    ("src_ip", "\"203.0.113.7\"", 0),
                    ("port", port, 0),
                    ("time", time.as_str(), 0),
                    ("host", "\"a.example.org\"", 0),
                    ("note", "\"for us\"", 1),
                ]
            };
            let miss = [("src_ip", "\"198.51.100.9\"", 0), ("port", "22", 0), ("note", "\"other\"", 1)];
            world.seal(collector, epoch, &[&hit("22"), &hit("23"), &miss]);
        }
        world.end_epoch(NORTH, 3);
        world.end_epoch(SOUTH, 3);
        world
    }

    pub(crate) fn fields() -> Fields {
        let mut fields = Fields::default();
        let networks = Some(Networks::new(&[24], &[]).unwrap());
        fields.search("src_ip", FieldSpec { networks, days: true, ..FieldSpec::default() });
        fields.search("host", FieldSpec { suffixes: true, ..FieldSpec::default() });
        fields.search("port", FieldSpec::default());
        fields.timestamp("time");
        fields
    }

    fn policies(&self, epoch: u64) -> PolicySet {
        let given =
            |text: &&str| PolicyAndSuite { policy: Policy::parse(text).unwrap(), suite: Suite::Pairing };
        let all: Vec<_> = POLICIES.iter().map(given).collect();
        let rights = RightKeys::of(&self.master, &[]);
        PolicySet::prepare(self.master.public(), epoch, &all, &rights).unwrap()
    }

    pub(crate) fn reader(&self, names: &[&str]) -> Reader {
        let mut bundle = KeyBundle::default();
        for epoch in EPOCHS {
            let own = attributes_at(&AttributeSet::parse(names.iter().copied()).unwrap(), epoch).unwrap();
            bundle.epochs.insert(epoch, self.master.member_key(&self.ambient, &own).to_bytes());
        }
        bundle.rights = strongroom_abe::RightSecrets::none().to_bytes();
        Reader::with_bundle(self.master.public().clone(), &bundle).unwrap()
    }

    /// The tokens that an honest collector puts beside a field.
    pub(crate) fn tokens(&self, collector: MemberId, epoch: u64, name: &str, value: &str) -> Vec<Token> {
        let form = Form::usual(name, value);
        let networks = Some(Networks::new(&[24], &[]).unwrap()).filter(|_| name == "src_ip");
        let spec = Spec { form, networks, suffixes: name == "host", days: name == "src_ip" };
        let key = self.root.collector_epoch(&collector.to_string(), epoch).field(name);
        let day = if epoch == 3 { 20_758 } else { 20_766 };
        spec.tokens(&key, value, Some(day)).unwrap()
    }

    pub(crate) fn seal(&self, collector: MemberId, epoch: u64, records: &[Plain<'_>]) {
        let sealed: Vec<(Plain<'_>, Vec<Token>)> = records
            .iter()
            .map(|record| {
                let indexed = record.iter().filter(|(name, _, _)| ["src_ip", "port", "host"].contains(name));
                let tokens = indexed.flat_map(|(name, value, _)| {
                    self.tokens(collector, epoch, name, value.trim_matches('"'))
                });
                (*record, tokens.collect())
            })
            .collect();
        self.seal_with(collector, epoch, &sealed);
    }

    /// Seals records with tokens as they are given.
    pub(crate) fn seal_with(&self, collector: MemberId, epoch: u64, records: &[(Plain<'_>, Vec<Token>)]) {
        let (mut batch, header) = Batch::begin(&self.ambient, collector, &self.policies(epoch)).unwrap();
        self.exchange.headers.borrow_mut().insert(header.batch(), header.to_bytes());
        let index = self.root.collector_epoch(&collector.to_string(), epoch);
        let mut chains = self.chains.borrow_mut();
        let chain = chains.get_mut(&collector).unwrap();
        for (record, tokens) in records {
            let fields: Vec<PlainField<'_>> = record
                .iter()
                .map(|(name, value, policy)| PlainField {
                    label: index.field_label(name).0,
                    name,
                    value: value.as_bytes(),
                    policy: *policy,
                })
                .collect();
            let mut out = Vec::new();
            batch.seal(chain, &self.signers[&collector], &fields, tokens, &mut out).unwrap();
            self.exchange.records.borrow_mut().push((epoch, out));
        }
    }

    /// What a collector says at the end of an epoch.
    pub(crate) fn end_epoch(&self, collector: MemberId, epoch: u64) {
        let (mut builder, mut numbers) = (ProofBuilder::new(), Vec::new());
        for (own, bytes) in self.exchange.records.borrow().iter() {
            let record = SealedRecord::parse(bytes).unwrap();
            if *own == epoch && record.id().collector == collector {
                numbers.push(record.id().sequence);
                builder.add(record.id().sequence, &record.digest(), record.tokens());
            }
        }
        let tree = builder.finish();
        let word = EpochProof {
            collector,
            epoch,
            first: numbers[0],
            last: *numbers.last().unwrap(),
            root: HEXLOWER.encode(&tree.root()),
            leaves: u64::try_from(tree.leaves().len()).unwrap(),
        };
        let signed = Signed::sign(&word, &self.signers[&collector], "strongroom sharing epoch v1").unwrap();
        self.exchange.proofs.borrow_mut().insert((collector, epoch), (signed.into_text(), Arc::new(tree)));
    }

    /// A second chain of a collector, from its beginning: what only the collector itself can do.
    pub(crate) fn forget_chain(&self, collector: MemberId) {
        self.chains.borrow_mut().insert(collector, Chain::new(collector));
    }

    pub(crate) fn signers(&self) -> Signers {
        self.signers_in(4)
    }

    fn signers_in(&self, epoch: u64) -> Signers {
        Signers::of(&self.manifest(epoch))
    }

    /// What the authority says.
    pub(crate) fn manifest(&self, epoch: u64) -> Manifest {
        let member = |(id, key): (&MemberId, &PrivateKey)| MemberOf {
            id: *id,
            signing_keys: vec![BASE64.encode(key.public_key().unwrap().spki())],
            active: true,
            replaced: Vec::new(),
        };
        Manifest {
            authority: String::new(),
            signing_key: String::new(),
            epoch,
            epoch_since: 0,
            issued_at: 0,
            max_age_secs: 900,
            token_keys: BTreeMap::new(),
            members: self.signers.iter().map(member).collect(),
            revoked: Vec::new(),
            ended_before: BTreeMap::new(),
            ended: BTreeSet::new(),
        }
    }

    /// The head that a collector posted.
    pub(crate) fn head(&self, collector: MemberId) -> SignedText {
        let chains = self.chains.borrow();
        let chain = &chains[&collector];
        let (sequence, digest) = (chain.next_sequence() - 1, HEXLOWER.encode(chain.previous()));
        let head = Head { collector, sequence, digest, at: 7 };
        Signed::sign(&head, &self.signers[&collector], "strongroom sharing head v1").unwrap().into_text()
    }

    /// Searches as a reader with these attributes; rows as JSON, and what was said.
    pub(crate) fn search(&self, names: &[&str], text: &str, options: Options) -> Outcome {
        self.search_at(&self.exchange, names, text, options).unwrap()
    }

    /// The same in a later epoch.
    pub(crate) fn search_in(&self, epoch: u64, names: &[&str], text: &str, options: Options) -> Outcome {
        self.search_with(&self.exchange, &self.signers_in(epoch), names, text, options).unwrap()
    }

    pub(crate) fn search_at(
        &self,
        exchange: &impl Exchange,
        names: &[&str],
        text: &str,
        options: Options,
    ) -> Result<Outcome, SearchError> {
        self.search_with(exchange, &self.signers(), names, text, options)
    }

    pub(crate) fn search_with(
        &self,
        exchange: &impl Exchange,
        signers: &Signers,
        names: &[&str],
        text: &str,
        options: Options,
    ) -> Result<Outcome, SearchError> {
        let now = "2026-11-22T12:00:00Z".parse().unwrap();
        let question = Question::read(text, now).unwrap();
        let (reader, fields) = (self.reader(names), Self::fields());
        let mut watch = Watched::default();
        let mut out = Vec::new();
        let summary = block_on(async {
            let asked = Asked::ask(&question, &fields, self).await?.and_heads(self).await?;
            let searcher = Searcher { exchange, reader: &reader, signers, fields: &fields, options };
            let mut rows = sink(Format::Ndjson, true, &self.ambient, &mut out);
            searcher.search(asked, &mut *rows, &mut watch).await
        })?;
        let rows = String::from_utf8(out).unwrap();
        let rows = rows.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        Ok(Outcome { rows, summary, findings: watch.findings })
    }
}

pub(crate) struct Outcome {
    pub(crate) rows: Vec<serde_json::Value>,
    pub(crate) summary: Summary,
    pub(crate) findings: Vec<Finding>,
}

impl Outcome {
    /// Ids of what was shown, in order.
    pub(crate) fn ids(&self) -> Vec<String> {
        let mut ids: Vec<String> =
            self.rows.iter().map(|row| row["_record"]["id"].as_str().unwrap().to_owned()).collect();
        ids.sort();
        ids
    }
}

#[derive(Default)]
pub(crate) struct Watched {
    pub(crate) findings: Vec<Finding>,
    pub(crate) stop: bool,
}

impl Watch for Watched {
    fn finding(&mut self, finding: &Finding) {
        self.findings.push(finding.clone());
    }

    fn progress(&mut self, _: &Summary) {}

    fn is_stopped(&self) -> bool {
        self.stop
    }
}

pub(crate) fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(future)
}

impl Authority for World {
    async fn tokens(&self, ask: &AskTokens) -> Result<Tokens, AskError> {
        let form = Form::named(&ask.form).unwrap();
        let canonical = |value: &str| strongroom_blindindex::Canonical::lenient(form, value).unwrap();
        let term = |wanted: &Wanted| match wanted {
            Wanted::Exact(value) => Term::Exact(canonical(value)),
            Wanted::OnDay(value, day) => Term::Day { value: canonical(value), day: *day },
            Wanted::Network(network) => {
                Term::Network(strongroom_blindindex::Canonical::new(Form::Cidr, network).unwrap())
            }
            Wanted::Suffix(suffix) => Term::suffix(suffix).unwrap(),
        };
        let every = |wanted: &Wanted| {
            let term = term(wanted);
            let mut tokens = Vec::new();
            for collector in [NORTH, SOUTH] {
                for epoch in EPOCHS {
                    let key = self.root.collector_epoch(&collector.to_string(), epoch).field(&ask.field);
                    tokens.push(TokenOf { collector, epoch, token: TokenText(term.token(&key).0) });
                }
            }
            tokens
        };
        Ok(Tokens { tokens: ask.values.iter().map(every).collect(), refused: Vec::new() })
    }

    async fn heads(&self) -> Result<Vec<SignedText>, AskError> {
        // who has sent nothing has told of nothing
        let chains = self.chains.borrow();
        let told = chains.iter().filter(|(_, chain)| chain.next_sequence() > 1);
        Ok(told.map(|(collector, _)| self.head(*collector)).collect())
    }
}

fn meets(condition: &Where, record: &SealedRecord<'_>) -> bool {
    match condition {
        Where::Any(tokens) => record.tokens().any(|token| tokens.contains(&TokenText(token.0))),
        Where::And(parts) => parts.iter().all(|part| meets(part, record)),
        Where::Or(parts) => parts.iter().any(|part| meets(part, record)),
    }
}

impl FakeExchange {
    fn found(&self, query: &Query) -> Vec<Vec<u8>> {
        self.asked.borrow_mut().push(query.clone());
        let records = self.records.borrow();
        let own = records.iter().map(|(_, bytes)| bytes);
        let met = own.filter(|bytes| meets(&query.condition, &SealedRecord::parse(bytes).unwrap()));
        let mut found: Vec<Vec<u8>> = met.cloned().collect();
        if let Some(lie) = &*self.lie.borrow() {
            lie(&mut found);
        }
        found
    }
}

impl Exchange for FakeExchange {
    async fn page(&self, query: &Query) -> Result<Page, AskError> {
        let found = self.found(query);
        let from: usize = query.cursor.as_deref().map_or(0, |cursor| cursor.parse().unwrap());
        let most = usize::try_from(query.limit.unwrap()).unwrap();
        let page = found.iter().skip(from).take(most);
        let page = page.map(|bytes| Found { record: BASE64.encode(bytes), hour: 500_000 }).collect();
        let cursor = (from + most < found.len()).then(|| (from + most).to_string());
        Ok(Page { records: page, cursor })
    }

    async fn count(&self, query: &Query) -> Result<Count, AskError> {
        Ok(Count { count: u64::try_from(self.found(query).len()).unwrap() })
    }

    async fn batches(&self, batches: &[BatchId]) -> Result<Batches, AskError> {
        let headers = self.headers.borrow();
        let header = |batch: &BatchId| headers.get(batch).map(|bytes| BASE64.encode(bytes));
        Ok(Batches { headers: batches.iter().map(header).collect() })
    }

    async fn proofs(&self, ask: &AskProofs) -> Result<Proofs, AskError> {
        let proofs = self.proofs.borrow();
        let Some((signed, tree)) = proofs.get(&(ask.collector, ask.epoch)) else {
            return Ok(Proofs { signed: None, paths: Vec::new() });
        };
        let path = |token: &TokenText| BASE64.encode(&tree.path(&Token(token.0)).to_bytes());
        Ok(Proofs { signed: Some(signed.clone()), paths: ask.tokens.iter().map(path).collect() })
    }

    async fn heads(&self) -> Result<Vec<HeadAt>, AskError> {
        Ok(Vec::new())
    }

    async fn records(&self, collector: MemberId, from: u64) -> Result<Vec<Found>, AskError> {
        let records = self.records.borrow();
        let own = records.iter().map(|(_, bytes)| bytes.clone());
        let mut own: Vec<Vec<u8>> = own
            .filter(|bytes| {
                let id = SealedRecord::parse(bytes).unwrap().id();
                id.collector == collector && id.sequence >= from
            })
            .collect();
        if let Some(lie) = &*self.lie.borrow() {
            lie(&mut own);
        }
        own.truncate(2);
        Ok(own.iter().map(|bytes| Found { record: BASE64.encode(bytes), hour: 500_000 }).collect())
    }
}

/// A header of the exchange's, for tests that swap them.
pub(crate) fn header_of(bytes: &[u8]) -> BatchHeader {
    BatchHeader::parse(bytes).unwrap()
}

/// A public key of nobody here, as manifests have it.
pub(crate) fn another_key() -> String {
    let key = PrivateKey::ed25519_from_seed(&[77; 32]).unwrap();
    BASE64.encode(key.public_key().unwrap().spki())
}
