//! A connected account with charges, and questions about them.

use std::collections::BTreeSet;

use axiru_aws::facts::{Learnt, StripeFacts, Subject, askable};
use axiru_domain::{FactValue, Kind, Mode, Scope, StripeId};
use serde_json::{Value, json};

use crate::refresh::ground::{ACCOUNT, Ground, now, scope};

pub(super) const LIVE: Mode = Mode::Live;

/// Something done by a person or a bank at Stripe, in live mode; the object's id.
pub(super) fn done(ground: &Ground, what: &str, body: Value) -> StripeId {
    let made = ground.stripe.control("POST", &format!("live/{ACCOUNT}/{what}"), body);
    made["id"].as_str().unwrap().parse().unwrap()
}

/// A charge of 50.00 with a customer.
pub(super) fn charged(ground: &Ground) -> StripeId {
    done(ground, "charges", json!({"amount": 5_000, "currency": "usd", "customer": "cus_1"}))
}

pub(super) fn refunded(ground: &Ground, charge: &StripeId, amount: i64) -> StripeId {
    done(ground, "refunds", json!({"charge": charge.as_str(), "amount": amount}))
}

pub(super) fn facts(ground: &Ground) -> StripeFacts {
    StripeFacts::new(ground.stripe.clone(), Ground::base(), ground.reader_as("ObserveRole"))
}

/// A movement of that kind which is asked for now, of nothing yet.
pub(super) fn subject(kind: Kind) -> Subject {
    Subject { kind, charge: None, payment_intent: None, transfer: None, dispute: None, at: now(), made: None }
}

pub(super) fn refund_of(charge: &StripeId) -> Subject {
    Subject { charge: Some(charge.clone()), ..subject(Kind::Refund) }
}

/// Learns everything there is to learn, in live mode.
pub(super) async fn all(ground: &Ground, subject: &Subject) -> Learnt {
    all_in(ground, &scope(LIVE), subject).await
}

pub(super) async fn all_in(ground: &Ground, scope: &Scope, subject: &Subject) -> Learnt {
    let wanted: BTreeSet<_> = askable(subject.kind).iter().copied().collect();
    let learnt = facts(ground).learn(scope, subject, &wanted).await;
    let said: BTreeSet<_> = learnt.facts.keys().chain(learnt.unknown.keys()).copied().collect();
    assert_eq!(said, wanted, "each wanted name is either known or unknown");
    assert_eq!(learnt.facts.len() + learnt.unknown.len(), wanted.len());
    learnt
}

pub(super) fn long(learnt: &Learnt, name: &str) -> i64 {
    match &learnt.facts.get(name) {
        Some(Some(FactValue::Long(number))) => *number,
        other => panic!("{name}: {other:?}, {:?}", learnt.unknown),
    }
}

pub(super) fn flag(learnt: &Learnt, name: &str) -> bool {
    match &learnt.facts.get(name) {
        Some(Some(FactValue::Bool(flag))) => *flag,
        other => panic!("{name}: {other:?}, {:?}", learnt.unknown),
    }
}

/// A text, or nothing where Stripe says that there is none.
pub(super) fn text(learnt: &Learnt, name: &str) -> Option<String> {
    match &learnt.facts.get(name) {
        Some(Some(FactValue::Text(text))) => Some(text.clone()),
        Some(None) => None,
        other => panic!("{name}: {other:?}, {:?}", learnt.unknown),
    }
}
