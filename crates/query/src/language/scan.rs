//! Words, quoted strings and signs, with their places.

use super::error::{LanguageError, Problem};

/// A piece of a query.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Piece {
    /// A word as it stands; it may be a keyword.
    Word(String),
    /// A quoted string; never a keyword.
    Quoted(String),
    /// `=`
    Is,
    /// `!=`
    IsNot,
    /// `(`
    Open,
    /// `)`
    Close,
}

/// A piece and where it begins: characters from 1.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Placed {
    pub(crate) piece: Piece,
    pub(crate) column: usize,
}

impl Piece {
    /// For an error.
    pub(crate) fn shown(&self) -> String {
        match self {
            Self::Word(word) => cut(word),
            Self::Quoted(text) => format!("\"{}\"", cut(text)),
            Self::Is => "=".to_owned(),
            Self::IsNot => "!=".to_owned(),
            Self::Open => "(".to_owned(),
            Self::Close => ")".to_owned(),
        }
    }

    /// Whether it is this keyword, in small letters or capitals.
    pub(crate) fn is(&self, keyword: &str) -> bool {
        matches!(self, Self::Word(word) if word.eq_ignore_ascii_case(keyword))
    }
}

fn cut(text: &str) -> String {
    let mut shown: String = text.chars().filter(|c| !c.is_control()).take(40).collect();
    if shown.len() < text.len() {
        shown.push('…');
    }
    shown
}

struct Scanner<'a> {
    rest: std::iter::Peekable<std::str::Chars<'a>>,
    column: usize,
    pieces: Vec<Placed>,
}

/// All pieces of a query.
pub(crate) fn pieces(text: &str) -> Result<Vec<Placed>, LanguageError> {
    let mut scanner = Scanner { rest: text.chars().peekable(), column: 1, pieces: Vec::new() };
    while scanner.piece()? {}
    Ok(scanner.pieces)
}

impl Scanner<'_> {
    fn next(&mut self) -> Option<char> {
        self.column += 1;
        self.rest.next()
    }

    /// Reads one piece, or white space; whether there was anything.
    fn piece(&mut self) -> Result<bool, LanguageError> {
        let column = self.column;
        let Some(first) = self.rest.peek().copied() else { return Ok(false) };
        // behind a sign a value begins, and a value may have signs in it: `url=http://example.org/?a=b`
        let is_value = matches!(self.pieces.last(), Some(Placed { piece: Piece::Is | Piece::IsNot, .. }));
        let piece = match first {
            c if c.is_whitespace() => {
                self.next();
                return Ok(true);
            }
            '(' => self.sign(Piece::Open),
            ')' => self.sign(Piece::Close),
            '"' | '\'' => self.quoted(first)?,
            '=' if !is_value => self.sign(Piece::Is),
            _ => self.word(is_value),
        };
        self.pieces.push(Placed { piece, column });
        Ok(true)
    }

    fn sign(&mut self, piece: Piece) -> Piece {
        self.next();
        piece
    }

    fn word(&mut self, is_value: bool) -> Piece {
        let mut word = String::new();
        while let Some(c) = self.rest.peek().copied() {
            if c.is_whitespace() || matches!(c, '(' | ')') || (c == '=' && !is_value) {
                break;
            }
            word.push(c);
            self.next();
        }
        if !is_value && word.ends_with('!') && self.rest.peek() == Some(&'=') {
            word.pop();
            if !word.is_empty() {
                let column = self.column - word.chars().count() - 1;
                self.pieces.push(Placed { piece: Piece::Word(word), column });
            }
            return self.sign(Piece::IsNot);
        }
        Piece::Word(word)
    }

    fn quoted(&mut self, quote: char) -> Result<Piece, LanguageError> {
        let begun = self.column;
        self.next();
        let mut text = String::new();
        loop {
            let column = self.column;
            match self.next() {
                None => return Err(LanguageError { column: begun, problem: Problem::Quote }),
                Some(c) if c == quote => return Ok(Piece::Quoted(text)),
                Some('\\') => match self.next() {
                    Some(c @ ('"' | '\'' | '\\')) => text.push(c),
                    _ => return Err(LanguageError { column, problem: Problem::Escape }),
                },
                Some(c) => text.push(c),
            }
        }
    }
}
