//! What crosses the wire: the published names, with the bounds that the description states and the parser keeps.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;

/// A question: may this movement be made?
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct DecisionRequest {
    pub(crate) intent: IntentBody,
    /// What you say about the movement. Policies see it only under `context.claimed`, never as a fact. At most 16 names; values are
    /// words of letters, digits and `_ . : -`, whole numbers, true or false. `rationale` alone may be free text, for approvers.
    #[serde(default)]
    #[schema(value_type = Object)]
    pub(crate) context: Map<String, Value>,
    /// Your own name for this request, made and kept before you ask. It never expires: asked again, the same request gets the same
    /// answer, another one 409. May be sent as the header `Idempotency-Key` instead.
    #[schema(min_length = 1, max_length = 255, pattern = "^[!-~]([ -~]*[!-~])?$")]
    pub(crate) idempotency_key: Option<String>,
    /// Whether Axiru is to make the movement. Not available yet: false.
    #[serde(default)]
    #[schema(default = false)]
    pub(crate) execute: bool,
}

/// The movement asked for.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct IntentBody {
    #[schema(value_type = KindWord)]
    pub(crate) kind: String,
    /// How much, in the smallest unit of the currency: 12000 is 120.00 usd, 12000 jpy, 12.000 kwd.
    #[schema(minimum = 1, maximum = 9_007_199_254_740_991_i64)]
    pub(crate) amount_cents: i64,
    /// Three lower-case letters.
    #[schema(min_length = 3, max_length = 3, pattern = "^[a-z]{3}$", example = "usd")]
    pub(crate) currency: String,
    /// The connected account whose money would move. May be sent as the header `Stripe-Account` instead; needed unless the key is for one
    /// account only.
    #[schema(pattern = "^acct_[A-Za-z0-9]+$", example = "acct_1")]
    pub(crate) stripe_connection_id: Option<String>,
    /// The charge to refund.
    #[schema(pattern = "^(ch|py)_[A-Za-z0-9_]+$")]
    pub(crate) charge: Option<String>,
    /// The payment intent whose charge is to be refunded, instead of `charge`.
    #[schema(pattern = "^pi_[A-Za-z0-9_]+$")]
    pub(crate) payment_intent: Option<String>,
    /// The transfer to reverse.
    #[schema(pattern = "^tr_[A-Za-z0-9_]+$")]
    pub(crate) transfer: Option<String>,
    /// The dispute to answer.
    #[schema(pattern = "^(dp|du)_[A-Za-z0-9_]+$")]
    pub(crate) dispute: Option<String>,
    /// Who receives the money: a bank account or card for a payout, a connected account for a transfer.
    #[schema(pattern = "^(ba|card|acct)_[A-Za-z0-9_]+$")]
    pub(crate) destination: Option<String>,
    /// The charge whose funds are transferred.
    #[schema(pattern = "^(ch|py)_[A-Za-z0-9_]+$")]
    pub(crate) source_transaction: Option<String>,
    /// Why a charge is refunded, in Stripe's words. Left out, the refund has no reason.
    #[schema(value_type = Option<ReasonWord>)]
    pub(crate) reason: Option<String>,
    /// How fast a payout is to arrive. Left out, it is `standard`, as at Stripe.
    #[schema(value_type = Option<MethodWord>)]
    pub(crate) method: Option<String>,
    /// Metadata for the object to be made: at most 50 names of 1 to 40 characters, values of at most 500. Names that begin with `axiru_`
    /// are Axiru's own.
    #[serde(default)]
    pub(crate) metadata: BTreeMap<String, String>,
}

/// Stripe's reasons of a refund.
#[derive(ToSchema)]
#[schema(rename_all = "snake_case")]
#[allow(dead_code, reason = "names the words in the description")]
pub(crate) enum ReasonWord {
    Duplicate,
    Fraudulent,
    RequestedByCustomer,
}

/// Stripe's methods of a payout.
#[derive(ToSchema)]
#[schema(rename_all = "snake_case")]
#[allow(dead_code, reason = "names the words in the description")]
pub(crate) enum MethodWord {
    Standard,
    Instant,
}

/// A kind of movement.
#[derive(ToSchema)]
#[schema(rename_all = "snake_case")]
#[allow(dead_code, reason = "names the words in the description; they are parsed by the domain")]
pub(crate) enum KindWord {
    Refund,
    Payout,
    Transfer,
    TransferReversal,
    DisputeAccept,
    DisputeSubmit,
}

/// An answer that was asked for before is the same for ever, but for `status` and `cached`.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct DecisionAnswer {
    /// The decision's id, `dec_…`.
    pub(crate) decision_id: String,
    pub(crate) outcome: OutcomeWord,
    /// Why: the first reason of the plan that decided, such as `policy:large-refund`, `limit:agent-per-day`, `fact_unknown:customer`;
    /// `no_plan_enforced` where every plan only watches.
    pub(crate) reason: String,
    /// The policy or limit that decided; null where none did.
    pub(crate) matched_rule: Option<String>,
    /// SHA-256 of the plan that decided: its version. Null where none is enforced.
    pub(crate) policy_version: Option<String>,
    /// The group that would have to approve; null unless `outcome` is `pending_approval`.
    pub(crate) approver_role: Option<String>,
    /// What the outcome would be if every plan were enforced.
    pub(crate) would_be: OutcomeWord,
    /// Where the request stands now.
    pub(crate) status: StatusWord,
    /// When an allowed or pending request ends by itself; null for a denied one.
    pub(crate) expires_at: Option<String>,
    pub(crate) intent: IntentAnswer,
    /// Every plan's answer.
    pub(crate) verdicts: Vec<VerdictAnswer>,
    pub(crate) audit: Audit,
    /// Whether it had been decided before this call.
    pub(crate) cached: bool,
}

/// What is answered: `allowed`, `pending_approval` or `denied`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum OutcomeWord {
    Allowed,
    PendingApproval,
    Denied,
}

/// Where a request stands: `allowed` and `pending` are open, `settled` was seen at Stripe, `expired` was not made in time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum StatusWord {
    Allowed,
    Pending,
    Denied,
    Settled,
    Expired,
}

/// The movement as it was understood.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct IntentAnswer {
    #[schema(value_type = KindWord)]
    pub(crate) kind: String,
    pub(crate) amount_cents: u64,
    pub(crate) currency: String,
    pub(crate) stripe_connection_id: String,
    /// `test` or `live`: the key's mode.
    pub(crate) mode: String,
    /// What it is about, by what it is: `charge`, `payment_intent`, `transfer`, `dispute`, `destination`.
    pub(crate) objects: BTreeMap<String, String>,
}

/// One plan's answer.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct VerdictAnswer {
    pub(crate) plan: String,
    pub(crate) plan_sha256: String,
    /// `enforce` counts, `shadow` only watches.
    pub(crate) policy_mode: String,
    pub(crate) outcome: OutcomeWord,
    /// Every policy and limit that made it so.
    pub(crate) reasons: Vec<String>,
    /// Who would have to approve.
    pub(crate) holds: Vec<HoldAnswer>,
    /// What is left in each limit of the plan that applies.
    pub(crate) limits: Vec<LimitAnswer>,
}

/// What one rule or limit asks of people.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct HoldAnswer {
    pub(crate) rule: String,
    pub(crate) group: String,
    pub(crate) quorum: u64,
    pub(crate) expires_secs: u64,
}

/// One limit, as it stood before the decision, and what is left after it.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct LimitAnswer {
    pub(crate) limit: String,
    /// For whom it counts: `actor#agent:ag_1`, `account#-`.
    pub(crate) subject: String,
    /// In minor units, before this movement.
    pub(crate) used_amount: u64,
    pub(crate) used_count: u64,
    pub(crate) max_amount: Option<u64>,
    pub(crate) max_count: Option<u64>,
    /// What is left after this movement, if it was counted: null where the limit has no such cap.
    pub(crate) left_amount: Option<u64>,
    pub(crate) left_count: Option<u64>,
    /// Whether this movement would pass it.
    pub(crate) passed: bool,
}

/// Where the decision stands in the ledger.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Audit {
    /// When the entry was made.
    pub(crate) logged_at: String,
    /// The entry's id.
    pub(crate) ledger_id: String,
    /// The log: `live/acct_1/0`.
    pub(crate) log: String,
    /// The entry's number in the log.
    pub(crate) seq: u64,
}

/// A page of decisions, newest first.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct DecisionList {
    pub(crate) data: Vec<DecisionAnswer>,
    /// Pass as `cursor` for the next page; null on the last one. A page can be shorter than asked for and not the last.
    pub(crate) next_cursor: Option<String>,
}

/// Why there is no answer (RFC 9457).
#[derive(ToSchema)]
#[allow(dead_code, reason = "describes what axiru-runtime writes")]
pub(crate) struct ProblemBody {
    #[schema(rename = "type")]
    r#type: String,
    title: String,
    status: u16,
    /// A word that programs can test.
    code: String,
    /// One sentence for people.
    detail: String,
    /// The field that is wrong, as a path such as `intent.amount_cents`.
    field: Option<String>,
}
