use super::*;
use std::collections::BTreeSet;

fn document() -> Value {
    serde_json::from_str(&openapi_json()).unwrap()
}

fn operation_of(document: &Value, endpoint: Endpoint) -> Value {
    let method = endpoint.method().as_str().to_ascii_lowercase();
    document["paths"][template(endpoint)][method].clone()
}

/// Every `$ref` in a value.
fn references(value: &Value, found: &mut BTreeSet<String>) {
    match value {
        Value::Object(map) => {
            for (key, value) in map {
                if let (true, Some(target)) = (key == "$ref", value.as_str()) {
                    found.insert(target.to_owned());
                }
                references(value, found);
            }
        }
        Value::Array(list) => list.iter().for_each(|value| references(value, found)),
        _ => {}
    }
}

#[test]
fn every_row_is_there_and_nothing_else() {
    let document = document();
    for endpoint in Endpoint::ALL.iter().copied() {
        let operation = operation_of(&document, endpoint);
        assert_eq!(operation["operationId"], endpoint.name());
        assert_eq!(operation["summary"], endpoint.summary());
    }
    let operations: usize =
        document["paths"].as_object().unwrap().values().map(|item| item.as_object().unwrap().len()).sum();
    assert_eq!(operations, Endpoint::ALL.len());
}

#[test]
fn every_reference_resolves_and_every_schema_is_used() {
    let document = document();
    let mut found = BTreeSet::new();
    references(&document, &mut found);
    for target in &found {
        let pointer = target.strip_prefix('#').unwrap();
        assert!(document.pointer(pointer).is_some(), "{target}");
    }
    for name in document["components"]["schemas"].as_object().unwrap().keys() {
        assert!(found.contains(&format!("#/components/schemas/{name}")), "{name}");
    }
}

#[test]
fn path_parameters_match_the_template() {
    let document = document();
    for endpoint in Endpoint::ALL.iter().copied() {
        let operation = operation_of(&document, endpoint);
        let parameters = operation["parameters"].as_array().unwrap();
        let declared = parameters.iter().filter(|parameter| parameter["in"] == "path");
        let names: Vec<_> = declared.map(|parameter| parameter["name"].as_str().unwrap()).collect();
        assert_eq!(names.len(), template(endpoint).matches('{').count(), "{endpoint:?}");
        for name in names {
            assert!(template(endpoint).contains(&format!("{{{name}}}")), "{endpoint:?} {name}");
        }
    }
}

#[test]
fn each_operation_has_one_success_and_problems() {
    let document = document();
    for endpoint in Endpoint::ALL.iter().copied() {
        let operation = operation_of(&document, endpoint);
        let responses = operation["responses"].as_object().unwrap();
        let successes: Vec<_> = responses.keys().filter(|status| status.starts_with('2')).collect();
        assert_eq!(successes.len(), 1, "{endpoint:?}");
        let empty = responses[successes[0]].get("content").is_none();
        assert_eq!(empty, successes[0] == "204", "{endpoint:?}");
        assert_eq!(responses["503"]["$ref"], "#/components/responses/Problem");
    }
    let without_body = [
        Endpoint::ConfirmInit,
        Endpoint::Lock,
        Endpoint::Deauth,
        Endpoint::RemoveStore,
        Endpoint::DeleteSecret,
        Endpoint::RemoveAutoUnlock,
        Endpoint::CancelRotateRoot,
        Endpoint::AcceptClock,
        Endpoint::RevokeToken,
        Endpoint::RevokeTokens,
        Endpoint::RevokeOwnToken,
        Endpoint::RemoveUser,
        Endpoint::RemoveOwnAccessKey,
        Endpoint::RemoveAccessKey,
        Endpoint::SetOwnPassword,
        Endpoint::SetPassword,
        Endpoint::RemovePassword,
        Endpoint::RemoveGroup,
        Endpoint::AddMember,
        Endpoint::RemoveMember,
        Endpoint::RemoveAcl,
        Endpoint::AttachToUser,
        Endpoint::DetachFromUser,
        Endpoint::AttachToGroup,
        Endpoint::DetachFromGroup,
        Endpoint::CancelJob,
        Endpoint::DestroySecret,
        Endpoint::RemoveKeyset,
        Endpoint::RemoveSecret,
        Endpoint::RevokeUnlockKey,
        Endpoint::RotateKek,
        Endpoint::UndeleteSecret,
    ];
    for endpoint in Endpoint::ALL.iter().copied() {
        let empty = operation_of(&document, endpoint)["responses"].get("204").is_some();
        assert_eq!(empty, without_body.contains(&endpoint), "{endpoint:?}");
    }
    assert!(operation_of(&document, Endpoint::CreateStore)["responses"].get("201").is_some());
}

#[test]
fn whoever_needs_a_token_is_told_so() {
    let document = document();
    for endpoint in Endpoint::ALL.iter().copied() {
        let operation = operation_of(&document, endpoint);
        let needs = operation["security"] == json!([{ "token": [] }]);
        assert_eq!(needs, endpoint.access() == Access::Token, "{endpoint:?}");
        // a proof of possession that does not hold is no token either
        let may_fail = needs || matches!(endpoint, Endpoint::Authorize | Endpoint::Login);
        assert_eq!(operation["responses"].get("401").is_some(), may_fail, "{endpoint:?}");
    }
}

#[test]
fn queries_are_described() {
    let document = document();
    let names = |endpoint| -> Vec<String> {
        let operation = operation_of(&document, endpoint);
        let parameters = operation["parameters"].as_array().unwrap().clone();
        let queries = parameters.into_iter().filter(|parameter| parameter["in"] == "query");
        queries.map(|parameter| parameter["name"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(names(Endpoint::ListSecrets), ["prefix", "contains", "deleted", "cursor", "limit"]);
    assert_eq!(names(Endpoint::GetSecret), ["version"]);
    assert_eq!(names(Endpoint::PutSecret), ["cas"]);
    let trail =
        ["from", "limit", "tail", "user", "action", "resource", "decision", "outcome", "since", "until"];
    assert_eq!(names(Endpoint::ReadTrail), trail);
    assert!(names(Endpoint::Status).is_empty());
}

#[test]
fn values_and_listings_have_their_second_form() {
    let document = document();
    let content = |endpoint| operation_of(&document, endpoint)["responses"]["200"]["content"].clone();
    assert!(content(Endpoint::GetSecret).get(OCTETS).is_some());
    assert!(content(Endpoint::ListSecrets).get(NDJSON).is_some());
    assert!(content(Endpoint::ExportTrail).get(NDJSON).is_some());
    let put = operation_of(&document, Endpoint::PutSecret)["requestBody"]["content"].clone();
    assert!(put.get(OCTETS).is_some() && put.get(JSON).is_some());
}

#[test]
fn a_value_is_any_json() {
    let document = document();
    for name in ["PutSecretRequest", "SecretValue"] {
        let value = &document["components"]["schemas"][name]["properties"]["value"];
        assert!(value.is_object() && value.get("type").is_none(), "{name}: {value}");
    }
}

#[test]
fn codes_are_described_as_they_stand_on_the_wire() {
    let described = document()["components"]["schemas"]["Code"].clone();
    assert_eq!(described["type"], "string");
    let names: Vec<&str> = crate::Code::ALL.iter().map(|code| code.as_str()).collect();
    assert_eq!(described["enum"], json!(names));
    assert_eq!(serde_json::to_value(crate::Code::ALL).unwrap(), json!(names));
}
