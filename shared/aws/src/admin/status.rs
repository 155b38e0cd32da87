//! How a scope stands: its connection, its plans, who approves, what waits and what is stopped, and how far its logs are.

use axiru_domain::{Mode, Scope};
use serde_json::{Value, json};

use crate::admin::refusal::AdminError;
use crate::connection::{self, Connection};
use crate::groups::Group;
use crate::item::{Item, text};
use crate::requests::Waiting;
use crate::store::Store;
use crate::switches::Switch;

impl Store {
    /// Every scope that was ever connected, with its state.
    ///
    /// # Errors
    /// [`AdminError`].
    pub async fn scopes(&self) -> Result<Vec<Value>, AdminError> {
        let mut scopes = Vec::new();
        for mode in Mode::ALL {
            for row in self.partition(&connection::pk(mode)).await? {
                scopes.push(shown(&Connection::from_row(mode, &row)?, &row));
            }
        }
        Ok(scopes)
    }

    /// One scope: connection, plans with their policy modes, groups, what waits for people, what is stopped, what an operator should know,
    /// accounts under review, the newest entry of each lane. `mail` is whether the deployment sends any.
    ///
    /// # Errors
    /// Refused where the scope was never connected.
    pub async fn status(&self, scope: &Scope, mail: bool) -> Result<Value, AdminError> {
        let connection = self.administered(scope).await?;
        let row = self.row(&connection::pk(scope.mode()), scope.account().as_str()).await?.unwrap_or_default();
        let heads = self.plan_heads(scope).await?;
        let plans: Vec<Value> = heads
            .list()
            .iter()
            .map(|head| json!({"plan": head.plan, "sha256": head.sha256, "policy_mode": head.policy_mode.as_str()}))
            .collect();
        let mut lanes = Vec::new();
        for log in connection.logs() {
            let newest = self.newest(&log).await?;
            lanes.push(json!({
                "lane": log.lane.number(),
                "entries": newest.as_ref().map_or(0, |entry| entry.seq() + 1),
                "newest": newest.as_ref().map(|entry| json!({"at": entry.at().to_string(), "type": entry.ty()})),
            }));
        }
        let mut status = shown(&connection, &row);
        if let Some(status) = status.as_object_mut() {
            status.insert("plans".to_owned(), plans.into());
            status.insert("mail".to_owned(), mail.into());
            status.insert("groups".to_owned(), self.groups(scope).await?.iter().map(group).collect());
            status.insert("waiting".to_owned(), waiting(&self.waiting(scope).await?));
            status.insert("stopped".to_owned(), self.all_stopped(scope).await?.iter().map(switch).collect());
            status.insert("warnings".to_owned(), self.warnings(scope, mail).await?.into());
            status.insert("under_review".to_owned(), self.reviewed(scope).await?.into());
            status.insert("lanes".to_owned(), lanes.into());
        }
        Ok(status)
    }
}

fn group(group: &Group) -> Value {
    json!({"group": group.name, "members": group.members.len(), "quorum": group.quorum})
}

fn switch(switch: &Switch) -> Value {
    json!({"of": switch.of.to_string(), "since": switch.since.map(|since| since.to_string())})
}

/// How many wait, since when, and when the first of them ends.
fn waiting(waiting: &Waiting) -> Value {
    let oldest = waiting.rows.first().map(|row| row.decided_at.to_string());
    let ends_first = waiting.rows.iter().filter_map(|row| row.open_until).min().map(|until| until.to_string());
    json!({"count": waiting.rows.len(), "more": waiting.more, "oldest": oldest, "ends_first": ends_first})
}

/// A connection for an operator's eyes. Its tokens are not in it, only since when they are.
fn shown(connection: &Connection, row: &Item) -> Value {
    let word = |name| text(row, name).ok();
    json!({
        "scope": connection.scope.to_string(),
        "name": word("display_name"),
        "state": connection.state.as_str(),
        "credential": connection.credential.as_str(),
        "permissions": word("permissions"),
        "connected_at": connection.connected_at.to_string(),
        "tokens_since": word("tokens_at").or_else(|| word("connected_at")).filter(|_| row.contains_key("tokens")),
    })
}
