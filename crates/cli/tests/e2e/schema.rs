//! Thousands of requests made from the server's own description, by schemathesis.

use crate::shared::World;
use std::path::Path;
use std::process::Command;

/// What ends the session, or would make the server's state another for what follows.
const NOT_ASKED: [&str; 6] =
    ["Lock", "Deauth", "RotateRoot", "RevokeToken", "RevokeTokens", "RevokeOwnToken"];

#[test]
fn the_server_keeps_what_its_description_promises() {
    let tool = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/venv/bin/schemathesis");
    if !tool.is_file() {
        println!("SKIPPED: schemathesis is missing: the API is not compared with its description");
        return;
    }
    let world = World::new();
    let client = world.client();
    let mut command = Command::new(tool);
    command.arg("run").arg(format!("{}/api/v1/openapi.json", world.served.address));
    command.arg("--tls-verify").arg(&world.served.authority).current_dir(world.home.path());
    // in this case: the check of refused strangers takes the header away by its name
    command.arg("-H").arg(format!("Authorization: Bearer {}", client.token()));
    // a schema cannot say what makes a good name, key or proof, so that not all that fits it is accepted
    command.args(["--exclude-checks", "positive_data_acceptance", "--no-color", "--continue-on-failure"]);
    command.args(["--max-examples", "15", "--seed", "1"]);
    for operation in NOT_ASKED {
        command.args(["--exclude-operation-id", operation]);
    }
    let done = command.output().unwrap();
    let said = String::from_utf8_lossy(&done.stdout);
    assert!(done.status.success(), "{said}{}", String::from_utf8_lossy(&done.stderr));
    let cases = said.lines().find(|line| line.contains(" generated, ")).unwrap_or_default();
    println!("schemathesis: {}", cases.trim());
    assert_eq!(client.health().status, 200);
    assert_eq!(world.home.run(&["audit", "verify", "--output", "json"]).json()["ok"], true);
}
