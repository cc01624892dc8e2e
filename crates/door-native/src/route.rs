//! From method and path to a row of the table.

use strongroom_api::Endpoint;

/// What a path has in the places of its braces, decoded.
pub(crate) type Params = Vec<String>;

/// What was found.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Found {
    /// A row.
    Endpoint(Endpoint, Params),
    /// The path exists, with other methods: these, as `Allow` lists them.
    OtherMethod(String),
    /// The path has an escape that is none, or is not UTF-8.
    BadPath,
    /// No such path.
    Nothing,
}

/// Finds the row of a path, given after the prefix.
pub(crate) fn find(method: &str, path: &str) -> Found {
    for endpoint in Endpoint::ALL.iter().filter(|endpoint| endpoint.method().as_str() == method) {
        let Some(raw) = matches(endpoint.path(), path) else { continue };
        return match raw.into_iter().map(decode).collect::<Option<Params>>() {
            Some(params) => Found::Endpoint(*endpoint, params),
            None => Found::BadPath,
        };
    }
    let other = Endpoint::ALL.iter().filter(|endpoint| matches(endpoint.path(), path).is_some());
    let allowed: Vec<&str> = other.map(|endpoint| endpoint.method().as_str()).collect();
    if allowed.is_empty() { Found::Nothing } else { Found::OtherMethod(allowed.join(", ")) }
}

/// The raw parts of `path` in the places of the pattern's braces.
fn matches<'a>(pattern: &str, path: &'a str) -> Option<Vec<&'a str>> {
    let mut params = Vec::new();
    let mut rest = path.strip_prefix('/')?;
    let mut parts = pattern.strip_prefix('/')?.split('/').peekable();
    while let Some(part) = parts.next() {
        if part.starts_with("{*") {
            if rest.is_empty() {
                return None;
            }
            params.push(rest);
            return Some(params);
        }
        let (head, tail) = match rest.split_once('/') {
            Some((head, tail)) => (head, Some(tail)),
            None => (rest, None),
        };
        if part.starts_with('{') {
            params.push(head);
        } else if part != head {
            return None;
        }
        match (tail, parts.peek()) {
            (Some(tail), Some(_)) => rest = tail,
            (None, None) => return Some(params),
            _ => return None,
        }
    }
    None
}

/// Percent-decodes (RFC 3986, section 2.1).
pub(crate) fn decode(text: &str) -> Option<String> {
    if !text.contains('%') {
        return Some(text.to_owned());
    }
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte == b'%' {
            let digit =
                |byte: Option<u8>| char::from(byte?).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
            let (high, low) = (digit(rest.next())?, digit(rest.next())?);
            bytes.push(high * 16 + low);
        } else {
            bytes.push(byte);
        }
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(method: &str, path: &str) -> (Endpoint, Vec<String>) {
        match find(method, path) {
            Found::Endpoint(endpoint, params) => (endpoint, params),
            other => panic!("{method} {path}: {other:?}"),
        }
    }

    /// A path with something in the place of each brace.
    fn filled(path: &str) -> String {
        let part = |part: &str| match (part.starts_with("{*"), part.starts_with('{')) {
            (true, _) => "db/password".to_owned(),
            (_, true) => "web".to_owned(),
            _ => part.to_owned(),
        };
        path.split('/').map(part).collect::<Vec<_>>().join("/")
    }

    #[test]
    fn every_row_is_found_by_its_own_path() {
        for endpoint in Endpoint::ALL {
            let path = filled(endpoint.path());
            assert_eq!(found(endpoint.method().as_str(), &path).0, *endpoint);
        }
    }

    #[test]
    fn parts_are_decoded_and_keep_their_slashes() {
        let (endpoint, params) = found("GET", "/stores/my%20web/secrets/db/p%C3%A4ss%2Fword");
        assert_eq!(endpoint, Endpoint::GetSecret);
        assert_eq!(params, ["my web", "db/päss/word"]);
    }

    #[test]
    fn what_is_not_there_is_told_apart() {
        assert_eq!(find("PATCH", "/stores"), Found::OtherMethod("GET, POST".to_owned()));
        assert_eq!(find("GET", "/nothing"), Found::Nothing);
        assert_eq!(find("GET", "/stores/web/secrets/"), Found::Nothing);
        assert_eq!(find("GET", "/stores/web/"), Found::Nothing);
        assert_eq!(find("GET", "/stores/%zz"), Found::BadPath);
        assert_eq!(find("GET", "/stores/%ff"), Found::BadPath);
        assert_eq!(find("GET", "stores"), Found::Nothing);
    }
}
