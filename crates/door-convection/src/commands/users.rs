//! Users and their access keys.

use crate::asked::Asked;
use crate::fault::Fault;
use crate::reply::Answered;

pub(crate) async fn list_users(asked: &Asked<'_>) -> Answered {
    Err(Fault::unserved(asked))
}

pub(crate) async fn create_user(asked: &Asked<'_>) -> Answered {
    Err(Fault::unserved(asked))
}

pub(crate) async fn remove_access(asked: &Asked<'_>) -> Answered {
    Err(Fault::unserved(asked))
}

pub(crate) async fn audit_user(asked: &Asked<'_>) -> Answered {
    Err(Fault::unserved(asked))
}
