//! Sealing acquired secrets with KMS.
//!
//! A sealed value opens only under the encryption context it was sealed under: its purpose, mode and account. A row
//! copied from one scope to another is useless there. The context is plain text in CloudTrail: it holds no personal data.

use std::collections::HashMap;

use aws_sdk_kms::Client;
use aws_sdk_kms::primitives::Blob;
use axiru_domain::{AccountId, Mode};
use zeroize::Zeroizing;

use crate::error::AwsError;

/// What a sealed value is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// The tokens of a connection.
    Tokens,
    /// The signing secret of a webhook endpoint.
    WebhookSecret,
}

impl Purpose {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Tokens => "tokens",
            Self::WebhookSecret => "webhook-secret",
        }
    }
}

/// The context of a sealed value. `account` is missing for what belongs to the developer account of a mode.
#[derive(Clone, Debug)]
pub struct SealContext {
    /// What it is for.
    pub purpose: Purpose,
    /// Its mode.
    pub mode: Mode,
    /// Whose it is.
    pub account: Option<AccountId>,
}

impl SealContext {
    fn pairs(&self) -> HashMap<String, String> {
        let account = self.account.as_ref().map_or("developer", AccountId::as_str);
        HashMap::from([
            ("axiru:purpose".to_owned(), self.purpose.as_str().to_owned()),
            ("stripe:mode".to_owned(), self.mode.to_string()),
            ("stripe:account".to_owned(), account.to_owned()),
        ])
    }
}

/// Seals and opens with one KMS key.
#[derive(Clone, Debug)]
pub struct Seal {
    client: Client,
    key_id: String,
}

impl Seal {
    /// With the symmetric key of this id or ARN.
    #[must_use]
    pub fn new(client: Client, key_id: impl Into<String>) -> Self {
        Self { client, key_id: key_id.into() }
    }

    /// Seals at most 4,096 bytes, KMS's bound.
    ///
    /// # Errors
    /// [`AwsError`] when KMS does not.
    pub async fn seal(&self, context: &SealContext, plain: &[u8]) -> Result<Vec<u8>, AwsError> {
        let answer = self
            .client
            .encrypt()
            .key_id(&self.key_id)
            .plaintext(Blob::new(plain))
            .set_encryption_context(Some(context.pairs()))
            .send()
            .await
            .map_err(AwsError::of("sealing"))?;
        let sealed = answer.ciphertext_blob.ok_or_else(|| AwsError::unexpected("sealing", "no ciphertext"))?;
        Ok(sealed.into_inner())
    }

    /// Opens what was sealed under the same context.
    ///
    /// # Errors
    /// [`AwsError`] when KMS does not, as for another context.
    pub async fn open(&self, context: &SealContext, sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, AwsError> {
        let answer = self
            .client
            .decrypt()
            .key_id(&self.key_id)
            .ciphertext_blob(Blob::new(sealed))
            .set_encryption_context(Some(context.pairs()))
            .send()
            .await
            .map_err(AwsError::of("opening a sealed value"))?;
        let plain = answer.plaintext.ok_or_else(|| AwsError::unexpected("opening", "no plaintext"))?;
        Ok(Zeroizing::new(plain.into_inner()))
    }
}
