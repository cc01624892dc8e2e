//! Keys and index tokens, and what everybody may know of the authority: its manifest, attributes, heads.

use crate::asked::Asked;
use crate::fault::Fault;
use crate::{Answered, Door, answer};
use strongroom_attributes::{
    AskTokens, CreateRight, IndexKeys, ListAttributes, MemberKeys, PostHead, ReadHeads, ReadManifest,
    ReadPublicKey, ReadRights, Sharing,
};
use strongroom_sharing::SignedText;
use strongroom_sharing::authority as wire;

/// Attributes of a right, and bytes of one, that are read at all; how many there may be is known further in.
const MAX_RIGHT: (usize, usize) = (256, 256);

pub(crate) async fn public_key(door: &Door, asked: &Asked) -> Answered {
    asked.nothing()?;
    let permit = door.gate.admit::<ReadPublicKey>(&asked.caller, Sharing::whole()).await?;
    answer::json(&door.attributes.public_key(permit).await?)
}

pub(crate) async fn member_keys(door: &Door, asked: &Asked) -> Answered {
    asked.nothing()?;
    let permit = door.gate.admit::<MemberKeys>(&asked.caller, asked.own()).await?;
    answer::json(&door.attributes.member_keys(permit, asked.epochs()).await?)
}

pub(crate) async fn index_keys(door: &Door, asked: &Asked) -> Answered {
    asked.nothing()?;
    let permit = door.gate.admit::<IndexKeys>(&asked.caller, asked.own()).await?;
    answer::json(&door.attributes.index_keys(permit).await?)
}

pub(crate) async fn rights(door: &Door, asked: &Asked) -> Answered {
    asked.nothing()?;
    let permit = door.gate.admit::<ReadRights>(&asked.caller, Sharing::whole()).await?;
    answer::json(&door.attributes.rights(permit).await?)
}

pub(crate) async fn create_right(door: &Door, asked: &Asked) -> Answered {
    let wanted: wire::CreateRight = asked.object()?;
    let (most, longest) = MAX_RIGHT;
    if wanted.attributes.len() > most || wanted.attributes.iter().any(|attribute| attribute.len() > longest) {
        return Err(Fault::invalid("attributes: too many, or too long"));
    }
    let about = Sharing::named(wanted.attributes.join(" and "));
    let permit = door.gate.admit::<CreateRight>(&asked.caller, about).await?;
    let attributes = door.attributes.create_right(permit, &wanted.attributes).await?;
    answer::created(&wire::Attributes { attributes })
}

pub(crate) async fn tokens(door: &Door, asked: &Asked) -> Answered {
    let wanted: wire::AskTokens = asked.object()?;
    let permit = door.gate.admit::<AskTokens>(&asked.caller, asked.own()).await?;
    answer::json(&door.attributes.tokens(permit, wanted).await?)
}

pub(crate) async fn attributes(door: &Door, asked: &Asked) -> Answered {
    asked.nothing()?;
    let permit = door.gate.admit::<ListAttributes>(&asked.caller, Sharing::whole()).await?;
    answer::json(&door.attributes.attributes(permit).await?)
}

pub(crate) async fn manifest(door: &Door, asked: &Asked) -> Answered {
    asked.nothing()?;
    let permit = door.gate.admit::<ReadManifest>(&asked.caller, Sharing::whole()).await?;
    answer::json(&door.attributes.manifest(permit).await?)
}

pub(crate) async fn post_head(door: &Door, asked: &Asked) -> Answered {
    let head: SignedText = asked.object()?;
    let permit = door.gate.admit::<PostHead>(&asked.caller, asked.own()).await?;
    door.attributes.post_head(permit, head).await?;
    answer::done("kept")
}

pub(crate) async fn heads(door: &Door, asked: &Asked) -> Answered {
    asked.nothing()?;
    let permit = door.gate.admit::<ReadHeads>(&asked.caller, Sharing::whole()).await?;
    answer::json(&door.attributes.heads(permit).await?)
}
