//! Backups.

use crate::Door;
use crate::answer;
use crate::fault::Fault;
use crate::request::Context;
use axum::body::Body;
use bytes::Bytes;
use http::header::HeaderValue;
use http::{Response, StatusCode};
use strongroom_gate::{BackupStream, Server};
use strongroom_operator::CreateBackup;

/// A backup that breaks off has no manifest: whoever reads it finds it cut short.
pub(crate) async fn create(door: &Door, context: &Context) -> Result<Response<Body>, Fault> {
    let permit = door.gate.admit::<CreateBackup>(&context.caller, Server).await?;
    let held = door.operator.create_backup(permit, door.version).await?;
    let backup = door.gate.release(held).await?;
    let pieces = futures_util::stream::unfold(Some(backup), |backup| async move {
        let mut backup: BackupStream = backup?;
        match backup.next().await {
            Ok(None) => None,
            Ok(Some(piece)) => Some((Ok(Bytes::from(piece)), Some(backup))),
            Err(fault) => {
                tracing::error!(%fault, "backup broke off");
                Some((Err(std::io::Error::other("the backup broke off")), None))
            }
        }
    });
    let media_type = HeaderValue::from_static("application/octet-stream");
    Ok(answer::raw(StatusCode::OK, media_type, Body::from_stream(pieces)))
}
