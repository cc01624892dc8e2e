//! `strongroom query`: asks, checks, opens, writes.

mod watch;

use super::enroll;
use crate::args::{QueryArgs, QueryFormat, QueryKind, QueryWord};
use crate::error::CliError;
use crate::output;
use crate::prompt;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;
use strongroom_ambient::Ambient;
use strongroom_member::{Config, Program, Session};
use strongroom_query::{
    Asked, Bound, Client, CopyFolder, DEFAULT_LIMIT, Exchange, Fields, Format, LocalCopy, Options,
    OutputFile, Question, Searcher, Signers, Summary, Synced, sink, sync,
};
use watch::Watching;

/// What can go wrong with a search.
#[derive(Debug, thiserror::Error)]
pub(crate) enum QueryError {
    /// The query is not understood.
    #[error("query: {0}")]
    Language(#[from] strongroom_query::LanguageError),
    /// The same bound in the query and beside it.
    #[error("the query says `{word}` already: leave out {option}")]
    TwoTimes {
        /// Its word.
        word: &'static str,
        /// The option.
        option: &'static str,
    },
    /// A time that no calendar has, or that ends before it begins.
    #[error("-f and -t leave no time between them")]
    NoTime,
    /// The configuration's fields.
    #[error("{path}: {source}", path = path.display())]
    Fields {
        /// The configuration.
        path: PathBuf,
        /// What is wrong.
        source: strongroom_query::FieldsError,
    },
    /// The search.
    #[error(transparent)]
    Search(#[from] strongroom_query::SearchError),
    /// The copy.
    #[error(transparent)]
    Sync(#[from] strongroom_query::SyncError),
    /// The file.
    #[error(transparent)]
    Output(#[from] strongroom_query::OutputError),
    /// Not all is as it should be.
    #[error("not all is as it should be: {count} findings, see above")]
    Findings {
        /// How many.
        count: u64,
    },
    /// Somebody stopped it.
    #[error("interrupted: this is not the whole answer, and no file was written")]
    Interrupted,
}

impl QueryError {
    /// Whether the command line is wrong.
    pub(crate) fn is_usage(&self) -> bool {
        match self {
            Self::Language(_) | Self::TwoTimes { .. } | Self::NoTime => true,
            Self::Search(error) => matches!(error, strongroom_query::SearchError::Plan(_)),
            _ => false,
        }
    }

    /// Whether the reader of the output went away.
    pub(crate) fn is_unread(&self) -> bool {
        matches!(self, Self::Search(strongroom_query::SearchError::Output(error))
            if error.kind() == io::ErrorKind::BrokenPipe)
    }
}

/// Does what the command line says.
pub(crate) async fn run(args: QueryArgs) -> Result<(), CliError> {
    if let Some(QueryWord::Enroll(args)) = &args.word {
        return enroll::run(args).await;
    }
    // before anything is asked of anybody
    let ambient = Ambient::system();
    let question = args.question.as_deref().map(|text| understood(text, &args, &ambient)).transpose()?;
    let path = args.config.clone().unwrap_or_default();
    let config = Config::read(&path, args.secrets.as_deref())?;
    config.ignored.iter().for_each(|own| {
        output::note(&format!("{}:{}: {} is ignored: {}", path.display(), own.line, own.key, own.why));
    });
    let fields = strongroom_query::fields(&config);
    let fields = fields.map_err(|source| QueryError::Fields { path: path.clone(), source })?;
    if !strongroom_member::is_enrolled(&config)? && prompt::somebody_there() {
        output::note("This member has no keys yet: they are made and registered now, with its password.");
        enroll::with(&config, None, enroll::Wanted::default()).await?;
    }
    let session = Session::open(&config, Program::Query, ambient)?;
    let mut watching = Watching::start();
    let stop = watching.stop();
    let run = Run { args: &args, session: &session, fields: &fields };
    tokio::select! {
        done = run.all(question.as_ref(), &mut watching) => done,
        () = stop => Err(QueryError::Interrupted.into()),
    }
}

/// The query with what the options say of its time.
fn understood(text: &str, args: &QueryArgs, ambient: &Ambient) -> Result<Question, QueryError> {
    let now = jiff::Timestamp::from_millisecond(ambient.now().0).unwrap_or_default();
    let mut question = Question::read(text, now)?;
    let happened = &mut question.happened;
    let ends = [
        (&mut happened.after, args.from, args.left, "since", "-f"),
        (&mut happened.before, args.to, args.right, "until", "-t"),
    ];
    for (end, given, inclusive, word, option) in ends {
        let Some(seconds) = given else { continue };
        let at = jiff::Timestamp::from_second(seconds).map_err(|_| QueryError::NoTime)?;
        if end.replace(Bound { at, inclusive }).is_some() {
            return Err(QueryError::TwoTimes { word, option });
        }
    }
    if question.happened.is_empty() { Err(QueryError::NoTime) } else { Ok(question) }
}

struct Run<'a> {
    args: &'a QueryArgs,
    session: &'a Session,
    fields: &'a Fields,
}

impl Run<'_> {
    async fn all(&self, question: Option<&Question>, watching: &mut Watching) -> Result<(), CliError> {
        let manifest = self.session.refresh().await?;
        let signers = Signers::of(&manifest.manifest);
        let waits = |wait: Duration| output::note(&format!("asked too often: waiting {} s", wait.as_secs()));
        let client = Client { session: self.session, waits: &waits };
        let mut findings = 0;
        let synced = match &self.args.sync {
            None => None,
            Some(path) => {
                let folder = CopyFolder::open(path).map_err(|error| QueryError::Sync(error.into()))?;
                let synced = sync(&folder, &client, &client, &signers, watching);
                let synced = synced.await.map_err(QueryError::from)?;
                watching.pause();
                tell_copy(&synced);
                findings += synced.findings;
                Some((folder, synced))
            }
        };
        if let Some(question) = question {
            let mut asked = Asked::ask(question, self.fields, &client).await.map_err(QueryError::from)?;
            if self.args.prove {
                asked = asked.and_heads(&client).await.map_err(QueryError::from)?;
            }
            let epochs = asked.epochs().into_iter().chain([manifest.epoch()]).collect();
            let reader = self.session.reader(&epochs).await?;
            let searching = Searching { run: self, signers: &signers, reader: &reader };
            let summary = match &synced {
                None => searching.search(&client, asked, watching).await?,
                Some((folder, _)) => {
                    let copy = LocalCopy::new(folder).map_err(|error| QueryError::Sync(error.into()))?;
                    searching.search(&copy, asked, watching).await?
                }
            };
            watching.pause();
            tell(&summary, synced.as_ref().map(|(_, synced)| synced));
            findings += summary.findings;
            if summary.is_stopped {
                return Err(QueryError::Interrupted.into());
            }
        }
        if findings > 0 { Err(QueryError::Findings { count: findings }.into()) } else { Ok(()) }
    }
}

struct Searching<'a> {
    run: &'a Run<'a>,
    signers: &'a Signers,
    reader: &'a strongroom_query::Reader,
}

impl Searching<'_> {
    /// Searches into the output: a file is there whole or not at all.
    async fn search(
        &self,
        exchange: &impl Exchange,
        asked: Asked<'_>,
        watching: &mut Watching,
    ) -> Result<Summary, CliError> {
        let args = self.run.args;
        let path = args.out.as_deref().filter(|path| *path != Path::new("-"));
        let Some(path) = path else {
            let mut out = BufWriter::new(io::stdout().lock());
            return Ok(self.fill(&mut out, exchange, asked, watching).await?);
        };
        let mut file = OutputFile::create(path, self.run.session.ambient()).map_err(QueryError::from)?;
        let summary = self.fill(&mut file, exchange, asked, watching).await?;
        if summary.is_stopped {
            return Err(QueryError::Interrupted.into());
        }
        file.keep().map_err(QueryError::from)?;
        Ok(summary)
    }

    async fn fill(
        &self,
        out: &mut dyn Write,
        exchange: &impl Exchange,
        asked: Asked<'_>,
        watching: &mut Watching,
    ) -> Result<Summary, QueryError> {
        let args = self.run.args;
        let is_count = args.kind == QueryKind::Count;
        let limit = args.limit.unwrap_or(DEFAULT_LIMIT);
        let options = Options { is_count, is_proving: args.prove, limit, page: args.batch_size };
        let fields = self.run.fields;
        let searcher = Searcher { exchange, reader: self.reader, signers: self.signers, fields, options };
        let mut rows = sink(format(args.format), args.ids, self.run.session.ambient(), out);
        let summary = searcher.search(asked, &mut *rows, watching).await?;
        drop(rows);
        if is_count {
            let written = writeln!(out, "Count: {}", summary.shown).and_then(|()| out.flush());
            written.map_err(strongroom_query::SearchError::Output)?;
        }
        Ok(summary)
    }
}

fn format(format: QueryFormat) -> Format {
    match format {
        QueryFormat::Ndjson => Format::Ndjson,
        QueryFormat::Table => Format::Table,
        QueryFormat::Csv => Format::Csv,
        QueryFormat::Stix => Format::Stix,
    }
}

/// What a search did, beside its answer.
fn tell(summary: &Summary, synced: Option<&Synced>) {
    let word = if summary.is_word { " by the exchange's word" } else { "" };
    let mut parts = vec![format!("{} records{word}", summary.shown)];
    let counts = [
        (summary.sealed_fields, "fields sealed"),
        (summary.left_out, "left out"),
        (summary.undecided, "undecided: what decides is sealed"),
        (summary.repeated, "given again"),
        (summary.broken, "broken"),
        (summary.poisoned, "with a poisoned index"),
    ];
    parts
        .extend(counts.iter().filter(|(count, _)| *count > 0).map(|(count, what)| format!("{count} {what}")));
    output::note(&parts.join(", "));
    for (collector, fields) in &summary.refused {
        let fields = fields.iter().cloned().collect::<Vec<_>>().join(", ");
        output::note(&format!("not searched: collector {collector} does not let you search {fields}"));
    }
    if summary.is_limited {
        output::note("there may be more: the limit is reached");
    }
    if summary.is_stopped {
        output::note("interrupted: there may be more");
    }
    match synced {
        Some(synced) if synced.is_proven() && !summary.is_limited && !summary.is_stopped => {
            output::note("completeness: proven up to the heads that collectors posted");
        }
        Some(_) => output::note("completeness: not proven"),
        None => output::note(&summary.completeness.to_string()),
    }
}

fn tell_copy(synced: &Synced) {
    output::note(&format!("copy: {} new records of {} collectors", synced.new, synced.collectors.len()));
    for (collector, extent) in &synced.collectors {
        let strongroom_query::Extent { first, last, head, is_proven, .. } = extent;
        let kept =
            if *first > 1 { format!(", the exchange keeps none before {first}") } else { String::new() };
        let word = match (head, is_proven) {
            (_, true) => "complete".to_owned(),
            (None, false) => "not proven: it has posted no head".to_owned(),
            (Some(head), false) => format!("not proven up to its head, {head}"),
        };
        output::note(&format!("  {collector}: records to {last}{kept}: {word}"));
    }
    if synced.is_stopped {
        output::note("interrupted: the copy is not finished");
    }
}
