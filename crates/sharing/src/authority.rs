//! What is said to the attribute authority, and what it says. Bytes are base64 unless something else is said.

use crate::{MemberId, Password, TokenText};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// How old a manifest may be before a collector encrypts nothing more, unless the authority says otherwise; seconds.
pub const MAX_MANIFEST_AGE_SECS: u64 = 900;

macro_rules! asked {
    ($($(#[$doc:meta])* $name:ident { $($(#[$field_doc:meta])* $field:ident: $kind:ty,)* })*) => {$(
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
        #[serde(deny_unknown_fields)]
        pub struct $name { $($(#[$field_doc])* pub $field: $kind,)* }
    )*};
}
// passwords are in these: they are neither copied nor compared
macro_rules! secret {
    ($($(#[$doc:meta])* $name:ident { $($(#[$field_doc:meta])* $field:ident: $kind:ty,)* })*) => {$(
        $(#[$doc])*
        #[derive(Serialize, Deserialize)]
        #[serde(deny_unknown_fields)]
        pub struct $name { $($(#[$field_doc])* pub $field: $kind,)* }
    )*};
}
macro_rules! told {
    ($($(#[$doc:meta])* $name:ident { $($(#[$field_doc:meta])* $field:ident: $kind:ty,)* })*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
        pub struct $name { $($(#[$field_doc])* pub $field: $kind,)* }
    )*};
}

secret! {
    /// `POST /login`.
    Login {
        /// As registered, or as it was before normalisation.
        username: String,
        /// Its password.
        password: Password,
    }
    /// `POST /user/create`.
    CreateUser {
        /// The name that is wanted.
        username: String,
        /// Its password,
        password: Password,
        /// and again.
        password2: Password,
        /// What it has, in any case.
        attributes: Vec<String>,
        /// X-Wing public key, 1,216 bytes.
        #[serde(default)]
        wrap_key: Option<String>,
        /// Ed25519 SubjectPublicKeyInfo.
        #[serde(default)]
        signing_key: Option<String>,
        /// Past epochs that it may read: `1-4,7`.
        #[serde(default)]
        past_epochs: Option<String>,
    }
    /// `POST /user/password`.
    ChangePassword {
        /// Who; absent: the caller.
        #[serde(default)]
        username: Option<String>,
        /// The present one; an administrator needs none for others.
        #[serde(default)]
        old_password: Option<Password>,
        /// The new one,
        password: Password,
        /// and again.
        password2: Password,
    }
    /// `POST /user/keys`: enrolment.
    RegisterKeys {
        /// The password: a token alone registers nothing.
        password: Password,
        /// X-Wing public key, 1,216 bytes.
        wrap_key: String,
        /// Ed25519 SubjectPublicKeyInfo.
        signing_key: String,
        /// In place of those that are registered.
        #[serde(default)]
        replace: bool,
        /// The last record that the replaced key signed; absent: the last that the collector told the authority of.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        last: Option<u64>,
    }
}

asked! {
    /// `POST /token`: a token for who has the member's signing key.
    Proof {
        /// Who.
        member: MemberId,
        /// Now, seconds since 1970: within two minutes of the authority's.
        at: u64,
        /// 16 random bytes; taken once.
        nonce: String,
        /// Ed25519 of `strongroom sharing token v1`, a zero byte, member (16 bytes), at (8 bytes, big endian), nonce.
        signature: String,
    }
    /// `POST /user/rekey`, `/user/suspend`, `/user/resume`, `/user/delete`.
    NamedUser {
        /// Who.
        username: String,
    }
    /// `POST /user/attributes`: the new set.
    ChangeAttributes {
        /// Who.
        username: String,
        /// All of what it has from now on.
        attributes: Vec<String>,
    }
    /// `POST /user/epochs`: the past epochs that it may read besides those in which it was a member.
    ChangeEpochs {
        /// Who.
        username: String,
        /// `1-4,7`; empty takes them back.
        past_epochs: String,
    }
    /// `POST /get/tokens`.
    AskTokens {
        /// The field: a JSON pointer without its first slash.
        field: String,
        /// The form of its values: `ip`, `domain`, `text`, ...
        form: String,
        /// What is looked for.
        values: Vec<Wanted>,
        /// From this epoch on; absent: the first that the member may read.
        #[serde(default)]
        from_epoch: Option<u64>,
        /// To this one; absent: the present one.
        #[serde(default)]
        to_epoch: Option<u64>,
        /// Only these collectors.
        #[serde(default)]
        collectors: Option<Vec<MemberId>>,
    }
    /// `POST /right/create`: registers a right of the post-quantum suite.
    CreateRight {
        /// Its attributes.
        attributes: Vec<String>,
    }
    /// `POST /group/create`, `/group/change`.
    Group {
        /// Its name.
        name: String,
        /// Whose records; absent: all collectors'.
        #[serde(default)]
        collectors: Option<Vec<MemberId>>,
        /// Who may search which field.
        rules: Vec<SearchRule>,
    }
    /// `POST /group/delete`.
    NamedGroup {
        /// Which.
        name: String,
    }
    /// Who may search a field of a group's records.
    SearchRule {
        /// The field, or `*`.
        field: String,
        /// Who, such as `ANALYST and CERT`; absent: every member.
        #[serde(default)]
        policy: Option<String>,
    }
}

/// One thing that is looked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Wanted {
    /// This value.
    Exact(String),
    /// An address of this network, where the collector indexes its length.
    Network(String),
    /// This domain and what is below it.
    Suffix(String),
    /// This value on this day: days since 1970.
    OnDay(String, i32),
}

told! {
    /// Of a login.
    AccessToken {
        /// `Bearer` text.
        access_token: String,
        /// Seconds that it lives.
        expires_in: u64,
    }
    /// Of `POST /user/create`, 201.
    Created {
        /// A first token.
        access_token: String,
        /// What it has, normalised.
        attributes: Vec<String>,
        /// The registered name.
        username: String,
        /// Its id.
        id: MemberId,
    }
    /// Of `GET /user/me`.
    Me {
        /// The registered name.
        logged_in_as: String,
        /// Its id.
        id: MemberId,
        /// Whether it administers.
        admin: bool,
        /// What it has.
        attributes: Vec<String>,
        /// Whether its keys are registered.
        enrolled: bool,
    }
    /// Of `GET /get/key/cpabe-pk`.
    PublicKeyOf {
        /// The FAME public key.
        cpabe_pk: String,
        /// The authority's own signing key, SubjectPublicKeyInfo: what manifests are checked with.
        signing_key: String,
    }
    /// Of `/get/key/cpabe-sk` and `/get/key/index`: a bundle, wrapped to the member's key.
    WrappedKeys {
        /// The epochs in it.
        epochs: Vec<u64>,
        /// `envelope::wrap`.
        sealed: String,
    }
    /// Of `GET /get/key/rights`.
    RightsOf {
        /// Attributes, and 1,216 bytes.
        rights: Vec<RightOf>,
    }
    /// One right.
    RightOf {
        /// Its attributes.
        attributes: Vec<String>,
        /// Its X-Wing public key.
        key: String,
    }
    /// Of `GET /get/attributes`.
    Attributes {
        /// All that any member has.
        attributes: Vec<String>,
    }
    /// Of `POST /get/tokens`: in the order of what was asked for.
    Tokens {
        /// For each wanted thing, one for each collector and epoch.
        tokens: Vec<Vec<TokenOf>>,
        /// Collectors whose field the member may not search.
        refused: Vec<MemberId>,
    }
    /// One token.
    TokenOf {
        /// Whose records.
        collector: MemberId,
        /// Of which epoch.
        epoch: u64,
        /// What to ask the exchange for.
        token: TokenText,
    }
    /// Of `GET /get/collectors`.
    Collectors {
        /// Names by id.
        collectors: BTreeMap<MemberId, String>,
    }
    /// The manifest, signed under the context `strongroom sharing manifest v1`.
    Manifest {
        /// Digest of the FAME public key, hexadecimal.
        authority: String,
        /// The key that signed this, SubjectPublicKeyInfo: for who sees it for the first time, and keeps it.
        signing_key: String,
        /// The present epoch.
        epoch: u64,
        /// When it began, seconds since 1970.
        epoch_since: u64,
        /// When this was signed.
        issued_at: u64,
        /// How old it may be for a collector; seconds.
        max_age_secs: u64,
        /// Keys of tokens by kid, SubjectPublicKeyInfo.
        token_keys: BTreeMap<String, String>,
        /// Everybody who has a signing key.
        members: Vec<MemberOf>,
        /// Whose tokens are void: suspended or removed.
        revoked: Vec<MemberId>,
        /// Whose tokens are void that were made before a second, seconds since 1970: a new password, new keys, a suspension.
        #[serde(default)]
        ended_before: BTreeMap<MemberId, u64>,
        /// Tokens by their id that are void: logged out.
        #[serde(default)]
        ended: BTreeSet<MemberId>,
    }
    /// A member, for who checks signatures.
    MemberOf {
        /// Who.
        id: MemberId,
        /// Ed25519 SubjectPublicKeyInfo, the present one first.
        signing_keys: Vec<String>,
        /// Whether it may send records now.
        active: bool,
        /// Up to which record those of its keys count that were replaced.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        replaced: Vec<Replaced>,
    }
    /// A signing key that another took the place of.
    Replaced {
        /// Ed25519 SubjectPublicKeyInfo.
        key: String,
        /// The last record that it counts for.
        last: u64,
    }
    /// A collector's head, signed by it under `strongroom sharing head v1`; `POST /heads`, a list at `GET /heads`.
    Head {
        /// Whose.
        collector: MemberId,
        /// Its last record,
        sequence: u64,
        /// and the digest, hexadecimal.
        digest: String,
        /// When, seconds since 1970.
        at: u64,
    }
}
