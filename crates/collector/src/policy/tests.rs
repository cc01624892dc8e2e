use super::*;
use strongroom_abe::AttributeSet;

pub(crate) fn choice(policy: &str) -> Choice {
    Choice { line: 1, policy: policy.to_owned(), post_quantum: false }
}

pub(crate) fn rule(matches: &str, policy: Option<&str>) -> Rule {
    let treatment = policy.map_or(Treatment::Remove, |policy| Treatment::Encrypt(choice(policy)));
    Rule { line: 2, matches: matches.to_owned(), treatment }
}

pub(crate) fn names(exact: &[&str], regex: &[&str]) -> Names {
    let listed = |all: &[&str]| all.iter().map(|name| (3, (*name).to_owned())).collect();
    Names { exact: listed(exact), regex: listed(regex) }
}

pub(crate) fn file() -> PolicyFile {
    PolicyFile {
        default: Some(choice("ANALYST")),
        index: names(&["src_ip", "http/host"], &["dst_"]),
        timestamp: names(&["time"], &[]),
        exact: vec![
            rule("password", None),
            rule("src_ip", Some("CERT or UNR")),
            rule("http/cookie", Some("CERT")),
        ],
        regex: vec![rule("pass", Some("CERT")), rule("src", Some("2 of (A, B, C)")), rule("dst_x", None)],
        ..PolicyFile::default()
    }
}

fn rules() -> Rules {
    Rules::compile(&file()).unwrap()
}

fn policy_of(rules: &Rules, name: &str) -> Option<String> {
    let number = rules.field(name).policy?;
    Some(rules.policies()[usize::from(number)].policy.as_str().to_owned())
}

fn fault(file: &PolicyFile) -> PolicyFault {
    Rules::compile(file).unwrap_err().fault
}

#[test]
fn the_first_rule_that_matches_decides_and_names_go_before_patterns() {
    let rules = rules();
    for (name, policy) in [
        ("src_ip", Some("CERT or UNR")),
        ("src_port", Some("2 of (A, B, C)")),
        ("a_src", Some("ANALYST")),
        ("passport", Some("CERT")),
        ("password", None),
        ("other", Some("ANALYST")),
        ("http/cookie", Some("CERT")),
        ("http/cookie/name", Some("CERT")),
        ("http/cookies", Some("ANALYST")),
    ] {
        assert_eq!(policy_of(&rules, name).as_deref(), policy, "{name}");
    }
    assert_eq!(rules.field("src_port").by, "regex src");
    assert_eq!(rules.field("src_ip").by, "exact src_ip");
    assert_eq!(rules.field("other").by, "default");
}

#[test]
fn what_is_removed_is_not_indexed() {
    let rules = rules();
    assert!(rules.field("dst_ip").index.is_some());
    let removed = rules.field("dst_x1");
    assert_eq!((removed.policy, removed.index, removed.is_timestamp), (None, None, false));
    assert!(rules.field("src_ip").index.is_some() && rules.field("src_port").index.is_none());
}

#[test]
fn objects_are_split_only_where_a_rule_reaches_into_them() {
    let rules = rules();
    assert!(rules.splits("http") && !rules.splits("https") && !rules.splits("http/cookie"));
    let slashed = PolicyFile { timestamp: names(&[], &["a/b"]), ..file() };
    assert!(Rules::compile(&slashed).unwrap().splits("anything"));
}

#[test]
fn a_form_is_of_the_field_or_of_the_nearest_object_around_it() {
    let form = |form| FieldForm { form: Some(form), ..FieldForm::default() };
    let forms = vec![("http".to_owned(), form(Form::Text)), ("/http/host".to_owned(), form(Form::Domain))];
    let rules = Rules::compile(&PolicyFile { forms, index: names(&["http"], &[]), ..file() }).unwrap();
    assert_eq!(rules.field("http/host").index, Some(form(Form::Domain)));
    assert_eq!(rules.field("http/other/deep").index, Some(form(Form::Text)));
}

#[test]
fn the_same_policy_has_one_number_and_another_suite_another() {
    let mut file = file();
    file.exact.push(rule("x", Some("unr OR cert")));
    let long_lived = Choice { post_quantum: true, ..choice("CERT or UNR") };
    file.exact.push(Rule { line: 9, matches: "y".to_owned(), treatment: Treatment::Encrypt(long_lived) });
    let rules = Rules::compile(&file).unwrap();
    assert_eq!(rules.field("x").policy, rules.field("src_ip").policy);
    assert_ne!(rules.field("y").policy, rules.field("src_ip").policy);
    let suite = |name: &str| rules.policies()[usize::from(rules.field(name).policy.unwrap())].suite;
    assert_eq!((suite("x"), suite("y")), (Suite::Pairing, Suite::PairingAndRights));
}

#[test]
fn what_cannot_be_meant_is_refused() {
    assert_eq!(fault(&PolicyFile { default: None, ..file() }), PolicyFault::NoDefault);
    let with = |policy: &str| PolicyFile { exact: vec![rule("a", Some(policy))], ..file() };
    assert_eq!(fault(&with("CERT@3")), PolicyFault::Epoch { attribute: "CERT@3".to_owned() });
    assert!(matches!(fault(&with("(CERT")), PolicyFault::Policy(_)));
    assert!(matches!(fault(&with(&"(".repeat(10_000))), PolicyFault::Policy(_)));
    let leaves: Vec<String> = (0..10_000).map(|number| format!("A{number}")).collect();
    assert!(matches!(fault(&with(&leaves.join(" or "))), PolicyFault::Policy(_)));
    for pattern in ["(", "(?=x)", "\\1", "x{1000}{1000}", &"x".repeat(2000)] {
        let file = PolicyFile { regex: vec![rule(pattern, None)], ..file() };
        assert!(matches!(fault(&file), PolicyFault::Pattern { .. }), "{pattern}");
    }
    let exact = (0..=MAX_POLICIES).map(|number| rule("a", Some(&format!("A{number}")))).collect();
    assert_eq!(fault(&PolicyFile { exact, ..file() }), PolicyFault::TooManyPolicies);
    let exact = vec![rule("a", None); MAX_RULES];
    assert_eq!(fault(&PolicyFile { exact, ..file() }), PolicyFault::TooManyRules);
}

#[test]
fn a_policy_with_an_attribute_that_nobody_has_is_refused_with_its_line() {
    let rules = rules();
    let known = AttributeSet::parse(["ANALYST", "CERT", "UNR", "A", "B"]).unwrap();
    let error = rules.check(&known).unwrap_err();
    assert_eq!(error.line, 1);
    assert!(error.to_string().contains("no member has C"), "{error}");
}

#[test]
fn policies_for_everybody_are_remarked_on() {
    let default = Some(choice("ANALYST or CERT or ANALYST"));
    let rules = Rules::compile(&PolicyFile { default, ..PolicyFile::default() }).unwrap();
    let kinds = |attributes: &[&str]| -> Vec<WarningKind> {
        let known = AttributeSet::parse(attributes.iter().copied()).unwrap();
        rules.check(&known).unwrap().into_iter().map(|warning| warning.kind).collect()
    };
    assert!(kinds(&["ANALYST", "CERT"]).contains(&WarningKind::Everybody));
    let less = kinds(&["ANALYST", "CERT", "UNR"]);
    assert!(matches!(less.as_slice(), [WarningKind::Text(_)]), "{less:?}");
}
