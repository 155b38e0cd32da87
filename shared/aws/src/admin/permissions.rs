//! What a connection may do at Stripe: what the plans in force need of it, and what turned out to be other than recorded.
//!
//! The connection row's `permissions` is the variant of the Stripe App's manifest, stored at connect, and `granted` what a restricted key was
//! found to have; a 403 from Stripe corrects both.

use std::collections::BTreeSet;

use aws_sdk_dynamodb::types::Update;
use axiru_domain::{Actor, Kind, Lane, LogId, Scope, Timestamp};
use axiru_ledger::types::EntryType;
use axiru_stripe::permissions::{Variant, write_permission};
use serde_json::json;
use sha2::{Digest, Sha256};

use crate::admin::act::{ChangeId, draft, update_item};
use crate::admin::refusal::AdminError;
use crate::connect::token::hex;
use crate::connection::{self, Credential};
use crate::item::{Item, RowError, key, s, text, texts};
use crate::ledger::Writes;
use crate::store::Store;

/// The permissions of a connection, as far as they are known to be true: what a restricted key was found to have, or what the manifest asks.
fn granted(row: &Item) -> Result<BTreeSet<String>, RowError> {
    if row.contains_key("granted") {
        return Ok(texts(row, "granted")?.into_iter().collect());
    }
    let word = text(row, "permissions").ok();
    // A word of a later version grants nothing here.
    let variant = Variant::ALL.into_iter().find(|variant| Some(variant.as_str()) == word).unwrap_or(Variant::ReadOnly);
    Ok(variant.asked().map(|(name, _)| name.to_owned()).collect())
}

impl Store {
    /// Refuses to enforce for kinds whose movements the connection may not make.
    pub(crate) async fn may_enforce(&self, scope: &Scope, kinds: &[Kind]) -> Result<(), AdminError> {
        let row = self.row(&connection::pk(scope.mode()), scope.account().as_str()).await?.unwrap_or_default();
        let granted = granted(&row)?;
        let mut missing: Vec<&str> = kinds.iter().map(|kind| write_permission(kind.family())).collect();
        missing.retain(|name| !granted.contains(*name));
        missing.sort_unstable();
        missing.dedup();
        if missing.is_empty() {
            return Ok(());
        }
        let cure = match Credential::of(&row)? {
            Credential::App => format!(
                "upload the manifest infra/stripe-app/{}, deploy with the parameter StripeAppPermissions={}, and connect the account again \
                 (`axiru connect --mode {}`)",
                Variant::Enforcing.file(),
                Variant::Enforcing.as_str(),
                scope.mode()
            ),
            Credential::RestrictedKey => format!(
                "give the restricted key that permission in Stripe's Dashboard, and hand it over again (`axiru connect --restricted-key \
                 --account {}`)",
                scope.account()
            ),
        };
        Err(AdminError::conflict(
            "permission_missing",
            format!(
                "the connection of {scope} lacks {} at Stripe, so what an enforced plan allows could not be done; {cure}",
                missing.join(" and "),
            ),
        ))
    }

    /// Records that Stripe refused (403) something that the connection was thought to be allowed: from now on it counts as read-only,
    /// and no plan can be switched to enforce until the account is connected again. Asked again, it does nothing. True if it changed.
    ///
    /// # Errors
    /// [`AdminError`]; the refusal itself stands whether or not it could be recorded.
    pub async fn permission_refused(&self, scope: &Scope, now: fn() -> Timestamp) -> Result<bool, AdminError> {
        let log = LogId { scope: scope.clone(), lane: Lane::ZERO };
        let step = || async {
            let row = self.row(&connection::pk(scope.mode()), scope.account().as_str()).await?;
            let Some(row) = row else { return Ok(Writes::default()) };
            let (before, attempt) = (text(&row, "permissions")?, text(&row, "attempt")?);
            if before == Variant::ReadOnly.as_str() {
                return Ok::<_, AdminError>(Writes::default());
            }
            // One change for each connect: its id follows from the connect's.
            let digest = Sha256::new().chain_update("axiru/permissions/v1\n").chain_update(attempt).finalize();
            let change: String = hex(&digest).chars().take(32).collect();
            let change: ChangeId = format!("chg_{change}").parse().map_err(|_| crate::item::RowError("attempt"))?;
            let update = Update::builder()
                .table_name(&self.state)
                .set_key(Some(key(connection::pk(scope.mode()), scope.account().as_str())))
                // What a restricted key was found to have is not so any more.
                .update_expression("SET #permissions = :now REMOVE granted")
                .condition_expression("attempt = :attempt AND #permissions = :before")
                .expression_attribute_names("#permissions", "permissions")
                .expression_attribute_values(":now", s(Variant::ReadOnly.as_str()))
                .expression_attribute_values(":before", s(before))
                .expression_attribute_values(":attempt", s(attempt));
            let fields = json!({"permissions": Variant::ReadOnly.as_str(), "before": before});
            let ty = EntryType::ConnectionPermissionsChanged;
            Ok(Writes {
                drafts: vec![draft(&log, Actor::Stripe, &change, ty, fields)],
                rows: vec![update_item(update)?],
            })
        };
        Ok(!self.commit(&log, now, step).await?.is_empty())
    }
}
