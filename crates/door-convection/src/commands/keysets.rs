//! Keysets.

use crate::asked::Asked;
use crate::fault::Fault;
use crate::reply::Answered;

pub(crate) async fn list_keysets(asked: &Asked<'_>) -> Answered {
    Err(Fault::unserved(asked))
}

pub(crate) async fn create_keyset(asked: &Asked<'_>) -> Answered {
    Err(Fault::unserved(asked))
}

pub(crate) async fn remove_keyset(asked: &Asked<'_>) -> Answered {
    Err(Fault::unserved(asked))
}

pub(crate) async fn rotate_keyset(asked: &Asked<'_>) -> Answered {
    Err(Fault::unserved(asked))
}
