//! Buffers that leave nothing readable behind: not where they were before they grew either.

use zeroize::Zeroizing;

/// Adds a piece.
pub(crate) fn append(buffer: &mut Zeroizing<Vec<u8>>, piece: &[u8]) {
    if buffer.capacity() - buffer.len() < piece.len() {
        let mut larger = Zeroizing::new(Vec::<u8>::with_capacity((buffer.len() + piece.len()) * 2));
        larger.extend_from_slice(buffer);
        *buffer = larger;
    }
    buffer.extend_from_slice(piece);
}
