//! What a caller asks, parsed and bounded but not yet authenticated.

use std::collections::BTreeMap;

use axiru_domain::{
    AccountId, Claimed, Fact, FactValue, Facts, IdempotencyKey, Intent, KeyToken, Kind, Money, ObjectRole, Scope,
    StripeId,
};
use axiru_ledger::canonical;
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use crate::connect::token::hex;

/// A request for a decision.
pub struct Ask {
    /// The key that is presented.
    pub token: KeyToken,
    /// The account whose money would move. The mode is the key's.
    pub account: AccountId,
    /// The movement.
    pub intent: Intent,
    /// Stripe's reason of a refund: `duplicate`, `fraudulent`, `requested_by_customer`. What is asked for without one has none.
    pub reason: Option<String>,
    /// Stripe's method of a payout: `standard`, which is Stripe's default, or `instant`.
    pub method: Option<String>,
    /// What the caller says about it.
    pub claimed: Claimed,
    /// The caller's own words for approvers. Free text: kept in the request's row, in no entry and no log.
    pub rationale: Option<String>,
    /// Stripe metadata for the object to be made. Only hashed here: nothing is executed yet.
    pub metadata: BTreeMap<String, String>,
    /// The caller's name for the request.
    pub idempotency_key: IdempotencyKey,
    /// What the decision is for.
    pub purpose: Purpose,
    /// The call that makes the movement, where Axiru is to make it.
    pub parameters: Option<Parameters>,
}

/// What a decision is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// The caller makes the movement, or not.
    Advise,
    /// The caller waits while Axiru makes it.
    Send,
    /// Axiru makes it, and nobody waits.
    Queue,
}

/// The call that makes a movement. It may name people: it is hashed into the request's digest, and sealed where it has to wait.
#[derive(Clone, PartialEq, Eq)]
pub struct Parameters {
    /// What two calls must share to be one: the canonical bytes.
    pub canonical: Vec<u8>,
    /// Everything that is needed to make it later.
    pub stored: Vec<u8>,
}

impl Ask {
    /// The scope: the key's mode with the account.
    #[must_use]
    pub fn scope(&self) -> Scope {
        Scope::new(self.token.mode(), self.account.clone())
    }

    /// SHA-256 of all that is asked, in hex: two requests with one digest are one.
    #[must_use]
    pub fn digest(&self) -> String {
        let hash = |text: &str| hex(&Sha256::digest(text.as_bytes()));
        let money = self.intent.money();
        let asked = json!({
            "v": 1,
            "scope": self.scope().to_string(),
            "kind": self.intent.kind().as_str(),
            "amount_minor": money.amount_minor(),
            "currency": money.currency().as_str(),
            "objects": self.objects(),
            "reason": self.reason,
            "method": self.method,
            "claimed": self.claimed.to_json(),
            "metadata": self.metadata,
            "rationale": self.rationale.as_deref().map(hash),
            "execute": self.is_executed(),
        });
        let mut asked = asked;
        if let (Some(parameters), Some(asked)) = (&self.parameters, asked.as_object_mut()) {
            asked.insert("parameters_sha256".into(), hex(&Sha256::digest(&parameters.canonical)).into());
        }
        // Nothing in it that canonical JSON refuses: words, integers within 2^53, text.
        hash(&canonical::write(&asked).unwrap_or_else(|_| asked.to_string()))
    }

    /// Whether Axiru is to make the movement.
    pub(super) fn is_executed(&self) -> bool {
        self.purpose != Purpose::Advise
    }

    /// The objects by their roles, as entries write them.
    pub(super) fn objects(&self) -> Value {
        let objects = self.intent.objects().iter();
        Value::Object(objects.map(|(role, id)| (role.as_str().to_owned(), id.as_str().into())).collect::<Map<_, _>>())
    }

    /// How much.
    pub(super) const fn money(&self) -> Money {
        self.intent.money()
    }

    /// What the request itself tells of the movement; everything else is unknown until it is asked for.
    pub(super) fn facts(&self) -> Facts {
        told(&self.intent, self.reason.as_deref(), self.method.as_deref())
    }
}

/// What a movement that is asked for tells of itself.
pub(crate) fn told(intent: &Intent, reason: Option<&str>, method: Option<&str>) -> Facts {
    let kind = intent.kind();
    let mut facts = Facts::unknown(kind);
    let mut set = |name: &str, fact: Fact| {
        // A fact that the kind does not have is none of its facts.
        let _ = facts.set(name, fact);
    };
    let text = |text: &str| Fact::Known(FactValue::Text(text.to_owned()));
    for (role, id) in intent.objects() {
        // The dispute is the movement's own object, and no fact of it.
        if *role != ObjectRole::Dispute {
            set(role.as_str(), text(id.as_str()));
        }
    }
    match kind {
        Kind::Refund => set("reason", reason.map_or(Fact::Absent, text)),
        Kind::Payout => {
            set("method", text(method.unwrap_or("standard")));
            // Only Stripe's own schedule makes automatic payouts.
            set("automatic", Fact::Known(FactValue::Bool(false)));
            match intent.object(ObjectRole::Destination).map(StripeId::prefix) {
                Some("ba") => set("destination_type", text("bank_account")),
                Some("card") => set("destination_type", text("card")),
                _ => {}
            }
        }
        Kind::Transfer if intent.object(ObjectRole::SourceTransaction).is_none() => {
            set("source_transaction", Fact::Absent);
        }
        // A reversal that a refund causes is made with the refund, and not asked for by itself.
        Kind::TransferReversal => set("source_refund", Fact::Absent),
        Kind::Transfer | Kind::DisputeAccept | Kind::DisputeSubmit => {}
    }
    facts
}
