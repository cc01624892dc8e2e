//! Why somebody may do something, and who may.

use crate::Door;
use crate::answer;
use crate::fault::Fault;
use crate::request::Context;
use axum::body::Body;
use http::Response;
use strongroom_api::{
    AbleUser, Code, ExplainAnswer, ExplainCandidate, ExplainReport, WhoCanAnswer, WhoCanReport,
};
use strongroom_gate::{Ask, Explanation, Mode, Rules};
use strongroom_identity as engine;
use strongroom_model::{Name, SecretPath};

type Answered = Result<Response<Body>, Fault>;

fn ask(context: &Context) -> Result<Ask, Fault> {
    let query = context.query(&["action", "store", "secret"])?;
    let bad_name = |what: &str, fault: strongroom_model::NameError| {
        Fault::new(Code::InvalidName, format!("{what}: {fault}"))
    };
    let store = query.text("store").map(Name::new).transpose();
    let store = store.map_err(|fault| bad_name("store name", fault))?;
    let secret = query.text("secret").map(SecretPath::new).transpose();
    let secret = secret.map_err(|fault| bad_name("secret path", fault))?;
    let word = query.text("action").ok_or_else(|| Fault::new(Code::InvalidRequest, "action is missing"))?;
    Ask::new(word, store.as_ref(), secret.as_ref())
        .map_err(|fault| Fault::new(Code::InvalidRequest, fault.to_string()))
}

pub(crate) async fn of_self(door: &Door, context: &Context) -> Answered {
    let rules = Rules { user: None, ask: ask(context)? };
    let permit = door.gate.admit::<engine::ExplainSelf>(&context.caller, rules).await?;
    report(door.gate.release(engine::explain_self(permit)).await?)
}

pub(crate) async fn of_user(door: &Door, context: &Context) -> Answered {
    let rules = Rules { user: Some(context.first_name("user")?), ask: ask(context)? };
    let permit = door.gate.admit::<engine::Explain>(&context.caller, rules).await?;
    report(door.gate.release(engine::explain(permit)).await?)
}

fn report(found: engine::Answered<Explanation>) -> Answered {
    let answer = |(access, explanation): (strongroom_model::Access, Explanation)| ExplainAnswer {
        access: access.to_string(),
        allowed: explanation.decision.allowed,
        rule: explanation.decision.rule.to_string(),
        candidates: explanation.candidates.iter().map(candidate).collect(),
    };
    answer::json(&ExplainReport {
        action: found.action.name().to_owned(),
        resource: found.resource,
        answers: found.answers.into_iter().map(answer).collect(),
    })
}

fn candidate(candidate: &strongroom_gate::Candidate) -> ExplainCandidate {
    let mode = match candidate.mode {
        Mode::Allow => "allow",
        Mode::Deny => "deny",
    };
    ExplainCandidate {
        rule: candidate.rule.to_string(),
        mode: mode.to_owned(),
        bearing: candidate.bearing.text().to_owned(),
    }
}

pub(crate) async fn who_can(door: &Door, context: &Context) -> Answered {
    let rules = Rules { user: None, ask: ask(context)? };
    let permit = door.gate.admit::<engine::WhoCan>(&context.caller, rules).await?;
    let found = door.gate.release(engine::who_can(permit)).await?;
    let able =
        |able: strongroom_gate::Able| AbleUser { user: able.name.to_string(), rule: able.rule.to_string() };
    let answers = found.answers.into_iter().map(|(access, users)| WhoCanAnswer {
        access: access.to_string(),
        users: users.into_iter().map(able).collect(),
    });
    answer::json(&WhoCanReport {
        action: found.action.name().to_owned(),
        resource: found.resource,
        answers: answers.collect(),
    })
}
