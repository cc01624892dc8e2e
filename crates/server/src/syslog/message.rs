//! Messages of RFC 5424: what an entry says, as structured data.

use crate::config::Syslog;
use std::fmt::Write as _;
use strongroom_ambient::UnixMillis;
use strongroom_door_native::checkpoint_json;
use strongroom_gate::{Checkpoint, Decision, Record, TrailEntry, TrailHead, Verdict};

/// Severities (RFC 5424, table 2).
const WARNING: u8 = 4;
const NOTICE: u8 = 5;
const INFO: u8 = 6;

/// The enterprise number of RFC 5612, for names that are registered nowhere.
const ENTERPRISE: u32 = 32_473;
const MAX_HOST_BYTES: usize = 255;

/// How messages are made.
pub(super) struct Form {
    host: String,
    pid: u32,
    facility: u8,
    plain_resources: bool,
}

impl Form {
    pub(super) fn new(config: &Syslog) -> Self {
        let system = rustix::system::uname();
        let host: String =
            system.nodename().to_string_lossy().chars().filter(char::is_ascii_graphic).collect();
        let host = if host.is_empty() || host.len() > MAX_HOST_BYTES { "-".to_owned() } else { host };
        let pid = std::process::id();
        Self { host, pid, facility: config.facility, plain_resources: config.plain_resources }
    }

    fn head(&self, severity: u8, time: Option<UnixMillis>, kind: &str) -> String {
        let priority = u16::from(self.facility) * 8 + u16::from(severity);
        let time = time.map_or_else(|| "-".to_owned(), stamp);
        format!("<{priority}>1 {time} {} strongroom {} {kind} ", self.host, self.pid)
    }

    /// An entry that could be opened. `pseudonym` gives a stand-in for what is not to be shown.
    pub(super) fn entry(
        &self,
        entry: &TrailEntry,
        record: &Record,
        pseudonym: impl Fn(&str) -> Option<[u8; 16]>,
    ) -> String {
        let verdict = Verdict::from_code(entry.verdict);
        let severity = match (record.decision, verdict) {
            (Decision::Refused, _) | (_, Some(Verdict::Refused | Verdict::Failed) | None) => WARNING,
            (_, Some(Verdict::Abandoned)) => NOTICE,
            _ => INFO,
        };
        let action = record.action.name();
        let mut message = self.head(severity, Some(record.time), action);
        let mut data = Data::begin(&mut message, "entry");
        chained(&mut data, entry);
        data.put("request", &record.request.to_string());
        data.put("action", action);
        data.put("decision", record.decision.name());
        data.put("origin", &record.origin);
        if let Some(who) = &record.who {
            data.put("user", &who.name);
            data.put("userId", &who.user.to_string());
            data.put("key", &who.key.map(|key| key.to_string()).unwrap_or_default());
            data.put("token", &who.token.map(|token| token.to_string()).unwrap_or_default());
        }
        if self.plain_resources {
            data.put("resource", &record.resource);
            data.put("rule", &record.rule);
            data.put("note", &record.note);
        } else if let Some(stand_in) = pseudonym(&record.resource).filter(|_| !record.resource.is_empty()) {
            data.put("resourceId", &hex(&stand_in));
        }
        data.end();
        let outcome = verdict.map_or("unknown", Verdict::name);
        let _ = write!(message, " {action} {} {outcome}", record.decision.name());
        message
    }

    /// An entry that could not be opened: what it shows to anyone.
    pub(super) fn sealed(&self, entry: &TrailEntry) -> String {
        let mut message = self.head(NOTICE, None, "sealed");
        let mut data = Data::begin(&mut message, "entry");
        chained(&mut data, entry);
        if let Some(request) = Record::request_of(&entry.body) {
            data.put("request", &request.to_string());
        }
        data.end();
        message.push_str(" sealed");
        message
    }

    /// A signed checkpoint, its text as a file for `audit verify --against` has it.
    pub(super) fn checkpoint(&self, checkpoint: &Checkpoint) -> String {
        let mut message = self.head(NOTICE, Some(checkpoint.time), "checkpoint");
        let mut data = Data::begin(&mut message, "checkpoint");
        data.put("seq", &checkpoint.head.seq.to_string());
        data.put("link", &hex(&checkpoint.head.hash));
        data.end();
        let _ = write!(message, " {}", checkpoint_json(checkpoint));
        message
    }

    /// The trail does not go on from what was exported.
    pub(super) fn put_back(&self, now: UnixMillis, exported: TrailHead, head: TrailHead) -> String {
        let mut message = self.head(WARNING, Some(now), "put_back");
        let mut data = Data::begin(&mut message, "trail");
        data.put("exported", &exported.seq.to_string());
        data.put("exportedLink", &hex(&exported.hash));
        data.put("head", &head.seq.to_string());
        data.put("headLink", &hex(&head.hash));
        data.end();
        message.push_str(" the trail does not go on from what was exported: it was put back or restored");
        message
    }
}

fn chained(data: &mut Data<'_>, entry: &TrailEntry) {
    data.put("seq", &entry.seq.to_string());
    data.put("link", &hex(&entry.hash));
    data.put("outcome", Verdict::from_code(entry.verdict).map_or("unknown", Verdict::name));
}

/// One element of structured data (RFC 5424, section 6.3).
struct Data<'m>(&'m mut String);

impl<'m> Data<'m> {
    fn begin(message: &'m mut String, name: &str) -> Self {
        let _ = write!(message, "[{name}@{ENTERPRISE}");
        Self(message)
    }

    /// What is empty is left out.
    fn put(&mut self, name: &str, value: &str) {
        if value.is_empty() {
            return;
        }
        let _ = write!(self.0, " {name}=\"");
        for c in value.chars() {
            match c {
                '"' | '\\' | ']' => self.0.extend(['\\', c]),
                c if c.is_control() => self.0.push('\u{fffd}'),
                c => self.0.push(c),
            }
        }
        self.0.push('"');
    }

    fn end(self) {
        self.0.push(']');
    }
}

fn stamp(moment: UnixMillis) -> String {
    jiff::Timestamp::from_millisecond(moment.0).map_or_else(|_| "-".to_owned(), |time| format!("{time:.3}"))
}

pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(2 * bytes.len()), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::SyslogAddress;
    use strongroom_gate::{ActionCode, Who};
    use strongroom_model::{RequestId, UserId};

    fn form(plain_resources: bool) -> Form {
        let address = SyslogAddress::Udp("127.0.0.1:514".to_owned());
        let config = Syslog { address, facility: 10, plain_resources, ca_file: None };
        Form { host: "vault-1".to_owned(), pid: 42, ..Form::new(&config) }
    }

    fn entry() -> (TrailEntry, Record) {
        let who = Who { user: UserId([1; 16]), name: "a\"d]a\\".to_owned(), key: None, token: None };
        let record = Record {
            request: RequestId([2; 16]),
            time: UnixMillis(1_795_305_600_000),
            action: ActionCode::GetSecret,
            decision: Decision::Refused,
            who: Some(who),
            origin: "192.0.2.1".to_owned(),
            resource: "web/db\n".to_owned(),
            rule: "no rule allows it".to_owned(),
            note: String::new(),
        };
        (TrailEntry { seq: 7, verdict: 4, body: Vec::new(), hash: [0xab; 32] }, record)
    }

    #[test]
    fn an_entry_is_a_line_of_rfc_5424_without_its_resource() {
        let (entry, record) = entry();
        let message = form(false).entry(&entry, &record, |_| Some([0xcd; 16]));
        let expected = format!(
            "<84>1 2026-11-22T00:00:00.000Z vault-1 strongroom 42 secret.get [entry@32473 seq=\"7\" \
             link=\"{}\" outcome=\"refused\" request=\"{}\" action=\"secret.get\" decision=\"refused\" \
             origin=\"192.0.2.1\" user=\"a\\\"d\\]a\\\\\" userId=\"{}\" resourceId=\"{}\"] \
             secret.get refused refused",
            "ab".repeat(32),
            record.request,
            UserId([1; 16]),
            "cd".repeat(16)
        );
        assert_eq!(message, expected);
    }

    #[test]
    fn a_resource_is_named_only_where_that_is_asked_for() {
        let (entry, record) = entry();
        let message = form(true).entry(&entry, &record, |_| None);
        assert!(message.contains(" resource=\"web/db\u{fffd}\" rule=\"no rule allows it\"]"), "{message}");
        let message = form(false).entry(&entry, &record, |_| None);
        assert!(!message.contains("web/db") && !message.contains("no rule"), "{message}");
    }
}
