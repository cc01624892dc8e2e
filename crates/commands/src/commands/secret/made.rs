//! What stores of keys, certificates and passwords do beyond keeping: generate, show the public half, expire.

use super::about;
use crate::args::Place;
use crate::client::{Ask, ClientError};
use crate::commands::Session;
use crate::error::CliError;
use crate::output;
use serde_json::{Map, Value, json};
use strongroom_api::{Endpoint, ExpiringList, SecretGenerated, SecretPublic};

pub(super) async fn generate(
    session: &Session,
    place: &Place,
    wanted: Vec<(String, Value)>,
    cas: Option<u64>,
) -> Result<(), CliError> {
    let parameters: Map<String, Value> = wanted.into_iter().collect();
    let mut body = json!({ "parameters": parameters });
    if let Some((body, cas)) = body.as_object_mut().zip(cas) {
        body.insert("cas".to_owned(), cas.into());
    }
    let ask = about(Endpoint::GenerateSecret, place).json(&body);
    let Some(answer) = session.shown(ask).await? else { return Ok(()) };
    let made: SecretGenerated = answer.read()?;
    let facts = made.facts.map_or_else(String::new, |facts| format!(" {facts}"));
    output::line(&format!("Generated {} version {}.{facts}", place.path, made.version))
}

pub(super) async fn public(
    session: &Session,
    place: &Place,
    version: Option<u64>,
    field: Option<&str>,
) -> Result<(), CliError> {
    let version = version.map(|version| version.to_string());
    let ask = about(Endpoint::ReadPublic, place).maybe("version", version.as_deref());
    // a field is no JSON, whatever the environment would have
    let answer = match field {
        Some(_) => Some(session.client.ask(ask).await?),
        None => session.shown(ask).await?,
    };
    let Some(answer) = answer else { return Ok(()) };
    let public: SecretPublic = answer.read()?;
    let text = printed(&public.public, field).ok_or_else(|| {
        ClientError::from(<serde_json::Error as serde::de::Error>::custom("there is no such field"))
    })?;
    output::value(text.as_bytes())
}

/// A field, or what a program would be given: the certificate with its chain, else the request, else the key.
fn printed(public: &Value, field: Option<&str>) -> Option<String> {
    let text = |name: &str| Some(public.get(name)?.as_str()?.to_owned());
    if let Some(field) = field {
        return text(field).or_else(|| public.get(field).map(Value::to_string));
    }
    let Some(certificate) = text("certificate") else { return text("csr").or_else(|| text("public_key")) };
    let chain = public.get("chain").and_then(Value::as_array);
    let above = chain.into_iter().flatten().filter_map(Value::as_str);
    Some(std::iter::once(certificate.as_str()).chain(above).collect())
}

pub(super) async fn expiring(session: &Session, within: u32) -> Result<(), CliError> {
    let ask = Ask::of(Endpoint::ListExpiring).query("within_secs", &within.to_string());
    let Some(answer) = session.shown(ask).await? else { return Ok(()) };
    let list: ExpiringList = answer.read()?;
    let rows = list.secrets.into_iter().map(|found| {
        let subject =
            found.facts.as_ref().and_then(|facts| facts.get("subject")?.as_str().map(str::to_owned));
        let state = if found.expired { "expired" } else { "expires" };
        vec![state.to_owned(), found.expires, found.store, found.path, subject.unwrap_or_default()]
    });
    session.out.table(&["", "WHEN", "STORE", "PATH", "SUBJECT"], rows)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_is_given_what_it_needs() {
        let whole = json!({ "certificate": "c", "chain": ["d", "e"], "csr": "r", "public_key": "k" });
        assert_eq!(printed(&whole, None).as_deref(), Some("cde"));
        assert_eq!(printed(&whole, Some("csr")).as_deref(), Some("r"));
        assert_eq!(printed(&whole, Some("chain")).as_deref(), Some(r#"["d","e"]"#));
        assert_eq!(printed(&whole, Some("absent")), None);
        assert_eq!(printed(&json!({ "csr": "r", "public_key": "k" }), None).as_deref(), Some("r"));
        assert_eq!(printed(&json!({ "public_key": "k", "bits": 2048 }), None).as_deref(), Some("k"));
    }
}
