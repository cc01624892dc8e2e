//! Parameters of paths and queries, with their bounds.

use crate::{Endpoint, Method};
use serde_json::{Value, json};

const CURSOR: (&str, &str, &str) =
    ("cursor", "string", "Where to go on: `next` of the page before; bound to the caller");
const LIMIT: (&str, &str, &str) = ("limit", "integer", "How many a page: 1,000 if absent, at most 10,000");
const PAGING: &[(&str, &str, &str)] = &[CURSOR, LIMIT];

/// Query parameters: name, JSON type, meaning.
fn query(endpoint: Endpoint) -> &'static [(&'static str, &'static str, &'static str)] {
    match endpoint {
        Endpoint::ListSecrets => &[
            ("prefix", "string", "Only paths that begin so"),
            ("contains", "string", "Only paths that contain this"),
            ("deleted", "boolean", "Those too whose newest version is deleted or destroyed"),
            ("cursor", "string", "Where to go on: `next` of the page before; bound to the caller"),
            ("limit", "integer", "Secrets a page: 1,000 if absent, at most 100,000"),
        ],
        Endpoint::ExplainSelf | Endpoint::Explain | Endpoint::WhoCan => &[
            ("action", "string", "An action's name, such as secret.get; or read, write, modify, delete"),
            ("store", "string", "The store that it is asked upon"),
            ("secret", "string", "The secret in the store that it is asked upon"),
        ],
        Endpoint::ListUsers | Endpoint::ListGroups | Endpoint::ListAcls => PAGING,
        Endpoint::ListTokens => &[("user", "string", "Only this user's; all of them at once"), CURSOR, LIMIT],
        Endpoint::RemoveAcl => &[("force", "boolean", "Also if it is attached: it is detached everywhere")],
        Endpoint::GetSecret | Endpoint::ReadPublic => {
            &[("version", "integer", "An earlier version; the current one if absent")]
        }
        Endpoint::ListExpiring => {
            &[("within_secs", "integer", "What expires within so many seconds: 30 days if absent")]
        }
        Endpoint::PutSecret => &[(
            "cas",
            "integer",
            "With application/octet-stream: the version that must be current; 0: the secret must not exist",
        )],
        Endpoint::ReadTrail => &[
            ("from", "integer", "The first entry's sequence number; 1 if absent"),
            ("limit", "integer", "Entries at most: 100 if absent, at most 10,000"),
            ("tail", "boolean", "The last `limit` entries instead of the first; with `from` those before it"),
            ("user", "string", "Only entries by this user"),
            ("action", "string", "Only of this action, such as secret.get, or of this area, such as secret"),
            ("resource", "string", "Only about this, or what lies in it: a store, a folder of one, a secret"),
            ("decision", "string", "Only so decided: allowed or refused"),
            (
                "outcome",
                "string",
                "Only with this outcome: done, released, not_found, refused, failed, abandoned",
            ),
            ("since", "string", "Not before this moment, RFC 3339"),
            ("until", "string", "Before this moment, RFC 3339"),
        ],
        Endpoint::ExportTrail => &[("from", "integer", "The first entry's sequence number; 1 if absent")],
        _ => &[],
    }
}

/// What a path and a query are made of, as OpenAPI has it.
pub(super) fn parameters(endpoint: Endpoint) -> Value {
    let mut parameters = Vec::new();
    for part in endpoint.path().split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}')) {
        let (name, meaning) = match part.strip_prefix('*') {
            Some(rest) => (rest, "May have several components: its slashes are not escaped"),
            None => (part, "One component, its slashes escaped"),
        };
        parameters.push(json!({
            "name": name, "in": "path", "required": true, "description": meaning,
            "schema": { "type": "string" },
        }));
    }
    for (name, kind, meaning) in query(endpoint) {
        parameters.push(json!({
            "name": name, "in": "query", "required": false, "description": meaning,
            "schema": bounds(endpoint, name, kind),
        }));
    }
    if endpoint.method() != Method::Get {
        parameters.push(json!({ "$ref": "#/components/parameters/RequestId" }));
    }
    Value::Array(parameters)
}

/// A query parameter's type with its bounds.
fn bounds(endpoint: Endpoint, name: &str, kind: &str) -> Value {
    match (endpoint, name, kind) {
        (Endpoint::ListSecrets, "limit", _) => json!({ "type": kind, "minimum": 1, "maximum": 100_000 }),
        (_, "limit", _) => json!({ "type": kind, "minimum": 1, "maximum": 10_000 }),
        (_, _, "integer") => json!({ "type": kind, "minimum": 0 }),
        _ => json!({ "type": kind }),
    }
}
