//! AES-128-CBC with PKCS#7 padding (SP 800-38A, section 6.2): opened only, for what others sealed. Nothing of ours is.

use crate::Rejected;
use aws_lc_rs::cipher::{AES_128, Algorithm, DecryptionContext, PaddedBlockDecryptingKey, UnboundCipherKey};
use aws_lc_rs::iv::FixedLength;
use strongroom_secret::SecretBytes;

/// Opens a ciphertext that was authenticated before: padding says nothing about who wrote it.
pub fn open_aes_128_cbc(key: &[u8; 16], iv: &[u8; 16], ciphertext: &[u8]) -> Result<SecretBytes, Rejected> {
    open_cbc(&AES_128, key, iv, ciphertext)
}

/// The same, with a cipher and a key of its length.
pub(crate) fn open_cbc(
    cipher: &'static Algorithm,
    key: &[u8],
    iv: &[u8; 16],
    ciphertext: &[u8],
) -> Result<SecretBytes, Rejected> {
    let key = UnboundCipherKey::new(cipher, key).map_err(|_| Rejected)?;
    let key = PaddedBlockDecryptingKey::cbc_pkcs7(key).map_err(|_| Rejected)?;
    let mut buffer = ciphertext.to_vec();
    let context = DecryptionContext::Iv128(FixedLength::from(iv));
    let length = key.decrypt(&mut buffer, context).map_err(|_| Rejected)?.len();
    // the padding that is cut off is no secret
    buffer.truncate(length);
    Ok(SecretBytes::new(buffer))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hex(text: &str) -> Vec<u8> {
        data_encoding::HEXLOWER.decode(text.as_bytes()).unwrap()
    }

    /// RFC 3602, section 4, case 1, whose one block is here followed by the block of its padding: both computed with
    /// OpenSSL 3 (`openssl enc -aes-128-cbc`), the first as the RFC has it.
    const CIPHERTEXT: &str = "e353779c1079aeb82708942dbe77181ab97c825e1c785146542d396941bce55d";
    const KEY: &str = "06a9214036b8a15b512e03d534120006";
    const IV: &str = "3dafba429d9eb430b422da802c9fac41";

    fn open(ciphertext: &[u8]) -> Result<SecretBytes, Rejected> {
        open_aes_128_cbc(&hex(KEY).try_into().unwrap(), &hex(IV).try_into().unwrap(), ciphertext)
    }

    #[test]
    fn rfc_3602_vector_opens() {
        open(&hex(CIPHERTEXT)).unwrap().expose(|opened| assert_eq!(opened, b"Single block msg"));
    }

    #[test]
    fn bad_padding_and_broken_blocks_are_rejected() {
        let whole = hex(CIPHERTEXT);
        assert!(open(&whole[..16]).is_err(), "its plaintext does not end in padding");
        assert!(open(&whole[..31]).is_err());
        assert!(open(&[]).is_err());
    }
}
