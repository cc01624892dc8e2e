//! Secret bytes: wiped on drop, redacted when printed, compared in constant time.
//!
//! **What it is for.** Every key, token, passphrase and secret value travels in one of these two types, or in a
//! newtype over one. Bytes are reached by `expose`, which keeps them inside a closure, so that nothing exposed is
//! held across an await.
//!
//! **What it does not know.** What the bytes mean: a type a purpose is made by the crate that has the purpose,
//! with [`purpose!`].

use subtle::ConstantTimeEq;
use zeroize::Zeroize;

/// A secret of any length.
#[derive(Default)]
pub struct SecretBytes(Vec<u8>);

impl SecretBytes {
    /// Takes the bytes over. A vector that has grown may have left copies behind: fill it in place.
    pub fn new(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }

    /// The bytes, for the length of a closure.
    pub fn expose<R>(&self, use_bytes: impl FnOnce(&[u8]) -> R) -> R {
        use_bytes(&self.0)
    }

    /// Length in bytes; a length is not a secret.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are no bytes.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl Drop for SecretBytes {
    /// Wipes all that was allocated, in one go: a volatile write a byte would cost more than opening the value did.
    fn drop(&mut self) {
        self.0.clear();
        self.0.resize(self.0.capacity(), 0);
        zeroize::optimization_barrier(self.0.as_slice());
    }
}

impl ConstantTimeEq for SecretBytes {
    fn ct_eq(&self, other: &Self) -> subtle::Choice {
        self.0.as_slice().ct_eq(other.0.as_slice())
    }
}

impl std::fmt::Debug for SecretBytes {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SecretBytes")
    }
}

/// Bytes that may be secret, for a library that reads them by itself: wiped when it lets them go.
#[derive(Debug)]
pub struct WipedBytes(SecretBytes);

impl WipedBytes {
    /// Takes the bytes over.
    pub fn new(bytes: Vec<u8>) -> Self {
        Self(SecretBytes::new(bytes))
    }
}

impl AsRef<[u8]> for WipedBytes {
    fn as_ref(&self) -> &[u8] {
        &self.0.0
    }
}

/// A secret of `N` bytes, boxed so that moving it leaves no copy behind.
pub struct SecretArray<const N: usize>(Box<[u8; N]>);

impl<const N: usize> SecretArray<N> {
    /// A secret filled in place.
    pub fn filled(fill: impl FnOnce(&mut [u8; N])) -> Self {
        let mut secret = Self(Box::new([0; N]));
        fill(&mut secret.0);
        secret
    }

    /// A copy of a slice of exactly `N` bytes.
    pub fn copied(bytes: &[u8]) -> Option<Self> {
        (bytes.len() == N).then(|| Self::filled(|array| array.copy_from_slice(bytes)))
    }

    /// The bytes, for the length of a closure.
    pub fn expose<R>(&self, use_bytes: impl FnOnce(&[u8; N]) -> R) -> R {
        use_bytes(&self.0)
    }
}

impl<const N: usize> ConstantTimeEq for SecretArray<N> {
    fn ct_eq(&self, other: &Self) -> subtle::Choice {
        self.0.as_slice().ct_eq(other.0.as_slice())
    }
}

impl<const N: usize> Drop for SecretArray<N> {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

impl<const N: usize> std::fmt::Debug for SecretArray<N> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "SecretArray<{N}>")
    }
}

/// Declares a secret of one purpose: a newtype over a [`SecretArray`], with its name as its `Debug`.
#[macro_export]
macro_rules! purpose {
    ($(#[$doc:meta])* $vis:vis struct $name:ident([u8; $len:expr]);) => {
        $(#[$doc])*
        $vis struct $name($crate::SecretArray<{ $len }>);

        impl $name {
            /// A secret filled in place.
            pub fn filled(fill: impl FnOnce(&mut [u8; $len])) -> Self {
                Self($crate::SecretArray::filled(fill))
            }

            /// A copy of a slice of exactly the right length.
            pub fn copied(bytes: &[u8]) -> Option<Self> {
                $crate::SecretArray::copied(bytes).map(Self)
            }

            /// The bytes, for the length of a closure.
            pub fn expose<R>(&self, use_bytes: impl FnOnce(&[u8; $len]) -> R) -> R {
                self.0.expose(use_bytes)
            }

            /// Whether both are the same, in constant time.
            pub fn same_as(&self, other: &Self) -> bool {
                bool::from($crate::ct_eq(&self.0, &other.0))
            }
        }

        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(stringify!($name))
            }
        }
    };
}

/// Constant-time equality of two secrets.
pub fn ct_eq<T: ConstantTimeEq + ?Sized>(left: &T, right: &T) -> subtle::Choice {
    left.ct_eq(right)
}

/// Constant-time equality of two byte strings; their lengths are not hidden.
pub fn bytes_eq(left: &[u8], right: &[u8]) -> bool {
    bool::from(left.ct_eq(right))
}

/// Wipes a buffer that held something secret.
pub fn wipe(buffer: &mut (impl Zeroize + ?Sized)) {
    buffer.zeroize();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[expect(unreachable_pub, reason = "the macro's methods are public, whatever their type is")]
    mod keys {
        purpose! {
            /// For the test.
            pub struct TestKey([u8; 4]);
        }
    }
    use keys::TestKey;

    #[test]
    fn debug_never_prints_bytes() {
        let key = TestKey::filled(|bytes| *bytes = [1, 2, 3, 4]);
        assert_eq!(format!("{key:?}"), "TestKey");
        assert_eq!(key.expose(|bytes| bytes.len()), 4);
        assert_eq!(format!("{:?}", SecretBytes::new(vec![7; 3])), "SecretBytes");
        let wiped = WipedBytes::new(vec![7; 3]);
        assert_eq!(
            (format!("{wiped:?}"), wiped.as_ref()),
            ("WipedBytes(SecretBytes)".to_owned(), &[7; 3][..])
        );
        assert_eq!(format!("{:?}", SecretArray::<2>::filled(|_| ())), "SecretArray<2>");
    }

    #[test]
    fn comparison_sees_every_byte() {
        let key = TestKey::copied(&[1, 2, 3, 4]).unwrap();
        assert!(key.same_as(&TestKey::copied(&[1, 2, 3, 4]).unwrap()));
        for place in 0..4 {
            let mut bytes = [1, 2, 3, 4];
            bytes[place] ^= 1;
            assert!(!key.same_as(&TestKey::copied(&bytes).unwrap()));
        }
    }

    #[test]
    fn a_copy_of_another_length_is_refused() {
        assert!(TestKey::copied(&[1, 2, 3]).is_none());
        assert!(TestKey::copied(&[1, 2, 3, 4, 5]).is_none());
    }
}
