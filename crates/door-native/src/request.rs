//! What every handler is given: the caller, the path's parts, the query.

use crate::Door;
use crate::fault::Fault;
use crate::route::{Params, decode};
use http::request::Parts;
use strongroom_api::{Code, Endpoint, INIT_TOKEN_HEADER, Method, REQUEST_ID_HEADER};
use strongroom_crypto::sha256_parts;
use strongroom_identity::IdentityError;
use strongroom_model::{Action, Caller, Credential, Name, Origin, Repeat, RequestId, SecretPath, UserId};

/// A request, decoded but for its body.
pub(crate) struct Context {
    pub(crate) caller: Caller,
    pub(crate) parts: Parts,
    params: Params,
    named: bool,
}

impl Context {
    pub(crate) fn new(door: &Door, _: Endpoint, parts: Parts, params: Params) -> Result<Self, Fault> {
        let origin = parts.extensions.get::<Origin>().copied();
        let origin = origin.ok_or_else(|| Fault::internal("request without an origin"))?;
        let named = match parts.headers.get(REQUEST_ID_HEADER) {
            Some(value) => {
                let id = value.to_str().ok().and_then(|text| text.parse::<RequestId>().ok());
                Some(id.ok_or_else(|| Fault::new(Code::InvalidRequest, "x-request-id is not a UUID"))?)
            }
            None => None,
        };
        let request = named.unwrap_or_else(|| RequestId(door.gate.ambient().uuid_v7()));
        let caller = Caller::anonymous(origin, request);
        Ok(Self { caller, parts, params, named: named.is_some() })
    }

    /// Takes the one-time token of an installation, if it is the right one.
    pub(crate) fn present_install_token(&mut self, door: &Door) {
        let token = self.parts.headers.get(INIT_TOKEN_HEADER).and_then(|value| value.to_str().ok());
        if token.is_some_and(|token| (door.is_install_token)(token)) {
            self.caller.credential = Credential::Installation;
        }
    }

    /// Digests what would make a repetition of this request one.
    pub(crate) fn digest(&mut self, endpoint: Endpoint, body: &[u8]) {
        if endpoint.method() != Method::Get {
            let target = self.parts.uri.path_and_query().map_or("", |target| target.as_str());
            let digest = sha256_parts(&[endpoint.name().as_bytes(), b"\0", target.as_bytes(), b"\0", body]);
            self.caller.repeat = Some(Repeat { digest, named: self.named });
        }
    }

    /// Makes a caller of the token's bearer.
    pub(crate) async fn authenticate(&mut self, door: &Door, endpoint: Endpoint) -> Result<(), Fault> {
        let value = self.parts.headers.get(http::header::AUTHORIZATION).and_then(|value| value.to_str().ok());
        let token = value
            .and_then(|value| value.split_once(' '))
            .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"));
        let outcome = match token {
            Some((_, token)) => door.identity.authenticate(&mut self.caller, token).await,
            None if !door.gate.is_unlocked() => return Err(Code::Locked.into()),
            None => Err(IdentityError::Unauthenticated),
        };
        if matches!(outcome, Err(IdentityError::Unauthenticated)) {
            door.identity.turn_away(&self.caller, action_of(endpoint)).await?;
        }
        Ok(outcome?)
    }

    /// The caller's user.
    pub(crate) fn user(&self) -> UserId {
        self.caller.principal.as_ref().map(|principal| principal.user).unwrap_or_default()
    }

    /// What the path has in the place of its `at`th brace.
    pub(crate) fn param(&self, at: usize) -> &str {
        self.params.get(at).map(String::as_str).unwrap_or_default()
    }

    /// The store that the path names.
    pub(crate) fn store(&self) -> Result<Name, Fault> {
        let text = self.params.first().map(String::as_str).unwrap_or_default();
        Name::new(text).map_err(|fault| Fault::new(Code::InvalidName, format!("store name: {fault}")))
    }

    /// The first name in the path: a user's, say.
    pub(crate) fn first_name(&self, what: &str) -> Result<Name, Fault> {
        let text = self.params.first().map(String::as_str).unwrap_or_default();
        Name::new(text).map_err(|fault| Fault::new(Code::InvalidName, format!("{what} name: {fault}")))
    }

    /// A name in the path, by its place; `what` says whose.
    pub(crate) fn name(&self, place: usize, what: &str) -> Result<Name, Fault> {
        let text = self.params.get(place).map(String::as_str).unwrap_or_default();
        Name::new(text).map_err(|fault| Fault::new(Code::InvalidName, format!("{what} name: {fault}")))
    }

    /// An id in the path, by its place; `what` says whose.
    pub(crate) fn id<T: std::str::FromStr>(&self, place: usize, what: &str) -> Result<T, Fault> {
        let text = self.params.get(place).map(String::as_str).unwrap_or_default();
        text.parse().map_err(|_| Fault::new(Code::InvalidRequest, format!("{what} is not an id")))
    }

    /// The secret that the path names.
    pub(crate) fn secret_path(&self) -> Result<SecretPath, Fault> {
        let text = self.params.get(1).map(String::as_str).unwrap_or_default();
        SecretPath::new(text).map_err(|fault| Fault::new(Code::InvalidName, format!("secret path: {fault}")))
    }

    /// The query's fields, which must be among those allowed, each at most once.
    pub(crate) fn query(&self, allowed: &[&str]) -> Result<Query, Fault> {
        let bad = |text: String| Fault::new(Code::InvalidRequest, text);
        let mut fields: Vec<(String, String)> = Vec::new();
        for field in self.parts.uri.query().unwrap_or_default().split('&').filter(|field| !field.is_empty()) {
            let (name, value) = field.split_once('=').unwrap_or((field, ""));
            let decoded = decode(&name.replace('+', " ")).zip(decode(&value.replace('+', " ")));
            let (name, value) = decoded.ok_or_else(|| bad("query is not valid UTF-8".to_owned()))?;
            if !allowed.contains(&name.as_str()) {
                return Err(bad(unknown_field(allowed)));
            }
            if fields.iter().any(|(known, _)| *known == name) {
                return Err(bad(format!("query field {name} stands twice")));
            }
            fields.push((name, value));
        }
        Ok(Query(fields))
    }

    /// Whom the request is for, as it says.
    pub(crate) fn host(&self) -> &str {
        let field = self.parts.headers.get(http::header::HOST).and_then(|value| value.to_str().ok());
        let target = self.parts.uri.authority().map(http::uri::Authority::as_str);
        field.or(target).unwrap_or_default()
    }

    /// Whether the client accepts a media type by name.
    pub(crate) fn accepts(&self, media_type: &str) -> bool {
        let accept = self.parts.headers.get(http::header::ACCEPT).and_then(|value| value.to_str().ok());
        accept.is_some_and(|accept| {
            accept.split(',').any(|part| part.split(';').next().is_some_and(|name| name.trim() == media_type))
        })
    }

    /// The body's media type, without parameters.
    pub(crate) fn content_type(&self) -> Option<&str> {
        let value = self.parts.headers.get(http::header::CONTENT_TYPE)?.to_str().ok()?;
        value.split(';').next().map(str::trim)
    }
}

fn unknown_field(allowed: &[&str]) -> String {
    match allowed {
        [] => "no query field is known here".to_owned(),
        _ => format!("unknown query field; known are {}", allowed.join(", ")),
    }
}

/// A query, decoded.
pub(crate) struct Query(Vec<(String, String)>);

impl Query {
    /// A field's text.
    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// A field's truth; false if it is absent.
    pub(crate) fn flag(&self, name: &str) -> Result<bool, Fault> {
        match self.text(name) {
            None | Some("false") => Ok(false),
            Some("true") => Ok(true),
            Some(_) => {
                Err(Fault::new(Code::InvalidRequest, format!("query field {name} is neither true nor false")))
            }
        }
    }

    /// A field's number.
    pub(crate) fn number(&self, name: &str) -> Result<Option<u64>, Fault> {
        self.text(name)
            .map(|text| {
                text.parse().map_err(|_| {
                    Fault::new(Code::InvalidRequest, format!("query field {name} is not a number"))
                })
            })
            .transpose()
    }
}

/// The action under which a refused token is recorded.
fn action_of(endpoint: Endpoint) -> Action {
    use Endpoint as E;
    match endpoint {
        E::Status | E::OpenApi | E::Challenge => Action::Challenge,
        E::Init => Action::Initialise,
        E::ConfirmInit => Action::ConfirmInitialise,
        E::Unlock => Action::Unlock,
        E::Lock => Action::Lock,
        E::AddAutoUnlock => Action::AddAutoUnlock,
        E::RemoveAutoUnlock => Action::RemoveAutoUnlock,
        E::RotateRoot => Action::RotateRoot,
        E::ConfirmRotateRoot => Action::ConfirmRotateRoot,
        E::CancelRotateRoot => Action::CancelRotateRoot,
        E::DeepCheck => Action::DeepCheck,
        E::AcceptClock => Action::AcceptClock,
        E::Authorize => Action::Authorize,
        E::LookupToken => Action::LookupToken,
        E::Deauth => Action::Deauth,
        E::ExplainSelf => Action::ExplainSelf,
        E::Explain => Action::Explain,
        E::WhoCan => Action::WhoCan,
        E::CreateKeyset => Action::CreateKeyset,
        E::RotateKeyset => Action::RotateKeyset,
        E::RemoveKeyset => Action::RemoveKeyset,
        E::RotateKek => Action::RotateKek,
        E::RotateAll => Action::RotateAll,
        E::ListJobs | E::ShowJob => Action::ListJobs,
        E::CancelJob => Action::CancelJob,
        E::ListUnlockKeys => Action::ListUnlockKeys,
        E::RevokeUnlockKey => Action::RevokeUnlockKey,
        E::Login => Action::Login,
        E::RenewToken => Action::RenewToken,
        E::ListTokens => Action::ListTokens,
        E::RevokeToken | E::RevokeTokens => Action::RevokeToken,
        E::ReadSelf | E::ListOwnAccessKeys => Action::ReadSelf,
        E::AddOwnAccessKey => Action::AddOwnAccessKey,
        E::RemoveOwnAccessKey => Action::RemoveOwnAccessKey,
        E::SetOwnPassword => Action::SetOwnPassword,
        E::ListOwnTokens => Action::ListOwnTokens,
        E::RevokeOwnToken => Action::RevokeOwnToken,
        E::ListUsers => Action::ListUsers,
        E::CreateUser => Action::CreateUser,
        E::ReadUser => Action::ReadUser,
        E::UpdateUser => Action::UpdateUser,
        E::RemoveUser => Action::RemoveUser,
        E::ListAccessKeys => Action::ListAccessKeys,
        E::AddAccessKey => Action::AddAccessKey,
        E::RemoveAccessKey => Action::RemoveAccessKey,
        E::SetPassword => Action::SetPassword,
        E::RemovePassword => Action::RemovePassword,
        E::ListGroups => Action::ListGroups,
        E::CreateGroup => Action::CreateGroup,
        E::ReadGroup => Action::ReadGroup,
        E::RemoveGroup => Action::RemoveGroup,
        E::AddMember | E::RemoveMember => Action::UpdateGroup,
        E::ListAcls => Action::ListAcls,
        E::CreateAcl => Action::CreateAcl,
        E::ReadAcl => Action::ReadAcl,
        E::UpdateAcl => Action::UpdateAcl,
        E::RemoveAcl => Action::RemoveAcl,
        E::AttachToUser | E::AttachToGroup => Action::AttachAcl,
        E::DetachFromUser | E::DetachFromGroup => Action::DetachAcl,
        E::ListKeysets => Action::ListKeysets,
        E::ListStores | E::ListStoreTypes => Action::ListStores,
        E::AddSharingAdmin => Action::SharingAddAdmin,
        E::CreateStore => Action::CreateStore,
        E::ReadStore => Action::ReadStore,
        E::ConfigureStore => Action::ConfigureStore,
        E::RemoveStore => Action::RemoveStore,
        E::ListSecrets => Action::ListSecrets,
        E::GetSecret => Action::GetSecret,
        E::PutSecret => Action::PutSecret,
        E::RemoveSecret => Action::RemoveSecret,
        E::GenerateSecret => Action::GenerateSecret,
        E::ReadPublic => Action::ReadPublic,
        E::DeleteSecret => Action::DeleteSecret,
        E::UndeleteSecret => Action::UndeleteSecret,
        E::DestroySecret => Action::DestroySecret,
        E::ListExpiring => Action::ListExpiring,
        E::ReadMetadata => Action::ReadMetadata,
        E::ReadTrail | E::ExportTrail => Action::ReadTrail,
        E::ListSegments => Action::ListSegments,
        E::VerifyTrail => Action::VerifyTrail,
        E::Checkpoint => Action::Checkpoint,
        E::CreateBackup => Action::CreateBackup,
    }
}
