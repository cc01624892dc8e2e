//! `policy` and `fields`.

use super::Wrong;
use crate::policy::{Choice, FieldForm, Names, PolicyFault, PolicyFile, PolicyFileError, Rule, Treatment};
use strongroom_blindindex::{Form, Networks};
use strongroom_member::{Fault, Node, Section, Value};

pub(super) fn read(
    policy: Option<Node>,
    fields: Option<Node>,
    notices: &mut Vec<String>,
) -> Result<PolicyFile, Wrong> {
    let Some(node) = policy else { return Err(missing_default(0).into()) };
    let mut section = Section::of("policy", node)?;
    let default = default(&mut section, notices)?;
    let (index, index_required) = index(&mut section, notices)?;
    let mut timestamp = section.section("timestamp")?;
    let timestamp = timestamp.as_mut().map(names).transpose()?.unwrap_or_default();
    let mut rules = |key: &str| -> Result<Vec<Rule>, Wrong> {
        let place = format!("policy.{key}");
        list(section.node(key), &place)?.into_iter().map(|node| rule(node, &place, notices)).collect()
    };
    let (exact, regex) = (rules("exact")?, rules("regex")?);
    section.finish()?;
    Ok(PolicyFile { default, index, index_required, timestamp, exact, regex, forms: forms(fields)? })
}

fn missing_default(line: u64) -> PolicyFileError {
    PolicyFileError { line, place: "policy.default", fault: PolicyFault::NoDefault }
}

fn default(policy: &mut Section, notices: &mut Vec<String>) -> Result<Option<Choice>, Wrong> {
    let Some(mut section) = policy.section("default")? else {
        return Err(missing_default(policy.line()).into());
    };
    let line = section.line();
    de_encrypt(&mut section, notices)?;
    let post_quantum = section.flag("post_quantum")?.unwrap_or_default();
    let (line, policy) = section.text("abe_pol")?.ok_or_else(|| missing_default(line))?;
    section.finish()?;
    Ok(Some(Choice { line, policy, post_quantum }))
}

/// The original's second encryption, which let whoever had the public key search: the index took its place.
fn de_encrypt(section: &mut Section, notices: &mut Vec<String>) -> Result<(), Wrong> {
    if section.flag("de_encrypt")? == Some(true) {
        let line = section.line();
        notices
            .push(format!("line {line}: de_encrypt is ignored: name the field in policy.index to search it"));
    }
    Ok(())
}

fn index(policy: &mut Section, notices: &mut Vec<String>) -> Result<(Names, bool), Wrong> {
    let Some(mut section) = policy.section("index")? else { return Ok((Names::default(), false)) };
    let is_required = section.flag("required")?.unwrap_or_default();
    if section.flag("full_index_overwrite")?.is_some() {
        let line = section.line();
        notices.push(format!(
            "line {line}: policy.index.full_index_overwrite is ignored: it never had a meaning"
        ));
    }
    let names = names(&mut section)?;
    section.finish()?;
    Ok((names, is_required))
}

/// `exact` and `regex` of names alone: texts, or mappings of one `match`.
fn names(section: &mut Section) -> Result<Names, Wrong> {
    let mut of = |key: &str| -> Result<Vec<(u64, String)>, Wrong> {
        list(section.node(key), key)?.into_iter().map(matched).collect()
    };
    Ok(Names { exact: of("exact")?, regex: of("regex")? })
}

fn matched(node: Node) -> Result<(u64, String), Wrong> {
    match node.value {
        Value::Text(text) | Value::Number(text) => Ok((node.line, text)),
        _ => {
            let mut section = Section::of("match", node)?;
            let text = section.text("match")?.ok_or_else(|| section.missing("match"))?;
            section.finish()?;
            Ok(text)
        }
    }
}

fn rule(node: Node, place: &str, notices: &mut Vec<String>) -> Result<Rule, Wrong> {
    let mut section = Section::of(place, node)?;
    let (line, matches) = section.text("match")?.ok_or_else(|| section.missing("match"))?;
    de_encrypt(&mut section, notices)?;
    let is_removed = section.flag("remove")?.unwrap_or_default();
    let post_quantum = section.flag("post_quantum")?.unwrap_or_default();
    let policy = section.text("abe_pol")?;
    section.finish()?;
    let treatment = match policy {
        Some(_) if is_removed => {
            return Err(
                PolicyFileError { line, place: "policy", fault: PolicyFault::RemovedAndEncrypted }.into()
            );
        }
        _ if is_removed => Treatment::Remove,
        Some((line, policy)) => Treatment::Encrypt(Choice { line, policy, post_quantum }),
        None => Treatment::Default { post_quantum },
    };
    Ok(Rule { line, matches, treatment })
}

pub(super) fn list(node: Option<Node>, key: &str) -> Result<Vec<Node>, Wrong> {
    match node {
        None => Ok(Vec::new()),
        Some(Node { value: Value::List(list), .. }) => Ok(list),
        Some(node) => {
            let fault = Fault::Kind { key: key.to_owned(), wanted: "a list", found: node.value.kind() };
            Err(Wrong::Key(node.line, fault))
        }
    }
}

fn forms(fields: Option<Node>) -> Result<Vec<(String, FieldForm)>, Wrong> {
    let Some(Node { line, value }) = fields else { return Ok(Vec::new()) };
    let Value::Map(entries) = value else {
        let fault = Fault::Kind { key: "fields".to_owned(), wanted: "a mapping", found: value.kind() };
        return Err(Wrong::Key(line, fault));
    };
    entries.into_iter().map(|(name, node)| Ok((name, form(node)?))).collect()
}

fn form(node: Node) -> Result<FieldForm, Wrong> {
    if let Value::Text(name) = &node.value {
        return Ok(FieldForm { form: Some(form_named(node.line, name)?), ..FieldForm::default() });
    }
    let mut section = Section::of("fields", node)?;
    let line = section.line();
    let form = section.text("form")?.map(|(line, name)| form_named(line, &name)).transpose()?;
    let v4 = lengths(&mut section, "networks")?;
    let v6 = lengths(&mut section, "networks6")?;
    let is_opted = !(v4.is_empty() && v6.is_empty());
    let fault = |error: strongroom_blindindex::NetworksError| wrong(line, error.into());
    let networks = is_opted.then(|| Networks::new(&v4, &v6)).transpose().map_err(fault)?;
    let suffixes = section.flag("suffixes")?.unwrap_or_default();
    let days = section.flag("days")?.unwrap_or_default();
    section.finish()?;
    Ok(FieldForm { form, networks, suffixes, days })
}

fn wrong(line: u64, fault: PolicyFault) -> Wrong {
    PolicyFileError { line, place: "fields", fault }.into()
}

fn form_named(line: u64, name: &str) -> Result<Form, Wrong> {
    let wanted = "one of ip, ipv4, ipv6, cidr, domain, url, email, hash, port, text";
    Form::named(name).ok_or_else(|| wrong(line, PolicyFault::Expected { wanted }))
}

fn lengths(section: &mut Section, key: &str) -> Result<Vec<u8>, Wrong> {
    let wanted = "lengths of networks, such as 24";
    let length = |node: Node| match &node.value {
        Value::Number(text) => text.parse().map_err(|_| wrong(node.line, PolicyFault::Expected { wanted })),
        _ => Err(wrong(node.line, PolicyFault::Expected { wanted })),
    };
    list(section.node(key), key)?.into_iter().map(length).collect()
}
