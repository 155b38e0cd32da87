//! A call that moves money, and the bytes that are sent for it.

use std::collections::BTreeMap;
use std::fmt;

use axiru_domain::{Currency, Kind, Money, ObjectRole, StripeId};

use super::outgoing::{Outgoing, Stamp};
use super::params::{Params, amount};
use super::path;
use super::refused::Refused;
use super::table::{Form, Route};

/// A call that moves money.
#[derive(Clone, PartialEq, Eq)]
pub struct Moves {
    pub(super) route: &'static Route,
    pub(super) params: Params,
    kind: Kind,
    objects: BTreeMap<ObjectRole, StripeId>,
    amount_minor: Option<i64>,
    currency: Option<Currency>,
}

impl PartialEq for Route {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl Eq for Route {}

/// Descriptions, metadata and evidence name people: only the kind and the ids are shown.
impl fmt::Debug for Moves {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Moves")
            .field("route", &self.route.name)
            .field("objects", &self.objects)
            .field("amount_minor", &self.amount_minor)
            .finish_non_exhaustive()
    }
}

/// What must be read at Stripe before amount and currency are known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Needs {
    /// Nothing: the call says both.
    Nothing,
    /// The charge: a refund never says its currency, and may leave out its amount.
    Charge(StripeId),
    /// The charge of a payment intent.
    PaymentIntent(StripeId),
    /// The transfer: a reversal never says its currency, and may leave out its amount.
    Transfer(StripeId),
    /// The dispute: answering it says neither.
    Dispute(StripeId),
}

/// The role of a place in the path of a call that moves money.
fn role(place: &str) -> Option<ObjectRole> {
    match place {
        "charge" => Some(ObjectRole::Charge),
        "transfer" => Some(ObjectRole::Transfer),
        "dispute" => Some(ObjectRole::Dispute),
        _ => None,
    }
}

impl Moves {
    /// Reads what is moved from checked parameters.
    pub(super) fn new(route: &'static Route, kind: Kind, params: Params) -> Result<Self, Refused> {
        let places = route.path.split('/').filter_map(path::place);
        let mut objects: BTreeMap<ObjectRole, StripeId> =
            places.zip(&params.ids).filter_map(|(place, id)| Some((role(place)?, id.clone()))).collect();
        for param in route.params {
            if let (Form::Object(role), Some(id)) = (param.form, params.plain(param.name)) {
                objects.insert(role, id.parse().map_err(|_| Refused::at("axiru_id", param.name))?);
            }
        }
        if objects.contains_key(&ObjectRole::Charge) && objects.contains_key(&ObjectRole::PaymentIntent) {
            return Err(Refused::at("axiru_conflict", "payment_intent"));
        }
        if kind == Kind::Refund && objects.is_empty() {
            return Err(Refused::at("axiru_parameter_missing", "charge"));
        }
        let amount_minor = params.plain("amount").and_then(amount);
        let currency: Option<Currency> = params.plain("currency").and_then(|currency| currency.parse().ok());
        if let (Some(amount_minor), Some(currency)) = (amount_minor, currency) {
            let money = Money::new(amount_minor, currency).and_then(|money| money.check_asked(kind));
            money.map_err(|_| Refused::at("axiru_amount", "amount"))?;
        }
        Ok(Self { route, params, kind, objects, amount_minor, currency })
    }

    /// The kind of the movement.
    #[must_use]
    pub const fn kind(&self) -> Kind {
        self.kind
    }

    /// The route's word.
    #[must_use]
    pub const fn route(&self) -> &'static Route {
        self.route
    }

    /// What it is about.
    #[must_use]
    pub const fn objects(&self) -> &BTreeMap<ObjectRole, StripeId> {
        &self.objects
    }

    /// The object of a role.
    #[must_use]
    pub fn object(&self, role: ObjectRole) -> Option<&StripeId> {
        self.objects.get(&role)
    }

    /// The amount asked for; none: all that is left, or the disputed amount.
    #[must_use]
    pub const fn amount_minor(&self) -> Option<i64> {
        self.amount_minor
    }

    /// The currency, where the call says it.
    #[must_use]
    pub const fn currency(&self) -> Option<Currency> {
        self.currency
    }

    /// The reason of a refund: one of Stripe's words.
    #[must_use]
    pub fn reason(&self) -> Option<&str> {
        self.params.plain("reason")
    }

    /// `instant` or `standard`, where a payout says it.
    #[must_use]
    pub fn method(&self) -> Option<&str> {
        self.params.plain("method")
    }

    /// The balance that a payout or transfer is taken from, where the call says it.
    #[must_use]
    pub fn source_type(&self) -> Option<&str> {
        self.params.plain("source_type")
    }

    /// The caller's metadata. Free text.
    #[must_use]
    pub fn metadata(&self) -> Option<&BTreeMap<String, String>> {
        self.params.nested("metadata")
    }

    /// Any other parameter with one value: `description`, `transfer_group`, `reverse_transfer`. Free text, or one of Stripe's words.
    #[must_use]
    pub fn parameter(&self, name: &str) -> Option<&str> {
        self.params.plain(name)
    }

    /// What is expanded in the answer.
    #[must_use]
    pub fn expand(&self) -> &[&'static str] {
        &self.params.expand
    }

    /// What must be read before amount and currency are known.
    #[must_use]
    pub fn needs(&self) -> Needs {
        let object = |role, needs: fn(StripeId) -> Needs| self.object(role).cloned().map(needs);
        object(ObjectRole::Charge, Needs::Charge)
            .or_else(|| object(ObjectRole::PaymentIntent, Needs::PaymentIntent))
            .or_else(|| object(ObjectRole::Transfer, Needs::Transfer))
            .or_else(|| object(ObjectRole::Dispute, Needs::Dispute))
            .unwrap_or(Needs::Nothing)
    }

    /// What two calls must share to be one call: the route and every parameter but `expand`, in a fixed order.
    #[must_use]
    pub fn canonical(&self) -> Vec<u8> {
        self.params.canonical(self.route)
    }

    /// The call as it is sent, for `money`, which was decided on. The amount is always written, where Stripe has one; where the caller
    /// said one too, the smaller of the two, so that never more is moved than was asked for or decided on.
    #[must_use]
    pub fn outgoing(&self, money: Money, stamp: Option<&Stamp>) -> Outgoing {
        let mut params = self.params.clone();
        if self.route.param("amount").is_some() {
            let decided = money.amount_minor();
            params.set("amount", &self.amount_minor.map_or(decided, |asked| asked.min(decided)).to_string());
        }
        if let Some(stamp) = stamp.filter(|_| self.route.takes_metadata()) {
            params.stamp(stamp);
        }
        params.outgoing(self.route)
    }
}
