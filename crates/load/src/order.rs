//! What a load is asked to do.

use std::path::PathBuf;

use crate::Outcome;

const USAGE: &str = "\
usage: strongroom-load fill|check --url URL --cacert FILE --header LINE --method M --path P
       [--body FILE] [--expect TEXT] [--from N] [--count N] [--connections N] [--round N] [--acks FILE] [--progress]
       strongroom-load fill|await --url tls://HOST:PORT --cacert FILE --body FILE [--count N] ...

  {n} in path, body and expected text is a number, {v} a value that follows from it;
  fill writes numbers from N on, round after --round of them, and puts those acknowledged into --acks;
  check reads those in --acks and looks for the expected text in each answer;
  tls:// is the convection protocol: the body is the whole request; await asks once, until it is answered";

/// To write, to check, or to wait for a first answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Task {
    Fill,
    Check,
    Await,
}

/// One load.
#[derive(Debug, Clone)]
pub(crate) struct Order {
    pub(crate) task: Task,
    /// `HOST:PORT`.
    pub(crate) address: String,
    pub(crate) authority: PathBuf,
    /// The convection protocol in place of HTTP.
    pub(crate) convection: bool,
    /// One whole header line.
    pub(crate) header: String,
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) body: String,
    pub(crate) expect: String,
    pub(crate) from: u64,
    pub(crate) count: u64,
    /// Numbers go round after so many; 0: never.
    pub(crate) round: u64,
    pub(crate) connections: u64,
    pub(crate) acks: Option<PathBuf>,
    pub(crate) progress: bool,
}

impl Order {
    pub(crate) fn parse(mut arguments: impl Iterator<Item = String>) -> Outcome<Self> {
        let task = match arguments.next().as_deref() {
            Some("fill") => Task::Fill,
            Some("check") => Task::Check,
            Some("await") => Task::Await,
            _ => return Err(USAGE.into()),
        };
        let mut order = Self::new(task);
        while let Some(flag) = arguments.next() {
            if flag == "--progress" {
                order.progress = true;
            } else {
                let value = arguments.next().ok_or_else(|| format!("{flag} needs a value\n{USAGE}"))?;
                order.set(&flag, value)?;
            }
        }
        Ok(order)
    }

    /// The number that stands in a request: that of its turn, or one that was there before.
    pub(crate) fn turn(&self, number: u64) -> u64 {
        number.checked_rem(self.round).unwrap_or(number)
    }

    fn new(task: Task) -> Self {
        Self {
            task,
            address: String::new(),
            authority: PathBuf::new(),
            convection: false,
            header: String::new(),
            method: if task == Task::Fill { "PUT".into() } else { "GET".into() },
            path: "/".into(),
            body: String::new(),
            expect: String::new(),
            from: 0,
            count: 1,
            round: 0,
            connections: 1,
            acks: None,
            progress: false,
        }
    }

    fn set(&mut self, flag: &str, value: String) -> Outcome<()> {
        match flag {
            "--url" => self.goes_to(&value)?,
            "--cacert" => self.authority = value.into(),
            "--header" => self.header = value,
            "--method" => self.method = value,
            "--path" => self.path = value,
            "--body" => self.body = std::fs::read_to_string(value)?,
            "--expect" => self.expect = value,
            "--from" => self.from = value.parse()?,
            "--count" => self.count = value.parse()?,
            "--round" => self.round = value.parse()?,
            "--connections" => self.connections = value.parse::<u64>()?.clamp(1, 256),
            "--acks" => self.acks = Some(value.into()),
            other => return Err(format!("unknown argument {other}\n{USAGE}").into()),
        }
        Ok(())
    }
}

impl Order {
    fn goes_to(&mut self, url: &str) -> Outcome<()> {
        let (scheme, address) = url.split_once("://").ok_or("no URL")?;
        self.convection = scheme == "tls";
        if !self.convection && scheme != "https" {
            return Err("only https and tls".into());
        }
        address.clone_into(&mut self.address);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Outcome<Order> {
        Order::parse(text.split_whitespace().map(str::to_owned))
    }

    #[test]
    fn an_order_is_read_from_arguments() {
        let order = parse("fill --url https://127.0.0.1:1 --count 5 --progress").unwrap();
        assert_eq!((order.address.as_str(), order.count, order.progress), ("127.0.0.1:1", 5, true));
        assert_eq!(parse("check").unwrap().method, "GET");
        let order = parse("await --url tls://127.0.0.1:2").unwrap();
        assert_eq!((order.address.as_str(), order.convection), ("127.0.0.1:2", true));
        assert_eq!((order.turn(7), Order { round: 5, ..order }.turn(7)), (7, 2));
    }

    #[test]
    fn what_is_not_understood_is_refused() {
        for bad in ["", "drop", "fill --url http://x", "fill --count", "fill --count x", "fill --what 1"] {
            assert!(parse(bad).is_err(), "{bad}");
        }
    }
}
