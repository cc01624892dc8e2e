//! Texts that may spell names: kept open in memory, wiped when they are let go.

use std::borrow::Borrow;

/// A text that may spell a name; wiped when dropped.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct OpenText(Box<str>);

impl From<&str> for OpenText {
    fn from(text: &str) -> Self {
        Self(text.into())
    }
}

impl std::ops::Deref for OpenText {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl Borrow<str> for OpenText {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl Drop for OpenText {
    fn drop(&mut self) {
        strongroom_secret::wipe(&mut *self.0);
    }
}
