//! What every request passes before the door sees it: its origin, and the limits that need no decoding.

use super::Serve;
use super::paced::{Beat, Pulse};
use crate::config::Limits;
use axum::body::Body;
use bytes::Bytes;
use http::header::{CONTENT_TYPE, HeaderValue};
use http::{Request, Response, StatusCode};
use http_body_util::{BodyExt as _, Limited};
use hyper::body::{Body as _, Frame, Incoming, SizeHint};
use std::convert::Infallible;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;
use strongroom_api::{Code, Problem};
use strongroom_model::Origin;
use tokio::time::Sleep;
use tower::ServiceExt as _;

/// The service of one connection.
pub(super) struct Requests<S> {
    pub(super) service: S,
    pub(super) origin: Origin,
    pub(super) pulse: Arc<Pulse>,
    pub(super) limits: Arc<Limits>,
}

impl<S: Serve> hyper::service::Service<Request<Incoming>> for Requests<S> {
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Response<Body>, Infallible>> + Send>>;

    fn call(&self, request: Request<Incoming>) -> Self::Future {
        let beat = self.pulse.begin();
        if let Some(code) = refused(&request, &self.limits) {
            let answer = problem(code, None);
            return Box::pin(async move { Ok(hold(answer, beat)) });
        }
        let (origin, limits) = (self.origin, &self.limits);
        let mut request = request.map(|body| bounded(body, limits));
        request.extensions_mut().insert(origin);
        let answer = self.service.clone().oneshot(request);
        let patience = limits.request_timeout;
        Box::pin(async move {
            let answer = match tokio::time::timeout(patience, answer).await {
                Ok(answer) => answer?,
                Err(_) => problem(Code::Unknown, Some(format!("no answer within {} s", patience.as_secs()))),
            };
            Ok(hold(answer, beat))
        })
    }
}

/// Limits that the head alone tells.
fn refused(request: &Request<Incoming>, limits: &Limits) -> Option<Code> {
    let path_bytes = request.uri().path_and_query().map_or(0, |path| path.as_str().len());
    let body_bytes = request.body().size_hint().lower();
    if path_bytes > limits.path_bytes {
        Some(Code::PathTooLong)
    } else if request.headers().len() > limits.headers {
        Some(Code::HeadersTooLarge)
    } else if body_bytes > u64::try_from(limits.body_bytes).unwrap_or(u64::MAX) {
        Some(Code::TooLarge)
    } else {
        None
    }
}

/// A body that must arrive in time and stay within its size; what breaks it is an `io::Error` of kind `TimedOut`
/// or a `LengthLimitError`, which doors find among the sources.
fn bounded(body: Incoming, limits: &Limits) -> Body {
    if body.is_end_stream() {
        return Body::empty();
    }
    let timed = Timed { body, patience: limits.body_timeout, timer: None };
    Body::new(Limited::new(timed, limits.body_bytes))
}

/// Keeps an answer of unknown length in flight to its end; the others are written at once.
fn hold(answer: Response<Body>, beat: Beat) -> Response<Body> {
    if answer.body().size_hint().exact().is_some() {
        return answer;
    }
    answer.map(|body| {
        Body::new(body.map_frame(move |frame| {
            let _in_flight = &beat;
            frame
        }))
    })
}

fn problem(code: Code, detail: Option<String>) -> Response<Body> {
    let problem = Problem::new(code, detail);
    let text = serde_json::to_vec(&problem).unwrap_or_default();
    let mut answer = Response::new(Body::from(text));
    *answer.status_mut() = StatusCode::from_u16(problem.status).unwrap_or(StatusCode::BAD_REQUEST);
    answer.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
    answer
}

/// A body with a time to arrive in, counted from when it is first waited for.
struct Timed {
    body: Incoming,
    patience: Duration,
    timer: Option<Pin<Box<Sleep>>>,
}

impl hyper::body::Body for Timed {
    type Data = Bytes;
    type Error = axum::BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::BoxError>>> {
        let this = &mut *self;
        if let Poll::Ready(frame) = Pin::new(&mut this.body).poll_frame(cx) {
            return Poll::Ready(frame.map(|frame| frame.map_err(Into::into)));
        }
        let patience = this.patience;
        let timer = this.timer.get_or_insert_with(|| Box::pin(tokio::time::sleep(patience)));
        match timer.as_mut().poll(cx) {
            Poll::Ready(()) => Poll::Ready(Some(Err(io::Error::from(io::ErrorKind::TimedOut).into()))),
            Poll::Pending => Poll::Pending,
        }
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
