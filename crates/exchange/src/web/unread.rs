//! Bodies that a refusal leaves unread: they are let go of before the answer, for in HTTP/2 an answer that comes before its
//! request is whole resets the stream, and some clients then lose the answer.

use axum::body::{Body, BodyDataStream, Bytes};
use axum::extract::Request;
use axum::middleware::Next;
use axum::response::Response;
use futures_util::{Stream, StreamExt as _};
use parking_lot::Mutex;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

/// So much is let go of,
const BYTES: usize = 16 << 20;
/// for so long.
const PATIENCE: Duration = Duration::from_secs(2);

/// A body that outlives whoever reads it.
#[derive(Clone)]
struct Held(Arc<Mutex<Option<BodyDataStream>>>);

impl Stream for Held {
    type Item = Result<Bytes, axum::Error>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let mut held = self.0.lock();
        let Some(body) = held.as_mut() else { return Poll::Ready(None) };
        let polled = Pin::new(body).poll_next(cx);
        if matches!(polled, Poll::Ready(None | Some(Err(_)))) {
            *held = None;
        }
        polled
    }
}

/// Answers, and lets go of what nobody read.
pub(super) async fn let_go(request: Request, next: Next) -> Response {
    let (parts, body) = request.into_parts();
    let mut held = Held(Arc::new(Mutex::new(Some(body.into_data_stream()))));
    let answer = next.run(Request::from_parts(parts, Body::from_stream(held.clone()))).await;
    if answer.status().is_client_error() || answer.status().is_server_error() {
        let dropping = async {
            let mut left = BYTES;
            while let Some(Ok(bytes)) = held.next().await {
                left = left.saturating_sub(bytes.len());
                if left == 0 {
                    break;
                }
            }
        };
        let _ = tokio::time::timeout(PATIENCE, dropping).await;
    }
    answer
}
