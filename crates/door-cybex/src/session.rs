//! What members do for themselves: log in and out, prove a key, enrol, change their password.

use crate::asked::Asked;
use crate::fault::Fault;
use crate::{Answered, Door, answer};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use strongroom_attributes::{
    Enrolment, Granted, Login, Logout, OwnPassword, ReadMe, RegisterKeys, Renew, Replace, SetPassword,
    Sharing, claimed, named,
};
use strongroom_sharing::authority as wire;

pub(crate) async fn login(door: &Door, asked: &Asked) -> Answered {
    let wanted: wire::Login = asked.object()?;
    let permit = door.gate.admit::<Login>(&asked.caller, claimed(&wanted.username)).await?;
    let password = wanted.password.into_secret();
    token(&door.attributes.login(permit, asked.caller.origin, password).await?)
}

pub(crate) async fn renew(door: &Door, asked: &Asked) -> Answered {
    let proof: wire::Proof = asked.object()?;
    let permit = door.gate.admit::<Renew>(&asked.caller, Sharing::whole()).await?;
    token(&door.attributes.renew(permit, &proof).await?)
}

pub(crate) async fn logout(door: &Door, asked: &Asked) -> Answered {
    asked.nothing()?;
    let permit = door.gate.admit::<Logout>(&asked.caller, asked.own()).await?;
    door.attributes.logout(permit).await?;
    answer::done("logged out")
}

pub(crate) async fn me(door: &Door, asked: &Asked) -> Answered {
    asked.nothing()?;
    let permit = door.gate.admit::<ReadMe>(&asked.caller, asked.own()).await?;
    answer::json(&door.attributes.me(permit).await?)
}

/// One's own, proved by the present one; or somebody's, by who administers.
pub(crate) async fn change_password(door: &Door, asked: &Asked) -> Answered {
    let wanted: wire::ChangePassword = asked.object()?;
    let (password, again) = (wanted.password.into_secret(), wanted.password2.into_secret());
    match (wanted.username, wanted.old_password) {
        (None, Some(present)) => {
            let permit = door.gate.admit::<OwnPassword>(&asked.caller, asked.own()).await?;
            let origin = asked.caller.origin;
            token(
                &door
                    .attributes
                    .own_password(permit, origin, present.into_secret(), password, &again)
                    .await?,
            )
        }
        (Some(username), None) => {
            let permit = door.gate.admit::<SetPassword>(&asked.caller, named(&username)?).await?;
            door.attributes.set_password(permit, password, &again).await?;
            answer::done("changed")
        }
        _ => Err(Fault::invalid("name the old_password of your own, or the username of somebody else's")),
    }
}

pub(crate) async fn register_keys(door: &Door, asked: &Asked) -> Answered {
    let wanted: wire::RegisterKeys = asked.object()?;
    let keys = enrolment(&wanted.wrap_key, &wanted.signing_key)?;
    let permit = door.gate.admit::<RegisterKeys>(&asked.caller, asked.own()).await?;
    let replace = if wanted.replace { Replace::Yes(wanted.last) } else { Replace::No };
    let (origin, password) = (asked.caller.origin, wanted.password.into_secret());
    door.attributes.register_keys(permit, origin, password, keys, replace).await?;
    answer::done("registered")
}

/// A member's public keys; what they are is looked at further in.
pub(crate) fn enrolment(wrap_key: &str, signing_key: &str) -> Result<Enrolment, Fault> {
    let bytes = |name: &str, text: &str| {
        STANDARD.decode(text).map_err(|_| Fault::invalid(format!("{name} is not standard base64")))
    };
    Ok(Enrolment { wrap_key: bytes("wrap_key", wrap_key)?, signing_key: bytes("signing_key", signing_key)? })
}

/// The one place where a token becomes text.
pub(crate) fn text(granted: &Granted) -> String {
    granted.token.expose(|bytes| String::from_utf8_lossy(bytes).into_owned())
}

fn token(granted: &Granted) -> Answered {
    answer::json(&wire::AccessToken { access_token: text(granted), expires_in: granted.expires_in })
}
