//! Noting calls that are passed on to Stripe without a decision.

use aws_sdk_dynamodb::types::{Put, TransactWriteItem};
use axiru_domain::{Family, StripeId, Timestamp};
use axiru_ledger::entry::Draft;
use axiru_ledger::types::EntryType;
use serde_json::json;

use crate::connect::token::random_id;
use crate::decide::Standing;
use crate::error::AwsError;
use crate::item::{key, n};
use crate::ledger::{CommitError, Writes};
use crate::store::Store;

/// How long it is remembered that a call was noted, in seconds.
const KEPT_SECS: i64 = 86_400;

/// A call that is passed on.
#[derive(Debug)]
pub struct Passed<'a> {
    /// Whose call.
    pub standing: &'a Standing,
    /// What it does, in a word.
    pub route: &'a str,
    /// The family.
    pub family: Family,
    /// The object that it changes, where it was read.
    pub object: Option<&'a StripeId>,
    /// Why it is passed on, in a word.
    pub why: &'a str,
}

impl Store {
    /// Appends that a call is passed on. Called before it is sent.
    ///
    /// # Errors
    /// [`CommitError`].
    pub async fn note_passed(&self, passed: &Passed<'_>, clock: fn() -> Timestamp) -> Result<(), CommitError> {
        let standing = passed.standing;
        let call = random_id("call_").map_err(|_| AwsError::unexpected("noting a call", "no random bytes"))?;
        let log = standing.log();
        let fields = json!({
            "call": call,
            "route": passed.route,
            "family": passed.family.as_str(),
            "key": standing.key.as_str(),
            "operator": standing.operator.as_str(),
            "object": passed.object.map(StripeId::as_str),
            "why": passed.why,
        });
        let fields = fields.as_object().cloned().unwrap_or_default();
        let draft = Draft { log: log.clone(), actor: standing.actor.clone(), ty: EntryType::CallPassed, fields };
        let pk = format!("{}#{call}", standing.scope.key());
        let plan = || async {
            // The row tells an append whose answer was lost from one that did not happen.
            if self.row(&pk, "call").await?.is_some() {
                return Ok(Writes::default());
            }
            let put = Put::builder()
                .table_name(&self.state)
                .set_item(Some(key(&pk, "call")))
                .item("expires_at", n(clock().plus_secs(KEPT_SECS).secs()))
                .condition_expression("attribute_not_exists(pk)")
                .build();
            let put = put.map_err(|_| AwsError::unexpected("committing", "request not built"))?;
            let rows = vec![TransactWriteItem::builder().put(put).build()];
            Ok::<_, CommitError>(Writes { drafts: vec![draft.clone()], rows })
        };
        self.commit(&log, clock, plan).await.map(|_| ())
    }
}
