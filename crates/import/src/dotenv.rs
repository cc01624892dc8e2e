//! `.env` files.
//!
//! A line is empty, a comment (`#`), or `NAME=VALUE`, on request with `export` before it and spaces around the sign. A name
//! has letters, digits, `_`, `.` and `-`, and does not begin with a digit. A value is one of
//!
//! - `'...'` or `` `...` ``: what stands between, to the byte, over as many lines as it takes;
//! - `"..."`: the same with the escapes `\n \r \t \\ \" \' \$` and `` \` ``, and a line end after a backslash that is left
//!   out; another backslash is a backslash;
//! - anything else up to the line's end or to a `#` after a space, without the spaces around it.
//!
//! Behind a closing quote only a comment may stand. Nothing is ever expanded: `$HOME` is five characters.

use crate::entry::{Collector, Entry, Reading, Value};
use crate::error::{Fault, ImportError};
use crate::lines::Lines;
use strongroom_secret::wipe;

pub(crate) fn read(text: &str, reading: &Reading) -> Result<Vec<Entry>, ImportError> {
    let mut collector = Collector::new(reading);
    let mut lines = Lines::new(text.as_bytes());
    let mut rest = text;
    loop {
        let line = lines.at(text.len() - rest.len());
        match statement(rest).map_err(|fault| ImportError::at(line, fault))? {
            Statement::End => return Ok(collector.done()),
            Statement::Nothing { after } => rest = after,
            Statement::Assignment { name, mut value, after } => {
                let added = collector.add(name, line, Value::text(&value));
                wipe(&mut value);
                added?;
                rest = after;
            }
        }
    }
}

/// One statement, and what follows it.
enum Statement<'a> {
    Nothing { after: &'a str },
    Assignment { name: &'a str, value: String, after: &'a str },
    End,
}

fn statement(text: &str) -> Result<Statement<'_>, Fault> {
    if text.is_empty() {
        return Ok(Statement::End);
    }
    let start = text.trim_start_matches(blank);
    if matches!(start.as_bytes(), [] | [b'#' | b'\n', ..]) || start.starts_with("\r\n") {
        return Ok(Statement::Nothing { after: next_line(start) });
    }
    let (name, after) = name(start)?;
    let (value, after) = value(after)?;
    if value.contains('\0') {
        return Err(Fault::Nul);
    }
    Ok(Statement::Assignment { name, value, after })
}

fn blank(char: char) -> bool {
    matches!(char, ' ' | '\t')
}

fn next_line(text: &str) -> &str {
    text.split_once('\n').map_or("", |(_, after)| after)
}

/// A name with its sign, and what stands behind it.
fn name(text: &str) -> Result<(&str, &str), Fault> {
    let text = match text.strip_prefix("export") {
        Some(after) if after.starts_with(blank) => {
            let named = after.trim_start_matches(blank);
            // a variable may be called so
            if named.starts_with('=') { text } else { named }
        }
        _ => text,
    };
    let end = text.find(|char| !named(char)).unwrap_or(text.len());
    let (name, after) = text.split_at(end);
    let starts = |char: char| char.is_ascii_alphabetic() || char == '_';
    let value = after.trim_start_matches(blank).strip_prefix('=');
    match value {
        Some(value) if name.starts_with(starts) => Ok((name, value.trim_start_matches(blank))),
        _ => Err(Fault::NoAssignment),
    }
}

fn named(char: char) -> bool {
    char.is_ascii_alphanumeric() || matches!(char, '_' | '.' | '-')
}

fn value(text: &str) -> Result<(String, &str), Fault> {
    let (value, after) = match text.chars().next() {
        Some(quote @ ('\'' | '`')) => literal(text.get(1..).unwrap_or_default(), quote)?,
        Some('"') => escaped(text.get(1..).unwrap_or_default())?,
        _ => return Ok(bare(text)),
    };
    let line_end = after.trim_start_matches(blank);
    if matches!(line_end.as_bytes(), [] | [b'#' | b'\n', ..]) || line_end.starts_with("\r\n") {
        return Ok((value, next_line(line_end)));
    }
    Err(Fault::AfterQuote)
}

/// Between two quotes, to the byte.
fn literal(text: &str, quote: char) -> Result<(String, &str), Fault> {
    let (value, after) = text.split_once(quote).ok_or(Fault::OpenQuote)?;
    Ok((value.to_owned(), after))
}

/// Between two double quotes, with escapes.
fn escaped(text: &str) -> Result<(String, &str), Fault> {
    // never longer than what it is written as
    let close = closing(text).ok_or(Fault::OpenQuote)?;
    let (inside, after) = (text.get(..close).unwrap_or_default(), text.get(close + 1..).unwrap_or_default());
    let mut value = String::with_capacity(inside.len());
    let mut chars = inside.chars();
    while let Some(char) = chars.next() {
        if char != '\\' {
            value.push(char);
            continue;
        }
        match chars.next() {
            Some('n') => value.push('\n'),
            Some('r') => value.push('\r'),
            Some('t') => value.push('\t'),
            Some(plain @ ('\\' | '"' | '\'' | '$' | '`')) => value.push(plain),
            Some('\n') | None => {}
            Some(other) => {
                value.push('\\');
                value.push(other);
            }
        }
    }
    Ok((value, after))
}

/// Where a double quote closes.
fn closing(text: &str) -> Option<usize> {
    let mut bytes = text.bytes().enumerate();
    while let Some((at, byte)) = bytes.next() {
        match byte {
            b'"' => return Some(at),
            b'\\' => {
                bytes.next();
            }
            _ => {}
        }
    }
    None
}

/// Up to the line's end or a comment.
fn bare(text: &str) -> (String, &str) {
    let line = text.split('\n').next().unwrap_or_default();
    let after = next_line(text);
    if line.starts_with('#') {
        return (String::new(), after);
    }
    let comment = [" #", "\t#"].iter().filter_map(|mark| line.find(mark)).min();
    let value = comment.and_then(|at| line.get(..at)).unwrap_or(line);
    (value.trim_matches([' ', '\t', '\r']).to_owned(), after)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pairs(text: &str) -> Result<Vec<(String, String)>, String> {
        let entries = read(text, &Reading::default()).map_err(|error| error.to_string())?;
        let pair = |entry: Entry| {
            let value =
                entry.value.as_text().unwrap().expose(|text| String::from_utf8(text.to_vec()).unwrap());
            (entry.path.as_str().to_owned(), value)
        };
        Ok(entries.into_iter().map(pair).collect())
    }

    fn one(text: &str) -> String {
        let mut pairs = pairs(text).unwrap();
        assert_eq!(pairs.len(), 1, "{text:?}");
        pairs.remove(0).1
    }

    #[test]
    fn values_are_bare_or_quoted() {
        for (text, value) in [
            ("A=b", "b"),
            ("A=", ""),
            ("A= b c  ", "b c"),
            ("export A = b", "b"),
            ("A=b # c", "b"),
            ("A=b#c", "b#c"),
            ("A=#c", ""),
            ("A=$HOME\\n", "$HOME\\n"),
            ("A=b=c", "b=c"),
            ("A=b\r\n", "b"),
            ("A=it's", "it's"),
            ("A='b # \"c\" \\n' # d", "b # \"c\" \\n"),
            ("A='b\nc'\n", "b\nc"),
            ("A=`it's \"b\"`", "it's \"b\""),
            (r#"A="b\n\t\r\\\"\$\`\'c""#, "b\n\t\r\\\"$`'c"),
            (r#"A="C:\dir""#, r"C:\dir"),
            ("A=\"b\\\nc\"", "bc"),
            ("A=\"b\r\nc\"", "b\r\nc"),
            ("\n \n# x\nA=ü", "ü"),
        ] {
            assert_eq!(one(text), value, "{text:?}");
        }
    }

    #[test]
    fn export_may_be_a_name() {
        assert_eq!(
            pairs("export=1\nexport =2").unwrap_err(),
            "2: export stands here again; it is in line 1 already"
        );
        assert_eq!(pairs("exported=1").unwrap()[0].0, "exported");
    }

    #[test]
    fn a_fault_names_its_line() {
        for (text, fault) in [
            ("A=1\nB", "2: expected NAME=VALUE"),
            ("A=1\nexport B\n", "2: expected NAME=VALUE"),
            ("1A=1", "1: expected NAME=VALUE"),
            ("=1", "1: expected NAME=VALUE"),
            ("A B=1", "1: expected NAME=VALUE"),
            ("A='x\ny\n\nB='z", "1: something"),
            ("\nA=\"b\n\nc", "2: the quote that is opened here is never closed"),
            ("A='b", "1: the quote"),
            ("A=\"b\\\"", "1: the quote"),
            ("A='b'c", "1: something stands behind the closing quote"),
            ("A='b\nc'\nA=d", "3: A stands here again; it is in line 1 already"),
            ("A=b\0", "1: a NUL character"),
        ] {
            let Err(found) = pairs(text) else { panic!("{text:?}") };
            assert!(found.starts_with(fault), "{text:?}: {found}");
        }
    }
}
