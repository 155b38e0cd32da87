//! KMS: a symmetric key bound to its encryption context, an Ed25519 signing key, two HMAC keys.
//!
//! The key material is fixed, so that signatures are the same bytes in every account; ciphertexts are random, as in
//! KMS. A ciphertext here is a version byte, the key id, a nonce, and AES-256-GCM output whose associated data is the
//! key id and the sorted context.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use aws_lc_rs::encoding::{AsDer, PublicKeyX509Der};
use aws_lc_rs::hmac;
use aws_lc_rs::rand;
use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::names::{ACCOUNT_ID, LINK_KEY_ID, LINK_KEY_TWO_ID, REGION, SEAL_KEY_ID, SIGNING_KEY_ID};
use crate::wire::{Reply, WireRequest, text};

/// Most bytes that Encrypt, Sign and GenerateMac take.
const MAX_MESSAGE: usize = 4096;
const VERSION: u8 = 1;
const ID_LEN: usize = SEAL_KEY_ID.len();
const ALGORITHM_ED25519: &str = "ED25519_SHA_512";
const ALGORITHM_HMAC: &str = "HMAC_SHA_256";

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Usage {
    Encrypt,
    Sign,
    Mac,
}

struct Key {
    usage: Usage,
    material: [u8; 32],
    enabled: bool,
}

/// The keys, by id.
pub(crate) struct Kms {
    keys: Mutex<BTreeMap<String, Key>>,
}

type Answer = Result<Value, (&'static str, String)>;

impl Kms {
    pub(crate) fn new() -> Self {
        let keys = [
            (SEAL_KEY_ID, Usage::Encrypt, 0x5e),
            (SIGNING_KEY_ID, Usage::Sign, 0x51),
            (LINK_KEY_ID, Usage::Mac, 0x3c),
            (LINK_KEY_TWO_ID, Usage::Mac, 0xc3),
        ];
        let key =
            |(id, usage, byte): (&str, Usage, u8)| (id.to_owned(), Key { usage, material: [byte; 32], enabled: true });
        Self { keys: Mutex::new(keys.into_iter().map(key).collect()) }
    }

    /// Enables or disables a key.
    pub(crate) fn enable(&self, id: &str, enabled: bool) {
        if let Some(key) = self.keys.lock().unwrap_or_else(PoisonError::into_inner).get_mut(id) {
            key.enabled = enabled;
        }
    }

    pub(crate) fn answer(&self, request: &WireRequest) -> Reply {
        let body = request.json();
        let answer = match request.operation.as_str() {
            "Encrypt" => self.encrypt(&body),
            "Decrypt" => self.decrypt(&body),
            "GenerateMac" => self.generate_mac(&body),
            "VerifyMac" => self.verify_mac(&body),
            "Sign" => self.sign(&body),
            "GetPublicKey" => self.public_key(&body),
            _ => Err(("UnsupportedOperationException", "no double of this operation".into())),
        };
        match answer {
            Ok(body) => Reply::json(&body),
            Err((code, message)) => Reply::json_error(400, code, &message),
        }
    }

    /// Looks up a key by id or ARN and does something with its material.
    fn with<T>(
        &self,
        name: &str,
        usage: Usage,
        act: impl FnOnce(&str, &[u8; 32]) -> Result<T, (&'static str, String)>,
    ) -> Result<T, (&'static str, String)> {
        let id = name.rsplit('/').next().unwrap_or_default();
        let keys = self.keys.lock().unwrap_or_else(PoisonError::into_inner);
        let key = keys.get(id).ok_or_else(|| ("NotFoundException", format!("Key '{name}' does not exist")))?;
        if !key.enabled {
            return Err(("DisabledException", format!("{} is disabled.", arn(id))));
        }
        if key.usage != usage {
            return Err((
                "InvalidKeyUsageException",
                format!("{} key usage is not valid for this operation.", arn(id)),
            ));
        }
        act(id, &key.material)
    }

    fn encrypt(&self, body: &Value) -> Answer {
        let plaintext = message(body, "Plaintext")?;
        self.with(text(body, "KeyId"), Usage::Encrypt, |id, material| {
            let mut nonce = [0; NONCE_LEN];
            rand::fill(&mut nonce).map_err(internal)?;
            let mut sealed = plaintext;
            cipher(material)?
                .seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), aad(id, body), &mut sealed)
                .map_err(internal)?;
            let blob = [&[VERSION], id.as_bytes(), &nonce, &sealed].concat();
            Ok(json!({ "CiphertextBlob": STANDARD.encode(blob), "KeyId": arn(id), "EncryptionAlgorithm": "SYMMETRIC_DEFAULT" }))
        })
    }

    fn decrypt(&self, body: &Value) -> Answer {
        const INVALID: (&str, String) = ("InvalidCiphertextException", String::new());
        let blob = bytes(body, "CiphertextBlob")?;
        let (&version, rest) = blob.split_first().ok_or(INVALID)?;
        let (id, rest) = rest.split_at_checked(ID_LEN).ok_or(INVALID)?;
        let (nonce, sealed) = rest.split_first_chunk::<NONCE_LEN>().ok_or(INVALID)?;
        let id = std::str::from_utf8(id).map_err(|_| INVALID)?;
        if version != VERSION || !self.keys.lock().unwrap_or_else(PoisonError::into_inner).contains_key(id) {
            return Err(INVALID);
        }
        let asked = text(body, "KeyId");
        if !asked.is_empty() && asked.rsplit('/').next() != Some(id) {
            return Err((
                "IncorrectKeyException",
                "The key ID in the request does not identify a CMK that can perform this operation.".into(),
            ));
        }
        self.with(id, Usage::Encrypt, |id, material| {
            let mut opened = sealed.to_vec();
            let plaintext = cipher(material)?
                .open_in_place(Nonce::assume_unique_for_key(*nonce), aad(id, body), &mut opened)
                .map_err(|_| INVALID)?;
            Ok(json!({ "Plaintext": STANDARD.encode(plaintext), "KeyId": arn(id), "EncryptionAlgorithm": "SYMMETRIC_DEFAULT" }))
        })
    }

    fn generate_mac(&self, body: &Value) -> Answer {
        let message = message(body, "Message")?;
        algorithm(body, "MacAlgorithm", ALGORITHM_HMAC)?;
        self.with(text(body, "KeyId"), Usage::Mac, |id, material| {
            let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, material), &message);
            Ok(json!({ "Mac": STANDARD.encode(tag), "MacAlgorithm": ALGORITHM_HMAC, "KeyId": arn(id) }))
        })
    }

    fn verify_mac(&self, body: &Value) -> Answer {
        let message = message(body, "Message")?;
        let mac = bytes(body, "Mac")?;
        algorithm(body, "MacAlgorithm", ALGORITHM_HMAC)?;
        self.with(text(body, "KeyId"), Usage::Mac, |id, material| {
            hmac::verify(&hmac::Key::new(hmac::HMAC_SHA256, material), &message, &mac)
                .map_err(|_| ("KMSInvalidMacException", "the MAC is not that of the message".to_owned()))?;
            Ok(json!({ "MacValid": true, "MacAlgorithm": ALGORITHM_HMAC, "KeyId": arn(id) }))
        })
    }

    fn sign(&self, body: &Value) -> Answer {
        let message = message(body, "Message")?;
        algorithm(body, "SigningAlgorithm", ALGORITHM_ED25519)?;
        // MessageType is RAW when absent; this algorithm takes no digests.
        if !matches!(text(body, "MessageType"), "" | "RAW") {
            return Err(("ValidationException", "ED25519_SHA_512 requires MessageType RAW".into()));
        }
        self.with(text(body, "KeyId"), Usage::Sign, |id, material| {
            let signature = Ed25519KeyPair::from_seed_unchecked(material).map_err(internal)?.sign(&message);
            Ok(json!({ "Signature": STANDARD.encode(signature), "SigningAlgorithm": ALGORITHM_ED25519, "KeyId": arn(id) }))
        })
    }

    fn public_key(&self, body: &Value) -> Answer {
        self.with(text(body, "KeyId"), Usage::Sign, |id, material| {
            let pair = Ed25519KeyPair::from_seed_unchecked(material).map_err(internal)?;
            let der: PublicKeyX509Der<'_> = pair.public_key().as_der().map_err(internal)?;
            Ok(json!({
                "KeyId": arn(id),
                "PublicKey": STANDARD.encode(der.as_ref()),
                "KeySpec": "ECC_NIST_EDWARDS25519",
                "KeyUsage": "SIGN_VERIFY",
                "SigningAlgorithms": [ALGORITHM_ED25519],
            }))
        })
    }
}

fn arn(id: &str) -> String {
    format!("arn:aws:kms:{REGION}:{ACCOUNT_ID}:key/{id}")
}

fn bytes(body: &Value, name: &str) -> Result<Vec<u8>, (&'static str, String)> {
    STANDARD.decode(text(body, name)).map_err(|_| ("ValidationException", format!("{name} is not base64")))
}

/// A message of 1 to [`MAX_MESSAGE`] bytes.
fn message(body: &Value, name: &str) -> Result<Vec<u8>, (&'static str, String)> {
    let bytes = bytes(body, name)?;
    if bytes.is_empty() || bytes.len() > MAX_MESSAGE {
        return Err(("ValidationException", format!("{name} must have length between 1 and {MAX_MESSAGE}")));
    }
    Ok(bytes)
}

fn algorithm(body: &Value, name: &str, only: &str) -> Result<(), (&'static str, String)> {
    match text(body, name) {
        asked if asked == only => Ok(()),
        asked => Err(("InvalidKeyUsageException", format!("{name} `{asked}` is incompatible with the key"))),
    }
}

fn cipher(material: &[u8; 32]) -> Result<LessSafeKey, (&'static str, String)> {
    UnboundKey::new(&AES_256_GCM, material).map(LessSafeKey::new).map_err(internal)
}

/// The key id and the context: a JSON object whose names are sorted, so that the order sent does not matter.
fn aad(id: &str, body: &Value) -> Aad<Vec<u8>> {
    let context = body["EncryptionContext"].as_object();
    let sorted = context.into_iter().flatten().collect::<BTreeMap<_, _>>();
    Aad::from(json!([id, sorted]).to_string().into_bytes())
}

fn internal<E>(_: E) -> (&'static str, String) {
    ("KMSInternalException", "the cryptography failed".to_owned())
}
