//! The event that told a piece of news.

use axiru_domain::{StripeId, Timestamp};
use axiru_stripe::report::{Caused, News, Report};
use serde_json::{Map, Value};

/// The event that told the news.
#[derive(Clone, Debug)]
pub(super) struct Told {
    pub(super) event: StripeId,
    pub(super) event_at: Timestamp,
    pub(super) event_type: String,
    pub(super) stripe_request: Option<StripeId>,
    /// The call of Axiru's own that caused it, where the event tells of one movement only: an event for a reversal lists others too.
    pub(super) caused: Option<Caused>,
    /// Whether no webhook told it: it was found in Stripe's list of events.
    pub(super) recovered: bool,
}

impl Told {
    pub(super) fn of(report: &Report) -> Self {
        let movements = report.news.iter().filter(|news| matches!(news, News::Movement(_))).count();
        Self {
            caused: report.caused.clone().filter(|_| movements == 1),
            event: report.event.clone(),
            event_at: report.event_at,
            event_type: report.event_type.clone(),
            stripe_request: report.stripe_request.clone(),
            recovered: report.recovered,
        }
    }

    /// What its entries say of it.
    pub(super) fn fields(&self) -> Map<String, Value> {
        let mut fields = Map::new();
        fields.insert("event".into(), self.event.as_str().into());
        fields.insert("event_type".into(), self.event_type.clone().into());
        fields.insert("event_at".into(), self.event_at.to_string().into());
        // A mark: it stands only where it is true.
        if self.recovered {
            fields.insert("recovered".into(), true.into());
        }
        fields
    }
}
