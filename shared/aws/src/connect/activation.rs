//! Activation: what a person confirmed becomes a connection, in one transaction with its ledger entries.
//!
//! A connect again of an account resumes its logs: the lanes and the plans it has stay, only tokens and profile are new.

use aws_sdk_dynamodb::types::{AttributeValue, Put, TransactWriteItem};
use axiru_domain::{Actor, Lane, Lanes, LogId, PolicyMode, StripeId, Timestamp};
use axiru_ledger::entry::Draft;
use axiru_ledger::types::EntryType;
use serde_json::{Map, Value, json};

use crate::connect::admission::Admission;
use crate::connect::install::{Install, InstallError, Pending};
use crate::connect::setup_link::LinkRow;
use crate::connection::{self, ConnectionState, Credential};
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
    /// The mode's webhook endpoint; none where the account has one of its own.
    pub endpoint: Option<&'a StripeId>,
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
    fn read(row: &Item) -> Result<Self, crate::item::RowError> {
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
        let log = LogId { scope: pending.grant.scope.clone(), lane: Lane::ZERO };
        self.commit(&log, now, || self.activation(pending, terms, now())).await?;
        told(&pending.grant);
        Ok(())
    }

    /// What is to be written, from the rows as they stand; nothing if this install is confirmed already.
    async fn activation(
        &self,
        pending: &Pending,
        terms: &Terms<'_>,
        now: Timestamp,
    ) -> Result<Writes, ActivationError> {
        let scope = &pending.grant.scope;
        if let Install::Confirmed(..) = self.install_again(pending).await? {
            return Ok(Writes::default());
        }
        let link = self.link_row(scope.mode(), &pending.link).await?;
        let link: LinkRow = link.filter(|link| link.used_by_attempt.is_none()).ok_or(ActivationError::LinkUsed)?;
        let mut writes = self.connecting(&pending.grant, terms, &link.created_by, now).await?;
        writes.rows.push(self.confirm_install(pending)?);
        writes.rows.push(self.use_link(scope.mode(), &pending.link, scope.account(), &pending.grant.attempt, now)?);
        Ok(writes)
    }

    /// The connection, its plans and its entries, by that operator.
    pub(super) async fn connecting(
        &self,
        grant: &Admission,
        terms: &Terms<'_>,
        operator: &str,
        now: Timestamp,
    ) -> Result<Writes, StoreError> {
        let scope = &grant.scope;
        let before = self.row(&connection::pk(scope.mode()), scope.account().as_str()).await?;
        let before = before.as_ref().map(Before::read).transpose()?;
        let mut heads = self.plan_heads(scope).await?;
        let new_plans: Vec<&StarterPlan> = terms.plans.iter().filter(|plan| heads.of(&plan.name).is_none()).collect();

        let mut rows = vec![self.connection_row(grant, terms, before.as_ref(), now)?];
        let number = heads.version() + 1;
        for plan in &new_plans {
            let head =
                PlanHead { plan: plan.name.clone(), sha256: plan.sha256.clone(), policy_mode: PolicyMode::Shadow };
            rows.extend(self.plan_version(scope, &head, &plan.document, number, operator, now)?);
            heads.set(head);
        }
        if !new_plans.is_empty() {
            rows.push(heads.write(self, scope)?);
        }
        let drafts = drafts(grant, terms, before.as_ref(), &new_plans, &Actor::Operator(operator.to_owned()));
        Ok(Writes { drafts, rows })
    }

    fn connection_row(
        &self,
        grant: &Admission,
        terms: &Terms<'_>,
        before: Option<&Before>,
        now: Timestamp,
    ) -> Result<TransactWriteItem, StoreError> {
        let first = before.map_or_else(|| now.to_string(), |before| before.first_connected_at.clone());
        let put = Put::builder()
            .table_name(&self.state)
            .item("pk", s(connection::pk(grant.scope.mode())))
            .item("sk", s(grant.scope.account().as_str()))
            .item("state", s(ConnectionState::Active.as_str()))
            .item("lanes", n(before.map_or(terms.lanes, |before| before.lanes).count()))
            .item("attempt", s(&grant.attempt))
            .item("display_name", s(&grant.display_name))
            .item("country", s(&grant.country))
            .item("currency", s(grant.currency.as_str()))
            .item("permissions", s(terms.permissions))
            .item("first_connected_at", s(first))
            .item("connected_at", s(now.to_string()))
            .item("tokens", b(grant.sealed.as_slice()));
        // All that is said of earlier tokens goes with the row that this one replaces.
        let put = match grant.sealed_at {
            Some(at) => put.item("tokens_at", s(at.to_string())),
            None => put,
        };
        let put = match terms.endpoint {
            Some(endpoint) => put.item("endpoint", s(endpoint.as_str())),
            None => put,
        };
        let put = match &grant.key {
            Some(key) => {
                let granted = key.granted.iter().map(s).collect();
                put.item("credential", s(Credential::RestrictedKey.as_str()))
                    .item("granted", AttributeValue::L(granted))
            }
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

/// Tells the log that an account is connected.
pub(super) fn told(grant: &Admission) {
    tracing::info!(scope = %grant.scope, connection.attempt = %grant.attempt, "a Stripe account is connected");
}

/// The entries, in order: connected, webhooks registered (once for each endpoint), a plan adopted each.
fn drafts(
    grant: &Admission,
    terms: &Terms<'_>,
    before: Option<&Before>,
    new_plans: &[&StarterPlan],
    operator: &Actor,
) -> Vec<Draft> {
    let log = LogId { scope: grant.scope.clone(), lane: Lane::ZERO };
    let draft = |actor: &Actor, ty, fields: Value| {
        let fields = if let Value::Object(fields) = fields { fields } else { Map::new() };
        Draft { log: log.clone(), actor: actor.clone(), ty, fields }
    };
    let lanes = before.map_or(terms.lanes, |before| before.lanes);
    let mut connected = json!({
        "attempt": grant.attempt,
        "country": grant.country,
        "currency": grant.currency.as_str(),
        "lanes": lanes.count(),
        "permissions": terms.permissions,
        "reconnected": before.is_some(),
    });
    if let (Some(fields), true) = (connected.as_object_mut(), grant.key.is_some()) {
        fields.insert("restricted_key".to_owned(), true.into());
    }
    let mut drafts = vec![draft(operator, EntryType::ConnectionConnected, connected)];
    let known = before.and_then(|before| before.endpoint.as_deref());
    if let Some(endpoint) = terms.endpoint.filter(|endpoint| known != Some(endpoint.as_str())) {
        drafts.push(draft(
            &Actor::Axiru,
            EntryType::ConnectionWebhooksRegistered,
            json!({
                "endpoint": endpoint.as_str(),
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
                "attempt": grant.attempt,
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
    use crate::connect::admission::KeyTerms;

    fn grant() -> Admission {
        Admission {
            scope: "live/acct_1".parse().unwrap(),
            display_name: "Rosa’s Shop <canary@example.com>".into(),
            country: "DE".into(),
            currency: "eur".parse().unwrap(),
            attempt: "att_0f".into(),
            sealed: b"canary".to_vec(),
            sealed_at: None,
            key: None,
        }
    }

    fn entries(before: Option<&Before>, plans: &[StarterPlan]) -> Vec<axiru_ledger::entry::Entry> {
        let grant = grant();
        let endpoint = "we_1".parse().unwrap();
        let lanes = Lanes::try_from(4).unwrap();
        let terms = Terms {
            lanes,
            permissions: "read_only",
            endpoint: Some(&endpoint),
            events: &["payout.created", "refund.created"],
            plans,
        };
        let plans: Vec<_> = plans.iter().collect();
        read(&drafts(&grant, &terms, before, &plans, &Actor::Operator("op_1".into())))
    }

    fn read(drafts: &[Draft]) -> Vec<axiru_ledger::entry::Entry> {
        let mut tip = Tip::EMPTY;
        drafts
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

    #[test]
    fn a_restricted_key_is_told_as_such_and_registers_nothing() {
        let grant = Admission { key: Some(KeyTerms { granted: vec!["charge_read".into()] }), ..grant() };
        let (lanes, events) = (Lanes::ONE, []);
        let terms = Terms { lanes, permissions: "read_only", endpoint: None, events: &events, plans: &[] };
        let entries = read(&drafts(&grant, &terms, None, &[], &Actor::Operator("op_1".into())));
        assert_eq!(entries.len(), 1);
        assert_eq!(entries[0].fields()["restricted_key"], true);
    }
}
