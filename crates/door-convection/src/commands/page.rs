//! Listings in pieces: what the protocol gives in one answer can be asked for a page at a time, since its client reads
//! no more than the first 1,024 bytes of an answer.

use crate::fault::Fault;
use crate::reply::Reply;
use crate::request::Fields;
use serde_json::Value;

/// Most names in one answer.
const MAX_NAMES: usize = 100_000;

/// Which names are wanted; without any of it, all.
#[derive(Debug)]
pub(crate) struct Paging {
    pub(crate) limit: usize,
    /// They come after this one.
    pub(crate) after: Option<String>,
    /// They begin with this.
    pub(crate) prefix: String,
}

impl Paging {
    pub(crate) fn of(fields: &Fields<'_>) -> Result<Self, Fault> {
        let limit = fields.number("limit")?.map(usize::try_from).transpose();
        let limit = limit.ok().filter(|limit| *limit != Some(0));
        let limit = limit.ok_or_else(|| Fault::value("limit is not a number from 1"))?;
        Ok(Self {
            limit: limit.unwrap_or(MAX_NAMES).min(MAX_NAMES),
            after: fields.optional_text("after")?,
            prefix: fields.optional_text("prefix")?.unwrap_or_default(),
        })
    }

    /// How many to ask an engine for that knows no prefix: some of them may have to be left out.
    pub(crate) fn reach(&self) -> usize {
        if self.prefix.is_empty() { self.limit } else { MAX_NAMES }
    }

    /// Those of sorted names that are wanted, and whether there are more.
    pub(crate) fn pick(&self, names: impl Iterator<Item = String>) -> (Vec<String>, bool) {
        let after = self.after.as_deref();
        let wanted =
            |name: &String| name.starts_with(&self.prefix) && after.is_none_or(|after| name.as_str() > after);
        let mut names: Vec<String> = names.filter(wanted).take(self.limit + 1).collect();
        let more = names.len() > self.limit;
        names.truncate(self.limit);
        (names, more)
    }

    /// An answer of names in a member; with `next`, after which the following page begins, if there are more.
    pub(crate) fn reply(&self, member: &str, names: impl Iterator<Item = String>, more: bool) -> Reply {
        let (names, cut) = self.pick(names);
        let next = names.last().filter(|_| more || cut).cloned();
        let reply = Reply::done().with(member, Value::from(names));
        match next {
            Some(next) => reply.with("next", next),
            None => reply,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn paging(text: &str) -> Result<Paging, Fault> {
        Paging::of(&Fields::parse(text)?)
    }

    #[test]
    fn a_page_goes_on_where_the_one_before_ended() {
        let names = || ["ab", "ac", "ad", "b"].into_iter().map(str::to_owned);
        let pick = |text: &str| paging(text).unwrap().pick(names());
        assert_eq!(pick("{}"), (names().collect(), false));
        assert_eq!(pick(r#"{"limit": 2}"#), (vec!["ab".to_owned(), "ac".to_owned()], true));
        assert_eq!(pick(r#"{"limit": "2", "after": "ac"}"#), (vec!["ad".to_owned(), "b".to_owned()], false));
        assert_eq!(pick(r#"{"limit": 3, "prefix": "a"}"#).0.len(), 3);
        assert!(!pick(r#"{"limit": 3, "prefix": "a"}"#).1);
        for text in [r#"{"limit": 0}"#, r#"{"limit": -1}"#, r#"{"limit": "all"}"#, r#"{"after": 1}"#] {
            assert!(paging(text).is_err(), "{text}");
        }
    }
}
