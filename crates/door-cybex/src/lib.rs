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

    /// Each in its own box: in one future together they would be as large as all of them.
    fn dispatch<'a>(
        &'a self,
        verb: Verb,
        asked: &'a Asked,
    ) -> Pin<Box<dyn Future<Output = Answered> + Send + 'a>> {
        match verb {
            Verb::Up => Box::pin(std::future::ready(Ok(answer::up()))),
            Verb::Login => Box::pin(session::login(self, asked)),
            Verb::Logout => Box::pin(session::logout(self, asked)),
            Verb::Token => Box::pin(session::renew(self, asked)),
            Verb::ChangePassword => Box::pin(session::change_password(self, asked)),
            Verb::RegisterKeys => Box::pin(session::register_keys(self, asked)),
            Verb::Me => Box::pin(session::me(self, asked)),
            Verb::CreateUser => Box::pin(members::create(self, asked)),
            Verb::Rekey => Box::pin(members::rekey(self, asked)),
            Verb::Suspend => Box::pin(members::suspend(self, asked)),
            Verb::Resume => Box::pin(members::resume(self, asked)),
            Verb::DeleteUser => Box::pin(members::delete(self, asked)),
            Verb::ChangeAttributes => Box::pin(members::change_attributes(self, asked)),
            Verb::ChangeEpochs => Box::pin(members::change_epochs(self, asked)),
            Verb::Collectors => Box::pin(members::collectors(self, asked)),
            Verb::PublicKey => Box::pin(keys::public_key(self, asked)),
            Verb::MemberKeys | Verb::MemberKeysPosted => Box::pin(keys::member_keys(self, asked)),
            Verb::Rights => Box::pin(keys::rights(self, asked)),
            Verb::CreateRight => Box::pin(keys::create_right(self, asked)),
            Verb::IndexKeys => Box::pin(keys::index_keys(self, asked)),
            Verb::Tokens => Box::pin(keys::tokens(self, asked)),
            Verb::Attributes => Box::pin(keys::attributes(self, asked)),
            Verb::Manifest => Box::pin(keys::manifest(self, asked)),
            Verb::PostHead => Box::pin(keys::post_head(self, asked)),
            Verb::Heads => Box::pin(keys::heads(self, asked)),
            Verb::CreateGroup => Box::pin(groups::create(self, asked)),
            Verb::ChangeGroup => Box::pin(groups::change(self, asked)),
            Verb::DeleteGroup => Box::pin(groups::delete(self, asked)),
            Verb::Groups => Box::pin(groups::list(self, asked)),
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
