//! Healing: the events that Stripe lists and nobody has told are observed like any other, marked as recovered.
//!
//! Which are new is read from the rows that observing leaves ([`Observer::unknown`]), and decided once more by observing itself: an event
//! that comes by webhook as well, before, after or at the same time, is told once.

use std::sync::Arc;

use axiru_domain::{Scope, Timestamp};
use axiru_stripe::event::{EVENT_TYPES, EventError, Projected};
use axiru_stripe::report::Report;
use axiru_stripe::rest::lists::ListedEvent;

use super::lists::{ListError, Lists, Wanted};
use crate::connection::{Connection, ConnectionState};
use crate::error::Retry;
use crate::observe::{ObserveError, Observed, Observer};
use crate::reach::Reach;
use crate::store::{Store, StoreError};

/// How far back events are looked at, in seconds: as long as Stripe tries to deliver in live mode (Stripe docs, "Webhooks": three days).
pub(super) const BACK_SECS: i64 = 72 * 3_600;

/// How far back Stripe lists events, in seconds, less an hour for the clocks: 30 days (Stripe API reference, "List all events").
const LISTED_SECS: i64 = 30 * 86_400 - 3_600;

/// Younger events are left alone, in seconds: their webhook may be on its way.
pub(super) const YOUNG_SECS: i64 = 600;

/// Reports that are observed together; each lane commits ten of them at a time.
const AT_ONCE: usize = 50;

/// What healing found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Healed {
    /// Events that Stripe lists.
    pub listed: u64,
    /// Of those, events that said something new.
    pub untold: u64,
    /// Entries that followed.
    pub entries: u64,
    /// Of those, movements that an enforced plan forbids and that could not be undone.
    pub ungoverned: u64,
    /// Events that cannot be read, or not be observed; the log says why.
    pub failed: u64,
}

/// Why nothing, or not everything, was healed.
#[derive(Debug, thiserror::Error)]
pub enum HealError {
    /// The events cannot be listed.
    #[error("{0}")]
    List(#[from] ListError),
    /// A row cannot be read.
    #[error("{0}")]
    Store(#[from] StoreError),
    /// Events could not be observed for now.
    #[error("{0}")]
    Observe(#[from] ObserveError),
}

impl HealError {
    /// Whether doing it later can help.
    #[must_use]
    pub fn retry(&self) -> Retry {
        match self {
            Self::List(error) => error.retry(),
            Self::Store(StoreError::Aws(error)) => error.retry(),
            Self::Store(StoreError::Row(_)) => Retry::Never,
            Self::Observe(error) => error.retry(),
        }
    }
}

/// Observes what was not told.
pub struct Healer {
    store: Store,
    reach: Arc<Reach>,
    observer: Observer,
    clock: fn() -> Timestamp,
}

impl Healer {
    /// On that store, by that way to Stripe, with the observer that observes reports.
    #[must_use]
    pub fn new(store: Store, reach: Arc<Reach>, observer: Observer, clock: fn() -> Timestamp) -> Self {
        Self { store, reach, observer, clock }
    }

    /// Heals a scope: the last 72 hours, and from `since` on where that is earlier and Stripe still lists it. A scope that is not in use
    /// has nothing to heal.
    ///
    /// # Errors
    /// [`HealError`]. What was healed stays; doing it again goes on.
    pub async fn heal(&self, scope: &Scope, since: Option<Timestamp>) -> Result<Healed, HealError> {
        let Some(connection) = self.store.connection(scope).await?.filter(|c| c.state == ConnectionState::Active)
        else {
            return Ok(Healed::default());
        };
        let now = (self.clock)();
        let events = self.events(&connection, now, since).await?;
        let mut healed = Healed { listed: events.len() as u64, ..Healed::default() };
        let mut reports = Vec::new();
        // Oldest first: what came about stands before what became of it.
        for event in events.into_iter().rev() {
            match event.projected {
                Ok(Projected::Report(report)) => reports.push(*report),
                Ok(Projected::Ignored(_)) => {}
                Err(error) => {
                    unreadable(scope, &event.id, &error);
                    healed.failed += 1;
                }
            }
        }
        for some in reports.chunks(AT_ONCE) {
            self.observe(&connection, some.to_vec(), &mut healed).await?;
        }
        Ok(healed)
    }

    /// The events of a connection, newest first. Those from before it are none of Axiru's business.
    async fn events(
        &self,
        connection: &Connection,
        now: Timestamp,
        since: Option<Timestamp>,
    ) -> Result<Vec<ListedEvent>, HealError> {
        let back = now.plus_secs(-BACK_SECS);
        let since = since.map_or(back, |since| since.min(back));
        let since = since.max(now.plus_secs(-LISTED_SECS)).max(connection.connected_at);
        let mut filters = vec![
            ("created[gte]", since.secs().to_string()),
            ("created[lt]", now.plus_secs(-YOUNG_SECS).secs().to_string()),
        ];
        filters.extend(EVENT_TYPES.map(|ty| ("types[]", ty.to_owned())));
        let lists = Lists { reach: &self.reach, scope: &connection.scope, clock: self.clock };
        let wanted = Wanted { path: "/v1/events", filters: &filters, permission: "event_read" };
        Ok(lists.all(wanted).await?)
    }

    async fn observe(
        &self,
        connection: &Connection,
        reports: Vec<Report>,
        healed: &mut Healed,
    ) -> Result<(), HealError> {
        let untold = self.observer.unknown(connection, reports).await?;
        if untold.is_empty() {
            return Ok(());
        }
        healed.untold += untold.len() as u64;
        let events: Vec<_> = untold.iter().map(|report| report.event.clone()).collect();
        for (event, outcome) in events.iter().zip(self.observer.observe(untold).await) {
            match outcome {
                Ok(observed) => {
                    healed.ungoverned += observed.ungoverned();
                    if let Observed::Recorded(entries) = observed {
                        healed.entries += entries.len() as u64;
                    }
                }
                Err(error) if error.retry() == Retry::Never => {
                    tracing::error!(scope = %connection.scope, event.id = %event, error = %error, "a listed event could not be observed");
                    healed.failed += 1;
                }
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }
}

fn unreadable(scope: &Scope, event: &axiru_domain::StripeId, error: &EventError) {
    // Stripe lists an event as the account's own API version had it: an old one may lack what Axiru needs. The comparison names its object.
    tracing::warn!(scope = %scope, event.id = %event, error = %error, "a listed event cannot be read");
}
