//! Groups and ACLs: rights come and go with them at the next request, and nobody raises themselves.

use std::sync::Arc;
use strongroom_crypto::{PrivateKey, public_key_pem};
use strongroom_gate::{
    AclNamed, Acls, Attachment, Denied, Group, Groups, HolderNamed, Membership, Mode, Space, User, Users,
};
use strongroom_identity::{self as identity, CoversKind, IdentityError, NewUser, RuleText};
use strongroom_model::{Access, Caller, UserId};
use strongroom_store::{MemoryStore, SharedStore};
use strongroom_testkit::{TestWorld, WorldError, WorldOptions, name, transcript, value};

fn id(caller: &Caller) -> UserId {
    caller.principal.as_ref().unwrap().user
}

fn rule(mode: Mode, access: &str, covers: CoversKind, patterns: &[&str]) -> RuleText {
    let patterns: Vec<String> = patterns.iter().map(|text| (*text).to_owned()).collect();
    RuleText {
        mode,
        access: Access::from_letters(access).unwrap(),
        commands: patterns.clone(),
        stores: patterns,
        secrets: vec![".*".to_owned()],
        covers,
    }
}

fn allow_web(access: &str) -> RuleText {
    rule(Mode::Allow, access, CoversKind::Stores, &["web"])
}

struct House(TestWorld);

impl House {
    async fn new() -> Self {
        let world = TestWorld::unlocked().await;
        world.create_store("web").await.unwrap();
        world.put("web", "a", "1").await.unwrap();
        Self(world)
    }

    async fn root(&self) -> Caller {
        self.0.root_caller().await.unwrap()
    }

    /// A new user, logged in.
    async fn user(&self, who: &str, seed: u8) -> Caller {
        let root = self.root().await;
        let key = PrivateKey::ed25519_from_seed(&[seed; 32]).unwrap();
        let public_key = Some(public_key_pem(&key.public_key().unwrap()));
        let about = Users { name: Some(name(who)) };
        let permit = self.0.gate.admit::<identity::CreateUser>(&root, about).await.unwrap();
        let new = NewUser { public_key, ..NewUser::default() };
        let made = self.0.identity.create_user(permit, id(&root), new).await.unwrap();
        let text = made.access_key.unwrap().to_string();
        let challenge = self.0.challenge(&text).await.unwrap();
        let signature = key.sign(&transcript(&text, &challenge)).unwrap();
        let token = self.0.prove(&text, &challenge, &signature, None).await.unwrap();
        let mut caller = self.0.stranger();
        self.0.identity.authenticate(&mut caller, &token).await.unwrap();
        caller
    }

    async fn acl(&self, by: &Caller, acl: &str, rule: &RuleText) -> Result<u64, WorldError> {
        let permit = self.0.gate.admit::<identity::CreateAcl>(by, Acls { name: Some(name(acl)) }).await?;
        Ok(self.0.identity.create_acl(permit, rule).await?.revision)
    }

    async fn update(&self, acl: &str, rule: &RuleText, expected: Option<u64>) -> Result<u64, WorldError> {
        let root = self.root().await;
        let permit = self.0.gate.admit::<identity::UpdateAcl>(&root, AclNamed { name: name(acl) }).await?;
        Ok(self.0.identity.update_acl(permit, id(&root), rule, expected).await?.revision)
    }

    async fn remove_acl(&self, acl: &str, force: bool) -> Result<(), WorldError> {
        let root = self.root().await;
        let permit = self.0.gate.admit::<identity::RemoveAcl>(&root, AclNamed { name: name(acl) }).await?;
        Ok(self.0.identity.remove_acl(permit, id(&root), force).await?)
    }

    async fn attach(&self, by: &Caller, acl: &str, to: HolderNamed) -> Result<(), WorldError> {
        let about = Attachment { acl: name(acl), to };
        let permit = self.0.gate.admit::<identity::AttachAcl>(by, about).await?;
        Ok(self.0.identity.attach(permit, id(by)).await?)
    }

    async fn detach(&self, acl: &str, to: HolderNamed) -> Result<(), WorldError> {
        let root = self.root().await;
        let about = Attachment { acl: name(acl), to };
        let permit = self.0.gate.admit::<identity::DetachAcl>(&root, about).await?;
        Ok(self.0.identity.detach(permit, id(&root)).await?)
    }

    async fn group(&self, group: &str) {
        let root = self.root().await;
        let about = Groups { name: Some(name(group)) };
        let permit = self.0.gate.admit::<identity::CreateGroup>(&root, about).await.unwrap();
        self.0.identity.create_group(permit).await.unwrap();
    }

    async fn member(&self, by: &Caller, group: &str, user: &str, member: bool) -> Result<(), WorldError> {
        let about = Membership { group: name(group), user: name(user) };
        let permit = self.0.gate.admit::<identity::UpdateGroup>(by, about).await?;
        Ok(self.0.identity.set_member(permit, id(by), member).await?)
    }

    async fn enable(&self, user: &str, enabled: bool) -> Result<(), WorldError> {
        let root = self.root().await;
        let permit = self.0.gate.admit::<identity::UpdateUser>(&root, User { name: name(user) }).await?;
        Ok(self.0.identity.enable_user(permit, id(&root), enabled).await.map(drop)?)
    }

    async fn remove_group(&self, group: &str) -> Result<(), WorldError> {
        let root = self.root().await;
        let permit = self.0.gate.admit::<identity::RemoveGroup>(&root, Group { name: name(group) }).await?;
        Ok(self.0.identity.remove_group(permit, id(&root)).await?)
    }

    async fn writes(&self, caller: &Caller) -> bool {
        let caller = Caller { request: self.0.stranger().request, ..caller.clone() };
        self.0.put_as(&caller, "web", "a", &value("2"), None).await.is_ok()
    }
}

fn fault<T: std::fmt::Debug>(outcome: Result<T, WorldError>) -> IdentityError {
    match outcome.unwrap_err() {
        WorldError::Identity(fault) => fault,
        other => panic!("{other}"),
    }
}

fn to_user(text: &str) -> HolderNamed {
    HolderNamed::User(name(text))
}

fn to_group(text: &str) -> HolderNamed {
    HolderNamed::Group(name(text))
}

#[tokio::test]
async fn rights_come_and_go_at_the_next_request() {
    let house = House::new().await;
    let root = house.root().await;
    let alice = house.user("alice", 1).await;
    assert!(!house.writes(&alice).await);
    house.acl(&root, "web", &allow_web("rm")).await.unwrap();
    house.attach(&root, "web", to_user("alice")).await.unwrap();
    assert!(house.writes(&alice).await, "directly");
    house.detach("web", to_user("alice")).await.unwrap();
    assert!(!house.writes(&alice).await);
    house.group("devs").await;
    house.attach(&root, "web", to_group("devs")).await.unwrap();
    assert!(!house.writes(&alice).await);
    house.member(&root, "devs", "alice", true).await.unwrap();
    assert!(house.writes(&alice).await, "through a group");
    house.acl(&root, "stop", &rule(Mode::Deny, "m", CoversKind::Stores, &["web"])).await.unwrap();
    house.attach(&root, "stop", to_user("alice")).await.unwrap();
    assert!(!house.writes(&alice).await, "a denial wins");
    house.remove_acl("stop", true).await.unwrap();
    assert!(house.writes(&alice).await);
    house.member(&root, "devs", "alice", false).await.unwrap();
    assert!(!house.writes(&alice).await);
}

#[tokio::test]
async fn what_is_removed_gives_nothing_to_whoever_comes_under_its_name() {
    let house = House::new().await;
    let root = house.root().await;
    let alice = house.user("alice", 1).await;
    house.acl(&root, "web", &allow_web("rm")).await.unwrap();
    house.group("devs").await;
    house.member(&root, "devs", "alice", true).await.unwrap();
    house.attach(&root, "web", to_group("devs")).await.unwrap();
    let attached = fault(house.remove_acl("web", false).await);
    assert!(matches!(attached, IdentityError::Attached { users: 0, groups: 1 }), "{attached}");
    assert!(house.writes(&alice).await, "nothing was changed");
    house.remove_acl("web", true).await.unwrap();
    house.acl(&root, "web", &allow_web("rwmd")).await.unwrap();
    assert!(!house.writes(&alice).await, "another ACL of the same name");
    house.attach(&root, "web", to_group("devs")).await.unwrap();
    assert!(house.writes(&alice).await);
    house.remove_group("devs").await.unwrap();
    house.group("devs").await;
    house.attach(&root, "web", to_group("devs")).await.unwrap();
    assert!(!house.writes(&alice).await, "another group of the same name");
    let world = house.0.reopen();
    world.unlock().await.unwrap();
    assert!(!House(world).writes(&alice).await, "and so after a restart");
}

#[tokio::test]
async fn everything_is_there_after_a_restart() {
    let house = House::new().await;
    let root = house.root().await;
    let alice = house.user("alice", 1).await;
    house.group("devs").await;
    house.member(&root, "devs", "alice", true).await.unwrap();
    house.acl(&root, "web", &allow_web("rm")).await.unwrap();
    house.update("web", &allow_web("rwm"), Some(1)).await.unwrap();
    house.attach(&root, "web", to_group("devs")).await.unwrap();
    let world = house.0.reopen();
    world.unlock().await.unwrap();
    let house = House(world);
    assert!(house.writes(&alice).await);
    let permit =
        house.0.gate.admit::<identity::ReadAcl>(&root, AclNamed { name: name("web") }).await.unwrap();
    let acl = house.0.gate.release(house.0.identity.read_acl(permit).await.unwrap()).await.unwrap();
    assert_eq!((acl.revision, acl.groups), (2, vec!["devs".to_owned()]));
    let permit = house.0.gate.admit::<identity::ReadUser>(&root, User { name: name("alice") }).await.unwrap();
    let alice = house.0.gate.release(house.0.identity.read_user(permit).await.unwrap()).await.unwrap();
    assert_eq!((alice.groups, alice.access_keys.len()), (vec!["devs".to_owned()], 1));
}

#[tokio::test]
async fn two_administrators_do_not_overwrite_each_other() {
    let house = House::new().await;
    let root = house.root().await;
    let seen = house.acl(&root, "web", &allow_web("r")).await.unwrap();
    assert_eq!(house.update("web", &allow_web("rw"), Some(seen)).await.unwrap(), 2);
    let late = fault(house.update("web", &allow_web("rwmd"), Some(seen)).await);
    assert!(matches!(late, IdentityError::Revision { present: 2, expected: 1 }), "{late}");
    let broken = fault(house.update("web", &rule(Mode::Allow, "r", CoversKind::Stores, &[]), None).await);
    assert!(matches!(broken, IdentityError::Acl(_)), "{broken}");
    assert_eq!(house.update("web", &allow_web("rwmd"), None).await.unwrap(), 3);
}

#[tokio::test]
async fn who_may_keep_users_does_not_become_root() {
    let house = House::new().await;
    let root = house.root().await;
    let admin = house.user("admin", 1).await;
    let commands = ["user[.].*", "access_key[.].*", "group[.].*", "acl[.].*", "password[.].*", "token[.].*"];
    house.acl(&root, "people", &rule(Mode::Allow, "rwmd", CoversKind::Commands, &commands)).await.unwrap();
    house.attach(&root, "people", to_user("admin")).await.unwrap();
    let key = PrivateKey::ed25519_from_seed(&[9; 32]).unwrap();
    let pem = public_key_pem(&key.public_key().unwrap());
    let gate = &house.0.gate;
    let permit = gate.admit::<identity::AddAccessKey>(&admin, User { name: name("root") }).await.unwrap();
    let outcome = house.0.identity.add_key(permit, id(&admin), &pem).await;
    assert!(matches!(outcome, Err(IdentityError::OnlyProtected)));
    let about = Users { name: Some(name("recovery")) };
    let permit = gate.admit::<identity::CreateUser>(&admin, about).await.unwrap();
    let new = NewUser { public_key: Some(pem), ..NewUser::default() };
    let outcome = house.0.identity.create_user(permit, id(&admin), new).await;
    assert!(matches!(outcome, Err(IdentityError::OnlyProtected)));
    let permit = gate.admit::<identity::RevokeTokens>(&admin, User { name: name("root") }).await.unwrap();
    let outcome = house.0.identity.end_all(permit, id(&admin)).await;
    assert!(matches!(outcome, Err(IdentityError::OnlyProtected)));
    house.group("devs").await;
    let outcome = house.member(&admin, "devs", "root", true).await;
    assert!(matches!(fault(outcome), IdentityError::OnlyProtected));
    let outcome = house.attach(&admin, "people", to_user("root")).await;
    assert!(matches!(fault(outcome), IdentityError::OnlyProtected));
    house.member(&admin, "devs", "admin", true).await.unwrap();
    assert!(house.root().await.principal.is_some(), "root's token holds");
}

#[tokio::test]
async fn on_a_full_disk_rights_are_taken_away_and_none_are_given() {
    let store = MemoryStore::new(strongroom_audit::link);
    let below: SharedStore = Arc::<MemoryStore>::clone(&store);
    let house = House(TestWorld::unlocked_with(below, WorldOptions::default()).await);
    house.0.create_store("web").await.unwrap();
    house.0.put("web", "a", "1").await.unwrap();
    let root = house.root().await;
    let (alice, bob) = (house.user("alice", 1).await, house.user("bob", 2).await);
    house.acl(&root, "web", &allow_web("rm")).await.unwrap();
    house.group("devs").await;
    house.attach(&root, "web", to_group("devs")).await.unwrap();
    for user in ["alice", "bob"] {
        house.member(&root, "devs", user, true).await.unwrap();
    }
    store.set_space(Space::Reserved);
    house.member(&root, "devs", "alice", false).await.unwrap();
    house.enable("bob", false).await.unwrap();
    for outcome in [house.member(&root, "devs", "alice", true).await, house.enable("bob", true).await] {
        let full = fault(outcome);
        assert!(matches!(full, IdentityError::Denied(Denied::Full)), "{full}");
    }
    store.set_space(Space::Ample);
    assert!(!house.writes(&alice).await && !house.writes(&bob).await);
    house.member(&root, "devs", "alice", true).await.unwrap();
    house.enable("bob", true).await.unwrap();
    assert!(house.writes(&alice).await);
}

#[tokio::test]
async fn a_protected_user_keeps_the_last_group_and_the_last_acl() {
    let house = House::new().await;
    let root = house.root().await;
    for group in ["one", "two"] {
        house.group(group).await;
        house.member(&root, group, "root", true).await.unwrap();
    }
    for acl in ["first", "second"] {
        house.acl(&root, acl, &allow_web("r")).await.unwrap();
        house.attach(&root, acl, to_user("root")).await.unwrap();
    }
    house.member(&root, "one", "root", false).await.unwrap();
    for outcome in [house.member(&root, "two", "root", false).await, house.remove_group("two").await] {
        assert!(matches!(fault(outcome), IdentityError::Protected { .. }));
    }
    house.detach("first", to_user("root")).await.unwrap();
    for outcome in [house.detach("second", to_user("root")).await, house.remove_acl("second", true).await] {
        assert!(matches!(fault(outcome), IdentityError::Protected { .. }));
    }
    house.remove_group("one").await.unwrap();
    house.remove_acl("first", false).await.unwrap();
}

#[tokio::test]
async fn a_user_without_rights_learns_nothing_of_people() {
    let house = House::new().await;
    let mallory = house.user("mallory", 1).await;
    for who in ["root", "nobody"] {
        let outcome = house.0.gate.admit::<identity::ReadUser>(&mallory, User { name: name(who) }).await;
        assert!(matches!(outcome, Err(Denied::Refused { .. })), "{who}");
    }
    let outcome = house.0.gate.admit::<identity::ListUsers>(&mallory, Users { name: None }).await;
    assert!(matches!(outcome, Err(Denied::Refused { .. })));
    let outcome = house.acl(&mallory, "mine", &rule(Mode::Allow, "r", CoversKind::Everything, &[])).await;
    assert!(matches!(outcome, Err(WorldError::Denied(Denied::Refused { .. }))));
}
