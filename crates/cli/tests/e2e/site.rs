//! A production server in its own home, set up as the operator's guide says.

use crate::client::Client;
use crate::home::{Done, Home};
use crate::served::{Served, production};
use rustix::process::Signal;
use std::process::Command;

/// A server from a configuration file, and its operator's home.
pub(crate) struct Site {
    pub(crate) home: Home,
    pub(crate) served: Option<Served>,
    config: String,
    /// Unlock keys, once there are any.
    pub(crate) keys: Vec<String>,
}

impl Site {
    /// Not yet initialised; `more` is appended to the configuration, in which `HOME` is the home.
    pub(crate) fn bare(more: &str) -> Self {
        let home = Home::new();
        let more = more.replace("HOME", &home.path().display().to_string());
        let config = production(&home, &more);
        Self::of(home, config)
    }

    /// From a configuration.
    pub(crate) fn of(home: Home, config: String) -> Self {
        let mut site = Self { home, served: None, config, keys: Vec::new() };
        site.start();
        site
    }

    /// Initialised with five keys of which three unlock, unlocked, and logged in with a key of OpenSSL's.
    pub(crate) fn ready(more: &str) -> Self {
        let mut site = Self::bare(more);
        site.init("ed25519", &[]);
        site.unlock();
        site.log_in();
        site
    }

    pub(crate) fn served(&self) -> &Served {
        self.served.as_ref().unwrap()
    }

    /// Starts it, and tells the operator's command line where it is.
    pub(crate) fn start(&mut self) {
        let served = Served::server(&self.home, &self.config);
        let folder = self.home.join(".config/strongroom");
        std::fs::create_dir_all(&folder).unwrap();
        let file = folder.join("config.toml");
        let known = std::fs::read_to_string(&file).unwrap_or_default();
        let kept =
            known.lines().filter(|line| line.starts_with("access_key_id") || line.starts_with("key_file"));
        let kept: Vec<&str> = kept.collect();
        let text = format!(
            "current = \"site\"\n\n[context.site]\naddress = \"{}\"\ncacert = \"{}\"\nsocket = \"{}\"\n{}\n",
            served.address,
            served.authority.display(),
            served.socket.display(),
            kept.join("\n"),
        );
        std::fs::write(&file, text).unwrap();
        self.served = Some(served);
    }

    pub(crate) fn stop(&mut self) {
        let ended = self.served.take().unwrap().stop(Signal::TERM);
        assert_eq!(ended.code(), Some(0));
    }

    pub(crate) fn restart(&mut self) {
        self.stop();
        self.start();
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> Done {
        self.home.run(arguments)
    }

    /// Initialises with a key pair of this algorithm, made by OpenSSL.
    pub(crate) fn init(&mut self, algorithm: &str, more: &[&str]) {
        self.key_pair(algorithm);
        let public = self.home.join("root.pub").display().to_string();
        let mut arguments = vec!["init", "--num-keys", "5", "--threshold", "3", "--public-key", &public];
        arguments.extend(["--yes", "--output", "json"]);
        arguments.extend(more);
        let made = self.run(&arguments).json();
        let keys = made["unlock_keys"].as_array().unwrap();
        self.keys = keys.iter().map(|key| key.as_str().unwrap().to_owned()).collect();
        self.home.file("root.id", made["access_key_id"].as_str().unwrap());
    }

    pub(crate) fn key_pair(&self, algorithm: &str) {
        let private = self.home.join("root.key");
        let mut openssl = Command::new("openssl");
        openssl.args(["genpkey", "-algorithm", algorithm, "-out"]).arg(&private);
        if algorithm == "rsa" {
            openssl.args(["-pkeyopt", "rsa_keygen_bits:2048"]);
        }
        assert!(openssl.output().unwrap().status.success());
        let mut public = Command::new("openssl");
        public.args(["pkey", "-pubout", "-in"]).arg(&private).arg("-out").arg(self.home.join("root.pub"));
        assert!(public.output().unwrap().status.success());
    }

    /// Presents three keys.
    pub(crate) fn unlock(&self) {
        self.unlock_with(&self.keys[..3]).ok();
    }

    pub(crate) fn unlock_with(&self, keys: &[String]) -> Done {
        self.home.feed(&["unlock", "--key-file", "-"], keys.join("\n"))
    }

    pub(crate) fn log_in(&self) {
        let id = std::fs::read_to_string(self.home.join("root.id")).unwrap();
        let key = self.home.join("root.key").display().to_string();
        self.run(&["login", "--access-key-id", &id, "--key", &key]).ok();
    }

    /// The state of the lock.
    pub(crate) fn state(&self) -> String {
        self.run(&["status", "--output", "json"]).json()["state"].as_str().unwrap().to_owned()
    }

    /// A client with the operator's token.
    pub(crate) fn client(&self) -> Client {
        let folder = self.home.join(".local/state/strongroom/tokens");
        let token = std::fs::read_to_string(folder.join("site")).unwrap();
        self.served().client().with_token(token.trim())
    }

    pub(crate) fn put(&self, path: &str, value: &str) {
        self.home.feed(&["secret", "put", "web", path, "--value", "-"], value).ok();
    }

    pub(crate) fn get(&self, path: &str) -> String {
        self.run(&["secret", "get", "web", path, "--raw"]).ok()
    }
}
