//! Groups and who is in them.

use crate::asked::Asked;
use crate::fault::Fault;
use crate::reply::Answered;

pub(crate) async fn list_groups(asked: &Asked<'_>) -> Answered {
    Err(Fault::unserved(asked))
}

pub(crate) async fn create_group(asked: &Asked<'_>) -> Answered {
    Err(Fault::unserved(asked))
}

pub(crate) async fn remove_group(asked: &Asked<'_>) -> Answered {
    Err(Fault::unserved(asked))
}

pub(crate) async fn attach_group(asked: &Asked<'_>) -> Answered {
    Err(Fault::unserved(asked))
}

pub(crate) async fn detach_group(asked: &Asked<'_>) -> Answered {
    Err(Fault::unserved(asked))
}

pub(crate) async fn audit_group(asked: &Asked<'_>) -> Answered {
    Err(Fault::unserved(asked))
}
