//! Reads the language of policies:
//!
//! ```text
//! any    = all *("or" all)
//! all    = term *("and" term)
//! term   = NAME | "(" any ")" | NUMBER "of" "(" any *("," any) ")"
//! ```

use super::{Lint, MAX_DEPTH, MAX_LEAVES, MAX_POLICY_BYTES, Node, PolicyError, normal};
use crate::attribute::{Attribute, is_letter};

/// Reads a text as it stands, without making it canonical.
pub(super) fn parse(text: &str, lints: &mut Vec<Lint>) -> Result<Node, PolicyError> {
    if text.len() > MAX_POLICY_BYTES {
        return Err(PolicyError::TooLong { bytes: text.len() });
    }
    let mut reader = Reader { text, at: 0, depth: 0, leaves: 0, lints };
    let node = reader.any()?;
    match reader.peek() {
        None => Ok(node),
        Some(token) => Err(reader.unexpected(Some(token), "`and`, `or` or the end")),
    }
}

/// A token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Token<'a> {
    Open,
    Close,
    Comma,
    Word(&'a str),
    Foreign(char),
}

struct Reader<'a, 'l> {
    text: &'a str,
    /// Bytes that are read.
    at: usize,
    depth: usize,
    leaves: usize,
    lints: &'l mut Vec<Lint>,
}

impl<'a> Reader<'a, '_> {
    fn any(&mut self) -> Result<Node, PolicyError> {
        self.enter()?;
        let mut terms = vec![self.all()?];
        let mut mixed = None;
        while self.takes_word("or") {
            // the place where the word begins, from 1
            mixed = mixed.or(Some(self.at.saturating_sub(1)));
            terms.push(self.all()?);
        }
        // a term that is a bare `and` was not in parentheses
        if let Some(at) = mixed.filter(|_| terms.iter().any(|term| term.1)) {
            self.lints.push(Lint::Mixed { at });
        }
        self.depth -= 1;
        Ok(gate(1, terms.into_iter().map(|term| term.0).collect()))
    }

    /// The terms of an `and`, and whether there are several.
    fn all(&mut self) -> Result<(Node, bool), PolicyError> {
        let mut terms = vec![self.term()?];
        while self.takes_word("and") {
            terms.push(self.term()?);
        }
        let several = terms.len() > 1;
        Ok((gate(terms.len(), terms), several))
    }

    fn term(&mut self) -> Result<Node, PolicyError> {
        let start = self.skipped();
        match self.take() {
            Some(Token::Open) => {
                let node = self.any()?;
                self.expect(Token::Close, "`)`, `and` or `or`")?;
                Ok(node)
            }
            Some(Token::Word(word)) if is_number(word) => self.threshold(start, word),
            Some(Token::Word(word)) => self.leaf(start, word),
            token => {
                self.at = start;
                Err(self.unexpected(token, "an attribute, a number or `(`"))
            }
        }
    }

    fn leaf(&mut self, start: usize, word: &str) -> Result<Node, PolicyError> {
        self.leaves += 1;
        if self.leaves > MAX_LEAVES {
            return Err(PolicyError::TooManyLeaves { at: start + 1 });
        }
        let attribute = Attribute::new(word);
        attribute.map(Node::Leaf).map_err(|source| PolicyError::Attribute { at: start + 1, source })
    }

    fn threshold(&mut self, start: usize, number: &str) -> Result<Node, PolicyError> {
        if !self.takes_word("of") {
            let token = self.peek();
            return Err(self.unexpected(token, "`of` after a number"));
        }
        self.expect(Token::Open, "`(` after `of`")?;
        let mut terms = vec![self.any()?];
        while self.peek() == Some(Token::Comma) {
            self.take();
            terms.push(self.any()?);
        }
        self.expect(Token::Close, "`,` or `)`")?;
        // a number too long to be one is more than there are
        let (need, of) = (number.parse().unwrap_or(usize::MAX), terms.len());
        if need == 0 || need > of {
            return Err(PolicyError::Threshold { at: start + 1, need, of });
        }
        if need == 1 || need == of {
            self.lints.push(Lint::Threshold { need, of });
        } else {
            terms = Self::distinct(start, terms)?;
        }
        Ok(gate(need, terms))
    }

    /// Terms that are different in their canonical form.
    fn distinct(start: usize, terms: Vec<Node>) -> Result<Vec<Node>, PolicyError> {
        let mut texts = std::collections::BTreeSet::new();
        for term in &terms {
            // what is said of the inner terms is said when all is made canonical
            let text = normal::text(&normal::normalise(term.clone(), &mut Vec::new()));
            if let Some(term) = texts.replace(text) {
                return Err(PolicyError::TwiceUnderThreshold { at: start + 1, term });
            }
        }
        Ok(terms)
    }

    fn enter(&mut self) -> Result<(), PolicyError> {
        self.depth += 1;
        if self.depth > MAX_DEPTH { Err(PolicyError::TooDeep { at: self.at + 1 }) } else { Ok(()) }
    }

    fn expect(&mut self, token: Token<'_>, wanted: &'static str) -> Result<(), PolicyError> {
        let found = self.peek();
        if found != Some(token) {
            return Err(self.unexpected(found, wanted));
        }
        self.take();
        Ok(())
    }

    fn takes_word(&mut self, wanted: &str) -> bool {
        let is_it = matches!(self.peek(), Some(Token::Word(word)) if word.eq_ignore_ascii_case(wanted));
        if is_it {
            self.take();
        }
        is_it
    }

    fn unexpected(&self, found: Option<Token<'_>>, wanted: &'static str) -> PolicyError {
        let found = match found {
            None => "its end".to_owned(),
            Some(Token::Open) => "`(`".to_owned(),
            Some(Token::Close) => "`)`".to_owned(),
            Some(Token::Comma) => "`,`".to_owned(),
            Some(Token::Word(word)) => format!("{:?}", shortened(word)),
            Some(Token::Foreign(letter)) => format!("{letter:?}"),
        };
        PolicyError::Unexpected { at: self.skipped() + 1, found, wanted }
    }

    fn peek(&self) -> Option<Token<'a>> {
        self.next().map(|next| next.0)
    }

    fn take(&mut self) -> Option<Token<'a>> {
        let (token, end) = self.next()?;
        self.at = end;
        Some(token)
    }

    /// Where the next token begins.
    fn skipped(&self) -> usize {
        let rest = self.text.get(self.at..).unwrap_or_default();
        self.text.len() - rest.trim_ascii_start().len()
    }

    fn next(&self) -> Option<(Token<'a>, usize)> {
        let start = self.skipped();
        let rest = self.text.get(start..)?;
        let letter = rest.chars().next()?;
        let one = |token| Some((token, start + letter.len_utf8()));
        match letter {
            '(' => one(Token::Open),
            ')' => one(Token::Close),
            ',' => one(Token::Comma),
            _ if is_letter(letter) => {
                let length = rest.find(|letter| !is_letter(letter)).unwrap_or(rest.len());
                Some((Token::Word(rest.get(..length)?), start + length))
            }
            _ => one(Token::Foreign(letter)),
        }
    }
}

fn gate(need: usize, mut of: Vec<Node>) -> Node {
    if of.len() == 1 { of.swap_remove(0) } else { Node::Gate { need, of } }
}

fn is_number(word: &str) -> bool {
    word.bytes().all(|byte| byte.is_ascii_digit())
}

/// Enough of a word to find it by; words are ASCII.
fn shortened(word: &str) -> &str {
    word.get(..32).unwrap_or(word)
}
