//! The native door: JSON over HTTP, bound to the endpoint table of `strongroom-api`.
//!
//! **What it is for.** It decodes a request, turns its credential into a caller, asks the gate, calls one engine
//! function, and encodes the answer. A row of the table is bound to its function by an exhaustive match in
//! [`NativeDoor`].
//!
//! **What it does not know.** Any rule. Errors become problems in one place, `fault`; secret bytes become wire bytes
//! in one place, `secrets`.

mod acls;
mod answer;
mod audit;
mod auth;
mod backup;
mod body;
mod credentials;
mod cursor;
mod explain;
mod fault;
mod groups;
mod health;
mod keys;
mod operator;
mod request;
mod route;
mod secrets;
mod sharing;
mod stores;
mod tokens;
mod users;
mod versions;

use crate::fault::Fault;
use crate::request::Context;
use axum::body::Body;
use http::{Request, Response};
use std::convert::Infallible;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::Poll;
use strongroom_api::{Access, Code, Endpoint, Method, PREFIX};
use strongroom_attributes::Attributes;
use strongroom_crypto::MacKey;
use strongroom_gate::Gate;
use strongroom_identity::Identity;
use strongroom_model::UserId;
use strongroom_operator::Operator;
use strongroom_secret::SecretArray;

/// A checkpoint as one line of JSON, as the API gives it: for a file kept elsewhere.
pub fn checkpoint_json(checkpoint: &strongroom_gate::Checkpoint) -> String {
    serde_json::to_string(&audit::encode(checkpoint)).unwrap_or_default()
}

/// SHA-256 of the certificate that a client was shown on its connection: an extension of its requests, absent where a
/// proxy speaks TLS with the client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ShownCertificate(pub [u8; 32]);

/// What the door stands on.
pub struct Parts {
    /// The gate.
    pub gate: Arc<Gate>,
    /// The operator engine.
    pub operator: Arc<Operator>,
    /// The identity engine.
    pub identity: Arc<Identity>,
    /// The attribute authority.
    pub attributes: Arc<Attributes>,
    /// Whether a text is the one-time token of an installation.
    pub is_install_token: Box<dyn Fn(&str) -> bool + Send + Sync>,
    /// Whether a user may ask now, or has asked too often.
    pub is_paced: Box<dyn Fn(UserId) -> bool + Send + Sync>,
    /// The metrics, in Prometheus' text format.
    pub render_metrics: Box<dyn Fn() -> String + Send + Sync>,
    /// Version of the server.
    pub version: &'static str,
}

/// The door, as a service of HTTP requests. Clones share everything.
#[derive(Clone)]
pub struct NativeDoor(Arc<Door>);

pub(crate) struct Door {
    parts: Parts,
    openapi: std::sync::OnceLock<bytes::Bytes>,
    cursors: MacKey,
    meters: answer::Meters,
    routes: route::Routes,
}

impl std::ops::Deref for Door {
    type Target = Parts;

    fn deref(&self) -> &Parts {
        &self.parts
    }
}

impl NativeDoor {
    /// A door over its parts.
    pub fn new(parts: Parts) -> Self {
        let key = SecretArray::<32>::filled(|bytes| parts.gate.ambient().entropy.fill(bytes));
        Self(Arc::new(Door {
            cursors: key.expose(MacKey::new),
            openapi: std::sync::OnceLock::new(),
            meters: answer::Meters::new(),
            routes: route::Routes::new(),
            parts,
        }))
    }
}

impl std::fmt::Debug for NativeDoor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("NativeDoor")
    }
}

impl tower::Service<Request<Body>> for NativeDoor {
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Response<Body>, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut std::task::Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let door = Arc::clone(&self.0);
        Box::pin(async move { Ok(door.serve(request).await) })
    }
}

/// What is seldom asked waits on the heap, so that the future of every request is no larger than a read's.
fn boxed<'a, F: Future<Output = Result<Response<Body>, Fault>> + Send + 'a>(
    answer: F,
) -> Pin<Box<dyn Future<Output = F::Output> + Send + 'a>> {
    Box::pin(answer)
}

/// A panic ends its request, and neither the connection nor the requests beside it.
fn caught<T>(work: impl Future<Output = T>) -> impl Future<Output = Result<T, Fault>> {
    use futures_util::FutureExt as _;
    // no future of its own, which would hold the other twice
    let caught = std::panic::AssertUnwindSafe(work).catch_unwind();
    caught.map(|caught| caught.map_err(|_| Fault::internal("a handler panicked")))
}

impl Door {
    async fn serve(self: Arc<Self>, request: Request<Body>) -> Response<Body> {
        let (parts, body) = request.into_parts();
        let path = parts.uri.path();
        if health::is_path(path) {
            let answered = Box::pin(caught(health::serve(&self, parts.method.as_str(), path))).await;
            return answered.unwrap_or_else(|fault| answer::problem(&fault, None));
        }
        let found = path.strip_prefix(PREFIX).map(|path| self.routes.find(parts.method.as_str(), path));
        let (endpoint, params) = match found {
            Some(route::Found::Endpoint(endpoint, params)) => (endpoint, params),
            Some(route::Found::OtherMethod(allowed)) => return answer::other_method(&allowed),
            Some(route::Found::BadPath) => return answer::problem(&Code::InvalidName.into(), None),
            Some(route::Found::Nothing) | None => return answer::problem(&Code::UnknownRoute.into(), None),
        };
        let context = match Context::new(&self, endpoint, parts, params) {
            Ok(context) => context,
            Err(fault) => return answer::problem(&fault, None),
        };
        let request_id = context.caller.request;
        let began = self.gate.ambient().clock.monotonic();
        let door = Arc::clone(&self);
        let answered = if endpoint.method() == Method::Get {
            caught(door.handle(endpoint, context, body)).await.flatten()
        } else {
            // admitted work runs where a client's hanging up cannot cancel it
            match tokio::spawn(async move { door.handle(endpoint, context, body).await }).await {
                Ok(answered) => answered,
                Err(_) => Err(Fault::internal("the request's task ended")),
            }
        };
        let mut answer = answered.unwrap_or_else(|fault| answer::problem(&fault, Some(request_id)));
        answer::name(&mut answer, request_id);
        let took = self.gate.ambient().clock.monotonic().saturating_sub(began);
        self.meters.count(endpoint, answer.status(), took);
        answer
    }

    async fn handle(
        self: Arc<Self>,
        endpoint: Endpoint,
        mut context: Context,
        body: Body,
    ) -> Result<Response<Body>, Fault> {
        let answered = match self.take(endpoint, &mut context, body).await {
            Ok(body) => self.dispatch(endpoint, &context, &body).await,
            Err(fault) => Err(fault),
        };
        match answered {
            Err(fault) if fault.code == Code::Locked => Err(self.locked_or_new(fault).await),
            answered => answered,
        }
    }

    /// Makes a caller, then reads the body: who proved nothing is not given room for a large one.
    async fn take(
        &self,
        endpoint: Endpoint,
        context: &mut Context,
        body: Body,
    ) -> Result<bytes::Bytes, Fault> {
        context.present_install_token(self);
        let limit = match endpoint.access() {
            Access::Token => {
                context.authenticate(self, endpoint).await?;
                if !(self.is_paced)(context.user()) {
                    return Err(Code::TooManyRequests.into());
                }
                usize::MAX
            }
            Access::Open | Access::Unlocked | Access::Installer => body::STRANGERS_BYTES,
        };
        let body = body::read(body, limit).await?;
        context.digest(endpoint, &body);
        Ok(body)
    }

    /// A server without a root key is not merely locked.
    async fn locked_or_new(&self, fault: Fault) -> Fault {
        match self.gate.root_row().await {
            Ok(None) => Code::NotInitialised.into(),
            _ => fault,
        }
    }

    async fn dispatch(
        &self,
        endpoint: Endpoint,
        context: &Context,
        body: &bytes::Bytes,
    ) -> Result<Response<Body>, Fault> {
        use Endpoint as E;
        match endpoint {
            E::Status => boxed(operator::status(self, context)).await,
            E::OpenApi => Ok(health::openapi(self)),
            E::Init => boxed(operator::init(self, context, body)).await,
            E::ConfirmInit => boxed(operator::confirm_init(self, context, body)).await,
            E::Unlock => boxed(operator::unlock(self, context, body)).await,
            E::Lock => boxed(operator::lock(self, context)).await,
            E::AddAutoUnlock => boxed(operator::add_auto_unlock(self, context, body)).await,
            E::RemoveAutoUnlock => boxed(operator::remove_auto_unlock(self, context)).await,
            E::RotateRoot => boxed(operator::rotate_root(self, context, body)).await,
            E::ConfirmRotateRoot => boxed(operator::confirm_rotate_root(self, context, body)).await,
            E::CancelRotateRoot => boxed(operator::cancel_rotate_root(self, context)).await,
            E::DeepCheck => boxed(operator::deep_check(self, context)).await,
            E::AcceptClock => boxed(operator::accept_clock(self, context)).await,
            E::Challenge => boxed(auth::challenge(self, context, body)).await,
            E::Authorize => boxed(auth::authorize(self, context, body)).await,
            E::LookupToken => auth::look_up(self, context).await,
            E::Deauth => boxed(auth::deauth(self, context)).await,
            E::ExplainSelf => boxed(explain::of_self(self, context)).await,
            E::Explain => boxed(explain::of_user(self, context)).await,
            E::WhoCan => boxed(explain::who_can(self, context)).await,
            E::CreateKeyset => boxed(keys::create(self, context, body)).await,
            E::RotateKeyset => boxed(keys::rotate(self, context)).await,
            E::RemoveKeyset => boxed(keys::remove(self, context)).await,
            E::RotateKek => boxed(keys::rotate_kek(self, context, body)).await,
            E::RotateAll => boxed(keys::rotate_all(self, context, body)).await,
            E::ListJobs => boxed(keys::jobs(self, context)).await,
            E::ShowJob => boxed(keys::job(self, context)).await,
            E::CancelJob => boxed(keys::cancel_job(self, context)).await,
            E::ListUnlockKeys => boxed(keys::unlock_keys(self, context)).await,
            E::RevokeUnlockKey => boxed(keys::revoke_unlock_key(self, context, body)).await,
            E::Login => boxed(auth::login(self, context, body)).await,
            E::RenewToken => boxed(auth::renew(self, context, body)).await,
            E::ListTokens => boxed(tokens::list(self, context)).await,
            E::RevokeToken => boxed(tokens::revoke(self, context)).await,
            E::RevokeTokens => boxed(tokens::revoke_all(self, context)).await,
            E::ListOwnTokens => boxed(tokens::own(self, context)).await,
            E::RevokeOwnToken => boxed(tokens::revoke_own(self, context)).await,
            E::ReadSelf => boxed(users::read_self(self, context)).await,
            E::ListUsers => boxed(users::list(self, context)).await,
            E::CreateUser => boxed(users::create(self, context, body)).await,
            E::ReadUser => boxed(users::read(self, context)).await,
            E::UpdateUser => boxed(users::update(self, context, body)).await,
            E::RemoveUser => boxed(users::remove(self, context)).await,
            E::ListOwnAccessKeys => boxed(credentials::list_own_keys(self, context)).await,
            E::AddOwnAccessKey => boxed(credentials::add_own_key(self, context, body)).await,
            E::RemoveOwnAccessKey => boxed(credentials::remove_own_key(self, context)).await,
            E::SetOwnPassword => boxed(credentials::set_own_password(self, context, body)).await,
            E::ListAccessKeys => boxed(credentials::list_keys(self, context)).await,
            E::AddAccessKey => boxed(credentials::add_key(self, context, body)).await,
            E::RemoveAccessKey => boxed(credentials::remove_key(self, context)).await,
            E::SetPassword => boxed(credentials::set_password(self, context, body)).await,
            E::RemovePassword => boxed(credentials::remove_password(self, context)).await,
            E::ListGroups => boxed(groups::list(self, context)).await,
            E::CreateGroup => boxed(groups::create(self, context, body)).await,
            E::ReadGroup => boxed(groups::read(self, context)).await,
            E::RemoveGroup => boxed(groups::remove(self, context)).await,
            E::AddMember => boxed(groups::set_member(self, context, true)).await,
            E::RemoveMember => boxed(groups::set_member(self, context, false)).await,
            E::ListAcls => boxed(acls::list(self, context)).await,
            E::CreateAcl => boxed(acls::create(self, context, body)).await,
            E::ReadAcl => boxed(acls::read(self, context)).await,
            E::UpdateAcl => boxed(acls::update(self, context, body)).await,
            E::RemoveAcl => boxed(acls::remove(self, context)).await,
            E::AttachToUser => boxed(acls::attach(self, context, acls::user)).await,
            E::DetachFromUser => boxed(acls::detach(self, context, acls::user)).await,
            E::AttachToGroup => boxed(acls::attach(self, context, acls::group)).await,
            E::DetachFromGroup => boxed(acls::detach(self, context, acls::group)).await,
            E::ListKeysets => boxed(stores::list_keysets(self, context)).await,
            E::ListStores => boxed(stores::list(self, context)).await,
            E::AddSharingAdmin => boxed(sharing::add_admin(self, context, body)).await,
            E::CreateStore => boxed(stores::create(self, context, body)).await,
            E::ReadStore => boxed(stores::read(self, context)).await,
            E::ConfigureStore => boxed(stores::configure(self, context, body)).await,
            E::RemoveStore => boxed(stores::remove(self, context)).await,
            E::ListStoreTypes => boxed(stores::list_types(self, context)).await,
            E::ListSecrets => boxed(secrets::list(self, context)).await,
            E::GetSecret => secrets::get(self, context).await,
            E::PutSecret => boxed(secrets::put(self, context, body)).await,
            E::RemoveSecret => boxed(versions::remove(self, context)).await,
            E::GenerateSecret => boxed(secrets::generate(self, context, body)).await,
            E::ReadPublic => boxed(secrets::public(self, context)).await,
            E::DeleteSecret => boxed(versions::delete(self, context, body)).await,
            E::UndeleteSecret => boxed(versions::undelete(self, context, body)).await,
            E::DestroySecret => boxed(versions::destroy(self, context, body)).await,
            E::ReadMetadata => boxed(versions::metadata(self, context)).await,
            E::ListExpiring => boxed(versions::expiring(self, context)).await,
            E::ReadTrail => boxed(audit::read(self, context)).await,
            E::ExportTrail => boxed(audit::export(self, context)).await,
            E::ListSegments => boxed(audit::segments(self, context)).await,
            E::VerifyTrail => boxed(audit::verify(self, context, body)).await,
            E::CreateBackup => boxed(backup::create(self, context)).await,
            E::Checkpoint => boxed(audit::checkpoint(self, context)).await,
        }
    }
}
