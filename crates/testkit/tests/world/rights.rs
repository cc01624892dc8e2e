//! Rights below the doors: what a caller may do is decided when it is asked and again when it is committed.

use std::sync::Arc;
use strongroom_gate::{
    Acls, Ask, Attachment, BackupFault, CommitError, Decision, Denied, HolderNamed, Mode, Permit, Rules,
    Secret, Server, StoreFolder, Stores, Trail, User, Users, Verdict,
};
use strongroom_identity as identity;
use strongroom_identity::{CoversKind, NewUser, RuleText};
use strongroom_model::{Access, Caller, Principal, UserId};
use strongroom_operator::{self as operator, OperatorError};
use strongroom_secrets as secrets;
use strongroom_secrets::SecretsError;
use strongroom_store::Fault;
use strongroom_testkit::{TestWorld, WorldError, name, path, value};

/// A store, and in it a secret.
async fn world() -> TestWorld {
    let world = TestWorld::unlocked().await;
    world.create_store("web").await.unwrap();
    world.put("web", "app/key", "1").await.unwrap();
    world
}

/// Makes a user, as a credential would establish one.
async fn make_user(world: &TestWorld, user: &str) -> Caller {
    let root = world.root_caller().await.unwrap();
    let by = root.principal.as_ref().unwrap();
    let about = Users { name: Some(name(user)) };
    let permit = world.gate.admit::<identity::CreateUser>(&root, about).await.unwrap();
    let made = world.identity.create_user(permit, by.user, NewUser::default()).await.unwrap();
    let principal = Principal { partition: by.partition, user: made.user.id, name: name(user) };
    Caller { principal: Some(Arc::new(principal)), ..world.stranger() }
}

fn id(caller: &Caller) -> UserId {
    caller.principal.as_ref().unwrap().user
}

fn rule(mode: Mode, access: &str, stores: &str, secrets: &str) -> RuleText {
    RuleText {
        mode,
        access: Access::from_letters(access).unwrap(),
        covers: CoversKind::Stores,
        commands: Vec::new(),
        stores: vec![stores.to_owned()],
        secrets: vec![secrets.to_owned()],
    }
}

fn commands(mode: Mode, access: &str, pattern: &str) -> RuleText {
    let access = Access::from_letters(access).unwrap();
    let commands = vec![pattern.to_owned()];
    RuleText { mode, access, covers: CoversKind::Commands, commands, stores: Vec::new(), secrets: Vec::new() }
}

/// Makes an ACL and attaches it to a user.
async fn give(world: &TestWorld, user: &str, acl: &str, rule: RuleText) {
    let root = world.root_caller().await.unwrap();
    let about = Acls { name: Some(name(acl)) };
    let permit = world.gate.admit::<identity::CreateAcl>(&root, about).await.unwrap();
    world.identity.create_acl(permit, &rule).await.unwrap();
    attach(world, user, acl).await;
}

fn attachment(user: &str, acl: &str) -> Attachment {
    Attachment { acl: name(acl), to: HolderNamed::User(name(user)) }
}

async fn attach(world: &TestWorld, user: &str, acl: &str) {
    let root = world.root_caller().await.unwrap();
    let permit = world.gate.admit::<identity::AttachAcl>(&root, attachment(user, acl)).await.unwrap();
    world.identity.attach(permit, id(&root)).await.unwrap();
}

async fn detach(world: &TestWorld, user: &str, acl: &str) {
    try_detach(world, user, acl).await.unwrap();
}

async fn try_detach(world: &TestWorld, user: &str, acl: &str) -> Result<(), identity::IdentityError> {
    let root = world.root_caller().await.unwrap();
    let permit = world.gate.admit::<identity::DetachAcl>(&root, attachment(user, acl)).await.unwrap();
    world.identity.detach(permit, id(&root)).await
}

fn secret(text: &str) -> Secret {
    Secret { store: name("web"), path: path(text) }
}

async fn admitted(world: &TestWorld, caller: &Caller, text: &str) -> Permit<secrets::PutSecret> {
    world.gate.admit(caller, secret(text)).await.unwrap()
}

async fn spend(
    world: &TestWorld,
    caller: &Caller,
    permit: Permit<secrets::PutSecret>,
) -> Result<u64, SecretsError> {
    let written = secrets::put(permit, id(caller), world.gate.now(), &value("2"), None).await;
    written.map(|written| written.version)
}

fn refused_at_commit(fault: &SecretsError) -> bool {
    matches!(fault, SecretsError::Commit(CommitError::Refused { action: "secret.put", .. }))
}

fn refused<T>(outcome: &Result<T, WorldError>) -> bool {
    matches!(outcome, Err(WorldError::Denied(Denied::Refused { .. })))
}

async fn read(world: &TestWorld, caller: &Caller, text: &str) -> Result<bool, WorldError> {
    let permit = world.gate.admit::<secrets::GetSecret>(caller, secret(text)).await?;
    let found = world.gate.release(secrets::read(permit, None).await?).await?;
    Ok(!matches!(found, secrets::Found::Absent))
}

#[tokio::test]
async fn a_right_lost_between_admission_and_commit_is_gone_at_the_commit() {
    let world = world().await;
    let ann = make_user(&world, "ann").await;
    give(&world, "ann", "write", rule(Mode::Allow, "rw", "web", ".*")).await;
    let permit = admitted(&world, &ann, "new").await;
    detach(&world, "ann", "write").await;
    let fault = spend(&world, &ann, permit).await.unwrap_err();
    assert!(refused_at_commit(&fault), "{fault}");
    assert_eq!(world.list("web").await.unwrap(), ["app/key"], "nothing was written");
    let trail = world.trail(1).await.unwrap();
    let line = trail.iter().rev().find(|line| line.user.as_deref() == Some("ann")).unwrap();
    assert_eq!((line.verdict, line.decision), (Verdict::Refused, Decision::Refused));
    assert_eq!((line.resource.as_str(), line.rule.as_str()), ("web/new", "no rule allows it"));
}

#[tokio::test]
async fn a_denial_that_comes_before_the_commit_wins() {
    let world = world().await;
    let ann = make_user(&world, "ann").await;
    give(&world, "ann", "write", rule(Mode::Allow, "rwmd", "web", ".*")).await;
    let permit = admitted(&world, &ann, "app/key").await;
    give(&world, "ann", "frozen", rule(Mode::Deny, "m", "web", "app/.*")).await;
    let fault = spend(&world, &ann, permit).await.unwrap_err();
    assert!(refused_at_commit(&fault), "{fault}");
    assert_eq!(world.get("web", "app/key").await.unwrap().as_deref(), Some("1"));
    let permit = admitted(&world, &ann, "app/other").await;
    assert_eq!(spend(&world, &ann, permit).await.unwrap(), 1, "making is not denied");
}

#[tokio::test]
async fn a_change_that_leaves_the_right_is_not_noticed() {
    let world = world().await;
    let ann = make_user(&world, "ann").await;
    give(&world, "ann", "write", rule(Mode::Allow, "wm", "web", ".*")).await;
    let permit = admitted(&world, &ann, "app/key").await;
    let other = admitted(&world, &ann, "new").await;
    make_user(&world, "bob").await;
    give(&world, "bob", "read", rule(Mode::Allow, "r", "web", ".*")).await;
    assert_eq!(spend(&world, &ann, permit).await.unwrap(), 2);
    assert_eq!(spend(&world, &ann, other).await.unwrap(), 1);
}

#[tokio::test]
async fn what_a_removed_user_had_begun_is_refused() {
    let world = world().await;
    let ann = make_user(&world, "ann").await;
    give(&world, "ann", "write", rule(Mode::Allow, "rwmd", "web", ".*")).await;
    let permit = admitted(&world, &ann, "new").await;
    let root = world.root_caller().await.unwrap();
    let removal = world.gate.admit::<identity::RemoveUser>(&root, User { name: name("ann") }).await.unwrap();
    world.identity.remove_user(removal, id(&root)).await.unwrap();
    let fault = spend(&world, &ann, permit).await.unwrap_err();
    assert!(refused_at_commit(&fault), "{fault}");
    assert!(refused(&read(&world, &ann, "app/key").await));
}

#[tokio::test]
async fn a_disabled_user_may_nothing_and_is_not_among_those_who_can() {
    let world = world().await;
    let ann = make_user(&world, "ann").await;
    give(&world, "ann", "write", rule(Mode::Allow, "rwmd", "web", ".*")).await;
    assert_eq!(who_can(&world).await, ["ann", "root"]);
    let permit = admitted(&world, &ann, "new").await;
    let root = world.root_caller().await.unwrap();
    let about = User { name: name("ann") };
    let change = world.gate.admit::<identity::UpdateUser>(&root, about).await.unwrap();
    world.identity.enable_user(change, id(&root), false).await.unwrap();
    let fault = spend(&world, &ann, permit).await.unwrap_err();
    assert!(refused_at_commit(&fault), "{fault}");
    assert!(refused(&read(&world, &ann, "app/key").await));
    assert_eq!(who_can(&world).await, ["root"]);
}

async fn who_can(world: &TestWorld) -> Vec<String> {
    let root = world.root_caller().await.unwrap();
    let ask = Ask::new("read", Some(&name("web")), Some(&path("app/key"))).unwrap();
    let permit = world.gate.admit::<identity::WhoCan>(&root, Rules { user: None, ask }).await.unwrap();
    let found = world.gate.release(identity::who_can(permit)).await.unwrap();
    found.answers[0].1.iter().map(|able| able.name.to_string()).collect()
}

#[tokio::test]
async fn whoever_may_make_does_not_change_and_whoever_may_change_does_not_make() {
    let world = world().await;
    let maker = make_user(&world, "maker").await;
    give(&world, "maker", "make", rule(Mode::Allow, "w", "web", ".*")).await;
    let changer = make_user(&world, "changer").await;
    give(&world, "changer", "change", rule(Mode::Allow, "m", "web", ".*")).await;
    for (caller, there, fresh) in [(&maker, false, true), (&changer, true, false)] {
        let permit = admitted(&world, caller, "app/key").await;
        let outcome = spend(&world, caller, permit).await;
        assert_eq!(outcome.is_ok(), there, "{outcome:?}");
        assert!(outcome.as_ref().err().is_none_or(refused_at_commit), "{outcome:?}");
        let permit = admitted(&world, caller, "fresh").await;
        let outcome = spend(&world, caller, permit).await;
        assert_eq!(outcome.is_ok(), fresh, "{outcome:?}");
        assert!(outcome.as_ref().err().is_none_or(refused_at_commit), "{outcome:?}");
        if fresh {
            world.remove("web", "fresh").await.unwrap();
        }
    }
    // what is there changes between the two
    let permit = admitted(&world, &changer, "app/key").await;
    world.remove("web", "app/key").await.unwrap();
    let outcome = spend(&world, &changer, permit).await;
    assert!(outcome.as_ref().is_err_and(refused_at_commit), "{outcome:?}");
    let permit = admitted(&world, &maker, "app/key").await;
    world.put("web", "app/key", "3").await.unwrap();
    let outcome = spend(&world, &maker, permit).await;
    assert!(outcome.as_ref().is_err_and(refused_at_commit), "{outcome:?}");
    assert_eq!(world.get("web", "app/key").await.unwrap().as_deref(), Some("3"));
}

#[tokio::test]
async fn a_change_has_effect_at_the_next_request_and_outlives_a_restart() {
    let world = world().await;
    let ann = make_user(&world, "ann").await;
    assert!(refused(&read(&world, &ann, "app/key").await));
    give(&world, "ann", "read", rule(Mode::Allow, "r", "web", "app/.*")).await;
    assert!(read(&world, &ann, "app/key").await.unwrap());
    assert!(refused(&read(&world, &ann, "other").await), "whether it exists is not told");
    let world = world.reopen();
    assert!(matches!(read(&world, &ann, "app/key").await, Err(WorldError::Denied(Denied::Locked))));
    world.unlock().await.unwrap();
    assert!(read(&world, &ann, "app/key").await.unwrap());
    detach(&world, "ann", "read").await;
    assert!(refused(&read(&world, &ann, "app/key").await));
}

/// Row 15 of the original's table: a listing of stores crashed for a limited user, or showed wrong entries.
#[tokio::test]
async fn listings_show_what_the_caller_may_see_and_nothing_else() {
    let world = world().await;
    for store in ["db", "ops", "web2"] {
        world.create_store(store).await.unwrap();
    }
    for secret in ["app/a", "app/b", "app/secret", "ops/a", "z"] {
        world.put("web", secret, "1").await.unwrap();
    }
    let ann = make_user(&world, "ann").await;
    assert!(refused(&list(&world, &ann).await));
    give(&world, "ann", "app", rule(Mode::Allow, "r", "web", "app/.*")).await;
    give(&world, "ann", "z", rule(Mode::Allow, "rw", "web|db", "z")).await;
    give(&world, "ann", "not", rule(Mode::Deny, "r", ".*", "app/secret")).await;
    give(&world, "ann", "write-ops", rule(Mode::Allow, "wmd", "ops", ".*")).await;
    assert_eq!(list(&world, &ann).await.unwrap(), ["app/a", "app/b", "app/key", "z"]);
    assert_eq!(stores(&world, &ann).await.unwrap(), ["db", "web"]);
    // commands alone show stores, and no name in them
    let bob = make_user(&world, "bob").await;
    give(&world, "bob", "commands", commands(Mode::Allow, "rwmd", ".*")).await;
    assert_eq!(stores(&world, &bob).await.unwrap(), ["db", "ops", "web", "web2"]);
    assert!(refused(&list(&world, &bob).await));
    assert!(refused(&read(&world, &bob, "app/key").await));
}

async fn list(world: &TestWorld, caller: &Caller) -> Result<Vec<String>, WorldError> {
    let about = StoreFolder { store: name("web") };
    let permit = world.gate.admit::<secrets::ListSecrets>(caller, about).await?;
    let page = secrets::list(permit, secrets::Wish::default(), 100).await?;
    Ok(world.gate.release(page).await?.names.to_vec())
}

async fn stores(world: &TestWorld, caller: &Caller) -> Result<Vec<String>, WorldError> {
    let permit = world.gate.admit::<secrets::ListStores>(caller, Stores { name: None }).await?;
    let found = secrets::list_stores(permit, |_| true).await?;
    Ok(world.gate.release(found).await?.into_iter().map(|store| store.name).collect())
}

#[tokio::test]
async fn a_long_listing_gives_nothing_more_of_what_was_lost_on_the_way() {
    let world = world().await;
    let ann = make_user(&world, "ann").await;
    give(&world, "ann", "app", rule(Mode::Allow, "r", "web", "app/.*")).await;
    give(&world, "ann", "ops", rule(Mode::Allow, "r", "web", "ops/.*")).await;
    let mut listing = world.gate.long_listing(&ann, "web");
    assert!(listing.goes_on().is_ok());
    assert!(listing.shows("app/key") && listing.shows("ops/key") && !listing.shows("key"));
    detach(&world, "ann", "ops").await;
    assert!(listing.goes_on().is_ok());
    assert!(listing.shows("app/key") && !listing.shows("ops/key"));
    detach(&world, "ann", "app").await;
    assert!(listing.goes_on().is_err());
    attach(&world, "ann", "app").await;
    let mut again = world.gate.long_listing(&ann, "web");
    world.lock().await.unwrap();
    assert!(again.goes_on().is_err(), "a locked server lists nothing");
}

#[tokio::test]
async fn an_export_of_the_trail_ends_with_the_right_to_it() {
    let world = world().await;
    for at in 0..1_100 {
        world.put("web", "app/key", &at.to_string()).await.unwrap();
    }
    let export = async |caller: &Caller| {
        let permit = world.gate.admit::<operator::ReadTrail>(caller, Trail).await.unwrap();
        let mut export =
            world.gate.release(world.operator.export_trail(permit, 1).await.unwrap()).await.unwrap();
        assert_eq!(export.next().await.unwrap().len(), 1_000);
        export
    };
    let root = world.root_caller().await.unwrap();
    let mut whole = export(&root).await;
    let ann = make_user(&world, "ann").await;
    give(&world, "ann", "audit", commands(Mode::Allow, "rwmd", "audit.*")).await;
    let mut lost = export(&ann).await;
    assert!(!whole.next().await.unwrap().is_empty(), "a change of others' rights ends nothing");
    detach(&world, "ann", "audit").await;
    assert!(matches!(lost.next().await, Err(OperatorError::Right(_))));
    let mut ended = export(&root).await;
    world.lock().await.unwrap();
    assert!(matches!(ended.next().await, Err(OperatorError::Right(_))), "its token has ended");
}

#[tokio::test]
async fn a_backup_breaks_off_with_the_token_it_was_asked_with() {
    let world = world().await;
    let root = world.root_caller().await.unwrap();
    let permit = world.gate.admit::<operator::CreateBackup>(&root, Server).await.unwrap();
    let held = world.operator.create_backup(permit, "0.0.0").await.unwrap();
    let mut backup = world.gate.release(held).await.unwrap();
    assert!(backup.next().await.unwrap().is_some());
    world.deauth(&world.token().unwrap()).await.unwrap();
    assert!(matches!(backup.next().await, Err(BackupFault::Right(_))));
    drop(backup);
    let trail = world.trail(1).await.unwrap();
    let end = trail.iter().find(|line| line.note.contains("broke off")).unwrap();
    assert!(end.note.contains("the right to this was lost"), "{end:?}");
}

/// A change of unknown outcome: once the store answers again, what is stored is what holds.
#[tokio::test]
async fn after_a_change_of_unknown_outcome_what_is_stored_holds() {
    let world = world().await;
    let ann = make_user(&world, "ann").await;
    give(&world, "ann", "read", rule(Mode::Allow, "r", "web", ".*")).await;
    assert!(read(&world, &ann, "app/key").await.unwrap());
    world.arm(Fault::UnknownApplied, 1);
    assert!(try_detach(&world, "ann", "read").await.is_err());
    world.settled().await;
    assert!(refused(&read(&world, &ann, "app/key").await), "it had happened");
}

/// Writers against an administrator: after a right is taken away nothing is written with it, however close they run.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn writers_never_outrun_the_loss_of_their_right() {
    let world = Arc::new(world().await);
    let ann = make_user(&world, "ann").await;
    give(&world, "ann", "write", rule(Mode::Allow, "rwm", "web", ".*")).await;
    let stop = Arc::new(std::sync::atomic::AtomicBool::new(false));
    let writers: Vec<_> = (0..4)
        .map(|at| {
            let (world, ann, stop) = (Arc::clone(&world), ann.clone(), Arc::clone(&stop));
            tokio::spawn(async move {
                let mut written = 0_u32;
                while !stop.load(std::sync::atomic::Ordering::Acquire) {
                    let outcome = world.put_as(&ann, "web", &format!("w{at}"), &value("1"), None).await;
                    written += u32::from(outcome.is_ok());
                    tokio::task::yield_now().await;
                }
                written
            })
        })
        .collect();
    for _ in 0..20 {
        detach(&world, "ann", "write").await;
        let before = versions(&world).await;
        for _ in 0..50 {
            tokio::task::yield_now().await;
        }
        assert_eq!(versions(&world).await, before);
        attach(&world, "ann", "write").await;
        let begun = versions(&world).await;
        while versions(&world).await == begun {
            tokio::task::yield_now().await;
        }
    }
    stop.store(true, std::sync::atomic::Ordering::Release);
    let mut written = 0;
    for writer in writers {
        written += writer.await.unwrap();
    }
    assert!(written >= 20, "{written}");
}

/// The newest version of each writer's secret.
async fn versions(world: &TestWorld) -> Vec<Option<u64>> {
    let mut versions = Vec::new();
    for at in 0..4 {
        let found = world.get_bytes("web", &format!("w{at}"), None).await.unwrap();
        versions.push(found.map(|(version, ..)| version));
    }
    versions
}

#[tokio::test]
async fn the_present_version_is_told_to_those_who_may_read_it() {
    let world = world().await;
    let ann = make_user(&world, "ann").await;
    give(&world, "ann", "write", rule(Mode::Allow, "m", "web", ".*")).await;
    let put = async || {
        let permit = admitted(&world, &ann, "app/key").await;
        secrets::put(permit, id(&ann), world.gate.now(), &value("2"), Some(7)).await.unwrap_err()
    };
    let fault = put().await;
    assert!(matches!(fault, SecretsError::VersionMismatch { present: None, expected: 7 }), "{fault}");
    assert!(!fault.to_string().contains('1'), "{fault}");
    give(&world, "ann", "read", rule(Mode::Allow, "r", "web", ".*")).await;
    let fault = put().await;
    assert!(matches!(fault, SecretsError::VersionMismatch { present: Some(1), expected: 7 }), "{fault}");
}

#[tokio::test]
async fn a_store_is_not_made_on_a_keyset_that_is_gone() {
    let world = world().await;
    let root = world.root_caller().await.unwrap();
    let about = Stores { name: Some(name("late")) };
    let (view, entry) = world.gate.admit::<secrets::CreateStore>(&root, about).await.unwrap().open();
    assert!(view.create(strongroom_model::KeysetId([9; 16]), b"").unwrap().is_none());
    entry.finish(Verdict::NotFound).await.unwrap();
}
