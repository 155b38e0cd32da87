//! Which reports say nothing new, by the rows that observing leaves: so that a list of events that were told long ago costs reads only,
//! and no question to Stripe.
//!
//! INVARIANT: what is called known here would change nothing if it were observed. What is not known is observed as any report is, and
//! recorded once whatever was read here.

use std::collections::BTreeSet;

use axiru_domain::Scope;
use axiru_stripe::report::{News, Report, Sighting};

use super::Observer;
use super::link;
use super::plan::is_older;
use super::row::{EVENT_SK, event_pk, movement_key};
use super::told::Told;
use crate::connection::{Connection, ConnectionState};
use crate::movement::{self, MovementRow};
use crate::reads::{Reads, RowKey};
use crate::store::StoreError;

impl Observer {
    /// Those of the reports of a connection that say something which is not recorded yet, in their order.
    ///
    /// # Errors
    /// [`StoreError`] when the rows cannot be read.
    pub async fn unknown(&self, connection: &Connection, reports: Vec<Report>) -> Result<Vec<Report>, StoreError> {
        let scope = &connection.scope;
        let mut keys = BTreeSet::new();
        for report in &reports {
            let told = Told::of(report);
            keys.extend(report.news.iter().filter_map(|news| row_of(scope, &told, news)));
        }
        let rows = Reads::fetch(&self.store, &keys).await?;
        let mut unknown = Vec::new();
        for report in reports {
            let told = Told::of(&report);
            let mut all_known = true;
            for news in &report.news {
                all_known &= is_known(connection, &told, news, &rows)?;
            }
            if !all_known {
                unknown.push(report);
            }
        }
        Ok(unknown)
    }
}

/// Where it would be noted that a piece of news is recorded.
fn row_of(scope: &Scope, told: &Told, news: &News) -> Option<RowKey> {
    match news {
        News::Movement(sighting) => Some(movement::key_of(scope, &movement_key(sighting))),
        News::Fact(_) => Some((event_pk(scope, told), EVENT_SK.to_owned())),
        News::Uninstalled => None,
    }
}

fn is_known(connection: &Connection, told: &Told, news: &News, rows: &Reads) -> Result<bool, StoreError> {
    let row = row_of(&connection.scope, told, news).and_then(|key| rows.get(&key));
    Ok(match news {
        News::Movement(sighting) => match row.map(MovementRow::of).transpose()? {
            Some(row) => !row.unseen && !tells_status(&row, sighting) && !may_link(&row, told, sighting),
            None => !sighting.announced && is_older(sighting, connection),
        },
        News::Fact(_) => row.is_some(),
        News::Uninstalled => {
            connection.state == ConnectionState::Revoked || told.event_at.secs() < connection.connected_at.secs()
        }
    })
}

/// Whether it tells a status that no entry tells.
fn tells_status(row: &MovementRow, sighting: &Sighting) -> bool {
    sighting.later_status.as_ref().is_some_and(|status| !row.statuses.contains(status))
}

/// Whether it may show whose the movement is.
fn may_link(row: &MovementRow, told: &Told, sighting: &Sighting) -> bool {
    row.request.is_none() && link::candidates(told, sighting).next().is_some()
}
