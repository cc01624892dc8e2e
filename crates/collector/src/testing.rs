//! A collector's world for tests: an authority, an exchange, an enrolled member.

use crate::pipeline::Pipeline;
use crate::policy::{Choice, Names, PolicyFile, Rules};
use crate::record::Incoming;
use data_encoding::BASE64;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex};
use strongroom_ambient::Ambient;
use strongroom_crypto::{Digest, PublicKey};
use strongroom_envelope::{BatchHeader, OpenedField, SealedRecord};
use strongroom_member::fake::{FakeAuthority, Http, Request, Response};
use strongroom_member::{Config, Enrolment, Program, Session, enroll};
use strongroom_secret::SecretBytes;
use strongroom_sharing::BatchId;
use strongroom_sharing::exchange::Insert;

/// An exchange that takes, checks and keeps.
#[derive(Default)]
pub(crate) struct FakeExchange {
    pub(crate) records: BTreeMap<u64, Vec<u8>>,
    pub(crate) headers: BTreeMap<BatchId, Vec<u8>>,
    pub(crate) proofs: Vec<serde_json::Value>,
    /// Records that it was given once more.
    pub(crate) repeated: u64,
    /// Answers in place of its own, each given once.
    pub(crate) instead: Vec<Response>,
    /// What is taken is not answered: the connection is cut.
    pub(crate) deaf: bool,
    /// Larger bodies do not get through.
    pub(crate) most_bytes: Option<usize>,
}

impl FakeExchange {
    fn answer(&mut self, request: &Request) -> Response {
        assert_eq!(request.headers.get("x-authorization").map(String::as_str), Some("Bearer token"));
        if let Some(instead) = self.instead.pop() {
            return instead;
        }
        match request.line.as_str() {
            "POST /add/enc-data" if self.most_bytes.is_some_and(|most| request.body.len() > most) => {
                Response::of_proxy(413)
            }
            "POST /add/enc-data" => {
                let answer = self.insert(&serde_json::from_slice(&request.body).unwrap());
                if self.deaf { Response { cut: Some(1), ..answer } } else { answer }
            }
            "GET /sync/heads" => {
                let last = self.records.iter().next_back().map(|(number, bytes)| {
                    let record = SealedRecord::parse(bytes).unwrap();
                    let digest = data_encoding::HEXLOWER.encode(&record.digest());
                    serde_json::json!({"collector": record.id().collector, "first": 1, "sequence": number,
                        "digest": digest})
                });
                Response::json(200, &serde_json::json!(last.into_iter().collect::<Vec<_>>()))
            }
            line if line.starts_with("GET /sync?") => {
                let from: u64 = line.split_once("from=").unwrap().1.parse().unwrap();
                let found = |bytes: &Vec<u8>| serde_json::json!({"record": BASE64.encode(bytes), "hour": 1});
                let lines = self.records.range(from..).map(|(_, bytes)| format!("{}\n", found(bytes)));
                Response { body: lines.collect::<String>().into_bytes(), ..Response::of_proxy(200) }
            }
            "POST /proofs" => {
                self.proofs.push(serde_json::from_slice(&request.body).unwrap());
                Response::json(201, &serde_json::json!({}))
            }
            other => panic!("{other}"),
        }
    }

    fn next(&self) -> u64 {
        self.records.last_key_value().map_or(0, |(last, _)| *last) + 1
    }

    fn insert(&mut self, insert: &Insert) -> Response {
        for header in &insert.headers {
            let bytes = BASE64.decode(header.as_bytes()).unwrap();
            self.headers.insert(BatchHeader::parse(&bytes).unwrap().batch(), bytes);
        }
        let (mut accepted, mut repeated, mut refused) = (0, 0, Vec::new());
        for (at, text) in insert.records.iter().enumerate() {
            let bytes = BASE64.decode(text.as_bytes()).unwrap();
            let record = SealedRecord::parse(&bytes).unwrap();
            let refuse =
                |error: &str| serde_json::json!({"at": at, "id": record.id(), "error": error, "message": ""});
            assert!(self.headers.contains_key(&record.batch()), "a record without its header");
            match self.records.get(&record.id().sequence) {
                Some(there) if *there == bytes => repeated += 1,
                Some(_) => refused.push(refuse("conflict")),
                None if record.id().sequence == self.next() => {
                    self.records.insert(record.id().sequence, bytes);
                    accepted += 1;
                }
                None => refused.push(refuse("gap")),
            }
        }
        self.repeated += repeated;
        let status = if refused.is_empty() { 201 } else { 409 };
        let body = serde_json::json!({"accepted": accepted, "repeated": repeated, "refused": refused,
            "next": self.next()});
        Response::json(status, &body)
    }
}

/// All of it.
pub(crate) struct World {
    pub(crate) home: tempfile::TempDir,
    pub(crate) authority: Arc<FakeAuthority>,
    pub(crate) exchange: Arc<Mutex<FakeExchange>>,
    pub(crate) config: Config,
    pub(crate) ambient: Ambient,
    pub(crate) rejected: Arc<Mutex<Vec<Vec<u8>>>>,
}

pub(crate) fn incoming(json: &str) -> Incoming {
    Incoming { json: json.as_bytes().to_vec(), mark: None }
}

/// Everything for the attribute `A`; the field `ip` can be searched.
pub(crate) fn rules() -> Arc<Rules> {
    let default = Choice { line: 1, policy: "A".to_owned(), post_quantum: false };
    let index = Names { exact: vec![(2, "ip".to_owned())], regex: Vec::new() };
    let file = PolicyFile { default: Some(default), index, ..PolicyFile::default() };
    Arc::new(Rules::compile(&file).unwrap())
}

pub(crate) fn config(home: &Path, kms: &str, exchange: &str) -> Config {
    let text = format!(
        "kms_access_key: token\nkms: {{url: '{kms}'}}\nbackend_server: {{url: '{exchange}'}}\n\
         spool: {{keep_free_bytes: 0}}\n"
    );
    Config::parse(&text, &home.join("config.yaml"), None).unwrap()
}

impl World {
    /// An enrolled member of a new authority, and an empty exchange.
    pub(crate) async fn new() -> Self {
        let (authority, kms) = FakeAuthority::start(&["A"]);
        let exchange = Arc::new(Mutex::new(FakeExchange::default()));
        let own = exchange.clone();
        let http = Http::start(move |request| own.lock().unwrap().answer(request)).unwrap();
        let home = tempfile::tempdir().unwrap();
        let config = config(home.path(), &kms.url(), &http.url());
        let ambient = Ambient::system();
        let password = SecretBytes::new(b"password".to_vec());
        enroll(&config, &ambient, Enrolment { password, username: None, last: None, replace: false })
            .await
            .unwrap();
        Self { home, authority, exchange, config, ambient, rejected: Arc::default() }
    }

    /// A collector that was just started.
    pub(crate) fn pipeline(&self) -> Arc<Pipeline> {
        let session = Session::open(&self.config, Program::Collector, self.ambient.clone()).unwrap();
        let told = self.rejected.clone();
        let rejected =
            Box::new(move |incoming: &Incoming, _: &_| told.lock().unwrap().push(incoming.json.clone()));
        let (batch, spool) = (self.config.batch, &self.config.spool);
        Arc::new(Pipeline::open(Arc::new(session), rules(), batch, spool, rejected).unwrap())
    }

    /// What the exchange has, opened by a reader with all keys, in the order of the chain, each record checked.
    pub(crate) async fn opened(&self, pipeline: &Pipeline) -> Vec<String> {
        let session = pipeline.session();
        let epochs = (1..=self.authority.known().epoch).collect();
        let reader = session.reader(&epochs).await.unwrap();
        let (headers, records) = {
            let exchange = self.exchange.lock().unwrap();
            (exchange.headers.clone(), exchange.records.clone())
        };
        let mut before: Digest = [0; 32];
        let mut all = Vec::new();
        for (number, bytes) in records {
            let record = SealedRecord::parse(&bytes).unwrap();
            let key: &PublicKey = session.identity().public();
            record.verify(key).unwrap();
            assert_eq!((record.id().sequence, *record.previous()), (number, before));
            before = record.digest();
            let header = BatchHeader::parse(&headers[&record.batch()]).unwrap();
            let opened = reader.open_batch(&header).open(&record).unwrap();
            let field = |field: &OpenedField| match field {
                OpenedField::Open { name, value, .. } => format!("{name}={value}"),
                _ => panic!("a field that does not open"),
            };
            let mut fields: Vec<String> = opened.fields.iter().map(field).collect();
            fields.sort();
            all.push(fields.join(" "));
        }
        all
    }
}
