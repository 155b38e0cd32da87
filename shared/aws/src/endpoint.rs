//! Webhook endpoints: of each mode one `connect=true` endpoint on the developer account, and one on each account that was connected with a
//! restricted key, which an operator makes in Stripe's Dashboard.
//!
//! An account's own: pk `<mode>#endpoint`, sk `<account>`; `secrets` (list of sealed signing secrets, newest first), `version`.
//! The mode's: pk `<mode>#endpoint`, sk `connect`; `endpoint` (the `we_…`), `secrets` (list of sealed signing secrets, newest first).
//! The row exists without `secrets` while the endpoint is being created.

use aws_sdk_dynamodb::types::{AttributeValue, Update};
use axiru_domain::{Mode, Scope, Timestamp};
use axiru_ledger::types::EntryType;
use axiru_stripe::secret::Secret;
use serde_json::{Value, json};
use zeroize::Zeroizing;

use crate::admin::act::{Act, Effect, update_item};
use crate::admin::refusal::AdminError;
use crate::item::{Item, RowError, b, key, n, number};
use crate::seal::{Purpose, Seal, SealContext};
use crate::store::{Store, StoreError};

/// Signing secrets kept of an account's own endpoint: the one in use and the one before (Stripe signs with both for at most a day after
/// a roll; Stripe docs, "Webhooks": roll endpoint signing secrets).
const OWN_SECRETS: usize = 2;

/// Sort key of the mode's row.
pub(crate) const SK: &str = "connect";

/// Partition key of the row.
pub(crate) fn pk(mode: Mode) -> String {
    format!("{mode}#endpoint")
}

/// The encryption context of a mode's signing secrets.
pub(crate) const fn seal_context(mode: Mode) -> SealContext {
    SealContext { purpose: Purpose::WebhookSecret, mode, account: None }
}

/// The encryption context of the signing secrets of an account's own endpoint.
fn own_context(scope: &Scope) -> SealContext {
    SealContext { purpose: Purpose::WebhookSecret, mode: scope.mode(), account: Some(scope.account().clone()) }
}

impl Store {
    /// The signing secrets of an account's own endpoint, newest first; none where none was ever added.
    ///
    /// # Errors
    /// [`StoreError`] when the row cannot be read or opened.
    pub async fn own_signing_secrets(&self, seal: &Seal, scope: &Scope) -> Result<Vec<Zeroizing<Vec<u8>>>, StoreError> {
        let row = self.row(&pk(scope.mode()), scope.account().as_str()).await?.unwrap_or_default();
        let mut secrets = Vec::new();
        for sealed in sealed_secrets(&row)? {
            secrets.push(seal.open(&own_context(scope), sealed).await?);
        }
        Ok(secrets)
    }

    /// Adds a signing secret of the account's own endpoint. The one before stays good, for while Stripe signs with both.
    ///
    /// # Errors
    /// Refused where the scope was never connected.
    pub async fn add_signing_secret(
        &self,
        seal: &Seal,
        act: &Act,
        secret: &Secret,
        now: fn() -> Timestamp,
    ) -> Result<Value, AdminError> {
        let sealed = seal.seal(&own_context(&act.scope), secret.expose().as_bytes()).await?;
        self.act(act, now, || async {
            let row = self.row(&pk(act.scope.mode()), act.scope.account().as_str()).await?.unwrap_or_default();
            let mut secrets = vec![b(sealed.as_slice())];
            secrets.extend(sealed_secrets(&row)?.into_iter().take(OWN_SECRETS - 1).map(b));
            let seen: u64 = if row.contains_key("version") { number(&row, "version")? } else { 0 };
            let count = secrets.len();
            let update = Update::builder()
                .table_name(&self.state)
                .set_key(Some(key(pk(act.scope.mode()), act.scope.account().as_str())))
                .update_expression("SET secrets = :secrets, version = :next")
                .expression_attribute_values(":secrets", AttributeValue::L(secrets))
                .expression_attribute_values(":next", n(seen + 1));
            let update = match seen {
                0 => update.condition_expression("attribute_not_exists(pk)"),
                _ => update.condition_expression("version = :seen").expression_attribute_values(":seen", n(seen)),
            };
            Ok(Effect::Change {
                ty: EntryType::ConnectionWebhookSecretAdded,
                fields: json!({"secrets": count}),
                rows: vec![update_item(update)?],
                answer: json!({"secrets": count}),
            })
        })
        .await
    }

    /// The signing secrets of a mode's endpoint, newest first; none where no account of that mode was ever connected.
    ///
    /// # Errors
    /// [`StoreError`] when the row cannot be read or opened.
    pub async fn signing_secrets(&self, seal: &Seal, mode: Mode) -> Result<Vec<Zeroizing<Vec<u8>>>, StoreError> {
        let Some(row) = self.row(&pk(mode), SK).await? else {
            return Ok(Vec::new());
        };
        let mut secrets = Vec::new();
        for sealed in sealed_secrets(&row)? {
            secrets.push(seal.open(&seal_context(mode), sealed).await?);
        }
        Ok(secrets)
    }
}

/// The sealed secrets of a row.
pub(crate) fn sealed_secrets(row: &Item) -> Result<Vec<&[u8]>, RowError> {
    let Some(list) = row.get("secrets") else {
        return Ok(Vec::new());
    };
    let list = list.as_l().map_err(|_| RowError("secrets"))?;
    list.iter().map(|value| value.as_b().map(AsRef::as_ref).map_err(|_| RowError("secrets"))).collect()
}
