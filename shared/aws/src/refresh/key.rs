//! Restricted keys that Stripe refused. Nobody can renew them: if Stripe still refuses one, the connection waits for a person.

use aws_sdk_dynamodb::types::{TransactWriteItem, Update};
use axiru_domain::{Actor, Lane, LogId, Scope};
use axiru_ledger::entry::Draft;
use axiru_ledger::types::EntryType;
use axiru_stripe::error::StripeError;
use axiru_stripe::rest::Rest;
use serde_json::json;

use super::row::sealed_tokens;
use super::{RefreshError, Refreshed, Refresher};
use crate::connect::token::random_id;
use crate::connection::{self, ConnectionState};
use crate::error::AwsError;
use crate::item::{Item, RowError, key, s};
use crate::ledger::{CommitError, Writes};
use crate::store::StoreError;
use crate::tokens::{Opened, opened};

impl Refresher {
    /// Asks Stripe whether it takes the key of a connection; ends the connection's use where it does not.
    pub(super) async fn check(&self, scope: &Scope, attempt: &str, row: &Item) -> Result<Refreshed, RefreshError> {
        let sealed = sealed_tokens(row).map_err(StoreError::from)?;
        let Opened::RestrictedKey(secret) = opened(&self.seal, scope, sealed).await? else {
            return Err(StoreError::from(RowError("credential")).into());
        };
        match Rest::new(self.stripe.as_ref(), &self.base, &secret).profile().await {
            Err(StripeError::Unauthorized) => self.end_key(scope, attempt).await,
            // Whatever else it says, it says it to somebody it knows.
            Ok(_) | Err(StripeError::Forbidden | StripeError::Refused(_) | StripeError::Answer { .. }) => {
                Ok(Refreshed::Fresh)
            }
            Err(error) => Err(RefreshError::Key(error)),
        }
    }

    async fn end_key(&self, scope: &Scope, attempt: &str) -> Result<Refreshed, RefreshError> {
        let log = LogId { scope: scope.clone(), lane: Lane::ZERO };
        let change = random_id("chg_")?;
        let plan = async || {
            let row = self.store.token_row(scope).await.map_err(CommitError::from)?.map(|(row, _)| row);
            if !row.is_some_and(|row| row.state == ConnectionState::Active && row.attempt == attempt) {
                return Ok(Writes::default());
            }
            let fields = json!({"change": change, "reason": "key_refused"});
            let fields = fields.as_object().cloned().unwrap_or_default();
            let ty = EntryType::ConnectionReauthRequired;
            let draft = Draft { log: log.clone(), actor: Actor::Axiru, ty, fields };
            Ok(Writes { drafts: vec![draft], rows: vec![self.dead(scope, attempt)?] })
        };
        let _: Vec<_> = self.store.commit::<CommitError, _>(&log, self.clock, plan).await?;
        self.stands(scope).await
    }

    /// The write that ends the use of the key of that connect.
    fn dead(&self, scope: &Scope, attempt: &str) -> Result<TransactWriteItem, AwsError> {
        let update = Update::builder()
            .table_name(&self.store.state)
            .set_key(Some(key(connection::pk(scope.mode()), scope.account().as_str())))
            .update_expression("SET #state = :dead")
            .condition_expression("#state = :active AND attempt = :attempt")
            .expression_attribute_names("#state", "state")
            .expression_attribute_values(":dead", s(ConnectionState::ReauthRequired.as_str()))
            .expression_attribute_values(":active", s(ConnectionState::Active.as_str()))
            .expression_attribute_values(":attempt", s(attempt))
            .build();
        let update = update.map_err(|_| AwsError::unexpected("ending a key", "request not built"))?;
        Ok(TransactWriteItem::builder().update(update).build())
    }
}
