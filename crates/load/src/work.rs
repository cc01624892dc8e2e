//! The work, shared by threads with a connection each.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use rustls::ClientConfig;

use crate::Outcome;
use crate::convection;
use crate::http::{self, Answer};
use crate::order::{Order, Task};
use crate::value::fill;

/// How often progress is told.
const TELL: Duration = Duration::from_secs(1);
/// How long a first answer may take.
const PATIENCE: Duration = Duration::from_mins(1);
/// How soon it is asked for again.
const AGAIN: Duration = Duration::from_millis(1);

/// What the threads share.
struct Bench<'a> {
    order: &'a Order,
    trust: Arc<ClientConfig>,
    left: Mutex<VecDeque<u64>>,
    done: Mutex<Vec<u64>>,
    finished: AtomicU64,
    wrong: Mutex<Vec<String>>,
    /// The first trouble ends the load for all.
    stopped: AtomicBool,
}

/// A connection of either protocol.
enum Wire {
    Http(http::Connection),
    Convection(convection::Connection),
}

impl Wire {
    fn open(trust: &Arc<ClientConfig>, order: &Order) -> Outcome<Self> {
        Ok(if order.convection {
            Self::Convection(convection::Connection::open(trust, &order.address)?)
        } else {
            Self::Http(http::Connection::open(trust, &order.address, &order.header)?)
        })
    }

    fn ask(&mut self, method: &str, path: &str, body: &str) -> std::io::Result<Answer> {
        match self {
            Self::Http(connection) => connection.ask(method, path, body),
            Self::Convection(connection) => connection.ask(body),
        }
    }
}

/// Does what was ordered, and tells what came of it in one line.
pub(crate) fn run(order: &Order) -> Outcome<()> {
    if order.task == Task::Await {
        return first_answer(order);
    }
    let numbers = numbers(order)?;
    let total = numbers.len();
    let bench = Bench {
        order,
        trust: http::trust(&order.authority)?,
        left: Mutex::new(numbers),
        done: Mutex::default(),
        finished: AtomicU64::new(0),
        wrong: Mutex::default(),
        stopped: AtomicBool::new(false),
    };
    let began = now();
    std::thread::scope(|scope| {
        let workers: Vec<_> = (0..order.connections).map(|_| scope.spawn(|| bench.work())).collect();
        bench.tell(total, || workers.iter().all(std::thread::ScopedJoinHandle::is_finished));
    });
    bench.finish(began.elapsed())
}

/// Asks until there is an answer: a server that is only starting refuses connections.
fn first_answer(order: &Order) -> Outcome<()> {
    let until = now() + PATIENCE;
    loop {
        let trust = http::trust(&order.authority);
        let asked = trust
            .and_then(|trust| Wire::open(&trust, order))
            .and_then(|mut wire| Ok(wire.ask(&order.method, &order.path, &order.body)?));
        match asked {
            Ok(answer) if answer.status < 300 => return Ok(()),
            _ if now() < until => std::thread::sleep(AGAIN),
            Ok(answer) => return Err(format!("the first answer is {}", answer.status).into()),
            Err(error) => return Err(error),
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "a tool that runs for people, in real time")]
fn now() -> Instant {
    Instant::now()
}

fn numbers(order: &Order) -> Outcome<VecDeque<u64>> {
    match (&order.acks, order.task) {
        (Some(path), Task::Check) => {
            std::fs::read_to_string(path)?.lines().map(|line| Ok(line.parse()?)).collect()
        }
        _ => Ok((order.from..order.from + order.count).collect()),
    }
}

/// A thread that panicked while it held a list has not broken the list.
fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Bench<'_> {
    fn work(&self) {
        if let Err(error) = self.try_work() {
            self.stopped.store(true, Ordering::Relaxed);
            lock(&self.wrong).push(error.to_string());
        }
    }

    fn try_work(&self) -> Outcome<()> {
        let order = self.order;
        let mut wire = Wire::open(&self.trust, order)?;
        while !self.stopped.load(Ordering::Relaxed) {
            let Some(number) = lock(&self.left).pop_front() else { break };
            let turn = order.turn(number);
            let (path, body) = (fill(&order.path, turn), fill(&order.body, turn));
            let answer = wire.ask(&order.method, &path, &body)?;
            if answer.status >= 300 {
                return Err(
                    format!("{path}: {} {}", answer.status, String::from_utf8_lossy(&answer.body)).into()
                );
            }
            if !self.is_expected(turn, &answer.body) {
                return Err(format!("{path}: another value than was acknowledged").into());
            }
            lock(&self.done).push(number);
            self.finished.fetch_add(1, Ordering::Relaxed);
        }
        Ok(())
    }

    fn is_expected(&self, number: u64, body: &[u8]) -> bool {
        let expected = fill(&self.order.expect, number);
        expected.is_empty() || String::from_utf8_lossy(body).contains(&expected)
    }

    /// Tells progress, until there is no more.
    fn tell(&self, total: usize, is_over: impl Fn() -> bool) {
        let mut told = now();
        while !is_over() {
            std::thread::sleep(Duration::from_millis(5));
            if self.order.progress && told.elapsed() >= TELL {
                told = now();
                println!("  {} of {total}", self.finished.load(Ordering::Relaxed));
            }
        }
    }

    /// One line: how many, in what time. A fill that a server's death ended has told its acknowledgements: that is
    /// what the caller wants to know; a check that is not whole has failed.
    fn finish(self, took: Duration) -> Outcome<()> {
        let mut done = self.done.into_inner().unwrap_or_else(PoisonError::into_inner);
        let wrong = self.wrong.into_inner().unwrap_or_else(PoisonError::into_inner);
        done.sort_unstable();
        if let (Some(path), Task::Fill) = (&self.order.acks, self.order.task) {
            let lines: Vec<String> = done.iter().map(u64::to_string).collect();
            std::fs::write(path, lines.join("\n"))?;
        }
        println!(
            "DONE {{\"done\":{},\"micros\":{},\"trouble\":{}}}",
            done.len(),
            took.as_micros(),
            wrong.len()
        );
        match wrong.first() {
            Some(error) => Err(error.clone().into()),
            None => Ok(()),
        }
    }
}
