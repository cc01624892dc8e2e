//! Administrators of the sharing system: what its own door cannot begin with.

use crate::fault::Fault;
use crate::request::Context;
use crate::{Door, answer, body};
use axum::body::Body;
use bytes::Bytes;
use http::{Response, StatusCode};
use strongroom_api::{AddSharingAdminRequest, SharingAdmin};
use strongroom_attributes::{self as engine, AuthorityError};
use strongroom_secret::SecretBytes;

type Answered = Result<Response<Body>, Fault>;

pub(crate) async fn add_admin(door: &Door, context: &Context, body: &Bytes) -> Answered {
    let wanted: AddSharingAdminRequest = body::json(context, body)?;
    let password = SecretBytes::new(wanted.password.into_bytes());
    let about = engine::named(&wanted.name)?;
    let permit = door.gate.admit::<engine::AddAdmin>(&context.caller, about).await?;
    let made = door.attributes.add_admin(permit, context.caller.origin, password).await?;
    let token = made.token.token.expose(|bytes| String::from_utf8_lossy(bytes).into_owned());
    let told = SharingAdmin {
        username: made.username,
        id: made.id.to_string(),
        access_token: token,
        expires_in: made.token.expires_in,
    };
    answer::json_with(StatusCode::CREATED, &told)
}

impl From<AuthorityError> for Fault {
    fn from(fault: AuthorityError) -> Self {
        use AuthorityError as A;
        use strongroom_api::Code;
        let said = |code| Self::new(code, fault.to_string());
        match fault {
            A::Unauthenticated => Code::Unauthenticated.into(),
            // the bearer of the token is known: it is the administrator's password that is not right
            A::Proof => said(Code::Refused),
            A::Throttled { wait } => {
                Self { retry_after: Some(wait.as_secs().max(1)), ..said(Code::TooManyRequests) }
            }
            A::NotFound => Code::NotFound.into(),
            A::AlreadyExists => Code::AlreadyExists.into(),
            A::NotForThem(_) | A::NotEnrolled | A::Enrolled | A::Limit { .. } => said(Code::Conflict),
            A::PasswordsDiffer
            | A::Malformed { .. }
            | A::Attribute(_)
            | A::Epoch(_)
            | A::Value(_)
            | A::Policy(_)
            | A::PasswordLength { .. } => said(Code::InvalidRequest),
            A::Name(_) => said(Code::InvalidName),
            A::Key(_) => said(Code::InvalidKey),
            A::Denied(fault) => fault.into(),
            A::Barrier(fault) => fault.into(),
            A::Commit(fault) => fault.into(),
            A::Trail(fault) => fault.into(),
        }
    }
}
