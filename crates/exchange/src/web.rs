//! The exchange over HTTP: decodes, finds out who asks, asks keeper or index, encodes. The rules lie below.

mod admin;
mod answer;
mod insert;
mod look;
mod proofs;
mod shares;
mod stream;
mod unread;

use crate::keeper::Keeper;
use crate::members::Members;
use crate::storage::Storage;
use crate::token::Caller;
use answer::Refused;
use axum::Router;
use axum::extract::{DefaultBodyLimit, FromRequestParts, Request};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};
use http::request::Parts;
use proofs::Trees;
use shares::Shares;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;
use strongroom_ambient::Ambient;
use strongroom_server::listen::ClientCertificate;
use strongroom_server::rate::Pace;
use strongroom_sharing::exchange::MAX_INSERT_BYTES;
use strongroom_sharing::{MemberId, TOKEN_HEADER};
use tokio::sync::Semaphore;

/// The longest answer that is made in memory holds one page.
const OTHER_BODY_BYTES: usize = 1 << 20;
/// Leaves of a proof are as many as a collector's records of an epoch have tokens: a million of them.
pub(crate) const PROOF_BODY_BYTES: usize = 96 << 20;
/// Bodies of insertions that are read at a time; others wait unread,
const BODIES: usize = 16;
/// and insertions that are checked and committed at a time.
const INSERTIONS: usize = 4;
/// Questions that are answered at a time.
const QUESTIONS: usize = 8;

/// MiB of proofs that are read at a time: the largest, and beside it others of the usual size.
const PROOFS_MIB: usize = 128;
/// How long anything takes but a proof, whose body may come slowly.
const LONGEST: Duration = Duration::from_mins(1);
/// Where proofs come.
const PROOFS: &str = "/proofs";

/// How often one member may ask.
#[derive(Debug, Clone, Copy)]
pub struct Rates {
    /// Requests a second.
    pub requests_per_second: Option<NonZeroU32>,
}

/// What requests are answered with. Clones are of the same.
#[derive(Clone)]
pub struct Exchange(Arc<Inside>);

/// See [`Exchange`].
pub struct Inside {
    /// The writer.
    pub keeper: Keeper,
    /// The store, to read.
    pub storage: Arc<dyn Storage>,
    /// The members.
    pub members: Arc<Members>,
    /// Clock.
    pub ambient: Ambient,
    /// Days that records are kept; without, for ever.
    pub retention_days: Option<u32>,
    pace: Pace<MemberId>,
    shares: Arc<Shares>,
    bodies: Arc<Semaphore>,
    insertions: Arc<Semaphore>,
    questions: Arc<Semaphore>,
    /// A proof is large: MiB of those that come at a time.
    proofs: Arc<Semaphore>,
    trees: Trees,
}

impl Exchange {
    /// Over its parts.
    pub fn new(
        keeper: Keeper,
        storage: Arc<dyn Storage>,
        members: Arc<Members>,
        ambient: Ambient,
        retention_days: Option<u32>,
        rates: Rates,
    ) -> Self {
        Self(Arc::new(Inside {
            keeper,
            storage,
            members,
            ambient,
            retention_days,
            pace: Pace::new(rates.requests_per_second),
            shares: Arc::default(),
            bodies: Arc::new(Semaphore::new(BODIES)),
            insertions: Arc::new(Semaphore::new(INSERTIONS)),
            questions: Arc::new(Semaphore::new(QUESTIONS)),
            proofs: Arc::new(Semaphore::new(PROOFS_MIB)),
            trees: Trees::default(),
        }))
    }

    /// Everything that is served.
    pub fn router(self) -> Router {
        let large = DefaultBodyLimit::max(MAX_INSERT_BYTES);
        Router::new()
            .route("/", get(async || "up\n"))
            .route("/add/enc-data", post(insert::insert).layer(large))
            .route("/query", post(look::query))
            .route("/get/batches", post(look::batches))
            .route("/sync", get(stream::sync))
            .route("/sync/heads", get(look::heads))
            .route(PROOFS, post(proofs::put).layer(DefaultBodyLimit::max(PROOF_BODY_BYTES)))
            .route("/get/proofs", post(proofs::get))
            .route("/rewrap", post(insert::rewrap))
            .route("/admin/stats", get(admin::stats))
            .route("/admin/retention", post(admin::retention))
            .fallback(async || Refused::NOT_FOUND)
            .method_not_allowed_fallback(async || Refused::METHOD)
            .layer(DefaultBodyLimit::max(OTHER_BODY_BYTES))
            .layer(axum::middleware::from_fn(in_time))
            .layer(axum::middleware::from_fn(unread::let_go))
            .with_state(self)
    }
}

/// Answers in time, or says that there was too much to do.
async fn in_time(request: Request, next: Next) -> Response {
    if request.uri().path() == PROOFS {
        return next.run(request).await;
    }
    let answer = tokio::time::timeout(LONGEST, next.run(request)).await;
    answer.unwrap_or_else(|_| Refused::BUSY.into_response())
}

impl std::ops::Deref for Exchange {
    type Target = Inside;

    fn deref(&self) -> &Inside {
        &self.0
    }
}

/// A member, or an administrator.
pub(crate) struct Anyone(pub(crate) Caller);
/// A member that is no administrator.
pub(crate) struct Member(pub(crate) MemberId);
/// An administrator.
pub(crate) struct Admin;

impl FromRequestParts<Exchange> for Anyone {
    type Rejection = Refused;

    async fn from_request_parts(parts: &mut Parts, exchange: &Exchange) -> Result<Self, Refused> {
        let token = parts.headers.get(TOKEN_HEADER).map(|value| value.to_str().unwrap_or_default());
        let shown = parts.extensions.get::<ClientCertificate>();
        let caller = match (token, shown) {
            (Some(token), _) => {
                let (scheme, token) = token.split_once(' ').unwrap_or_default();
                let token = if scheme.eq_ignore_ascii_case("bearer") { token.trim() } else { "" };
                exchange.members.bearer(token).await?
            }
            (None, Some(shown)) => exchange.members.shown(&shown.0)?,
            (None, None) => return Err(Refused::UNKNOWN),
        };
        if exchange.pace.allows(&caller.member) { Ok(Self(caller)) } else { Err(Refused::TOO_MANY) }
    }
}

impl FromRequestParts<Exchange> for Member {
    type Rejection = Refused;

    async fn from_request_parts(parts: &mut Parts, exchange: &Exchange) -> Result<Self, Refused> {
        let Anyone(caller) = Anyone::from_request_parts(parts, exchange).await?;
        if caller.admin { Err(Refused::NO_ADMIN) } else { Ok(Self(caller.member)) }
    }
}

impl FromRequestParts<Exchange> for Admin {
    type Rejection = Refused;

    async fn from_request_parts(parts: &mut Parts, exchange: &Exchange) -> Result<Self, Refused> {
        let Anyone(caller) = Anyone::from_request_parts(parts, exchange).await?;
        if caller.admin { Ok(Self) } else { Err(Refused::ADMIN_ONLY) }
    }
}
