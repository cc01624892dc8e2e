//! What is asked of the attribute authority.

use crate::config::Config;
use crate::http::{Ask, HttpError, Patience, Server};
use strongroom_secret::SecretBytes;
use strongroom_sharing::SignedText;
use strongroom_sharing::authority::{
    AccessToken, AskTokens, Attributes, Collectors, Login, Me, Proof, PublicKeyOf, RegisterKeys, RightsOf,
    Tokens, WrappedKeys,
};

/// The attribute authority: one method a question.
pub struct Authority(Server);

impl Authority {
    /// The authority that a configuration names.
    pub fn of(config: &Config) -> Result<Self, HttpError> {
        Self::patient(config, Patience::default())
    }

    /// One that no configuration names.
    pub fn at(server: Server) -> Self {
        Self(server)
    }

    /// The same with another patience.
    pub fn patient(config: &Config, patience: Patience) -> Result<Self, HttpError> {
        Server::new(&config.kms, &config.tls, config.basic_auth.as_ref(), patience).map(Self)
    }

    /// The server.
    pub fn server(&self) -> &Server {
        &self.0
    }

    /// `POST /login`.
    pub async fn login(&self, login: &Login) -> Result<AccessToken, HttpError> {
        self.0.ask(Ask::post("/login", login)).await
    }

    /// `POST /token`.
    pub async fn renew(&self, proof: &Proof) -> Result<AccessToken, HttpError> {
        self.0.ask(Ask::post("/token", proof)).await
    }

    /// `GET /user/me`.
    pub async fn me(&self, token: &SecretBytes) -> Result<Me, HttpError> {
        self.0.ask(Ask::get("/user/me").with(token)).await
    }

    /// `POST /user/keys`; the answer bears nothing that is needed.
    pub async fn register_keys(&self, token: &SecretBytes, keys: &RegisterKeys) -> Result<(), HttpError> {
        self.0.bytes(Ask::post("/user/keys", keys).with(token), 1 << 16).await.map(drop)
    }

    /// `GET /get/manifest`.
    pub async fn manifest(&self) -> Result<SignedText, HttpError> {
        self.0.ask(Ask::get("/get/manifest")).await
    }

    /// `GET /get/key/cpabe-pk`.
    pub async fn public_key(&self, token: &SecretBytes) -> Result<PublicKeyOf, HttpError> {
        self.0.ask(Ask::get("/get/key/cpabe-pk").with(token)).await
    }

    /// `POST /get/key/cpabe-sk?epochs=`: keys of these epochs, as far as the member may read them.
    pub async fn member_keys(&self, token: &SecretBytes, epochs: &str) -> Result<WrappedKeys, HttpError> {
        let ask = Ask::post("/get/key/cpabe-sk", &serde_json::json!({})).query(format!("?epochs={epochs}"));
        self.0.ask(ask.with(token).repeatable()).await
    }

    /// `GET /get/key/rights`.
    pub async fn rights(&self, token: &SecretBytes) -> Result<RightsOf, HttpError> {
        self.0.ask(Ask::get("/get/key/rights").with(token)).await
    }

    /// `POST /get/key/index`.
    pub async fn index_keys(&self, token: &SecretBytes) -> Result<WrappedKeys, HttpError> {
        self.0.ask(Ask::post("/get/key/index", &serde_json::json!({})).with(token).repeatable()).await
    }

    /// `POST /get/tokens`.
    pub async fn tokens(&self, token: &SecretBytes, wanted: &AskTokens) -> Result<Tokens, HttpError> {
        self.0.ask(Ask::post("/get/tokens", wanted).with(token).repeatable()).await
    }

    /// `GET /get/attributes`.
    pub async fn attributes(&self, token: &SecretBytes) -> Result<Attributes, HttpError> {
        self.0.ask(Ask::get("/get/attributes").with(token)).await
    }

    /// `GET /get/collectors`.
    pub async fn collectors(&self, token: &SecretBytes) -> Result<Collectors, HttpError> {
        self.0.ask(Ask::get("/get/collectors").with(token)).await
    }

    /// `POST /heads`.
    pub async fn post_head(&self, token: &SecretBytes, head: &SignedText) -> Result<(), HttpError> {
        self.0.bytes(Ask::post("/heads", head).with(token).repeatable(), 1 << 16).await.map(drop)
    }

    /// `GET /heads`.
    pub async fn heads(&self, token: &SecretBytes) -> Result<Vec<SignedText>, HttpError> {
        self.0.ask(Ask::get("/heads").with(token)).await
    }
}
