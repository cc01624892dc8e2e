//! Punycode (RFC 3492, section 6.3), encoding only: labels outside ASCII get one form.

const BASE: u32 = 36;
const T_MIN: u32 = 1;
const T_MAX: u32 = 26;
const SKEW: u32 = 38;
const DAMP: u32 = 700;
const INITIAL_BIAS: u32 = 72;
const INITIAL: u32 = 0x80;

/// The encoding of a label, without `xn--`; `None` if a number would not fit.
pub(super) fn encode(label: &str) -> Option<String> {
    let mut out: String = label.chars().filter(char::is_ascii).collect();
    let basic = u32::try_from(out.len()).ok()?;
    let count = u32::try_from(label.chars().count()).ok()?;
    if basic > 0 {
        out.push('-');
    }
    let (mut least, mut delta, mut bias, mut done) = (INITIAL, 0_u32, INITIAL_BIAS, basic);
    while done < count {
        let next = label.chars().map(u32::from).filter(|letter| *letter >= least).min()?;
        delta = delta.checked_add((next - least).checked_mul(done + 1)?)?;
        least = next;
        for letter in label.chars().map(u32::from) {
            if letter < least {
                delta = delta.checked_add(1)?;
            }
            if letter == least {
                put(delta, bias, &mut out)?;
                bias = adapt(delta, done + 1, done == basic);
                delta = 0;
                done += 1;
            }
        }
        delta = delta.checked_add(1)?;
        least = least.checked_add(1)?;
    }
    Some(out)
}

/// A number of variable length.
fn put(mut number: u32, bias: u32, out: &mut String) -> Option<()> {
    for place in 1_u32.. {
        let threshold = (place * BASE).saturating_sub(bias).clamp(T_MIN, T_MAX);
        if number < threshold {
            break;
        }
        out.push(digit(threshold + (number - threshold) % (BASE - threshold))?);
        number = (number - threshold) / (BASE - threshold);
    }
    out.push(digit(number)?);
    Some(())
}

fn digit(number: u32) -> Option<char> {
    // a to z, then 0 to 9
    let code = if number < 26 { number + 97 } else { number + 22 };
    char::from_u32(code)
}

fn adapt(delta: u32, count: u32, is_first: bool) -> u32 {
    let mut delta = if is_first { delta / DAMP } else { delta / 2 };
    delta += delta / count;
    let mut places = 0;
    while delta > (BASE - T_MIN) * T_MAX / 2 {
        delta /= BASE - T_MIN;
        places += BASE;
    }
    places + (BASE - T_MIN + 1) * delta / (delta + SKEW)
}
