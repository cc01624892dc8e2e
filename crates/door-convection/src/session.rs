//! What one connection says and hears, whatever carries it: requests in turn, and between the two steps of
//! `authorize` what the second is about.

use crate::Door;
use crate::asked::Asked;
use crate::fault::Fault;
use crate::reply::{Answered, Reply, encode};
use crate::request::{Fields, Request};
use crate::scan::CLOSE;
use crate::table::{Command, Needs, dispatch};
use futures_util::FutureExt as _;
use parking_lot::Mutex;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use strongroom_gate::{Denied, People};
use strongroom_identity::{Authorize, Offer};
use strongroom_model::{Caller, Origin, RequestId};
use zeroize::Zeroizing;

/// Of a command that is none, so much is told back.
const MAX_TOLD_CHARS: usize = 64;

/// One connection's side of the conversation.
pub struct Session {
    door: Arc<Door>,
    origin: Origin,
    offer: Arc<Mutex<Option<Offer>>>,
}

impl Session {
    pub(crate) fn new(door: Arc<Door>, origin: Origin) -> Self {
        Self { door, origin, offer: Arc::default() }
    }

    /// Whether the digits of a token are awaited, and no command.
    pub fn awaits_proof(&self) -> bool {
        self.offer.lock().is_some()
    }

    /// Answers a request; what is empty or says farewell has no answer. The text is wiped when it was answered.
    pub async fn answer(&self, text: Zeroizing<Vec<u8>>) -> Option<Zeroizing<Vec<u8>>> {
        let offer = self.offer.lock().take();
        if let Some(offer) = offer {
            return Some(self.settle(text, offer).await);
        }
        if text.is_empty() || text.as_slice() == CLOSE {
            return None;
        }
        let (door, origin, slot) = (Arc::clone(&self.door), self.origin, Arc::clone(&self.offer));
        let reading = named(&text).is_some_and(Command::is_reading);
        let answering = async move { door.answer(origin, &text, &slot).await };
        let caught = AssertUnwindSafe(answering).catch_unwind();
        let answered = if reading {
            caught.await.ok()
        } else {
            // admitted work runs where a client's hanging up cannot cancel it
            tokio::spawn(caught).await.ok().and_then(Result::ok)
        };
        Some(answered.unwrap_or_else(|| encode(&Err(Fault::internal("a command panicked")))))
    }

    /// What is said of something that is no request.
    pub(crate) fn refuse(&self, fault: Fault) -> Zeroizing<Vec<u8>> {
        self.door.meters.count(None, false, std::time::Duration::ZERO);
        encode(&Err(fault))
    }

    /// The same of something that begins with a word: a place that may not ask for it is told only that.
    pub(crate) async fn refuse_at(&self, word: &str, fault: Fault) -> Zeroizing<Vec<u8>> {
        if word.is_empty() || self.awaits_proof() {
            return self.refuse(fault);
        }
        let caller = Caller::anonymous(self.origin, RequestId(self.door.gate.ambient().uuid_v7()));
        let passed = self.door.pass_network(&caller, word).await;
        self.refuse(passed.err().unwrap_or(fault))
    }

    /// The second step of `authorize`.
    async fn settle(&self, shown: Zeroizing<Vec<u8>>, offer: Offer) -> Zeroizing<Vec<u8>> {
        let (door, caller) = (Arc::clone(&self.door), self.caller());
        let settling = async move {
            let what = People { what: offer.key_text().to_owned() };
            let permit = door.gate.admit::<Authorize>(&caller, what).await?;
            door.identity.take_up(permit, offer, &shown).await?;
            Ok::<Reply, Fault>(Reply::saying("Authorized"))
        };
        let began = self.door.gate.ambient().clock.monotonic();
        let settled = tokio::spawn(settling).await;
        let panicked = || Fault::internal("the second step of authorize panicked");
        let settled = settled.unwrap_or_else(|_| Err(panicked()));
        let took = self.door.gate.ambient().clock.monotonic().saturating_sub(began);
        self.door.meters.count(Some(Command::Authorize), settled.is_ok(), took);
        encode(&settled)
    }

    fn caller(&self) -> Caller {
        let request = RequestId(self.door.gate.ambient().uuid_v7());
        let command = Some(strongroom_model::Command::Authorize);
        Caller { command, ..Caller::anonymous(self.origin, request) }
    }

    /// The connection has ended: of an `authorize` that was left half done there is word.
    pub async fn end(self) {
        let offer = self.offer.lock().take();
        if let Some(offer) = offer
            && let Err(fault) = self.door.identity.give_up(&self.caller(), offer).await
        {
            tracing::debug!(%fault, "no entry of an authorize that was left half done");
        }
    }
}

impl std::fmt::Debug for Session {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Session({})", self.origin)
    }
}

/// The command that a text begins with.
fn named(text: &[u8]) -> Option<Command> {
    let name = text.split(|byte| *byte == b' ').next()?;
    std::str::from_utf8(name).ok().and_then(Command::find)
}

impl Door {
    async fn answer(&self, origin: Origin, text: &[u8], offer: &Mutex<Option<Offer>>) -> Zeroizing<Vec<u8>> {
        let began = self.gate.ambient().clock.monotonic();
        let command = named(text);
        let answered = self.carry_out(origin, text, offer).await;
        let took = self.gate.ambient().clock.monotonic().saturating_sub(began);
        self.meters.count(command, answered.is_ok(), took);
        encode(&answered)
    }

    async fn carry_out(&self, origin: Origin, text: &[u8], offer: &Mutex<Option<Offer>>) -> Answered {
        let request = Request::split(text)?;
        let mut caller = Caller::anonymous(origin, RequestId(self.gate.ambient().uuid_v7()));
        self.pass_network(&caller, request.command).await?;
        let Some(command) = Command::find(request.command) else { return Err(unknown(request.command)) };
        caller.command = strongroom_model::Command::from_name(command.name());
        let fields = request.fields()?;
        let fields = match (fields, command.needs()) {
            (Some(fields), _) => fields,
            (None, Needs::Nothing | Needs::Perhaps) => Fields::default(),
            (None, Needs::Data) => return Err(Fault::said("Error: Empty Request Data")),
            (None, Needs::Token) => return Err(Fault::no_data()),
        };
        let mut asked = Asked { door: self, caller, fields, offer };
        let shown = asked.raw("auth_token").is_some();
        if command.needs() == Needs::Token || (command.needs() == Needs::Perhaps && shown) {
            asked.authenticate(command).await?;
        }
        dispatch(command, &asked).await
    }

    /// The network's rules come before all else, even before the data is looked at and a word is known to be a command.
    async fn pass_network(&self, caller: &Caller, word: &str) -> Result<(), Fault> {
        match self.gate.admit_command(caller, word).await {
            Err(Denied::Refused { .. }) => {
                let address = caller.origin.address().map(|address| address.to_string()).unwrap_or_default();
                let told = format!("{address} is not allowed to access {}", told(word));
                Err(Fault(vec!["Permission Denied".to_owned(), told]))
            }
            passed => Ok(passed?),
        }
    }
}

/// So much of a word as is told back.
fn told(word: &str) -> String {
    word.chars().take(MAX_TOLD_CHARS).collect()
}

fn unknown(name: &str) -> Fault {
    Fault(vec!["Invalid Command".to_owned(), format!("No Such command: '{}'", told(name))])
}
