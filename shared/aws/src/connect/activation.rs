//! Activation: what a person confirmed becomes a connection, in one transaction with its ledger entries.
//!
//! A connect again of an account resumes its logs: the lanes and the plans it has stay, only tokens and profile are new.

use aws_sdk_dynamodb::types::{Put, TransactWriteItem};
use axiru_domain::{Actor, Lane, Lanes, LogId, PolicyMode, StripeId, Timestamp};
use axiru_ledger::entry::Draft;
use axiru_ledger::types::EntryType;
use serde_json::{Map, Value, json};

use crate::connect::install::{Install, InstallError, Pending};
use crate::connect::setup_link::LinkRow;
use crate::connection::{self, ConnectionState};
use crate::error::{AwsError, Retry};
use crate::item::{Item, b, n, number, s, text};
use crate::ledger::{CommitError, Writes};
use crate::plans::PlanHead;
use crate::store::{Store, StoreError};

/// A plan that every connection begins with, in shadow.
#[derive(Clone, Debug)]
pub struct StarterPlan {
    /// Its name.
    pub name: String,
    /// SHA-256 of the document, 64 hex digits.
    pub sha256: String,
    /// The document's exact bytes.
    pub document: Vec<u8>,
}

/// What an activation needs besides what the person confirmed.
#[derive(Clone, Debug)]
pub struct Terms<'a> {
    /// Lanes of a connection that is new.
    pub lanes: Lanes,
    /// The manifest's variant: `read_only`.
    pub permissions: &'a str,
    /// The mode's webhook endpoint.
    pub endpoint: &'a StripeId,
    /// Its events, sorted.
    pub events: &'a [&'a str],
    /// The plans a new connection begins with.
    pub plans: &'a [StarterPlan],
}

/// Why nothing was activated.
#[derive(Debug, thiserror::Error)]
pub enum ActivationError {
    /// The set-up link was used by another install in the meantime, or is gone.
    #[error("the set-up link was used before")]
    LinkUsed,
    /// The install.
    #[error("{0}")]
    Install(#[from] InstallError),
    /// The store or the ledger.
    #[error("{0}")]
    Commit(#[from] CommitError),
}

impl From<StoreError> for ActivationError {
    fn from(error: StoreError) -> Self {
        Self::Commit(error.into())
    }
}

impl From<AwsError> for ActivationError {
    fn from(error: AwsError) -> Self {
        Self::Commit(error.into())
    }
}

impl From<crate::item::RowError> for ActivationError {
    fn from(error: crate::item::RowError) -> Self {
        StoreError::from(error).into()
    }
}

impl ActivationError {
    /// Whether trying again later can help.
    #[must_use]
    pub fn retry(&self) -> Retry {
        match self {
            Self::LinkUsed => Retry::Never,
            Self::Install(error) => error.retry(),
            Self::Commit(error) => error.retry(),
        }
    }
}

/// What an earlier connect of the same scope left.
struct Before {
    lanes: Lanes,
    attempt: String,
    endpoint: Option<String>,
    first_connected_at: String,
}

impl Before {
    fn read(row: &Item) -> Result<Self, ActivationError> {
        let lanes: u16 = number(row, "lanes")?;
        Ok(Self {
            lanes: Lanes::try_from(lanes).map_err(|_| crate::item::RowError("lanes"))?,
            attempt: text(row, "attempt")?.to_owned(),
            endpoint: row.contains_key("endpoint").then(|| text(row, "endpoint").map(str::to_owned)).transpose()?,
            first_connected_at: text(row, "first_connected_at").or_else(|_| text(row, "connected_at"))?.to_owned(),
        })
    }
}

impl Store {
    /// Activates what a person confirmed. A second call for the same install finds it done and succeeds.
    ///
    /// # Errors
    /// [`ActivationError`]; with [`Retry::Later`] it may have happened: asking again finds out.
    pub async fn activate(
        &self,
        pending: &Pending,
        terms: &Terms<'_>,
        now: fn() -> Timestamp,
    ) -> Result<(), ActivationError> {
        let log = LogId { scope: pending.scope.clone(), lane: Lane::ZERO };
        let entries = self.commit(&log, now, || self.activation(pending, terms, &log, now())).await?;
        tracing::info!(
            scope = %pending.scope,
            connection.attempt = %pending.attempt,
            ledger.entries = entries.len(),
            "a Stripe account is connected"
        );
        Ok(())
    }

    /// What is to be written, from the rows as they stand; nothing if this install is confirmed already.
    async fn activation(
        &self,
        pending: &Pending,
        terms: &Terms<'_>,
        log: &LogId,
        now: Timestamp,
    ) -> Result<Writes, ActivationError> {
        let scope = &pending.scope;
        if let Install::Confirmed(..) = self.install_again(pending).await? {
            return Ok(Writes::default());
        }
        let link = self.link_row(scope.mode(), &pending.link).await?;
        let link: LinkRow = link.filter(|link| link.used_by_attempt.is_none()).ok_or(ActivationError::LinkUsed)?;
        let before = self.row(&connection::pk(scope.mode()), scope.account().as_str()).await?;
        let before = before.as_ref().map(Before::read).transpose()?;
        let mut heads = self.plan_heads(scope).await?;
        let new_plans: Vec<&StarterPlan> = terms.plans.iter().filter(|plan| heads.of(&plan.name).is_none()).collect();

        let mut rows = vec![
            self.confirm_install(pending)?,
            self.use_link(scope.mode(), &pending.link, scope.account(), &pending.attempt, now)?,
            self.connection_row(pending, terms, before.as_ref(), now)?,
        ];
        let number = heads.version() + 1;
        for plan in &new_plans {
            let head =
                PlanHead { plan: plan.name.clone(), sha256: plan.sha256.clone(), policy_mode: PolicyMode::Shadow };
            rows.extend(self.plan_version(scope, &head, &plan.document, number, &link.created_by, now)?);
            heads.set(head);
        }
        if !new_plans.is_empty() {
            rows.push(heads.write(self, scope)?);
        }
        let drafts = drafts(pending, terms, before.as_ref(), &new_plans, log, &Actor::Operator(link.created_by));
        Ok(Writes { drafts, rows })
    }

    fn connection_row(
        &self,
        pending: &Pending,
        terms: &Terms<'_>,
        before: Option<&Before>,
        now: Timestamp,
    ) -> Result<TransactWriteItem, StoreError> {
        let first = before.map_or_else(|| now.to_string(), |before| before.first_connected_at.clone());
        let put = Put::builder()
            .table_name(&self.state)
            .item("pk", s(connection::pk(pending.scope.mode())))
            .item("sk", s(pending.scope.account().as_str()))
            .item("state", s(ConnectionState::Active.as_str()))
            .item("lanes", n(before.map_or(terms.lanes, |before| before.lanes).count()))
            .item("attempt", s(&pending.attempt))
            .item("display_name", s(&pending.display_name))
            .item("country", s(&pending.country))
            .item("currency", s(pending.currency.as_str()))
            .item("permissions", s(terms.permissions))
            .item("first_connected_at", s(first))
            .item("connected_at", s(now.to_string()))
            .item("tokens", b(pending.tokens.as_slice()))
            .item("endpoint", s(terms.endpoint.as_str()));
        // All that is said of earlier tokens goes with the row that this one replaces.
        let put = match pending.tokens_at {
            Some(at) => put.item("tokens_at", s(at.to_string())),
            None => put,
        };
        let put = match before {
            Some(before) => {
                put.condition_expression("attempt = :before").expression_attribute_values(":before", s(&before.attempt))
            }
            None => put.condition_expression("attribute_not_exists(pk)"),
        };
        put.build()
            .map(|put| TransactWriteItem::builder().put(put).build())
            .map_err(|_| AwsError::unexpected("connecting", "request not built").into())
    }
}

/// The entries, in order: connected, webhooks registered (once for each endpoint), a plan adopted each.
fn drafts(
    pending: &Pending,
    terms: &Terms<'_>,
    before: Option<&Before>,
    new_plans: &[&StarterPlan],
    log: &LogId,
    operator: &Actor,
) -> Vec<Draft> {
    let draft = |actor: &Actor, ty, fields: Value| {
        let fields = if let Value::Object(fields) = fields { fields } else { Map::new() };
        Draft { log: log.clone(), actor: actor.clone(), ty, fields }
    };
    let lanes = before.map_or(terms.lanes, |before| before.lanes);
    let mut drafts = vec![draft(
        operator,
        EntryType::ConnectionConnected,
        json!({
            "attempt": pending.attempt,
            "country": pending.country,
            "currency": pending.currency.as_str(),
            "lanes": lanes.count(),
            "permissions": terms.permissions,
            "reconnected": before.is_some(),
        }),
    )];
    if before.and_then(|before| before.endpoint.as_deref()) != Some(terms.endpoint.as_str()) {
        drafts.push(draft(
            &Actor::Axiru,
            EntryType::ConnectionWebhooksRegistered,
            json!({
                "endpoint": terms.endpoint.as_str(),
                "events": terms.events,
                "api_version": axiru_stripe::API_VERSION,
            }),
        ));
    }
    drafts.extend(new_plans.iter().map(|plan| {
        draft(
            operator,
            EntryType::PlanAdopted,
            json!({
                "plan": plan.name,
                "plan_sha256": plan.sha256,
                "policy_mode": "shadow",
                "attempt": pending.attempt,
                "source": "starter",
            }),
        )
    }));
    drafts
}

#[cfg(test)]
mod tests {
    use axiru_ledger::entry::Tip;

    use super::*;
    use crate::connect::token::{Token, TokenPurpose};

    fn pending() -> Pending {
        let hash = Token::random().unwrap().hash(TokenPurpose::State);
        Pending {
            scope: "live/acct_1".parse().unwrap(),
            display_name: "Rosa’s Shop <canary@example.com>".into(),
            country: "DE".into(),
            currency: "eur".parse().unwrap(),
            attempt: "att_0f".into(),
            link: hash.clone(),
            hash,
            tokens: b"canary".to_vec(),
            tokens_at: None,
        }
    }

    fn entries(before: Option<&Before>, plans: &[StarterPlan]) -> Vec<axiru_ledger::entry::Entry> {
        let pending = pending();
        let endpoint = "we_1".parse().unwrap();
        let lanes = Lanes::try_from(4).unwrap();
        let terms = Terms {
            lanes,
            permissions: "read_only",
            endpoint: &endpoint,
            events: &["payout.created", "refund.created"],
            plans,
        };
        let log = LogId { scope: pending.scope.clone(), lane: Lane::ZERO };
        let plans: Vec<_> = plans.iter().collect();
        let mut tip = Tip::EMPTY;
        drafts(&pending, &terms, before, &plans, &log, &Actor::Operator("op_1".into()))
            .iter()
            .map(|draft| {
                let entry = draft.at_tip(&tip, Timestamp::from_secs(1_793_404_800).unwrap()).unwrap();
                tip = entry.next_tip();
                entry
            })
            .collect()
    }

    fn plan(name: &str) -> StarterPlan {
        StarterPlan { name: name.into(), sha256: "ab".repeat(32), document: b"{}".to_vec() }
    }

    #[test]
    fn a_first_connect_writes_every_entry_and_nothing_personal() {
        let entries = entries(None, &[plan("refunds"), plan("payouts")]);
        let types: Vec<_> = entries.iter().map(|entry| entry.ty()).collect();
        assert_eq!(types, ["connection.connected", "connection.webhooks_registered", "plan.adopted", "plan.adopted"]);
        assert_eq!(entries[0].fields()["reconnected"], false);
        for entry in &entries {
            assert!(!String::from_utf8_lossy(entry.bytes()).contains("canary"));
        }
    }

    #[test]
    fn a_reconnect_keeps_its_lanes_and_repeats_no_endpoint() {
        let mut before = Before {
            lanes: Lanes::try_from(16).unwrap(),
            attempt: "att_00".into(),
            endpoint: Some("we_1".into()),
            first_connected_at: "2026-10-31T00:00:00.000Z".into(),
        };
        let again = entries(Some(&before), &[]);
        assert_eq!(again.len(), 1);
        assert_eq!((&again[0].fields()["lanes"], &again[0].fields()["reconnected"]), (&json!(16), &json!(true)));
        before.endpoint = Some("we_0".into());
        assert_eq!(entries(Some(&before), &[]).len(), 2);
    }
}
