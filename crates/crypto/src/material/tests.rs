use super::*;
use crate::PublicKey;
use std::process::Command;

/// Made for these tests with `openssl ecparam -name prime256v1 -genkey -noout`.
const SEC1: &str = "-----BEGIN EC PRIVATE KEY-----\n\
MHcCAQEEIERFW/tw21YqVH+o7JiL2hq4U3EI+Ns+POftK8LKjp05oAoGCCqGSM49\n\
AwEHoUQDQgAE/cipuOBx0UdwEQplYnj/I9SHMJG9dX+0M4CSKzeBrCcXO7tdPiHH\n\
b3gB2ZiJEsaqJqWp8Uu1TnU631UeOJZUvA==\n\
-----END EC PRIVATE KEY-----\n";

fn read(text: &str) -> Result<KeyMaterial, KeyError> {
    KeyMaterial::read(text.as_bytes())
}

fn der(tag: u8, body: &[u8]) -> Vec<u8> {
    let length = u16::try_from(body.len()).unwrap().to_be_bytes();
    [&[tag, 0x82], length.as_slice(), body].concat()
}

/// A PKCS#1 key with these numbers and nonsense for the others.
fn pkcs1(modulus_bits: usize, exponent: &[u8]) -> Vec<u8> {
    let mut modulus = vec![0xff; modulus_bits / 8];
    modulus.insert(0, 0);
    let one = der(2, &[1]);
    let fields = [der(2, &[0]), der(2, &modulus), der(2, exponent)].concat();
    der(0x30, &[fields, one.repeat(6)].concat())
}

#[test]
fn every_kind_generates_and_reads_back_the_same() {
    let kinds = [MaterialKind::EcP256, MaterialKind::EcP384, MaterialKind::Ed25519, MaterialKind::Rsa(2048)];
    for kind in kinds {
        let made = KeyMaterial::generate(kind).unwrap();
        assert_eq!((made.kind(), MaterialKind::from_name(&kind.name())), (kind, Some(kind)));
        let pem = made.private_pem().expose(KeyMaterial::read).unwrap();
        let der = made.pkcs8().expose(KeyMaterial::read).unwrap();
        for again in [pem, der] {
            assert_eq!((again.kind(), again.spki()), (kind, made.spki()));
            again.pkcs8().expose(|left| made.pkcs8().expose(|right| assert_eq!(left, right)));
            assert_eq!(again.fingerprint(), made.fingerprint());
        }
        assert!(made.public_pem().starts_with("-----BEGIN PUBLIC KEY-----\n"));
    }
    let public = KeyMaterial::generate(MaterialKind::Ed25519).unwrap().public_pem();
    assert!(PublicKey::from_pem(public.as_bytes()).is_ok());
}

#[test]
fn sizes_that_are_not_offered_are_not_generated() {
    for bits in [0, 512, 1024, 2047, 2049, 8192, 16_384] {
        let refused = KeyMaterial::generate(MaterialKind::Rsa(bits)).unwrap_err();
        assert_eq!(refused, KeyError::RsaSize { bits });
        assert_eq!(MaterialKind::from_name(&format!("rsa-{bits}")), None);
    }
}

#[test]
fn the_older_forms_are_read() {
    assert_eq!(read(SEC1).unwrap().kind(), MaterialKind::EcP256);
    let rsa = KeyMaterial::generate(MaterialKind::Rsa(2048)).unwrap();
    let inner = rsa.pkcs8().expose(|der| rsa_of_pkcs8(der).unwrap().to_vec());
    assert_eq!(KeyMaterial::read(&inner).unwrap().spki(), rsa.spki());
}

#[test]
fn sizes_and_exponents_that_nobody_should_use_are_named() {
    for bits in [1024, 2040, 8200, 16_384] {
        let key = pkcs1(bits, &[1, 0, 1]);
        assert_eq!(KeyMaterial::read(&key).unwrap_err(), KeyError::RsaSize { bits });
    }
    let exponents: [&[u8]; 8] = [&[0], &[1], &[3], &[17], &[0x80, 0], &[1, 0, 0], &[2, 0, 0, 0, 1], &[1; 40]];
    for exponent in exponents {
        let refused = KeyMaterial::read(&pkcs1(2048, exponent)).unwrap_err();
        assert_eq!(refused, KeyError::RsaExponent, "{exponent:?}");
    }
    assert_eq!(KeyMaterial::read(&pkcs1(2048, &[1, 0, 1])).unwrap_err(), KeyError::Inconsistent);
}

#[test]
fn a_key_with_any_wrong_number_is_inconsistent() {
    let rsa = KeyMaterial::generate(MaterialKind::Rsa(2048)).unwrap();
    let inner = rsa.pkcs8().expose(|der| rsa_of_pkcs8(der).unwrap().to_vec());
    // modulus, private exponent, primes: a flip deep inside of each
    for at in [100, 400, 700, 850, inner.len() - 40] {
        let mut broken = inner.clone();
        broken[at] ^= 4;
        assert_eq!(KeyMaterial::read(&broken).unwrap_err(), KeyError::Inconsistent, "byte {at}");
    }
}

#[test]
fn encrypted_truncated_and_strange_files_are_told_apart() {
    let encrypted = SEC1.replace("EC PRIVATE", "ENCRYPTED PRIVATE");
    assert_eq!(read(&encrypted).unwrap_err(), KeyError::Encrypted);
    let traditional =
        "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-256-CBC,00\n\nAAAA\n";
    assert_eq!(read(traditional).unwrap_err(), KeyError::Encrypted);
    assert_eq!(read(&SEC1[..SEC1.len() / 2]).unwrap_err(), KeyError::NotPem { wanted: "private" });
    assert_eq!(
        read(&SEC1.replace("EC PRIVATE", "PUBLIC")).unwrap_err(),
        KeyError::NotPem { wanted: "private" }
    );
    assert_eq!(read("").unwrap_err(), KeyError::Malformed);
    assert_eq!(KeyMaterial::read(&vec![0x30; MAX_PEM_BYTES + 1]).unwrap_err(), KeyError::Malformed);
}

#[test]
fn openssl_reads_what_is_written() {
    let folder = std::env::temp_dir();
    for kind in [MaterialKind::EcP384, MaterialKind::Ed25519, MaterialKind::Rsa(2048)] {
        let made = KeyMaterial::generate(kind).unwrap();
        let file = folder.join(format!("strongroom-{}-{}.pem", std::process::id(), kind.name()));
        made.private_pem().expose(|pem| std::fs::write(&file, pem).unwrap());
        let told = Command::new("openssl").args(["pkey", "-pubout", "-in"]).arg(&file).output().unwrap();
        std::fs::remove_file(&file).unwrap();
        assert_eq!(String::from_utf8_lossy(&told.stdout), made.public_pem(), "{}", kind.name());
    }
}
