//! The table of paths.

use http::Method;

macro_rules! verbs {
    ($($(#[$doc:meta])* $verb:ident: $method:ident $path:literal,)*) => {
        /// What may be asked for.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(crate) enum Verb {
            $($(#[$doc])* $verb,)*
        }

        impl Verb {
            #[cfg(test)]
            pub(crate) const ALL: &[Self] = &[$(Self::$verb),*];

            /// As metrics show it.
            pub(crate) fn name(self) -> &'static str {
                match self { $(Self::$verb => stringify!($verb),)* }
            }
        }

        /// Method, path, verb.
        const ROWS: &[(Method, &str, Verb)] = &[$((Method::$method, $path, Verb::$verb),)*];
    };
}

verbs! {
    /// Whether anybody is there.
    Up: GET "/",
    /// A token for a password.
    Login: POST "/login",
    /// The end of a token.
    Logout: POST "/logout",
    /// A token for a proof by the signing key.
    Token: POST "/token",
    /// A new member.
    CreateUser: POST "/user/create",
    /// New keys from the present attributes.
    Rekey: POST "/user/rekey",
    /// No more keys, no more records.
    Suspend: POST "/user/suspend",
    /// And again.
    Resume: POST "/user/resume",
    /// No more member.
    DeleteUser: POST "/user/delete",
    /// Other attributes.
    ChangeAttributes: POST "/user/attributes",
    /// Past epochs to read.
    ChangeEpochs: POST "/user/epochs",
    /// Another password.
    ChangePassword: POST "/user/password",
    /// Enrolment.
    RegisterKeys: POST "/user/keys",
    /// Who one is.
    Me: GET "/user/me",
    /// What records are encrypted with.
    PublicKey: GET "/get/key/cpabe-pk",
    /// One's own keys.
    MemberKeys: GET "/get/key/cpabe-sk",
    /// The same, as the original's programs ask.
    MemberKeysPosted: POST "/get/key/cpabe-sk",
    /// Public keys of rights.
    Rights: GET "/get/key/rights",
    /// A new right.
    CreateRight: POST "/right/create",
    /// A collector's index keys.
    IndexKeys: POST "/get/key/index",
    /// Index tokens of values.
    Tokens: POST "/get/tokens",
    /// All attributes.
    Attributes: GET "/get/attributes",
    /// The signed manifest.
    Manifest: GET "/get/manifest",
    /// Names of collectors.
    Collectors: GET "/get/collectors",
    /// A collector's head.
    PostHead: POST "/heads",
    /// All heads.
    Heads: GET "/heads",
    /// A group.
    CreateGroup: POST "/group/create",
    /// Its other collectors or rules.
    ChangeGroup: POST "/group/change",
    /// No more group.
    DeleteGroup: POST "/group/delete",
    /// All groups.
    Groups: GET "/get/groups",
}

/// What the original had, and what took its place.
const GONE: &[(&str, &str)] = &[
    (
        "/get/key/de",
        "there is no key for deterministic encryption: a collector has index keys of its own (POST /get/key/index), \
         and a reader asks for the tokens of a value (POST /get/tokens)",
    ),
    (
        "/get/key/ore",
        "there is no order-revealing key: the exchange knows the hour in which a record came, and a collector may index \
         a value with its day (POST /get/key/index)",
    ),
    (
        "/get/range/ore",
        "there is no order-revealing encryption, and so no range: queries take times and days as they are",
    ),
];

/// What a path is.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Found {
    /// A row.
    Verb(Verb),
    /// A row that takes these methods.
    OtherMethod(String),
    /// What the original had; what took its place.
    Gone(&'static str),
    /// Nothing.
    Nothing,
}

/// Finds the row of a path.
pub(crate) fn find(method: &Method, path: &str) -> Found {
    // whoever only wants to know whether somebody is there need not be told twice
    let method = if (method, path) == (&Method::HEAD, "/") { &Method::GET } else { method };
    let rows: Vec<_> = ROWS.iter().filter(|(_, known, _)| *known == path).collect();
    if let Some((.., verb)) = rows.iter().find(|(known, ..)| known == method) {
        return Found::Verb(*verb);
    }
    if !rows.is_empty() {
        let methods: Vec<&str> = rows.iter().map(|(known, ..)| known.as_str()).collect();
        return Found::OtherMethod(methods.join(", "));
    }
    let gone = GONE.iter().find(|(known, _)| *known == path);
    gone.map_or(Found::Nothing, |(_, instead)| Found::Gone(instead))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn every_row_is_found_by_its_method_and_path_and_by_nothing_else() {
        for (method, path, verb) in ROWS {
            assert_eq!(find(method, path), Found::Verb(*verb));
            assert_eq!(find(method, &format!("{path}/")), Found::Nothing, "{path}");
            assert!(matches!(find(&Method::DELETE, path), Found::OtherMethod(_)));
        }
        let distinct: BTreeSet<_> = ROWS.iter().map(|(method, path, _)| (method.as_str(), path)).collect();
        assert_eq!((distinct.len(), ROWS.len()), (ROWS.len(), Verb::ALL.len()));
    }

    #[test]
    fn other_methods_are_told_which_would_do() {
        assert_eq!(find(&Method::GET, "/login"), Found::OtherMethod("POST".to_owned()));
        assert_eq!(find(&Method::PUT, "/get/key/cpabe-sk"), Found::OtherMethod("GET, POST".to_owned()));
        assert_eq!(find(&Method::HEAD, "/"), Found::Verb(Verb::Up));
        assert_eq!(find(&Method::HEAD, "/user/me"), Found::OtherMethod("GET".to_owned()));
    }

    #[test]
    fn what_the_original_had_is_gone_and_says_where_to() {
        for path in ["/get/key/de", "/get/key/ore", "/get/range/ore"] {
            assert!(matches!(find(&Method::GET, path), Found::Gone(_)), "{path}");
        }
        for path in ["", "/users", "//", "/login/", "/Login", "/get/key", "/../login", "/%6cogin"] {
            assert_eq!(find(&Method::GET, path), Found::Nothing, "{path}");
        }
    }
}
