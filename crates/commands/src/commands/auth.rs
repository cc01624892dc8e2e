//! Proof of an access key or a password, and the token it gives.

use super::keys::WipedTexts;
use super::{Session, passwords};
use crate::args::LoginArgs;
use crate::client::Ask;
use crate::error::{CliError, UsageError};
use crate::original::AuthFileAt;
use crate::output;
use crate::state;
use std::path::Path;
use strongroom_api::{
    AuthorizeRequest, ChallengeRequest, ChallengeResponse, Endpoint, LoginRequest, NewToken,
    signed_transcript,
};
use strongroom_crypto::{KeyError, PrivateKey};
use strongroom_secret::SecretBytes;

pub(super) async fn login(session: &Session, args: &LoginArgs) -> Result<(), CliError> {
    passwords::refuse_stray(&args.stray)?;
    let ask = match &args.user {
        Some(user) => by_password(user, args)?,
        None => by_key(session, args).await?,
    };
    let answer = session.client.ask(ask).await?;
    let mut new: NewToken = answer.read()?;
    let token = SecretBytes::new(std::mem::take(&mut new.token).into_bytes());
    let path = session.keep_token(&token)?;
    if session.out.json() {
        let shown = serde_json::json!({
            "accessor": new.accessor, "expires": new.expires, "ttl_secs": new.ttl_secs, "token_file": path,
        });
        return output::line(&shown.to_string());
    }
    output::line(&format!("Logged in until {}; the token is kept in {}", new.expires, path.display()))
}

fn by_password(user: &str, args: &LoginArgs) -> Result<Ask, CliError> {
    let password = passwords::read(args.password_file.as_deref(), &format!("Password of {user}: "))?;
    let password = passwords::text(&password)?;
    let body = LoginRequest { user: user.to_owned(), password, ttl_secs: Some(args.ttl) };
    let ask = Ask::of(Endpoint::Login).json(&body);
    drop(WipedTexts(vec![body.password]));
    Ok(ask)
}

async fn by_key(session: &Session, args: &LoginArgs) -> Result<Ask, CliError> {
    let target = &session.target;
    let from_file = session.auth.as_ref().and_then(|auth| auth.file.access_key_id.as_ref());
    let id = args.access_key_id.as_ref().or(from_file).or(target.access_key_id.as_ref());
    let key_of_file = session.auth.as_ref().and_then(AuthFileAt::key_file);
    let file = args.key.as_ref().or(key_of_file.as_ref()).or(target.key_file.as_ref());
    let (id, file) = id.zip(file).ok_or(UsageError::NoAccessKey)?;
    let password = session.auth.as_ref().and_then(|auth| auth.file.key_password.as_ref());
    let key = read_key(file, password)?;
    Ok(Ask::of(Endpoint::Authorize).json(&authorization(session, id, &key, args.ttl).await?))
}

/// A token by an access key, for a command's own use.
pub(super) async fn token_of_key(
    session: &Session,
    id: &str,
    file: &Path,
    ttl_secs: u32,
) -> Result<SecretBytes, CliError> {
    let key = read_key(file, None)?;
    let ask = Ask::of(Endpoint::Authorize).json(&authorization(session, id, &key, ttl_secs).await?);
    let mut new: NewToken = session.client.ask(ask).await?.read()?;
    Ok(SecretBytes::new(std::mem::take(&mut new.token).into_bytes()))
}

/// A password that is there opens a key that needs one, and does no harm to one that does not.
fn read_key(file: &Path, password: Option<&SecretBytes>) -> Result<PrivateKey, CliError> {
    let pem = state::read_private(file)?;
    let key = match (PrivateKey::from_pem(&pem), password) {
        (Err(KeyError::Encrypted), Some(password)) => PrivateKey::from_sealed_pem(&pem, password),
        (key, _) => key,
    };
    key.map_err(|source| CliError::Key { path: file.to_owned(), source })
}

/// Signs a fresh challenge.
async fn authorization(
    session: &Session,
    id: &str,
    key: &PrivateKey,
    ttl_secs: u32,
) -> Result<AuthorizeRequest, CliError> {
    let ask = Ask::of(Endpoint::Challenge).json(&ChallengeRequest { access_key_id: id.to_owned() });
    let ChallengeResponse { challenge, .. } = session.client.ask(ask).await?.read()?;
    let (server, certificate) = session.client.meant();
    let signature = key.sign(&signed_transcript(id, &challenge, &server)).map_err(|_| CliError::Signing)?;
    Ok(AuthorizeRequest {
        access_key_id: id.to_owned(),
        challenge,
        signature: data_encoding::BASE64.encode(&signature),
        certificate: certificate.map(|digest| data_encoding::HEXLOWER.encode(&digest)),
        ttl_secs: Some(ttl_secs),
    })
}

/// Ends the token on the server and here. Here it is forgotten whatever the server says, or if it says nothing.
pub(super) async fn logout(session: &Session) -> Result<(), CliError> {
    let ended = session.client.ask(Ask::of(Endpoint::Deauth)).await;
    session.forget_token()?;
    match ended {
        Err(error) if error.code() != Some("unauthenticated") => {
            output::note(
                "The token is forgotten here; on the server it holds until it expires or is revoked.",
            );
            Err(error.into())
        }
        _ => session.out.done("Logged out."),
    }
}
