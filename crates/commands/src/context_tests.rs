use super::*;

fn global() -> Global {
    Global::bare()
}

fn written(text: &str) -> (tempfile::TempDir, PathBuf) {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("config.toml");
    std::fs::write(&path, text).unwrap();
    (home, path)
}

const TWO: &str = r#"
current = "dev"
[context.dev]
address = "https://127.0.0.1:8200"
cacert = "/ca.pem"
socket = "/s.sock"
access_key_id = "id"
[context.other]
address = "https://other:1"
"#;

#[test]
fn addresses_are_https_or_unix() {
    let https = |host: &str, port| Ok(Address::Https { host: host.to_owned(), port });
    let parse = |text: &str| text.parse::<Address>().map_err(|_| ());
    assert_eq!(parse("https://a.b:1"), https("a.b", 1));
    assert_eq!(parse("https://a.b"), https("a.b", 8200));
    assert_eq!(parse("https://[::1]:1/"), https("::1", 1));
    assert_eq!(parse("unix:/a/b"), Ok(Address::Unix("/a/b".into())));
    for bad in
        ["http://a:1", "a:1", "", "unix:a", "https://", "https://u@a", "https://a/x", "https://a:99999"]
    {
        assert_eq!(parse(bad), Err(()), "{bad}");
    }
    assert_eq!("https://[::1]:1".parse::<Address>().unwrap().to_string(), "https://[::1]:1");
}

#[test]
fn without_anything_the_local_socket_is_asked() {
    let target = Target::find(&global(), Path::new("/nowhere/config.toml")).unwrap();
    assert_eq!(target, Target::bare(Address::Unix(DEFAULT_SOCKET.into())));
}

#[test]
fn the_current_context_is_used() {
    let (_home, path) = written(TWO);
    let target = Target::find(&global(), &path).unwrap();
    assert_eq!(target.address.to_string(), "https://127.0.0.1:8200");
    assert_eq!(target.cacert.as_deref(), Some(Path::new("/ca.pem")));
    assert_eq!(target.token_name(), "dev");
}

#[test]
fn another_context_can_be_named() {
    let (_home, path) = written(TWO);
    let target = Target::find(&Global { context: Some("other".into()), ..global() }, &path).unwrap();
    assert_eq!(target.address.to_string(), "https://other:1");
    let unknown = Target::find(&Global { context: Some("none".into()), ..global() }, &path);
    assert!(matches!(unknown, Err(ContextError::Unknown { .. })));
}

#[test]
fn another_address_never_meets_the_contexts_token() {
    let (_home, path) = written(TWO);
    let target = Target::find(&Global { address: Some("https://evil:1".into()), ..global() }, &path).unwrap();
    assert_eq!(target, Target::bare("https://evil:1".parse().unwrap()));
    assert_eq!(target.token_name(), "https://evil:1");
    let same = Target::find(&Global { address: Some("unix:/s.sock".into()), ..global() }, &path).unwrap();
    assert_eq!(same.token_name(), "dev");
}

#[test]
fn an_authority_that_was_asked_for_wins() {
    let (_home, path) = written(TWO);
    let target = Target::find(&Global { cacert: Some("/b.pem".into()), ..global() }, &path).unwrap();
    assert_eq!(target.cacert.as_deref(), Some(Path::new("/b.pem")));
}

#[test]
fn unknown_fields_are_refused_with_their_line() {
    let (_home, path) = written("current = \"a\"\n[context.a]\nadress = \"x\"\n");
    let text = ConfigFile::read(&path).unwrap_err().to_string();
    assert!(text.contains("line 3") && text.contains("adress"), "{text}");
}

#[test]
fn an_update_keeps_the_other_contexts() {
    let (_home, path) = written(TWO);
    update(&path, "new", |context| context.address = Some("https://n:1".into())).unwrap();
    let file = ConfigFile::read(&path).unwrap();
    assert_eq!(file.current.as_deref(), Some("new"));
    assert_eq!(file.context.len(), 3);
    assert_eq!(file.context["dev"].access_key_id.as_deref(), Some("id"));
}
