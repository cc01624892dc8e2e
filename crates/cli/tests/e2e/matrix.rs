//! Who may call what: every row of the endpoint table as nobody, as a user without an ACL, as one with, as root, and
//! while the server is locked.

use crate::client::{Answer, Client};
use crate::shared::World;
use serde_json::json;
use strongroom_api::{Access, Endpoint, signed_transcript};
use strongroom_crypto::{PrivateKey, public_key_pem};

/// What every user may ask about themselves.
const OWN: &[Endpoint] = &[
    Endpoint::LookupToken,
    Endpoint::RenewToken,
    Endpoint::Deauth,
    Endpoint::ReadSelf,
    Endpoint::ListOwnAccessKeys,
    Endpoint::AddOwnAccessKey,
    Endpoint::RemoveOwnAccessKey,
    Endpoint::SetOwnPassword,
    Endpoint::ListOwnTokens,
    Endpoint::RevokeOwnToken,
    Endpoint::ExplainSelf,
];

/// A row with nothing in it that exists; ids where ids are asked for.
fn ask(client: &Client, endpoint: Endpoint) -> Answer {
    let id = "11111111-2222-4333-8444-555555555555";
    let part = |part: &str| match part.trim_matches(['{', '}', '*']) {
        same if same == part => part.to_owned(),
        "accessor" | "key" | "job" => id.to_owned(),
        "index" => "200".to_owned(),
        _ => "nothing".to_owned(),
    };
    let path: Vec<_> = endpoint.path().split('/').map(part).collect();
    let query = match endpoint {
        Endpoint::ExplainSelf | Endpoint::Explain | Endpoint::WhoCan => "?action=read&store=nothing",
        _ => "",
    };
    let line = format!("{} /api/v1{}{query}", endpoint.method().as_str(), path.join("/"));
    let body = match endpoint {
        // bodies that get as far as the rules
        Endpoint::CreateUser | Endpoint::CreateGroup | Endpoint::CreateStore | Endpoint::CreateKeyset => {
            json!({ "name": "made" })
        }
        Endpoint::UpdateUser => json!({ "enabled": true }),
        Endpoint::SetPassword | Endpoint::SetOwnPassword => json!({ "password": "short" }),
        Endpoint::PutSecret => json!({ "value": 1 }),
        Endpoint::CreateAcl => {
            json!({ "name": "made", "rule": { "mode": "deny", "access": "d", "covers": "everything" } })
        }
        Endpoint::UpdateAcl => json!({ "rule": { "mode": "deny", "access": "d", "covers": "everything" } }),
        _ => json!({}),
    };
    client.send(&line, &[("content-type", "application/json")], body.to_string())
}

/// A user with a token.
fn user(world: &World, name: &str, seed: u8) -> Client {
    let key = PrivateKey::ed25519_from_seed(&[seed; 32]).unwrap();
    let public_key = public_key_pem(&key.public_key().unwrap());
    let made =
        world.client().post("/users", json!({ "name": name, "public_key": public_key }).to_string()).ok();
    let id = made["access_key_id"].as_str().unwrap();
    let client = world.served.client();
    let challenge = client.post("/auth/challenge", json!({ "access_key_id": id }).to_string()).ok();
    let challenge = challenge["challenge"].as_str().unwrap();
    let signature =
        data_encoding::BASE64.encode(&key.sign(&signed_transcript(id, challenge, &client.meant())).unwrap());
    let body = json!({ "access_key_id": id, "challenge": challenge, "signature": signature });
    let token = client.post("/auth/authorize", body.to_string()).ok();
    client.with_token(token["token"].as_str().unwrap())
}

fn of_tokens() -> impl Iterator<Item = Endpoint> {
    Endpoint::ALL.iter().copied().filter(|endpoint| endpoint.access() == Access::Token)
}

/// The end of the asker's own token, and of everything, come last.
fn is_harmless(endpoint: Endpoint) -> bool {
    !matches!(endpoint, Endpoint::Deauth | Endpoint::Lock)
}

#[test]
fn every_row_asks_the_rules() {
    let world = World::new();
    let nobody = world.served.client();
    for endpoint in of_tokens() {
        ask(&nobody, endpoint).is(401, "unauthenticated");
    }
    let bare = user(&world, "bare", 1);
    for endpoint in of_tokens().filter(|endpoint| is_harmless(*endpoint)) {
        let answer = ask(&bare, endpoint);
        let refused = answer.status == 403;
        // what cannot be understood is told before it is asked whether it may be done
        let malformed = answer.status == 400;
        assert_eq!(
            !refused && !malformed,
            OWN.contains(&endpoint) && !malformed,
            "{endpoint:?} {}",
            answer.text()
        );
        assert!(!malformed || !answer.text().contains("\"done\""), "{endpoint:?}");
    }
    let reader = user(&world, "reader", 2);
    let rule = json!({ "mode": "allow", "access": "r", "covers": "everything" });
    world.client().post("/acls", json!({ "name": "reads", "rule": rule }).to_string()).ok();
    world.client().put("/users/reader/acls/reads", "").ok();
    for endpoint in of_tokens().filter(|endpoint| is_harmless(*endpoint)) {
        let answer = ask(&reader, endpoint);
        let reads = endpoint.method() == strongroom_api::Method::Get;
        if reads {
            assert_ne!(answer.status, 403, "{endpoint:?} {}", answer.text());
        }
        assert!(answer.status != 401, "{endpoint:?}");
    }
    for endpoint in of_tokens().filter(|endpoint| is_harmless(*endpoint)) {
        let answer = ask(&world.client(), endpoint);
        assert!(!matches!(answer.status, 401 | 403), "{endpoint:?} {}", answer.text());
    }
    ask(&bare, Endpoint::Lock).is(403, "refused");
    ask(&world.client(), Endpoint::Lock).ok();
    for endpoint in Endpoint::ALL.iter().copied() {
        let answer = ask(&world.client(), endpoint);
        match endpoint.access() {
            Access::Token => answer.is(503, "locked"),
            Access::Unlocked => assert!(matches!(answer.status, 400 | 503), "{endpoint:?} {}", answer.text()),
            Access::Open | Access::Installer => assert_ne!(answer.status, 500, "{endpoint:?}"),
        }
    }
}
