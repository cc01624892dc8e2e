//! Tokens: looked up, listed, renewed, ended.

use super::Session;
use crate::args::TokenCommand;
use crate::client::Ask;
use crate::error::CliError;
use crate::output;
use strongroom_api::{Endpoint, RenewTokenRequest, TokenInfo, TokenWay};

/// One function a command.
pub(super) async fn run(session: &Session, command: TokenCommand) -> Result<(), CliError> {
    match command {
        TokenCommand::Lookup => lookup(session).await,
        TokenCommand::List { user, all } => list(session, user.as_deref(), all).await,
        TokenCommand::Renew { ttl } => {
            let ask = Ask::of(Endpoint::RenewToken).json(&RenewTokenRequest { ttl_secs: ttl });
            let Some(answer) = session.shown(ask).await? else { return Ok(()) };
            let token: TokenInfo = answer.read()?;
            output::line(&format!("The token lives until {}.", token.expires))
        }
        TokenCommand::Revoke { accessor, user, any } => {
            let (ask, words) = match (&accessor, &user) {
                (Some(accessor), _) => {
                    let endpoint = if any { Endpoint::RevokeToken } else { Endpoint::RevokeOwnToken };
                    (Ask::of(endpoint).name("accessor", accessor), format!("Ended token {accessor}."))
                }
                (None, user) => {
                    let user = user.as_deref().unwrap_or_default();
                    (
                        Ask::of(Endpoint::RevokeTokens).name("user", user),
                        format!("Ended all tokens of {user}."),
                    )
                }
            };
            session.done(ask, &words).await
        }
    }
}

fn way(way: TokenWay) -> String {
    match way {
        TokenWay::AccessKey => "access key",
        TokenWay::Password => "password",
    }
    .to_owned()
}

async fn lookup(session: &Session) -> Result<(), CliError> {
    let Some(answer) = session.shown(Ask::of(Endpoint::LookupToken)).await? else { return Ok(()) };
    let info: TokenInfo = answer.read()?;
    session.out.pairs(&[
        ("user", info.user),
        ("accessor", info.accessor),
        ("got by", way(info.way)),
        ("access key", info.access_key_id),
        ("created", info.created),
        ("expires", info.expires),
        ("seconds left", info.ttl_secs.to_string()),
    ])
}

async fn list(session: &Session, user: Option<&str>, all: bool) -> Result<(), CliError> {
    let own = user.is_none() && !all;
    let endpoint = if own { Endpoint::ListOwnTokens } else { Endpoint::ListTokens };
    let ask = || Ask::of(endpoint).maybe("user", user);
    let Some(tokens) = session.listed::<TokenInfo>("tokens", ask).await? else { return Ok(()) };
    let rows = tokens
        .into_iter()
        .map(|token| vec![token.accessor, token.user, way(token.way), token.created, token.expires]);
    session.out.table(&["ACCESSOR", "USER", "GOT BY", "CREATED", "EXPIRES"], rows)
}
