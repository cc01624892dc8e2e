//! Tokens: listed and ended, one's own and others'.

use crate::auth::info;
use crate::cursor::{self, Paging};
use crate::fault::Fault;
use crate::request::Context;
use crate::users::named;
use crate::{Door, answer};
use axum::body::Body;
use http::Response;
use strongroom_api::{Code, Endpoint, TokenList};
use strongroom_gate::{Action, Denied, Own, Token, TokenView, Users};
use strongroom_identity as engine;
use strongroom_model::{Name, TokenId};

type Answered = Result<Response<Body>, Fault>;

pub(crate) async fn list(door: &Door, context: &Context) -> Answered {
    let query = context.query(&["user", "cursor", "limit"])?;
    let paging = Paging::of(door, context, Endpoint::ListTokens, &query)?;
    let name = query.text("user").map(Name::new).transpose();
    let name = name.map_err(|fault| Fault::new(Code::InvalidName, format!("user name: {fault}")))?;
    let after = paging.after.and_then(|text| text.parse::<TokenId>().ok());
    let permit = door.gate.admit::<engine::ListTokens>(&context.caller, Users { name }).await?;
    let held = door.identity.list_tokens(permit, after, paging.limit).await?;
    let (tokens, more) = door.gate.release(held).await?.ok_or(Code::NotFound)?;
    let last = tokens.last().filter(|_| more).map(|token| token.accessor.to_string());
    let next = last.map(|last| cursor::seal(door, context, Endpoint::ListTokens, &last));
    answer::json(&TokenList { tokens: tokens.into_iter().map(|token| info(door, token)).collect(), next })
}

pub(crate) async fn own(door: &Door, context: &Context) -> Answered {
    let permit = door.gate.admit::<engine::ListOwnTokens>(&context.caller, Own::of(&context.caller)).await?;
    let tokens = door.gate.release(door.identity.own_tokens(permit)).await?;
    let tokens = tokens.into_iter().map(|token| info(door, token)).collect();
    answer::json(&TokenList { tokens, next: None })
}

pub(crate) async fn revoke(door: &Door, context: &Context) -> Answered {
    end::<engine::RevokeToken>(door, context, Token::any(context.id(0, "accessor")?)).await
}

pub(crate) async fn revoke_own(door: &Door, context: &Context) -> Answered {
    let token = Token::own(&context.caller, context.id(0, "accessor")?);
    end::<engine::RevokeOwnToken>(door, context, token).await
}

async fn end<A: Action<View = TokenView, Resource = Token>>(
    door: &Door,
    context: &Context,
    token: Token,
) -> Answered {
    match door.gate.admit::<A>(&context.caller, token).await {
        Ok(permit) => door.identity.end(permit, context.user()).await?,
        Err(Denied::Repeated(_)) => {}
        Err(denied) => return Err(denied.into()),
    }
    Ok(answer::nothing())
}

pub(crate) async fn revoke_all(door: &Door, context: &Context) -> Answered {
    match door.gate.admit::<engine::RevokeTokens>(&context.caller, named(context)?).await {
        Ok(permit) => door.identity.end_all(permit, context.user()).await?,
        Err(Denied::Repeated(_)) => {}
        Err(denied) => return Err(denied.into()),
    }
    Ok(answer::nothing())
}
