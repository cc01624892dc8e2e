//! The root key.

use strongroom_secret::purpose;

purpose! {
    /// The root key: wraps every partition's KEK. Itself wrapped by unlock keys, and never stored otherwise.
    pub struct RootKey([u8; 32]);
}
