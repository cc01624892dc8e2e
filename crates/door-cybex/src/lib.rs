//! The attribute authority over HTTP, at the paths of CYBEX-P.
//!
//! **What it is for.** Members and administrators of the sharing system, collectors and queries: it decodes a request,
//! turns `X-Authorization: Bearer` into a caller, asks the gate, calls one engine function, and encodes the answer. A
//! path is a row of the table in `route`, bound to its function by an exhaustive match in [`CybexDoor`].
//!
//! **What it promises.** Bodies of at most 1 MiB and bounded depth, in which unknown fields are refused. Each refusal is
//! JSON with a stable word. `Authorization` is the proxy's, and never looked at.
//!
//! **What it does not know.** Any rule, and where its connections come from. Errors become refusals in one place,
//! `fault`.

mod answer;
mod asked;
mod body;
mod fault;
mod groups;
mod keys;
mod members;
mod route;
mod session;

use crate::asked::Asked;
use crate::fault::Fault;
use crate::route::{Found, Verb};
use axum::body::Body;
use http::request::Parts as Head;
use http::{Method, Request, Response};
use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use strongroom_attributes::Attributes;
use strongroom_gate::Gate;

/// What the door stands on.
pub struct Parts {
    /// The gate.
    pub gate: Arc<Gate>,
    /// The attribute authority.
    pub attributes: Arc<Attributes>,
}

/// The door, as a service of HTTP requests. Clones share everything.
#[derive(Clone)]
pub struct CybexDoor(Arc<Door>);

pub(crate) struct Door {
    parts: Parts,
}

impl std::ops::Deref for Door {
    type Target = Parts;

    fn deref(&self) -> &Parts {
        &self.parts
    }
}

impl CybexDoor {
    /// A door over its parts.
    pub fn new(parts: Parts) -> Self {
        Self(Arc::new(Door { parts }))
    }
}

impl std::fmt::Debug for CybexDoor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("CybexDoor")
    }
}

impl tower::Service<Request<Body>> for CybexDoor {
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Response<Body>, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let door = Arc::clone(&self.0);
        Box::pin(async move { Ok(door.serve(request).await) })
    }
}

impl Door {
    async fn serve(self: Arc<Self>, request: Request<Body>) -> Response<Body> {
        let (head, body) = request.into_parts();
        let verb = match route::find(&head.method, head.uri.path()) {
            Found::Verb(verb) => verb,
            Found::OtherMethod(allowed) => return answer::other_method(&allowed),
            Found::Gone(instead) => return answer::refusal(&Fault::gone(instead)),
            Found::Nothing => return answer::refusal(&Fault::unknown_path()),
        };
        let door = Arc::clone(&self);
        let answered = if head.method == Method::GET {
            caught(door.handle(verb, head, body)).await
        } else {
            // admitted work runs where a client's hanging up cannot cancel it
            tokio::spawn(door.handle(verb, head, body)).await.map_err(|_| Fault::internal("a task ended"))
        };
        let answer = answered.flatten().unwrap_or_else(|fault| answer::refusal(&fault));
        answer::count(verb, answer.status());
        answer
    }

    async fn handle(self: Arc<Self>, verb: Verb, head: Head, body: Body) -> Answered {
        if verb == Verb::Up {
            return Ok(answer::up());
        }
        let asked = Asked::take(&self, verb, &head, body).await?;
        self.dispatch(verb, &asked).await
    }

    async fn dispatch(&self, verb: Verb, asked: &Asked) -> Answered {
        match verb {
            Verb::Up => Ok(answer::up()),
            Verb::Login => session::login(self, asked).await,
            Verb::Logout => session::logout(self, asked).await,
            Verb::Token => session::renew(self, asked).await,
            Verb::ChangePassword => session::change_password(self, asked).await,
            Verb::RegisterKeys => session::register_keys(self, asked).await,
            Verb::Me => session::me(self, asked).await,
            Verb::CreateUser => members::create(self, asked).await,
            Verb::Rekey => members::rekey(self, asked).await,
            Verb::Suspend => members::suspend(self, asked).await,
            Verb::Resume => members::resume(self, asked).await,
            Verb::DeleteUser => members::delete(self, asked).await,
            Verb::ChangeAttributes => members::change_attributes(self, asked).await,
            Verb::ChangeEpochs => members::change_epochs(self, asked).await,
            Verb::Collectors => members::collectors(self, asked).await,
            Verb::PublicKey => keys::public_key(self, asked).await,
            Verb::MemberKeys | Verb::MemberKeysPosted => keys::member_keys(self, asked).await,
            Verb::Rights => keys::rights(self, asked).await,
            Verb::CreateRight => keys::create_right(self, asked).await,
            Verb::IndexKeys => keys::index_keys(self, asked).await,
            Verb::Tokens => keys::tokens(self, asked).await,
            Verb::Attributes => keys::attributes(self, asked).await,
            Verb::Manifest => keys::manifest(self, asked).await,
            Verb::PostHead => keys::post_head(self, asked).await,
            Verb::Heads => keys::heads(self, asked).await,
            Verb::CreateGroup => groups::create(self, asked).await,
            Verb::ChangeGroup => groups::change(self, asked).await,
            Verb::DeleteGroup => groups::delete(self, asked).await,
            Verb::Groups => groups::list(self, asked).await,
        }
    }
}

/// What a request comes to.
pub(crate) type Answered = Result<Response<Body>, Fault>;

/// A panic ends its request, and neither the connection nor the requests beside it.
async fn caught<T>(work: impl Future<Output = T>) -> Result<T, Fault> {
    use futures_util::FutureExt as _;
    let caught = std::panic::AssertUnwindSafe(work).catch_unwind().await;
    caught.map_err(|_| Fault::internal("a handler panicked"))
}
