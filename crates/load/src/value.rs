//! Values that follow from their number.

/// Letters of a value.
const LETTERS: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";

/// A text of 16 to 1,023 letters, different for different numbers.
pub(crate) fn value(number: u64) -> String {
    let mut state = number;
    let length = 16 + next(&mut state) % 1_008;
    let mut text = format!("v{number}-");
    while (text.len() as u64) < length {
        let letters = next(&mut state).to_le_bytes();
        text.extend(
            letters
                .iter()
                .filter_map(|byte| LETTERS.get(usize::from(byte % 32)))
                .map(|letter| char::from(*letter)),
        );
    }
    text
}

/// SplitMix64.
fn next(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut mixed = *state;
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

/// A template with its number and value filled in.
pub(crate) fn fill(template: &str, number: u64) -> String {
    let numbered = template.replace("{n}", &number.to_string());
    if numbered.contains("{v}") { numbered.replace("{v}", &value(number)) } else { numbered }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_follow_from_their_number_and_differ() {
        assert_eq!(value(7), value(7));
        let all: std::collections::BTreeSet<String> = (0..1_000).map(value).collect();
        assert_eq!(all.len(), 1_000);
        assert!(all.iter().all(|text| (16..1_040).contains(&text.len())));
        assert_eq!(fill("a/{n}={v}", 3), format!("a/3={}", value(3)));
    }
}
