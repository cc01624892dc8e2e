use super::*;

fn fault(text: &str) -> PatternFault {
    Pattern::new(text).unwrap_err().fault
}

#[test]
fn a_pattern_matches_a_name_whole_or_not_at_all() {
    let web = Pattern::new("web").unwrap();
    assert!(web.matches("web"));
    for other in ["my-webhooks", "web2", "aweb", "WEB", ""] {
        assert!(!web.matches(other), "{other}");
    }
    for (pattern, yes, no) in [
        ("web|db", "db", "dbx"),
        ("web.?", "web1", "web12"),
        ("app/.*", "app/x/y", "myapp/x"),
        ("(?i)Web", "wEB", "xweb"),
        ("a|b|", "a", "c"),
        ("(?m)^a$", "a", "a b"),
    ] {
        let pattern = Pattern::new(pattern).unwrap();
        assert!(pattern.matches(yes) && !pattern.matches(no), "{pattern:?} {yes} {no}");
    }
}

#[test]
fn nothing_in_a_pattern_reaches_over_its_anchors() {
    for text in ["a)|(?:b", "a)(b", "(", ")", "a\\"] {
        assert!(matches!(fault(text), PatternFault::Syntax(_)), "{text}");
    }
    // a comment that would swallow what is put behind it
    let commented = Pattern::new("(?x) a # and so on").unwrap();
    assert!(commented.matches("a") && !commented.matches("ab"));
}

#[test]
fn patterns_that_backtrack_elsewhere_are_matched_in_linear_time_or_refused() {
    let long = "a".repeat(1_000);
    for text in ["(a+)+", "(a|a)*", "(a|aa)+", "(.*a){8}", "([a-z]+)*", "a?a?a?a?a?a?a?a?aaaaaaaa.*"] {
        let pattern = Pattern::new(text).unwrap();
        assert!(pattern.matches(&long), "{text}");
        assert!(!pattern.matches(&format!("{long}!")) || text.ends_with(".*"), "{text}");
    }
    assert_eq!(fault("(a)\\1"), PatternFault::Backreference);
    for text in ["(?=a)b", "(?!a)b", "(?<=a)b", "(?<!a)b"] {
        assert_eq!(fault(text), PatternFault::LookAround, "{text}");
    }
}

#[test]
fn what_is_wrong_is_told_with_its_place() {
    let error = Pattern::new("web(").unwrap_err();
    assert_eq!(error.to_string(), "pattern 'web(', byte 3: unclosed group");
    assert_eq!(Pattern::new("ab\\1").unwrap_err().at, 2);
    assert!(matches!(fault("\\p{Gringo}"), PatternFault::Syntax(_)));
    let long = "x".repeat(MAX_PATTERN_BYTES + 1);
    assert_eq!(fault(&long), PatternFault::TooLong { bytes: 1_025, allowed: 1_024 });
    let shown = Pattern::new(&long).unwrap_err().pattern;
    assert!(shown.len() < 100, "a long pattern is not said again whole");
}

#[test]
fn patterns_are_bounded_in_size_and_depth() {
    for text in ["((a{200}){200}){200}", "[\\w.]{900}", "(\\w{30}){30}"] {
        assert_eq!(fault(text), PatternFault::TooLarge { allowed: MAX_COMPILED_BYTES }, "{text}");
    }
    let deep = format!("{}a{}", "(".repeat(30), ")".repeat(30));
    assert_eq!(fault(&deep), PatternFault::TooDeep { allowed: MAX_NESTING });
    assert!(Pattern::new("\\w+-[0-9]{2,8}").is_ok(), "what people write fits");
    for text in ["", "[^\\s\\S]", "()", "a{0}"] {
        assert_eq!(fault(text), PatternFault::MatchesNothing, "{text}");
    }
}

#[test]
fn globs_know_components() {
    for (glob, yes, no) in [
        ("glob:app/*", &["app/x", "app/x.y"][..], &["app/x/y", "app", "xapp/x"][..]),
        ("glob:app/**", &["app/x", "app/x/y"], &["app", "apps/x"]),
        ("glob:**/key", &["a/key", "a/b/key"], &["key", "a/keys"]),
        ("glob:db?", &["db1", "dbé"], &["db", "db12", "db/"]),
        ("glob:a.b", &["a.b"], &["axb"]),
        ("glob:a\\*", &["a*"], &["ab"]),
        ("glob:(a)[b]", &["(a)[b]"], &["ab"]),
        ("glob:*", &["web"], &["a/b"]),
        ("glob:**", &["web", "a/b"], &[]),
    ] {
        let pattern = Pattern::new(glob).unwrap();
        assert!(yes.iter().all(|name| pattern.matches(name)), "{glob}");
        assert!(no.iter().all(|name| !pattern.matches(name)), "{glob}");
    }
}

#[test]
fn simple_patterns_need_no_automaton() {
    let form = |text: &str| match Pattern::new(text).unwrap().form {
        Form::Any => "any",
        Form::Literals(_) => "literals",
        Form::Prefix(_) => "prefix",
        Form::Automaton { .. } => "automaton",
    };
    for (text, wanted) in [
        (".*", "any"),
        (".+", "any"),
        ("glob:**", "any"),
        ("(?s).*", "any"),
        ("^.*$", "any"),
        ("(.*)", "any"),
        ("^(.+)$", "any"),
        ("^web$", "literals"),
        ("^app/.*$", "prefix"),
        ("^.*", "automaton"),
        ("web", "literals"),
        ("we\\.b", "literals"),
        ("web|db/x", "literals"),
        ("glob:app/key", "literals"),
        ("app/.*", "prefix"),
        ("app/.+", "prefix"),
        ("glob:app/**", "prefix"),
        ("app.*", "prefix"),
        ("app.+", "automaton"),
        ("glob:app/*", "automaton"),
        (".*key", "automaton"),
        ("(?i)web", "automaton"),
    ] {
        assert_eq!(form(text), wanted, "{text}");
    }
}
