//! Globs, as regular expressions.

/// `*` is any part of one component, `**` anything, `?` one character of a component; a backslash takes what follows
/// as it is.
pub(super) fn translate(glob: &str) -> String {
    let mut text = String::with_capacity(glob.len() * 2);
    let mut characters = glob.chars().peekable();
    while let Some(character) = characters.next() {
        match character {
            '*' if characters.next_if_eq(&'*').is_some() => text.push_str(".*"),
            '*' => text.push_str("[^/]*"),
            '?' => text.push_str("[^/]"),
            '\\' => literal(&mut text, characters.next().unwrap_or('\\')),
            other => literal(&mut text, other),
        }
    }
    text
}

fn literal(text: &mut String, character: char) {
    regex_syntax::escape_into(character.encode_utf8(&mut [0; 4]), text);
}
