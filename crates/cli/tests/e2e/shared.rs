//! One newcomer's server for all tests that leave it as it was, and a store of its own for each of them.

use crate::client::Client;
use crate::home::Home;
use crate::served::Served;
use serde_json::json;
use std::sync::{Arc, Mutex, PoisonError, Weak};

/// A newcomer's server and who runs it.
pub(crate) struct World {
    pub(crate) served: Served,
    pub(crate) home: Home,
}

impl World {
    /// A new one.
    pub(crate) fn new() -> Self {
        let home = Home::new();
        Self { served: Served::dev(&home), home }
    }

    /// The one that others use at this moment too; it ends with its last user.
    pub(crate) fn shared() -> Arc<Self> {
        static PRESENT: Mutex<Weak<World>> = Mutex::new(Weak::new());
        let mut present = PRESENT.lock().unwrap_or_else(PoisonError::into_inner);
        present.upgrade().unwrap_or_else(|| {
            let world = Arc::new(Self::new());
            *present = Arc::downgrade(&world);
            world
        })
    }

    /// A client with root's token.
    pub(crate) fn client(&self) -> Client {
        let token = std::fs::read_to_string(self.home.join(".local/state/strongroom/tokens/dev")).unwrap();
        self.served.client().with_token(token.trim())
    }

    /// A store of one's own, with a secret that must survive whatever comes.
    pub(crate) fn store(&self, name: &'static str) -> Guarded {
        let guarded = Guarded { client: self.client(), name };
        guarded.client.post("/stores", json!({ "name": name }).to_string()).ok();
        guarded.put("keep", r#"{"value":"kept"}"#).ok();
        guarded
    }
}

/// A store that is watched.
pub(crate) struct Guarded {
    pub(crate) client: Client,
    name: &'static str,
}

impl Guarded {
    /// The same store, seen on a server that was started again.
    pub(crate) fn on(&self, world: &World) -> Self {
        Self { client: world.client(), name: self.name }
    }

    /// The path of a secret, as it is written.
    pub(crate) fn path(&self, secret: &str) -> String {
        format!("/stores/{}/secrets/{secret}", self.name)
    }

    pub(crate) fn put(&self, secret: &str, body: impl AsRef<[u8]>) -> crate::client::Answer {
        self.client.put(&self.path(secret), body)
    }

    pub(crate) fn get(&self, secret: &str) -> crate::client::Answer {
        self.client.get(&self.path(secret))
    }

    /// Puts bytes as they are.
    pub(crate) fn put_bytes(&self, secret: &str, bytes: &[u8]) -> crate::client::Answer {
        let line = format!("PUT /api/v1{}", self.path(secret));
        self.client.send(&line, &[("content-type", "application/octet-stream")], bytes)
    }

    /// All paths.
    pub(crate) fn names(&self) -> Vec<String> {
        let page = self.client.get(&format!("/stores/{}/secrets", self.name)).ok();
        let secrets = page["secrets"].as_array().unwrap();
        secrets.iter().map(|secret| secret["path"].as_str().unwrap().to_owned()).collect()
    }

    /// Asserts that the server is up, and that the store is as it was made, but for these further names.
    #[track_caller]
    pub(crate) fn unharmed(&self, further: &[&str]) {
        let health = self.client.health();
        assert_eq!((health.status, &health.json()["status"]), (200, &json!("ok")));
        let kept = self.get("keep").ok();
        assert_eq!((&kept["value"], &kept["version"]), (&json!("kept"), &json!(1)));
        let mut expected: Vec<&str> = [&["keep"], further].concat();
        expected.sort_unstable();
        assert_eq!(self.names(), expected);
    }
}
