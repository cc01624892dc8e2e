use super::*;
use std::sync::Arc;
use strongroom_ambient::{FakeClock, SeededEntropy, UnixMillis};

fn seeded(seed: u64) -> Ambient {
    Ambient { clock: Arc::new(FakeClock::at(UnixMillis(0))), entropy: Arc::new(SeededEntropy::new(seed)) }
}

fn root() -> RootKey {
    RootKey::filled(|bytes| *bytes = [3; 32])
}

#[test]
fn a_file_opens_what_it_wrapped_and_only_in_its_context() {
    let file = KeyFile::generate(&seeded(1));
    let blob = file.wrap(&seeded(2), &root(), b"here").unwrap();
    assert!(file.unwrap(&blob, b"here").unwrap().same_as(&root()));
    assert_eq!(file.unwrap(&blob, b"there").unwrap_err(), AutoError::Rejected);
    assert_eq!(KeyFile::generate(&seeded(3)).unwrap(&blob, b"here").unwrap_err(), AutoError::Rejected);
}

#[test]
fn every_flipped_bit_and_every_cut_of_a_wrapping_is_refused() {
    let file = KeyFile::generate(&seeded(1));
    let blob = file.wrap(&seeded(2), &root(), b"here").unwrap();
    for bit in 0..blob.len() * 8 {
        let mut flipped = blob.clone();
        flipped[bit / 8] ^= 1 << (bit % 8);
        let expected = if bit < 8 { AutoError::UnknownVersion } else { AutoError::Rejected };
        assert_eq!(file.unwrap(&flipped, b"here").unwrap_err(), expected);
    }
    for length in 0..blob.len() {
        assert_eq!(file.unwrap(&blob[..length], b"here").unwrap_err(), AutoError::Malformed);
    }
    assert_eq!(file.unwrap(&[blob.as_slice(), &[0]].concat(), b"here").unwrap_err(), AutoError::Malformed);
}

#[test]
fn a_file_survives_its_text_with_a_line_end() {
    let file = KeyFile::generate(&seeded(1));
    let mut text = file.to_text().expose(<[u8]>::to_vec);
    assert_eq!(text.len(), "srauto1".len() + 8 * 9);
    text.push(b'\n');
    let blob = file.wrap(&seeded(2), &root(), b"").unwrap();
    assert!(KeyFile::parse(&text).unwrap().unwrap(&blob, b"").unwrap().same_as(&root()));
}

#[test]
fn a_damaged_file_is_told_apart_from_something_else() {
    let text = KeyFile::generate(&seeded(1)).to_text().expose(<[u8]>::to_vec);
    let mut damaged = text.clone();
    damaged[20] = if damaged[20] == b'7' { b'8' } else { b'7' };
    assert_eq!(KeyFile::parse(&damaged).unwrap_err(), KeyTextError::Checksum);
    assert_eq!(KeyFile::parse(&text[..text.len() - 1]).unwrap_err(), KeyTextError::Malformed);
    assert_eq!(KeyFile::parse(b"-----BEGIN PRIVATE KEY-----").unwrap_err(), KeyTextError::Malformed);
    damaged[6] = b'2';
    assert_eq!(KeyFile::parse(&damaged).unwrap_err(), KeyTextError::UnknownVersion);
}

/// An operator who gives an unlock key for a key file, or the other way round, must hear of it.
#[test]
fn an_unlock_key_is_no_key_file() {
    let (_, keys) = crate::UnlockSet::generate(&seeded(1), &root(), 1, 1, 1).unwrap();
    assert_eq!(keys[0].to_text().expose(KeyFile::parse).unwrap_err(), KeyTextError::Malformed);
    let file = KeyFile::generate(&seeded(1)).to_text();
    assert_eq!(file.expose(crate::UnlockKey::parse).unwrap_err(), KeyTextError::Malformed);
}
