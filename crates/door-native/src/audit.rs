//! The trail.

use crate::Door;
use crate::answer::{self, hex, time, unhex};
use crate::body;
use crate::fault::Fault;
use crate::request::{Context, Query};
use axum::body::Body;
use bytes::Bytes;
use http::header::HeaderValue;
use http::{Response, StatusCode};
use strongroom_ambient::UnixMillis;
use strongroom_api::{
    Checkpoint as WireCheckpoint, Code, NDJSON, TrailPage, TrailRecord, TrailSegment, TrailSegments,
    VerifyReport, VerifyRequest,
};
use strongroom_gate::{Checkpoint, Decision, Trail, TrailHead, Verdict};
use strongroom_operator::{
    ListSegments, ReadTrail, SegmentLine, SignCheckpoint, TrailExport, TrailFilter, TrailFound, TrailLine,
    VerifyTrail,
};

type Answered = Result<Response<Body>, Fault>;

const DEFAULT_PAGE: u64 = 100;
const MAX_PAGE: u64 = 10_000;

const FILTERS: [&str; 10] =
    ["from", "limit", "tail", "user", "action", "resource", "decision", "outcome", "since", "until"];

pub(crate) async fn read(door: &Door, context: &Context) -> Answered {
    let query = context.query(&FILTERS)?;
    let limit = query.number("limit")?.unwrap_or(DEFAULT_PAGE);
    if limit == 0 || limit > MAX_PAGE {
        return Err(Fault::new(Code::InvalidRequest, format!("limit is from 1 to {MAX_PAGE}")));
    }
    let tail = match query.text("tail") {
        None | Some("false") => false,
        Some("true" | "") => true,
        Some(_) => return Err(Fault::new(Code::InvalidRequest, "tail is true or false")),
    };
    let (from, filter) = (query.number("from")?, filter(&query)?);
    let permit = door.gate.admit::<ReadTrail>(&context.caller, Trail).await?;
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let found = door.operator.search_trail(permit, from, limit, tail, &filter).await?;
    let TrailFound { lines, head, oldest, next } = door.gate.release(found).await?;
    let entries = lines.into_iter().map(record).collect();
    answer::json(&TrailPage { entries, head, oldest, next })
}

fn filter(query: &Query) -> Result<TrailFilter, Fault> {
    let text = |name: &str| query.text(name).filter(|text| !text.is_empty()).map(str::to_owned);
    let bad =
        |name: &str, good: &str| Fault::new(Code::InvalidRequest, format!("query field {name} is {good}"));
    let moment = |name: &'static str| {
        let parse = |text: String| {
            let time: Result<jiff::Timestamp, _> = text.parse();
            time.map(|time| UnixMillis(time.as_millisecond())).map_err(|_| bad(name, "a moment, RFC 3339"))
        };
        text(name).map(parse).transpose()
    };
    let decision = text("decision").map(|name| {
        let known = [Decision::Allowed, Decision::Refused].into_iter().find(|known| known.name() == name);
        known.ok_or_else(|| bad("decision", "allowed or refused"))
    });
    let verdict = text("outcome").map(|name| {
        let known = (0..=u8::MAX).filter_map(Verdict::from_code).find(|known| known.name() == name);
        known.ok_or_else(|| bad("outcome", "done, released, not_found, refused, failed or abandoned"))
    });
    Ok(TrailFilter {
        user: text("user"),
        action: text("action"),
        resource: text("resource"),
        decision: decision.transpose()?,
        verdict: verdict.transpose()?,
        since: moment("since")?,
        until: moment("until")?,
    })
}

pub(crate) async fn segments(door: &Door, context: &Context) -> Answered {
    context.query(&[])?;
    let permit = door.gate.admit::<ListSegments>(&context.caller, Trail).await?;
    let lines = door.gate.release(door.operator.list_segments(permit).await?).await?;
    let segments = lines.into_iter().map(segment).collect();
    answer::json(&TrailSegments { segments })
}

fn segment(line: SegmentLine) -> TrailSegment {
    TrailSegment {
        path: line.path,
        first: line.segment.first,
        last: line.segment.last.seq,
        hash: hex(&line.segment.last.hash),
        digest: hex(&line.segment.digest),
        bytes: line.segment.bytes,
        time: time(line.segment.time),
        present: line.present,
    }
}

fn some(text: String) -> Option<String> {
    Some(text).filter(|text| !text.is_empty())
}

fn record(line: TrailLine) -> TrailRecord {
    let outcome = Verdict::from_code(line.verdict).map_or("unknown", Verdict::name).to_owned();
    let (seq, hash) = (line.seq, hex(&line.hash));
    match line.record {
        Ok(record) => {
            let who = record.who;
            TrailRecord {
                seq,
                time: time(record.time),
                request_id: record.request.to_string(),
                action: record.action.name().to_owned(),
                decision: record.decision.name().to_owned(),
                outcome,
                access_key_id: who.as_ref().and_then(|who| who.key).map(|key| key.to_string()),
                token: who.as_ref().and_then(|who| who.token).map(|token| token.to_string()),
                user: who.and_then(|who| some(who.name)),
                origin: some(record.origin),
                resource: some(record.resource),
                rule: some(record.rule),
                note: some(record.note),
                hash,
            }
        }
        Err(fault) => TrailRecord {
            seq,
            time: String::new(),
            request_id: String::new(),
            action: "unreadable".to_owned(),
            decision: "unknown".to_owned(),
            outcome,
            user: None,
            access_key_id: None,
            token: None,
            origin: None,
            resource: None,
            rule: None,
            note: Some(fault.to_string()),
            hash,
        },
    }
}

pub(crate) async fn export(door: &Door, context: &Context) -> Answered {
    let from = context.query(&["from"])?.number("from")?.unwrap_or(1);
    let permit = door.gate.admit::<ReadTrail>(&context.caller, Trail).await?;
    let export = door.gate.release(door.operator.export_trail(permit, from).await?).await?;
    let chunks = futures_util::stream::unfold(Some(export), |export| async move {
        let mut export: TrailExport = export?;
        match export.next().await {
            Ok(lines) if lines.is_empty() => None,
            Ok(lines) => Some((ndjson(lines), Some(export))),
            // what has begun well ends with a problem in its last line
            Err(fault) => {
                tracing::warn!(%fault, "export of the trail broke off");
                Some((answer::last_line(&fault.into()), None))
            }
        }
    });
    Ok(answer::raw(StatusCode::OK, HeaderValue::from_static(NDJSON), Body::from_stream(chunks)))
}

fn ndjson(lines: Vec<TrailLine>) -> Result<Bytes, std::io::Error> {
    let mut chunk = Vec::with_capacity(lines.len() * 320);
    for line in lines {
        serde_json::to_writer(&mut chunk, &record(line))?;
        chunk.push(b'\n');
    }
    Ok(Bytes::from(chunk))
}

pub(crate) async fn verify(door: &Door, context: &Context, body: &Bytes) -> Answered {
    let wanted: VerifyRequest =
        if body.is_empty() { VerifyRequest::default() } else { body::json(context, body)? };
    let against = wanted.against.map(|wire| decode(&wire)).transpose()?;
    let permit = door.gate.admit::<VerifyTrail>(&context.caller, Trail).await?;
    let held = door.operator.verify_trail(permit, against.as_ref()).await?;
    let report = door.gate.release(held).await?;
    answer::json(&VerifyReport {
        ok: report.bad.is_none(),
        entries: report.entries,
        checkpoints: report.checkpoints,
        segments: report.segments,
        segment: report.segment,
        first_bad: report.bad.map(|(seq, _)| seq),
        fault: report.bad.map(|(_, fault)| fault.to_string()),
        restored_at: report.restored_at,
    })
}

pub(crate) async fn checkpoint(door: &Door, context: &Context) -> Answered {
    let permit = door.gate.admit::<SignCheckpoint>(&context.caller, Trail).await?;
    let signed = door.operator.sign_checkpoint(permit).await?;
    answer::json(&encode(&signed))
}

/// A checkpoint on the wire.
pub(crate) fn encode(checkpoint: &Checkpoint) -> WireCheckpoint {
    WireCheckpoint {
        format: 1,
        incarnation: hex(&checkpoint.incarnation),
        seq: checkpoint.head.seq,
        hash: hex(&checkpoint.head.hash),
        time: time(checkpoint.time),
        public_key: hex(&checkpoint.public_key),
        signature: hex(&checkpoint.signature),
    }
}

fn decode(wire: &WireCheckpoint) -> Result<Checkpoint, Fault> {
    let parse = || {
        let time: jiff::Timestamp = wire.time.parse().ok()?;
        Some(Checkpoint {
            incarnation: unhex(&wire.incarnation)?.try_into().ok()?,
            head: TrailHead { seq: wire.seq, hash: unhex(&wire.hash)?.try_into().ok()? },
            time: UnixMillis(time.as_millisecond()),
            public_key: unhex(&wire.public_key)?.try_into().ok()?,
            signature: unhex(&wire.signature)?,
        })
    };
    if wire.format != 1 {
        return Err(Fault::new(Code::InvalidRequest, "checkpoint has an unknown format"));
    }
    parse().ok_or_else(|| Fault::new(Code::InvalidRequest, "checkpoint is malformed"))
}
