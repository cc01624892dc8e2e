use super::*;

fn acl(covers: Covers) -> Result<Acl, AclError> {
    Acl::new(Name::new("a").unwrap(), Mode::Allow, Access::READ, covers)
}

fn patterns(texts: &[&str]) -> Vec<Pattern> {
    texts.iter().map(|text| Pattern::new(text).unwrap()).collect()
}

fn commands(texts: &[&str]) -> Result<Acl, AclError> {
    acl(Covers::Commands(patterns(texts)))
}

fn stores(stores: &[&str], secrets: &[&str]) -> Result<Acl, AclError> {
    acl(Covers::Stores { stores: patterns(stores), secrets: patterns(secrets) })
}

#[test]
fn an_acl_that_names_nothing_is_refused() {
    assert_eq!(commands(&[]).unwrap_err(), AclError::Empty(List::Commands));
    assert_eq!(stores(&[], &[".*"]).unwrap_err(), AclError::Empty(List::Stores));
    assert_eq!(stores(&["web"], &[]).unwrap_err(), AclError::Empty(List::Secrets));
    let none = Acl::new(Name::new("a").unwrap(), Mode::Deny, Access::NONE, Covers::Everything);
    assert_eq!(none.unwrap_err(), AclError::NoAccess);
    // one dead pattern among live ones is a slip of somebody's pen too
    for command in ["secret.gett", "get", "secrets.*", "SECRET.GET", "secret"] {
        let refused = commands(&["secret.get", command]).unwrap_err();
        assert!(
            matches!(&refused, AclError::NamesNothing { pattern, .. } if pattern == command),
            "{command}"
        );
    }
    let long = "x{256}";
    for store in ["/root\\.key", "a/b", "\\.\\.", "", "glob:", "glob:..", long, "a/.*", "e\u{301}", "a\u{7}"]
    {
        let Ok(pattern) = Pattern::new(store) else { continue };
        let refused = acl(Covers::Stores { stores: vec![pattern], secrets: patterns(&[".*"]) });
        assert!(matches!(refused, Err(AclError::NamesNothing { list: List::Stores, .. })), "{store}");
    }
    for secret in ["/a", "a//b", "a/\\.\\./b", "a/", "a//.*", "x{1025}"] {
        let refused = stores(&["web"], &[secret]);
        assert!(matches!(refused, Err(AclError::NamesNothing { list: List::Secrets, .. })), "{secret}");
    }
}

#[test]
fn what_may_match_something_is_taken() {
    assert!(commands(&["secret\\..*", "glob:store.*", "keyset.rotate"]).is_ok());
    assert!(
        stores(&["web", "web|db", "glob:team-*", "(?i)prod"], &["app/.*", "glob:app/**", ".*", "a/b"])
            .is_ok()
    );
}

#[test]
fn lists_are_bounded() {
    let many = vec!["web"; MAX_PATTERNS + 1];
    let too_many = AclError::TooMany { list: List::Stores, count: MAX_PATTERNS + 1, allowed: MAX_PATTERNS };
    assert_eq!(stores(&many, &[".*"]).unwrap_err(), too_many);
    assert_eq!(Acl::patterns(List::Stores, many).unwrap_err(), too_many);
    let refused = Acl::patterns(List::Secrets, ["ok", "(?=a)"]).unwrap_err();
    assert_eq!(
        refused.to_string(),
        "secrets: pattern '(?=a)', byte 0: look-around is not supported: patterns are matched in one pass"
    );
}
