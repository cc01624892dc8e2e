//! The authority in a world, as a door would ask it.

use std::sync::Arc;
use std::time::Duration;
use strongroom_abe::{AttributeSet, MemberKey, Policy, PublicKey as AbeKey, RightSecrets};
use strongroom_attributes::{self as authority, Attributes, AuthorityError, Enrolment, NewMember, Settings};
use strongroom_crypto::{KemSecretKey, PasswordCost, PrivateKey, PublicKey};
use strongroom_envelope::{KeyBundle, Purpose, Recipient, Signed, policy_at, unwrap};
use strongroom_gate::{Action, Permit, Sharing, SharingView};
use strongroom_model::{Caller, Origin};
use strongroom_secret::{SecretArray, SecretBytes};
use strongroom_sharing::authority::{Manifest, WrappedKeys};
use strongroom_testkit::TestWorld;

pub(crate) const PASSWORD: &str = "correct horse battery";

pub(crate) fn secret(text: &str) -> SecretBytes {
    SecretBytes::new(text.as_bytes().to_vec())
}

pub(crate) fn text(secret: &SecretBytes) -> String {
    secret.expose(|bytes| String::from_utf8(bytes.to_vec()).unwrap())
}

pub(crate) fn base64(text: &str) -> Vec<u8> {
    data_encoding::BASE64.decode(text.as_bytes()).unwrap()
}

pub(crate) fn settings() -> Settings {
    let password_cost = PasswordCost { memory_kib: 64, passes: 1, lanes: 1 };
    Settings { password_cost, ..Settings::default() }
}

/// The keys that a member made for itself.
pub(crate) struct Own {
    pub(crate) wrap: KemSecretKey,
    pub(crate) sign: PrivateKey,
}

impl Own {
    pub(crate) fn of(seed: u8) -> Self {
        let wrap = KemSecretKey::from_seed(SecretArray::copied(&[seed; 32]).unwrap());
        Self { wrap, sign: PrivateKey::ed25519_from_seed(&[seed; 32]).unwrap() }
    }

    pub(crate) fn enrolment(&self) -> Enrolment {
        Enrolment {
            wrap_key: self.wrap.public_key().to_bytes(),
            signing_key: self.sign.public_key().unwrap().spki().to_vec(),
        }
    }
}

pub(crate) struct House {
    pub(crate) world: TestWorld,
    pub(crate) attributes: Arc<Attributes>,
}

impl House {
    pub(crate) async fn new() -> Self {
        Self::over(TestWorld::unlocked().await)
    }

    pub(crate) fn over(world: TestWorld) -> Self {
        let attributes = Arc::new(Attributes::new(Arc::clone(&world.gate), settings()));
        Self { world, attributes }
    }

    /// The process ends and another begins: locked, and unlocked again.
    pub(crate) async fn restarted(self) -> Self {
        let house = Self::over(self.world.reopen());
        house.world.unlock().await.unwrap();
        house
    }

    #[expect(clippy::unused_self, reason = "asked of the house, as all else in a test is")]
    pub(crate) fn origin(&self) -> Origin {
        Origin::network([192, 0, 2, 1].into())
    }

    pub(crate) async fn permit<A>(&self, by: &Caller, about: Sharing) -> Result<Permit<A>, AuthorityError>
    where
        A: Action<Resource = Sharing, View = SharingView>,
    {
        Ok(self.world.gate.admit::<A>(by, about).await?)
    }

    /// A bearer's caller.
    pub(crate) async fn bearer(&self, token: &str) -> Result<Caller, AuthorityError> {
        let mut caller = self.world.stranger();
        self.attributes.caller_of(&mut caller, token).await?;
        Ok(caller)
    }

    pub(crate) async fn login(&self, name: &str, password: &str) -> Result<String, AuthorityError> {
        let permit = self.permit(&self.world.stranger(), authority::claimed(name)).await?;
        Ok(text(&self.attributes.login(permit, self.origin(), secret(password)).await?.token))
    }

    /// The administrator `boss`, whom root adds.
    pub(crate) async fn admin(&self) -> Caller {
        let root = self.world.root_caller().await.unwrap();
        let permit = self.permit(&root, authority::named("boss").unwrap()).await.unwrap();
        let made = self.attributes.add_admin(permit, self.origin(), secret(PASSWORD)).await.unwrap();
        self.bearer(&text(&made.token.token)).await.unwrap()
    }

    pub(crate) async fn create(
        &self,
        by: &Caller,
        name: &str,
        attributes: &[&str],
        keys: Option<Enrolment>,
    ) -> Result<Caller, AuthorityError> {
        let permit = self.permit(by, authority::named(name)?).await?;
        let mut new = NewMember::with(secret(PASSWORD), secret(PASSWORD));
        new.attributes = attributes.iter().map(ToString::to_string).collect();
        new.keys = keys;
        let made = self.attributes.create_user(permit, new).await?;
        self.bearer(&text(&made.token.token)).await
    }

    /// An enrolled member, whose keys are of a seed.
    pub(crate) async fn member(&self, name: &str, attributes: &[&str], seed: u8) -> Caller {
        let admin = self.admin().await;
        self.create(&admin, name, attributes, Some(Own::of(seed).enrolment())).await.unwrap()
    }

    pub(crate) async fn suspend(&self, name: &str) {
        let permit = self.permit(&self.admin().await, authority::named(name).unwrap()).await.unwrap();
        self.attributes.suspend(permit).await.unwrap();
    }

    pub(crate) async fn resume(&self, name: &str) {
        let permit = self.permit(&self.admin().await, authority::named(name).unwrap()).await.unwrap();
        self.attributes.resume(permit).await.unwrap();
    }

    pub(crate) async fn set_attributes(&self, name: &str, attributes: &[&str]) {
        let permit = self.permit(&self.admin().await, authority::named(name).unwrap()).await.unwrap();
        let attributes: Vec<String> = attributes.iter().map(ToString::to_string).collect();
        self.attributes.set_attributes(permit, &attributes).await.unwrap();
    }

    pub(crate) async fn set_epochs(&self, name: &str, epochs: &str) -> Result<(), AuthorityError> {
        let permit = self.permit(&self.admin().await, authority::named(name).unwrap()).await?;
        self.attributes.set_epochs(permit, epochs).await
    }

    /// A week goes by.
    pub(crate) fn week(&self) {
        for _ in 0..7 * 24 * 13 {
            // the trusted clock follows steps of at most five minutes
            self.world.clock.advance(Duration::from_secs(280));
            self.world.gate.now();
        }
    }

    /// The manifest, checked with the key that the authority shows.
    pub(crate) async fn manifest(&self) -> Manifest {
        let permit = self.permit(&self.world.stranger(), Sharing::whole()).await.unwrap();
        let signed = self.attributes.manifest(permit).await.unwrap();
        let authority = self.world.gate.sharing_authority().await.unwrap().unwrap();
        let key = PublicKey::from_spki(&authority.signing_key).unwrap();
        Signed::<Manifest>::from(signed).verify(&key, "strongroom sharing manifest v1").unwrap()
    }

    pub(crate) async fn wrapped(
        &self,
        caller: &Caller,
        epochs: Option<&str>,
    ) -> Result<WrappedKeys, AuthorityError> {
        let permit = self.permit(caller, Sharing::own(caller)).await?;
        self.attributes.member_keys(permit, epochs).await
    }

    /// A member's keys of epochs, unwrapped with the keys of its seed.
    pub(crate) async fn keys(
        &self,
        caller: &Caller,
        epochs: Option<&str>,
        seed: u8,
    ) -> Result<KeyBundle, AuthorityError> {
        let wrapped = self.wrapped(caller, epochs).await?;
        let recipient = self.recipient(caller, Purpose::MemberKeys).await;
        let bytes = unwrap(&Own::of(seed).wrap, &recipient, &base64(&wrapped.sealed)).unwrap();
        let bundle = KeyBundle::from_bytes(&bytes).unwrap();
        assert_eq!(bundle.epochs.keys().copied().collect::<Vec<_>>(), wrapped.epochs);
        Ok(bundle)
    }

    pub(crate) async fn recipient(&self, caller: &Caller, purpose: Purpose) -> Recipient {
        let key = self.abe().await;
        let member = strongroom_sharing::MemberId(caller.principal.as_ref().unwrap().user.0);
        Recipient { purpose, member, authority: *key.digest() }
    }

    pub(crate) async fn abe(&self) -> AbeKey {
        let authority = self.world.gate.sharing_authority().await.unwrap().unwrap();
        AbeKey::from_bytes(&authority.public_key).unwrap()
    }

    /// Whether a bundle opens what is sealed for a policy in an epoch.
    pub(crate) async fn opens(&self, bundle: &KeyBundle, policy: &str, epoch: u64) -> bool {
        let key = self.abe().await;
        let policy = policy_at(&Policy::parse(policy).unwrap(), epoch).unwrap();
        let (header, shared) = key.encapsulate(self.world.ambient(), &policy, b"t").unwrap();
        bundle.epochs.values().any(|bytes| {
            let own = MemberKey::from_bytes(bytes).unwrap();
            key.decapsulate(&own, &RightSecrets::none(), &header, b"t")
                .is_ok_and(|found| found.same_as(&shared))
        })
    }
}

/// Attributes of a key, for a failure to show.
pub(crate) fn attributes_of(bundle: &KeyBundle, epoch: u64) -> AttributeSet {
    let key = MemberKey::from_bytes(&bundle.epochs[&epoch]).unwrap();
    let names: Vec<String> = key.attributes().map(ToString::to_string).collect();
    AttributeSet::parse(names.iter().map(String::as_str)).unwrap()
}
