//! Where records come from. Each input turns what it hears into records and offers them to the [`Intake`]; each is bounded
//! in size, time and connections, and reads no further while what it read is not durable.

mod http;
mod line;
mod listen;
mod misp;
mod reader;
mod stix;
mod stream;
mod syslog;
mod tail;
mod udp;

pub(crate) use line::{Shape, shape};
pub use listen::{ListenError, Listening};

use crate::intake::{Intake, Stop};
use crate::settings::{Input, InputKind};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinSet;

/// How long senders have to finish once the collector ends.
const GRACE: Duration = Duration::from_millis(if cfg!(test) { 500 } else { 5_000 });

/// What every input needs.
#[derive(Clone)]
pub(crate) struct Place {
    pub(crate) intake: Intake,
    pub(crate) stop: Stop,
    /// For people and logs, and what positions are kept under.
    pub(crate) name: Arc<str>,
}

/// The inputs that run.
pub struct Inputs {
    tasks: JoinSet<()>,
    addresses: Vec<(String, SocketAddr)>,
}

impl Inputs {
    /// Binds every listener, then starts all. Must be called within a runtime.
    pub fn start(inputs: &[Input], intake: &Intake, stop: &Stop) -> Result<Self, ListenError> {
        let mut bound = Vec::new();
        for input in inputs {
            let listening = input.address().map(|address| Listening::bind(address, input)).transpose()?;
            bound.push((input, listening));
        }
        let mut all = Self { tasks: JoinSet::new(), addresses: Vec::new() };
        for (input, listening) in bound {
            let place = Place { intake: intake.clone(), stop: stop.clone(), name: name(input).into() };
            if let Some(listening) = &listening {
                all.addresses.push((kind(&input.kind).to_owned(), listening.address()));
            }
            all.spawn(&input.kind, listening, place);
        }
        Ok(all)
    }

    fn spawn(&mut self, kind: &InputKind, listening: Option<Listening>, place: Place) {
        let tasks = &mut self.tasks;
        match (kind, listening) {
            (InputKind::Tcp(_), Some(listening)) => {
                tasks.spawn(listening.streams(place, stream::objects));
            }
            (InputKind::SyslogTcp(_), Some(listening)) => {
                tasks.spawn(listening.streams(place, syslog::stream));
            }
            (InputKind::Http(_), Some(listening)) => {
                tasks.spawn(listening.streams(place, http::serve));
            }
            (InputKind::SyslogUdp(_), Some(listening)) => {
                tasks.spawn(udp::listen(listening, place));
            }
            (InputKind::File { path, format }, _) => {
                tasks.spawn(tail::follow(path.clone(), *format, place));
            }
            (InputKind::Stdin(format), _) => {
                tasks.spawn(reader::standard_input(*format, place));
            }
            _ => {}
        }
    }

    /// What listens where.
    pub fn addresses(&self) -> &[(String, SocketAddr)] {
        &self.addresses
    }

    /// Waits until every input has ended: by itself, as standard input does, or because the collector ends.
    pub async fn ended(&mut self) {
        while let Some(ended) = self.tasks.join_next().await {
            if ended.is_err() {
                tracing::error!("an input has failed");
            }
        }
    }
}

fn kind(kind: &InputKind) -> &'static str {
    match kind {
        InputKind::Tcp(_) => "tcp",
        InputKind::Http(_) => "http",
        InputKind::SyslogTcp(_) => "syslog over tcp",
        InputKind::SyslogUdp(_) => "syslog over udp",
        InputKind::File { .. } => "file",
        InputKind::Stdin(_) => "standard input",
    }
}

/// What an input is called.
fn name(input: &Input) -> String {
    match &input.kind {
        InputKind::File { path, .. } => format!("file {}", path.display()),
        other => match input.address() {
            Some(address) => format!("{} {address}", kind(other)),
            None => kind(other).to_owned(),
        },
    }
}

#[cfg(test)]
pub(crate) mod tests;
