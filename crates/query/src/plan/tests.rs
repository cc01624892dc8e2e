use super::*;
use crate::settings::FieldSpec;
use strongroom_blindindex::Networks;
use strongroom_sharing::authority::TokenOf;

fn fields() -> Fields {
    let mut fields = Fields::default();
    let networks = Some(Networks::new(&[24], &[]).unwrap());
    fields.search("src_ip", FieldSpec { form: Some(Form::Ip), networks, ..FieldSpec::default() });
    fields.search("user", FieldSpec { form: Some(Form::Text), ..FieldSpec::default() });
    fields
}

fn planned(text: &str) -> Result<Plan, PlanError> {
    let now = "2026-11-22T12:00:00Z".parse().unwrap();
    Plan::new(&Question::read(text, now).unwrap(), &fields())
}

#[test]
fn values_are_asked_for_by_field_and_form() {
    let plan = planned("203.0.113.7 OR root OR src_ip=10.0.0.1 OR other=x").unwrap();
    let asked: Vec<(String, String, usize)> = plan
        .asks()
        .into_iter()
        .map(|asking| (asking.ask.field, asking.ask.form, asking.ask.values.len()))
        .collect();
    let expected = [("other", "text", 1), ("src_ip", "ip", 2), ("src_ip", "text", 1), ("user", "text", 2)];
    assert_eq!(asked, expected.map(|(field, form, count)| (field.to_owned(), form.to_owned(), count)));
    let networks = planned("in 10.1.0.0/20").unwrap().asks();
    assert_eq!((networks.len(), networks[0].ask.values.len()), (1, 16));
}

#[test]
fn a_question_that_cannot_be_asked_says_where() {
    let error = |text: &str| planned(text).unwrap_err().to_string();
    assert!(
        error("a=1 AND in 10.0.0.0/8").starts_with("column 9: networks of 8 bits are not indexed")
            || error("a=1 AND in 10.0.0.0/8").contains("more than")
    );
    assert!(error("under example.org").starts_with("column 1: no field under `fields:`"));
    assert!(error("x day 2026-11-01").starts_with("column 1: in which field?"));
    assert!(error("src_ip in elsewhere").starts_with("column 1: value is not a network"));
    let long = format!("a={}", "x".repeat(9000));
    assert!(error(&long).starts_with("column 1: value has 9000 bytes"));
    let many: Vec<String> = (0..5).map(|number| format!("src_ip in 10.{number}.0.0/16")).collect();
    assert!(error(&many.join(" OR ")).starts_with("the question becomes more than"));
    let now = "2026-11-22T12:00:00Z".parse().unwrap();
    let bare = Plan::new(&Question::read("x", now).unwrap(), &Fields::default());
    assert!(matches!(bare, Err(PlanError::NoFields { column: 1 })));
}

#[test]
fn many_collectors_are_asked_for_in_conditions_that_the_exchange_takes() {
    let mut plan = planned("src_ip=10.0.0.1 AND user=root").unwrap();
    let sections: u16 = 5000;
    for asking in plan.asks() {
        let token = |number: u16| {
            let mut bytes = [asking.ask.field.len().to_le_bytes()[0]; 16];
            bytes[..2].copy_from_slice(&number.to_be_bytes());
            TokenOf {
                collector: MemberId([(number % 50).to_le_bytes()[0]; 16]),
                epoch: (number / 50).into(),
                token: TokenText(bytes),
            }
        };
        let tokens = vec![(0..sections).map(token).collect(); asking.ask.values.len()];
        plan.answered(&asking, Tokens { tokens, refused: Vec::new() }).unwrap();
    }
    let conditions = plan.conditions().unwrap();
    assert_eq!(conditions.len(), 3);
    let mut total = 0;
    for condition in conditions {
        let Where::And(parts) = condition else { panic!("two terms") };
        let counts: Vec<usize> = parts
            .iter()
            .map(|part| match part {
                Where::Any(tokens) => tokens.len(),
                _ => panic!("tokens"),
            })
            .collect();
        assert_eq!(counts[0], counts[1], "a collector's epoch is asked for as a whole");
        assert!(counts[0] + counts[1] <= MAX_QUERY_TOKENS);
        total += counts[0];
    }
    assert_eq!(total, usize::from(sections));
}

#[test]
fn an_answer_of_another_length_is_refused() {
    let mut plan = planned("src_ip=10.0.0.1").unwrap();
    let asking = plan.asks().pop().unwrap();
    let answered = plan.answered(&asking, Tokens { tokens: Vec::new(), refused: Vec::new() });
    assert!(matches!(answered, Err(PlanError::Answer { found: 0, asked: 1 })));
}
