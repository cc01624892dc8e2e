//! People in force: 100 users, 50 groups and 500 ACLs, all of them upon the one who asks.

use std::path::Path;
use std::process::Command;

use serde::Deserialize;

use crate::local::{Client, Local};
use crate::{Outcome, shell};

/// Users, the one who asks among them.
const USERS: usize = 100;
/// Groups; whoever asks is in every one.
const GROUPS: usize = 50;
/// ACLs in each group.
const ACLS_A_GROUP: usize = 10;

#[derive(Deserialize)]
struct AccessKey {
    access_key_id: String,
}

/// Makes them, and logs the one in who asks. Gives back that person.
pub(super) fn settle(local: &Local) -> Outcome<Client> {
    let root = &local.client;
    for group in 0..GROUPS {
        root.cli(&["group", "create", &group_name(group)])?;
        for acl in 0..ACLS_A_GROUP {
            create_acl(root, group, acl)?;
            root.cli(&["acl", "attach", &acl_name(group, acl), "--group", &group_name(group)])?;
        }
    }
    let key = key_pair(root.home())?;
    for user in 0..USERS {
        let name = format!("user-{user}");
        let made = root.cli(&["user", "create", &name, "--public-key", &key.public, "--output", "json"])?;
        let member_of = if user == 0 { GROUPS } else { 5 };
        for group in 0..member_of {
            root.cli(&["group", "add", &group_name((user + group) % GROUPS), &name])?;
        }
        if user == 0 {
            let id = serde_json::from_str::<AccessKey>(&made)?.access_key_id;
            let person = root.person(&name)?;
            person.cli(&["login", "--access-key-id", &id, "--key", &key.private])?;
            return rest(local, person, &key, user + 1);
        }
    }
    Err("there is nobody to ask".into())
}

fn rest(local: &Local, person: Client, key: &KeyPair, from: usize) -> Outcome<Client> {
    for user in from..USERS {
        let name = format!("user-{user}");
        local.client.cli(&["user", "create", &name, "--public-key", &key.public])?;
        for group in 0..5 {
            local.client.cli(&["group", "add", &group_name((user + group) % GROUPS), &name])?;
        }
    }
    Ok(person)
}

fn group_name(group: usize) -> String {
    format!("team-{group}")
}

fn acl_name(group: usize, acl: usize) -> String {
    format!("team-{group}-{acl}")
}

/// Of each group's ACLs one opens the bench's store, one denies what nobody asks for, one is about commands, and the
/// others are about stores and secrets of the group's own, by patterns.
fn create_acl(root: &Client, group: usize, acl: usize) -> Outcome<()> {
    let name = acl_name(group, acl);
    let own = format!("team-{group}-(web|db|queue)-[0-9]+");
    let secrets = format!("service-{acl}/.*");
    let mut arguments = vec!["acl", "create", &name];
    match acl {
        0 => arguments.extend(["--allow", "--access", "rwmd", "--store", "bench"]),
        1 => arguments.extend(["--deny", "--access", "wmd", "--store", &own, "--secret", "frozen/.*"]),
        2 => arguments.extend([
            "--allow",
            "--access",
            "r",
            "--command",
            "store\\..*",
            "--command",
            "keyset\\.list",
        ]),
        _ => arguments.extend(["--allow", "--access", "rwm", "--store", &own, "--secret", &secrets]),
    }
    root.cli(&arguments).map(drop)
}

struct KeyPair {
    private: String,
    public: String,
}

fn key_pair(home: &Path) -> Outcome<KeyPair> {
    let text = |name: &str| home.join(name).display().to_string();
    let (private, public) = (text("bench-key.pem"), text("bench-key.pub"));
    shell::read(Command::new("openssl").args(["genpkey", "-algorithm", "ed25519", "-out", &private]))?;
    shell::read(Command::new("openssl").args(["pkey", "-in", &private, "-pubout", "-out", &public]))?;
    Ok(KeyPair { private, public })
}
