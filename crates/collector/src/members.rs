//! The members of a JSON object that has been scanned: where each name and value lies, without reading further.

use std::ops::Range;

/// Names and values of an object, as places in its text. The text was scanned: it is JSON.
pub(crate) struct Members<'a> {
    text: &'a [u8],
    at: usize,
}

/// One member.
pub(crate) struct Member {
    /// The name, between its quotes, escapes as they are.
    pub(crate) name: Range<usize>,
    /// The value with its quotes or brackets.
    pub(crate) value: Range<usize>,
}

impl<'a> Members<'a> {
    /// Of the object or array that begins at or after `at`; nothing if none does.
    pub(crate) fn at(text: &'a [u8], at: usize) -> Self {
        let mut members = Self { text, at };
        members.space();
        match members.peek() {
            Some(b'{' | b'[') => members.at += 1,
            _ => members.at = text.len(),
        }
        members
    }

    fn peek(&self) -> Option<u8> {
        self.text.get(self.at).copied()
    }

    /// Over white space and what parts members.
    fn space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r' | b',' | b':')) {
            self.at += 1;
        }
    }

    /// Over a string; where its inside lies.
    fn string(&mut self) -> Range<usize> {
        let start = self.at + 1;
        self.at = start;
        while let Some(byte) = self.peek() {
            match byte {
                b'"' => break,
                b'\\' => self.at += 2,
                _ => self.at += 1,
            }
        }
        let inside = start..self.at.min(self.text.len());
        self.at += 1;
        inside
    }

    fn value(&mut self) -> Range<usize> {
        let start = self.at;
        match self.peek() {
            Some(b'"') => drop(self.string()),
            Some(b'{' | b'[') => self.nested(),
            _ => {
                while self.peek().is_some_and(|byte| !b",]} \t\n\r".contains(&byte)) {
                    self.at += 1;
                }
            }
        }
        start..self.at.min(self.text.len())
    }

    fn nested(&mut self) {
        let mut depth = 0_usize;
        while let Some(byte) = self.peek() {
            match byte {
                b'"' => {
                    self.string();
                    continue;
                }
                b'{' | b'[' => depth += 1,
                b'}' | b']' => depth = depth.saturating_sub(1),
                _ => {}
            }
            self.at += 1;
            if depth == 0 {
                return;
            }
        }
    }

    /// The next element of an array.
    pub(crate) fn element(&mut self) -> Option<Range<usize>> {
        self.space();
        match self.peek() {
            None | Some(b']' | b'}') => None,
            _ => Some(self.value()),
        }
    }
}

impl Iterator for Members<'_> {
    type Item = Member;

    fn next(&mut self) -> Option<Member> {
        self.space();
        if self.peek() != Some(b'"') {
            return None;
        }
        let name = self.string();
        self.space();
        Some(Member { name, value: self.value() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn shown(text: &str) -> Vec<(String, String)> {
        let part = |range: Range<usize>| text[range].to_owned();
        Members::at(text.as_bytes(), 0).map(|member| (part(member.name), part(member.value))).collect()
    }

    #[test]
    fn names_and_values_lie_where_they_were_written() {
        let text = r#" { "a" : "x\"}" , "b":[1, {"c":2}] ,"d":-1.50e3,"":null, "e\"":{ "f":"]" } } "#;
        let expected = [
            ("a", r#""x\"}""#),
            ("b", r#"[1, {"c":2}]"#),
            ("d", "-1.50e3"),
            ("", "null"),
            ("e\\\"", r#"{ "f":"]" }"#),
        ];
        assert_eq!(shown(text), expected.map(|(name, value)| (name.to_owned(), value.to_owned())));
        assert!(shown("{}").is_empty() && shown("[1]").is_empty() && shown("7").is_empty());
        let mut list = Members::at(b"[1, \"a,\" ,[]]", 0);
        assert_eq!(std::iter::from_fn(|| list.element()).collect::<Vec<_>>(), [1..2, 4..8, 10..12]);
    }

    proptest! {
        #[test]
        fn what_serde_reads_is_what_is_found(map in proptest::collection::btree_map(".{0,8}", ".{0,8}|[0-9]{1,5}", 0..8)) {
            let text = serde_json::to_string(&map).unwrap();
            let found: Vec<(String, String)> = shown(&text)
                .into_iter()
                .map(|(name, value)| {
                    let name = serde_json::from_str(&format!("\"{name}\"")).unwrap();
                    (name, serde_json::from_str(&value).unwrap())
                })
                .collect();
            prop_assert_eq!(found, map.into_iter().collect::<Vec<_>>());
        }

        #[test]
        fn no_text_ends_it_badly(text in "[{}\\[\\]\",:\\\\ a1]{0,40}") {
            let count = Members::at(text.as_bytes(), 0).count();
            prop_assert!(count <= text.len());
        }
    }
}
