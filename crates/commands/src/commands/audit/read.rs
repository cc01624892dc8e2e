//! Reading the trail: its end, a search, what has moved out.

use crate::args::{TrailFilter, When};
use crate::client::{Ask, ClientError};
use crate::commands::{Session, yes_no};
use crate::error::CliError;
use crate::output;
use serde::Deserialize;
use serde_json::value::RawValue;
use std::collections::VecDeque;
use std::time::Duration;
use strongroom_api::{Endpoint, TrailPage, TrailRecord, TrailSegments};

/// How often a followed trail is looked at.
const FOLLOW_EVERY: Duration = Duration::from_secs(1);
/// Entries that are asked for at once.
const PAGE: u64 = 1_000;
/// Own requests that are remembered, so that following does not show itself.
const OWN: usize = 64;

const HEADER: [&str; 9] =
    ["SEQ", "TIME", "ACTION", "DECISION", "OUTCOME", "USER", "FROM", "RESOURCE", "RULE"];

/// A page whose entries stay as the server wrote them.
#[derive(Deserialize)]
struct Page<'a> {
    #[serde(borrow)]
    entries: Vec<&'a RawValue>,
    head: u64,
    oldest: u64,
    next: Option<u64>,
}

fn asked(session: &Session, filter: &TrailFilter) -> Ask {
    let moment = |when: &When| match when {
        When::At(moment) => moment.to_string(),
        When::Ago(seconds) => {
            let millis = session.ambient.now().0.saturating_sub(i64::from(*seconds) * 1_000);
            jiff::Timestamp::from_millisecond(millis).map_or_else(|_| String::new(), |time| time.to_string())
        }
    };
    Ask::of(Endpoint::ReadTrail)
        .maybe("user", filter.user.as_deref())
        .maybe("action", filter.action.as_deref())
        .maybe("resource", filter.resource.as_deref())
        .maybe("decision", filter.decision.as_deref())
        .maybe("outcome", filter.outcome.as_deref())
        .maybe("since", filter.since.as_ref().map(moment).as_deref())
        .maybe("until", filter.until.as_ref().map(moment).as_deref())
}

pub(super) async fn tail(
    session: &Session,
    lines: u32,
    follow: bool,
    filter: &TrailFilter,
) -> Result<(), CliError> {
    let ask = asked(session, filter).query("tail", "true").query("limit", &lines.to_string());
    if !follow {
        let Some(answer) = session.shown(ask).await? else { return Ok(()) };
        let page: TrailPage = answer.read()?;
        return session.out.table(&HEADER, page.entries.into_iter().map(row));
    }
    let mut own = VecDeque::new();
    let mut next = follow_page(session, &ask, &mut own).await?;
    loop {
        tokio::time::sleep(FOLLOW_EVERY).await;
        let ask = asked(session, filter).query("from", &next.to_string()).query("limit", &PAGE.to_string());
        next = follow_page(session, &ask, &mut own).await?.max(next);
    }
}

/// Prints a page's entries, each as a line, without those that asking for them made. Says where to go on.
async fn follow_page(session: &Session, ask: &Ask, own: &mut VecDeque<String>) -> Result<u64, CliError> {
    let request = session.client.request_id();
    own.push_back(request.clone());
    if own.len() > OWN {
        own.pop_front();
    }
    let answer = session.client.ask_as(ask, &request).await?;
    answer.expose(|body| {
        let page: Page<'_> = serde_json::from_slice(body).map_err(ClientError::from)?;
        let mut last = page.head;
        for entry in page.entries {
            let record: TrailRecord = serde_json::from_str(entry.get()).map_err(ClientError::from)?;
            last = last.max(record.seq);
            if !own.contains(&record.request_id) {
                show_entry(session, entry, record)?;
            }
        }
        // of a tail it says where older ones are
        let forwards = !ask.has("tail");
        Ok(page.next.filter(|_| forwards).unwrap_or(last.saturating_add(1)))
    })
}

fn show_entry(session: &Session, entry: &RawValue, record: TrailRecord) -> Result<(), CliError> {
    if session.out.json() {
        return output::raw_json(entry.get().as_bytes());
    }
    output::line(&row(record).join("  "))
}

fn row(record: TrailRecord) -> Vec<String> {
    let or_dash = |text: Option<String>| text.unwrap_or_else(|| "-".to_owned());
    vec![
        record.seq.to_string(),
        record.time,
        record.action,
        record.decision,
        record.outcome,
        or_dash(record.user),
        or_dash(record.origin),
        or_dash(record.resource),
        or_dash(record.rule),
    ]
}

/// Page by page; with `--output json` one entry a line.
pub(super) async fn list(
    session: &Session,
    lines: Option<u64>,
    from: Option<u64>,
    filter: &TrailFilter,
) -> Result<(), CliError> {
    let mut left = lines.unwrap_or(u64::MAX);
    let (mut at, mut first_page) = (from.unwrap_or(1), true);
    let mut until = u64::MAX;
    while left > 0 && at <= until {
        let limit = left.min(PAGE).to_string();
        let ask = asked(session, filter).query("from", &at.to_string()).query("limit", &limit);
        let answer = session.client.ask(ask).await?;
        let (shown, head, next) = answer.expose(|body| show_page(session, body, at, first_page))?;
        // what listing itself adds is not listed
        until = until.min(head);
        left = left.saturating_sub(shown);
        let Some(next) = next else { break };
        (at, first_page) = (next, false);
    }
    Ok(())
}

/// Prints a page. Gives how many it showed, the head, and where to go on.
fn show_page(
    session: &Session,
    body: &[u8],
    from: u64,
    first: bool,
) -> Result<(u64, u64, Option<u64>), CliError> {
    let page: Page<'_> = serde_json::from_slice(body).map_err(ClientError::from)?;
    if first && from < page.oldest {
        moved_out(page.oldest);
    }
    let shown = u64::try_from(page.entries.len()).unwrap_or(u64::MAX);
    if session.out.json() {
        page.entries.iter().try_for_each(|entry| output::raw_json(entry.get().as_bytes()))?;
    } else if first || shown > 0 {
        let record = |entry: &&RawValue| serde_json::from_str(entry.get()).map(row);
        let rows: Result<Vec<_>, _> = page.entries.iter().map(record).collect();
        session.out.table(&HEADER, rows.map_err(ClientError::from)?)?;
    }
    Ok((shown, page.head, page.next))
}

/// Says where older entries are.
pub(super) fn moved_out(oldest: u64) {
    let last = oldest.saturating_sub(1);
    output::note(&format!("Entries 1 to {last} have moved out; audit segments lists where they lie."));
}

pub(super) async fn segments(session: &Session) -> Result<(), CliError> {
    let Some(answer) = session.shown(Ask::of(Endpoint::ListSegments)).await? else { return Ok(()) };
    let kept: TrailSegments = answer.read()?;
    let header = ["FIRST", "LAST", "WRITTEN", "BYTES", "PRESENT", "FILE"];
    session.out.table(
        &header,
        kept.segments.into_iter().map(|segment| {
            let present = yes_no(segment.present);
            let (first, last, bytes) = (segment.first, segment.last, segment.bytes);
            vec![first.to_string(), last.to_string(), segment.time, bytes.to_string(), present, segment.path]
        }),
    )
}
