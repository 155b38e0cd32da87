//! The rows of the state table, brought up to what the ledger tells.

use aws_sdk_dynamodb::types::AttributeValue;
use axiru_domain::{Execution, Lane, RequestStatus, Scope, Starter};
use axiru_ledger::entry::Entry;
use serde_json::Value;

use super::later::{Later, Told};
use super::{RestoreError, Restored, Restorer};
use crate::connection::ConnectionState;
use crate::error::AwsError;
use crate::item::{Item, RowError, key, n, number, parse, s, text};
use crate::keys::KeyState;
use crate::requests;

impl Restorer {
    /// Writes the rows of the source, the requests that it does not know, and the connections.
    pub(super) async fn rows(&self, later: &mut Later, done: &mut Restored) -> Result<(), RestoreError> {
        let (mut connections, mut start) = (Vec::new(), None);
        loop {
            let scan = self.source.client.scan().table_name(&self.source.state).consistent_read(true);
            let page = scan.set_exclusive_start_key(start).send().await.map_err(AwsError::of("reading the source"))?;
            for row in page.items.unwrap_or_default() {
                let (pk, sk) = (text(&row, "pk")?.to_owned(), text(&row, "sk")?.to_owned());
                if pk.ends_with("#connections") {
                    connections.push(row);
                } else if pk.contains("#setup_link#") || pk.contains("#install#") {
                    // Good for one use, which may have been made.
                    done.left_out += 1;
                } else if sk == crate::export::LOCK {
                    // Written by itself, where the export says it is.
                } else if let Some(row) = self.as_of_now(&pk, &sk, row, later, done)? {
                    self.put_row(row, done).await?;
                }
            }
            start = page.last_evaluated_key;
            if start.is_none() {
                break;
            }
        }
        for ((scope, id), told) in std::mem::take(&mut later.requests) {
            if let Some(made) = &told.made {
                self.put_row(self.made_since(&scope, &id, made, &told)?, done).await?;
                done.made_known += 1;
            }
        }
        for row in connections {
            let row = connection_as_of_now(row, later, done)?;
            self.put_row(row, done).await?;
        }
        Ok(())
    }

    /// A row as it has to be now; none where it is written elsewhere.
    fn as_of_now(
        &self,
        pk: &str,
        sk: &str,
        mut row: Item,
        later: &mut Later,
        done: &mut Restored,
    ) -> Result<Option<Item>, RestoreError> {
        if sk == "request" {
            if let Some((scope, id)) = request_of(pk).filter(|_| !row.contains_key("alias")) {
                let told = later.requests.remove(&(scope.clone(), id)).unwrap_or_default();
                self.roll(&scope, &mut row, &told, done)?;
            }
        } else if pk.ends_with("#keys") && later.revoked.contains(sk) {
            if text(&row, "state")? == KeyState::Active.as_str() {
                row.insert("state".to_owned(), s(KeyState::Revoked.as_str()));
                done.keys_revoked += 1;
            }
        } else if pk.ends_with("#switches") {
            // That of everything is written already, stopped. Who wanted a start has to say so again.
            row.remove("starting");
            row.remove("starting_until");
        }
        Ok(Some(row))
    }

    /// Brings a request up to what became of it.
    fn roll(&self, scope: &Scope, row: &mut Item, told: &Told, done: &mut Restored) -> Result<(), RestoreError> {
        let status: RequestStatus = parse(row, "status")?;
        if !status.is_open() {
            return Ok(());
        }
        match told.status.unwrap_or(status) {
            now if !now.is_open() => {
                done.ended += 1;
                set_status(scope, row, now);
                row.remove("open_until");
                if let Some(object) = &told.object {
                    row.insert("object".to_owned(), s(object));
                }
            }
            RequestStatus::Unknown | RequestStatus::Executing => {
                done.looked_for += 1;
                let began = row.get("execution").and_then(|text| text.as_s().ok());
                let began = began.and_then(|text| serde_json::from_str::<Execution>(text).ok()).map(|made| made.began);
                let began = began.unwrap_or(self.at.millis());
                set_status(scope, row, RequestStatus::Unknown);
                row.insert("execution".to_owned(), s(in_doubt(began)));
                row.insert("open_until".to_owned(), s(self.now.to_string()));
            }
            // It waits for people or for its caller. Whether that was over since, nobody knows: it is over now.
            _ => {
                done.over += 1;
                row.insert("open_until".to_owned(), s(self.now.to_string()));
                if status == RequestStatus::Approved {
                    set_status(scope, row, RequestStatus::Pending);
                }
            }
        }
        let version: u64 = number(row, "version")?;
        row.insert("version".to_owned(), n(version + 1));
        Ok(())
    }

    /// The row of a request that was decided since: enough that the same call is the same request.
    fn made_since(&self, scope: &Scope, id: &str, made: &Entry, told: &Told) -> Result<Item, RestoreError> {
        let wrong = || RestoreError::Entry { log: made.log().clone(), seq: made.seq() };
        let field = |name: &str| made.fields().get(name).and_then(Value::as_str).ok_or_else(wrong);
        let outcome = made.fields().get("decision").and_then(|decision| decision.get("outcome")?.as_str());
        let status = told.status.ok_or_else(wrong)?;
        let request = id.parse().map_err(|_| wrong())?;
        let (pk, sk) = requests::key_of(scope, &request);
        let lane: Lane = made.log().lane;
        let mut row = key(pk, sk);
        row.extend([
            ("actor".to_owned(), s(actor_of(made).ok_or_else(wrong)?)),
            ("key".to_owned(), s(field("key")?)),
            ("digest".to_owned(), s(field("digest")?)),
            ("kind".to_owned(), s(field("kind")?)),
            ("outcome".to_owned(), s(outcome.ok_or_else(wrong)?)),
            ("lane".to_owned(), s(lane.to_string())),
            ("seq".to_owned(), n(made.seq())),
            ("decided_at".to_owned(), s(made.at().to_string())),
            ("similar".to_owned(), s("restored")),
            ("counted".to_owned(), s("[]")),
            ("attempt".to_owned(), s("restored")),
            ("listed_at".to_owned(), s(format!("{}#{id}", made.at()))),
            ("version".to_owned(), n(1)),
        ]);
        set_status(scope, &mut row, status);
        if status.is_open() {
            row.insert("open_until".to_owned(), s(self.now.to_string()));
        }
        if status == RequestStatus::Unknown {
            row.insert("execution".to_owned(), s(in_doubt(made.at().millis())));
        }
        if let Some(object) = &told.object {
            row.insert("object".to_owned(), s(object));
        }
        Ok(row)
    }
}

/// A connection as it has to be now.
fn connection_as_of_now(mut row: Item, later: &Later, done: &mut Restored) -> Result<Item, RowError> {
    let mode = text(&row, "pk")?.trim_end_matches("#connections").to_owned();
    let scope: Option<Scope> = format!("{mode}/{}", text(&row, "sk")?).parse().ok();
    let ended = scope.and_then(|scope| later.ended.get(&scope).copied()).unwrap_or_default();
    if ended && text(&row, "state")? != ConnectionState::Revoked.as_str() {
        row.retain(|name, _| !name.starts_with("tokens") && !name.starts_with("refresh"));
        row.insert("state".to_owned(), s(ConnectionState::Revoked.as_str()));
        done.disconnected += 1;
    }
    Ok(row)
}

fn set_status(scope: &Scope, row: &mut Item, status: RequestStatus) {
    row.insert("status".to_owned(), s(status.as_str()));
    row.insert("listed".to_owned(), AttributeValue::S(requests::listed(scope, status.is_open())));
}

/// An execution that may have been sent, and that nobody may send: it is looked for.
fn in_doubt(began: i64) -> String {
    let doubt = Execution { starter: Starter::Caller, began, lease: None, doubts: 1, looked: None };
    serde_json::to_string(&doubt).unwrap_or_default()
}

/// The scope and id in the partition key of a request.
fn request_of(pk: &str) -> Option<(Scope, String)> {
    let (scope, id) = pk.split_once("#request#")?;
    let (mode, account) = scope.split_once('#')?;
    Some((format!("{mode}/{account}").parse().ok()?, id.to_owned()))
}

/// Who asked, as an entry says.
fn actor_of(made: &Entry) -> Option<String> {
    let line: Value = serde_json::from_slice(made.bytes()).ok()?;
    line.get("actor")?.as_str().map(str::to_owned)
}
