use super::*;
use crate::policy::{Choice, Names, PolicyFile, Rule, Treatment};
use strongroom_blindindex::{IndexRoot, Networks, Term};

const COLLECTOR: &str = "07070707070707070707070707070707";

fn key() -> CollectorEpochKey {
    IndexRoot::copied(&[7; 32]).unwrap().collector_epoch(COLLECTOR, 3)
}

fn choice(policy: &str) -> Choice {
    Choice { line: 1, policy: policy.to_owned(), post_quantum: false }
}

fn names(exact: &[&str]) -> Names {
    Names { exact: exact.iter().map(|name| (1, (*name).to_owned())).collect(), regex: Vec::new() }
}

fn file() -> PolicyFile {
    let rule = |matches: &str, treatment| Rule { line: 1, matches: matches.to_owned(), treatment };
    PolicyFile {
        default: Some(choice("ANALYST")),
        index: names(&["src_ip", "dst_port", "tags", "http/host", "secret"]),
        timestamp: names(&["time"]),
        exact: vec![
            rule("secret", Treatment::Remove),
            rule("http/host", Treatment::Encrypt(choice("CERT"))),
            rule("pass", Treatment::Encrypt(choice("CERT"))),
        ],
        ..PolicyFile::default()
    }
}

fn keyed(file: &PolicyFile) -> Keyed {
    Keyed::new(Arc::new(Rules::compile(file).unwrap()), Arc::new(key()))
}

type Shown = Vec<(String, String, u16)>;

fn planned(file: &PolicyFile, json: &str) -> Result<(Shown, Vec<Token>), RecordError> {
    let mut plan = Plan::default();
    keyed(file).plan(json.as_bytes(), &mut plan)?;
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    let fields = plan.fields(json.as_bytes());
    let fields = fields.map(|field| (field.name.to_owned(), text(field.value), field.policy)).collect();
    Ok((fields, plan.tokens().to_vec()))
}

fn token(field: &str, form: Form, value: &str) -> Token {
    key().field(field).token(form, value, &mut Vec::new()).unwrap()
}

fn refused(json: &str) -> RecordError {
    planned(&file(), json).unwrap_err()
}

#[test]
fn values_are_kept_as_they_were_written() {
    let json =
        r#"{"a": 1.50e+3, "pass":"\u00e9\"", "src_ip":"::ffff:10.0.0.1","o":{ "x" : [1, 2] },"n":null}"#;
    let (fields, tokens) = planned(&file(), json).unwrap();
    let expected = [
        ("a", "1.50e+3", 0),
        ("pass", r#""\u00e9\"""#, 1),
        ("src_ip", r#""::ffff:10.0.0.1""#, 0),
        ("o", r#"{ "x" : [1, 2] }"#, 0),
        ("n", "null", 0),
    ];
    let expected = expected.map(|(name, value, policy)| (name.to_owned(), value.to_owned(), policy));
    assert_eq!(fields, expected);
    assert_eq!(tokens, [token("src_ip", Form::Ip, "10.0.0.1")]);
}

#[test]
fn an_object_that_a_rule_reaches_into_becomes_fields() {
    let json = r#"{"http":{"host":"Example.org","a/b":{"c":1},"none":{}},"a~":"x"}"#;
    let (fields, tokens) = planned(&file(), json).unwrap();
    let names: Vec<(&str, &str, u16)> = fields.iter().map(|(n, v, p)| (n.as_str(), v.as_str(), *p)).collect();
    let expected = [
        ("http/host", "\"Example.org\"", 1),
        ("http/a~1b", r#"{"c":1}"#, 0),
        ("http/none", "{}", 0),
        ("a~0", "\"x\"", 0),
    ];
    assert_eq!(names, expected);
    assert_eq!(tokens, [token("http/host", Form::Domain, "example.org")]);
}

#[test]
fn removed_fields_leave_neither_value_nor_token() {
    let (fields, tokens) = planned(&file(), r#"{"secret":"hunter2","b":2}"#).unwrap();
    assert_eq!(fields, [("b".to_owned(), "2".to_owned(), 0)]);
    assert!(tokens.is_empty());
    assert_eq!(refused(r#"{"secret":"hunter2"}"#), RecordError::Empty);
}

#[test]
fn each_scalar_of_a_list_is_searchable_and_null_is_not() {
    let (_, tokens) =
        planned(&file(), r#"{"tags":["x", 7, null, {"y":1}, "x", true],"dst_port":null}"#).unwrap();
    let mut expected = ["x", "7", "true"].map(|value| token("tags", Form::Text, value));
    expected.sort();
    assert_eq!(tokens, expected);
}

#[test]
fn a_value_that_is_not_of_its_fields_form_is_found_as_what_it_is() {
    let one = |json: &str| planned(&file(), json).unwrap().1;
    assert_eq!(one(r#"{"src_ip":"unknown"}"#), [token("src_ip", Form::Text, "unknown")]);
    assert_eq!(one(r#"{"dst_port":22}"#), [token("dst_port", Form::Port, "22")]);
    assert_eq!(one(r#"{"dst_port":"Example.org"}"#), [token("dst_port", Form::Domain, "example.org")]);
    let text = FieldForm { form: Some(Form::Port), ..FieldForm::default() };
    let named = PolicyFile { forms: vec![("dst_port".to_owned(), text)], ..file() };
    let (_, tokens) = planned(&named, r#"{"dst_port":"Example.org"}"#).unwrap();
    assert_eq!(tokens, [token("dst_port", Form::Text, "Example.org")]);
}

#[test]
fn networks_and_days_are_searchable_where_they_were_opted_for() {
    let opted =
        FieldForm { networks: Some(Networks::new(&[24], &[]).unwrap()), days: true, ..FieldForm::default() };
    let file = PolicyFile { forms: vec![("src_ip".to_owned(), opted.clone())], ..file() };
    let (_, tokens) = planned(&file, r#"{"src_ip":"10.1.2.3","time":"2020-11-10T08:00:00Z"}"#).unwrap();
    let field = key().field("src_ip");
    let network = opted.networks.as_ref().unwrap().query("10.1.2.0/24").unwrap();
    let value = strongroom_blindindex::Canonical::new(Form::Ip, "10.1.2.3").unwrap();
    let day = Term::Day { value, day: 18_576 };
    assert_eq!(tokens.len(), 3);
    for token in [network[0].token(&field), day.token(&field), token("src_ip", Form::Ip, "10.1.2.3")] {
        assert!(tokens.contains(&token));
    }
    let (_, tokens) = planned(&file, r#"{"src_ip":"10.1.2.3"}"#).unwrap();
    assert_eq!(tokens.len(), 2);
}

#[test]
fn what_is_no_record_is_refused_with_its_reason() {
    for (json, at) in
        [("", 0), ("{", 1), ("{\"a\":1}x", 7), ("{\"a\":1,\"a\":2}", 7), ("{\"a\":01}", 6), ("\u{feff}{}", 0)]
    {
        assert!(matches!(refused(json), RecordError::Json(error) if error.at == at), "{json}");
    }
    for json in ["[]", "7", "\"x\"", "null"] {
        assert_eq!(refused(json), RecordError::NoObject, "{json}");
    }
    assert_eq!(refused("{}"), RecordError::Empty);
    let deep = format!("{{\"a\":{}{}}}", "[".repeat(32), "]".repeat(32));
    assert!(matches!(refused(&deep), RecordError::Json(_)));
    let mut keyed = keyed(&file());
    assert!(matches!(keyed.plan(b"{\"a\":\"\xff\"}", &mut Plan::default()), Err(RecordError::Json(_))));
    let huge = format!("{{\"a\":\"{}\"}}", "x".repeat(crate::record::MAX_RECORD_BYTES));
    assert!(matches!(refused(&huge), RecordError::Json(_)));
}

#[test]
fn fields_tokens_and_names_are_bounded() {
    let members = |count: usize| {
        let all: Vec<String> = (0..count).map(|number| format!("\"f{number}\":0")).collect();
        format!("{{{}}}", all.join(","))
    };
    assert_eq!(planned(&file(), &members(MAX_FIELDS)).unwrap().0.len(), MAX_FIELDS);
    assert_eq!(refused(&members(MAX_FIELDS + 1)), RecordError::TooManyFields);
    let list = |count: usize| {
        let all: Vec<String> = (0..count).map(|number| number.to_string()).collect();
        format!("{{\"tags\":[{}]}}", all.join(","))
    };
    assert_eq!(planned(&file(), &list(MAX_TOKENS)).unwrap().1.len(), MAX_TOKENS);
    assert_eq!(refused(&list(MAX_TOKENS + 1)), RecordError::TooManyTokens { field: "tags".to_owned() });
    let name = "n".repeat(MAX_NAME_BYTES + 1);
    assert_eq!(refused(&format!("{{\"{name}\":1}}")), RecordError::LongName { bytes: MAX_NAME_BYTES + 1 });
    let long = format!("{{\"src_ip\":\"{}\"}}", "x".repeat(9000));
    assert!(matches!(refused(&long), RecordError::Index { field, .. } if field == "src_ip"));
}

#[test]
fn a_record_that_cannot_be_found_is_kept_unless_the_policy_requires_an_index() {
    assert!(planned(&file(), r#"{"other":1}"#).unwrap().1.is_empty());
    let strict = PolicyFile { index_required: true, ..file() };
    assert_eq!(planned(&strict, r#"{"other":1}"#).unwrap_err(), RecordError::NotIndexed);
    assert!(planned(&strict, r#"{"src_ip":"10.0.0.1"}"#).is_ok());
}

#[test]
fn senders_that_invent_names_fill_no_memory() {
    let mut keyed = keyed(&file());
    let mut plan = Plan::default();
    for number in 0..MAX_NAMES + 10 {
        keyed.plan(format!("{{\"f{number}\":1}}").as_bytes(), &mut plan).unwrap();
    }
    assert!(keyed.known.len() <= MAX_NAMES);
    assert_eq!(plan.fields(b"{\"f4105\":1}").count(), 1);
}
