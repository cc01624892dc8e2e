//! Random sequences of requests, beside a model that is a map.
#![cfg(test)]

use proptest::prelude::*;
use std::collections::BTreeMap;
use strongroom_gate::{Denied, Limits};
use strongroom_secrets::SecretsError;
use strongroom_store::MemoryStore;
use strongroom_testkit::{Listing, TestWorld, WorldError, WorldOptions};

#[derive(Debug, Clone)]
enum Step {
    Create(u8),
    Remove(u8),
    Put(u8, u8, u32),
    Cas(u8, u8, u32, u64),
    Get(u8, u8),
    GetVersion(u8, u8, u64),
    Delete(u8, u8),
    List(u8, u8),
    Page(u8, u8, usize),
    Lock,
    Unlock,
    Restart,
}

fn step() -> impl Strategy<Value = Step> {
    let (store, name) = (0..3_u8, 0..5_u8);
    prop_oneof![
        2 => store.clone().prop_map(Step::Create),
        1 => store.clone().prop_map(Step::Remove),
        8 => (store.clone(), name.clone(), any::<u32>()).prop_map(|(s, n, v)| Step::Put(s, n, v)),
        4 => (store.clone(), name.clone(), any::<u32>(), 0..4_u64).prop_map(|(s, n, v, e)| Step::Cas(s, n, v, e)),
        6 => (store.clone(), name.clone()).prop_map(|(s, n)| Step::Get(s, n)),
        3 => (store.clone(), name.clone(), 0..5_u64).prop_map(|(s, n, v)| Step::GetVersion(s, n, v)),
        4 => (store.clone(), name.clone()).prop_map(|(s, n)| Step::Delete(s, n)),
        2 => (store.clone(), 0..3_u8).prop_map(|(s, p)| Step::List(s, p)),
        2 => (store, name, 1..4_usize).prop_map(|(s, a, l)| Step::Page(s, a, l)),
        1 => Just(Step::Lock),
        2 => Just(Step::Unlock),
        1 => Just(Step::Restart),
    ]
}

const NAMES: [&str; 5] = ["a", "a/b", "b", "a/c", "B"];
const PREFIXES: [&str; 3] = ["", "a", "a/"];

/// What an answer comes down to.
#[derive(Debug, PartialEq)]
enum Answer {
    Done,
    Version(u64),
    Value(Option<String>),
    Names(Vec<String>, bool),
    Exists,
    Mismatch(u64),
    NotFound,
    Locked,
}

fn answer<T>(outcome: Result<T, WorldError>, fine: impl FnOnce(T) -> Answer) -> Answer {
    match outcome {
        Ok(value) => fine(value),
        Err(WorldError::Denied(Denied::Locked)) => Answer::Locked,
        Err(WorldError::Denied(Denied::NotFound) | WorldError::Secrets(SecretsError::NotFound)) => {
            Answer::NotFound
        }
        Err(WorldError::Secrets(SecretsError::AlreadyExists)) => Answer::Exists,
        Err(WorldError::Secrets(SecretsError::VersionMismatch { present: Some(present), .. })) => {
            Answer::Mismatch(present)
        }
        Err(fault) => panic!("{fault}"),
    }
}

#[derive(Default)]
struct Model {
    stores: BTreeMap<String, BTreeMap<&'static str, Vec<u32>>>,
    locked: bool,
}

fn store_name(store: u8) -> String {
    format!("store{store}")
}

impl Model {
    fn answer(&mut self, step: &Step) -> Answer {
        if self.locked {
            return Answer::Locked;
        }
        match step {
            Step::Create(store) => match self.stores.insert(store_name(*store), BTreeMap::new()) {
                Some(old) => {
                    self.stores.insert(store_name(*store), old);
                    Answer::Exists
                }
                None => Answer::Done,
            },
            Step::Remove(store) => {
                self.stores.remove(&store_name(*store)).map_or(Answer::NotFound, |_| Answer::Done)
            }
            Step::Put(store, ..)
            | Step::Cas(store, ..)
            | Step::Get(store, _)
            | Step::GetVersion(store, ..)
            | Step::Delete(store, _)
            | Step::List(store, _)
            | Step::Page(store, ..) => match self.stores.get_mut(&store_name(*store)) {
                Some(secrets) => Self::within(secrets, step),
                None => Answer::NotFound,
            },
            Step::Lock | Step::Unlock | Step::Restart => Answer::Done,
        }
    }

    fn within(secrets: &mut BTreeMap<&'static str, Vec<u32>>, step: &Step) -> Answer {
        let present = |name: &u8| secrets.get(NAMES[*name as usize]).cloned().unwrap_or_default();
        match step {
            Step::Put(_, name, value) => {
                secrets.entry(NAMES[*name as usize]).or_default().push(*value);
                Answer::Version(secrets[NAMES[*name as usize]].len() as u64)
            }
            Step::Cas(_, name, value, expected) => {
                let number = present(name).len() as u64;
                if number != *expected {
                    return Answer::Mismatch(number);
                }
                secrets.entry(NAMES[*name as usize]).or_default().push(*value);
                Answer::Version(number + 1)
            }
            Step::Get(_, name) => Answer::Value(present(name).last().map(u32::to_string)),
            Step::GetVersion(_, name, version) => {
                let at = usize::try_from(*version).unwrap().checked_sub(1);
                Answer::Value(at.and_then(|at| present(name).get(at).map(u32::to_string)))
            }
            Step::Delete(_, name) => {
                secrets.remove(NAMES[*name as usize]).map_or(Answer::NotFound, |_| Answer::Done)
            }
            Step::List(_, prefix) => {
                let prefix = PREFIXES[*prefix as usize];
                let names = secrets.keys().filter(|name| name.starts_with(prefix));
                Answer::Names(names.map(|name| (*name).to_owned()).collect(), false)
            }
            Step::Page(_, after, limit) => {
                let after = NAMES[*after as usize];
                let mut names: Vec<String> =
                    secrets.keys().filter(|name| **name > after).map(|name| (*name).to_owned()).collect();
                let more = names.len() > *limit;
                names.truncate(*limit);
                Answer::Names(names, more)
            }
            _ => unreachable!("steps outside a store"),
        }
    }
}

async fn real(world: &TestWorld, step: &Step) -> Answer {
    let name = |name: &u8| NAMES[*name as usize];
    match step {
        Step::Create(store) => answer(world.create_store(&store_name(*store)).await, |_| Answer::Done),
        Step::Remove(store) => answer(world.remove_store(&store_name(*store)).await, |()| Answer::Done),
        Step::Put(store, at, value) => {
            answer(world.put(&store_name(*store), name(at), &value.to_string()).await, Answer::Version)
        }
        Step::Cas(store, at, value, expected) => {
            let (store, json) = (store_name(*store), value.to_string());
            answer(world.cas(&store, name(at), &json, *expected).await, Answer::Version)
        }
        Step::Get(store, at) => answer(world.get(&store_name(*store), name(at)).await, Answer::Value),
        Step::GetVersion(store, at, version) => {
            let found = world.get_bytes(&store_name(*store), name(at), Some(*version)).await;
            answer(found, |found| Answer::Value(found.map(|(_, _, bytes)| String::from_utf8(bytes).unwrap())))
        }
        Step::Delete(store, at) => {
            answer(world.remove(&store_name(*store), name(at)).await, |()| Answer::Done)
        }
        Step::List(store, prefix) => {
            let listing = Listing { prefix: PREFIXES[*prefix as usize], ..Listing::default() };
            answer(world.page(&store_name(*store), listing).await, |page| {
                Answer::Names(page.names.to_vec(), page.more)
            })
        }
        Step::Page(store, after, limit) => {
            let listing = Listing { after: Some(name(after)), limit: *limit, ..Listing::default() };
            answer(world.page(&store_name(*store), listing).await, |page| {
                Answer::Names(page.names.to_vec(), page.more)
            })
        }
        Step::Lock | Step::Unlock | Step::Restart => Answer::Done,
    }
}

async fn play(steps: &[Step], indexed_names: usize) {
    let options = WorldOptions { limits: Limits { indexed_names }, ..WorldOptions::default() };
    let mut world = TestWorld::unlocked_with(MemoryStore::new(strongroom_audit::link), options).await;
    let mut model = Model::default();
    for (at, step) in steps.iter().enumerate() {
        match step {
            Step::Lock if !model.locked => {
                world.lock().await.unwrap();
                model.locked = true;
            }
            Step::Unlock if model.locked => {
                world.unlock().await.unwrap();
                model.locked = false;
            }
            Step::Restart => {
                world = world.reopen();
                model.locked = true;
            }
            Step::Lock | Step::Unlock => {}
            _ => assert_eq!(real(&world, step).await, model.answer(step), "step {at}: {step:?}"),
        }
    }
    if model.locked {
        world.unlock().await.unwrap();
    }
    let stores: Vec<String> = model.stores.keys().cloned().collect();
    assert_eq!(world.stores().await.unwrap(), stores);
    for (store, secrets) in &model.stores {
        assert_eq!(world.read_store(store).await.unwrap().secrets, secrets.len() as u64);
    }
    assert_eq!(world.verify(None).await.unwrap().bad, None);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, ..ProptestConfig::default() })]

    #[test]
    fn answers_are_the_models(steps in prop::collection::vec(step(), 1..60), narrow in any::<bool>()) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(play(&steps, if narrow { 2 } else { 1_000 }));
    }
}
