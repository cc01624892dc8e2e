//! What a decision costs with many ACLs in force: `cargo run --release -p strongroom-authz --example rate`.

use std::hint::black_box;
use std::sync::Arc;
use strongroom_authz::{Acl, Covers, List, Mode, Policy, PolicyBuilder, Question, RuleSet, Source, Target};
use strongroom_model::{
    Access, AclId, Action, Caller, Name, Origin, PartitionId, Principal, RequestId, UserId,
};

const USER: UserId = UserId([2; 16]);
const DECISIONS: u32 = 200_000;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    for (kind, secret) in [
        ("literals", "app-{}/key"),
        ("prefixes", "app-{}/.*"),
        ("automata", "glob:app-{}/*/key"),
        ("regexes", "app-{}/[a-z]+[0-9]{2,4}"),
    ] {
        for count in [0_u16, 10, 500] {
            report(kind, count, &policy(count, secret)?)?;
        }
    }
    Ok(())
}

/// A policy in which one user has so many ACLs, all of one store.
fn policy(count: u16, secret: &str) -> Result<Policy, Box<dyn std::error::Error>> {
    let mut builder = PolicyBuilder::new(RuleSet::built_in(0), Vec::new());
    let mut ids = Vec::new();
    for at in 0..count {
        let covers = Covers::Stores {
            stores: Acl::patterns(List::Stores, ["web|db"])?,
            secrets: Acl::patterns(List::Secrets, [secret.replace("{}", &at.to_string()).as_str()])?,
        };
        let mode = if at % 10 == 0 { Mode::Deny } else { Mode::Allow };
        let mut id = [0; 16];
        id[..2].copy_from_slice(&at.to_be_bytes());
        builder.acl(AclId(id), Acl::new(Name::new(&format!("acl-{at}"))?, mode, Access::READ, covers)?);
        ids.push((AclId(id), Source::Direct));
    }
    builder.user(USER, Name::new("ann")?, ids);
    Ok(builder.build()?)
}

#[expect(clippy::disallowed_methods, clippy::print_stdout, reason = "a stopwatch for people")]
fn report(kind: &str, count: u16, policy: &Policy) -> Result<(), Box<dyn std::error::Error>> {
    let principal = Principal { partition: PartitionId::default(), user: USER, name: Name::new("ann")? };
    let caller = Caller {
        principal: Some(Arc::new(principal)),
        ..Caller::anonymous(Origin::Local { uid: 1 }, RequestId::default())
    };
    let paths: Vec<String> = (0..1_000).map(|at| format!("app-{}/key", at % 600)).collect();
    let ask = |path: &str| {
        let target = Target::Secret { store: "web", path };
        policy
            .decide(&Question { caller: &caller, action: Action::GetSecret, access: Access::READ, target })
            .allowed
    };
    let first = std::time::Instant::now();
    black_box(ask("app-1/key"));
    let first = first.elapsed();
    let begun = std::time::Instant::now();
    let mut allowed = 0_u32;
    for path in paths.iter().cycle().take(DECISIONS.try_into()?) {
        allowed += u32::from(black_box(ask(path)));
    }
    let each = begun.elapsed() / DECISIONS;
    println!(
        "{count:>4} ACLs of {kind:<9} {each:>10.1?} a decision, the first {first:>10.1?}, {allowed} allowed"
    );
    Ok(())
}
