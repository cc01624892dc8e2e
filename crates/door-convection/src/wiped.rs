//! Buffers that leave nothing readable behind: not where they were before they grew either.

use zeroize::Zeroizing;

/// Makes room for so many bytes behind those that are there.
pub(crate) fn make_room(buffer: &mut Zeroizing<Vec<u8>>, bytes: usize) {
    if buffer.capacity() - buffer.len() < bytes {
        let mut larger = Zeroizing::new(Vec::<u8>::with_capacity(buffer.len() + bytes));
        larger.extend_from_slice(buffer);
        *buffer = larger;
    }
}

/// Adds a piece.
pub(crate) fn append(buffer: &mut Zeroizing<Vec<u8>>, piece: &[u8]) {
    if buffer.capacity() - buffer.len() < piece.len() {
        make_room(buffer, (buffer.len() + piece.len()) * 2);
    }
    buffer.extend_from_slice(piece);
}
