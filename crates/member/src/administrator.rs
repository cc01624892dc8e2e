//! What an administrator of the sharing system asks of the attribute authority.

use crate::http::{Ask, HttpError, Server};
use strongroom_secret::SecretBytes;
use strongroom_sharing::SignedText;
use strongroom_sharing::authority::{
    Attributes, ChangeAttributes, ChangeEpochs, ChangePassword, Collectors, CreateRight, CreateUser, Created,
    Group, Me, NamedGroup, NamedUser,
};

/// The largest answer that bears nothing which is needed.
const MAX_WORD_BYTES: usize = 1 << 16;

/// The attribute authority, as an administrator asks it.
pub struct Administrator {
    server: Server,
    token: SecretBytes,
}

/// What is done to a member that needs nothing but its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Measure {
    /// It is suspended.
    Suspend,
    /// It goes on.
    Resume,
    /// It is removed.
    Delete,
    /// What it holds opens nothing that comes.
    Rekey,
}

impl Measure {
    fn path(self) -> &'static str {
        match self {
            Self::Suspend => "/user/suspend",
            Self::Resume => "/user/resume",
            Self::Delete => "/user/delete",
            Self::Rekey => "/user/rekey",
        }
    }
}

impl Administrator {
    /// The bearer of an administrator's token.
    pub fn new(server: Server, token: SecretBytes) -> Self {
        Self { server, token }
    }

    async fn done(&self, path: &'static str, body: &impl serde::Serialize) -> Result<(), HttpError> {
        self.server.bytes(Ask::post(path, body).with(&self.token), MAX_WORD_BYTES).await.map(drop)
    }

    /// `POST /user/create`.
    pub async fn create(&self, user: &CreateUser) -> Result<Created, HttpError> {
        self.server.ask(Ask::post("/user/create", user).with(&self.token)).await
    }

    /// `POST /user/suspend`, `/user/resume`, `/user/delete`, `/user/rekey`.
    pub async fn measure(&self, measure: Measure, username: &str) -> Result<(), HttpError> {
        self.done(measure.path(), &NamedUser { username: username.to_owned() }).await
    }

    /// `POST /user/attributes`.
    pub async fn set_attributes(&self, change: &ChangeAttributes) -> Result<(), HttpError> {
        self.done("/user/attributes", change).await
    }

    /// `POST /user/epochs`.
    pub async fn set_epochs(&self, change: &ChangeEpochs) -> Result<(), HttpError> {
        self.done("/user/epochs", change).await
    }

    /// `POST /user/password`.
    pub async fn set_password(&self, change: &ChangePassword) -> Result<(), HttpError> {
        self.done("/user/password", change).await
    }

    /// `POST /right/create`.
    pub async fn create_right(&self, right: &CreateRight) -> Result<(), HttpError> {
        self.done("/right/create", right).await
    }

    /// `POST /group/create`.
    pub async fn create_group(&self, group: &Group) -> Result<(), HttpError> {
        self.done("/group/create", group).await
    }

    /// `POST /group/change`.
    pub async fn change_group(&self, group: &Group) -> Result<(), HttpError> {
        self.done("/group/change", group).await
    }

    /// `POST /group/delete`.
    pub async fn delete_group(&self, name: &str) -> Result<(), HttpError> {
        self.done("/group/delete", &NamedGroup { name: name.to_owned() }).await
    }

    /// `GET /get/groups`.
    pub async fn groups(&self) -> Result<Vec<Group>, HttpError> {
        self.server.ask(Ask::get("/get/groups").with(&self.token)).await
    }

    /// `GET /user/me`.
    pub async fn me(&self) -> Result<Me, HttpError> {
        self.server.ask(Ask::get("/user/me").with(&self.token)).await
    }

    /// `GET /get/attributes`.
    pub async fn attributes(&self) -> Result<Attributes, HttpError> {
        self.server.ask(Ask::get("/get/attributes").with(&self.token)).await
    }

    /// `GET /get/collectors`.
    pub async fn collectors(&self) -> Result<Collectors, HttpError> {
        self.server.ask(Ask::get("/get/collectors").with(&self.token)).await
    }

    /// `GET /get/manifest`.
    pub async fn manifest(&self) -> Result<SignedText, HttpError> {
        self.server.ask(Ask::get("/get/manifest")).await
    }
}

impl std::fmt::Debug for Administrator {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Administrator")
    }
}
