//! Problems (RFC 9457): one catalogue of stable codes.

use serde::{Deserialize, Serialize};

/// An error on the wire, as `application/problem+json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Problem {
    /// `https://strongroom.invalid/problems/CODE`: names the code, is not fetched.
    #[serde(rename = "type")]
    pub kind: String,
    /// What the code means.
    pub title: String,
    /// HTTP status.
    pub status: u16,
    /// Stable code.
    pub code: Code,
    /// What was wrong, and where, this time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    /// The request.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
}

macro_rules! codes {
    ($($(#[$doc:meta])* $variant:ident = $name:literal, $status:literal, $title:literal;)*) => {
        /// A stable error code.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
        pub enum Code {
            $(#[doc = $title] #[serde(rename = $name)] $variant,)*
        }

        impl Code {
            /// The catalogue.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// As on the wire.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }

            /// Its HTTP status.
            pub const fn status(self) -> u16 {
                match self { $(Self::$variant => $status,)* }
            }

            /// What it means.
            pub const fn title(self) -> &'static str {
                match self { $(Self::$variant => $title,)* }
            }
        }
    };
}

codes! {
    InvalidRequest = "invalid_request", 400, "The request is malformed";
    InvalidJson = "invalid_json", 400, "The body is not acceptable JSON";
    InvalidName = "invalid_name", 400, "A name is not acceptable";
    UntrustedProxy = "untrusted_proxy", 400, "Forwarded is taken from listed proxies only";
    InvalidSecret = "invalid_secret", 400, "The secret, settings or order do not suit the store's type";
    VersionRequired = "version_required", 400, "This store wants the version that is expected";
    InvalidKey = "invalid_key", 400, "A key is not acceptable";
    InvalidAcl = "invalid_acl", 400, "The ACL is not acceptable";
    WrongUnlockKey = "wrong_unlock_key", 400, "The unlock key does not open this server";
    RepeatedUnlockKey = "repeated_unlock_key", 400, "The unlock key was already presented";
    ForeignUnlockKey = "foreign_unlock_key", 400, "The unlock key belongs to another set";
    Unauthenticated = "unauthenticated", 401, "A valid token is required";
    AddressRefused = "address_refused", 403, "Requests from this address are not taken here";
    CrossSite = "cross_site", 403, "Pages of other sites may change nothing here";
    Refused = "refused", 403, "The rules do not allow this";
    NotFound = "not_found", 404, "There is no such thing, or you may not see it";
    Deleted = "deleted", 404, "This version is deleted; undeleting brings it back";
    Destroyed = "destroyed", 404, "This version was destroyed";
    UnknownRoute = "unknown_route", 404, "There is no such endpoint";
    MethodNotAllowed = "method_not_allowed", 405, "The endpoint does not take this method";
    Timeout = "timeout", 408, "The request took too long to arrive";
    Conflict = "conflict", 409, "The present state does not allow this";
    VersionMismatch = "version_mismatch", 409, "The version is not the one that was expected";
    ProtectedUser = "protected_user", 409, "A protected user keeps what this would take away";
    AlreadyExists = "already_exists", 409, "It already exists";
    AlreadyInitialised = "already_initialised", 409, "The server is already initialised";
    RequestReused = "request_reused", 409, "This request id was used with another body";
    TooLarge = "too_large", 413, "The body is too large";
    PathTooLong = "path_too_long", 414, "The path is too long";
    UnsupportedMediaType = "unsupported_media_type", 415, "The body's media type is not accepted here";
    Misdirected = "misdirected", 421, "The request is for another host";
    TooManyRequests = "too_many_requests", 429, "Too many requests";
    HeadersTooLarge = "headers_too_large", 431, "The headers are too large";
    Internal = "internal", 500, "The server failed; its log says more";
    Corrupt = "corrupt", 500, "Stored data is damaged";
    Locked = "locked", 503, "The server is locked";
    NotInitialised = "not_initialised", 503, "The server is not initialised";
    Busy = "busy", 503, "The server is busy; try again";
    TrailUnavailable = "trail_unavailable", 503, "The audit trail cannot be written, so nothing is done";
    Unknown = "outcome_unknown", 503, "It is not known whether the change was made; repeat with the same request id";
    StorageFull = "storage_full", 507, "The disk is full; reading, deleting, locking and unlocking go on";
}

// by hand: the derived schema does not see names that come from a macro
impl utoipa::PartialSchema for Code {
    fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
        let names = Self::ALL.iter().map(|code| code.as_str());
        utoipa::openapi::schema::ObjectBuilder::new()
            .schema_type(utoipa::openapi::schema::Type::String)
            .enum_values(Some(names))
            .into()
    }
}

impl utoipa::ToSchema for Code {}

impl Problem {
    /// A problem of a code.
    pub fn new(code: Code, detail: Option<String>) -> Self {
        Self {
            kind: format!("https://strongroom.invalid/problems/{}", code.as_str()),
            title: code.title().to_owned(),
            status: code.status(),
            code,
            detail,
            request_id: None,
        }
    }
}
