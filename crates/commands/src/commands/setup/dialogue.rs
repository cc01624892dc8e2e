//! The dialogue: what no file answers is asked, with its default in brackets.

use super::SetupError;
use super::machine::ThisMachine;
use crate::error::CliError;
use crate::{output, prompt};
use strongroom_convection::answers::{Answers, Question};

/// How often a wrong answer is asked again.
const TRIES: usize = 5;

/// All answers: of the file, of a person, or the defaults.
pub(super) fn complete(answers: Answers, defaults: bool) -> Result<Answers, CliError> {
    let person = !defaults && prompt::somebody_there();
    if person && answers.next().is_some() {
        output::note("Press enter to take what stands in brackets.");
    }
    answered(answers, defaults || !person, &mut |question, default| {
        Ok(prompt::line(&format!("{} [{default}]: ", question.text))?)
    })
    .and_then(|(answers, open)| {
        // without a person the defaults only tell which questions there are
        if person || defaults || open.is_empty() {
            Ok(answers)
        } else {
            Err(SetupError::Unanswered(open).into())
        }
    })
}

/// Asks what is open, and tells which questions took their default without being asked.
pub(super) fn answered(
    mut answers: Answers,
    unasked: bool,
    ask: &mut dyn FnMut(&Question, &str) -> Result<String, CliError>,
) -> Result<(Answers, Vec<&'static str>), CliError> {
    let mut open = Vec::new();
    while let Some(question) = answers.next() {
        let default = question.default(&answers, &ThisMachine);
        if unasked {
            open.push(question.key);
            answers.set(question, &default).map_err(|_| SetupError::GivenUp { key: question.key })?;
            continue;
        }
        let mut tries = 0;
        loop {
            let typed = ask(question, &default)?;
            let answer = if typed.trim().is_empty() { default.as_str() } else { typed.trim() };
            match answers.set(question, answer) {
                Ok(()) => break,
                Err(fault) if tries + 1 < TRIES => output::note(&format!("{}: {fault}", question.key)),
                Err(_) => return Err(SetupError::GivenUp { key: question.key }.into()),
            }
            tries += 1;
        }
    }
    Ok((answers, open))
}
