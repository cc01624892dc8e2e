//! ACLs, and to whom they are attached.

use super::page::Paging;
use crate::asked::{Asked, name};
use crate::fault::Fault;
use crate::reply::{Answered, Reply};
use crate::request::Fields;
use serde_json::{Value, json};
use strongroom_gate::{AclNamed, Acls, Attachment, Covers, HolderNamed, Mode, Pattern};
use strongroom_identity::{self as engine, CoversKind, IdentityError, RuleText};
use strongroom_model::Access;

pub(crate) async fn list_acls(asked: &Asked<'_>) -> Answered {
    let page = Paging::of(asked)?;
    let permit = asked.door.gate.admit::<engine::ListAcls>(&asked.caller, Acls { name: None }).await?;
    let held = asked.door.identity.list_acls(permit, page.after.as_deref(), page.reach()).await?;
    let (acls, more) = asked.door.gate.release(held).await?;
    Ok(page.reply("acls", acls.into_iter().map(|acl| acl.acl.name().to_string()), more))
}

pub(crate) async fn create_acl(asked: &Asked<'_>) -> Answered {
    let name = asked.name("acl_name")?;
    let rule = rule(asked)?;
    let acls = Acls { name: Some(name) };
    let permit = asked.door.gate.admit::<engine::CreateAcl>(&asked.caller, acls).await?;
    let made = asked.door.identity.create_acl(permit, &rule).await?;
    Ok(Reply::done().with("acl", made.acl.name().as_str()))
}

/// The rule as the engine takes it. Its patterns are regular expressions; each matches a name whole.
fn rule(fields: &Fields<'_>) -> Result<RuleText, Fault> {
    let covers = match fields.text("acl_type")?.as_str() {
        "ACLObject" => CoversKind::Everything,
        "ACLCommand" => CoversKind::Commands,
        "ACLStore" => CoversKind::Stores,
        _ => {
            let told = "acl_type is ACLObject, ACLCommand or ACLStore";
            return Err(Fault::exception("TypeError", told));
        }
    };
    let nested = fields.object("acl_args")?;
    let list = |name: &str, of: CoversKind| -> Result<Vec<String>, Fault> {
        let list = match fields.texts(name)? {
            Some(list) => list,
            None => nested.texts(name)?.unwrap_or_default(),
        };
        if list.is_empty() || covers == of {
            return Ok(list);
        }
        Err(Fault::value(&format!("{name} is given, which an ACL of this type does not cover")))
    };
    Ok(RuleText {
        mode: mode(fields)?,
        access: access(fields)?,
        commands: list("commands", CoversKind::Commands)?,
        stores: list("store_paths", CoversKind::Stores)?,
        secrets: list("secret_names", CoversKind::Stores)?,
        covers,
    })
}

/// `allow` and `deny`, or the numbers that the library calls them.
fn mode(fields: &Fields<'_>) -> Result<Mode, Fault> {
    match fields.raw("mode") {
        Some("\"allow\"" | "1" | "\"1\"") => Ok(Mode::Allow),
        Some("\"deny\"" | "0" | "\"0\"") => Ok(Mode::Deny),
        Some(_) => Err(Fault::value("mode is allow or deny")),
        None => Err(Fault::missing("mode")),
    }
}

/// Letters of `rwmd`, or the sum of the bits 2, 4, 8 and 16.
fn access(fields: &Fields<'_>) -> Result<Access, Fault> {
    let wrong = || Fault::value("access_mode is some of the letters r, w, m, d, each at most once");
    let Some(raw) = fields.raw("access_mode") else { return Err(Fault::missing("access_mode")) };
    if let Ok(bits) = raw.trim_matches('"').parse::<u8>() {
        return Access::from_bits(bits).ok_or_else(wrong);
    }
    Access::from_letters(&fields.text("access_mode")?).ok_or_else(wrong)
}

fn texts(patterns: &[Pattern]) -> Value {
    patterns.iter().map(Pattern::as_str).collect()
}

pub(crate) async fn audit_acl(asked: &Asked<'_>) -> Answered {
    let acl = AclNamed { name: asked.name("acl_name")? };
    let permit = asked.door.gate.admit::<engine::ReadAcl>(&asked.caller, acl).await?;
    let held = asked.door.identity.read_acl(permit).await?;
    let acl = asked.door.gate.release(held).await?.acl;
    let mode = match acl.mode() {
        Mode::Allow => "allow",
        Mode::Deny => "deny",
    };
    let object = match acl.covers() {
        Covers::Everything => "ACLObject",
        Covers::Commands(_) => "ACLCommand",
        Covers::Stores { .. } => "ACLStore",
    };
    let mut audit = json!({
        "mode": mode,
        "name": acl.name().as_str(),
        "access_mode": acl.access().to_string(),
        "object": object,
    });
    match (acl.covers(), &mut audit) {
        (Covers::Commands(commands), Value::Object(audit)) => {
            audit.insert("commands".to_owned(), texts(commands));
        }
        (Covers::Stores { stores, secrets }, Value::Object(audit)) => {
            audit.insert("store_paths".to_owned(), texts(stores));
            audit.insert("secret_names".to_owned(), texts(secrets));
        }
        _ => {}
    }
    Ok(Reply::done().with(acl.name().as_str(), audit))
}

/// The ACL, and to whom it is attached, by the fields that begin with a word.
fn attachment(asked: &Asked<'_>, word: &str) -> Result<Attachment, Fault> {
    let acl = asked.name("acl_name")?;
    let (kind, field) = (asked.text(&format!("{word}_type"))?, format!("{word}_name"));
    let holder = name(&field, &asked.text(&field)?)?;
    match kind.as_str() {
        "user" => Ok(Attachment { acl, to: HolderNamed::User(holder) }),
        "group" => Ok(Attachment { acl, to: HolderNamed::Group(holder) }),
        _ => Err(Fault::value(&format!("{word}_type is user or group"))),
    }
}

pub(crate) async fn attach_acl(asked: &Asked<'_>) -> Answered {
    let attachment = attachment(asked, "attach")?;
    let permit = asked.door.gate.admit::<engine::AttachAcl>(&asked.caller, attachment).await?;
    asked.door.identity.attach(permit, asked.user()).await?;
    Ok(Reply::done())
}

pub(crate) async fn detach_acl(asked: &Asked<'_>) -> Answered {
    let attachment = attachment(asked, "detach")?;
    let permit = asked.door.gate.admit::<engine::DetachAcl>(&asked.caller, attachment).await?;
    match asked.door.identity.detach(permit, asked.user()).await {
        Ok(()) => Ok(Reply::done()),
        // both are there, and one is not attached to the other
        Err(IdentityError::NotFound) => Err(Fault::soft()),
        Err(fault) => Err(fault.into()),
    }
}

/// Removes an ACL wherever it is attached, as this protocol always did.
pub(crate) async fn remove_acl(asked: &Asked<'_>) -> Answered {
    let acl = AclNamed { name: asked.name("acl_name")? };
    let permit = asked.door.gate.admit::<engine::RemoveAcl>(&asked.caller, acl).await?;
    asked.door.identity.remove_acl(permit, asked.user(), true).await?;
    Ok(Reply::done())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> Result<RuleText, Fault> {
        rule(&Fields::parse(text)?)
    }

    #[test]
    fn modes_and_access_are_words_and_letters_or_numbers() {
        for (mode, expected) in
            [("\"allow\"", Mode::Allow), ("1", Mode::Allow), ("\"deny\"", Mode::Deny), ("0", Mode::Deny)]
        {
            for (access, bits) in [("\"rw\"", 6), ("6", 6), ("\"6\"", 6), ("\"dmwr\"", 30), ("30", 30)] {
                let text = format!(r#"{{"acl_type": "ACLObject", "mode": {mode}, "access_mode": {access}}}"#);
                let rule = of(&text).unwrap();
                assert_eq!((rule.mode, rule.access.bits()), (expected, bits), "{text}");
            }
        }
        for (mode, access) in [
            ("\"Allow\"", "2"),
            ("-1", "2"),
            ("2", "2"),
            ("1", "1"),
            ("1", "224"),
            ("1", "\"x\""),
            ("1", "\"rr\""),
        ] {
            let text = format!(r#"{{"acl_type": "ACLObject", "mode": {mode}, "access_mode": {access}}}"#);
            assert!(of(&text).is_err(), "{text}");
        }
    }

    #[test]
    fn lists_belong_to_their_type_and_may_come_the_librarys_way() {
        let text = |rest: &str| format!(r#"{{"mode": 1, "access_mode": 2, {rest}}}"#);
        let rule = of(&text(
            r#""acl_type": "ACLStore", "store_paths": ["web"], "secret_names": ["a.*"], "commands": []"#,
        ));
        let rule = rule.unwrap();
        assert_eq!((rule.stores, rule.secrets), (vec!["web".to_owned()], vec!["a.*".to_owned()]));
        let rule =
            of(&text(r#""acl_type": "ACLCommand", "acl_args": {"commands": ["get_secret"]}"#)).unwrap();
        assert_eq!(rule.commands, ["get_secret"]);
        // said twice, what stands outside is what holds
        let twice = r#""acl_type": "ACLCommand", "commands": ["a"], "acl_args": {"commands": [".*"]}"#;
        assert_eq!(of(&text(twice)).unwrap().commands, ["a"]);
        for rest in [
            r#""acl_type": "ACLObject", "commands": [".*"]"#,
            r#""acl_type": "ACLCommand", "store_paths": ["web"]"#,
            r#""acl_type": "ACLThing""#,
            r#""acl_type": "ACLCommand", "commands": "get_secret""#,
            r#""acl_type": "ACLCommand", "acl_args": ["get_secret"]"#,
        ] {
            assert!(of(&text(rest)).is_err(), "{rest}");
        }
    }
}
