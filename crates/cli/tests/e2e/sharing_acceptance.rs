//! The sharing system as a whole, on generated records: `cargo xtask acceptance` in small.

use crate::home::{Home, STRONGROOM};
use std::time::Duration;
use strongroom_acceptance::{Plan, run};

#[test]
fn three_readers_see_what_policies_say_and_the_exchange_nothing() {
    let home = Home::new();
    let plan = Plan {
        binary: STRONGROOM.into(),
        home: home.join("sharing"),
        records: 20_000,
        seed: 20_261_122,
        kills: 6,
        most_found: 400,
        limit: Duration::from_mins(30),
        only_collects: false,
        data: None,
    };
    run(&plan).unwrap_or_else(|fault| panic!("{fault}"));
}
