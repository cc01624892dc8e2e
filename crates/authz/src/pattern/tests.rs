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
