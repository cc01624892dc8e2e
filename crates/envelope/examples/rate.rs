//! What a record costs: sealed, verified, opened, with 16 fields and 8 tokens.
//!
//! `cargo run --release -p strongroom-envelope --example rate`. Processor time of the thread, the least of ten rounds.

#![expect(clippy::print_stdout, reason = "a program that prints a table")]

use rustix::time::{ClockId, clock_gettime};
use strongroom_abe::{AttributeSet, MasterKey, Policy, RightKeys, Suite};
use strongroom_ambient::Ambient;
use strongroom_blindindex::{FieldKey, Form, IndexRoot, Token};
use strongroom_crypto::PrivateKey;
use strongroom_envelope::{
    Batch, Chain, PlainField, PolicyAndSuite, PolicySet, Reader, SealedRecord, Tally, attributes_at,
};
use strongroom_sharing::MemberId;

type Outcome<T> = Result<T, Box<dyn std::error::Error>>;

const COLLECTOR: MemberId = MemberId([7; 16]);
const RECORDS: usize = 1000;
const ROUNDS: usize = 10;
/// A record of a honeypot: name, JSON text, form of those that are indexed.
const FIELDS: [(&str, &str, Option<Form>); 16] = [
    ("timestamp", "\"2026-11-01T12:34:56.789Z\"", None),
    ("src_ip", "\"203.0.113.77\"", Some(Form::Ip)),
    ("dst_ip", "\"198.51.100.4\"", Some(Form::Ip)),
    ("src_port", "51544", Some(Form::Port)),
    ("dst_port", "22", Some(Form::Port)),
    ("protocol", "\"ssh\"", Some(Form::Text)),
    ("username", "\"root\"", Some(Form::Text)),
    ("password", "\"123456\"", None),
    ("session", "\"b7f1c1a9e2d4\"", None),
    ("eventid", "\"cowrie.login.failed\"", Some(Form::Text)),
    ("sensor", "\"honeypot-03.unr.example\"", None),
    ("hassh", "\"ec7378c1a92f5a8dde7e8b7a1ddf33d1\"", Some(Form::Hash)),
    ("client", "\"SSH-2.0-libssh2_1.10.0\"", None),
    ("command", "\"uname -a; cat /proc/cpuinfo | grep name\"", None),
    ("duration", "3.72", None),
    ("country", "\"NL\"", None),
];

struct Bench {
    batch: Batch,
    chain: Chain,
    signer: PrivateKey,
    keys: Vec<(FieldKey, Form, &'static str)>,
    labels: Vec<[u8; 16]>,
}

impl Bench {
    fn tokens(&self, scratch: &mut Vec<u8>, out: &mut Vec<Token>) -> Outcome<()> {
        out.clear();
        for (key, form, value) in &self.keys {
            out.push(key.token(*form, value, scratch)?);
        }
        Ok(())
    }

    fn seal(&mut self, tokens: &[Token], out: &mut Vec<u8>) -> Outcome<()> {
        let fields: Vec<PlainField<'_>> = FIELDS
            .iter()
            .zip(&self.labels)
            .zip((0..2).cycle())
            .map(|(((name, value, _), label), policy)| PlainField {
                label: *label,
                name,
                value: value.as_bytes(),
                policy,
            })
            .collect();
        self.batch.seal(&mut self.chain, &self.signer, &fields, tokens, out)?;
        Ok(())
    }
}

fn main() -> Outcome<()> {
    let ambient = Ambient::system();
    let master = MasterKey::generate(&ambient, 1)?;
    let policies = ["ANALYST and (CERT or UNR)", "UNR or PARTNER"];
    let given =
        |text: &&str| Policy::parse(text).map(|policy| PolicyAndSuite { policy, suite: Suite::Pairing });
    let policies: Vec<_> = policies.iter().map(given).collect::<Result<_, _>>()?;
    let set = PolicySet::prepare(master.public(), 1, &policies, &RightKeys::default())?;
    let index = IndexRoot::generate(&ambient).collector_epoch(&COLLECTOR.to_string(), 1);
    let (batch, header) = Batch::begin(&ambient, COLLECTOR, &set)?;
    let indexed = FIELDS
        .iter()
        .filter_map(|(name, value, form)| Some((index.field(name), (*form)?, value.trim_matches('"'))));
    let mut bench = Bench {
        batch,
        chain: Chain::new(COLLECTOR),
        signer: PrivateKey::ed25519_from_seed(&ambient.random())?,
        keys: indexed.collect(),
        labels: FIELDS.iter().map(|(name, ..)| index.field_label(name).0).collect(),
    };
    println!("{} tokens a record, {} fields", bench.keys.len(), bench.labels.len());
    let begin = least(1, || Ok(Batch::begin(&ambient, COLLECTOR, &set)?))?;
    println!("begin a batch of 2 policies{begin:>12.1} us");
    let record = collector(&mut bench)?;
    let attributes = attributes_at(&AttributeSet::parse(["ANALYST", "UNR"])?, 1)?;
    let mut reader = Reader::new(master.public().clone());
    reader.add_key(1, master.member_key(&ambient, &attributes));
    let open = least(5, || Ok(reader.open_batch(&header)))?;
    println!("open a batch of 2 policies {open:>12.1} us");
    let (open, record) = (reader.open_batch(&header), SealedRecord::parse(&record)?);
    row("open", least(RECORDS, || Ok(open.open(&record)?))?);
    Ok(())
}

/// What a collector and the exchange do with each record; the last one.
fn collector(bench: &mut Bench) -> Outcome<Vec<u8>> {
    let (mut scratch, mut tokens, mut out) = (Vec::new(), Vec::new(), Vec::new());
    row("tokens", least(RECORDS, || bench.tokens(&mut scratch, &mut tokens))?);
    row("sign alone", least(RECORDS, || Ok(bench.signer.sign(&[7; 53])?))?);
    let seal = least(RECORDS, || {
        out.clear();
        bench.seal(&tokens, &mut out)
    })?;
    row("seal", seal);
    println!("record of {} bytes", out.len());
    row("parse", least(RECORDS, || Ok(SealedRecord::parse(&out)?.digest()))?);
    let (record, public) = (SealedRecord::parse(&out)?, bench.signer.public_key()?);
    row("verify", least(RECORDS, || Ok(record.verify(&public)?))?);
    let mut tally = Tally::default();
    let one = least(RECORDS, || {
        tally.add(1, &record.digest());
        Ok(())
    })?;
    row("tally a token", one);
    Ok(out)
}

fn row(name: &str, us: f64) {
    println!("{name:<20}{us:>10.2} us{:>12.0}/s", 1e6 / us);
}

/// The least time of one call in some rounds of `count` calls.
fn least<T>(count: usize, mut run: impl FnMut() -> Outcome<T>) -> Outcome<f64> {
    let mut least = f64::INFINITY;
    for _ in 0..ROUNDS {
        let before = processor_us();
        for _ in 0..count {
            std::hint::black_box(run()?);
        }
        least = least.min((processor_us() - before) / f64::from(u32::try_from(count)?));
    }
    Ok(least)
}

#[expect(clippy::cast_precision_loss, reason = "processor time of a short program")]
fn processor_us() -> f64 {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    time.tv_sec as f64 * 1e6 + time.tv_nsec as f64 / 1e3
}
