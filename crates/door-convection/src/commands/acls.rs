//! ACLs, and to whom they are attached.

use crate::asked::Asked;
use crate::fault::Fault;
use crate::reply::Answered;

pub(crate) async fn list_acls(asked: &Asked<'_>) -> Answered {
    Err(Fault::unserved(asked))
}

pub(crate) async fn create_acl(asked: &Asked<'_>) -> Answered {
    Err(Fault::unserved(asked))
}

pub(crate) async fn audit_acl(asked: &Asked<'_>) -> Answered {
    Err(Fault::unserved(asked))
}

pub(crate) async fn attach_acl(asked: &Asked<'_>) -> Answered {
    Err(Fault::unserved(asked))
}

pub(crate) async fn detach_acl(asked: &Asked<'_>) -> Answered {
    Err(Fault::unserved(asked))
}

pub(crate) async fn remove_acl(asked: &Asked<'_>) -> Answered {
    Err(Fault::unserved(asked))
}
