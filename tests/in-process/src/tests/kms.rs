//! The KMS double: context, tampering, sizes, usages, and the signature by an independent path.

use aws_sdk_kms::Client;
use aws_sdk_kms::primitives::Blob;
use aws_sdk_kms::types::{MacAlgorithmSpec, MessageType, SigningAlgorithmSpec};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::{account, code};
use crate::{LINK_KEY_ID, Retries, SEAL_KEY_ID, SIGNING_KEY_ID};

async fn sealed(client: &Client) -> Blob {
    let encrypt = client.encrypt().key_id(SEAL_KEY_ID).plaintext(Blob::new("secret"));
    let context = encrypt.encryption_context("purpose", "token").encryption_context("account", "acct_1");
    context.send().await.unwrap().ciphertext_blob.unwrap()
}

#[tokio::test]
async fn decrypts_under_the_same_context_in_any_order() {
    let client = account().kms(Retries::Off);
    let blob = sealed(&client).await;
    let decrypt = client.decrypt().ciphertext_blob(blob).encryption_context("account", "acct_1");
    let opened = decrypt.encryption_context("purpose", "token").send().await.unwrap();
    assert_eq!(opened.plaintext.unwrap().as_ref(), b"secret");
    assert!(opened.key_id.unwrap().ends_with(SEAL_KEY_ID));
}

#[tokio::test]
async fn another_context_is_refused() {
    let client = account().kms(Retries::Off);
    let blob = sealed(&client).await;
    for context in [
        &[][..],
        &[("purpose", "token")],
        &[("purpose", "token"), ("account", "acct_2")],
        &[("purpose", "token"), ("account", "acct_1"), ("more", "x")],
    ] {
        let decrypt = context.iter().fold(client.decrypt().ciphertext_blob(blob.clone()), |decrypt, (name, value)| {
            decrypt.encryption_context(*name, *value)
        });
        assert_eq!(code(decrypt.send().await), "InvalidCiphertextException", "{context:?}");
    }
}

#[tokio::test]
async fn every_changed_byte_and_every_cut_is_refused() {
    let client = account().kms(Retries::Off);
    let blob = sealed(&client).await.into_inner();
    let decrypt = async |bytes: Vec<u8>| {
        let decrypt = client.decrypt().ciphertext_blob(Blob::new(bytes));
        code(decrypt.encryption_context("purpose", "token").encryption_context("account", "acct_1").send().await)
    };
    assert_eq!(decrypt(blob.clone()).await, "no error");
    for at in 0..blob.len() {
        let mut changed = blob.clone();
        changed[at] ^= 1;
        assert_eq!(decrypt(changed).await, "InvalidCiphertextException", "byte {at}");
        assert_eq!(decrypt(blob[..at].to_vec()).await, "InvalidCiphertextException", "cut at {at}");
    }
}

#[tokio::test]
async fn sizes_usages_and_disabled_keys_are_refused() {
    let account = account();
    let client = account.kms(Retries::Off);
    let encrypt = |key: &str, size: usize| client.encrypt().key_id(key).plaintext(Blob::new(vec![7; size])).send();
    assert_eq!(code(encrypt(SEAL_KEY_ID, 4096).await), "no error");
    assert_eq!(code(encrypt(SEAL_KEY_ID, 4097).await), "ValidationException");
    assert_eq!(code(encrypt(SEAL_KEY_ID, 0).await), "ValidationException");
    assert_eq!(code(encrypt(SIGNING_KEY_ID, 1).await), "InvalidKeyUsageException");
    assert_eq!(code(encrypt("nowhere", 1).await), "NotFoundException");
    let blob = sealed(&client).await;
    account.enable_key(SEAL_KEY_ID, false);
    assert_eq!(code(encrypt(SEAL_KEY_ID, 1).await), "DisabledException");
    assert_eq!(code(client.decrypt().ciphertext_blob(blob).send().await), "DisabledException");
}

#[tokio::test]
async fn a_mac_verifies_only_for_its_message() {
    let client = account().kms(Retries::Off);
    let algorithm = MacAlgorithmSpec::HmacSha256;
    let generate =
        client.generate_mac().key_id(LINK_KEY_ID).message(Blob::new("link")).mac_algorithm(algorithm.clone());
    let mac = generate.send().await.unwrap().mac.unwrap();
    // HMAC-SHA-256 of "link" under 32 bytes of 0x3c, computed with Python's hmac module.
    assert_eq!(STANDARD.encode(mac.as_ref()), EXPECTED_MAC);
    let verify = |message: &str| {
        let verify = client.verify_mac().key_id(LINK_KEY_ID).mac(mac.clone()).mac_algorithm(algorithm.clone());
        verify.message(Blob::new(message)).send()
    };
    assert!(verify("link").await.unwrap().mac_valid);
    assert_eq!(code(verify("other").await), "KMSInvalidMacException");
    let wrong = client.generate_mac().key_id(SEAL_KEY_ID).message(Blob::new("x")).mac_algorithm(algorithm);
    assert_eq!(code(wrong.send().await), "InvalidKeyUsageException");
}

const EXPECTED_MAC: &str = "SHMB+Lk/QmajTVBmTkStogh5WOU6bppazshdnGd3LOU=";

#[tokio::test]
async fn the_signature_and_the_public_key_are_those_of_an_independent_library() {
    let client = account().kms(Retries::Off);
    let sign = client.sign().key_id(SIGNING_KEY_ID).message(Blob::new("checkpoint")).message_type(MessageType::Raw);
    let signed = sign.signing_algorithm(SigningAlgorithmSpec::Ed25519Sha512).send().await.unwrap();
    let public = client.get_public_key().key_id(SIGNING_KEY_ID).send().await.unwrap();
    // Both computed with Python's `cryptography` (OpenSSL) from the seed of 32 bytes of 0x51. Ed25519 is deterministic.
    assert_eq!(STANDARD.encode(signed.signature.unwrap()), EXPECTED_SIGNATURE);
    assert_eq!(STANDARD.encode(public.public_key.unwrap()), EXPECTED_PUBLIC_KEY);
}

const EXPECTED_SIGNATURE: &str =
    "spHVfxnpWrzfcD72ECxfuN82gI3notZ1iO3W6Bkr7zGL/KjUAJX7ZwteUFCG6oYR3SgFB94oxZpMHQ49Yf2mAA==";
const EXPECTED_PUBLIC_KEY: &str = "MCowBQYDK2VwAyEAwFDFY3pE+oYp//PMzOIwDLNipj2Z2V/FQUUmb0MyRFo=";

#[tokio::test]
async fn digests_other_algorithms_and_other_keys_do_not_sign() {
    let client = account().kms(Retries::Off);
    let sign = |key: &str, algorithm, kind, size: usize| {
        client
            .sign()
            .key_id(key)
            .message(Blob::new(vec![0; size]))
            .message_type(kind)
            .signing_algorithm(algorithm)
            .send()
    };
    let ed25519 = SigningAlgorithmSpec::Ed25519Sha512;
    let (raw, digest) = (MessageType::Raw, MessageType::Digest);
    assert_eq!(code(sign(SIGNING_KEY_ID, ed25519.clone(), digest, 64).await), "ValidationException");
    assert_eq!(code(sign(SIGNING_KEY_ID, ed25519.clone(), raw.clone(), 4097).await), "ValidationException");
    assert_eq!(
        code(sign(SIGNING_KEY_ID, SigningAlgorithmSpec::EcdsaSha256, raw.clone(), 1).await),
        "InvalidKeyUsageException"
    );
    assert_eq!(code(sign(SEAL_KEY_ID, ed25519, raw, 1).await), "InvalidKeyUsageException");
}
