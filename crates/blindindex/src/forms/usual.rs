//! The form of a field that nobody named one for: by the field's name, else by the value's shape. Collector and reader
//! must come to the same answer for all ways to write a value, so both ask here.

use super::Form;

/// Words in a field's name, and the form that they say.
const WORDS: [(&[&str], Form); 8] = [
    (&["ip", "ipaddr", "ips", "ipv4", "ipv6", "ip4", "ip6"], Form::Ip),
    (&["port", "sport", "dport", "ports"], Form::Port),
    (&["cidr", "network", "subnet"], Form::Cidr),
    (&["url", "uri", "urls"], Form::Url),
    (&["email", "mail"], Form::Email),
    (&["domain", "host", "hostname", "fqdn", "domains"], Form::Domain),
    (&["md5", "sha1", "sha224", "sha256", "sha384", "sha512", "hash", "hashes", "digest"], Form::Hash),
    (&["user", "username", "password", "message"], Form::Text),
];

/// Lengths of the digests that are told by their shape, in hexadecimal digits.
const DIGESTS: [usize; 6] = [32, 40, 56, 64, 96, 128];

impl Form {
    /// The form that a field's name says: `src_ip`, `dstPort`, `http/host`. The last word that says one counts.
    pub fn of_name(field: &str) -> Option<Self> {
        let name = field.rsplit('/').next().unwrap_or(field);
        let words = words(name);
        let named = |word: &String| WORDS.iter().find(|(known, _)| known.contains(&word.as_str()));
        words.iter().rev().find_map(named).map(|(_, form)| *form)
    }

    /// The form that a value looks to have.
    pub fn of_shape(value: &str) -> Self {
        let mut room = Vec::new();
        let mut is = |form: Self| {
            room.clear();
            form.write(value, &mut room).is_ok()
        };
        let is_digest = value.contains(':') || DIGESTS.contains(&value.len());
        match value {
            _ if is(Self::Ip) => Self::Ip,
            _ if value.contains("://") => {
                if is(Self::Url) {
                    Self::Url
                } else {
                    Self::Text
                }
            }
            _ if value.contains('/') => {
                if is(Self::Cidr) {
                    Self::Cidr
                } else {
                    Self::Text
                }
            }
            _ if value.contains('@') => {
                if is(Self::Email) {
                    Self::Email
                } else {
                    Self::Text
                }
            }
            _ if is_digest && is(Self::Hash) => Self::Hash,
            _ if value.contains('.') && is(Self::Domain) => Self::Domain,
            _ => Self::Text,
        }
    }

    /// The form of a value where the configuration names none: what the field's name says if the value is of that form,
    /// else what the value looks like.
    ///
    /// ```
    /// use strongroom_blindindex::Form;
    /// assert_eq!(Form::usual("dst_port", "22"), Form::Port);
    /// assert_eq!(Form::usual("host", "203.0.113.7"), Form::Ip);
    /// assert_eq!(Form::usual("note", "Example.ORG."), Form::Domain);
    /// assert_eq!(Form::usual("count", "22"), Form::Text);
    /// ```
    pub fn usual(field: &str, value: &str) -> Self {
        let fits = |form: &Self| form.write(value, &mut Vec::new()).is_ok();
        Self::of_name(field).filter(fits).unwrap_or_else(|| Self::of_shape(value))
    }
}

/// The words of a name, in small letters: parted by signs and by a capital after a small letter.
fn words(name: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut was_small = false;
    for letter in name.chars() {
        let begins = letter.is_ascii_uppercase() && was_small;
        if begins || !letter.is_ascii_alphanumeric() {
            words.push(String::new());
        }
        if letter.is_ascii_alphanumeric()
            && let Some(word) = words.last_mut()
        {
            word.push(letter.to_ascii_lowercase());
        }
        was_small = letter.is_ascii_lowercase() || letter.is_ascii_digit();
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_say_forms_by_their_words() {
        for (name, form) in [
            ("src_ip", Some(Form::Ip)),
            ("srcIP", Some(Form::Ip)),
            ("ip-dst", Some(Form::Ip)),
            ("dst_port", Some(Form::Port)),
            ("http/hostname", Some(Form::Domain)),
            ("file/sha256", Some(Form::Hash)),
            ("zip", None),
            ("description", None),
            ("", None),
        ] {
            assert_eq!(Form::of_name(name), form, "{name}");
        }
    }

    #[test]
    fn values_that_are_equal_have_one_form_however_they_are_written() {
        for (field, one, other) in [
            ("value", "10.0.0.1", "::ffff:10.0.0.1"),
            ("value", "Example.org.", "example.ORG"),
            ("value", "HTTP://example.org:80/", "http://example.org/"),
            ("value", "A@Example.org", "a@example.org"),
            ("host", "2001:db8::1", "2001:DB8:0::1"),
            ("md5", "D41D8CD98F00B204E9800998ECF8427E", "md5:d41d8cd98f00b204e9800998ecf8427e"),
        ] {
            let (left, right) = (Form::usual(field, one), Form::usual(field, other));
            assert_eq!(left, right, "{one} {other}");
            let canonical = |value| super::super::Canonical::new(left, value).unwrap();
            assert!(left != Form::Text && canonical(one) == canonical(other), "{one} {other}");
        }
    }

    #[test]
    fn what_is_of_no_form_is_text() {
        for value in ["", "22", "a/b", "x://", "@", "1.2.3.4.5", "not a domain.", "é"] {
            assert_eq!(Form::usual("note", value), Form::Text, "{value}");
        }
        assert_eq!(Form::usual("port", "ssh"), Form::Text);
    }
}
