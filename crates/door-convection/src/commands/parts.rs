//! Parts and pieces of a secret: the client reads no more than the first 1,024 bytes of an answer.

use crate::fault::Fault;
use crate::request::Fields;
use serde_json::value::RawValue;
use std::collections::BTreeMap;
use strongroom_secrets::TypeRef;
use zeroize::Zeroizing;

/// Characters in a piece, if nobody says how many: escaped and with what stands around them they fit.
const USUAL_PIECE: usize = 512;

/// Which part of a secret is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Part {
    /// What the type gives if nobody says which: of a `passdb` the password, else all of it.
    Usual,
    /// All of it.
    Whole,
    /// A member of it.
    Secret(&'static str),
    /// A member of its public half.
    Public(&'static str),
}

/// From which place how many characters are wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Piece {
    offset: usize,
    length: usize,
}

/// What is wanted of a secret.
#[derive(Debug)]
pub(crate) struct Wish {
    pub(crate) part: Part,
    pub(crate) version: Option<u64>,
    piece: Option<Piece>,
}

impl Wish {
    pub(crate) fn of(args: &Fields<'_>) -> Result<Self, Fault> {
        let number = |name: &str| -> Result<Option<usize>, Fault> {
            let number = args.number(name)?.map(usize::try_from).transpose();
            number.map_err(|_| Fault::value(&format!("{name} is not a number from 0")))
        };
        let piece = match (number("offset")?, number("length")?) {
            (None, None) => None,
            (offset, length) => {
                Some(Piece { offset: offset.unwrap_or(0), length: length.unwrap_or(USUAL_PIECE) })
            }
        };
        let version = number("version")?.map(|version| u64::try_from(version).unwrap_or(u64::MAX));
        Ok(Self { part: part(args)?, version, piece })
    }
}

fn part(args: &Fields<'_>) -> Result<Part, Fault> {
    Ok(match args.optional_text("part")?.as_deref() {
        None => Part::Usual,
        Some("all") => Part::Whole,
        Some("private") => Part::Secret("private_key"),
        Some("username") => Part::Secret("username"),
        Some("password") => Part::Secret("password"),
        Some("public") => Part::Public("public_key"),
        Some("certificate") => Part::Public("certificate"),
        Some("chain") => Part::Public("chain"),
        Some("csr") => Part::Public("csr"),
        Some(_) => {
            return Err(Fault::value(
                "part is all, private, public, certificate, chain, csr, username or password",
            ));
        }
    })
}

/// A member of a JSON object, as it is written there.
pub(crate) fn member<'t>(object: &'t str, name: &str) -> Result<&'t str, Fault> {
    let members: BTreeMap<String, &'t RawValue> = serde_json::from_str(object).unwrap_or_default();
    let found = members.get(name).map(|value| value.get());
    found.ok_or_else(|| Fault::key(&format!("the secret has no {name}")))
}

/// The part of a value that is wanted, as JSON.
pub(crate) fn of_value(json: &str, part: Part, store_type: TypeRef) -> Result<&str, Fault> {
    match (part, store_type.name()) {
        (Part::Usual, "user") => member(json, "password"),
        (Part::Usual | Part::Whole, _) => Ok(json),
        (_, "generic") => Err(Fault::value("secrets of this type have no parts")),
        (Part::Secret(name) | Part::Public(name), _) => member(json, name),
    }
}

/// A piece of a value: of a text its characters, of another value those that it is written with.
pub(crate) struct Cut {
    /// The piece as a JSON text.
    pub(crate) json: Zeroizing<String>,
    /// Where it begins.
    pub(crate) offset: usize,
    /// How many characters there are in all.
    pub(crate) total: usize,
}

impl Wish {
    /// Cuts the piece out that is wanted; `None`: all of it is.
    pub(crate) fn cut(&self, json: &str) -> Option<Cut> {
        let Piece { offset, length } = self.piece?;
        // a text with half a pair of surrogates is no text of this language: its characters are those it is written with
        let text = json
            .starts_with('"')
            .then(|| serde_json::from_str::<String>(json).ok().map(Zeroizing::new))
            .flatten();
        let whole = text.as_ref().map_or(json, |text| text.as_str());
        let total = whole.chars().count();
        let begin = byte_of(whole, offset);
        let end = byte_of(whole, offset.saturating_add(length));
        let piece = whole.get(begin..end).unwrap_or_default();
        let mut json = Zeroizing::new(String::with_capacity(6 * piece.len() + 2));
        quote(piece, &mut json);
        Some(Cut { json, offset, total })
    }
}

fn byte_of(text: &str, place: usize) -> usize {
    text.char_indices().nth(place).map_or(text.len(), |(at, _)| at)
}

/// A text as JSON, into room that is enough for it.
fn quote(text: &str, out: &mut String) {
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            c if c.is_ascii_control() => {
                const HEX: [char; 16] =
                    ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'a', 'b', 'c', 'd', 'e', 'f'];
                out.push_str("\\u00");
                let code = u32::from(c) as usize;
                out.extend([code >> 4, code & 15].iter().filter_map(|digit| HEX.get(*digit)));
            }
            c => out.push(c),
        }
    }
    out.push('"');
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wish(args: &str) -> Result<Wish, Fault> {
        Wish::of(&Fields::parse(args)?)
    }

    fn cut(args: &str, json: &str) -> Option<(String, usize, usize)> {
        let cut = wish(args).unwrap().cut(json)?;
        Some((cut.json.to_string(), cut.offset, cut.total))
    }

    #[test]
    fn pieces_put_together_are_the_whole() {
        let text = "a\"\\\n\u{1}é🔑-and so on-".repeat(40);
        let json = serde_json::to_string(&text).unwrap();
        let mut whole = String::new();
        loop {
            let args = format!(r#"{{"offset": "{}", "length": 100}}"#, whole.chars().count());
            let (piece, _, total) = cut(&args, &json).unwrap();
            let piece: String = serde_json::from_str(&piece).unwrap();
            assert_eq!(total, text.chars().count());
            whole.push_str(&piece);
            if whole.chars().count() >= total {
                break;
            }
        }
        assert_eq!(whole, text);
        assert_eq!(cut("{}", &json), None);
        assert_eq!(cut(r#"{"offset": 9999999}"#, "\"ab\""), Some(("\"\"".to_owned(), 9_999_999, 2)));
        let object = r#"{"a": "x"}"#;
        assert_eq!(cut(r#"{"length": 4}"#, object), Some((r#""{\"a\"""#.to_owned(), 0, 10)));
        assert_eq!(cut(r#"{"length": 99}"#, r#""\ud800""#).unwrap().2, 8);
    }

    #[test]
    fn parts_are_members_and_a_secret_without_parts_has_none() {
        let of = |name| TypeRef::from_name(name).unwrap();
        let json = r#"{"username":"a","password":"p\n"}"#;
        assert_eq!(of_value(json, Part::Usual, of("passdb")), Ok(r#""p\n""#));
        assert_eq!(of_value(json, Part::Whole, of("passdb")), Ok(json));
        assert_eq!(of_value(json, Part::Usual, of("generic")), Ok(json));
        assert_eq!(of_value(json, Part::Secret("username"), of("passdb")), Ok(r#""a""#));
        assert!(of_value(json, Part::Secret("username"), of("generic")).is_err());
        assert!(of_value(json, Part::Secret("private_key"), of("rsa")).is_err());
        assert_eq!(wish(r#"{"part": "chain"}"#).unwrap().part, Part::Public("chain"));
        for args in [r#"{"part": "key"}"#, r#"{"offset": -1}"#, r#"{"version": "new"}"#] {
            assert!(wish(args).is_err(), "{args}");
        }
    }
}
