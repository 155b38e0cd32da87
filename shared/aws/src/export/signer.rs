//! Signing checkpoints with a KMS Ed25519 key. The signatures are deterministic, so signing the same text twice gives the
//! same note.

use aws_sdk_kms::Client;
use aws_sdk_kms::primitives::Blob;
use aws_sdk_kms::types::{MessageType, SigningAlgorithmSpec};
use axiru_ledger::note::{NoteError, VerifierKey};
use tokio::sync::OnceCell;

use crate::error::AwsError;

/// The head of an Ed25519 public key in DER, before its 32 bytes (RFC 8410 §4).
const SPKI_HEAD: [u8; 12] = [0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00];

/// Why there is no signature.
#[derive(Debug, thiserror::Error)]
pub enum SignError {
    /// KMS did not sign, or not show the key.
    #[error("{0}")]
    Aws(#[from] AwsError),
    /// The key is not an Ed25519 key.
    #[error("the signing key is not an Ed25519 key")]
    Key,
    /// What KMS answered is not the key's signature over the text: it is not published.
    #[error("the signature that KMS made is not good: {0}")]
    Note(#[from] NoteError),
}

/// Signs with one KMS key.
pub struct Signer {
    client: Client,
    key_id: String,
    public: OnceCell<[u8; 32]>,
}

impl Signer {
    /// With the key of this id or ARN: `ECC_NIST_EDWARDS25519`, `SIGN_VERIFY`.
    #[must_use]
    pub fn new(client: Client, key_id: impl Into<String>) -> Self {
        Self { client, key_id: key_id.into(), public: OnceCell::new() }
    }

    /// The key under the name of a log.
    ///
    /// # Errors
    /// [`SignError`].
    pub async fn verifier_key(&self, origin: &str) -> Result<VerifierKey, SignError> {
        let public = self.public.get_or_try_init(|| self.fetch()).await?;
        Ok(VerifierKey::new(origin, *public)?)
    }

    async fn fetch(&self) -> Result<[u8; 32], SignError> {
        let request = self.client.get_public_key().key_id(&self.key_id);
        let answer = request.send().await.map_err(AwsError::of_kms("reading the public key"))?;
        let der = answer.public_key.ok_or(SignError::Key)?.into_inner();
        der.strip_prefix(&SPKI_HEAD).and_then(|key| key.try_into().ok()).ok_or(SignError::Key)
    }

    /// Signs a text under a log's name and checks the signature before it is used.
    pub(super) async fn sign(&self, origin: &str, text: &str) -> Result<String, SignError> {
        let key = self.verifier_key(origin).await?;
        let answer = self
            .client
            .sign()
            .key_id(&self.key_id)
            .message(Blob::new(text))
            .message_type(MessageType::Raw)
            .signing_algorithm(SigningAlgorithmSpec::from("ED25519_SHA_512"))
            .send()
            .await
            .map_err(AwsError::of_kms("signing a checkpoint"))?;
        let signature = answer.signature.ok_or_else(|| AwsError::unexpected("signing", "no signature"))?;
        Ok(key.sign_with(text, signature.as_ref())?)
    }
}
