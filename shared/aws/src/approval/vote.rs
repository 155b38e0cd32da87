//! An answer: one transaction that notes it, uses the link, changes the request where it completes or denies, and appends the entries.

use std::sync::{Mutex, PoisonError};

use aws_sdk_dynamodb::types::{TransactWriteItem, Update};
use axiru_domain::{Actor, Choice, OpenRequest, RequestStatus, Timestamp, VoteRefused, Voted};
use axiru_ledger::entry::Draft;
use axiru_ledger::types::EntryType;
use serde_json::{Map, Value, json};

use super::{Held, HeldError, Opened};
use crate::admin::why::Why;
use crate::ended;
use crate::error::{AwsError, Retry};
use crate::item::{key, n, s};
use crate::ledger::{CommitError, Writes};
use crate::similar::{self, SimilarRow};
use crate::store::{Store, StoreError};

/// How long an approved movement may be made by whoever asked for it, in seconds: as an advisory decision, one hour.
const ADVISORY_SECS: i64 = 3_600;

/// When the sweeper looks after an approved request that nobody began, in seconds.
const LOOK_SECS: i64 = 60;

/// An answer, as it was given.
pub struct Ballot<'a> {
    /// What.
    pub choice: Choice,
    /// The digits that the person saw.
    pub digest: &'a str,
    /// Why, in their own words. Free text: kept beside the ledger, where it can be erased.
    pub why: Option<&'a str>,
}

/// What came of an answer.
#[derive(Debug)]
pub enum Cast {
    /// It counts; how the request stands then.
    Voted(Voted, Box<Held>),
    /// It does not count; how the request stands.
    Refused(VoteRefused, Box<Held>),
    /// What was shown is no longer what is asked.
    Stale,
}

/// An answer that could not be recorded, or of which nobody can say: the same again finds out.
#[derive(Debug, thiserror::Error)]
pub enum CastError {
    /// The rows.
    #[error("{0}")]
    Held(#[from] HeldError),
    /// The transaction.
    #[error("{0}")]
    Commit(#[from] CommitError),
    /// The person's own words are too long or no text.
    #[error("the reason is not one line of at most 500 characters")]
    Why,
}

impl From<StoreError> for CastError {
    fn from(error: StoreError) -> Self {
        Self::Commit(error.into())
    }
}

impl From<AwsError> for CastError {
    fn from(error: AwsError) -> Self {
        Self::Commit(error.into())
    }
}

impl CastError {
    /// Whether trying again can help.
    #[must_use]
    pub fn retry(&self) -> Retry {
        match self {
            Self::Held(error) => error.retry(),
            Self::Commit(error) => error.retry(),
            Self::Why => Retry::Never,
        }
    }
}

impl Store {
    /// Records an answer, once: the same answer again changes nothing and is told what it came to.
    ///
    /// # Errors
    /// [`CastError`]; with [`Retry::Later`] it may have been recorded all the same.
    pub async fn cast(
        &self,
        opened: &Opened,
        ballot: &Ballot<'_>,
        clock: fn() -> Timestamp,
    ) -> Result<Cast, CastError> {
        let why = ballot.why.map(Why::new).transpose().map_err(|_| CastError::Why)?;
        let log = opened.held.row.log();
        let seen = Mutex::new(None);
        let note = |cast: Cast| *seen.lock().unwrap_or_else(PoisonError::into_inner) = Some(cast);
        let plan = || async {
            let (held, link) = tokio::join!(
                self.held(opened.held.scope(), opened.held.id()),
                self.approval_link(opened.held.scope().mode(), &opened.link.id),
            );
            let live = link?.is_some_and(|link| !link.revoked);
            let Some(held) = held?.filter(|held| live && is_what_was_shown(held, opened, ballot)) else {
                note(Cast::Stale);
                return Ok::<_, CastError>(Writes::default());
            };
            let (cast, writes) = self.vote(held, opened, ballot, why.as_ref(), clock()).await?;
            note(cast);
            Ok(writes)
        };
        self.commit(&log, clock, plan).await?;
        seen.into_inner().unwrap_or_else(PoisonError::into_inner).ok_or_else(|| CommitError::Contended.into())
    }

    /// What follows from an answer, on rows that were just read.
    async fn vote(
        &self,
        mut held: Held,
        opened: &Opened,
        ballot: &Ballot<'_>,
        why: Option<&Why>,
        now: Timestamp,
    ) -> Result<(Cast, Writes), CastError> {
        let person = &opened.person;
        let mut approval = held.approval.clone();
        let still = |group: &str, person: &axiru_domain::PersonId| held.is_member(group, person);
        let voted = match approval.vote(held.row.status, person, ballot.choice, still, now) {
            Ok(Voted::Before) => return Ok((Cast::Voted(Voted::Before, Box::new(held)), Writes::default())),
            Ok(voted) => voted,
            Err(refused) => return Ok((Cast::Refused(refused, Box::new(held)), Writes::default())),
        };
        let voter = Actor::Person(person.as_str().to_owned());
        let begins_by = approval.begins_by;
        held.approval = approval.clone();
        held.row.approval = Some(approval);
        let mut drafts = vec![draft(
            &held,
            voter.clone(),
            EntryType::VoteCast,
            json!({
                "request": held.row.id.as_str(),
                "person": person.as_str(),
                "choice": ballot.choice.as_str(),
                "link": opened.link.id.text(),
                "content_sha256": held.content,
                "why_sha256": why.map(Why::sha256),
            }),
        )];
        let mut rows = vec![self.used(opened, now)?];
        if let Some(why) = why {
            rows.push(why.row_of(self, held.scope(), &format!("{}#{person}", held.row.id))?);
        }
        let mut writes = match voted {
            Voted::Denied => {
                let told = json!({"request": held.row.id.as_str(), "person": person.as_str()});
                drafts.push(draft(&held, voter.clone(), EntryType::ApprovalDenied, told));
                ended::end(self, held.row.clone(), RequestStatus::Denied, drafts, now).await?
            }
            Voted::Approved => {
                let begins = begins_by.and_then(|until| Timestamp::from_millis(until).ok()).unwrap_or(now);
                let told = json!({"request": held.row.id.as_str(), "begins_by": begins.to_string()});
                drafts.push(draft(&held, Actor::Axiru, EntryType::ApprovalGranted, told));
                Writes { drafts, rows: self.granted(&mut held, now).await? }
            }
            Voted::Counted | Voted::Before => Writes { drafts, rows: vec![held.row.put(self)?] },
        };
        if voted == Voted::Denied {
            held.row.status = RequestStatus::Denied;
        }
        writes.rows.append(&mut rows);
        Ok((Cast::Voted(voted, Box::new(held)), writes))
    }

    /// The writes of a request that is approved now: Axiru makes it, or whoever asked may.
    async fn granted(&self, held: &mut Held, now: Timestamp) -> Result<Vec<TransactWriteItem>, CastError> {
        if held.executes() {
            held.row.status = RequestStatus::Approved;
            held.row.open_until = Some(now.plus_secs(LOOK_SECS));
            return Ok(vec![held.row.put(self)?]);
        }
        let until = now.plus_secs(ADVISORY_SECS);
        held.row.status = RequestStatus::Allowed;
        held.row.open_until = Some(until);
        let similar_key = similar::key_of(held.scope(), &held.row.similar);
        let (pk, sk) = &similar_key;
        let read = self.row(pk, sk).await?;
        let mut similar = SimilarRow::of(read.as_ref()).map_err(StoreError::from)?;
        similar.similar.open(OpenRequest {
            actor: held.row.actor.clone(),
            request: held.row.id.clone(),
            until: until.millis(),
            may_move: true,
        });
        Ok(vec![held.row.put(self)?, similar.put(self, &similar_key)?])
    }

    /// The write that notes that a link was answered with; on the condition that it was not called in meanwhile.
    fn used(&self, opened: &Opened, now: Timestamp) -> Result<TransactWriteItem, AwsError> {
        let mode = opened.held.scope().mode();
        let (pk, sk) = opened.link.id.row_key(mode);
        let update = Update::builder()
            .table_name(&self.state)
            .set_key(Some(key(pk, sk)))
            .update_expression("SET #used = :now")
            .condition_expression(
                "#request = :request AND attribute_not_exists(#used) AND attribute_not_exists(#revoked)",
            )
            .expression_attribute_names("#used", "used")
            .expression_attribute_names("#request", "request")
            .expression_attribute_names("#revoked", "revoked")
            .expression_attribute_values(":now", n(now.millis()))
            .expression_attribute_values(":request", s(opened.held.id().as_str()))
            .build()
            .map_err(|_| AwsError::unexpected("answering", "request not built"))?;
        Ok(TransactWriteItem::builder().update(update).build())
    }
}

/// Whether what the person saw is what is asked now: the content that the link was opened for, every call-in that reaches it, and the digits
/// on their page.
fn is_what_was_shown(held: &Held, opened: &Opened, ballot: &Ballot<'_>) -> bool {
    held.content == opened.held.content
        && held.person_epoch(&opened.person) == opened.held.person_epoch(&opened.person)
        && held.scope_epoch == opened.held.scope_epoch
        && held.digest() == ballot.digest
}

fn draft(held: &Held, actor: Actor, ty: EntryType, fields: Value) -> Draft {
    let fields = if let Value::Object(fields) = fields { fields } else { Map::new() };
    Draft { log: held.row.log(), actor, ty, fields }
}
