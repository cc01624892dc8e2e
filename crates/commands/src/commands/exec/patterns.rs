//! What is looked for in the output: values as they are and as programs write them, found all at once (Aho and Corasick,
//! "Efficient string matching", 1975).

use std::collections::BTreeSet;
use strongroom_secret::SecretBytes;

/// A state: a beginning of a pattern. Wiped when dropped, for together they are the values.
pub(super) struct Patterns {
    byte: Vec<u8>,
    /// The first state that goes on from here, and the next one beside this.
    child: Vec<u32>,
    sibling: Vec<u32>,
    /// The longest other beginning that ends like this one.
    fall: Vec<u32>,
    depth: Vec<u32>,
    /// The longest pattern that ends here; 0: none.
    hit: Vec<u32>,
}

/// Where nothing has begun.
pub(super) const START: u32 = 0;
/// Lines of a value are looked for by themselves from this length on, in bytes.
const SHORTEST_LINE: usize = 8;
/// Values beyond this are looked for as they are only, in bytes.
const LONGEST_ENCODED: usize = 64 * 1024;
/// The most bytes of patterns.
const MAX_BYTES: usize = 64 * 1024 * 1024;

impl Patterns {
    /// What is shorter stands in too much that is no secret, in bytes.
    pub(super) const SHORTEST: usize = 4;

    /// Whether a value is there and not looked for.
    pub(super) fn too_short(value: &SecretBytes) -> bool {
        let length = value.expose(|value| value.trim_ascii_end().len());
        (1..Self::SHORTEST).contains(&length)
    }

    /// Looks for these values.
    pub(super) fn new<'a>(values: impl IntoIterator<Item = &'a SecretBytes>) -> Self {
        let mut forms = BTreeSet::new();
        for value in values {
            value.expose(|value| add_forms(value, &mut forms));
        }
        let mut patterns = Self {
            byte: vec![0],
            child: vec![0],
            sibling: vec![0],
            fall: vec![0],
            depth: vec![0],
            hit: vec![0],
        };
        for mut form in forms {
            if patterns.byte.len() + form.len() < MAX_BYTES {
                patterns.insert(&form);
            }
            strongroom_secret::wipe(&mut form);
        }
        patterns.connect();
        patterns
    }

    /// The state after a byte.
    pub(super) fn after(&self, mut state: u32, byte: u8) -> u32 {
        loop {
            match self.step(state, byte) {
                Some(next) => return next,
                None if state == START => return START,
                None => state = of(&self.fall, state),
            }
        }
    }

    /// How many of the last bytes may become a pattern.
    pub(super) fn depth(&self, state: u32) -> usize {
        length(&self.depth, state)
    }

    /// How many of the last bytes are a pattern: of several, the longest.
    pub(super) fn hit(&self, state: u32) -> usize {
        length(&self.hit, state)
    }

    fn step(&self, state: u32, byte: u8) -> Option<u32> {
        let mut next = of(&self.child, state);
        while next != START {
            if self.byte.get(index(next)) == Some(&byte) {
                return Some(next);
            }
            next = of(&self.sibling, next);
        }
        None
    }

    fn insert(&mut self, form: &[u8]) {
        let mut state = START;
        for byte in form {
            state = match self.step(state, *byte) {
                Some(next) => next,
                None => self.grow(state, *byte),
            };
        }
        let depth = of(&self.depth, state);
        set(&mut self.hit, state, depth);
    }

    fn grow(&mut self, state: u32, byte: u8) -> u32 {
        let new = u32::try_from(self.byte.len()).unwrap_or(START);
        self.byte.push(byte);
        self.child.push(START);
        self.sibling.push(of(&self.child, state));
        self.fall.push(START);
        self.depth.push(of(&self.depth, state) + 1);
        self.hit.push(0);
        set(&mut self.child, state, new);
        new
    }

    /// Finds where each state falls to, the shorter ones first.
    fn connect(&mut self) {
        let mut waiting = vec![START];
        let mut at = 0;
        while let Some(&state) = waiting.get(at) {
            at += 1;
            let mut next = of(&self.child, state);
            while next != START {
                let byte = self.byte.get(index(next)).copied().unwrap_or_default();
                let fall = if state == START { START } else { self.after(of(&self.fall, state), byte) };
                set(&mut self.fall, next, fall);
                let hit = of(&self.hit, next).max(of(&self.hit, fall));
                set(&mut self.hit, next, hit);
                waiting.push(next);
                next = of(&self.sibling, next);
            }
        }
    }
}

impl Drop for Patterns {
    fn drop(&mut self) {
        strongroom_secret::wipe(&mut self.byte);
    }
}

fn index(state: u32) -> usize {
    usize::try_from(state).unwrap_or(usize::MAX)
}

fn of(table: &[u32], state: u32) -> u32 {
    table.get(index(state)).copied().unwrap_or(START)
}

fn set(table: &mut [u32], state: u32, value: u32) {
    if let Some(place) = table.get_mut(index(state)) {
        *place = value;
    }
}

fn length(table: &[u32], state: u32) -> usize {
    index(of(table, state))
}

/// A value as it is, its longer lines, as JSON escapes it, and in base64 wherever it begins in it.
fn add_forms(value: &[u8], forms: &mut BTreeSet<Vec<u8>>) {
    let value = value.trim_ascii_end();
    if value.len() < Patterns::SHORTEST {
        return;
    }
    forms.insert(value.to_vec());
    let lines = value.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii);
    forms.extend(lines.filter(|line| line.len() >= SHORTEST_LINE).map(<[u8]>::to_vec));
    if value.len() > LONGEST_ENCODED {
        return;
    }
    if let Ok(mut json) =
        std::str::from_utf8(value).map_err(drop).and_then(|text| serde_json::to_vec(text).map_err(drop))
    {
        forms.extend(json.get(1..json.len().saturating_sub(1)).map(<[u8]>::to_vec));
        strongroom_secret::wipe(&mut json);
    }
    for before in 0..3 {
        add_base64(value, before, forms);
    }
}

/// In base64 behind a number of other bytes: the digits that are the value's alone.
fn add_base64(value: &[u8], before: usize, forms: &mut BTreeSet<Vec<u8>>) {
    let mut padded = vec![0; before];
    padded.extend_from_slice(value);
    // six bits a digit: whole digits behind the other bytes, and before what would follow
    let (first, last) = ((before * 8).div_ceil(6), padded.len() * 8 / 6);
    for encoding in [&data_encoding::BASE64_NOPAD, &data_encoding::BASE64URL_NOPAD] {
        let mut text = encoding.encode(&padded);
        let digits = text.get(first..last).unwrap_or_default();
        if digits.len() >= Patterns::SHORTEST {
            forms.insert(digits.as_bytes().to_vec());
        }
        strongroom_secret::wipe(&mut text);
    }
    strongroom_secret::wipe(&mut padded);
}
