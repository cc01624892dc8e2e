use super::*;

const AT: UnixMillis = UnixMillis(1_795_305_600_000);

fn user() -> UserRecord {
    UserRecord {
        enabled: false,
        tokens_ended: UnixMillis(7),
        groups: vec![GroupId([1; 16])],
        acls: vec![AclId([2; 16]), AclId([3; 16])],
        ..UserRecord::new(Name::new("ключ").unwrap(), AT)
    }
}

fn token() -> TokenRecord {
    TokenRecord {
        digest: [1; 32],
        user: UserId([2; 16]),
        key: CredentialId([3; 16]),
        accessor: TokenId([4; 16]),
        created: AT,
        expires: AT.plus(std::time::Duration::from_mins(1)),
        way: Way::Password,
    }
}

fn acl(mode: Mode, covers: Covers) -> Vec<u8> {
    let access = Access::READ.with(Access::DELETE);
    let acl = Arc::new(Acl::new(Name::new("web-read").unwrap(), mode, access, covers).unwrap());
    let record = AclRecord { acl, created: AT, updated: AT, revision: 3 };
    let again = AclRecord::decode(&record.encode()).unwrap();
    assert_eq!(again.encode(), record.encode());
    assert_eq!((again.acl.mode(), again.acl.access(), again.revision), (mode, access, 3));
    assert_eq!(again.acl.covers(), record.acl.covers());
    record.encode()
}

fn list(list: List, texts: &[&str]) -> Vec<Pattern> {
    Acl::patterns(list, texts.iter().copied()).unwrap()
}

/// Each record, by name, as it is written.
fn written() -> [(&'static str, Vec<u8>); 8] {
    let group = GroupRecord { name: Name::new("devs").unwrap(), created: AT, acls: vec![AclId([4; 16])] };
    let credential = CredentialRecord { user: UserId([2; 16]), spki: vec![0x30, 1, 2], created: AT };
    let hash = "$argon2id$v=19$m=64,t=1,p=1$AAAA$BBBB".to_owned();
    let password = PasswordRecord { id: CredentialId([5; 16]), created: AT, hash };
    assert_eq!(GroupRecord::decode(&group.encode()), Some(group.clone()));
    assert_eq!(CredentialRecord::decode(&credential.encode()), Some(credential.clone()));
    assert_eq!(PasswordRecord::decode(&password.encode()), Some(password.clone()));
    assert_eq!(UserRecord::decode(&user().encode()), Some(user()));
    assert_eq!(TokenRecord::decode(&token().encode()), Some(token()));
    [
        ("user", user().encode()),
        ("group", group.encode()),
        ("credential", credential.encode()),
        ("password", password.encode()),
        ("token", token().encode()),
        ("acl", acl(Mode::Allow, Covers::Everything)),
        ("acl", acl(Mode::Deny, Covers::Commands(list(List::Commands, &["user[.].*", "audit.read"])))),
        (
            "acl",
            acl(
                Mode::Allow,
                Covers::Stores {
                    stores: list(List::Stores, &["web"]),
                    secrets: list(List::Secrets, &[".*"]),
                },
            ),
        ),
    ]
}

/// `vectors/people/records-v2.txt`: written by this code on 2026-11-22, read for ever.
#[test]
fn golden_records_are_written_and_read() {
    let golden = include_str!("../../../../../vectors/people/records-v2.txt");
    let lines: Vec<_> = written().map(|(name, bytes)| format!("{name} {}", hex(&bytes))).into();
    assert_eq!(lines.join("\n"), golden.trim());
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").unwrap();
        text
    })
}

#[test]
fn users_and_tokens_of_the_first_format_are_read() {
    let old = Writer::new().u8(1).i64(AT.0).bytes(b"root").finish();
    assert_eq!(UserRecord::decode(&old), Some(UserRecord::new(Name::new("root").unwrap(), AT)));
    let mut old = token().encode();
    old[0] = 1;
    old.pop();
    assert_eq!(TokenRecord::decode(&old), Some(TokenRecord { way: Way::AccessKey, ..token() }));
}

#[test]
fn what_is_cut_or_of_another_format_is_no_record() {
    for length in 0..user().encode().len() {
        assert_eq!(UserRecord::decode(&user().encode()[..length]), None, "{length}");
    }
    for length in 0..token().encode().len() {
        assert_eq!(TokenRecord::decode(&token().encode()[..length]), None, "{length}");
    }
    let mut newer = user().encode();
    newer[0] = 3;
    assert_eq!(UserRecord::decode(&newer), None);
    let huge = Writer::new().u8(1).i64(0).bytes(b"g").u32(u32::MAX).finish();
    assert_eq!(GroupRecord::decode(&huge), None, "a count beyond the bytes");
}
