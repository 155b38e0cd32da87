//! Reading decisions back: one by its id, or a page of them. Only those of the key's own actor.

use std::collections::BTreeSet;

use axiru_domain::{AccountId, Actor, KeyToken, Kind, Outcome, RequestId, RequestStatus, Scope, Timestamp};
use axiru_ledger::entry::Entry;

use super::{Found, INDEX, RequestRow, key_of, listed};
use crate::decide::{DecideError, Decided, Undecided};
use crate::error::AwsError;
use crate::item::{Item, RowError, parse, s, text};
use crate::keys::{self, Key};
use crate::reads::Reads;
use crate::store::Store;

/// Rows read from the index for one page of an answer, at most: 16 pages of DynamoDB's, of some 1 MiB at most.
const MAX_ROUNDS: usize = 16;

/// Rows that one query looks at.
const SCAN: i32 = 200;

/// Which decisions are listed.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// Only this kind.
    pub kind: Option<Kind>,
    /// Only this outcome.
    pub outcome: Option<Outcome>,
    /// Only what stands so now.
    pub status: Option<RequestStatus>,
    /// Decided at this moment or later.
    pub from: Option<Timestamp>,
    /// Decided before this moment.
    pub before: Option<Timestamp>,
    /// How many.
    pub limit: usize,
    /// The place behind which to go on.
    pub cursor: Option<String>,
}

/// A page of decisions, newest first.
#[derive(Debug)]
pub struct Page {
    /// The decisions.
    pub decided: Vec<Decided>,
    /// The place to go on behind; none where there is no more.
    pub next: Option<String>,
}

/// What was found in one partition of the index.
#[derive(Default)]
struct Part {
    rows: Vec<(String, RequestRow)>,
    /// How far the partition was read; none where it was read to its end.
    frontier: Option<String>,
}

impl Store {
    /// The key that a token presents, if it is accepted.
    async fn accepted(&self, token: &KeyToken, now: Timestamp) -> Result<Key, DecideError> {
        let row = self.row(&keys::pk(token.mode()), token.id().as_str()).await.map_err(Undecided::from)?;
        let key = row.as_ref().map(Key::from_row).transpose().map_err(Undecided::from)?;
        key.filter(|key| key.accepts(token, now).is_ok()).ok_or(DecideError::Key)
    }

    /// A decision of the token's actor; none where there is no such one.
    ///
    /// # Errors
    /// [`DecideError`].
    pub async fn decision(
        &self,
        token: &KeyToken,
        id: &RequestId,
        now: Timestamp,
    ) -> Result<Option<Decided>, DecideError> {
        let key = self.accepted(token, now).await?;
        let scopes: Vec<Scope> = key.accounts.iter().map(|account| Scope::new(key.mode, account.clone())).collect();
        let keys: BTreeSet<_> = scopes.iter().map(|scope| key_of(scope, id)).collect();
        let reads = Reads::fetch(self, &keys).await.map_err(Undecided::from)?;
        for scope in &scopes {
            let Some(row) = reads.get(&key_of(scope, id)) else { continue };
            let row = match Found::of(scope, id, row).map_err(Undecided::from)? {
                Found::Request(row) => row,
                Found::Alias { of, .. } => self.request(scope, &of).await?,
            };
            if row.actor == key.actor {
                let entry = self.decision_entry(&row).await?;
                return Ok(Some(Decided {
                    entry,
                    row: *row,
                    cached: true,
                    governed: false,
                    exact: false,
                    attempt: String::new(),
                    stopped: None,
                }));
            }
        }
        Ok(None)
    }

    /// A page of the decisions of the token's actor on one account.
    ///
    /// # Errors
    /// [`DecideError`].
    pub async fn decisions(
        &self,
        token: &KeyToken,
        account: Option<&AccountId>,
        filter: &Filter,
        now: Timestamp,
    ) -> Result<Page, DecideError> {
        let key = self.accepted(token, now).await?;
        let account = match (account, key.accounts.len()) {
            (Some(account), _) => key.accounts.get(account),
            (None, 1) => key.accounts.first(),
            (None, _) => None,
        };
        let scope = Scope::new(key.mode, account.ok_or(DecideError::Account)?.clone());
        let partitions = match filter.status {
            Some(status) => vec![listed(&scope, status.is_open())],
            None => vec![listed(&scope, true), listed(&scope, false)],
        };
        let mut parts = Vec::new();
        for partition in partitions {
            parts.push(self.part(&scope, &partition, &key.actor, filter).await?);
        }
        let (rows, next) = merge(parts, filter.limit);
        let mut decided = Vec::with_capacity(rows.len());
        for row in rows {
            let entry = self.decision_entry(&row).await?;
            decided.push(Decided {
                entry,
                row,
                cached: true,
                governed: false,
                exact: false,
                attempt: String::new(),
                stopped: None,
            });
        }
        Ok(Page { decided, next })
    }

    async fn part(&self, scope: &Scope, partition: &str, actor: &Actor, filter: &Filter) -> Result<Part, Undecided> {
        let mut part = Part::default();
        let from = filter.from.map_or_else(|| "0".to_owned(), |from| from.to_string());
        // Behind the cursor, or before the moment: both are places in the order of the index, and neither itself is in it.
        let before = [filter.cursor.clone(), filter.before.map(|before| before.to_string())];
        let mut before = before.into_iter().flatten().min().unwrap_or_else(|| "9999".to_owned());
        for _ in 0..MAX_ROUNDS {
            if before <= from {
                return Ok(part);
            }
            let mut query = self
                .client
                .query()
                .table_name(&self.state)
                .index_name(INDEX)
                .key_condition_expression("listed = :listed AND listed_at BETWEEN :from AND :before")
                .filter_expression(condition(filter))
                .expression_attribute_values(":listed", s(partition))
                .expression_attribute_values(":from", s(&from))
                .expression_attribute_values(":before", s(just_before(&before)))
                .expression_attribute_values(":actor", s(actor.to_string()))
                .scan_index_forward(false)
                .limit(SCAN);
            if let Some(kind) = filter.kind {
                query = query.expression_attribute_values(":kind", s(kind.as_str()));
            }
            if let Some(outcome) = filter.outcome {
                query = query.expression_attribute_values(":outcome", s(outcome.as_str()));
            }
            if let Some(status) = filter.status {
                query = query.expression_attribute_values(":status", s(status.as_str()));
                query = query.expression_attribute_names("#status", "status");
            }
            let page = query.send().await.map_err(AwsError::of("listing decisions"))?;
            for row in page.items.unwrap_or_default() {
                part.rows.push(of_index(scope, &row)?);
            }
            let Some(last) = page.last_evaluated_key else {
                part.frontier = None;
                return Ok(part);
            };
            text(&last, "listed_at")?.clone_into(&mut before);
            part.frontier = Some(before.clone());
            if part.rows.len() > filter.limit {
                return Ok(part);
            }
        }
        Ok(part)
    }

    pub(crate) async fn request(&self, scope: &Scope, id: &RequestId) -> Result<Box<RequestRow>, Undecided> {
        let (pk, sk) = key_of(scope, id);
        let row = self.row(&pk, &sk).await?.ok_or(RowError("alias"))?;
        match Found::of(scope, id, &row)? {
            Found::Request(row) => Ok(row),
            Found::Alias { .. } => Err(RowError("alias").into()),
        }
    }

    pub(crate) async fn decision_entry(&self, row: &RequestRow) -> Result<Entry, Undecided> {
        self.entry(&row.log(), row.seq).await?.ok_or(Undecided::Entry(row.seq))
    }
}

/// What the filter asks of a row.
fn condition(filter: &Filter) -> String {
    let mut condition = "actor = :actor".to_owned();
    for (asked, text) in [
        (filter.kind.is_some(), " AND kind = :kind"),
        (filter.outcome.is_some(), " AND outcome = :outcome"),
        (filter.status.is_some(), " AND #status = :status"),
    ] {
        if asked {
            condition.push_str(text);
        }
    }
    condition
}

/// A text that comes before `place` and behind every place before it: places are ASCII and end in a hex digit or `Z`.
fn just_before(place: &str) -> String {
    let mut bytes = place.as_bytes().to_vec();
    match bytes.pop() {
        Some(last) if last > 0x20 => {
            bytes.push(last - 1);
            bytes.push(b'~');
        }
        _ => {}
    }
    String::from_utf8(bytes).unwrap_or_default()
}

/// The request that a row of the index is.
pub(crate) fn id_of_index(row: &Item) -> Result<RequestId, RowError> {
    text(row, "listed_at")?.rsplit_once('#').and_then(|(_, id)| id.parse().ok()).ok_or(RowError("listed_at"))
}

/// A row of the index.
pub(crate) fn of_index(scope: &Scope, row: &Item) -> Result<(String, RequestRow), RowError> {
    let place = text(row, "listed_at")?.to_owned();
    let id = id_of_index(row)?;
    let own: String = parse(row, "pk")?;
    if own != key_of(scope, &id).0 {
        return Err(RowError("pk"));
    }
    match Found::of(scope, &id, row)? {
        Found::Request(row) => Ok((place, *row)),
        Found::Alias { .. } => Err(RowError("alias")),
    }
}

/// The newest `limit` of all parts, and where to go on.
fn merge(parts: Vec<Part>, limit: usize) -> (Vec<RequestRow>, Option<String>) {
    // Below the highest frontier another part may hold what was not read yet.
    let frontier = parts.iter().filter_map(|part| part.frontier.clone()).max();
    let mut rows: Vec<(String, RequestRow)> = parts.into_iter().flat_map(|part| part.rows).collect();
    rows.sort_by(|(one, _), (other, _)| other.cmp(one));
    // A request that changed its part between the two queries was found in both.
    rows.dedup_by(|(one, _), (other, _)| one == other);
    if let Some(frontier) = &frontier {
        rows.retain(|(place, _)| place >= frontier);
    }
    let more = rows.len() > limit;
    rows.truncate(limit);
    let next = if more { rows.last().map(|(place, _)| place.clone()) } else { frontier };
    (rows.into_iter().map(|(_, row)| row).collect(), next)
}
