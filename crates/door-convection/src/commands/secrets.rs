//! Secrets: the one place where secret bytes become wire bytes.

use crate::asked::Asked;
use crate::fault::Fault;
use crate::reply::Answered;

pub(crate) async fn list_secrets(asked: &Asked<'_>) -> Answered {
    Err(Fault::unserved(asked))
}

pub(crate) async fn create_secret(asked: &Asked<'_>) -> Answered {
    Err(Fault::unserved(asked))
}

pub(crate) async fn update_secret(asked: &Asked<'_>) -> Answered {
    Err(Fault::unserved(asked))
}

pub(crate) async fn get_secret(asked: &Asked<'_>) -> Answered {
    Err(Fault::unserved(asked))
}

pub(crate) async fn destroy_secret(asked: &Asked<'_>) -> Answered {
    Err(Fault::unserved(asked))
}
