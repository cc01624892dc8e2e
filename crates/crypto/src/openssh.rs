//! Public keys as OpenSSH writes them: `ssh-ed25519 BASE64 comment` (RFC 4253, section 6.6; RFC 8709, section 4).

use crate::sign::{ED25519_SPKI_PREFIX, KeyError};
use data_encoding::BASE64;

/// The `SubjectPublicKeyInfo` of an OpenSSH line; `None` if the text is no such line at all.
pub(crate) fn spki(text: &str) -> Option<Result<Vec<u8>, KeyError>> {
    let mut words = text.split_ascii_whitespace();
    let kind = words.next()?;
    if !matches!(kind, "ssh-ed25519" | "ssh-rsa") {
        return (kind.starts_with("ssh-") || kind.starts_with("ecdsa-"))
            .then_some(Err(KeyError::Unsupported));
    }
    let decoded = words.next().and_then(|body| BASE64.decode(body.as_bytes()).ok());
    Some(decoded.and_then(|blob| of_blob(kind, &blob)).ok_or(KeyError::Malformed))
}

fn of_blob(kind: &str, blob: &[u8]) -> Option<Vec<u8>> {
    let mut rest = blob;
    (field(&mut rest)? == kind.as_bytes()).then_some(())?;
    let spki = if kind == "ssh-ed25519" {
        let point: [u8; 32] = field(&mut rest)?.try_into().ok()?;
        [ED25519_SPKI_PREFIX.as_slice(), &point].concat()
    } else {
        let (exponent, modulus) = (field(&mut rest)?, field(&mut rest)?);
        rsa(modulus, exponent)?
    };
    rest.is_empty().then_some(spki)
}

/// A length of 4 bytes and as many bytes.
fn field<'a>(rest: &mut &'a [u8]) -> Option<&'a [u8]> {
    let (length, after) = rest.split_first_chunk::<4>()?;
    let (body, after) = after.split_at_checked(usize::try_from(u32::from_be_bytes(*length)).ok()?)?;
    *rest = after;
    Some(body)
}

fn rsa(modulus: &[u8], exponent: &[u8]) -> Option<Vec<u8>> {
    // an SSH mpint and a DER INTEGER have the same bytes; both have to be positive
    for number in [modulus, exponent] {
        (number.first()? & 0x80 == 0 && number.len() <= 1_025).then_some(())?;
    }
    let numbers = [der(0x02, modulus), der(0x02, exponent)].concat();
    let key = der(0x30, &numbers);
    // rsaEncryption with NULL parameters (RFC 8017, appendix A.1)
    let algorithm: [u8; 15] =
        [0x30, 0x0d, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01, 0x05, 0x00];
    let bits = der(0x03, &[&[0], key.as_slice()].concat());
    Some(der(0x30, &[algorithm.as_slice(), &bits].concat()))
}

/// The `SubjectPublicKeyInfo` of an RSA public key with exponent 65537.
pub(crate) fn rsa_spki(modulus: &[u8]) -> Option<Vec<u8>> {
    rsa(modulus, &[1, 0, 1])
}

fn der(tag: u8, body: &[u8]) -> Vec<u8> {
    let mut out = vec![tag];
    // bodies here are below 64 KiB
    let [high, low] = u16::try_from(body.len()).unwrap_or(u16::MAX).to_be_bytes();
    match (high, low) {
        (0, low @ 0..0x80) => out.push(low),
        (0, low) => out.extend([0x81, low]),
        (high, low) => out.extend([0x82, high, low]),
    }
    out.extend_from_slice(body);
    out
}

#[cfg(test)]
mod tests {
    use crate::{KeyError, KeyKind, PublicKey, public_key_pem};

    // made by `ssh-keygen`, and converted with `ssh-keygen -e -m PKCS8`
    const ED25519: &str =
        "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOwc0gTds6uLx+1FUamyxNR98hO88niA0iTsqddtuxEA someone@host";
    const RSA: &str = "ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAABAQDeR/yU4oZd+q3l+nxPNj5xYi2Bv1Lq1+FvoMSCE9g9qol5BK3iEysy6VyTmTQM67Vd+Ia23VS20cajGSz48HcvIDPtCuPM7B731RE6BnEyEP//Zog4+9BEghJV+4JcRjAjP6xbrPe0fMF0uRfpLTXxQVwCBa5qwt1HxhReq4mY/lfw7rpVujq8mPblr3WyrDiV5+DOTKdODDhc+/5zo+zaG3i68sHnw7u+FmW3iZvuNRIijn5S1i9Jsm4to2p5GJ860OBJGYvwuzRWIKv6ORgZA3oD7s9rUEinHOuFcoPYy+d6gabB20bH/N7j7/W7qXFhhEEzQdJcj01bWPOZU3/x someone@host";
    const RSA_PEM: &str = "-----BEGIN PUBLIC KEY-----\n\
        MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEA3kf8lOKGXfqt5fp8TzY+\n\
        cWItgb9S6tfhb6DEghPYPaqJeQSt4hMrMulck5k0DOu1XfiGtt1UttHGoxks+PB3\n\
        LyAz7QrjzOwe99UROgZxMhD//2aIOPvQRIISVfuCXEYwIz+sW6z3tHzBdLkX6S01\n\
        8UFcAgWuasLdR8YUXquJmP5X8O66Vbo6vJj25a91sqw4lefgzkynTgw4XPv+c6Ps\n\
        2ht4uvLB58O7vhZlt4mb7jUSIo5+UtYvSbJuLaNqeRifOtDgSRmL8Ls0ViCr+jkY\n\
        GQN6A+7Pa1BIpxzrhXKD2MvneoGmwdtGx/ze4+/1u6lxYYRBM0HSXI9NW1jzmVN/\n\
        8QIDAQAB\n\
        -----END PUBLIC KEY-----";

    #[test]
    fn lines_of_openssh_are_read() {
        let ed = PublicKey::from_text(ED25519.as_bytes()).unwrap();
        assert_eq!(ed.kind(), KeyKind::Ed25519);
        let rsa = PublicKey::from_text(RSA.as_bytes()).unwrap();
        assert_eq!(rsa.kind(), KeyKind::Rsa);
        assert_eq!(public_key_pem(&rsa).trim(), RSA_PEM.trim());
        assert_eq!(PublicKey::from_text(RSA_PEM.as_bytes()).unwrap(), rsa);
        assert_eq!(PublicKey::from_text(public_key_pem(&ed).as_bytes()).unwrap(), ed);
    }

    #[test]
    fn other_kinds_and_broken_lines_are_refused() {
        let cut = &ED25519[..40];
        for (text, fault) in [
            ("ecdsa-sha2-nistp256 AAAA x", KeyError::Unsupported),
            ("ssh-dss AAAA", KeyError::Unsupported),
            ("ssh-ed25519", KeyError::Malformed),
            ("ssh-ed25519 %%%", KeyError::Malformed),
            (cut, KeyError::Malformed),
            ("hello", KeyError::NotPem { wanted: "public" }),
            ("", KeyError::NotPem { wanted: "public" }),
        ] {
            assert_eq!(PublicKey::from_text(text.as_bytes()), Err(fault), "{text}");
        }
        let swapped = ED25519.replace("ssh-ed25519 ", "ssh-rsa ");
        assert_eq!(PublicKey::from_text(swapped.as_bytes()), Err(KeyError::Malformed));
    }
}
