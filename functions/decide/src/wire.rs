//! What crosses the wire: the published names, with the bounds that the description states and the parser keeps.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;

use crate::described;

/// A question: may this movement be made?
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct DecisionRequest {
    pub(crate) intent: IntentBody,
    #[serde(default)]
    #[schema(schema_with = described::context)]
    pub(crate) context: Map<String, Value>,
    #[schema(schema_with = described::idempotency_key)]
    pub(crate) idempotency_key: Option<String>,
    #[serde(default)]
    #[schema(schema_with = described::execute)]
    pub(crate) execute: bool,
}

/// The movement asked for, of whatever kind: what each kind has is described by [`described`] and checked by `ask`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct IntentBody {
    pub(crate) kind: String,
    pub(crate) amount_cents: i64,
    pub(crate) currency: String,
    pub(crate) stripe_connection_id: Option<String>,
    pub(crate) charge: Option<String>,
    pub(crate) payment_intent: Option<String>,
    pub(crate) transfer: Option<String>,
    pub(crate) dispute: Option<String>,
    pub(crate) destination: Option<String>,
    pub(crate) source_transaction: Option<String>,
    pub(crate) reason: Option<String>,
    pub(crate) method: Option<String>,
    #[serde(default)]
    pub(crate) metadata: BTreeMap<String, String>,
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

/// Whose money: of Stripe's test mode or of its live mode.
#[derive(ToSchema)]
#[schema(rename_all = "snake_case")]
#[allow(dead_code, reason = "names the words in the description; they are the domain's")]
pub(crate) enum ModeWord {
    Test,
    Live,
}

/// Whether a plan counts or only watches.
#[derive(ToSchema)]
#[schema(rename_all = "snake_case")]
#[allow(dead_code, reason = "names the words in the description; they are the plan's")]
pub(crate) enum PolicyModeWord {
    Enforce,
    Shadow,
}

/// An answer that was asked for before is the same for ever, but for `status`, `object`, `failure` and `cached`.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct DecisionAnswer {
    /// The decision's id, `dec_…`.
    #[schema(pattern = "^dec_[0-9a-f]{32}$")]
    pub(crate) decision_id: String,
    pub(crate) outcome: OutcomeWord,
    /// Why: the first reason of the plan that decided, such as `policy:large-refund`, `limit:agent-per-day`, `fact_unknown:customer`;
    /// `no_plan_enforced` where every plan only watches.
    pub(crate) reason: String,
    /// The policy or limit that decided; null where none did.
    #[schema(required)]
    pub(crate) matched_rule: Option<String>,
    /// SHA-256 of the plan that decided: its version. Null where none is enforced.
    #[schema(required, pattern = "^[0-9a-f]{64}$")]
    pub(crate) policy_version: Option<String>,
    /// The group that would have to approve; null unless `outcome` is `pending_approval`.
    #[schema(required)]
    pub(crate) approver_role: Option<String>,
    /// What the outcome would be if every plan were enforced.
    pub(crate) would_be: OutcomeWord,
    /// Where the request stands now.
    pub(crate) status: StatusWord,
    /// The Stripe object that it became; null where it became none yet, or nobody knows.
    #[schema(required)]
    pub(crate) object: Option<String>,
    /// Why it was not made; null unless `status` is `failed` or `cancelled`.
    #[schema(required)]
    pub(crate) failure: Option<FailureAnswer>,
    /// How the people stand who were asked; null where nobody was.
    #[schema(required)]
    pub(crate) approval: Option<ApprovalAnswer>,
    /// When an allowed or pending request ends by itself; null for a denied one.
    #[schema(required, schema_with = described::end)]
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

/// Where a request stands: `allowed` and `pending` are open, `settled` was seen at Stripe, `expired` was not made or approved in time,
/// `denied` is forbidden by a plan or by one of those who were asked, `cancelled` was held or approved and is not made because things are
/// no longer as they were. Of what Axiru makes: `approved` is about to begin, `executing` is under way, `unknown` was sent and Axiru finds out, `succeeded` was made, `failed` was not and will not be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum StatusWord {
    Allowed,
    Pending,
    Approved,
    Denied,
    Executing,
    Unknown,
    Succeeded,
    Failed,
    Settled,
    Expired,
    Cancelled,
}

/// How the people stand who were asked.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ApprovalAnswer {
    /// Every one of these groups must approve.
    pub(crate) groups: Vec<GroupAnswer>,
    /// The first digits of the hash of exactly what would be done: approvers see the same.
    #[schema(pattern = "^[0-9A-F]{8}$")]
    pub(crate) digest: String,
    /// Until when they may answer.
    #[schema(schema_with = described::moment)]
    pub(crate) until: String,
}

/// How one group stands.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct GroupAnswer {
    pub(crate) group: String,
    /// How many of them must approve.
    pub(crate) quorum: u32,
    /// How many have.
    pub(crate) approved: u32,
    /// How many were asked. Fewer than `quorum`: it can only expire.
    pub(crate) asked: u32,
}

/// Why a movement was not made.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct FailureAnswer {
    /// `stripe_refused`, `permission_missing`, `stopped` by an operator, or `not_executed`: Stripe was never reached. Of what was cancelled after it was held: what has
    /// changed, such as `refunded_since`, `disputed_since`, `blocked_now`, `new_rule`, `quorum_lost`.
    pub(crate) reason: String,
    /// Stripe's HTTP status, where it answered.
    #[schema(required)]
    pub(crate) status: Option<u16>,
    /// Stripe's code, such as `charge_already_refunded`.
    #[schema(required)]
    pub(crate) code: Option<String>,
}

/// The movement as it was understood.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct IntentAnswer {
    #[schema(value_type = KindWord)]
    pub(crate) kind: String,
    #[schema(minimum = 1, maximum = 9_007_199_254_740_991_i64)]
    pub(crate) amount_cents: u64,
    #[schema(pattern = "^[a-z]{3}$")]
    pub(crate) currency: String,
    #[schema(schema_with = described::account)]
    pub(crate) stripe_connection_id: String,
    /// `test` or `live`: the key's mode.
    #[schema(value_type = ModeWord)]
    pub(crate) mode: String,
    /// What it is about, by what it is: `charge`, `payment_intent`, `transfer`, `dispute`, `destination`.
    pub(crate) objects: BTreeMap<String, String>,
}

/// One plan's answer.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct VerdictAnswer {
    pub(crate) plan: String,
    #[schema(pattern = "^[0-9a-f]{64}$")]
    pub(crate) plan_sha256: String,
    /// `enforce` counts, `shadow` only watches.
    #[schema(value_type = PolicyModeWord)]
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
    #[schema(required)]
    pub(crate) max_amount: Option<u64>,
    #[schema(required)]
    pub(crate) max_count: Option<u64>,
    /// What is left after this movement, if it was counted: null where the limit has no such cap.
    #[schema(required)]
    pub(crate) left_amount: Option<u64>,
    #[schema(required)]
    pub(crate) left_count: Option<u64>,
    /// Whether this movement would pass it.
    pub(crate) passed: bool,
}

/// Where the decision stands in the ledger.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Audit {
    /// When the entry was made.
    #[schema(schema_with = described::moment)]
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
    #[schema(required, schema_with = described::next_cursor)]
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
    #[schema(nullable = false)]
    field: Option<String>,
}
