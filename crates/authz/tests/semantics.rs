//! Who may do what: the table of semantics, the original's escalations, and a comparison with rules read naively.
#![cfg(test)]

use proptest::prelude::*;
use regex_automata::meta::Regex;
use std::collections::HashMap;
use std::sync::{Arc, LazyLock};
use strongroom_authz::{
    Acl, Bearing, Covers, List, Mode, Policy, PolicyBuilder, PolicyError, Question, RuleSet, Source, Target,
};
use strongroom_model::{
    Access, AclId, Action, Caller, Name, Origin, PartitionId, Principal, RequestId, UserId,
};

const ROOT: UserId = UserId([1; 16]);
const ANN: UserId = UserId([2; 16]);
const BOB: UserId = UserId([3; 16]);

fn name(text: &str) -> Name {
    Name::new(text).unwrap()
}

fn caller(user: UserId) -> Caller {
    let principal = Principal { partition: PartitionId::default(), user, name: name("someone") };
    let origin = Origin::Local { uid: 4_000 };
    Caller { principal: Some(Arc::new(principal)), ..Caller::anonymous(origin, RequestId::default()) }
}

fn commands(texts: &[&str]) -> Covers {
    Covers::Commands(Acl::patterns(List::Commands, texts.iter().copied()).unwrap())
}

fn stores(stores: &[&str], secrets: &[&str]) -> Covers {
    Covers::Stores {
        stores: Acl::patterns(List::Stores, stores.iter().copied()).unwrap(),
        secrets: Acl::patterns(List::Secrets, secrets.iter().copied()).unwrap(),
    }
}

fn acl(text: &str, mode: Mode, access: &str, covers: Covers) -> Acl {
    Acl::new(name(text), mode, Access::from_letters(access).unwrap(), covers).unwrap()
}

fn allow(access: &str, covers: Covers) -> Acl {
    acl("an-allow", Mode::Allow, access, covers)
}

fn deny(access: &str, covers: Covers) -> Acl {
    acl("a-deny", Mode::Deny, access, covers)
}

fn builder() -> PolicyBuilder {
    PolicyBuilder::new(RuleSet::built_in(1_000), vec![(ROOT, name("root"))])
}

/// A policy in which Ann has these ACLs, and so has root.
fn policy(acls: Vec<Acl>) -> Policy {
    let mut builder = builder();
    let ids: Vec<AclId> = (0..).zip(&acls).map(|(at, _)| AclId([at; 16])).collect();
    for (id, acl) in ids.iter().zip(acls) {
        builder.acl(*id, acl);
    }
    let direct = || ids.iter().map(|id| (*id, Source::Direct)).collect::<Vec<_>>();
    builder.user(ANN, name("ann"), direct());
    builder.user(ROOT, name("root"), direct());
    builder.build().unwrap()
}

fn may(policy: &Policy, user: UserId, action: Action, access: Access, target: Target<'_>) -> bool {
    policy.decide(&Question { caller: &caller(user), action, access, target }).allowed
}

fn ann(acls: Vec<Acl>, action: Action, target: Target<'_>) -> bool {
    may(&policy(acls), ANN, action, action.access(), target)
}

const WEB_KEY: Target<'_> = Target::Secret { store: "web", path: "app/key" };
const DB_KEY: Target<'_> = Target::Secret { store: "db", path: "app/key" };
const WEB: Target<'_> = Target::Store("web");

#[test]
fn silence_denies_and_deny_wins() {
    use Action::GetSecret;
    let open = || allow("rwmd", stores(&[".*"], &[".*"]));
    assert!(!ann(vec![], GetSecret, WEB_KEY));
    assert!(ann(vec![open()], GetSecret, WEB_KEY));
    for closed in [
        Covers::Everything,
        commands(&["secret.get"]),
        stores(&["web"], &["app/.*"]),
        stores(&[".*"], &[".*"]),
    ] {
        assert!(!ann(vec![open(), deny("r", closed.clone())], GetSecret, WEB_KEY), "{closed:?}");
        assert!(
            ann(vec![open(), deny("wmd", closed.clone())], GetSecret, WEB_KEY),
            "{closed:?} of other access"
        );
    }
    let elsewhere = deny("rwmd", stores(&["db"], &[".*"]));
    assert!(ann(vec![open(), elsewhere.clone()], GetSecret, WEB_KEY));
    assert!(!ann(vec![open(), elsewhere], GetSecret, DB_KEY));
}

/// What each kind of allow and of deny reaches, as one reviewed table.
#[test]
fn each_kind_of_acl_reaches_what_its_table_says() {
    use Action as A;
    let kinds =
        || [Covers::Everything, commands(&[".*"]), stores(&["web"], &["app/.*"]), stores(&[".*"], &[".*"])];
    //                                                     allows: everything, commands, web's app, all stores; denies
    let table = [
        (A::GetSecret, WEB_KEY, [true, false, true, true], [true, true, true, true]),
        (A::GetSecret, DB_KEY, [true, false, false, true], [true, true, false, true]),
        (
            A::GetSecret,
            Target::Secret { store: "web", path: "x" },
            [true, false, false, true],
            [true, true, false, true],
        ),
        (A::DeleteSecret, WEB_KEY, [true, false, true, true], [true, true, true, true]),
        (A::ListSecrets, WEB, [true, false, true, true], [true, true, false, true]),
        (A::ListSecrets, Target::Store("db"), [true, false, false, true], [true, true, false, true]),
        (A::ListExpiring, Target::Server, [true, false, true, true], [true, true, false, true]),
        (A::ListStores, Target::Server, [true, true, true, true], [true, true, false, true]),
        (A::ListStores, WEB, [true, true, true, true], [true, true, false, true]),
        (A::ReadStore, WEB, [true, true, true, true], [true, true, false, true]),
        (A::ReadStore, Target::Store("db"), [true, true, false, true], [true, true, false, true]),
        (A::CreateStore, WEB, [true, true, false, false], [true, true, true, true]),
        (A::RemoveStore, WEB, [true, true, false, false], [true, true, true, true]),
        (A::ConfigureStore, Target::Store("db"), [true, true, false, false], [true, true, false, true]),
        (A::RotateKeyset, Target::Keyset("k"), [true, true, false, false], [true, true, false, false]),
        (A::CreateUser, Target::User("u"), [true, true, false, false], [true, true, false, false]),
        (A::ReadTrail, Target::Server, [true, true, false, false], [true, true, false, false]),
        (A::Lock, Target::Server, [true, true, false, false], [true, true, false, false]),
        (A::Initialise, Target::Server, [false; 4], [false; 4]),
        // an action of secrets upon nothing that is a secret is nobody's
        (A::GetSecret, Target::Server, [true, false, false, false], [true, true, false, false]),
    ];
    for (action, target, allows, denies) in table {
        for (covers, allowed) in kinds().into_iter().zip(allows) {
            let acls = vec![allow("rwmd", covers.clone())];
            assert_eq!(ann(acls, action, target), allowed, "{action:?} {target:?} {covers:?}");
        }
        for (covers, denied) in kinds().into_iter().zip(denies) {
            let acls = vec![allow("rwmd", Covers::Everything), deny("rwmd", covers.clone())];
            let stays = action != A::Initialise && !denied;
            assert_eq!(ann(acls, action, target), stays, "{action:?} {target:?} not {covers:?}");
        }
    }
}

#[test]
fn each_bit_is_decided_by_itself() {
    use Action as A;
    let table = [
        ("r", [A::GetSecret, A::ReadMetadata, A::ReadPublic].as_slice()),
        ("m", &[A::UndeleteSecret]),
        ("d", &[A::DeleteSecret, A::DestroySecret, A::RemoveSecret]),
    ];
    for (letters, actions) in table {
        for (other, _) in table {
            let acls = || vec![allow(other, stores(&["web"], &[".*"]))];
            for action in actions {
                assert_eq!(ann(acls(), *action, WEB_KEY), other == letters, "{action:?} with {other}");
            }
        }
    }
    let write = policy(vec![allow("w", stores(&["web"], &[".*"]))]);
    assert!(may(&write, ANN, A::PutSecret, Access::WRITE, WEB_KEY));
    assert!(!may(&write, ANN, A::PutSecret, Access::MODIFY, WEB_KEY));
    assert!(!may(&write, ANN, A::PutSecret, Access::PUT, WEB_KEY), "both at once need both");
    assert!(!may(&write, ANN, A::PutSecret, Access::NONE, WEB_KEY));
}

/// Row 9 of the original's table: an ACL of one store opened every command that named it.
#[test]
fn a_store_acl_never_grants_a_command() {
    let own =
        policy(vec![allow("rwmd", stores(&["web"], &[".*"])), allow("rwmd", commands(&["token.authorize"]))]);
    let outside = |action: &Action| {
        let name = action.name();
        !name.starts_with("secret.") && !["store.read", "store.list"].contains(&name)
    };
    let own_or_open = |action| {
        use Action as A;
        matches!(action, A::Challenge | A::Authorize | A::Unlock | A::LookupToken | A::RenewToken | A::Deauth)
            || action.name().starts_with("self.")
            || action.name() == "token.login"
            // to be a member of the sharing system is proved by its own means
            || matches!(action, A::SharingLogin | A::SharingToken | A::SharingManifest)
    };
    for action in Action::ALL.iter().copied().filter(outside).filter(|action| !own_or_open(*action)) {
        for target in
            [Target::Server, WEB, WEB_KEY, Target::User("web"), Target::Keyset("web"), Target::Acl("web")]
        {
            assert!(!may(&own, ANN, action, action.access(), target), "{action:?} {target:?}");
        }
    }
}

/// Row 10: an ACL of commands opened every store.
#[test]
fn a_command_acl_never_opens_a_secret() {
    for texts in [&[".*"][..], &["secret\\.get"], &["secret\\..*", "store\\..*"]] {
        let own = policy(vec![allow("rwmd", commands(texts)), allow("r", stores(&["db"], &["other"]))]);
        for action in Action::ALL.iter().copied().filter(|action| action.name().starts_with("secret.")) {
            for target in [WEB_KEY, DB_KEY, WEB] {
                assert!(!may(&own, ANN, action, action.access(), target), "{action:?} {target:?}");
            }
        }
    }
}

/// Row 12: patterns were searched, not matched.
#[test]
fn a_pattern_never_matches_part_of_a_name() {
    let own = || vec![allow("r", stores(&["web"], &["key"]))];
    assert!(ann(own(), Action::GetSecret, Target::Secret { store: "web", path: "key" }));
    for (store, path) in
        [("my-webhooks", "key"), ("web2", "key"), ("web", "key2"), ("web", "app/key"), ("we", "key")]
    {
        assert!(!ann(own(), Action::GetSecret, Target::Secret { store, path }), "{store}/{path}");
    }
    let command = allow("r", commands(&["user\\.read"]));
    assert!(
        !ann(vec![command], Action::ReadSelf, Target::User("x")) || Action::ReadSelf.name() != "user.read"
    );
}

/// Row 13: an allow that is too narrow denied what another allowed.
#[test]
fn a_too_narrow_allow_is_no_match() {
    let own = || {
        vec![
            acl("broad", Mode::Allow, "r", stores(&[".*"], &[".*"])),
            acl("narrow", Mode::Allow, "rwmd", stores(&["web"], &["app/.*"])),
        ]
    };
    assert!(ann(own(), Action::DeleteSecret, WEB_KEY));
    assert!(ann(own(), Action::GetSecret, DB_KEY));
    assert!(!ann(own(), Action::DeleteSecret, DB_KEY));
    // what one needs both bits for may come from two
    let apart = policy(vec![
        acl("w", Mode::Allow, "w", stores(&["web"], &[".*"])),
        acl("m", Mode::Allow, "m", stores(&["web"], &[".*"])),
    ]);
    assert!(may(&apart, ANN, Action::PutSecret, Access::PUT, WEB_KEY));
}

#[test]
fn no_acl_reaches_root() {
    let closed = policy(vec![deny("rwmd", Covers::Everything)]);
    assert!(may(&closed, ROOT, Action::Lock, Access::MODIFY, Target::Server));
    assert!(may(&closed, ROOT, Action::GetSecret, Access::READ, WEB_KEY));
    assert!(!may(&closed, ANN, Action::LookupToken, Access::READ, Target::Server), "others it does");
}

#[test]
fn the_reason_names_the_rule_and_where_it_is_from() {
    let mut builder = builder();
    let (read, closed) = (AclId([7; 16]), AclId([8; 16]));
    builder.acl(read, acl("web-read", Mode::Allow, "r", stores(&["web"], &[".*"])));
    builder.acl(closed, acl("no-prod", Mode::Deny, "rwmd", stores(&["web"], &["prod/.*"])));
    let groups = ["a", "devs", "b", "c"].map(|group| Source::Group(name(group)));
    builder.user(ANN, name("ann"), [(read, groups[1].clone()), (closed, Source::Direct)]);
    let many = groups.into_iter().chain([Source::Direct]).map(|source| (read, source));
    builder.user(BOB, name("bob"), many);
    let policy = builder.build().unwrap();
    let reason = |user, target| {
        let (action, access) = (Action::GetSecret, Access::READ);
        let decision = policy.decide(&Question { caller: &caller(user), action, access, target });
        (decision.allowed, decision.rule.to_string())
    };
    assert_eq!(reason(ANN, WEB_KEY), (true, "acl web-read (group devs)".to_owned()));
    let prod = Target::Secret { store: "web", path: "prod/key" };
    assert_eq!(reason(ANN, prod), (false, "acl no-prod (directly)".to_owned()));
    assert_eq!(reason(BOB, prod), (true, "acl web-read (directly, group a, group b, 2 more)".to_owned()));
    assert_eq!(reason(ANN, DB_KEY), (false, "no rule allows it".to_owned()));
    assert_eq!(policy.sets(), 2);
    // names are wiped with the policy, but not under whoever still has a reason of it
    let (action, access) = (Action::GetSecret, Access::READ);
    let kept = policy.decide(&Question { caller: &caller(ANN), action, access, target: prod });
    drop(policy);
    assert_eq!(&*kept.rule, "acl no-prod (directly)");
}

#[test]
fn users_with_the_same_acls_share_one_set() {
    let mut builder = builder();
    let ids = [AclId([1; 16]), AclId([2; 16])];
    for id in ids {
        builder.acl(id, allow("r", stores(&["web"], &[".*"])));
    }
    for at in 10..60 {
        let order = if at % 2 == 0 { [ids[0], ids[1]] } else { [ids[1], ids[0]] };
        let source = if at % 3 == 0 { Source::Direct } else { Source::Group(name("g")) };
        builder.user(UserId([at; 16]), name("u"), order.map(|id| (id, source.clone())));
    }
    builder.user(ANN, name("ann"), [(ids[0], Source::Direct)]);
    assert_eq!(builder.build().unwrap().sets(), 2);
}

#[test]
fn a_missing_acl_is_no_silence() {
    let mut builder = builder();
    builder.user(ANN, name("ann"), [(AclId([9; 16]), Source::Direct)]);
    assert_eq!(builder.build().unwrap_err(), PolicyError::MissingAcl { acl: AclId([9; 16]), user: ANN });
}

#[test]
fn explain_names_what_decides_and_what_nearly_matches() {
    let policy = policy(vec![
        acl("ops", Mode::Allow, "rwmd", commands(&[".*"])),
        acl("read-db", Mode::Allow, "r", stores(&["db"], &[".*"])),
        acl("read-web-x", Mode::Allow, "r", stores(&["web"], &["x"])),
        acl("write-web", Mode::Allow, "w", stores(&["web"], &[".*"])),
        acl("unrelated", Mode::Allow, "w", stores(&["db"], &["x"])),
        acl("other-command", Mode::Allow, "r", commands(&["user.*"])),
    ]);
    let explain = |user, action: Action, target| {
        policy.explain(&Question { caller: &caller(user), action, access: action.access(), target })
    };
    let found = explain(ANN, Action::GetSecret, WEB_KEY);
    assert!(!found.decision.allowed);
    let mut bearings: Vec<_> =
        found.candidates.iter().map(|one| (one.rule.split(' ').nth(1).unwrap(), one.bearing)).collect();
    bearings.sort_by_key(|(name, _)| *name);
    let wanted = [
        ("ops", Bearing::Commands),
        ("read-db", Bearing::Stores),
        ("read-web-x", Bearing::Secrets),
        ("write-web", Bearing::Access),
    ];
    assert_eq!(bearings, wanted);
    let found = explain(ANN, Action::GetSecret, DB_KEY);
    assert_eq!(found.candidates[0].bearing, Bearing::Decides);
    assert_eq!(&*found.candidates[0].rule, "acl read-db (directly)");
    let found = explain(ANN, Action::CreateStore, WEB);
    assert!(found.decision.allowed);
    assert!(found.candidates.iter().any(|one| one.bearing == Bearing::Administration));
    let found = explain(ROOT, Action::GetSecret, WEB_KEY);
    assert_eq!((found.candidates.len(), found.candidates[0].bearing), (1, Bearing::Decides));
}

#[test]
fn who_can_lists_users_by_name_with_their_rules() {
    let mut builder = builder();
    let (read, closed) = (AclId([1; 16]), AclId([2; 16]));
    builder.acl(read, acl("read", Mode::Allow, "r", stores(&["web"], &[".*"])));
    builder.acl(closed, acl("closed", Mode::Deny, "r", Covers::Everything));
    builder.user(ROOT, name("root"), []);
    builder.user(BOB, name("bob"), [(read, Source::Direct)]);
    builder.user(ANN, name("ann"), [(read, Source::Group(name("devs")))]);
    builder.user(UserId([5; 16]), name("carl"), [(read, Source::Direct), (closed, Source::Direct)]);
    builder.user(UserId([6; 16]), name("dora"), []);
    let policy = builder.build().unwrap();
    let able = policy.who_can(Action::GetSecret, Access::READ, WEB_KEY);
    let able: Vec<_> = able.iter().map(|able| (able.name.as_str(), &*able.rule)).collect();
    let wanted =
        [("ann", "acl read (group devs)"), ("bob", "acl read (directly)"), ("root", "root may do anything")];
    assert_eq!(able, wanted);
}

/// Rules as they would be read aloud, without anything compiled.
#[derive(Debug, Clone)]
struct Plain {
    deny: bool,
    access: u8,
    covers: PlainCovers,
}

#[derive(Debug, Clone)]
enum PlainCovers {
    Everything,
    Commands(Vec<&'static str>),
    Stores(Vec<&'static str>, Vec<&'static str>),
}

const COMMANDS: &[&str] =
    &[".*", "secret\\..*", "secret.get", "store\\..*", "store.create", "keyset.rotate", "user\\..*"];
const STORES: &[&str] = &[".*", "web", "db", "web|db", "w.*", ".*b", "glob:w*", "(?i)WEB", "web2"];
const SECRETS: &[&str] = &[
    ".*",
    "key",
    "app/.*",
    "app/key",
    "app/db/.*",
    "a.*",
    "ap.*",
    "glob:app/*",
    "glob:**/key",
    ".*key",
    "app/key|key",
    "[ak].*",
    "(app|ops)/.+",
    "app/.+",
    "app.+",
    "ops/[a-z]+",
    "(a+)+/key",
    "x?key",
    "app/(db|key).*",
    "..y",
    "k(e|y)+",
];
const STORE_NAMES: &[&str] = &["web", "db", "web2", "other"];
const PATHS: &[&str] =
    &["key", "app/key", "app/db/key", "app", "apples", "ops/key", "aaa/key", "ke", "app/db", "kee"];

/// Each pattern as a regular expression of its own, anchored as text.
static WHOLE: LazyLock<HashMap<&str, Regex>> = LazyLock::new(|| {
    let patterns = COMMANDS.iter().chain(STORES).chain(SECRETS);
    let compiled = patterns.map(|pattern| {
        let text = match pattern.strip_prefix("glob:") {
            Some(glob) => glob.replace("**", "\u{1}").replace('*', "[^/]*").replace('\u{1}', ".*"),
            None => (*pattern).to_owned(),
        };
        (*pattern, Regex::new(&format!("^(?:{text})$")).unwrap())
    });
    compiled.collect()
});

fn whole(pattern: &str, name: &str) -> bool {
    WHOLE[pattern].is_match(name)
}

fn speaks(plain: &Plain, action: Action, target: &Target<'_>) -> bool {
    let word = action.name();
    let area = word.split('.').next().unwrap();
    let matches = |patterns: &[&str], name: &str| patterns.iter().any(|pattern| whole(pattern, name));
    let all = |patterns: &[&str]| patterns.contains(&".*");
    match &plain.covers {
        PlainCovers::Everything => true,
        PlainCovers::Commands(patterns) => matches(patterns, word) && (plain.deny || area != "secret"),
        PlainCovers::Stores(stores, secrets) => match target {
            Target::Secret { store, path } => matches(stores, store) && matches(secrets, path),
            Target::Store(store) => {
                let administers = ["store.create", "store.remove", "store.configure"].contains(&word);
                matches(stores, store)
                    && match (administers, plain.deny) {
                        (true, deny) => deny,
                        (false, false) => true,
                        (false, true) => all(secrets),
                    }
            }
            Target::Server if ["secret.list", "secret.expiring", "store.list"].contains(&word) => {
                !plain.deny || all(stores) && all(secrets)
            }
            _ => false,
        },
    }
}

fn naive(rules: &[Plain], action: Action, access: Access, target: &Target<'_>) -> bool {
    let speaking = |deny| {
        rules
            .iter()
            .any(|rule| rule.deny == deny && rule.access & access.bits() != 0 && speaks(rule, action, target))
    };
    !speaking(true) && speaking(false)
}

fn plain() -> impl Strategy<Value = Plain> {
    let some = |of: &'static [&'static str]| prop::collection::vec(prop::sample::select(of), 1..4);
    let covers = prop_oneof![
        1 => Just(PlainCovers::Everything),
        2 => some(COMMANDS).prop_map(PlainCovers::Commands),
        6 => (some(STORES), some(SECRETS)).prop_map(|(stores, secrets)| PlainCovers::Stores(stores, secrets)),
    ];
    (prop::bool::weighted(0.25), 1_u8..16, covers).prop_map(|(deny, access, covers)| Plain {
        deny,
        access: access << 1,
        covers,
    })
}

fn compiled(rules: &[Plain]) -> Policy {
    let of = |(at, rule): (usize, &Plain)| {
        let mode = if rule.deny { Mode::Deny } else { Mode::Allow };
        let covers = match &rule.covers {
            PlainCovers::Everything => Covers::Everything,
            PlainCovers::Commands(texts) => commands(texts),
            PlainCovers::Stores(one, other) => stores(one, other),
        };
        Acl::new(name(&format!("r{at}")), mode, Access::from_bits(rule.access).unwrap(), covers).unwrap()
    };
    policy(rules.iter().enumerate().map(of).collect())
}

fn questions() -> Vec<(Action, Access, Target<'static>)> {
    use Action as A;
    let secrets =
        STORE_NAMES.iter().flat_map(|store| PATHS.iter().map(|path| Target::Secret { store, path }));
    let upon_secrets = secrets.flat_map(|target| {
        [
            (A::GetSecret, Access::READ, target),
            (A::PutSecret, Access::WRITE, target),
            (A::PutSecret, Access::MODIFY, target),
            (A::DeleteSecret, Access::DELETE, target),
        ]
    });
    let upon_stores = STORE_NAMES.iter().map(|store| Target::Store(store)).flat_map(|target| {
        [A::ListSecrets, A::ReadStore, A::ListStores, A::CreateStore, A::RemoveStore, A::ConfigureStore]
            .map(|action| (action, action.access(), target))
    });
    let others = [A::ListStores, A::ListExpiring, A::RotateKeyset, A::CreateUser, A::ReadTrail]
        .map(|action| (action, action.access(), Target::Server));
    upon_secrets.chain(upon_stores).chain(others).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn compiled_rules_say_what_the_same_rules_say_read_naively(rules in prop::collection::vec(plain(), 0..40)) {
        let policy = compiled(&rules);
        let caller = caller(ANN);
        for (action, access, target) in questions() {
            let question = Question { caller: &caller, action, access, target };
            let explained = policy.explain(&question);
            let expected = naive(&rules, action, access, &target);
            prop_assert_eq!(explained.decision.allowed, expected, "{:?} {} {:?}", action, access, target);
            // and explain tells the same story: a deny that matches, or an allow that does
            let matching = |mode| explained.candidates.iter().any(|one| {
                one.mode == mode && matches!(one.bearing, Bearing::Matches | Bearing::Decides)
            });
            prop_assert_eq!(!matching(Mode::Deny) && matching(Mode::Allow), expected, "{:?} {:?}", action, target);
        }
        for store in STORE_NAMES {
            let shown = policy.names(&caller, Action::ListSecrets, store);
            for path in PATHS {
                let target = Target::Secret { store, path };
                let (action, access) = (Action::ListSecrets, Access::READ);
                let decided = policy.decide(&Question { caller: &caller, action, access, target }).allowed;
                prop_assert_eq!(shown.shows(path), decided, "{}/{}", store, path);
            }
        }
    }
}
