use proptest::prelude::*;

use super::*;
use crate::tests::any_policy;

fn canonical(text: &str) -> String {
    Policy::parse(text).unwrap().as_str().to_owned()
}

#[test]
fn one_meaning_has_one_text() {
    for (text, expected) in [
        ("a", "A"),
        ("((a))", "A"),
        ("b and a", "A and B"),
        ("a AND (b And c)", "A and B and C"),
        ("a or b and c", "A or (B and C)"),
        ("(a or b) and c", "(A or B) and C"),
        ("a and a", "A"),
        ("a or (a and b)", "A"),
        ("a and (a or b)", "A"),
        ("1 of (b, a)", "A or B"),
        ("2 of (b, a)", "A and B"),
        ("2 of (c, b and a, 1 of (d, e))", "2 of (A and B, C, D or E)"),
        ("x and 2 of (a,b,c)", "2 of (A, B, C) and X"),
        ("2 of (2 of (a,b,c), d, e)", "2 of (2 of (A, B, C), D, E)"),
        ("(a and b) or (b and a)", "A and B"),
    ] {
        assert_eq!(canonical(text), expected, "{text}");
        assert_eq!(canonical(expected), expected);
    }
}

#[test]
fn what_is_wrong_is_told_with_its_place() {
    let error = |text: &str| Policy::parse(text).unwrap_err().to_string();
    assert_eq!(error(""), "policy has its end at 1, expected is an attribute, a number or `(`");
    assert_eq!(error("a and"), "policy has its end at 6, expected is an attribute, a number or `(`");
    assert_eq!(error("(a or b"), "policy has its end at 8, expected is `)`, `and` or `or`");
    assert_eq!(error("a b"), "policy has \"b\" at 3, expected is `and`, `or` or the end");
    assert_eq!(error("a) or b"), "policy has `)` at 2, expected is `and`, `or` or the end");
    assert_eq!(error("2 (a, b)"), "policy has `(` at 3, expected is `of` after a number");
    assert_eq!(error("3 of (a, b)"), "policy asks for 3 of 2 at 1");
    assert_eq!(error("0 of (a, b)"), "policy asks for 0 of 2 at 1");
    assert_eq!(error("99999999999999999999 of (a)"), format!("policy asks for {} of 1 at 1", usize::MAX));
    assert_eq!(error("x or 2 of (a, b and b, c, b)"), "policy at 6 has B twice under one threshold");
    assert_eq!(error("a and and"), "policy at 7");
    assert_eq!(error("a & b"), "policy has '&' at 3, expected is `and`, `or` or the end");
    assert_eq!(error("a and b\u{a0}"), "policy has '\\u{a0}' at 8, expected is `and`, `or` or the end");
}

#[test]
fn size_depth_and_leaves_are_bounded() {
    let deep = |depth: usize| format!("{}a{}", "(".repeat(depth), ")".repeat(depth));
    assert!(Policy::parse(&deep(MAX_DEPTH - 1)).is_ok());
    assert_eq!(Policy::parse(&deep(MAX_DEPTH)), Err(PolicyError::TooDeep { at: MAX_DEPTH + 1 }));
    assert!(matches!(Policy::parse(&deep(10_000)), Err(PolicyError::TooDeep { .. })));
    let wide = |count: usize| (0..count).map(|at| format!("a{at}")).collect::<Vec<_>>().join(" or ");
    assert_eq!(Policy::parse(&wide(MAX_LEAVES)).unwrap().leaves(), MAX_LEAVES);
    assert!(matches!(Policy::parse(&wide(MAX_LEAVES + 1)), Err(PolicyError::TooManyLeaves { .. })));
    assert!(Policy::parse(&wide(10_000)).is_err());
    assert_eq!(
        Policy::parse(&" ".repeat(MAX_POLICY_BYTES + 1)),
        Err(PolicyError::TooLong { bytes: MAX_POLICY_BYTES + 1 })
    );
    // the longest policies stay within what a header can carry
    let long: Vec<String> = (0..MAX_LEAVES).map(|at| format!("{at:a>128}")).collect();
    let text = format!("1 of ({})", long.join(","));
    let policy = Policy::parse(&text).unwrap();
    assert!(policy.as_str().len() < MAX_POLICY_BYTES);
    assert!(Policy::parse_canonical(policy.as_str()).is_some());
}

#[test]
fn lints_say_what_was_perhaps_not_meant() {
    let lints = |text: &str| -> Vec<String> {
        Policy::parse_and_lint(text).unwrap().1.iter().map(ToString::to_string).collect()
    };
    assert!(lints("a and (b or c)").is_empty());
    assert_eq!(
        lints("a or b and c"),
        ["`and` and `or` are mixed at 3 without parentheses: `and` binds closer"]
    );
    assert_eq!(lints("a and b and a"), ["A stands there twice and counts once"]);
    assert_eq!(lints("a or (a and b)"), ["A and B changes nothing beside A"]);
    assert_eq!(lints("2 of (a, b)"), ["2 of 2 terms is the same as `and`"]);
    assert_eq!(lints("1 of (a, b)"), ["1 of 2 terms is the same as `or`"]);
    assert_eq!(
        lints("(a and b) or (a and c)"),
        ["A stands in 2 places: members need keys with that many uses"]
    );
}

#[test]
fn unknown_attributes_are_found() {
    let known = AttributeSet::parse(["A", "B"]).unwrap();
    let policy = Policy::parse("a and (b or typo)").unwrap();
    assert_eq!(policy.unknown(&known), [Attribute::new("TYPO").unwrap()]);
}

proptest! {
    #[test]
    fn the_canonical_text_is_read_as_itself_and_means_the_same(text in any_policy(), held in 0_u8..64) {
        let Ok(read) = parse::parse(&text, &mut Vec::new()) else { return Ok(()) };
        let policy = Policy::parse(&text).unwrap();
        prop_assert_eq!(Policy::parse_canonical(policy.as_str()), Some(policy.clone()));
        let names = ["A", "B", "C", "D", "E", "F"].into_iter().enumerate();
        let held = names.filter(|(at, _)| held >> at & 1 == 1).map(|(_, name)| name);
        let held = AttributeSet::parse(held).unwrap();
        prop_assert_eq!(read.is_satisfied_by(&held), policy.is_satisfied_by(&held));
    }

    #[test]
    fn any_text_is_read_or_refused(text in "[aAbB12()_ ,ofandor&]{0,60}") {
        if let Ok(policy) = Policy::parse(&text) {
            prop_assert!(Policy::parse_canonical(policy.as_str()).is_some());
        }
    }
}
