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

/// The table's paths, taken apart once.
pub(crate) struct Routes(Vec<Route>);

struct Route {
    endpoint: Endpoint,
    method: &'static str,
    parts: Vec<Part>,
}

enum Part {
    /// The component itself.
    Literal(&'static str),
    /// Any one component.
    One,
    /// All that is left, and there must be some.
    Rest,
}

impl Routes {
    /// Of the whole table.
    pub(crate) fn new() -> Self {
        let part = |part: &'static str| match (part.starts_with("{*"), part.starts_with('{')) {
            (true, _) => Part::Rest,
            (_, true) => Part::One,
            _ => Part::Literal(part),
        };
        let route = |endpoint: &Endpoint| Route {
            endpoint: *endpoint,
            method: endpoint.method().as_str(),
            parts: endpoint.path().split('/').skip(1).map(part).collect(),
        };
        Self(Endpoint::ALL.iter().map(route).collect())
    }

    /// Finds the row of a path, given after the prefix.
    pub(crate) fn find(&self, method: &str, path: &str) -> Found {
        let Some(inner) = path.strip_prefix('/') else { return Found::Nothing };
        let components: Vec<&str> = inner.split('/').collect();
        let of_method = self.0.iter().filter(|route| route.method == method);
        if let Some(route) = of_method.into_iter().find(|route| route.fits(&components)) {
            return match route.params(inner, &components) {
                Some(params) => Found::Endpoint(route.endpoint, params),
                None => Found::BadPath,
            };
        }
        let other = self.0.iter().filter(|route| route.fits(&components));
        let allowed: Vec<&str> = other.map(|route| route.method).collect();
        if allowed.is_empty() { Found::Nothing } else { Found::OtherMethod(allowed.join(", ")) }
    }
}

impl Route {
    fn fits(&self, components: &[&str]) -> bool {
        let mut components = components.iter();
        for part in &self.parts {
            match (part, components.next()) {
                (Part::Literal(literal), Some(component)) if literal == component => {}
                (Part::One, Some(_)) => {}
                (Part::Rest, Some(component)) => return !component.is_empty() || components.next().is_some(),
                _ => return false,
            }
        }
        components.next().is_none()
    }

    /// What stands in the places of the braces, decoded; `None` if that cannot be.
    fn params(&self, inner: &str, components: &[&str]) -> Option<Params> {
        let mut params = Params::new();
        let mut at = 0;
        for (part, component) in self.parts.iter().zip(components) {
            match part {
                Part::Literal(_) => {}
                Part::One => params.push(decode(component)?),
                Part::Rest => params.push(decode(inner.get(at..)?)?),
            }
            at += component.len() + 1;
        }
        Some(params)
    }
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
        match Routes::new().find(method, path) {
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
        let routes = Routes::new();
        let find = |method, path| routes.find(method, path);
        assert_eq!(find("PATCH", "/stores"), Found::OtherMethod("GET, POST".to_owned()));
        assert_eq!(find("GET", "/nothing"), Found::Nothing);
        assert_eq!(find("GET", "/stores/web/secrets/"), Found::Nothing);
        assert_eq!(find("GET", "/stores/web/"), Found::Nothing);
        assert_eq!(find("GET", "/stores/%zz"), Found::BadPath);
        assert_eq!(find("GET", "/stores/%ff"), Found::BadPath);
        assert_eq!(find("GET", "stores"), Found::Nothing);
    }
}
