//! The dialogue and the plan, without a machine.

use super::dialogue::answered;
use super::plan::{Plan, Site, Standing, Step};
use super::*;
use crate::error::CliError;
use std::cell::{Cell, RefCell};
use std::rc::Rc;
use strongroom_convection::answers::QUESTIONS;

fn defaults(given: &str) -> Answers {
    let given = Answers::read(Writing::Toml, given.as_bytes()).unwrap();
    answered(given, true, &mut |_, _| panic!("nobody is asked")).unwrap().0
}

#[test]
fn an_empty_line_takes_the_default_and_a_wrong_answer_is_asked_again() {
    let mut lines: Vec<&str> = vec!["svc", "", "perhaps", "soon", "No"];
    let asked = RefCell::new(Vec::new());
    let given = Answers::read(Writing::Toml, b"").unwrap();
    let (answers, open) = answered(given, false, &mut |question, default| {
        asked.borrow_mut().push(question.key);
        let line = if lines.is_empty() { "" } else { lines.remove(0) };
        assert!(question.key != "server_user_name" || default == "convection_sm");
        Ok(line.to_owned())
    })
    .unwrap();
    assert_eq!(answers.text("server_user_name"), "svc");
    assert_eq!(answers.text("server_group_name"), "convection_sm", "an empty line");
    assert!(open.is_empty());
    let asked = asked.borrow();
    let again = asked.iter().filter(|key| **key == "create_server_user").count();
    assert_eq!(again, 3, "two answers were none: {asked:?}");
    assert!(!answers.yes("create_server_user"));
}

#[test]
fn a_person_who_never_answers_rightly_is_not_asked_for_ever() {
    let given = Answers::read(Writing::Toml, b"").unwrap();
    let error = answered(given, false, &mut |_, _| Ok("Not A Name".to_owned())).unwrap_err();
    assert_eq!(error.to_string(), "server_user_name: not answered");
}

#[test]
fn what_a_file_answers_is_not_asked() {
    let whole = defaults("use_network = true\n");
    let text = whole.to_text(Writing::Yaml);
    let again = Answers::read(Writing::Yaml, text.as_bytes()).unwrap();
    let (answers, open) = answered(again, false, &mut |question, _| panic!("{}", question.key)).unwrap();
    assert_eq!((answers, open.len()), (whole, 0));
    assert!(QUESTIONS.len() > 30);
}

/// A step that notes when it is applied.
struct Noted {
    done: Cell<bool>,
    due: Standing,
    effect: bool,
    log: Rc<RefCell<Vec<String>>>,
}

impl Step for Noted {
    fn title(&self, _: &Site) -> String {
        "noted".to_owned()
    }

    fn look(&self, _: &Site) -> Result<Standing, SetupError> {
        Ok(if self.done.get() { Standing::Done } else { self.due.clone() })
    }

    fn apply(&self, _: &Site) -> Result<(), CliError> {
        self.log.borrow_mut().push("applied".to_owned());
        self.done.set(self.effect);
        Ok(())
    }
}

fn noted(root: bool, effect: bool, log: &Rc<RefCell<Vec<String>>>) -> Box<dyn Step> {
    let due = Standing::Due { what: "note".to_owned(), root };
    Box::new(Noted { done: Cell::new(false), due, effect, log: Rc::clone(log) })
}

fn site() -> Site {
    Site { answers: defaults(""), verbose: false, key_file: None }
}

#[test]
fn nothing_is_done_while_a_step_needs_root() {
    let log = Rc::default();
    let plan = Plan::with(vec![noted(false, true, &log), noted(true, true, &log)]);
    let error = plan.carry_out(&site(), &Global::bare()).unwrap_err();
    assert!(matches!(error, CliError::Setup(SetupError::NeedsRoot(steps)) if steps == ["note"]));
    assert!(log.borrow().is_empty());
}

#[test]
fn a_plan_is_carried_out_once() {
    let log = Rc::default();
    let plan = Plan::with(vec![noted(false, true, &log), noted(false, true, &log)]);
    plan.carry_out(&site(), &Global::bare()).unwrap();
    assert_eq!(log.borrow().len(), 2);
    plan.carry_out(&site(), &Global::bare()).unwrap();
    assert_eq!(log.borrow().len(), 2, "it was done already");
}

#[test]
fn a_step_without_effect_is_told() {
    let log = Rc::default();
    let plan = Plan::with(vec![noted(false, false, &log)]);
    let error = plan.carry_out(&site(), &Global::bare()).unwrap_err();
    assert!(matches!(error, CliError::Setup(SetupError::WithoutEffect { .. })));
}

#[test]
fn what_is_wrong_is_told_all_at_once() {
    struct Wrong(&'static str);
    impl Step for Wrong {
        fn title(&self, _: &Site) -> String {
            String::new()
        }
        fn look(&self, _: &Site) -> Result<Standing, SetupError> {
            Err(SetupError::GivenUp { key: self.0 })
        }
        fn apply(&self, _: &Site) -> Result<(), CliError> {
            panic!("applied")
        }
    }
    let plan = Plan::with(vec![Box::new(Wrong("one")), Box::new(Wrong("two"))]);
    let error = plan.show(&site(), &Global::bare()).unwrap_err().to_string();
    assert_eq!(error, "one: not answered\ntwo: not answered");
}
