//! Disputes: a cardholder asks the bank for the money back. Opened by the control API, as no API call can open one.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::balance_transaction::{BalanceTransaction, Posting, post};
use crate::charge::Charge;
use crate::error::StripeError;
use crate::event::Cause;
use crate::evidence::{Evidence, EvidenceDetails, EvidenceUpdate};
use crate::mode::Scope;
use crate::params::Params;
use crate::state::State;
use crate::table::{Stored, Table, render};
use crate::world::World;

/// What Stripe charges for a dispute in USD; the exact sum does not matter here.
const DISPUTE_FEE_MINOR: i64 = 1500;

/// `du_…`
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(tag = "object", rename = "dispute")]
pub(crate) struct Dispute {
    pub id: String,
    pub amount: i64,
    pub balance_transactions: Vec<BalanceTransaction>,
    pub charge: String,
    pub created: i64,
    pub currency: String,
    pub enhanced_eligibility_types: Vec<String>,
    pub evidence: Evidence,
    pub evidence_details: EvidenceDetails,
    pub is_charge_refundable: bool,
    pub livemode: bool,
    pub metadata: BTreeMap<String, String>,
    pub payment_intent: Option<String>,
    pub payment_method_details: Value,
    pub reason: String,
    pub status: String,
}

impl Stored for Dispute {
    const NOUN: &'static str = "dispute";

    fn id(&self) -> &str {
        &self.id
    }

    fn created(&self) -> i64 {
        self.created
    }

    fn table(world: &World) -> &Table<Self> {
        &world.disputes
    }

    fn table_mut(world: &mut World) -> &mut Table<Self> {
        &mut world.disputes
    }
}

impl Dispute {
    fn is_inquiry(&self) -> bool {
        self.status.starts_with("warning_")
    }

    fn is_closed(&self) -> bool {
        matches!(self.status.as_str(), "won" | "lost" | "warning_closed" | "prevented")
    }

    fn awaits_response(&self) -> bool {
        matches!(self.status.as_str(), "needs_response" | "warning_needs_response")
    }
}

/// A dispute to be opened.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct NewDispute {
    /// `ch_…`
    pub charge: String,
    /// Minor units; the charge's amount if absent.
    pub amount: Option<i64>,
    /// Stripe's reason; `fraudulent` if absent.
    pub reason: Option<String>,
    /// True for an inquiry: nothing is withdrawn.
    pub inquiry: bool,
    /// Evidence that Stripe already knows: names, e-mails, addresses.
    pub evidence: BTreeMap<String, String>,
    /// Seconds from now until the response is due; seven days if absent, 0 for a `due_by` of 0.
    pub due_in_secs: Option<i64>,
    /// Free texts.
    pub metadata: BTreeMap<String, String>,
}

/// Opens a dispute: `charge.dispute.created`, and `…funds_withdrawn` unless it is an inquiry.
pub(crate) fn open(state: &mut State, scope: &Scope, new: NewDispute, cause: &Cause) -> Result<Value, StripeError> {
    let charge = state.find::<Charge>(scope, &new.charge, "charge")?.clone();
    let amount = new.amount.unwrap_or(charge.amount);
    if amount < 1 || amount > charge.amount {
        return Err(StripeError::invalid(
            "amount",
            format!("must be between 1 and the charge's amount ({})", charge.amount),
        ));
    }
    let mut evidence = Evidence::default();
    evidence.merge(new.evidence)?;
    let id = state.ids.next("du");
    let due_by = match new.due_in_secs {
        Some(0) => 0,
        given => state.now().saturating_add(given.unwrap_or(7 * 24 * 3600)),
    };
    let dispute = Dispute {
        id: id.clone(),
        amount,
        balance_transactions: Vec::new(),
        charge: charge.id.clone(),
        created: state.now(),
        currency: charge.currency.clone(),
        enhanced_eligibility_types: Vec::new(),
        evidence,
        evidence_details: EvidenceDetails::new(due_by),
        is_charge_refundable: new.inquiry,
        livemode: scope.mode.livemode(),
        metadata: new.metadata,
        payment_intent: charge.payment_intent.clone(),
        payment_method_details: json!({"type": "card", "card": {
            "brand": "visa",
            "case_type": if new.inquiry { "inquiry" } else { "chargeback" },
            "network": "visa",
            "network_reason_code": "10.4",
        }}),
        reason: new.reason.unwrap_or_else(|| "fraudulent".into()),
        status: if new.inquiry { "warning_needs_response" } else { "needs_response" }.into(),
    };
    let mut value = state.store(scope, dispute);
    state.change::<Charge>(scope, &charge.id, |charge| charge.disputed = true)?;
    if !new.inquiry {
        value = adjust(state, scope, &id, -amount, DISPUTE_FEE_MINOR)?;
    }
    state.emit(scope, "charge.dispute.created", value.clone(), None, cause);
    if !new.inquiry {
        state.emit(scope, "charge.dispute.funds_withdrawn", value.clone(), None, cause);
    }
    Ok(value)
}

/// Moves disputed money and notes the transaction in the dispute.
fn adjust(state: &mut State, scope: &Scope, id: &str, amount: i64, fee: i64) -> Result<Value, StripeError> {
    let currency = state.find::<Dispute>(scope, id, "id")?.currency.clone();
    let category = if amount < 0 { "dispute" } else { "dispute_reversal" };
    let posting = Posting { kind: "adjustment", category, amount, fee, currency: &currency, source: Some(id) };
    let transaction = post(state, scope, posting);
    let transaction = state.find::<BalanceTransaction>(scope, &transaction, "id")?.clone();
    state.change::<Dispute>(scope, id, |dispute| dispute.balance_transactions.push(transaction)).map(|(value, _)| value)
}

/// `POST /v1/disputes/:id`. Any evidence submits everything unless `submit=false`; metadata alone submits nothing.
pub(crate) fn update_from(
    state: &mut State,
    scope: &Scope,
    id: &str,
    mut params: Params,
    cause: &Cause,
) -> Result<Value, StripeError> {
    let metadata = params.metadata()?;
    let submit = params.flag("submit")?;
    let evidence = match params.group("evidence")? {
        Some(group) => Some(group.rest()?),
        None => None,
    };
    params.finish()?;
    let update = EvidenceUpdate { evidence, submit };
    let dispute = state.find::<Dispute>(scope, id, "id")?;
    let (evidence, submits) = respond(state, dispute, update)?;
    state.change_and_tell::<Dispute>(scope, id, "charge.dispute.updated", cause, |dispute| {
        metadata.apply(&mut dispute.metadata);
        take(dispute, evidence, submits);
    })
}

/// The same, in the Dashboard.
pub(crate) fn update(
    state: &mut State,
    scope: &Scope,
    id: &str,
    update: EvidenceUpdate,
    cause: &Cause,
) -> Result<Value, StripeError> {
    let dispute = state.find::<Dispute>(scope, id, "id")?;
    let (evidence, submits) = respond(state, dispute, update)?;
    state.change_and_tell::<Dispute>(scope, id, "charge.dispute.updated", cause, |dispute| {
        take(dispute, evidence, submits)
    })
}

/// The evidence a dispute will have and whether it goes to the bank, or why not.
fn respond(state: &State, dispute: &Dispute, update: EvidenceUpdate) -> Result<(Evidence, bool), StripeError> {
    let touches = update.evidence.is_some() || update.submit == Some(true);
    let submits = touches && update.submit.unwrap_or(true);
    if touches && (dispute.is_closed() || dispute.evidence_details.submission_count > 0) {
        let message = format!(
            "Evidence for dispute {} was already submitted, or the dispute is closed ({}).",
            dispute.id, dispute.status
        );
        return Err(StripeError::refused(None, message));
    }
    let due_by = dispute.evidence_details.due_by.unwrap_or(0);
    if touches && due_by > 0 && state.now() > due_by {
        return Err(StripeError::refused(None, format!("The response to dispute {} was due already.", dispute.id)));
    }
    let mut evidence = dispute.evidence.clone();
    evidence.merge(update.evidence.unwrap_or_default())?;
    Ok((evidence, submits))
}

fn take(dispute: &mut Dispute, evidence: Evidence, submits: bool) {
    dispute.evidence_details.has_evidence = !evidence.is_empty();
    dispute.evidence = evidence;
    if submits {
        dispute.evidence_details.submission_count += 1;
        dispute.status = if dispute.is_inquiry() { "warning_under_review" } else { "under_review" }.into();
    }
}

/// `POST /v1/disputes/:id/close`: the account gives up. Irreversible.
pub(crate) fn close(
    state: &mut State,
    scope: &Scope,
    id: &str,
    params: Params,
    cause: &Cause,
) -> Result<Value, StripeError> {
    params.finish()?;
    let dispute = state.find::<Dispute>(scope, id, "id")?;
    if !dispute.awaits_response() {
        return Err(StripeError::refused(None, format!("Dispute {id} cannot be closed: it is {}.", dispute.status)));
    }
    settle(state, scope, id, if dispute.is_inquiry() { "warning_closed" } else { "lost" }, cause)
}

/// The bank decides, or the account gives up: `won`, `lost` or `warning_closed`.
pub(crate) fn settle(
    state: &mut State,
    scope: &Scope,
    id: &str,
    status: &str,
    cause: &Cause,
) -> Result<Value, StripeError> {
    let dispute = state.find::<Dispute>(scope, id, "id")?.clone();
    if dispute.is_closed() {
        return Err(StripeError::refused(None, format!("Dispute {id} is already closed: {}.", dispute.status)));
    }
    let allowed: &[&str] = if dispute.is_inquiry() { &["warning_closed"] } else { &["won", "lost"] };
    if !allowed.contains(&status) {
        return Err(StripeError::one_of("status", allowed));
    }
    let won = status == "won";
    if won {
        adjust(state, scope, id, dispute.amount, 0)?;
    }
    let (value, _) = state.change::<Dispute>(scope, id, |dispute| dispute.status = status.to_owned())?;
    let previous = json!({ "status": dispute.status });
    state.emit(scope, "charge.dispute.closed", value.clone(), Some(previous), cause);
    if won {
        let previous = json!({ "balance_transactions": render(&dispute.balance_transactions) });
        state.emit(scope, "charge.dispute.funds_reinstated", value.clone(), Some(previous), cause);
    }
    Ok(value)
}
