//! Challenges, proofs, tokens.

use serde::{Deserialize, Serialize};
use std::fmt::Write as _;
use utoipa::ToSchema;

/// Body of `Challenge`.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ChallengeRequest {
    /// The access key to prove.
    pub access_key_id: String,
}

/// Answer of `Challenge`.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct ChallengeResponse {
    /// The challenge, a text. Sign [`signed_transcript`]'s bytes with it.
    pub challenge: String,
    /// Until when, RFC 3339.
    pub expires: String,
}

/// The server that a client means: a proof that is signed for one is none for another, whoever passes it on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MeantServer(String);

impl MeantServer {
    /// Reached by TLS: what the client sends as `Host`, and the SHA-256 of the certificate that it was shown. The host
    /// is taken in lower case and with its port, 443 where it names none.
    pub fn tls(host: &str, certificate: &[u8; 32]) -> Self {
        let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        let has_port = host
            .rsplit_once(':')
            .is_some_and(|(name, port)| digits(port) && (!name.contains(':') || name.ends_with(']')));
        let port = if has_port { "" } else { ":443" };
        let mut text = format!("https {}{port} ", host.to_ascii_lowercase());
        for byte in certificate {
            let _ = write!(text, "{byte:02x}");
        }
        Self(text)
    }

    /// Reached by its local socket: the client's own user id. Who passes a proof on is another user, or could as well
    /// use the key.
    pub fn local(uid: u32) -> Self {
        Self(format!("unix {uid}"))
    }

    /// As it is signed.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The bytes to sign: `strongroom authorize v2`, a zero, the access key id's text, a zero, the challenge's text, a zero,
/// the server's text. Ed25519, or RSA-PSS with SHA-256.
pub fn signed_transcript(access_key_id: &str, challenge: &str, server: &MeantServer) -> Vec<u8> {
    let parts = ["strongroom authorize v2", access_key_id, challenge, server.as_str()];
    parts.join("\0").into_bytes()
}

/// Body of `Authorize`.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AuthorizeRequest {
    /// The access key.
    pub access_key_id: String,
    /// The challenge.
    pub challenge: String,
    /// The signature over [`signed_transcript`], standard base64.
    pub signature: String,
    /// SHA-256 of the certificate that the client was shown, in hexadecimal. It is asked only of clients whose TLS ends
    /// at a proxy of ours: elsewhere the server knows what it showed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub certificate: Option<String>,
    /// Lifetime in seconds; bounded by the server's maximum.
    #[serde(default)]
    #[schema(value_type = Option<i64>, minimum = 0, maximum = 4_294_967_295_i64)]
    pub ttl_secs: Option<u32>,
}

/// A new token.
#[derive(Serialize, Deserialize, ToSchema)]
pub struct NewToken {
    /// The token.
    pub token: String,
    /// Names the token without being it.
    pub accessor: String,
    /// Until when, RFC 3339.
    pub expires: String,
    /// Lifetime in seconds.
    pub ttl_secs: u32,
}

/// Body of `Login`.
#[derive(Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct LoginRequest {
    /// The user's name.
    pub user: String,
    /// The password.
    pub password: String,
    /// Lifetime in seconds; bounded by the server's maximum.
    #[serde(default)]
    #[schema(value_type = Option<i64>, minimum = 0, maximum = 4_294_967_295_i64)]
    pub ttl_secs: Option<u32>,
}

/// How a token was got.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum TokenWay {
    /// By proof of possession of an access key.
    AccessKey,
    /// With a password.
    Password,
}

/// A token without its text.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct TokenInfo {
    /// Names the token without being it.
    pub accessor: String,
    /// Whose.
    pub user: String,
    /// The access key it was got with; of a password, an id that changes whenever the password does.
    pub access_key_id: String,
    /// How it was got.
    pub way: TokenWay,
    /// Made when, RFC 3339.
    pub created: String,
    /// Until when, RFC 3339.
    pub expires: String,
    /// Seconds left.
    pub ttl_secs: u32,
}

/// Body of `RenewToken`.
#[derive(Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RenewTokenRequest {
    /// Lifetime from now in seconds; bounded by the server's maximum since the token was made.
    #[serde(default)]
    #[schema(value_type = Option<i64>, minimum = 0, maximum = 4_294_967_295_i64)]
    pub ttl_secs: Option<u32>,
}

/// Tokens.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct TokenList {
    /// The tokens: one user's by age, everybody's by accessor.
    pub tokens: Vec<TokenInfo>,
    /// Where the next page begins, if there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tls(host: &str) -> String {
        MeantServer::tls(host, &[0xab; 32]).as_str().to_owned()
    }

    #[test]
    fn a_host_means_the_same_server_however_it_is_written() {
        let digest = "ab".repeat(32);
        assert_eq!(tls("Vault.Example"), format!("https vault.example:443 {digest}"));
        assert_eq!(tls("vault.example:443"), tls("vault.example"));
        assert_eq!(tls("[::1]:8200"), format!("https [::1]:8200 {digest}"));
        assert_eq!(tls("[::1]"), format!("https [::1]:443 {digest}"));
        assert_ne!(tls("vault.example:8200"), tls("vault.example"));
        assert_ne!(MeantServer::tls("a", &[0; 32]), MeantServer::tls("a", &[1; 32]));
    }

    /// `vectors/people/authorize-v2.txt`: made from the description in `docs/formats/authorize.md`.
    #[test]
    fn golden_transcripts_are_signed() {
        let mut lines = include_str!("../../../../vectors/people/authorize-v2.txt").lines();
        let mut next = || lines.next().unwrap();
        let hex = |bytes: Vec<u8>| {
            bytes.iter().fold(String::new(), |mut text, byte| {
                let _ = std::fmt::Write::write_fmt(&mut text, format_args!("{byte:02x}"));
                text
            })
        };
        let (key, challenge) = ("00112233445566778899aabbccddeeff", "c0ffee");
        let servers = [MeantServer::tls("Vault.example", &[0x5a; 32]), MeantServer::local(1_000)];
        for server in servers {
            assert_eq!(hex(signed_transcript(key, challenge, &server)), next());
        }
    }
}
