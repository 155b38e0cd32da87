//! The MAC keys, and minting with the one that is in use.

use aws_sdk_kms::Client;
use aws_sdk_kms::primitives::Blob;
use aws_sdk_kms::types::MacAlgorithmSpec;
use axiru_domain::{PersonId, Timestamp};
use zeroize::Zeroizing;

use super::{LinkRow, LinkToken, MAC_BYTES};
use crate::approval::Held;
use crate::error::AwsError;
use crate::store::{Store, StoreError};

/// The MAC keys that links are verified with, by name: the one in use, and the one before it until its last link has ended.
#[derive(Clone, Debug)]
pub struct LinkKeys {
    client: Client,
    keys: Vec<(String, String)>,
}

impl LinkKeys {
    /// These keys, by name; ids or ARNs.
    #[must_use]
    pub fn new(client: Client, keys: impl IntoIterator<Item = (String, String)>) -> Self {
        Self { client, keys: keys.into_iter().collect() }
    }

    /// The key of that name, or the first: a link that names no key of ours is verified all the same, so that it takes as long.
    fn of(&self, name: &str) -> Option<&str> {
        let named = self.keys.iter().find(|(own, _)| own == name);
        named.or_else(|| self.keys.first()).map(|(_, id)| id.as_str())
    }

    /// Whether the MAC is that of the message. The comparison is KMS's own.
    pub(super) async fn verify(&self, name: &str, message: &str, mac: &[u8; MAC_BYTES]) -> Result<bool, AwsError> {
        let key = self.of(name).ok_or_else(|| AwsError::unexpected("verifying a link", "no key"))?;
        let asked =
            self.client.verify_mac().key_id(key).message(Blob::new(message.as_bytes())).mac(Blob::new(mac.as_slice()));
        match asked.mac_algorithm(MacAlgorithmSpec::HmacSha256).send().await {
            Ok(answer) => Ok(answer.mac_valid && self.keys.iter().any(|(own, _)| own == name)),
            Err(error) => {
                let error = AwsError::of("verifying a link")(error).without_source();
                // A forged link is no trouble of KMS.
                if error.code() == "KMSInvalidMacException" { Ok(false) } else { Err(error.counted_of_kms()) }
            }
        }
    }
}

/// Mints links.
#[derive(Clone, Debug)]
pub struct Minter {
    store: Store,
    client: Client,
    deployment: String,
    /// The name of the key in use, and its id or ARN.
    key: (String, String),
}

impl Minter {
    /// With the MAC key of that name in use.
    #[must_use]
    pub fn new(
        store: Store,
        client: Client,
        deployment: impl Into<String>,
        name: impl Into<String>,
        key_id: impl Into<String>,
    ) -> Self {
        Self { store, client, deployment: deployment.into(), key: (name.into(), key_id.into()) }
    }

    /// The link by which a person answers a request, noted and ready to be sent. The same request, person and turn give the same link.
    ///
    /// # Errors
    /// [`StoreError`] when it cannot be noted or made.
    pub async fn link(
        &self,
        held: &Held,
        person: &PersonId,
        turn: &str,
        now: Timestamp,
    ) -> Result<Zeroizing<String>, StoreError> {
        let (name, key_id) = &self.key;
        let fresh = LinkRow::new(held, person, turn, name, now);
        let mode = held.scope().mode();
        let row = match self.store.approval_link(mode, &fresh.id).await? {
            // It was noted before, and perhaps sent: that one is it.
            Some(row) => row,
            None => match self.store.note_link(&fresh).await {
                Ok(()) => fresh,
                // Somebody else has noted it, or this very call has and lost the answer.
                Err(error) => self.store.approval_link(mode, &fresh.id).await?.ok_or(error)?,
            },
        };
        let message = row.as_sent(&self.deployment)?;
        let asked = self.client.generate_mac().key_id(key_id).message(Blob::new(message.as_bytes()));
        let answer = asked.mac_algorithm(MacAlgorithmSpec::HmacSha256).send().await;
        let mac = answer.map_err(AwsError::of_kms("minting a link")).map_err(AwsError::without_source)?.mac;
        let mac = mac.map(Blob::into_inner).and_then(|mac| <[u8; MAC_BYTES]>::try_from(mac).ok());
        let mac = mac.ok_or_else(|| AwsError::unexpected("minting a link", "no MAC"))?;
        Ok(LinkToken { id: row.id, mac: Zeroizing::new(mac) }.expose())
    }
}
