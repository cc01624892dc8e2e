//! Commands against a real gate and real engines.

mod escalations;
mod keys;
mod people;
mod secrets;
mod stores;

use crate::asked::Asked;
use crate::reply::encode;
use crate::request::Request;
use crate::table::{Command, dispatch};
use crate::{ConvectionDoor, Door, Parts};
use parking_lot::Mutex;
use serde_json::Value;
use std::sync::Arc;
use strongroom_gate::User;
use strongroom_identity::ReadUser;
use strongroom_model::{Caller, Principal, RequestId};
use strongroom_testkit::{TestWorld, name};

/// Ed25519 public keys: nothing here has to sign.
pub(super) const PEMS: [&str; 3] = [
    "-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEA11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=\n-----END PUBLIC KEY-----\n",
    "-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEAPUAXw+hDiVqStwqnTRt+vJyYLM8uxJaMwM1V8Sr0Zgw=\n-----END PUBLIC KEY-----\n",
    "-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEA/FHNjmIYoaONpH7QAjDwWAgW7RO6MwOsXeuRFUiQgCU=\n-----END PUBLIC KEY-----\n",
];

/// The door over a whole world.
pub(super) struct House {
    pub(super) world: TestWorld,
    door: Arc<Door>,
}

impl House {
    pub(super) async fn new() -> Self {
        let world = TestWorld::unlocked().await;
        let door = ConvectionDoor::new(Parts {
            gate: Arc::clone(&world.gate),
            operator: Arc::clone(&world.operator),
            identity: Arc::clone(&world.identity),
            is_install_token: Box::new(|_| false),
            is_paced: Box::new(|_| true),
        });
        Self { world, door: door.0 }
    }

    /// What somebody is answered.
    pub(super) async fn ask(&self, caller: &Caller, text: &str) -> Value {
        let request = Request::split(text.as_bytes()).unwrap();
        let command = Command::find(request.command).unwrap();
        let fields = request.fields().unwrap().unwrap_or_default();
        let caller = Caller {
            request: RequestId(self.world.ambient().uuid_v7()),
            command: strongroom_model::Command::from_name(request.command),
            ..caller.clone()
        };
        let offer = Mutex::new(None);
        let asked = Asked { door: &self.door, caller, fields, offer: &offer };
        serde_json::from_slice(&encode(&dispatch(command, &asked).await)).unwrap()
    }

    /// What root is answered, which has to be a success.
    pub(super) async fn root(&self, text: &str) -> Value {
        let answer = self.ask(&self.world.root_caller().await.unwrap(), text).await;
        assert_eq!(answer["result"]["state"], true, "{text}: {answer}");
        answer
    }

    /// The messages that root is answered, which has to be a failure.
    pub(super) async fn root_fails(&self, text: &str) -> Vec<String> {
        messages(&self.ask(&self.world.root_caller().await.unwrap(), text).await)
    }

    /// Makes a user, and whoever a credential of theirs would establish.
    pub(super) async fn user(&self, user: &str) -> Caller {
        let made = format!(r#"create_user {{"user_name": "{user}", "public_key": {}}}"#, json(PEMS[0]));
        self.root(&made).await;
        let root = self.world.root_caller().await.unwrap();
        let permit = self.world.gate.admit::<ReadUser>(&root, User { name: name(user) }).await.unwrap();
        let held = self.world.identity.read_user(permit).await.unwrap();
        let id = self.world.gate.release(held).await.unwrap().id;
        let partition = root.principal.as_ref().unwrap().partition;
        let principal = Principal { partition, user: id, name: name(user) };
        Caller { principal: Some(Arc::new(principal)), ..self.world.stranger() }
    }

    /// Makes an ACL and gives it to a user: `fields` are what is said of it beside its name.
    pub(super) async fn give(&self, user: &str, acl: &str, fields: &str) {
        self.root(&format!(r#"create_acl {{"acl_name": "{acl}", {fields}}}"#)).await;
        let to = format!(r#""attach_type": "user", "attach_name": "{user}""#);
        self.root(&format!(r#"attach_acl {{"acl_name": "{acl}", {to}}}"#)).await;
    }
}

pub(super) fn json(text: &str) -> String {
    serde_json::to_string(text).unwrap()
}

/// The messages of a failure.
pub(super) fn messages(answer: &Value) -> Vec<String> {
    assert_eq!(answer["result"]["state"], false, "{answer}");
    serde_json::from_value(answer["result"]["messages"].clone()).unwrap()
}

/// The kind of a failure that has one.
pub(super) fn kind(messages: &[String]) -> &str {
    assert_eq!((messages.len(), messages[0].as_str()), (3, "Exception"), "{messages:?}");
    &messages[1]
}

pub(super) fn is_refused(answer: &Value) -> bool {
    messages(answer) == ["Auth Token valid, but ACL denies access to specified resource"]
}
