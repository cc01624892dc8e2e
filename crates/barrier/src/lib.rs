//! Lock, unlock, views: ciphertext below, plaintext above.
