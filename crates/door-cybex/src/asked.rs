//! What every function is given: who asks, the body, the query.

use crate::fault::Fault;
use crate::route::Verb;
use crate::{Door, body};
use axum::body::Body;
use http::request::Parts as Head;
use serde::de::DeserializeOwned;
use strongroom_attributes::{AuthorityError, Sharing};
use strongroom_model::{Action, Caller, Origin, RequestId};
use strongroom_secret::SecretBytes;
use strongroom_sharing::TOKEN_HEADER;

/// The scheme of a token.
const BEARER: &str = "bearer";

/// A request, decoded but for what its verb makes of its body.
pub(crate) struct Asked {
    pub(crate) caller: Caller,
    body: SecretBytes,
    epochs: Option<String>,
}

impl Asked {
    /// Makes a caller, then reads the body: who proved nothing is not given room for a large one.
    pub(crate) async fn take(door: &Door, verb: Verb, head: &Head, body: Body) -> Result<Self, Fault> {
        let origin = head.extensions.get::<Origin>().copied();
        let origin = origin.ok_or_else(|| Fault::internal("request without an origin"))?;
        let mut caller = Caller::anonymous(origin, RequestId(door.gate.ambient().uuid_v7()));
        if !door.gate.is_unlocked() {
            return Err(Fault::locked());
        }
        let limit = match verb.access() {
            Access::Open => body::STRANGERS_BYTES,
            Access::Token(action) => {
                authenticate(door, &mut caller, action, head).await?;
                body::MAX_BYTES
            }
        };
        let epochs = epochs(verb, head.uri.query())?;
        Ok(Self { caller, body: body::read(body, limit).await?, epochs })
    }

    /// The body, as an object of this type.
    pub(crate) fn object<T: DeserializeOwned>(&self) -> Result<T, Fault> {
        self.body.expose(body::object)
    }

    /// Refuses a body that says something.
    pub(crate) fn nothing(&self) -> Result<(), Fault> {
        self.body.expose(body::nothing)
    }

    /// The epochs that the query names.
    pub(crate) fn epochs(&self) -> Option<&str> {
        self.epochs.as_deref()
    }

    /// The caller itself, as what is asked upon.
    pub(crate) fn own(&self) -> Sharing {
        Sharing::own(&self.caller)
    }
}

/// Who may ask.
pub(crate) enum Access {
    /// Anybody.
    Open,
    /// Who has a token; the action under which one that is no good is recorded.
    Token(Action),
}

impl Verb {
    fn access(self) -> Access {
        use Action as A;
        Access::Token(match self {
            Self::Up | Self::Login | Self::Token | Self::Manifest => return Access::Open,
            Self::Logout => A::SharingLogout,
            Self::CreateUser => A::SharingCreateUser,
            Self::Rekey => A::SharingRekey,
            Self::Suspend => A::SharingSuspend,
            Self::Resume => A::SharingResume,
            Self::DeleteUser => A::SharingDelete,
            Self::ChangeAttributes => A::SharingSetAttributes,
            Self::ChangeEpochs => A::SharingSetEpochs,
            Self::ChangePassword => A::SharingOwnPassword,
            Self::RegisterKeys => A::SharingRegisterKeys,
            Self::Me => A::SharingMe,
            Self::PublicKey => A::SharingPublicKey,
            Self::MemberKeys | Self::MemberKeysPosted => A::SharingMemberKeys,
            Self::Rights => A::SharingRights,
            Self::CreateRight => A::SharingCreateRight,
            Self::IndexKeys => A::SharingIndexKeys,
            Self::Tokens => A::SharingTokens,
            Self::Attributes => A::SharingAttributes,
            Self::Collectors => A::SharingCollectors,
            Self::PostHead => A::SharingPostHead,
            Self::Heads => A::SharingHeads,
            Self::CreateGroup => A::SharingCreateGroup,
            Self::ChangeGroup => A::SharingChangeGroup,
            Self::DeleteGroup => A::SharingDeleteGroup,
            Self::Groups => A::SharingGroups,
        })
    }
}

async fn authenticate(door: &Door, caller: &mut Caller, action: Action, head: &Head) -> Result<(), Fault> {
    let outcome = match bearer(head) {
        Some(token) => door.attributes.caller_of(caller, token).await,
        None => Err(AuthorityError::Unauthenticated),
    };
    if matches!(outcome, Err(AuthorityError::Unauthenticated)) {
        door.attributes.turn_away(caller, action).await?;
    }
    Ok(outcome?)
}

/// The token; one that stands twice is none.
fn bearer(head: &Head) -> Option<&str> {
    let mut fields = head.headers.get_all(TOKEN_HEADER).iter();
    let field = fields.next()?.to_str().ok()?;
    let (scheme, token) = field.split_once(' ')?;
    (fields.next().is_none() && scheme.eq_ignore_ascii_case(BEARER)).then(|| token.trim())
}

/// `?epochs=1-4,7`, where that is known, and nothing else.
fn epochs(verb: Verb, query: Option<&str>) -> Result<Option<String>, Fault> {
    let known = matches!(verb, Verb::MemberKeys | Verb::MemberKeysPosted);
    match query.filter(|query| !query.is_empty()) {
        None => Ok(None),
        Some(query) if known => {
            let wanted = query.strip_prefix("epochs=").filter(|wanted| !wanted.contains(['&', '=']));
            let wanted =
                wanted.ok_or_else(|| Fault::invalid("the query may say epochs=1-4,7 and nothing else"))?;
            Ok(Some(wanted.replace("%2C", ",").replace("%2c", ",")))
        }
        Some(_) => Err(Fault::invalid("no query is known here")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::Request;

    fn head(fields: &[(&str, &str)]) -> Head {
        let builder =
            fields.iter().fold(Request::builder(), |builder, (name, value)| builder.header(*name, *value));
        builder.body(()).unwrap().into_parts().0
    }

    #[test]
    fn the_token_is_in_a_header_of_its_own_and_the_proxys_is_not_looked_at() {
        let basic = ("authorization", "Basic am9objpzZWNyZXQ=");
        assert_eq!(bearer(&head(&[basic, ("X-Authorization", "Bearer abc")])), Some("abc"));
        assert_eq!(bearer(&head(&[("x-authorization", "bearer  abc ")])), Some("abc"));
        for none in [
            &[basic][..],
            &[("authorization", "Bearer abc")],
            &[("x-authorization", "Basic abc")],
            &[("x-authorization", "abc")],
            &[("x-authorization", "Bearer abc"), ("x-authorization", "Bearer abd")],
        ] {
            assert_eq!(bearer(&head(none)), None, "{none:?}");
        }
    }

    #[test]
    fn a_query_names_epochs_where_keys_are_asked_for_and_nothing_else() {
        let of = |verb, query| epochs(verb, query).map_err(|fault| fault.error);
        assert_eq!(of(Verb::MemberKeys, Some("epochs=1-4%2C7")), Ok(Some("1-4,7".to_owned())));
        assert_eq!(of(Verb::MemberKeysPosted, Some("epochs=3")), Ok(Some("3".to_owned())));
        assert_eq!(of(Verb::MemberKeys, None), Ok(None));
        assert_eq!(of(Verb::Me, Some("")), Ok(None));
        for bad in ["epoch=1", "epochs=1&x=2", "epochs", "epochs=1&epochs=2"] {
            assert_eq!(of(Verb::MemberKeys, Some(bad)), Err("invalid_request"), "{bad}");
        }
        assert_eq!(of(Verb::Me, Some("epochs=1")), Err("invalid_request"));
    }

    #[test]
    fn only_these_need_no_token() {
        let open: Vec<&Verb> =
            Verb::ALL.iter().filter(|verb| matches!(verb.access(), Access::Open)).collect();
        assert_eq!(open, [&Verb::Up, &Verb::Login, &Verb::Token, &Verb::Manifest]);
    }
}
