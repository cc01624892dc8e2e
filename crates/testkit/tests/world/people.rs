//! Users, credentials and tokens: what ends when, and who is never lost.

use std::sync::Arc;
use std::time::Duration;
use strongroom_ambient::UnixMillis;
use strongroom_crypto::{PrivateKey, public_key_pem};
use strongroom_gate::{
    Acls, Attachment, CommitError, Denied, Groups, HolderNamed, Mode, Own, People, Secret, Token, User,
    Users, Way,
};
use strongroom_identity::{
    self as identity, CoversKind, Granted, IdentityError, NewUser, PasswordCost, RuleText, UserSummary,
};
use strongroom_model::{Access, Action, Caller, Credential, CredentialId, Origin, Repeat, TokenId, UserId};
use strongroom_secret::SecretBytes;
use strongroom_secrets::{self as secrets, SecretsError};
use strongroom_testkit::{TestWorld, WorldError, name, path, transcript, value};

const PASSWORD: &str = "correct horse battery";

fn key(seed: u8) -> PrivateKey {
    PrivateKey::ed25519_from_seed(&[seed; 32]).unwrap()
}

fn pem(seed: u8) -> String {
    public_key_pem(&key(seed).public_key().unwrap())
}

fn secret(text: &str) -> SecretBytes {
    SecretBytes::new(text.as_bytes().to_vec())
}

fn id(caller: &Caller) -> UserId {
    caller.principal.as_ref().unwrap().user
}

fn user(text: &str) -> User {
    User { name: name(text) }
}

/// What people do, as a door would ask for it.
struct House(TestWorld);

impl House {
    async fn new() -> Self {
        Self(TestWorld::unlocked().await)
    }

    async fn root(&self) -> Caller {
        self.0.root_caller().await.unwrap()
    }

    async fn create(&self, by: &Caller, who: &str, new: NewUser) -> Result<Option<CredentialId>, WorldError> {
        let about = Users { name: Some(name(who)) };
        let permit = self.0.gate.admit::<identity::CreateUser>(by, about).await?;
        Ok(self.0.identity.create_user(permit, id(by), new).await?.access_key)
    }

    /// A user with the access key of a seed and a password.
    async fn user(&self, who: &str, seed: u8) -> CredentialId {
        let new =
            NewUser { public_key: Some(pem(seed)), password: Some(secret(PASSWORD)), ..NewUser::default() };
        self.create(&self.root().await, who, new).await.unwrap().unwrap()
    }

    async fn prove(&self, id: CredentialId, seed: u8) -> Result<String, WorldError> {
        let text = id.to_string();
        let challenge = self.0.challenge(&text).await?;
        let signature = key(seed).sign(&transcript(&text, &challenge)).unwrap();
        self.0.prove(&text, &challenge, &signature, None).await
    }

    async fn login_from(&self, origin: Origin, who: &str, password: &str) -> Result<Granted, WorldError> {
        let caller = self.0.caller(origin);
        let about = People { what: who.to_owned() };
        let permit = self.0.gate.admit::<identity::Login>(&caller, about).await?;
        Ok(self.0.identity.login(permit, origin, who, secret(password), None).await?)
    }

    async fn login(&self, who: &str, password: &str) -> Result<String, WorldError> {
        let granted = self.login_from(Origin::network([192, 0, 2, 9].into()), who, password).await?;
        Ok(granted.token.expose(|bytes| String::from_utf8(bytes.to_vec()).unwrap()))
    }

    /// Whoever has a token; nobody if it does not hold.
    async fn caller(&self, token: &str) -> Option<Caller> {
        let mut caller = self.0.stranger();
        self.0.identity.authenticate(&mut caller, token).await.ok().map(|()| caller)
    }

    async fn read(&self, who: &str) -> Result<UserSummary, WorldError> {
        let permit = self.0.gate.admit::<identity::ReadUser>(&self.root().await, user(who)).await?;
        let held = self.0.identity.read_user(permit).await?;
        Ok(self.0.gate.release(held).await?)
    }

    async fn enable(&self, by: &Caller, who: &str, enabled: bool) -> Result<(), WorldError> {
        let permit = self.0.gate.admit::<identity::UpdateUser>(by, user(who)).await?;
        Ok(self.0.identity.enable_user(permit, id(by), enabled).await.map(drop)?)
    }

    async fn remove(&self, who: &str) -> Result<(), WorldError> {
        let root = self.root().await;
        let permit = self.0.gate.admit::<identity::RemoveUser>(&root, user(who)).await?;
        Ok(self.0.identity.remove_user(permit, id(&root)).await?)
    }

    async fn remove_key(&self, who: &str, key: CredentialId) -> Result<(), WorldError> {
        let root = self.root().await;
        let permit = self.0.gate.admit::<identity::RemoveAccessKey>(&root, user(who)).await?;
        Ok(self.0.identity.remove_key(permit, id(&root), key).await?)
    }

    async fn add_own_key(&self, by: &Caller, seed: u8) -> Result<CredentialId, WorldError> {
        let permit = self.0.gate.admit::<identity::AddOwnAccessKey>(by, Own::of(by)).await?;
        Ok(self.0.identity.add_own_key(permit, by, None, &pem(seed)).await?.id)
    }

    async fn renew(&self, caller: &Caller, ttl: u64) -> Result<UnixMillis, WorldError> {
        let Credential::Token { token, .. } = caller.credential else { panic!("no token") };
        let permit = self.0.gate.admit::<identity::RenewToken>(caller, Token::own(caller, token)).await?;
        Ok(self.0.identity.renew(permit, Some(Duration::from_secs(ttl))).await?.expires)
    }

    async fn own_password(
        &self,
        by: &Caller,
        present: Option<&str>,
        password: &str,
    ) -> Result<(), WorldError> {
        let permit = self.0.gate.admit::<identity::SetOwnPassword>(by, Own::of(by)).await?;
        Ok(self.0.identity.set_own_password(permit, by, present.map(secret), secret(password)).await?)
    }
}

fn fault<T: std::fmt::Debug>(outcome: Result<T, WorldError>) -> IdentityError {
    match outcome.unwrap_err() {
        WorldError::Identity(fault) => fault,
        other => panic!("{other}"),
    }
}

#[tokio::test]
async fn a_user_is_in_by_key_and_by_password_and_nobody_else_is() {
    let house = House::new().await;
    let id = house.user("alice", 1).await;
    let by_key = house.caller(&house.prove(id, 1).await.unwrap()).await.unwrap();
    let by_password = house.caller(&house.login("alice", PASSWORD).await.unwrap()).await.unwrap();
    assert_eq!(by_key.principal.unwrap().name.as_str(), "alice");
    assert_eq!(by_password.principal.unwrap().name.as_str(), "alice");
    assert!(matches!(fault(house.prove(id, 2).await), IdentityError::Proof));
    for (who, password) in
        [("alice", "correct horse batterz"), ("alice", ""), ("Alice", PASSWORD), ("bob", PASSWORD), ("", "")]
    {
        assert!(matches!(fault(house.login(who, password).await), IdentityError::Password), "{who}");
    }
    let short = NewUser { password: Some(secret("short")), ..NewUser::default() };
    let outcome = house.create(&house.root().await, "carol", short).await;
    assert!(matches!(fault(outcome), IdentityError::PasswordLength { .. }));
}

#[tokio::test]
async fn names_are_told_apart_by_case_and_taken_once() {
    let house = House::new().await;
    let root = house.root().await;
    for who in ["alice", "Alice", "ALICE"] {
        house.create(&root, who, NewUser::default()).await.unwrap();
    }
    for who in ["alice", "root"] {
        let new = NewUser { public_key: Some(pem(1)), ..NewUser::default() };
        let again = house.create(&root, who, new).await;
        assert!(matches!(fault(again), IdentityError::AlreadyExists), "{who}");
    }
}

#[tokio::test]
async fn disabling_ends_every_token_at_once_and_enabling_brings_none_back() {
    let house = House::new().await;
    let key = house.user("alice", 1).await;
    let other = house.user("bob", 2).await;
    let tokens = [house.prove(key, 1).await.unwrap(), house.login("alice", PASSWORD).await.unwrap()];
    let bob = house.prove(other, 2).await.unwrap();
    for token in tokens.iter().chain([&bob]) {
        assert!(house.caller(token).await.is_some());
    }
    house.enable(&house.root().await, "alice", false).await.unwrap();
    for token in &tokens {
        assert!(house.caller(token).await.is_none());
    }
    assert!(house.caller(&bob).await.is_some(), "others go on");
    assert!(matches!(fault(house.prove(key, 1).await), IdentityError::Proof));
    assert!(matches!(fault(house.login("alice", PASSWORD).await), IdentityError::Password));
    house.enable(&house.root().await, "alice", true).await.unwrap();
    for token in &tokens {
        assert!(house.caller(token).await.is_none(), "what has ended stays ended");
    }
    // in the very same millisecond
    let fresh = house.prove(key, 1).await.unwrap();
    assert!(house.caller(&fresh).await.is_some());
    let world = house.0.reopen();
    world.unlock().await.unwrap();
    let house = House(world);
    assert!(house.caller(&tokens[0]).await.is_none());
    assert!(house.caller(&fresh).await.is_some(), "a restart ends no token");
    assert_eq!(house.read("alice").await.unwrap().tokens, 1);
}

#[tokio::test]
async fn a_removed_user_is_gone_with_everything() {
    let house = House::new().await;
    let key = house.user("alice", 1).await;
    let token = house.prove(key, 1).await.unwrap();
    assert!(house.caller(&token).await.is_some());
    house.remove("alice").await.unwrap();
    assert!(house.caller(&token).await.is_none());
    assert!(matches!(fault(house.prove(key, 1).await), IdentityError::Proof));
    assert!(matches!(house.read("alice").await, Err(WorldError::Denied(Denied::NotFound))));
    // who comes under the same name is somebody else
    let new = house.user("alice", 3).await;
    assert!(house.caller(&token).await.is_none());
    assert!(house.prove(key, 1).await.is_err());
    assert!(house.caller(&house.prove(new, 3).await.unwrap()).await.is_some());
}

#[tokio::test]
async fn removing_a_key_or_changing_a_password_ends_the_tokens_that_it_got_and_no_others() {
    let house = House::new().await;
    let key = house.user("alice", 1).await;
    let by_key = house.prove(key, 1).await.unwrap();
    let by_password = house.login("alice", PASSWORD).await.unwrap();
    let alice = house.caller(&by_key).await.unwrap();
    let second = house.add_own_key(&alice, 2).await.unwrap();
    let by_second = house.prove(second, 2).await.unwrap();
    house.remove_key("alice", key).await.unwrap();
    assert!(house.caller(&by_key).await.is_none());
    assert!(house.caller(&by_second).await.is_some() && house.caller(&by_password).await.is_some());
    let alice = house.caller(&by_second).await.unwrap();
    house.own_password(&alice, None, "another long password").await.unwrap();
    assert!(house.caller(&by_password).await.is_none());
    assert!(house.caller(&by_second).await.is_some());
    assert!(house.login("alice", PASSWORD).await.is_err());
    let token = house.login("alice", "another long password").await.unwrap();
    let alice = house.caller(&token).await.unwrap();
    let refused = house.own_password(&alice, None, PASSWORD).await;
    assert!(matches!(fault(refused), IdentityError::NeedsProof), "a password's token proves no key");
    let refused = house.add_own_key(&alice, 4).await;
    assert!(matches!(fault(refused), IdentityError::NeedsProof), "nor does it get one");
    let about = Own::of(&alice);
    let permit = house.0.gate.admit::<identity::AddOwnAccessKey>(&alice, about).await.unwrap();
    let present = Some(secret("another long password"));
    house.0.identity.add_own_key(permit, &alice, present, &pem(4)).await.unwrap();
    let refused = house.own_password(&alice, Some("wrong wrong wrong"), PASSWORD).await;
    assert!(matches!(fault(refused), IdentityError::Password));
    house.own_password(&alice, Some("another long password"), PASSWORD).await.unwrap();
}

#[tokio::test]
async fn a_user_has_so_many_keys_of_their_own_and_each_once() {
    let house = House::new().await;
    let key = house.user("alice", 1).await;
    let alice = house.caller(&house.prove(key, 1).await.unwrap()).await.unwrap();
    assert!(matches!(fault(house.add_own_key(&alice, 1).await), IdentityError::AlreadyExists));
    for seed in 2..=5 {
        house.add_own_key(&alice, seed).await.unwrap();
    }
    let sixth = house.add_own_key(&alice, 6).await;
    assert!(matches!(fault(sixth), IdentityError::Limit { limit: 5, .. }));
    assert_eq!(house.read("alice").await.unwrap().access_keys.len(), 5);
}

#[tokio::test]
async fn the_protected_are_never_lost() {
    let house = House::new().await;
    let root = house.root().await;
    let key = house.0.access_key.unwrap();
    for outcome in [
        house.remove("root").await,
        house.enable(&root, "root", false).await,
        house.remove_key("root", key).await,
    ] {
        assert!(matches!(fault(outcome), IdentityError::Protected { .. }));
    }
    let bare = NewUser { password: Some(secret(PASSWORD)), ..NewUser::default() };
    let outcome = house.create(&root, "recovery", bare).await;
    assert!(matches!(fault(outcome), IdentityError::Protected { .. }), "it has an access key from the start");
    let recovery = house.user("recovery", 8).await;
    let token = house.prove(recovery, 8).await.unwrap();
    let caller = house.caller(&token).await.unwrap();
    house.enable(&caller, "root", true).await.unwrap();
    house.0.create_store_as(&caller, "by-recovery").await.unwrap();
    assert!(matches!(fault(house.remove("recovery").await), IdentityError::Protected { .. }));
    let second = house.add_own_key(&root, 9).await.unwrap();
    house.remove_key("root", key).await.unwrap();
    assert!(house.prove(second, 9).await.is_ok(), "all but the last may go");
}

#[tokio::test]
async fn more_tokens_than_allowed_end_the_oldest() {
    let house = House::new().await;
    let key = house.user("alice", 1).await;
    let mut tokens = Vec::new();
    for _ in 0..=100 {
        tokens.push(house.prove(key, 1).await.unwrap());
        house.0.clock.advance(Duration::from_millis(1));
    }
    assert!(house.caller(&tokens[0]).await.is_none());
    assert!(house.caller(&tokens[1]).await.is_some() && house.caller(&tokens[100]).await.is_some());
    assert_eq!(house.read("alice").await.unwrap().tokens, 100);
}

#[tokio::test]
async fn renewing_never_goes_beyond_the_longest_life_nor_back() {
    let house = House::new().await;
    let key = house.user("alice", 1).await;
    let token = house.prove(key, 1).await.unwrap();
    let made = house.0.gate.now();
    let caller = house.caller(&token).await.unwrap();
    assert_eq!(house.renew(&caller, 1).await.unwrap(), made.plus(Duration::from_hours(1)), "never shorter");
    house.0.clock.advance(Duration::from_mins(50));
    assert_eq!(house.renew(&caller, 3_600).await.unwrap(), made.plus(Duration::from_mins(110)));
    house.0.clock.advance(Duration::from_mins(20));
    assert!(house.caller(&token).await.is_some(), "it lives on");
    assert_eq!(house.renew(&caller, u64::from(u32::MAX)).await.unwrap(), made.plus(Duration::from_hours(24)));
    house.0.clock.set_wall(UnixMillis(1));
    house.0.clock.advance(Duration::from_hours(23));
    assert!(house.caller(&token).await.is_none(), "a clock set back lengthens nothing");
}

#[tokio::test]
async fn tokens_that_ended_by_a_wrong_clock_lengthen_no_life() {
    let house = House::new().await;
    let key = house.user("alice", 1).await;
    let start = house.0.gate.now();
    house.0.clock.set_wall(start.plus(Duration::from_hours(24 * 365)));
    house.0.accept_clock().await.unwrap();
    let root = house.root().await;
    house.enable(&root, "alice", false).await.unwrap();
    house.enable(&root, "alice", true).await.unwrap();
    house.0.clock.set_wall(start);
    house.0.accept_clock().await.unwrap();
    let token = house.prove(key, 1).await.unwrap();
    assert!(house.caller(&token).await.is_some());
    house.0.clock.advance(Duration::from_hours(25));
    assert!(house.caller(&token).await.is_none());
}

#[tokio::test]
async fn guesses_wait_and_the_user_does_not_where_they_are_known() {
    let house = House::new().await;
    house.user("alice", 1).await;
    let home = Origin::network([198, 51, 100, 1].into());
    house.login_from(home, "alice", PASSWORD).await.unwrap();
    let guess = async |last: u8| {
        let from = Origin::network([192, 0, 2, last].into());
        fault(house.login_from(from, "alice", "not the password").await)
    };
    let mut throttled = 0;
    for last in 0..20 {
        throttled += usize::from(matches!(guess(last).await, IdentityError::Throttled { .. }));
    }
    assert!(throttled >= 9, "{throttled}");
    house.login_from(home, "alice", PASSWORD).await.unwrap();
    house.0.clock.advance(Duration::from_mins(2));
    let elsewhere = Origin::network([203, 0, 113, 1].into());
    house.login_from(elsewhere, "alice", PASSWORD).await.expect("nobody is locked out for ever");
}

#[tokio::test]
async fn a_hash_of_another_cost_is_renewed_at_the_next_login() {
    let house = House::new().await;
    house.user("alice", 1).await;
    let first = house.login("alice", PASSWORD).await.unwrap();
    let dearer = PasswordCost { memory_kib: 128, passes: 2, lanes: 1 };
    let settings = strongroom_testkit::WorldOptions::default().settings();
    house.0.identity.set(identity::Settings { password_cost: dearer, ..settings });
    house.login("alice", PASSWORD).await.unwrap();
    assert!(house.caller(&first).await.is_some(), "it is the same password");
    let prefix = strongroom_gate::keys::passwords(house.0.gate.partition().unwrap());
    let rows = house.0.store().list(strongroom_store::Range::prefix(prefix, 10)).await.unwrap();
    assert_eq!(rows.len(), 1);
    assert!(!rows[0].value.windows(8).any(|window| window == b"argon2id"), "hashes are sealed at rest");
    house.login("alice", PASSWORD).await.unwrap();
}

/// More attempts at once than are hashed: who is turned away leaves no entry each, and has not failed.
#[tokio::test]
async fn a_flood_of_passwords_fills_no_trail() {
    let house = Arc::new(House::new().await);
    let slow = PasswordCost { memory_kib: 2_048, passes: 1, lanes: 1 };
    let settings = strongroom_testkit::WorldOptions::default().settings();
    house.0.identity.set(identity::Settings { password_cost: slow, ..settings });
    let tries: Vec<_> = (0..49)
        .map(|user| {
            let house = Arc::clone(&house);
            let from = Origin::network([198, 51, 100, 7].into());
            tokio::spawn(async move { house.login_from(from, &user.to_string(), "not the password").await })
        })
        .collect();
    let mut busy = 0;
    for one in tries {
        match fault(one.await.unwrap()) {
            IdentityError::Denied(Denied::Busy) => busy += 1,
            IdentityError::Password => {}
            other => panic!("{other}"),
        }
    }
    assert!(busy > 5, "{busy}");
    let trail = house.0.trail(1).await.unwrap();
    assert_eq!(trail.iter().filter(|line| line.action == Action::Login).count(), 1, "the rest were counted");
}

/// An id that somebody used leaves nobody a way to write entries.
#[tokio::test]
async fn used_request_ids_of_others_fill_no_trail() {
    let house = House::new().await;
    let root = house.root().await;
    let named = |digest: u8| Some(Repeat { digest: [digest; 32], named: true });
    let asks = Caller { repeat: named(1), ..root.clone() };
    house.create(&asks, "alice", NewUser::default()).await.unwrap();
    for digest in 0..20 {
        let stranger = Caller { request: asks.request, repeat: named(digest), ..house.0.stranger() };
        let about = People { what: "x".to_owned() };
        let outcome = house.0.gate.admit::<identity::Login>(&stranger, about).await;
        assert!(matches!(outcome, Err(Denied::Reused)), "{outcome:?}");
    }
    let trail = house.0.trail(1).await.unwrap();
    assert_eq!(trail.iter().filter(|line| line.action == Action::Login).count(), 1);
    let outcome = house.create(&Caller { repeat: named(2), ..asks }, "bob", NewUser::default()).await;
    assert!(matches!(outcome, Err(WorldError::Denied(Denied::Reused))), "{outcome:?}");
}

/// Ends a token, whoever's it is.
async fn revoke(house: &House, by: &Caller, token: TokenId) -> Result<(), WorldError> {
    let permit = house.0.gate.admit::<identity::RevokeToken>(by, Token::any(token)).await?;
    Ok(house.0.identity.end(permit, id(by)).await?)
}

fn accessor(caller: &Caller) -> TokenId {
    let Credential::Token { token, .. } = caller.credential else { panic!("no token") };
    token
}

#[tokio::test]
async fn what_a_token_had_begun_ends_with_it() {
    let house = House::new().await;
    house.0.create_store("web").await.unwrap();
    let root = house.root().await;
    let new = NewUser { public_key: Some(pem(7)), ..NewUser::default() };
    let key = house.create(&root, "recovery", new).await.unwrap().unwrap();
    let other = house.caller(&house.prove(key, 7).await.unwrap()).await.unwrap();
    let secret = Secret { store: name("web"), path: path("key") };
    let put = house.0.gate.admit::<secrets::PutSecret>(&other, secret).await.unwrap();
    let made = house.0.gate.admit::<identity::CreateGroup>(&other, Groups { name: Some(name("made")) });
    let made = made.await.unwrap();
    let mut listing = house.0.gate.long_listing(&other, "web");
    assert!(listing.goes_on().is_ok());
    revoke(&house, &root, accessor(&other)).await.unwrap();
    assert!(listing.goes_on().is_err(), "not a name more");
    let written = secrets::put(put, id(&other), house.0.gate.now(), &value("1"), None).await;
    assert!(matches!(written, Err(SecretsError::Commit(CommitError::Refused { .. }))), "{written:?}");
    let made = house.0.identity.create_group(made).await;
    assert!(matches!(made, Err(IdentityError::Commit(CommitError::Refused { .. }))), "{made:?}");
    assert_eq!(house.0.list("web").await.unwrap(), [""; 0], "nothing was written");
    let trail = house.0.trail(1).await.unwrap();
    assert_eq!(trail.iter().filter(|line| line.rule == "the token has ended").count(), 2);
}

#[tokio::test]
async fn whoever_may_end_tokens_does_not_end_those_of_the_protected() {
    let house = House::new().await;
    let root = house.root().await;
    let key = house.user("helpdesk", 1).await;
    let about = Acls { name: Some(name("people")) };
    let permit = house.0.gate.admit::<identity::CreateAcl>(&root, about).await.unwrap();
    let rule = RuleText {
        mode: Mode::Allow,
        access: Access::ALL,
        covers: CoversKind::Everything,
        commands: Vec::new(),
        stores: Vec::new(),
        secrets: Vec::new(),
    };
    house.0.identity.create_acl(permit, &rule).await.unwrap();
    let to = Attachment { acl: name("people"), to: HolderNamed::User(name("helpdesk")) };
    let permit = house.0.gate.admit::<identity::AttachAcl>(&root, to).await.unwrap();
    house.0.identity.attach(permit, id(&root)).await.unwrap();
    let helpdesk = house.caller(&house.prove(key, 1).await.unwrap()).await.unwrap();
    let refused = revoke(&house, &helpdesk, accessor(&root)).await;
    assert!(matches!(fault(refused), IdentityError::OnlyProtected));
    house.enable(&root, "helpdesk", true).await.expect("root's token holds");
    // anybody else's, and one's own
    let other = house.user("alice", 2).await;
    let alice = house.prove(other, 2).await.unwrap();
    revoke(&house, &helpdesk, accessor(&house.caller(&alice).await.unwrap())).await.unwrap();
    assert!(house.caller(&alice).await.is_none());
    revoke(&house, &helpdesk, accessor(&helpdesk)).await.unwrap();
}

#[tokio::test]
async fn tokens_are_listed_and_ended_by_name() {
    let house = House::new().await;
    let key = house.user("alice", 1).await;
    let first = house.prove(key, 1).await.unwrap();
    let second = house.login("alice", PASSWORD).await.unwrap();
    let alice = house.caller(&first).await.unwrap();
    let permit = house.0.gate.admit::<identity::ListOwnTokens>(&alice, Own::of(&alice)).await.unwrap();
    let own = house.0.gate.release(house.0.identity.own_tokens(permit)).await.unwrap();
    assert_eq!(own.iter().map(|token| token.way).collect::<Vec<_>>(), [Way::AccessKey, Way::Password]);
    let root = house.root().await;
    let Credential::Token { token: roots, .. } = root.credential else { panic!("no token") };
    let outcome = house.0.gate.admit::<identity::RevokeOwnToken>(&alice, Token::own(&alice, roots)).await;
    assert!(matches!(outcome, Err(Denied::NotFound)), "another's token is not there");
    let outcome = house.0.gate.admit::<identity::RevokeToken>(&alice, Token::any(roots)).await;
    assert!(matches!(outcome, Err(Denied::Refused { .. })));
    let about = Token::own(&alice, own[1].accessor);
    let permit = house.0.gate.admit::<identity::RevokeOwnToken>(&alice, about).await.unwrap();
    house.0.identity.end(permit, id(&alice)).await.unwrap();
    assert!(house.caller(&second).await.is_none() && house.caller(&first).await.is_some());
    let permit = house.0.gate.admit::<identity::RevokeTokens>(&root, user("alice")).await.unwrap();
    house.0.identity.end_all(permit, id(&root)).await.unwrap();
    assert!(house.caller(&first).await.is_none());
    let refused = house.0.trail(1).await.unwrap();
    assert!(refused.iter().any(|line| line.action == Action::RevokeToken));
}
