//! `execute: true`: the call that Axiru is to make, and that what is said of it is so.
//!
//! INVARIANT: Stripe takes no currency with a refund or a reversal, and no money at all with the answer to a dispute. Policies and limits
//! see the money that the caller names: so it is asked of the object, before anything is decided on it.

use std::collections::BTreeMap;
use std::sync::Arc;

use axiru_aws::decide::{Ask, Decided, Parameters};
use axiru_aws::execution::{enqueue, moves_of};
use axiru_aws::jobs::JobQueue;
use axiru_aws::reach::Reach;
use axiru_domain::{Intent, Kind, Money, ObjectRole, RequestStatus, Scope};
use axiru_runtime::metrics::{self, Metric};
use axiru_stripe::gateway::{Moves, Needs, Refused};
use axiru_stripe::rest::Rest;
use axiru_stripe::rest::objects::ReadError;
use axiru_stripe::secret::Secret;
use http::StatusCode;

use crate::NAME;
use crate::refusal::Refusal;

/// What is needed to have movements made.
#[derive(Clone)]
pub struct Executions {
    /// The way to Stripe.
    pub reach: Arc<Reach>,
    /// The worker's queue.
    pub jobs: JobQueue,
}

/// The call that makes an intent.
///
/// # Errors
/// [`Refusal`] at the field that is missing or that the call does not take.
pub(crate) fn call(
    intent: &Intent,
    reason: Option<&str>,
    method: Option<&str>,
    metadata: &BTreeMap<String, String>,
) -> Result<Parameters, Refusal> {
    if let Some(role) = missing(intent) {
        return Err(Refusal::field(format!("intent.{role}"), "needed where `execute` is true"));
    }
    let moves = moves_of(intent, reason, method, metadata).map_err(|refused| at(&refused))?;
    Ok(Parameters { canonical: moves.canonical(), stored: moves.to_stored() })
}

/// The object without which nothing can be made.
fn missing(intent: &Intent) -> Option<ObjectRole> {
    let has = |role| intent.object(role).is_some();
    let role = match intent.kind() {
        Kind::Refund if has(ObjectRole::PaymentIntent) => return None,
        Kind::Refund => ObjectRole::Charge,
        // Without a destination it goes to the account's own default bank account.
        Kind::Payout => return None,
        Kind::Transfer => ObjectRole::Destination,
        Kind::TransferReversal => ObjectRole::Transfer,
        Kind::DisputeAccept | Kind::DisputeSubmit => ObjectRole::Dispute,
    };
    (!has(role)).then_some(role)
}

/// The field that a parameter of Stripe's comes from.
fn at(refused: &Refused) -> Refusal {
    let param = refused.param.as_deref().unwrap_or_default();
    let field = match param.split('[').next().unwrap_or_default() {
        "metadata" => "intent.metadata".to_owned(),
        "amount" => "intent.amount_cents".to_owned(),
        name @ ("currency" | "charge" | "payment_intent" | "destination" | "source_transaction" | "reason"
        | "method") => {
            format!("intent.{name}")
        }
        _ => "execute".to_owned(),
    };
    Refusal::field(field, refused.message.clone())
}

impl Executions {
    /// Asks Stripe whether the money is as the caller says, where the call that makes the movement does not say it.
    ///
    /// # Errors
    /// [`Refusal`].
    pub(crate) async fn check(&self, scope: &Scope, ask: &Ask) -> Result<(), Refusal> {
        let Some(moves) = ask.parameters.as_ref().and_then(|call| Moves::from_stored(&call.stored).ok()) else {
            return Err(Refusal::undecided());
        };
        let needs = match ask.intent.kind() {
            Kind::Payout | Kind::Transfer => return Ok(()),
            Kind::Refund | Kind::TransferReversal | Kind::DisputeAccept | Kind::DisputeSubmit => moves.needs(),
        };
        let tokens = self.reach.tokens();
        let token = tokens.token(scope).await.map_err(|_| Refusal::undecided())?;
        let is = match self.look(scope, &needs, token.secret()).await {
            Err(ReadError::Unauthorized) => {
                let token = tokens.after_refusal(scope, &token).await.map_err(|_| Refusal::undecided())?;
                self.look(scope, &needs, token.secret()).await
            }
            is => is,
        };
        let is = is.map_err(|error| unread(&error, &needs))?;
        let says = ask.intent.money();
        if is.currency != says.currency() {
            return Err(Refusal::field("intent.currency", "Stripe says that the object has another currency"));
        }
        if is.whole.is_some_and(|whole| whole != says) {
            return Err(Refusal::field("intent.amount_cents", "Stripe says that the dispute is about another amount"));
        }
        Ok(())
    }

    async fn look(&self, scope: &Scope, needs: &Needs, token: &Secret) -> Result<Is, ReadError> {
        let (transport, base) = self.reach.rest();
        let rest = Rest::new(transport, base, token);
        let mode = scope.mode();
        let currency = match needs {
            Needs::Charge(id) => rest.charge(mode, id).await?.currency,
            Needs::PaymentIntent(id) => rest.charge_of(mode, id).await?.currency,
            Needs::Transfer(id) => rest.transfer(mode, id).await?.currency,
            Needs::Dispute(id) => {
                let missing = ReadError::Answer { at: "amount", what: "missing" };
                let (amount, currency) = rest.dispute(mode, id).await?.money.ok_or(missing)?;
                let wrong = |_| ReadError::Answer { at: "amount", what: "not an amount" };
                return Ok(Is { currency, whole: Some(Money::new(amount, currency).map_err(wrong)?) });
            }
            Needs::Nothing => return Err(ReadError::Answer { at: "object", what: "missing" }),
        };
        Ok(Is { currency, whole: None })
    }

    /// Has the worker make what was just allowed. A job that is lost is found by the next sweep.
    pub(crate) async fn begin(&self, decided: &Decided) {
        let row = &decided.row;
        if decided.cached || row.status != RequestStatus::Executing {
            return;
        }
        if let Err(error) = enqueue(&self.jobs, row, &decided.entry).await {
            metrics::count(NAME, Some(row.scope.mode()), Metric::JobsLost, 1);
            tracing::warn!(scope = %row.scope, decision.id = %row.id, error = %error, "a job was not queued: the next sweep does it");
        }
    }
}

/// What Stripe says of an object.
struct Is {
    currency: axiru_domain::Currency,
    /// All of it, where it moves as a whole.
    whole: Option<Money>,
}

fn unread(error: &ReadError, needs: &Needs) -> Refusal {
    let role = match needs {
        Needs::PaymentIntent(_) => "payment_intent",
        Needs::Transfer(_) => "transfer",
        Needs::Dispute(_) => "dispute",
        Needs::Charge(_) | Needs::Nothing => "charge",
    };
    match error {
        ReadError::NoSuch => {
            Refusal::field(format!("intent.{role}"), "Stripe knows no such object on this account in this mode")
        }
        ReadError::Permission(name) => Refusal::other(
            StatusCode::FORBIDDEN,
            "permission_missing",
            format!(
                "Axiru's app lacks the permission `{name}` at Stripe: an operator uploads the manifest that has it and connects the \
                 account again with `axiru connect`"
            ),
        ),
        _ => Refusal::undecided(),
    }
}
