//! What every request passes before the door sees it: its origin, and the limits that need no decoding.

use super::Serve;
use super::paced::{Beat, Pulse};
use super::visitor::{Turned, Way};
use crate::config::{BodyPace, Limits};
use axum::body::Body;
use bytes::Bytes;
use http::header::{CONTENT_TYPE, HeaderValue, RETRY_AFTER};
use http::{Request, Response, StatusCode, Version};
use http_body_util::BodyExt as _;
use hyper::body::{Body as _, Frame, Incoming, SizeHint};
use metrics::counter;
use std::borrow::Cow;
use std::convert::Infallible;
use std::io;
use std::pin::Pin;
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll};
use std::time::Duration;
use strongroom_api::{Code, Problem};
use tokio::time::{Instant, Sleep};
use tower::ServiceExt as _;

/// Of a body that is refused for its size, so much is let go of, for so long, before the answer.
const UNREAD_BYTES: usize = 16 << 20;
const UNREAD_PATIENCE: Duration = Duration::from_secs(2);

/// Where proofs are presented, which are signed for the certificate that was shown.
const AUTHORIZE: &str = "/api/v1/auth/authorize";

/// How a listener puts a refusal in the words of its door.
pub(super) type Refuse = fn(Code, Option<String>) -> Response<Body>;

/// The service of one connection.
pub(super) struct Requests<S> {
    pub(super) service: S,
    pub(super) refuse: Refuse,
    pub(super) way: Arc<Way>,
    pub(super) pulse: Arc<Pulse>,
    pub(super) limits: Arc<Limits>,
}

impl<S: Serve> hyper::service::Service<Request<Incoming>> for Requests<S> {
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Response<Body>, Infallible>> + Send>>;

    fn call(&self, request: Request<Incoming>) -> Self::Future {
        let beat = self.pulse.begin();
        let origin = match self.way.visitor(&request) {
            Ok(origin) => origin,
            Err(turned) => return Box::pin(std::future::ready(Ok(turned_away(turned, self.refuse)))),
        };
        if let Some(code) = refused(&request, &self.limits) {
            let answer = (self.refuse)(code, None);
            let streamed = request.version() == Version::HTTP_2 && code == Code::TooLarge;
            let unread = streamed.then(|| request.into_body());
            return Box::pin(async move {
                if let Some(body) = unread {
                    drop_unread(body).await;
                }
                Ok(hold(answer, beat))
            });
        }
        let limits = &self.limits;
        let mut verdict = None;
        let body_beat = &self.pulse;
        let mut request = request.map(|body| bounded(body, limits, body_beat, &mut verdict));
        request.extensions_mut().insert(origin);
        // on the way of everything else it would only cost
        if request.uri().path() == AUTHORIZE
            && let Some(shown) = self.way.shown_to(origin)
        {
            request.extensions_mut().insert(shown);
        }
        if let Some(client) = &self.way.client {
            request.extensions_mut().insert(client.clone());
        }
        let answer = self.service.clone().oneshot(request);
        let (patience, refuse) = (limits.request_timeout, self.refuse);
        Box::pin(async move {
            let answered = tokio::time::timeout(patience, answer).await;
            let answer = match (verdict.and_then(|verdict| verdict.get().copied()), answered) {
                // whatever a door makes of a body that broke off, the cause is known here
                (Some(code), _) => refuse(code, None),
                (None, Ok(answer)) => answer?,
                (None, Err(_)) => {
                    refuse(Code::Unknown, Some(format!("no answer within {} s", patience.as_secs())))
                }
            };
            Ok(hold(answer, beat))
        })
    }
}

/// The answer to a request that is not taken; counted by its code.
fn turned_away(turned: Turned, refuse: Refuse) -> Response<Body> {
    counter!("strongroom_requests_turned_away_total", "reason" => turned.code.as_str()).increment(1);
    refuse(turned.code, turned.detail.map(Cow::into_owned))
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

/// Lets go of a body that is too large, or of as much of it as comes in a while. In HTTP/2 an answer that comes before
/// its request is whole resets the stream; that is allowed, but some clients then lose the answer.
async fn drop_unread(mut body: Incoming) {
    let dropping = async {
        let mut left = UNREAD_BYTES;
        while let Some(Ok(frame)) = body.frame().await {
            left = left.saturating_sub(frame.data_ref().map_or(0, Bytes::len));
            if left == 0 {
                break;
            }
        }
    };
    let _ = tokio::time::timeout(UNREAD_PATIENCE, dropping).await;
}

/// A body that must arrive in time and stay within its size; what broke it is noted in the verdict.
fn bounded(body: Incoming, limits: &Limits, pulse: &Arc<Pulse>, verdict: &mut Option<Verdict>) -> Body {
    if body.is_end_stream() {
        return Body::empty();
    }
    let verdict = verdict.insert(Verdict::default());
    Body::new(Bounded {
        body,
        left: limits.body_bytes,
        came: 0,
        patience: limits.body_timeout,
        pace: limits.body_pace,
        begun: None,
        timer: None,
        verdict: Arc::clone(verdict),
        _in_flight: pulse.begin(),
    })
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

/// As the native API says it (RFC 9457).
pub(super) fn problem(code: Code, detail: Option<String>) -> Response<Body> {
    let problem = Problem::new(code, detail);
    let text = serde_json::to_vec(&problem).unwrap_or_default();
    with_status(code, text, "application/problem+json")
}

/// As the sharing system says it.
pub(super) fn refusal(code: Code, detail: Option<String>) -> Response<Body> {
    let message = detail.unwrap_or_else(|| code.title().to_owned());
    let said = strongroom_sharing::Refusal { error: code.as_str().to_owned(), message };
    with_status(code, serde_json::to_vec(&said).unwrap_or_default(), "application/json")
}

fn with_status(code: Code, text: Vec<u8>, media_type: &'static str) -> Response<Body> {
    let mut answer = Response::new(Body::from(text));
    *answer.status_mut() = StatusCode::from_u16(code.status()).unwrap_or(StatusCode::BAD_REQUEST);
    answer.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(media_type));
    if matches!(code, Code::TooManyRequests | Code::Unknown) {
        answer.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static("1"));
    }
    answer
}

/// Why a body broke off, once it did.
type Verdict = Arc<OnceLock<Code>>;

/// A body with a size, and a time to arrive in that is counted from when it is first waited for.
struct Bounded {
    body: Incoming,
    left: usize,
    came: u64,
    patience: Duration,
    pace: Option<BodyPace>,
    /// When it was first waited for.
    begun: Option<Instant>,
    timer: Option<Pin<Box<Sleep>>>,
    verdict: Verdict,
    /// Until it is read or given up, the connection carries it.
    _in_flight: Beat,
}

impl Bounded {
    fn break_off(&self, code: Code, kind: io::ErrorKind) -> axum::BoxError {
        let _ = self.verdict.set(code);
        io::Error::from(kind).into()
    }

    fn count(&mut self, frame: Frame<Bytes>) -> Result<Frame<Bytes>, axum::BoxError> {
        let bytes = frame.data_ref().map_or(0, Bytes::len);
        match self.left.checked_sub(bytes) {
            Some(left) => self.left = left,
            None => return Err(self.break_off(Code::TooLarge, io::ErrorKind::FileTooLarge)),
        }
        self.came = self.came.saturating_add(u64::try_from(bytes).unwrap_or(u64::MAX));
        Ok(frame)
    }
}

impl hyper::body::Body for Bounded {
    type Data = Bytes;
    type Error = axum::BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::BoxError>>> {
        let this = &mut *self;
        if let Poll::Ready(frame) = Pin::new(&mut this.body).poll_frame(cx) {
            let frame = frame.map(|frame| frame.map_err(Into::into));
            return Poll::Ready(frame.map(|frame| frame.and_then(|frame| this.count(frame))));
        }
        let begun = *this.begun.get_or_insert_with(Instant::now);
        let time = this.pace.map_or(this.patience, |pace| pace.time(this.patience, this.came));
        let deadline = begun + time;
        let timer = this.timer.get_or_insert_with(|| Box::pin(tokio::time::sleep_until(deadline)));
        if timer.deadline() != deadline {
            timer.as_mut().reset(deadline);
        }
        match timer.as_mut().poll(cx) {
            Poll::Ready(()) => Poll::Ready(Some(Err(this.break_off(Code::Timeout, io::ErrorKind::TimedOut)))),
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
