//! From prefixes to the bounds of an index search.

use strongroom_store::{MAX_KEY_BYTES, Order, Range};

/// The least bytes greater than every key with this prefix.
pub(crate) fn upper_bound(prefix: &[u8]) -> Vec<u8> {
    let mut bound = prefix.to_vec();
    while let Some(last) = bound.pop() {
        if last < u8::MAX {
            bound.push(last + 1);
            return bound;
        }
    }
    // longer than any key, and nothing but the greatest byte
    vec![u8::MAX; MAX_KEY_BYTES + 1]
}

/// The bounds of a listing: from (inclusive), to (exclusive).
pub(crate) fn bounds(range: &Range) -> (Vec<u8>, Vec<u8>) {
    let (from, to) = (range.prefix.clone(), upper_bound(&range.prefix));
    let Some(after) = &range.after else { return (from, to) };
    match range.order {
        // a key and a zero byte is the next key there can be
        Order::Ascending => (from.max([after.as_bytes(), &[0]].concat()), to),
        Order::Descending => (from, to.min(after.as_bytes().to_vec())),
    }
}
