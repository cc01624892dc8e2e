//! Requests of the convection door, which have no frame but their own text.

use strongroom_door_convection::{MAX_REQUEST_BYTES, Progress, Scanner, is_request};
use strongroom_model::{JsonLimits, scan_json};

/// Where a request ends does not depend on the pieces it comes in; what is whole is no longer than it may be; and data
/// that a reader of JSON accepts is whole exactly where it ends.
pub(crate) fn convection_request(data: &[u8]) -> bool {
    let at_once = Scanner::new().push(data);
    let mut piecewise = Scanner::new();
    let mut last = Progress::Perhaps;
    let mut ended = None;
    for (at, byte) in data.iter().enumerate() {
        last = piecewise.push(std::slice::from_ref(byte));
        if ended.is_none() && matches!(last, Progress::Whole(_) | Progress::Broken(_)) {
            ended = Some((at, last));
        }
    }
    let by_data = data.iter().any(|byte| matches!(byte, b'{' | b'['));
    if by_data {
        assert!(data.is_empty() || at_once == last, "the pieces decide: {at_once:?}, {last:?}");
    }
    if let Progress::Whole(length) = at_once {
        assert!(length <= data.len() && length <= MAX_REQUEST_BYTES, "longer than it is, or may be");
    }
    if let Some((name, rest)) = split(data)
        && rest.first().is_some_and(|byte| matches!(byte, b'{'))
        && name.len() <= 64
        && scan_json(rest, JsonLimits { bytes: MAX_REQUEST_BYTES - 65, depth: 64 }).is_ok()
    {
        let blanks = rest.iter().rev().take_while(|byte| is_blank(**byte)).count();
        assert_eq!(at_once, Progress::Whole(data.len() - blanks), "JSON that ends elsewhere");
    }
    matches!(at_once, Progress::Whole(length) if data.get(..length).is_some_and(is_request))
}

/// The command, and what stands behind its space and further blanks.
fn split(data: &[u8]) -> Option<(&[u8], &[u8])> {
    let space = data.iter().position(|byte| *byte == b' ')?;
    let (name, rest) = data.split_at(space);
    let blanks = rest.iter().take_while(|byte| is_blank(**byte)).count();
    Some((name, rest.get(blanks..)?))
}

/// White space of JSON (RFC 8259, section 2).
fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\r' | b'\n')
}
