//! The OpenAPI 3.1 document, from the table.
//!
//! Methods, paths, names and summaries are the rows'; [`shape`] adds which types go in and out, by an exhaustive
//! match, so that a new row does not compile without its types.

mod parameters;

use crate::{
    Access, AccessKeyInfo, AccessKeyList, AclInfo, AclList, AddAccessKeyRequest, AddOwnAccessKeyRequest,
    AddSharingAdminRequest, AuthorizeRequest, AutoUnlockAdded, ChallengeRequest, ChallengeResponse,
    CheckReport, Checkpoint, ConfigureStoreRequest, ConfirmInitRequest, CreateAclRequest, CreateGroupRequest,
    CreateKeysetRequest, CreateStoreRequest, CreateUserRequest, Endpoint, ExpiringList, ExplainReport,
    GenerateSecretRequest, GroupInfo, GroupList, INIT_TOKEN_HEADER, InitRequest, JobInfo, JobList, JobsBegun,
    KeysetCreated, KeysetList, LoginRequest, Method, NDJSON, NewToken, NewUnlockKeys, PREFIX, Problem,
    PutSecretRequest, REQUEST_ID_HEADER, RenewTokenRequest, RotateRootRequest, SecretGenerated, SecretListed,
    SecretMetadata, SecretPage, SecretPublic, SecretValue, SecretWritten, SetOwnPasswordRequest,
    SetPasswordRequest, SharingAdmin, StatusReport, StoreInfo, StoreList, StoreTypeList, TokenInfo,
    TokenList, TrailPage, TrailRecord, TrailSegments, UnlockKeyList, UnlockKeysRequest, UnlockProgress,
    UnlockRequest, UpdateAclRequest, UpdateUserRequest, UserCreated, UserInfo, UserList, VerifyReport,
    VerifyRequest, VersionsRequest, WhoCanReport,
};
use parameters::parameters;
use serde_json::{Map, Value, json};
use utoipa::ToSchema;

/// The document as JSON text.
pub fn openapi_json() -> String {
    let mut schemas = Schemas::default();
    let mut paths = Map::new();
    for endpoint in Endpoint::ALL.iter().copied() {
        let item = paths.entry(template(endpoint)).or_insert_with(|| json!({}));
        if let Some(item) = item.as_object_mut() {
            item.insert(endpoint.method().as_str().to_ascii_lowercase(), operation(endpoint, &mut schemas));
        }
    }
    let problem = schemas.of::<Problem>();
    let document = json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Strongroom",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "The native API. Errors are problems (RFC 9457) with a stable code.",
            "license": { "name": "Apache-2.0", "identifier": "Apache-2.0" },
        },
        "servers": [{ "url": PREFIX }],
        "paths": paths,
        "components": components(&problem, &schemas.0),
    });
    document.to_string()
}

fn components(problem: &Value, schemas: &Map<String, Value>) -> Value {
    json!({
        "schemas": schemas,
        "responses": { "Problem": {
            "description": "A problem",
            "content": { "application/problem+json": { "schema": problem } },
        } },
        "parameters": { "RequestId": {
            "name": REQUEST_ID_HEADER,
            "in": "header",
            "required": false,
            "description": "Names the request; of a write, its idempotency key: the same id and body get the \
                            recorded outcome for 24 hours.",
            "schema": { "type": "string", "format": "uuid" },
        } },
        "securitySchemes": {
            "token": { "type": "http", "scheme": "bearer" },
            "initToken": {
                "type": "apiKey",
                "in": "header",
                "name": INIT_TOKEN_HEADER,
                "description": "The one-time token that the server wrote to a file; not needed on the local \
                                socket from the server's uid or root's.",
            },
        },
    })
}

/// The schemas that something refers to.
#[derive(Default)]
struct Schemas(Map<String, Value>);

impl Schemas {
    /// A reference to a type's schema, which is kept together with those that it refers to.
    fn of<T: ToSchema>(&mut self) -> Value {
        let mut found = vec![(T::name().into_owned(), T::schema())];
        T::schemas(&mut found);
        for (name, schema) in found {
            self.0.entry(name).or_insert_with(|| serde_json::to_value(schema).unwrap_or_default());
        }
        json!({ "$ref": format!("#/components/schemas/{}", T::name()) })
    }
}

/// What goes in and out of an endpoint: media types with their schemas.
struct Shape {
    takes: Vec<(&'static str, Value)>,
    gives: Vec<(&'static str, Value)>,
}

const JSON: &str = "application/json";
const OCTETS: &str = "application/octet-stream";

impl Shape {
    fn gives<T: ToSchema>(schemas: &mut Schemas) -> Self {
        Self { takes: Vec::new(), gives: vec![(JSON, schemas.of::<T>())] }
    }

    /// Success without a body.
    fn nothing() -> Self {
        Self { takes: Vec::new(), gives: Vec::new() }
    }

    fn takes<T: ToSchema>(mut self, schemas: &mut Schemas) -> Self {
        self.takes.push((JSON, schemas.of::<T>()));
        self
    }

    fn or_takes(mut self, media_type: &'static str, schema: Value) -> Self {
        self.takes.push((media_type, schema));
        self
    }

    fn or_gives(mut self, media_type: &'static str, schema: Value) -> Self {
        self.gives.push((media_type, schema));
        self
    }
}

fn shape(endpoint: Endpoint, s: &mut Schemas) -> Shape {
    use Endpoint as E;
    match endpoint {
        E::Status => Shape::gives::<StatusReport>(s),
        E::OpenApi => Shape::nothing().or_gives(JSON, json!({ "type": "object" })),
        E::Init => Shape::gives::<NewUnlockKeys>(s).takes::<InitRequest>(s),
        E::ConfirmInit => Shape::nothing().takes::<ConfirmInitRequest>(s),
        E::Unlock => Shape::gives::<UnlockProgress>(s).takes::<UnlockRequest>(s),
        E::ConfirmRotateRoot => Shape::gives::<UnlockProgress>(s).takes::<UnlockKeysRequest>(s),
        E::AddAutoUnlock => Shape::gives::<AutoUnlockAdded>(s).takes::<UnlockKeysRequest>(s),
        E::DeepCheck => Shape::gives::<CheckReport>(s),
        E::RotateRoot => Shape::gives::<NewUnlockKeys>(s).takes::<RotateRootRequest>(s),
        E::Challenge => Shape::gives::<ChallengeResponse>(s).takes::<ChallengeRequest>(s),
        E::Authorize => Shape::gives::<NewToken>(s).takes::<AuthorizeRequest>(s),
        E::LookupToken => Shape::gives::<TokenInfo>(s),
        E::ExplainSelf | E::Explain => Shape::gives::<ExplainReport>(s),
        E::WhoCan => Shape::gives::<WhoCanReport>(s),
        E::Login => Shape::gives::<NewToken>(s).takes::<LoginRequest>(s),
        E::RenewToken => Shape::gives::<TokenInfo>(s).takes::<RenewTokenRequest>(s),
        E::ListTokens | E::ListOwnTokens => Shape::gives::<TokenList>(s),
        E::ReadSelf | E::ReadUser => Shape::gives::<UserInfo>(s),
        E::UpdateUser => Shape::gives::<UserInfo>(s).takes::<UpdateUserRequest>(s),
        E::ListUsers => Shape::gives::<UserList>(s),
        E::AddSharingAdmin => Shape::gives::<SharingAdmin>(s).takes::<AddSharingAdminRequest>(s),
        E::CreateUser => Shape::gives::<UserCreated>(s).takes::<CreateUserRequest>(s),
        E::ListOwnAccessKeys | E::ListAccessKeys => Shape::gives::<AccessKeyList>(s),
        E::AddOwnAccessKey => Shape::gives::<AccessKeyInfo>(s).takes::<AddOwnAccessKeyRequest>(s),
        E::AddAccessKey => Shape::gives::<AccessKeyInfo>(s).takes::<AddAccessKeyRequest>(s),
        E::SetOwnPassword => Shape::nothing().takes::<SetOwnPasswordRequest>(s),
        E::SetPassword => Shape::nothing().takes::<SetPasswordRequest>(s),
        E::ListGroups => Shape::gives::<GroupList>(s),
        E::CreateGroup => Shape::gives::<GroupInfo>(s).takes::<CreateGroupRequest>(s),
        E::ReadGroup => Shape::gives::<GroupInfo>(s),
        E::ListAcls => Shape::gives::<AclList>(s),
        E::CreateAcl => Shape::gives::<AclInfo>(s).takes::<CreateAclRequest>(s),
        E::ReadAcl => Shape::gives::<AclInfo>(s),
        E::UpdateAcl => Shape::gives::<AclInfo>(s).takes::<UpdateAclRequest>(s),
        E::RevokeToken
        | E::RevokeTokens
        | E::RevokeOwnToken
        | E::RemoveUser
        | E::RemoveOwnAccessKey
        | E::RemoveAccessKey
        | E::RemovePassword
        | E::RemoveGroup
        | E::AddMember
        | E::RemoveMember
        | E::RemoveAcl
        | E::AttachToUser
        | E::DetachFromUser
        | E::AttachToGroup
        | E::DetachFromGroup
        | E::Lock
        | E::RemoveAutoUnlock
        | E::CancelRotateRoot
        | E::AcceptClock
        | E::Deauth
        | E::RemoveStore
        | E::RemoveKeyset
        | E::CancelJob
        | E::RemoveSecret => Shape::nothing(),
        E::ListKeysets => Shape::gives::<KeysetList>(s),
        E::CreateKeyset => Shape::gives::<KeysetCreated>(s).takes::<CreateKeysetRequest>(s),
        E::RotateKeyset | E::ShowJob => Shape::gives::<JobInfo>(s),
        E::ListJobs => Shape::gives::<JobList>(s),
        E::RotateAll => Shape::gives::<JobsBegun>(s).takes::<UnlockKeysRequest>(s),
        E::ListUnlockKeys => Shape::gives::<UnlockKeyList>(s),
        E::RotateKek | E::RevokeUnlockKey => Shape::nothing().takes::<UnlockKeysRequest>(s),
        E::ListStores => Shape::gives::<StoreList>(s),
        E::CreateStore => Shape::gives::<StoreInfo>(s).takes::<CreateStoreRequest>(s),
        E::ReadStore => Shape::gives::<StoreInfo>(s),
        E::ConfigureStore => Shape::gives::<StoreInfo>(s).takes::<ConfigureStoreRequest>(s),
        E::ListStoreTypes => Shape::gives::<StoreTypeList>(s),
        E::ListExpiring => Shape::gives::<ExpiringList>(s),
        E::GenerateSecret => Shape::gives::<SecretGenerated>(s).takes::<GenerateSecretRequest<'_>>(s),
        E::ReadPublic => Shape::gives::<SecretPublic>(s),
        E::DeleteSecret | E::UndeleteSecret | E::DestroySecret => {
            Shape::nothing().takes::<VersionsRequest>(s)
        }
        E::ListSecrets => Shape::gives::<SecretPage>(s).or_gives(NDJSON, s.of::<SecretListed>()),
        E::GetSecret => Shape::gives::<SecretValue>(s).or_gives(OCTETS, octets()),
        E::PutSecret => {
            Shape::gives::<SecretWritten>(s).takes::<PutSecretRequest<'_>>(s).or_takes(OCTETS, octets())
        }
        E::ReadMetadata => Shape::gives::<SecretMetadata>(s),
        E::ReadTrail => Shape::gives::<TrailPage>(s),
        E::ListSegments => Shape::gives::<TrailSegments>(s),
        E::ExportTrail => Shape::nothing().or_gives(NDJSON, s.of::<TrailRecord>()),
        E::VerifyTrail => Shape::gives::<VerifyReport>(s).takes::<VerifyRequest>(s),
        E::Checkpoint => Shape::gives::<Checkpoint>(s),
        E::CreateBackup => Shape::nothing().or_gives(OCTETS, octets()),
    }
}

fn octets() -> Value {
    json!({ "type": "string", "contentMediaType": OCTETS })
}

/// The path without the star: OpenAPI knows no rest of a path, so a client must keep the slashes in it.
fn template(endpoint: Endpoint) -> String {
    endpoint.path().replace("{*", "{")
}

fn operation(endpoint: Endpoint, schemas: &mut Schemas) -> Value {
    let shape = shape(endpoint, schemas);
    let mut operation = json!({
        "operationId": endpoint.name(),
        "summary": endpoint.summary(),
        "parameters": parameters(endpoint),
        "responses": responses(endpoint, &shape),
        "security": security(endpoint.access()),
    });
    if let Some(operation) = operation.as_object_mut().filter(|_| !shape.takes.is_empty()) {
        let required = endpoint != Endpoint::VerifyTrail;
        operation.insert(
            "requestBody".to_owned(),
            json!({ "required": required, "content": content(&shape.takes) }),
        );
    }
    operation
}

fn content(media: &[(&'static str, Value)]) -> Value {
    let entries = media.iter().map(|(name, schema)| ((*name).to_owned(), json!({ "schema": schema })));
    Value::Object(entries.collect())
}

fn responses(endpoint: Endpoint, shape: &Shape) -> Value {
    let mut responses = Map::new();
    let mut success = json!({ "description": "Done" });
    if let Some(success) = success.as_object_mut().filter(|_| !shape.gives.is_empty()) {
        success.insert("content".to_owned(), content(&shape.gives));
        if endpoint == Endpoint::GetSecret {
            success.insert("headers".to_owned(), secret_headers());
        }
    }
    responses.insert(success_status(endpoint, shape).to_owned(), success);
    for status in problem_statuses(endpoint, shape) {
        responses.insert(status.to_owned(), json!({ "$ref": "#/components/responses/Problem" }));
    }
    Value::Object(responses)
}

fn success_status(endpoint: Endpoint, shape: &Shape) -> &'static str {
    match endpoint {
        Endpoint::CreateStore
        | Endpoint::CreateKeyset
        | Endpoint::CreateUser
        | Endpoint::AddAccessKey
        | Endpoint::AddOwnAccessKey
        | Endpoint::CreateGroup
        | Endpoint::AddSharingAdmin
        | Endpoint::CreateAcl => "201",
        _ if shape.gives.is_empty() => "204",
        _ => "200",
    }
}

/// Beside octets: what the JSON would have said.
fn secret_headers() -> Value {
    json!({
        "x-version": { "description": "The version; with octets", "schema": { "type": "integer" } },
        "x-kind": { "description": "With octets", "schema": { "type": "string", "enum": ["json", "bytes"] } },
    })
}

fn problem_statuses(endpoint: Endpoint, shape: &Shape) -> Vec<&'static str> {
    let write = endpoint.method() != Method::Get;
    // the network's rules may refuse anything, and a request may be for another host
    let mut statuses = vec!["400", "403", "421", "429", "500", "503"];
    let mut add = |when: bool, more: &[&'static str]| {
        if when {
            statuses.extend_from_slice(more);
        }
    };
    let proves = matches!(endpoint, Endpoint::Authorize | Endpoint::Login);
    add(endpoint.access() == Access::Token || proves, &["401"]);
    add(endpoint.path().contains('{'), &["404", "414"]);
    // a keyset or a user that is not there; oneself or one's token, gone since the request began
    let own = endpoint.path().starts_with("/self") || endpoint.path().starts_with("/auth/token");
    let may_miss = own || matches!(endpoint, Endpoint::CreateStore | Endpoint::ListTokens);
    add(may_miss && !endpoint.path().contains('{'), &["404"]);
    add(!shape.takes.is_empty(), &["408", "413", "415"]);
    add(write, &["409", "507"]);
    statuses
}

fn security(access: Access) -> Value {
    match access {
        Access::Open | Access::Unlocked => json!([]),
        Access::Installer => json!([{ "initToken": [] }, {}]),
        Access::Token => json!([{ "token": [] }]),
    }
}

#[cfg(test)]
#[path = "openapi_tests.rs"]
mod tests;
