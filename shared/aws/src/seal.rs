//! Sealing acquired secrets with KMS.
//!
//! A sealed value opens only under the encryption context it was sealed under: its purpose, mode and account. A row
//! copied from one scope to another is useless there. The context is plain text in CloudTrail: it holds no personal data.

use std::collections::HashMap;

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use aws_lc_rs::error::Unspecified;
use aws_lc_rs::rand;
use aws_sdk_kms::Client;
use aws_sdk_kms::primitives::Blob;
use axiru_domain::{AccountId, Mode};
use zeroize::Zeroizing;

use crate::error::AwsError;

/// First byte of a value that is sealed under a key of its own.
const LONG: u8 = 1;

fn cipher(key: &[u8]) -> Result<LessSafeKey, Unspecified> {
    UnboundKey::new(&AES_256_GCM, key).map(LessSafeKey::new)
}

/// What a sealed value is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// The tokens of a connection.
    Tokens,
    /// The signing secret of a webhook endpoint.
    WebhookSecret,
    /// The parameters of a request that is held or queued.
    Parameters,
}

impl Purpose {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Tokens => "tokens",
            Self::WebhookSecret => "webhook-secret",
            Self::Parameters => "parameters",
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
            .map_err(AwsError::of_kms("sealing"))?;
        let sealed = answer.ciphertext_blob.ok_or_else(|| AwsError::unexpected("sealing", "no ciphertext"))?;
        Ok(sealed.into_inner())
    }

    /// Seals any length under a key of its own, which KMS seals: version byte, length of the sealed key, sealed key, nonce,
    /// AES-256-GCM with `bound` as its associated data.
    ///
    /// # Errors
    /// [`AwsError`] when KMS does not.
    pub async fn seal_long(&self, context: &SealContext, bound: &[u8], plain: &[u8]) -> Result<Vec<u8>, AwsError> {
        let failed = || AwsError::unexpected("sealing", "no random bytes");
        let mut key = Zeroizing::new([0; 32]);
        rand::fill(key.as_mut_slice()).map_err(|_| failed())?;
        let mut nonce = [0; NONCE_LEN];
        rand::fill(&mut nonce).map_err(|_| failed())?;
        let mut sealed = plain.to_vec();
        cipher(key.as_slice())
            .and_then(|cipher| {
                cipher.seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), Aad::from(bound), &mut sealed)
            })
            .map_err(|_| failed())?;
        let sealed_key = self.seal(context, key.as_slice()).await?;
        let length = u16::try_from(sealed_key.len()).map_err(|_| AwsError::unexpected("sealing", "a long key"))?;
        Ok([&[LONG], length.to_be_bytes().as_slice(), &sealed_key, &nonce, &sealed].concat())
    }

    /// Opens what [`Seal::seal_long`] sealed under the same context and `bound`.
    ///
    /// # Errors
    /// [`AwsError`] when KMS does not open the key, or the bytes are not what was sealed.
    pub async fn open_long(
        &self,
        context: &SealContext,
        bound: &[u8],
        sealed: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, AwsError> {
        let other = || AwsError::unexpected("opening a sealed value", "other bytes than were sealed");
        let (head, rest) = sealed.split_first_chunk::<3>().ok_or_else(other)?;
        let [version, high, low] = *head;
        let length = usize::from(u16::from_be_bytes([high, low]));
        let (sealed_key, rest) = rest.split_at_checked(length).filter(|_| version == LONG).ok_or_else(other)?;
        let (nonce, body) = rest.split_first_chunk::<NONCE_LEN>().ok_or_else(other)?;
        let key = self.open(context, sealed_key).await?;
        let mut plain = Zeroizing::new(body.to_vec());
        let opened = cipher(key.as_slice()).and_then(|cipher| {
            cipher
                .open_in_place(Nonce::assume_unique_for_key(*nonce), Aad::from(bound), &mut plain)
                .map(|text| text.len())
        });
        let length = opened.map_err(|_| other())?;
        plain.truncate(length);
        Ok(plain)
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
            .map_err(AwsError::of_kms("opening a sealed value"))?;
        let plain = answer.plaintext.ok_or_else(|| AwsError::unexpected("opening", "no plaintext"))?;
        Ok(Zeroizing::new(plain.into_inner()))
    }
}
